"""Train the siamese network on the pictures of the training processes.

Input: `pictures`, a folder that `render` wrote. Parameters: `epochs`; `learning_rate`, the first, which
falls as a cosine; `images_per_step`; `chunk`, images of a process that are paired at a time; `seed`;
`control`, none or what is taken from the pictures (`zenn.laws.controls`). On a GPU where there is one, with
pictures in its memory if they fit and 16-bit convolutions; else on one core of the CPU. A training that was
stopped goes on at its last finished epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.files import write_json
from zenn.given import Given
from zenn.laws.controls import CONTROLS, Control, frame_sources
from zenn.laws.network import Subnetwork, table
from zenn.laws.picture_source import FromDisk, nearest
from zenn.laws.pictures import Index, load_pictures
from zenn.laws.saved_network import NETWORK, save_network
from zenn.laws.training import Epoch, Examples, Scores, Settings, Trained, represent, scores, train
from zenn.progress import Progress

STATE = "state.safetensors"
SPLITS = ("train", "validation", "test")


def run(params: Given, inputs: Mapping[str, Path], out: Path, checkpoints: Path) -> None:
    """Write `network.safetensors`, `history.csv`, `representations.csv`, `network.csv`, `metrics.json`.

    `history.csv` : a row per epoch. `representations.csv` : S~ of every picture, of all splits.
    `network.csv` : Table I as the module has it. `metrics.json` : loss and accuracies of the validation and
    test pairs with the parameters that were best on validation.
    """
    torch.set_num_threads(1)  # a small network: trainings run side by side instead
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings, control = _settings(params)
    params.refuse_unused()  # now, and not after hours
    pictures, index = load_pictures(inputs["pictures"])
    _check_splits(inputs["pictures"], index)
    sources = None
    if control != "none":
        sources = frame_sources(control, index.processes, index.widths, pictures.shape[1], settings.seed)
    examples = {}
    for split in SPLITS:
        rows = index.rows(split)
        examples[split] = Examples(nearest(FromDisk(pictures, rows, sources), device), index.processes[rows])
    checkpoints.mkdir(parents=True, exist_ok=True)
    with Progress("epochs", settings.epochs) as progress:

        def see(epoch: Epoch) -> None:
            progress.update(epoch.epoch + 1, f"validation accuracy {epoch.validation.accuracy:.4f}")

        trained = train(examples["train"], examples["validation"], settings, checkpoints / STATE, see, device)
    values = {split: represent(trained.network, examples[split].pictures) for split in SPLITS}
    save_network(out / NETWORK, trained.network)
    _write_history(out / "history.csv", trained.history)
    _write_representations(out / "representations.csv", index, values)
    _write_table(out / "network.csv", trained.network)
    write_json(out / "metrics.json", _metrics(trained, examples, values))


def _settings(params: Given) -> tuple[Settings, Control]:
    settings = Settings(
        params.integer("epochs"),
        params.number("learning_rate"),
        params.integer("images_per_step"),
        params.integer("chunk"),
        params.integer("seed"),
    )
    least = {"epochs": 1, "images_per_step": 2, "chunk": 2, "seed": 0}
    for name, value in least.items():
        if getattr(settings, name) < value:
            raise InputError("parameters", name, getattr(settings, name), f"{value} or more")
    if settings.learning_rate <= 0:
        raise InputError("parameters", "learning_rate", settings.learning_rate, "a number above 0")
    asked = params.choice("control", CONTROLS)
    return settings, next(control for control in CONTROLS if control == asked)


def _check_splits(folder: Path, index: Index) -> None:
    """Each split has a process of two stops: a pair."""
    for split in SPLITS:
        rows = index.rows(split)
        if len(rows) == len(np.unique(index.processes[rows])):
            expected = "one process of two stops or more"
            raise InputError(folder / "index.csv", f"split {split!r}", "no pair of pictures", expected)


def _write_history(path: Path, history: list[Epoch]) -> None:
    write_columns(
        path,
        {
            "epoch": [epoch.epoch for epoch in history],
            "training_loss": [epoch.training_loss for epoch in history],
            "validation_loss": [epoch.validation.loss for epoch in history],
            "validation_accuracy": [epoch.validation.accuracy for epoch in history],
            "validation_process_accuracy": [epoch.validation.process_accuracy for epoch in history],
        },
    )


def _write_representations(path: Path, index: Index, values: Mapping[str, np.ndarray]) -> None:
    s = np.full(len(index.stops), np.nan)
    for split, found in values.items():
        s[index.rows(split)] = found
    columns = {"process": index.processes, "split": index.splits, "stop": index.stops, "s": s}
    write_columns(path, columns)


def _write_table(path: Path, network: Subnetwork) -> None:
    rows = table(network)
    write_columns(
        path,
        {
            "layer": [row.layer for row in rows],
            "hyperparameter": [row.hyperparameter for row in rows],
            "activation": [row.activation for row in rows],
            "output": [" x ".join(map(str, row.output)) for row in rows],
            "parameters": [row.parameters for row in rows],
        },
    )


def _metrics(
    trained: Trained, examples: Mapping[str, Examples], values: Mapping[str, np.ndarray]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for split in ("validation", "test"):
        scored: Scores = scores(values[split], examples[split].processes)
        sizes = np.unique(examples[split].processes, return_counts=True)[1]
        found[f"{split}_loss"] = scored.loss
        found[f"{split}_accuracy"] = scored.accuracy
        found[f"{split}_process_accuracy"] = scored.process_accuracy
        found[f"{split}_pairs"] = int((sizes * (sizes - 1) // 2).sum())
    found["best_epoch"] = trained.best_epoch
    found["parameters"] = sum(one.numel() for one in trained.network.parameters())
    return found
