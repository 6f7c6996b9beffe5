"""`zenn classify` as a user meets it: from images and texts to a classifier, predictions and their worth."""

from __future__ import annotations

import csv
import doctest
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from safetensors.numpy import load_file
from scipy.special import softmax
from sklearn.metrics import log_loss

import zenn as package
from tests.commands.conftest import names
from zenn.classification.datasets.own import Own, own_data
from zenn.commands import classify_models as models
from zenn.commands.classify_train import TrainOptions, run_train
from zenn.errors import InputError

ROOT = Path(__file__).parents[2]
GROUP = "classify"
TRAINED = {
    "model.json", "model.safetensors", "classifier.json", "data.json", "metrics.json", "history.csv",
    "predictions.safetensors", "evaluation", "run.json",
}  # fmt: skip
CLASSES = ("cats", "dogs", "owls")


def photos(folder, number, seed=0, size=(8, 8), classes=CLASSES):
    """Noise with one colour brighter, by class; some cannot be told."""
    random = np.random.default_rng(seed)
    for k, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(number):
            pixels = random.integers(0, 200, (*size, 3))
            pixels[..., k] += 5 * random.integers(0, 5)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def news(path, number, seed=0, labelled=True):
    random = np.random.default_rng(seed)
    words = {"sport": ["goal", "match", "team", "score"], "tech": ["chip", "code", "screen", "robot"]}
    rows = []
    for i in range(number):
        label = ("sport", "tech")[i % 2]
        text = " ".join([*random.choice(words[label], 2), *random.choice(["the", "a", "new"], 3), str(i)])
        rows.append((text, label) if labelled else (text,))
    write(path, [("text", "label") if labelled else ("text",), *rows])
    return path


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def options(**given):
    """Those of `train` with no option given but these."""
    defaults = {
        "model": "mlp", "preset": "paper", "n_t": None, "initial_temperatures": None, "epochs": 3,
        "batch_size": 16, "learning_rate": None, "seeds": (0,), "validation_share": 0.15, "test_share": 0.2,
        "split_seed": 0, "maximum_length": 512, "cut": False, "vocabulary": 8000, "tokenizer": None,
        "padding_token": None, "weights": None, "fine_tune": "lora", "device": "auto",
    }  # fmt: skip
    return TrainOptions(**{**defaults, **given})


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Photos, and a run of two seeds on them."""
    folder = tmp_path_factory.mktemp("images")
    photos(folder / "photos", 20)
    photos(folder / "held", 8, seed=1)
    run_train(folder / "photos", folder / "run", options(n_t=3, seeds=(4, 7)))
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Texts, and a run on them."""
    folder = tmp_path_factory.mktemp("texts")
    run_train(news(folder / "news.csv", 60), folder / "run", options(preset="recommended", maximum_length=7))
    return folder


def table(said):
    """The printed table: first words of a row -> numbers by column."""
    lines = said.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["error", "NLL"])
    columns = lines[start].split()
    rows = [re.split(r"\s{2,}", line) for line in lines[start + 1 : start + 5]]
    return {row[0]: dict(zip(columns, map(float, row[1:]), strict=True)) for row in rows}


def test_what_a_training_leaves(images):
    run = images / "run"
    assert names(run) == TRAINED
    assert names(images) == {"photos", "held", "run"}  # no checkpoints
    found = json.loads((run / "run.json").read_text())
    assert found["made_by"] == "zenn classify train"
    assert found["zenn_version"]
    assert found["data"]["files"] == 60
    assert len(found["data"]["sha256_of_files"]) == 64
    assert found["parameters"]["training"]["initial_temperatures"] == [1.0, 5.0, 10.0]
    assert found["parameters"]["training"]["backbones"] == 2
    assert found["parameters"]["seeds"] == [4, 7]
    assert found["cost"]["wall_s"] > 0
    assert found["cost"]["peak_memory_MiB"] > 10
    data = json.loads((run / "data.json").read_text())
    assert data["classes"] == list(CLASSES)
    assert sum(data["samples"].values()) == 60
    metrics = pd.read_csv(run / "evaluation" / "metrics.csv")
    assert set(metrics["protocol"]) == {"marginal", "map_temperature", "first_temperature", "oracle"}
    assert set(metrics["seed"]) == {4, 7}
    assert set(metrics[metrics["uses_test_labels"]]["protocol"]) == {"oracle"}


