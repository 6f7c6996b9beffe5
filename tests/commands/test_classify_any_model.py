"""`zenn classify` with models of timm and transformers, their weights from files or a cache, and controls."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.numpy import load_file
from safetensors.torch import save_file
from scipy.special import softmax

from tests.classification.own_models import END, published
from tests.commands.conftest import names
from zenn.classification.datasets.own import Own, own_data
from zenn.classification.encoders._torchvision import import_timm

GROUP = "classify"
SHORT = "--epochs 1 --batch-size 16"
TIMM = "test_resnet.r160_in1k"


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """The Hub is never asked, and its cache is empty."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


def photos(folder, number=8, size=(10, 8)):
    random = np.random.default_rng(0)
    for k, name in enumerate(("cats", "dogs")):
        (folder / name).mkdir(parents=True)
        for i in range(number):
            pixels = random.integers(0, 200, (*size, 3))
            pixels[..., k] += 50
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")


def news(path, number=24, seed=0):
    random = np.random.default_rng(seed)
    words = {"sport": ["goal", "match", "team"], "tech": ["chip", "code", "robot"]}
    rows = [("text", "label")]
    for i in range(number):
        label = ("sport", "tech")[i % 2]
        rows.append((" ".join([*random.choice(words[label], 2), "the", str(i)]), label))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def stored_probabilities(run, seed=0):
    """Of the test samples: the marginal of what training stored."""
    stored = load_file(run / "predictions.safetensors")
    E, T, prior = (stored[f"seed-{seed}/{name}"] for name in ("test/E", "temperatures", "prior"))
    return sum(w * softmax(-E.astype(float) / t, axis=1) for w, t in zip(prior, T, strict=True))


def cached(repository, *files):
    """Files as huggingface_hub keeps them."""
    kept = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    (kept / "snapshots" / ("0" * 40)).mkdir(parents=True)
    for file in files:
        shutil.copy(file, kept / "snapshots" / ("0" * 40) / file.name)


def test_a_model_of_timm(zenn):
    photos(Path("photos"))
    assert zenn(f"train --data photos --model {TIMM} --weights random {SHORT} --out run")[0] == 0
    model = json.loads(Path("run/model.json").read_text())
    assert model["encoder"]["model"] == TIMM
    assert model["encoder"]["size"] == [160, 160]
    assert model["mean"] == model["std"] == [0.5, 0.5, 0.5]
    assert zenn("predict run photos --out p.csv")[0] == 0
    found = pd.read_csv("p.csv").set_index("path")
    data, _ = own_data(Path("photos"), Own())
    file_of = {
        np.asarray(Image.open(file)).tobytes(): file.relative_to("photos").as_posix()
        for file in Path("photos").rglob("*.png")
    }
    for pixels, expected in zip(data.test.inputs["pixels"], stored_probabilities(Path("run")), strict=True):
        row = found.loc[file_of[pixels.tobytes()]]
        np.testing.assert_allclose(
            row[["probability_cats", "probability_dogs"]].astype(float), expected, atol=1e-5
        )


