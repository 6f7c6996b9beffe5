"""Readers of arrays and archives: safetensors, npz, tar, zip, and the models and states made of them."""

from __future__ import annotations

import functools
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from tests.classification import published
from tests.classification._trainings import PARAMETERS, SETTINGS, Tiny, data_set
from tests.classification.test_archives import FILES, zipped
from tests.fuzz.harness import OUT, Target
from zenn.checkpoints import read_arrays, write_arrays
from zenn.classification.data import load_data_set, save_data_set
from zenn.classification.datasets.archives import unpack
from zenn.classification.datasets.cifar import read_cifar
from zenn.classification.datasets.news import read_bbc
from zenn.classification.devices import Devices
from zenn.classification.encoders._weights import INDEX, read_safetensors
from zenn.classification.encoders.vit import ImageTransformer, ViTSizes
from zenn.classification.model import build_model
from zenn.classification.predictions import load_predictions
from zenn.classification.saved_model import load_model, read_description
from zenn.classification.settings import TrainingSettings
from zenn.classification.training import _Training
from zenn.commands.classify_saved import load_saved
from zenn.files import write_json
from zenn.landscape import LandscapeModel
from zenn.landscape.fitting import Settings, fit, scaling_of
from zenn.landscape.landscapes import bifurcation, bifurcation_energy
from zenn.landscape.losses import Weights
from zenn.landscape.networks import ConvexNetwork, Zenn
from zenn.landscape.saved_model import load_model as load_landscape
from zenn.landscape.saved_model import save_model as save_landscape
from zenn.landscape.store import _read_state, _write_state, load_network, save_network
from zenn.laws.network import Subnetwork
from zenn.laws.pictures import load_pictures
from zenn.laws.processes import Design, Gas, processes
from zenn.laws.saved_network import load_network as load_subnetwork
from zenn.laws.saved_network import save_network as save_subnetwork
from zenn.laws.store import (
    Simulation,
    file_name,
    load_simulation,
    load_trajectory,
    save_simulation,
    save_trajectory,
)
from zenn.laws.training import Epoch, Scores, _State
from zenn.room import main

SMALL = {name: content[:3000] for name, content in FILES.items()}


def _tar(folder: Path) -> None:
    published.tar_gz(folder / "set.tar.gz", SMALL)


def _zip(folder: Path) -> None:
    zipped(folder / "set.zip", SMALL)


def _unpacked(folder: Path) -> None:
    (archive,) = folder.iterdir()
    unpack(archive, folder.parent / OUT)


def _cifar(folder: Path) -> None:
    files = published.cifar_10_files(5, 2)
    published.tar_gz(folder / "cifar.tar.gz", files)


def _bbc(folder: Path) -> None:
    zipped(folder / "bbc.zip", {f"bbc/{kind}/{i}.txt": b"a text" for kind in published.BBC for i in (1, 2)})


def _arrays(folder: Path) -> None:
    write_arrays(folder / "a.safetensors", {"a": np.arange(6.0).reshape(2, 3), "b": np.zeros(0)}, {"n": "x"})


def _vit() -> ImageTransformer:
    return ImageTransformer(ViTSizes(4, 8, 1, 2), (8, 8), 3, 2)


def _npz(folder: Path) -> None:
    layout = _vit().npz_layout()
    np.savez(folder / "w.npz", **{name: np.ones(shape, np.float32) for name, shape in layout.items()})


def _weights(folder: Path) -> None:
    for part in ("model-1-of-2", "model-2-of-2"):
        save_file({part: np.ones(3, np.float32)}, folder / f"{part}.safetensors")
    where = {part: f"{part}.safetensors" for part in ("model-1-of-2", "model-2-of-2")}
    write_json(folder / INDEX, {"weight_map": where})