def test_predictions_are_those_that_training_stored(zenn, images):
    """The closed form of the mixture, from E, S, T and the prior of the run's own test samples."""
    zenn(f"predict {images}/run {images}/photos --seed 7 --out p.csv")
    found = pd.read_csv("p.csv").set_index("path")
    assert len(found) == 60
    stored = load_file(images / "run" / "predictions.safetensors")
    E, S = (stored[f"seed-7/test/{name}"].astype(float) for name in "ES")
    T, prior = stored["seed-7/temperatures"].astype(float), stored["seed-7/prior"]
    p = sum(w * softmax(S - (S / 100) ** 2 - E / t, axis=1) for w, t in zip(prior, T, strict=True))
    data, _ = own_data(images / "photos", Own())
    file_of = {
        np.asarray(Image.open(file)).tobytes(): file.relative_to(images / "photos").as_posix()
        for file in (images / "photos").rglob("*.png")
    }
    for pixels, expected in zip(data.test.inputs["pixels"], p, strict=True):
        row = found.loc[file_of[pixels.tobytes()]]
        np.testing.assert_allclose([row[f"probability_{name}"] for name in CLASSES], expected, atol=1e-5)
        assert row["label"] == CLASSES[expected.argmax()]
    posterior = found[[f"temperature_{i}_posterior" for i in (1, 2, 3)]]
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    assert posterior.std().max() > 0, "it depends on the sample"


def test_evaluation_says_what_the_predictions_are_worth(zenn, images):
    status, said, error = zenn(f"evaluate {images}/run --data {images}/held")
    assert (status, error) == (0, "")
    printed = table(said)
    errors, nll = [], []
    for seed in (4, 7):
        zenn(f"predict {images}/run {images}/held --seed {seed} --out p{seed}.csv")
        found = pd.read_csv(f"p{seed}.csv")
        truth = found["path"].str.split("/").str[0]
        errors.append((found["label"] != truth).mean())
        nll.append(log_loss(truth, found[[f"probability_{name}" for name in CLASSES]], labels=CLASSES))
    assert "24 test samples, 2 seeds: means" in said
    assert printed["marginal (the prediction)"]["error"] == pytest.approx(np.mean(errors), abs=1e-4)
    assert printed["marginal (the prediction)"]["NLL"] == pytest.approx(np.mean(nll), abs=1e-4)
    assert list(printed) == [
        "marginal (the prediction)",
        "MAP temperature",
        "T_1 only",
        "oracle (uses test labels)",
    ]
    status, said, _ = zenn(f"evaluate {images}/run")  # as train printed it
    assert status == 0
    metrics = (
        pd.read_csv(images / "run" / "evaluation" / "metrics.csv").groupby("protocol").mean(numeric_only=True)
    )
    for name, protocol in (("T_1 only", "first_temperature"), ("oracle (uses test labels)", "oracle")):
        row = table(said)[name]
        assert row["error"] == pytest.approx(metrics.loc[protocol, "error"], abs=1e-4)
        assert row["ECE*"] == pytest.approx(metrics.loc[protocol, "scaled_ece"], abs=1e-4)
        assert row["permuted"] == pytest.approx(metrics.loc[protocol, "permuted_labels_error"], abs=1e-4)


def test_a_prediction_takes_no_labels(zenn, texts):
    news(Path("bare.csv"), 10, labelled=False)
    several = Path("bare.csv").read_text().splitlines()[1:]
    write(Path("wrong.csv"), [("label", "text"), *(("never seen", text) for text in several)])
    status, said, _ = zenn(f"predict {texts}/run bare.csv --out bare_predictions.csv")
    assert status == 0
    assert "10 samples predicted without labels" in said
    assert zenn(f"predict {texts}/run wrong.csv --out other.csv")[0] == 0
    assert Path("bare_predictions.csv").read_bytes() == Path("other.csv").read_bytes()
    found = pd.read_csv("other.csv")
    assert list(found["line"]) == list(range(2, 12))
    np.testing.assert_allclose(found["probability_sport"] + found["probability_tech"], 1)
    np.testing.assert_allclose(found["temperature_1_posterior"] + found["temperature_2_posterior"], 1)
    first = zenn(f"predict {texts}/run bare.csv --protocol first --out first.csv")
    assert first[0] == 0
    assert not np.allclose(pd.read_csv("first.csv")["probability_tech"], found["probability_tech"])


