"""Models on disk: what the step `train` saved predicts what it stored, from the files alone."""

import json
import shutil

import numpy as np
import pytest
import torch

from tests.classification._trainings import PARAMETERS, SETTINGS, data_set
from zenn.checkpoints import read_arrays
from zenn.classification.data import save_data_set
from zenn.classification.model_files import save_models
from zenn.classification.saved_model import load_model, read_description
from zenn.errors import InputError
from zenn.room import main


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a run")
    save_data_set(folder / "data", data_set())
    training = {**SETTINGS, "ema": 0.9, "prior": "learned", "augmentation": ["horizontal_flip"]}
    parameters = {**PARAMETERS, "training": training, "save_model": True}
    (folder / "p.json").write_text(json.dumps(parameters))
    arguments = ["--params", str(folder / "p.json"), "--input", f"data={folder / 'data'}"]
    assert main("zenn.classification", ["train", *arguments, "--out", str(folder / "out")]) == 0
    return folder / "out"


@pytest.mark.parametrize("seed", [1, 2])
def test_it_predicts_what_the_training_stored(trained, seed):
    saved, model, data = read_description(trained), load_model(trained, seed), data_set()
    assert saved.classes == data.classes
    pixels = (data.test.inputs["pixels"] / 255 - np.array(saved.mean)) / np.array(saved.std)
    batch = {"pixels": torch.tensor(pixels.transpose(0, 3, 1, 2), dtype=torch.float32)}
    with torch.no_grad():
        E, S = model(batch)
    stored, _ = read_arrays(trained / "predictions.safetensors")
    np.testing.assert_allclose(E, stored[f"seed-{seed}/test/E"], atol=1e-5)
    np.testing.assert_allclose(S, stored[f"seed-{seed}/test/S"], atol=1e-5)
    np.testing.assert_allclose(model.temperatures.values.detach(), stored[f"seed-{seed}/temperatures"])
    prior = model.prior.log_probabilities.exp().detach()
    np.testing.assert_allclose(prior, stored[f"seed-{seed}/prior"], rtol=1e-6)


def test_files_that_cannot_be_used(trained, tmp_path):
    with pytest.raises(InputError, match="seed 7 among them"):
        load_model(trained, 7)
    with pytest.raises(InputError, match=r"found no model\.json"):
        load_model(tmp_path)
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-5])
    with pytest.raises(InputError, match="a whole safetensors file"):
        load_model(folder)
    (folder / "model.safetensors").write_bytes(whole)
    text = (folder / "model.json").read_text()
    changed = json.loads(text)
    changed["encoder"]["hidden"] = [13]
    (folder / "model.json").write_text(json.dumps(changed))
    with pytest.raises(InputError, match=r"size mismatch.*expected the parameters of the model"):
        load_model(folder)
    (folder / "model.json").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match="the description of a trained model"):
        load_model(folder)


def test_what_was_not_trained_is_stored_once(trained, tmp_path):
    """As the base of a LoRA; where seeds began with another one, each keeps its own."""
    described, data = read_description(trained), data_set()
    models = {seed: load_model(described, seed) for seed in described.seeds}
    first, second = models.values()
    frozen = "energy_encoder.layers.0.weight"
    for model in models.values():
        model.get_parameter(frozen).requires_grad_(False)
    save_models(tmp_path, models, described.encoder, described.settings, data)
    stored, _ = read_arrays(tmp_path / "model.safetensors")
    assert {f"frozen/{frozen}", f"seed-2/{frozen}"} <= stored.keys()
    with torch.no_grad():
        second.get_parameter(frozen).copy_(first.get_parameter(frozen))
    save_models(tmp_path, models, described.encoder, described.settings, data)
    stored, _ = read_arrays(tmp_path / "model.safetensors")
    assert [name for name in stored if name.endswith(frozen)] == [f"frozen/{frozen}"]
    for seed, model in models.items():
        found = load_model(tmp_path, seed).state_dict()
        assert found.keys() == model.state_dict().keys()
        assert all(torch.equal(found[name], value) for name, value in model.state_dict().items())