def test_weights_of_timm_from_a_file_and_from_the_cache(zenn, tmp_path):
    photos(Path("photos"), 6)
    line = f"train --data photos --model {TIMM} {SHORT} --learning-rate 1e-9"
    status, _, error = zenn(f"{line} --out run")
    assert status == 1
    assert (
        f"argument --model: found no model.safetensors of timm/{TIMM} in {tmp_path}/cache, and http" in error
    )
    assert (
        "expected --weights with a .safetensors file, or a folder with model.safetensors, or random" in error
    )
    torch.manual_seed(3)
    weights = import_timm().create_model(TIMM).state_dict()
    save_file(weights, "model.safetensors")
    cached(f"timm/{TIMM}", Path("model.safetensors"))
    for how in ("", "--weights model.safetensors", "--weights ."):
        assert zenn(f"{line} {how} --out run")[0] == 0
        trained = load_file("run/model.safetensors")
        name = next(name for name in trained if name.endswith("network.layer1.0.conv1.weight"))
        np.testing.assert_allclose(trained[name], weights["layer1.0.conv1.weight"], atol=1e-6)
        shutil.rmtree("run")
    save_file(import_timm().create_model("test_vit").state_dict(), "other.safetensors")
    status, _, error = zenn(f"{line} --weights other.safetensors --out run")
    assert status == 1
    assert "other.safetensors: found no conv1.0.weight; " in error
    assert "These are the weights of another architecture" in error
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("kind", "how", "method"),
    [("bert", "", "lora"), ("gpt2", "--fine-tune all", "all"), ("llama", "--weights random", "all")],
)
def test_a_folder_of_transformers(zenn, tmp_path, kind, how, method):
    news(Path("news.csv"))
    published(tmp_path / "model", kind)
    status, _, error = zenn(f"train --data news.csv --model model {how} {SHORT} --out run")
    assert status == 0, error
    assert error.endswith("note: texts of at most 24 tokens: the model has no more positions\n")
    shutil.rmtree("model")  # a run needs nothing beside it
    encoder = json.loads(Path("run/model.json").read_text())["encoder"]
    assert encoder["fine_tune"]["method"] == method
    assert encoder["configuration"]["model_type"] == kind
    padding = json.loads(Path("run/run.json").read_text())["parameters"]["options"]["padding_token"]
    assert padding == ("[PAD]" if kind == "bert" else END)
    assert zenn("predict run news.csv --out p.csv")[0] == 0
    found = pd.read_csv("p.csv")[["probability_sport", "probability_tech"]].to_numpy()
    for expected in stored_probabilities(Path("run")):
        assert np.abs(found - expected).max(axis=1).min() < 1e-5


def test_a_model_of_transformers_from_the_cache(zenn, tmp_path):
    news(Path("news.csv"))
    line = f"train --data news.csv {SHORT} --out run"
    status, _, error = zenn(f"{line} --model acme/tiny")
    assert status == 1
    assert (
        f"argument --model: found no model.safetensors of acme/tiny in {tmp_path}/cache, and https" in error
    )
    assert "expected a folder with config.json, tokenizer.json and model.safetensors, or one of mlp" in error
    cached("acme/tiny", *published(tmp_path / "model", "distilbert").iterdir())
    shutil.rmtree("model")
    assert zenn(f"{line} --model acme/tiny")[0] == 0
    assert json.loads(Path("run/model.json").read_text())["encoder"]["weights"] == "published"
    shutil.rmtree("run")
    assert zenn(f"{line} --model acme/tiny --weights random")[0] == 0