def test_long_texts_are_refused_or_cut_and_counted(zenn, texts):
    write(Path("long.csv"), [("text", "label"), ("goal", "sport"), ("chip " * 9, "tech")])
    status, _, error = zenn(f"predict {texts}/run long.csv --out p.csv")
    assert status == 1
    assert "long.csv, line 3: found a text of 9 tokens, expected at most 7. Give --cut" in error
    assert not Path("p.csv").exists()
    status, _, error = zenn(f"predict {texts}/run long.csv --cut --out p.csv")
    assert (status, error) == (0, "note: 1 of 2 texts cut at 7 tokens\n")
    status, _, error = zenn(f"predict {texts}/run long.csv --maximum-length 9 --out q.csv")
    assert (status, error) == (0, "")
    news(Path("news.csv"), 20)
    status, _, error = zenn("train --data news.csv --maximum-length 5 --out run")
    assert status == 1
    assert "6 tokens, expected at most 5" in error
    status, said, _ = zenn("train --data news.csv --maximum-length 5 --cut --epochs 1 --out run")
    assert status == 0
    assert "20 texts cut at 5 tokens" in said
    assert sum(json.loads(Path("run/data.json").read_text())["report"]["truncated_texts"].values()) == 20


def test_scaled_transformers(zenn):
    photos(Path("photos"), 8, classes=("a", "b"))
    assert zenn("train --data photos --model vit --epochs 1 --out vit")[0] == 0
    assert zenn("predict vit photos --out p.csv")[0] == 0
    news(Path("news.csv"), 20)
    news(Path("more.csv"), 4, seed=1)
    assert (
        zenn("train --data news.csv --model language --preset cross-entropy --epochs 1 --out language")[0]
        == 0
    )
    longer = [("text",), ("goal match " * 10,)]  # than any text of the training
    write(Path("longer.csv"), longer)
    assert zenn("predict language longer.csv --out q.csv")[0] == 0
    status, said, _ = zenn("evaluate language --data more.csv")
    assert status == 0
    rows = {tuple(row.items()) for row in table(said).values()}
    assert len(rows) == 1, "one temperature: all protocols are the same, the oracle too"


def test_a_killed_training_goes_on_to_the_same_model(zenn, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # --device cpu sets it, for good
    photos(tmp_path / "photos", 12, classes=("a", "b"))
    line = "train --data photos --epochs 40 --seed 1 --seed 2 --device cpu --out"
    assert zenn(f"{line} whole")[0] == 0
    program = [sys.executable, "-m", "zenn", "classify", *shlex.split(line), "killed"]
    kept = tmp_path / "killed.checkpoints"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    end = time.monotonic() + 60
    while not (kept / "seed-1.safetensors").exists() and time.monotonic() < end:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept.is_dir()
    assert not (tmp_path / "killed").exists()
    status, _, error = zenn("train --data photos --epochs 41 --seed 1 --seed 2 --out killed")
    assert status == 1
    assert "killed.checkpoints: found the state of another training; different: epochs" in error
    assert zenn(f"{line} killed")[0] == 0
    assert not kept.exists()
    assert json.loads(Path("killed/run.json").read_text())["cost"]["continued"]
    for name in ("model.safetensors", "predictions.safetensors", "history.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--n-t 0", "argument --n-t: found 0, expected an integer of 1 or more"),
        ("--initial-temperatures 1,4,4", "argument --initial-temperatures: found 4 twice, expected temperat"),
        ("--initial-temperatures 1,-4", "argument --initial-temperatures, T_2: found -4.0, expected a posit"),
        ("--initial-temperatures 1;4", "argument --initial-temperatures: found '1;4', expected numbers with"),
        ("--initial-temperatures 1,4 --n-t 3", "argument --n-t: found 3, expected 2, as --initial-temper"),
        ("--preset cross-entropy --n-t 2", "argument --n-t: found 2, expected 1, the only one with"),
        ("--model vitt", "argument --model: found 'vitt', expected one of mlp, vit, vit_base_patch32_224"),
        ("--model language", "argument --model: found language, which reads texts, expected one for images"),
        ("--model vit_base_patch32_224", "argument --weights: found none, expected an .npz file with the"),
        ("--model SmolLM2-135M --weights random", "argument --model: found SmolLM2-135M, which reads texts"),
        ("--weights some.npz", "argument --weights: found some.npz, expected none: mlp begins with random"),
        ("--epochs 0", "argument --epochs: found 0, expected an integer of 1 or more"),
        ("--learning-rate nan", "argument --learning-rate: found nan, expected a finite number above 0"),
        ("--seed 1 --seed 1", "argument --seed: found [1, 1], expected integers of 0 or more, each once"),
        ("--test-share 1", "argument --test-share: found 1.0, expected a share between 0 and 1"),
        ("--test-share 0.9", "photos"),  # not enough of a class is left
    ],
)
def test_options_that_cannot_be_used(zenn, tmp_path, line, message):
    photos(tmp_path / "photos", 3, classes=("a", "b"))
    status, _, error = zenn(f"train --data photos --out run {line}")
    assert status == 1
    assert error.startswith(f"error: {message}")
    assert names(tmp_path) == {"photos"}


