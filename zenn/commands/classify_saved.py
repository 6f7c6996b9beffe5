"""A trained classifier as `zenn classify train` left it, and what it says of new samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands.classify_inputs import Given as Samples
from zenn.commands.classify_inputs import Reading
from zenn.commands.classify_train import CLASSIFIER
from zenn.errors import InputError
from zenn.files import read_json

if TYPE_CHECKING:
    from zenn.classification import Outputs
    from zenn.classification.saved_model import Description
    from zenn.classification.settings import TrainingSettings

TOKENIZER = "tokenizer.json"
_A_RUN = "what zenn classify train wrote"


@dataclass(frozen=True, eq=False)
class Saved:
    """A run: how its samples are read, and its networks."""

    description: Description
    reading: Reading
    vocabulary: int

    @property
    def settings(self) -> TrainingSettings:
        """How it was trained."""
        return self.description.settings


def load_saved(folder: Path, *, maximum_length: int | None = None, cut: bool = False) -> Saved:
    """The description of a run; a longer limit of texts and their being cut may be asked for.

    Raises
    ------
    InputError : a file is missing or says something else.
    """
    if not folder.is_dir():
        raise InputError(folder, "", "no such folder", _A_RUN)
    described = _read(folder / CLASSIFIER)
    if maximum_length is not None and maximum_length < 1:
        raise InputError("argument --maximum-length", "", maximum_length, "an integer of 1 or more")
    from zenn.classification.saved_model import read_description

    model = read_description(folder)
    try:
        limit = int(described["maximum_length"]) if maximum_length is None else maximum_length
        texts = described["kind"] == "texts"
        reading = Reading(
            kind=described["kind"],
            classes=model.classes,
            size=(model.shape.height, model.shape.width, model.shape.channels),
            tokenizer=folder / TOKENIZER if texts else None,
            padding=int(described["padding"]),
            maximum_length=limit,
            cut=cut or bool(described["cut"]),
        )
        return Saved(model.reading(limit) if texts else model, reading, int(described["vocabulary"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(folder, CLASSIFIER, found, _A_RUN) from None


def chosen_seed(saved: Saved, seed: int | None) -> int:
    """The seed asked for, or the first."""
    seeds = saved.description.seeds
    if seed is None:
        return seeds[0]
    if seed not in seeds:
        known = ", ".join(map(str, seeds))
        found = f"one that {saved.description.folder} was trained from: {known}"
        raise InputError("argument --seed", "", seed, found)
    return seed


def outputs_of_samples(saved: Saved, seed: int, samples: Samples) -> Outputs:
    """Energies and entropies of samples, with the temperatures and prior of that seed.

    Raises
    ------
    InputError : the parameters are not those of the network.
    """
    import numpy as np

    from zenn.classification import Outputs
    from zenn.classification.batches import Samples as OnDevice
    from zenn.classification.data import DataSet, Split
    from zenn.classification.devices import Devices
    from zenn.classification.model import outputs_of, prior_of
    from zenn.classification.saved_model import load_model

    of, devices = saved.description, Devices(saved.settings.precision)
    model = load_model(of, seed, devices.device)
    split = Split(samples.inputs, np.zeros(len(samples.places), np.int64))  # labels that nobody reads
    data = DataSet(
        name="given",
        kind=of.shape.kind,
        classes=of.classes,
        train=split,
        validation=split,
        test=split,
        mean=of.mean,
        std=of.std,
        vocabulary=saved.vocabulary,
        padding=saved.reading.padding,
        sources=(),
        report={},
    )
    found = outputs_of(model, OnDevice(split, data, devices.device), devices)
    prior = prior_of(model).cpu().double().numpy()
    return Outputs(
        found.energies,
        found.entropies,
        model.temperatures.values.detach().cpu().double().numpy(),
        prior / prior.sum(),  # float32 is not that exact
        saved.settings.boltzmann_constant,
        saved.settings.gamma,
    )


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise InputError(path, "", "no such file", _A_RUN) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "", error, _A_RUN) from None
