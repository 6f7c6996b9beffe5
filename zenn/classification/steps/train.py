"""Train a classifier on a prepared data set, from several seeds one after the other.

Inputs: `data`, a folder with `data.safetensors` and `dataset.json`; `weights`, for encoders with published
ones. Parameters: `encoder` with kind and what belongs to it; `training`, see `TrainingSettings`; `seeds`;
`save_model`; `save_every_s`, seconds between two checkpoints. A killed training goes on from its last one.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zenn.classification.data import TOKENIZER, DataSet, load_data_set
from zenn.classification.devices import Devices
from zenn.classification.encoders import Shape, build_encoder
from zenn.classification.model import EncoderOutputs, build_model, prior_of
from zenn.classification.model_files import save_models
from zenn.classification.network import ZentropyNetwork
from zenn.classification.outputs import Outputs, marginal, oracle
from zenn.classification.predictions import save_predictions
from zenn.classification.settings import TrainingSettings
from zenn.classification.steps._given import read_seeds, read_training
from zenn.classification.training import Now, Trained, train
from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.files import read_json, write_json
from zenn.given import Given
from zenn.progress import Progress

MEASURED = "measured.json"
"""Beside the checkpoints: speed and memory of each seed's training, which no result depends on."""

ORACLE = "test_accuracy_oracle_uses_test_labels"


def run(params: Given, inputs: Mapping[str, Path], out: Path, checkpoints: Path) -> None:
    """Write `predictions.safetensors`, `metrics.json`, `history.csv`; the model if `save_model` is true.

    `history.csv` has a row per seed and evaluated epoch: the epoch's mean training loss, error and NLL of
    validation and accuracy of test by the label-free marginal, accuracy of test as printed in the paper (it
    uses test labels), and the temperatures. With `save_model` see `zenn.classification.model_files`; the
    tokenizer of texts then lies beside.
    """
    settings, seeds = read_training(params.group("training")), read_seeds(params)
    save_every, save_model = params.number("save_every_s"), params.switch("save_model")
    encoder = params.group("encoder")
    data = load_data_set(inputs["data"])
    weights = _weights(inputs["weights"]) if "weights" in inputs else None
    shape = Shape.of(data)
    devices = Devices(settings.precision)
    trained: dict[int, Trained] = {}
    models: dict[int, ZentropyNetwork] = {}
    for number, seed in enumerate(seeds, 1):
        build = partial(build_encoder, encoder, shape, weights)
        model: ZentropyNetwork = build_model(build, settings, seed, devices.device)
        if number == 1:
            params.refuse_unused()  # now, and not after hours
        with Progress(f"seed {seed} ({number} of {len(seeds)})", updates(settings, data)) as progress:
            watch = _Watch(progress)
            trained[seed] = train(
                model,
                data,
                settings,
                seed,
                devices,
                checkpoint=checkpoints / f"seed-{seed}.safetensors",
                save_every=save_every,
                scores=partial(_scores, data, settings),
                watch=watch.see,
            )
        if devices.rank == 0:
            print(f"seed {seed}: {watch.said(devices)}", flush=True)
            _note_speed(checkpoints / MEASURED, seed, watch.measured(devices))
        if save_model or number == 1:
            models[seed] = model.cpu()  # the next one needs the room
    devices.wait()
    if devices.rank:
        raise SystemExit(0)  # the first process writes; this one's empty folder must not take its place
    learned = sum(one.numel() for one in models[seeds[0]].parameters() if one.requires_grad)
    save_predictions(out, data, trained, {**_notes(settings), "precision": devices.precision})
    write_json(out / "metrics.json", _metrics(settings, data, trained, learned))
    rows = [{"seed": seed, **row} for seed, end in trained.items() for row in end.history]
    write_columns(out / "history.csv", {name: [row[name] for row in rows] for name in rows[0]})
    if save_model:
        save_models(out, models, encoder.values, settings, data)
        if (inputs["data"] / TOKENIZER).is_file():
            shutil.copyfile(inputs["data"] / TOKENIZER, out / TOKENIZER)


def _weights(path: Path) -> Path:
    """The one .npz file of a folder that a step fetched, or else what was given."""
    found = sorted(path.glob("*.npz")) if path.is_dir() else []
    if len(found) > 1:
        raise InputError(path, "", [one.name for one in found], "one .npz file")
    return found[0] if found else path