def test_images_that_cannot_be_used(zenn, tmp_path):
    def refused(message):
        status, _, error = zenn("train --data photos --out run")
        assert status == 1
        assert message in error
        assert names(tmp_path) == {"photos"}

    photos(tmp_path / "photos", 4, classes=("a", "b"))
    Image.new("RGB", (9, 8)).save("photos/b/3.png")
    refused("photos/b/3.png: found 9 x 8 pixels, expected 8 x 8, as photos/a/0.png")
    Path("photos/b/3.png").write_bytes(b"no image")
    refused("photos/b/3.png: found ")
    for file in Path("photos/b").iterdir():
        file.unlink()
    refused("photos/b: found no image, expected images of one class")
    Image.new("RGB", (8, 8)).save("photos/b/0.png")
    refused("photos, class b: found 1 samples to divide, expected two or more")
    Image.new("RGB", (8, 8), 7).save("photos/b/1.png")
    refused("photos, class b: found ")  # one for test, none for validation or training


def test_samples_that_do_not_suit_the_run(zenn, images, texts, tmp_path):
    def refused(line, message):
        status, _, error = zenn(line)
        assert status == 1
        assert message in error

    photos(tmp_path / "held", 2, classes=("cats", "dogz"))
    expected = "held, folder dogz: found the class 'dogz', expected a class of the training: cats, dogs, owls"
    refused(f"evaluate {images}/run --data held", f"{expected}. did you mean 'dogs'?")
    write(Path("rows.csv"), [("text", "label"), ("a goal", "sport"), ("a chip", "3")])
    refused(
        f"evaluate {texts}/run --data rows.csv", "rows.csv, line 3: found the class '3', expected a class"
    )
    refused(f"predict {images}/run rows.csv --out p.csv", "rows.csv, line 1: found no column 'path' among")
    refused(f"predict {texts}/run held --out p.csv", "held: found a folder, expected a CSV file of texts")
    Image.new("RGB", (8, 9)).save("held/cats/1.png")
    refused(f"predict {images}/run held --out p.csv", "cats/1.png: found 8 x 9 pixels, expected 8 x 8, as in")
    write(Path("empty.csv"), [("text", "label"), ("a goal", "sport"), (" ", "tech")])
    refused(f"evaluate {texts}/run --data empty.csv", "empty.csv, line 3: found an empty text, expected a te")
    (tmp_path / "nothing").mkdir()
    refused(f"predict {images}/run nothing --out p.csv", "nothing: found no samples")
    refused(f"predict {images}/run held --seed 5 --out p.csv", "argument --seed: found 5, expected one that")
    refused("predict none held --out p.csv", "none: found no such folder, expected what zenn classify train")
    refused(f"predict {images}/run held --out rows.csv", "argument --out: found rows.csv, which is there")
    write(Path("fine.csv"), [("text", "label"), ("a goal", "sport")])
    status, _, error = zenn(f"evaluate {texts}/run --data fine.csv")
    assert (status, error) == (0, "note: no samples of tech\n")


