"""Models on disk: what the step `train` saved predicts what it stored, from the files alone."""

import json
import shutil

import numpy as np
import pytest
import torch

from tests.classification._trainings import PARAMETERS, SETTINGS, data_set
from zenn.checkpoints import read_arrays
from zenn.classification.data import save_data_set
from zenn.classification.saved_model import load_model
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
    saved, data = load_model(trained, seed), data_set()
    assert saved.classes == data.classes
    pixels = (data.test.inputs["pixels"] / 255 - np.array(saved.mean)) / np.array(saved.std)
    batch = {"pixels": torch.tensor(pixels.transpose(0, 3, 1, 2), dtype=torch.float32)}
    with torch.no_grad():
        E, S = saved.model(batch)
    stored, _ = read_arrays(trained / "predictions.safetensors")
    np.testing.assert_allclose(E, stored[f"seed-{seed}/test/E"], atol=1e-5)
    np.testing.assert_allclose(S, stored[f"seed-{seed}/test/S"], atol=1e-5)
    np.testing.assert_allclose(saved.model.temperatures.values.detach(), stored[f"seed-{seed}/temperatures"])
    prior = saved.model.prior.log_probabilities.exp().detach()
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
