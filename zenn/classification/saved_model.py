"""Trained classifiers as files: `model.json` says what the parameters in `model.safetensors` belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zenn.classification.batches import Augmentation
from zenn.classification.classifier import ZentropyClassifier
from zenn.classification.data import DataSet
from zenn.classification.encoders import Shape, build_encoder
from zenn.classification.model import build_model
from zenn.classification.settings import TrainingSettings
from zenn.errors import InputError
from zenn.files import atomic_file, read_json, write_json
from zenn.given import Given

DESCRIPTION = "model.json"
PARAMETERS = "model.safetensors"


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A trained classifier in evaluation mode, and how its inputs have to be prepared.

    mean, std : per channel of pixels in [0, 1], for images. classes : names, in the order of the outputs.
    """

    model: ZentropyClassifier
    settings: TrainingSettings
    shape: Shape
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def save_models(
    folder: Path,
    models: Mapping[int, ZentropyClassifier],
    encoder: Mapping[str, Any],
    settings: TrainingSettings,
    data: DataSet,
) -> None:
    """Write the models of one run, by seed; `encoder` has the parameters that `build_encoder` was given."""
    # copies: safetensors refuses tensors that share memory
    tensors = {
        f"seed-{seed}/{name}": tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for seed, model in models.items()
        for name, tensor in model.state_dict().items()
    }
    with atomic_file(folder / PARAMETERS) as temporary:
        save_file(tensors, temporary)
    description = {
        "seeds": list(models),
        "encoder": dict(encoder),
        "training": asdict(settings),
        "shape": asdict(Shape.of(data)),
        "classes": list(data.classes),
        "mean": list(data.mean),
        "std": list(data.std),
    }
    write_json(folder / DESCRIPTION, description)


def load_model(folder: Path, seed: int | None = None) -> SavedModel:
    """The classifier that was trained with `seed`, or with the first one, without looking for other files.

    Raises
    ------
    InputError : a file is missing, cut, or does not belong to the other; no such seed.
    """
    path = folder / DESCRIPTION
    try:
        description = read_json(path)
        seeds = [int(one) for one in description["seeds"]]
        chosen = seeds[0] if seed is None else seed
        shape = Shape(**description["shape"])
        settings = _settings(description["training"])
        encoder = _without_weights(description["encoder"])
        classes, mean, std = (tuple(description[name]) for name in ("classes", "mean", "std"))
    except FileNotFoundError:
        hint = "Train with save_model"
        raise InputError(folder, "", f"no {DESCRIPTION}", "a folder with a trained model", hint) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(path, "", found, "the description of a trained model") from None
    if chosen not in seeds:
        raise InputError(path, "seeds", seeds, f"seed {chosen} among them")
    model = build_model(
        lambda: build_encoder(Given(encoder, str(path), "encoder"), shape), settings, 0, torch.device("cpu")
    )
    _fill(model, folder / PARAMETERS, f"seed-{chosen}/")
    return SavedModel(model.eval(), settings, shape, classes, mean, std)


def _fill(model: ZentropyClassifier, path: Path, prefix: str) -> None:
    try:
        with safe_open(path, framework="pt") as file:
            # the file is no mapping: it cannot be iterated over itself
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            tensors = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, "", error, "a whole safetensors file") from None
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:  # names and shapes, all of them
        expected = f"the parameters of the model in {DESCRIPTION}"
        raise InputError(path, prefix, str(error).replace("\n", " "), expected) from None


def _settings(values: Mapping[str, Any]) -> TrainingSettings:
    settings = dict(values)
    settings["augmentation"] = Augmentation(**settings["augmentation"])
    settings["initial_temperatures"] = tuple(settings["initial_temperatures"])
    found = TrainingSettings(**settings)
    found.check(DESCRIPTION)
    return found


def _without_weights(encoder: Mapping[str, Any]) -> dict[str, Any]:
    """The encoder without published weights: all of its own are in the file."""
    return {**encoder, "weights": "random"} if "weights" in encoder else dict(encoder)