def test_folders_that_cannot_be_used(zenn, tmp_path):
    news(Path("news.csv"), 12)

    def refused(line, message):
        status, _, error = zenn(f"train --data news.csv {SHORT} --out run {line}")
        assert status == 1
        assert re.search(message, error), error
        assert "run" not in names(tmp_path)

    refused(
        "--model SmolLM2-135M", "model.safetensors of HuggingFaceTB/SmolLM2-135M in .* expected --weights"
    )
    refused(
        "--model SmolLM2-135M --weights random", "argument --tokenizer: found none, expected the tokenizer"
    )
    model = published(tmp_path / "model", "bert")
    other = published(tmp_path / "other", "bert", num_hidden_layers=1)
    refused("--model model --weights other", "other/model.safetensors: found no bert.encoder.layer.1")
    refused("--model model --weights none", "--weights: found none, expected a .safetensors file, or a fold")
    refused("--model model --maximum-length 3", "tokens, expected at most 3")
    (model / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    refused("--model model", "argument --tokenizer: found none, expected the tokenizer.json of model")
    (model / "tokenizer_config.json").unlink()
    (model / "config.json").write_text((model / "config.json").read_text().replace('_id": 0', '_id": null'))
    refused("--model model --tokenizer tokenizer.json", "--padding-token: found none, expected a token of")
    line = f"train --data news.csv {SHORT} --out run --model model --tokenizer tokenizer.json"
    assert zenn(f"{line} --padding-token [PAD]")[0] == 0
    shutil.rmtree("run")
    (other / "model.safetensors").rename(other / "pytorch_model.bin")
    refused("--model other", "other: found no model.safetensors, .* they may be pickles")
    (other / "config.json").write_text('{"architecture": "resnet18"}')
    refused("--model other --weights random", "config.json, model_type: found nothing")
    (other / "config.json").unlink()
    refused("--model other --weights random", "other: found no config.json")


def test_models_of_the_other_kind_and_misspelt_ones(zenn, tmp_path):
    news(Path("news.csv"), 12)
    photos(Path("photos"), 3)
    published(tmp_path / "model", "bert")
    for data, line, message in (
        ("news.csv", "resnet18", "found resnet18, which reads images, expected one for texts: mlp, language"),
        ("news.csv", "languge", "expected a folder with config.*did you mean 'language'"),
        ("photos", "model", "found model, a model of transformers, expected one that reads images"),
        ("photos", "distilbert-base-uncased", "expected one of mlp, vit, .*, or a name of timm"),
        ("photos", "resnet188", "found 'resnet188', .* did you mean 'resnet18"),
        ("photos", "resnet18 --fine-tune lora --weights random", "--fine-tune: found lora, expected all"),
        ("photos", "test_mambaout --weights none", "--weights: found none, expected a .safetensors file"),
    ):
        status, _, error = zenn(f"train --data {data} --out run --model {line}")
        assert status == 1
        assert re.search(message, error), error
    assert names(tmp_path) == {"news.csv", "photos", "model"}


def test_a_run_beside_its_control(zenn, tmp_path):
    photos(Path("photos"), 12)
    line = "train --data photos --epochs 3"
    seeds = "--seed 1 --seed 2 --seed 3"
    assert zenn(f"{line} {seeds} --out ours")[0] == 0
    assert zenn(f"{line} --seed 2 --seed 3 --seed 4 --preset cross-entropy --out control")[0] == 0
    status, said, error = zenn("evaluate ours --control control")
    assert status == 0
    assert "ours minus control, both marginal: 2 pairs, seed 2, 3" in said
    assert error == "note: seed 1, 4 is not in both, and is left out\n"
    tables = {run: pd.read_csv(f"{run}/evaluation/metrics.csv") for run in ("ours", "control")}
    values = {
        run: table[table["protocol"] == "marginal"].set_index("seed")["nll"].loc[[2, 3]]
        for run, table in tables.items()
    }
    row = next(part for part in said.split("both marginal")[1].splitlines() if part.startswith("NLL "))
    run, control, difference, low, _, high = (part for part in row.split()[1:])
    d = values["ours"] - values["control"]
    half = 12.706204736 * d.std(ddof=1) / np.sqrt(2)  # Student's t, one degree of freedom
    expected = (values["ours"].mean(), values["control"].mean(), d.mean(), d.mean() - half, d.mean() + half)
    np.testing.assert_allclose([float(x) for x in (run, control, difference, low, high)], expected, atol=6e-5)
    status, said, _ = zenn("evaluate ours --data photos --control control")
    assert status == 0
    assert "24 test samples" in said

    def refused(control, message):
        status, _, error = zenn(f"evaluate ours {control}")
        assert status == 1
        assert message in error

    refused("--control ours", "argument --control: found ours again, expected other runs, each once")
    refused("--control control --control ./control", "found control again")
    refused("--control photos", "expected what zenn classify train wrote")
    assert zenn(f"{line} --split-seed 1 --seed 1 --out split")[0] == 0
    refused("--control split", "--control, split, split_seed: found 1, expected 0, as in ours")
    assert zenn(f"{line} --seed 9 --out seeds")[0] == 0
    refused("--control seeds", "--control, seeds, seeds: found 9, expected one of 1, 2, 3, as in the run")
    Image.new("RGB", (8, 10)).save("photos/cats/new.png")
    assert zenn(f"{line} --seed 1 --out data")[0] == 0
    refused("--control data", "--control, data, data: found ")
