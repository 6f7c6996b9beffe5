"""Trained classifiers from the files that a training left, without looking for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from zenn.classification.batches import Augmentation
from zenn.classification.classifier import ZentropyClassifier
from zenn.classification.encoders import Shape, build_encoder
from zenn.classification.model import build_model
from zenn.classification.model_files import DESCRIPTION, FROZEN, PARAMETERS, of_seed
from zenn.classification.settings import TrainingSettings
from zenn.errors import InputError
from zenn.files import read_json
from zenn.given import Given

_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Description:
    """What `model.json` in a folder says: how the networks are built and their inputs are prepared.

    mean, std : per channel of pixels in [0, 1], for images. classes : names, in the order of the outputs.
    """

    folder: Path
    seeds: tuple[int, ...]
    encoder: dict[str, Any]
    settings: TrainingSettings
    shape: Shape
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def reading(self, tokens: int) -> Description:
        """The same for texts of up to `tokens` tokens, where they were shorter in training."""
        longest = max(self.shape.maximum_length, tokens)
        return replace(self, shape=replace(self.shape, maximum_length=longest))


def read_description(folder: Path) -> Description:
    """What the training in `folder` says of its models.

    Raises
    ------
    InputError : `model.json` is missing, cut or something else.
    """
    path = folder / DESCRIPTION
    try:
        said = read_json(path)
        classes, mean, std = (tuple(said[name]) for name in ("classes", "mean", "std"))
        return Description(
            folder,
            tuple(int(one) for one in said["seeds"]),
            _without_weights(said["encoder"]),
            _settings(said["training"]),
            Shape(**said["shape"]),
            classes,
            mean,
            std,
        )
    except FileNotFoundError:
        hint = "Train with save_model"
        raise InputError(folder, "", f"no {DESCRIPTION}", "a folder with a trained model", hint) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(path, "", found, "the description of a trained model") from None


def load_model(
    described: Description | Path, seed: int | None = None, device: torch.device = _CPU
) -> ZentropyClassifier:
    """The classifier that was trained with `seed`, or with the first one, in evaluation mode.

    Raises
    ------
    InputError : a file is missing, cut, or does not belong to the other; no such seed.
    """
    of = read_description(described) if isinstance(described, Path) else described
    chosen = of.seeds[0] if seed is None else seed
    if chosen not in of.seeds:
        raise InputError(of.folder / DESCRIPTION, "seeds", list(of.seeds), f"seed {chosen} among them")
    given = Given(of.encoder, str(of.folder / DESCRIPTION), "encoder")
    try:
        model = build_model(
            lambda: build_encoder(given, of.shape), of.settings, chosen, device, ZentropyClassifier
        )
    except (
        TypeError,
        ValueError,
        RuntimeError,
        ArithmeticError,
        MemoryError,
    ) as error:  # sizes that are none
        found = f"{type(error).__name__}: {error}"
        raise InputError(of.folder / DESCRIPTION, "", found, "the sizes of a trained model") from None
    _fill(model, of.folder / PARAMETERS, chosen)
    return model.eval()


def _fill(model: ZentropyClassifier, path: Path, seed: int) -> None:
    tensors = {}
    try:
        with safe_open(path, framework="pt") as file:
            # the file is no mapping: it cannot be iterated over itself
            for name in file.keys():  # noqa: SIM118
                for prefix in (FROZEN, of_seed(seed)):
                    if name.startswith(prefix):
                        tensors[name.removeprefix(prefix)] = file.get_tensor(name)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, "", error, "a whole safetensors file") from None
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:  # names and shapes, all of them
        found = " ".join(line.strip() for line in str(error).splitlines()[1:]) or str(error)
        expected = f"the parameters of the model in {DESCRIPTION}"
        raise InputError(path, f"seed {seed}", found, expected, "They are of another architecture") from None


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
