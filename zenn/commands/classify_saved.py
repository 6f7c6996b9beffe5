"""A trained classifier as `zenn classify train` left it, and what it says of new samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands import classify_models as models
from zenn.commands.classify_inputs import Given as Samples
from zenn.commands.classify_inputs import Reading
from zenn.commands.classify_train import CLASSIFIER
from zenn.errors import InputError
from zenn.files import read_json

if TYPE_CHECKING:
    from zenn.classification import Outputs, ZentropyClassifier
    from zenn.classification.encoders import Shape
    from zenn.classification.settings import TrainingSettings

MODEL, PARAMETERS, TOKENIZER = "model.json", "model.safetensors", "tokenizer.json"
_A_RUN = "what zenn classify train wrote"


@dataclass(frozen=True, eq=False)
class Saved:
    """A run: how its samples are read, its networks, and the seeds they were trained from."""

    folder: Path
    reading: Reading
    encoder: dict[str, Any]
    shape: Shape
    settings: TrainingSettings
    mean: tuple[float, ...]
    std: tuple[float, ...]
    vocabulary: int
    seeds: tuple[int, ...]


def load_saved(folder: Path, *, maximum_length: int | None = None, cut: bool = False) -> Saved:
    """The description of a run; a longer limit of texts and their being cut may be asked for.

    Raises
    ------
    InputError : a file is missing or says something else.
    """
    if not folder.is_dir():
        raise InputError(folder, "", "no such folder", _A_RUN)
    described, model = _read(folder / CLASSIFIER), _read(folder / MODEL)
    from zenn.classification.batches import Augmentation
    from zenn.classification.encoders import Shape
    from zenn.classification.settings import TrainingSettings

    if maximum_length is not None and maximum_length < 1:
        raise InputError("argument --maximum-length", "", maximum_length, "an integer of 1 or more")
    try:
        shape, training = Shape(**model["shape"]), dict(model["training"])
        training["augmentation"] = Augmentation(**training["augmentation"])
        training["initial_temperatures"] = tuple(training["initial_temperatures"])
        limit = int(described["maximum_length"]) if maximum_length is None else maximum_length
        reading = Reading(
            kind=described["kind"],
            classes=tuple(model["classes"]),
            size=(shape.height, shape.width, shape.channels),
            tokenizer=folder / TOKENIZER if described["kind"] == "texts" else None,
            padding=int(described["padding"]),
            maximum_length=limit,
            cut=cut or bool(described["cut"]),
        )
        return Saved(
            folder,
            reading,
            _without_weights(described["encoder"]),
            replace(shape, maximum_length=max(shape.maximum_length, limit)),
            TrainingSettings(**training),
            tuple(described["mean"]),
            tuple(described["std"]),
            int(described["vocabulary"]),
            tuple(model["seeds"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(folder, f"{CLASSIFIER}, {MODEL}", found, _A_RUN) from None


def chosen_seed(saved: Saved, seed: int | None) -> int:
    """The seed asked for, or the first."""
    if seed is None:
        return saved.seeds[0]
    if seed not in saved.seeds:
        known = ", ".join(map(str, saved.seeds))
        raise InputError("argument --seed", "", seed, f"one that {saved.folder} was trained from: {known}")
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

    devices = Devices(saved.settings.precision)
    model = _model(saved, seed, devices.device)
    number = len(samples.places)
    split = Split(samples.inputs, np.zeros(number, np.int64))  # labels that nobody reads
    data = DataSet(
        name="given",
        kind=saved.shape.kind,
        classes=saved.reading.classes,
        train=split,
        validation=split,
        test=split,
        mean=saved.mean,
        std=saved.std,
        vocabulary=saved.vocabulary,
        padding=saved.reading.padding,
        sources=(),
        report={},
    )
    found = outputs_of(model, OnDevice(split, data, devices.device), devices)
    settings, prior = saved.settings, prior_of(model).cpu().double().numpy()
    return Outputs(
        found.energies,
        found.entropies,
        model.temperatures.values.detach().cpu().double().numpy(),
        prior / prior.sum(),  # float32 is not that exact
        settings.boltzmann_constant,
        settings.gamma,
    )


def _model(saved: Saved, seed: int, device: Any) -> ZentropyClassifier:
    """The classifier of one seed."""
    from safetensors import SafetensorError, safe_open

    from zenn.classification import build_encoder
    from zenn.classification.model import build_model
    from zenn.given import Given

    path, begin = saved.folder / PARAMETERS, f"seed-{seed}/"
    given = Given(saved.encoder, str(saved.folder / CLASSIFIER), "encoder")
    model = build_model(lambda: build_encoder(given, saved.shape), saved.settings, seed, device)
    try:
        with safe_open(path, framework="pt") as file:
            # the file is no mapping: it cannot be iterated over itself
            names = [name for name in file.keys() if name.startswith(begin)]  # noqa: SIM118
            tensors = {name.removeprefix(begin): file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise InputError(path, "", error, "a whole safetensors file with the parameters") from None
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        expected = f"the parameters of the network that {CLASSIFIER} and {MODEL} describe"
        raise InputError(path, f"seed {seed}", first, expected, "They are of another architecture") from None
    return model


def _without_weights(encoder: dict[str, Any]) -> dict[str, Any]:
    """The encoder, to be built with random numbers: its own parameters replace all of them."""
    return {**encoder, "weights": models.RANDOM} if "weights" in encoder else dict(encoder)


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise InputError(path, "", "no such file", _A_RUN) from None
    except (OSError, ValueError) as error:
        raise InputError(path, "", error, _A_RUN) from None