def test_weights_of_another_architecture(zenn, images, texts, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for file in (images / "run").iterdir():
        if file.is_file():
            (mixed / file.name).write_bytes(file.read_bytes())
    (mixed / "model.safetensors").write_bytes((texts / "run" / "model.safetensors").read_bytes())
    status, _, error = zenn(f"predict mixed {images}/held --out p.csv")
    assert status == 1
    assert "mixed/model.safetensors, seed 4: found " in error
    assert "They are of another architecture" in error
    np.savez("other.npz", cls=np.zeros((1, 1, 1024), np.float32))
    status, _, error = zenn(
        f"train --data {images}/held --model vit_base_patch32_224 --weights other.npz --out r"
    )
    assert status == 1
    assert "other.npz: found cls of shape (1, 1, 1024) for (1, 1, 768)" in error
    assert "weights of another architecture" in error
    assert not Path("r").exists()


def test_presets_are_those_of_the_pipeline():
    printed = yaml.safe_load((ROOT / "params.yaml").read_text())["classification"]
    assert printed["presets"] == models.PRESETS
    assert printed["initial_temperatures"] == [models.LOWEST, models.HIGHEST]
    for image_model, text_model in zip(models.IMAGE_MODELS, models.TEXT_MODELS, strict=False):
        assert image_model in printed["published"]["image_models"]
        assert text_model in printed["published"]["text_models"]
    table_s3, table_s5 = (printed["training"][name]["zenn"] for name in ("cifar", "bbc_news"))
    for table_of, model in ((table_s3, "vit_base_patch32_224"), (table_s5, "SmolLM2-360M")):
        recipe = models.recipe(model, models.KIND_OF[model], 50_000)
        for name in ("epochs", "batch_size", "learning_rate", "weight_decay"):
            assert getattr(recipe, name) == table_of[name], (model, name)


def test_published_vits_see_grey_images_in_three_channels(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(6):
            Image.new("L", (4, 4), 10 * i + (5 if name == "a" else 0)).save(tmp_path / name / f"{i}.png")
    data, _ = own_data(tmp_path, Own())
    assert data.train.inputs["pixels"].shape[3] == 1
    fitted = models.fitted_to("vit_base_patch32_224", data)
    np.testing.assert_array_equal(fitted.test.inputs["pixels"], np.tile(data.test.inputs["pixels"], 3))
    assert fitted.mean == fitted.std == (0.5, 0.5, 0.5)
    assert models.fitted_to("mlp", data) is data


@pytest.mark.parametrize(("height", "width", "side"), [(8, 8, 1), (32, 32, 4), (224, 224, 28), (6, 9, 1)])
def test_patches_of_a_scaled_vit(height, width, side):
    assert models._patch(height, width) == side


def test_images_that_no_patches_fit():
    with pytest.raises(InputError, match=r"31 x 31 pixels, expected a height and width that equal squares"):
        models._patch(31, 31)


def test_examples_of_the_documentation():
    result = doctest.testfile(str(ROOT / "docs" / "classification.md"), module_relative=False)
    assert result.attempted >= 15
    assert result.failed == 0


def test_names_come_without_torch_until_they_are_asked_for():
    program = (
        "import sys, zenn, zenn.classification, zenn.cli; assert 'torch' not in sys.modules;"
        "from zenn import CrossZentropyLoss, TemperatureSet, cross_zentropy;"
        "import torch; loss = CrossZentropyLoss(TemperatureSet([1.0, 5.0]), omega=5.0);"
        "E, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0]);"
        "assert loss(E, None, y) == cross_zentropy(E, None, y, [1.0, 5.0], omega=5.0);"
        "import zenn.classification as room; [getattr(room, name) for name in room.__all__]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    with pytest.raises(AttributeError, match="has no attribute 'cross_entropy'"):
        _ = package.cross_entropy