@functools.cache
def _trained() -> dict[str, bytes]:
    """The files of a small training."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_data_set(folder / "data", data_set())
        training = {**SETTINGS, "epochs": 1, "warm_up_epochs": 0.0, "prior": "learned"}
        params = {**PARAMETERS, "seeds": [1], "training": training, "save_model": True}
        (folder / "p.json").write_text(json.dumps(params))
        given = ["--params", str(folder / "p.json"), "--input", f"data={folder / 'data'}"]
        assert main("zenn.classification", ["train", *given, "--out", str(folder / "out")]) == 0
        return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


def _classifier(folder: Path) -> None:
    for name in ("model.json", "model.safetensors"):
        (folder / name).write_bytes(_trained()[name])
    said: dict[str, Any] = {
        "kind": "images",
        "padding": 0,
        "vocabulary": 0,
        "maximum_length": 9,
        "cut": False,
    }
    write_json(folder / "classifier.json", said)


def _read_classifier(folder: Path) -> None:
    load_saved(folder)
    load_model(read_description(folder))


def _training() -> _Training:
    settings = TrainingSettings(
        1, 16, 0.01, loss="cross_zentropy", backbones=2, initial_temperatures=(1.0, 4.0)
    )
    model = build_model(Tiny, replace(settings, ema=0.5), 3, torch.device("cpu"))
    return _Training(model, data_set(20), settings, 3, Devices(), lambda model, outputs: {})


def _state_of_training(folder: Path) -> None:
    training = _training()
    training.keep_at(folder / "seed-1.safetensors", "digest", 9.0)
    training.position.history.append({"epoch": 0.0, "loss": 1.0})
    training._save()


NETWORK_32 = Subnetwork(32, 5)


def _siamese() -> _State:
    return _State(NETWORK_32, torch.optim.Adam(NETWORK_32.parameters()))


def _state_of_siamese_training(folder: Path) -> None:
    state = _siamese()
    state.history = [Epoch(0, 0.5, Scores(0.5, 0.5, 0.5))]
    state.write(folder / "state.safetensors", "digest")


NETWORK = Zenn(scaling_of(bifurcation(9, 5)), 2, 1.0, 5.0)
CONVEX = ConvexNetwork(scaling_of(bifurcation(9, 5)), "standard", width=3)


def _networks(folder: Path) -> None:
    for name, network in (("zenn", NETWORK), ("convex", CONVEX)):
        save_network(folder / name, network, {"1": network.initial(1).numpy()})


@functools.cache
def _fitted() -> LandscapeModel:
    x, T = np.linspace(-1.6, 1.6, 9), np.linspace(1.2, 2.8, 4)
    model = LandscapeModel(configurations=1, iterations=3, start="random", seed=1)
    return model.fit(x, T, bifurcation_energy(x, T[:, None]))


@functools.cache
def _state():
    *_, last = fit(NETWORK, bifurcation(9, 5), Weights(), Settings(adam_steps=1, iterations=3), 1, None)
    return last


GAS = Gas(length=20.0, time_step=0.005)
DESIGN = Design((5,), (0.5,), (0.5,), (5.0,), 0, 2.0, 0.1, 1, 0, 0, 1)
SIMULATION = Simulation(GAS, DESIGN, 0, 0.5)


@functools.cache
def _trajectory():
    from zenn.laws.dynamics import run_process

    return run_process(processes(GAS, DESIGN)[0], GAS, DESIGN, 0, 0.5)


def _simulated(folder: Path) -> None:
    save_simulation(folder, SIMULATION)
    process = processes(GAS, DESIGN)[0]
    save_trajectory(folder / file_name(process), _trajectory(), SIMULATION, process)


def _read_simulated(folder: Path) -> None:
    simulation, all_ = load_simulation(folder)
    load_trajectory(folder / file_name(all_[0]), simulation, all_[0])


def _pictures(folder: Path) -> None:
    header = "process,split,stop,particles,time,width,energy,work"
    (folder / "index.csv").write_text(
        f"{header}\n0,train,0,5,1.0,9.0,3.5,0.0\n0,train,1,5,2.0,8.0,3.6,-0.1\n"
    )
    save_file({"pictures": np.ones((2, 5, 4, 4), np.uint8)}, folder / "pictures.safetensors")


def _read_pictures(folder: Path) -> None:
    pictures, index = load_pictures(folder)
    for row in index.rows("train"):
        assert pictures[row].min() >= 0


TARGETS = [
    Target("tar.gz", _tar, _unpacked, cost=2),
    Target("zip", _zip, _unpacked, cost=2),
    Target("CIFAR-10", _cifar, lambda f: read_cifar(f / "cifar.tar.gz", "cifar-10", 5, 2), cost=3),
    Target("BBC News", _bbc, lambda f: read_bbc(f / "bbc.zip", 10), cost=2),
    Target("arrays", _arrays, lambda f: read_arrays(f / "a.safetensors")),
    Target("ViT weights", _npz, lambda f: _vit().load_npz(f / "w.npz"), cost=6),
    Target("weights in parts", _weights, read_safetensors),
    Target("data set", lambda f: save_data_set(f, data_set(9)), load_data_set, cost=2),
    Target("saved classifier", _classifier, _read_classifier, cost=3),
    Target(
        "predictions",
        lambda f: (f / "predictions.safetensors").write_bytes(_trained()["predictions.safetensors"]),
        load_predictions,
    ),
    Target(
        "state of a classifier's training",
        _state_of_training,
        lambda f: _training().keep_at(f / "seed-1.safetensors", "digest", 9.0),
        cost=4,
    ),
    Target(
        "state of a siamese training",
        _state_of_siamese_training,
        lambda f: _siamese().read(f / "state.safetensors", "digest"),
        cost=8,
    ),
    Target("networks", _networks, lambda f: (load_network(f / "zenn"), load_network(f / "convex")), cost=2),
    Target("fitted landscape", lambda f: save_landscape(f, _fitted()), load_landscape, cost=2),
    Target(
        "state of a fit",
        lambda f: _write_state(f / "fit.safetensors", _state(), [0.5, 0.25], "digest"),
        lambda f: _read_state(f / "fit.safetensors", "digest"),
    ),
    Target("simulation", _simulated, _read_simulated),
    Target("pictures of a gas", _pictures, _read_pictures),
    Target(
        "siamese network",
        lambda f: save_subnetwork(f / "network.safetensors", Subnetwork(32, 5)),
        lambda f: load_subnetwork(f / "network.safetensors"),
        cost=8,
    ),
]