class _Watch:
    """The progress line, and the speed that it said last."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last: Now | None = None

    def see(self, now: Now) -> None:
        self._last = now
        self._progress.update(now.step, f"loss {now.loss:.3g}, {now.samples_per_second:.0f} samples/s")

    def said(self, devices: Devices) -> str:
        if self._last is None:
            return "trained before"
        found = self.measured(devices)
        said = f"loss {self._last.loss:.4g}, {found['samples_per_s']} samples/s"
        if "peak_gpu_memory_MiB" in found:
            said += f", {found['peak_gpu_memory_MiB'] / 1024:.2f} GiB of the GPU"
        return f"{said}, {devices.precision} on {found['devices']}"

    def measured(self, devices: Devices) -> dict[str, Any]:
        """Of the samples since this process began, evaluations and checkpoints included."""
        if self._last is None:
            return {}
        found: dict[str, Any] = {
            "samples_per_s": round(self._last.samples_per_second, 1),
            "precision": devices.precision,
            "devices": f"{devices.processes} x {devices.device.type}",
        }
        if devices.device.type == "cuda":
            found["devices"] = f"{devices.processes} x {torch.cuda.get_device_name(devices.device)}"
            found["peak_gpu_memory_MiB"] = round(torch.cuda.max_memory_allocated(devices.device) / 2**20, 1)
        return found


def _note_speed(path: Path, seed: int, found: Mapping[str, Any]) -> None:
    """Add a seed's measurements to those of the seeds before; one that was trained before keeps its own."""
    if found:
        before = read_json(path) if path.is_file() else {}
        write_json(path, {**before, f"seed-{seed}": dict(found)})


def updates(settings: TrainingSettings, data: DataSet) -> int:
    """Updates of a whole training."""
    batches = math.ceil(len(data.train) / settings.batch_size)
    return settings.epochs * math.ceil(batches / settings.accumulation)


def _scores(
    data: DataSet, settings: TrainingSettings, model: ZentropyNetwork, outputs: dict[str, EncoderOutputs]
) -> dict[str, float]:
    """Columns of the history."""
    T, prior = model.temperatures.values.detach().cpu().numpy(), prior_of(model).cpu().numpy()
    k_B, gamma = settings.boltzmann_constant, settings.gamma
    validation, test = (
        Outputs(outputs[name].energies, outputs[name].entropies, T, prior, k_B, gamma)
        for name in ("validation", "test")
    )
    log_p, labels = marginal(validation), data.validation.labels
    tested = {"test_accuracy": marginal(test), ORACLE: oracle(test, data.test.labels)}
    # not by `metrics`, whose import of scipy.stats takes as long as a small training
    return {
        "validation_error": float(np.mean(log_p.argmax(axis=1) != labels)),
        "validation_nll": float(-np.mean(log_p[np.arange(len(labels)), labels])),
        **{name: float(np.mean(log_q.argmax(axis=1) == data.test.labels)) for name, log_q in tested.items()},
    }


def _notes(settings: TrainingSettings) -> dict[str, Any]:
    """What an evaluation has to know of a training."""
    names = ("loss", "omega", "gamma", "boltzmann_constant", "backbones", "label_smoothing", "prior")
    notes = {name: getattr(settings, name) for name in names}
    return {**notes, "initial_temperatures": list(settings.initial_temperatures)}


def _metrics(
    settings: TrainingSettings, data: DataSet, trained: Mapping[int, Trained], learned: int
) -> dict[str, Any]:
    ends = {}
    for seed, end in trained.items():
        best = min(end.history, key=lambda row: row["validation_nll"])
        ends[f"seed-{seed}"] = {
            **{name: value for name, value in end.history[-1].items() if name[:11] != "temperature"},
            "temperatures": end.temperatures.tolist(),
            "prior": end.prior.tolist(),
            "epoch_of_lowest_validation_nll": best["epoch"],
        }
    return {
        "loss": settings.loss,
        "backbones": settings.backbones,
        "initial_temperatures": list(settings.initial_temperatures),
        "parameters_trained": learned,
        "samples": {name: len(split) for name, split in data.splits.items()},
        **ends,
    }
