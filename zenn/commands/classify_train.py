"""`zenn classify train`: a user's images or texts in, a folder with a trained and judged classifier out."""

from __future__ import annotations

import hashlib
import math
import os
import resource
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands import classify_models as models
from zenn.commands import classify_summary as summary
from zenn.commands.classify_chosen import Asked, Chosen, choose
from zenn.commands.classify_inputs import digest_of_data, kind_of
from zenn.commands.results import METADATA, check_out, note, progress, results_folder, write_metadata
from zenn.errors import InputError
from zenn.files import read_json, write_json, write_text

if TYPE_CHECKING:
    from zenn.classification.data import DataSet

RUN, CLASSIFIER, DATA = "run.json", "classifier.json", "data.json"
EVALUATION = "evaluation"
REQUEST = "request.json"
"""Of a folder of checkpoints: what it belongs to."""

DEVICES = ("auto", "cpu", "cuda")
UNITS = "Temperatures in units of the energies, which have none (k_B = 1); errors are shares of the samples."
LIBRARIES = ("numpy", "scipy", "torch")
PERMUTATIONS = 20
SAVE_EVERY_S = 30.0
_NAME = "run"
"""Of a run in its tables."""


@dataclass(frozen=True)
class TrainOptions:
    """The options of `zenn classify train`; None where the model or preset decides."""

    model: str
    preset: str
    n_t: int | None
    initial_temperatures: str | None
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    seeds: tuple[int, ...]
    validation_share: float
    test_share: float
    split_seed: int
    maximum_length: int
    cut: bool
    vocabulary: int
    tokenizer: Path | None
    padding_token: str | None
    weights: str | None
    fine_tune: str | None
    device: str

    def __post_init__(self) -> None:
        natural = "an integer of 1 or more"
        known = (models.CROSS_ENTROPY, *models.PRESETS)
        _require("--preset", repr(self.preset), self.preset in known, f"one of {', '.join(known)}")
        for option in ("n_t", "epochs", "batch_size", "maximum_length"):
            value = getattr(self, option)
            _require(f"--{option.replace('_', '-')}", value, value is None or value >= 1, natural)
        if self.preset == models.CROSS_ENTROPY:
            expected = f"1, the only one with --preset {self.preset}"
            _require("--n-t", self.n_t, self.n_t in (None, 1), expected)
            given = self.initial_temperatures
            _require("--initial-temperatures", given, given is None, f"none with --preset {self.preset}")
        rate = self.learning_rate
        _require("--learning-rate", rate, rate is None or 0 < rate < math.inf, "a finite number above 0")
        for option in ("validation_share", "test_share"):
            value = getattr(self, option)
            _require(f"--{option.replace('_', '-')}", value, 0 < value < 1, "a share between 0 and 1")
        seeds = list(self.seeds)
        fine = bool(seeds) and min(seeds) >= 0 and len(set(seeds)) == len(seeds)
        _require("--seed", seeds, fine, "integers of 0 or more, each once")
        _require("--split-seed", self.split_seed, self.split_seed >= 0, "an integer of 0 or more")
        _require("--vocabulary", self.vocabulary, self.vocabulary >= 3, "an integer of 3 or more")
        check_device(self.device)

    def temperatures(self) -> tuple[float, ...]:
        """Where they begin.

        Raises
        ------
        InputError : some are equal, not positive, or not as many as --n-t says.
        """
        from zenn.classification.temperatures import TemperatureSet

        if self.preset == models.CROSS_ENTROPY:
            return (1.0,)
        number, text, option = self.n_t, self.initial_temperatures, "argument --initial-temperatures"
        if text is None:
            return models.initial_temperatures(2 if number is None else number)
        try:
            given = tuple(float(part) for part in text.split(","))
        except ValueError:
            raise InputError(option, "", repr(text), "numbers with commas between, e.g. 1,2,8") from None
        try:
            TemperatureSet(given)
        except InputError as error:
            raise InputError(option, error.where, error.found, error.expected, error.hint) from None
        _require("--n-t", number, number in (None, len(given)), f"{len(given)}, as --initial-temperatures")
        return given


def run_train(path: Path, out: Path, options: TrainOptions) -> None:
    """`train`.

    Raises
    ------
    InputError : an option, the data or the weights cannot be used; a checkpoint of another training is there.
    NotConvergedError : the loss is not finite.
    """
    check_out(out)
    kept = out.with_name(f"{out.name}.checkpoints")
    use_device(options.device)
    temperatures = options.temperatures()
    chosen, options = _chosen(options, kind_of(path))
    weights = chosen.weights
    with progress("reading"):
        found = digest_of_data(path)
        continued = _refuse_another(kept, found, weights, options)
    started = time.monotonic()
    try:
        from zenn.classification.data import save_data_set
        from zenn.classification.datasets.own import own_data
        from zenn.classification.steps import evaluate, train
        from zenn.given import Given

        data, tokenizer = own_data(path, _how(options))
        data = chosen.fitted(data)
        encoder = chosen.encoder(data, options.fine_tune)
        training = models.training_of(options.preset, temperatures, _recipe(chosen, options, data))
        save_data_set(kept / "data", data)
        parameters: dict[str, Any] = {"encoder": encoder, "training": training, "seeds": list(options.seeds)}
        steps = {**parameters, "save_model": True, "save_every_s": SAVE_EVERY_S}
        places = {"data": kept / "data", **({"weights": weights} if weights else {})}
        with results_folder(out) as folder:
            train.run(Given(steps, "options"), places, folder, kept)
            trained = time.monotonic()
            evaluate.run(Given(evaluation_parameters(), "options"), {_NAME: folder}, folder / EVALUATION)
            write_json(folder / DATA, {**found, **_described(data)})
            write_json(folder / CLASSIFIER, _classifier(data, encoder, options))
            if tokenizer is not None:
                write_text(folder / "tokenizer.json", tokenizer)
            costs = _costs(kept, trained - started, continued)
            _write_run(
                folder,
                [*weight_files(weights), *_given_files(options)],
                options,
                parameters,
                data=found,
                cost=costs,
            )
    except BaseException as error:
        _tidy(kept, error)
        raise
    shutil.rmtree(kept, ignore_errors=True)
    summary.show_data(data)
    summary.show_run(out, PERMUTATIONS)
    summary.show_folder(out)


def evaluation_parameters() -> dict[str, Any]:
    """Of the step `evaluate` for one run."""
    return {"runs": [_NAME], "controls": [], "ensemble_of": "", "permutations": PERMUTATIONS}


def check_device(name: str) -> None:
    """Refuse an unknown device."""
    _require("--device", repr(name), name in DEVICES, f"one of {', '.join(DEVICES)}")


def use_device(name: str) -> None:
    """Let torch find the device asked for, before it looks.

    Raises
    ------
    InputError : a GPU is asked for where there is none.
    """
    if name == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif name == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise InputError("argument --device", "", "cuda, but torch finds no GPU", "auto or cpu")


def weight_files(weights: Path | None) -> list[Path]:
    """The files of published weights."""
    if weights is None:
        return []
    return sorted(each for each in weights.iterdir() if each.is_file()) if weights.is_dir() else [weights]


def _require(option: str, value: object, met: bool, expected: str) -> None:
    if not met:
        raise InputError(f"argument {option}", "", value, expected)


def _chosen(options: TrainOptions, kind: str) -> tuple[Chosen, TrainOptions]:
    """The model, and the options with its own tokenizer, padding and number of positions."""
    asked = Asked(options.model, options.weights, options.fine_tune, options.tokenizer, options.padding_token)
    chosen = choose(asked, kind)
    if chosen.tokenizer is None:
        return chosen, options
    longest = options.maximum_length
    if chosen.longest is not None and chosen.longest < longest:
        longest = chosen.longest
        note(f"texts of at most {longest} tokens: the model has no more positions")
    own = {"tokenizer": chosen.tokenizer, "padding_token": chosen.padding_token, "maximum_length": longest}
    return chosen, replace(options, **own)  # type: ignore[arg-type]  # each of its own type


def _recipe(chosen: Chosen, options: TrainOptions, data: DataSet) -> models.Recipe:
    names = ("epochs", "batch_size", "learning_rate")
    asked = {name: value for name in names if (value := getattr(options, name)) is not None}
    return replace(chosen.recipe(data), **asked)


def _how(options: TrainOptions) -> Any:
    from zenn.classification.datasets.own import Own
    from zenn.classification.datasets.tokens import PADDING

    return Own(
        test_share=options.test_share,
        validation_share=options.validation_share,
        seed=options.split_seed,
        tokenizer=options.tokenizer,
        padding_token=options.padding_token or PADDING,
        vocabulary=options.vocabulary,
        maximum_length=options.maximum_length,
        cut=options.cut,
    )


def _given_files(options: TrainOptions) -> list[Path]:
    return [options.tokenizer] if options.tokenizer is not None else []


def _refuse_another(kept: Path, data: Mapping[str, Any], weights: Path | None, options: TrainOptions) -> bool:
    """Begin a folder of checkpoints, or refuse that of other data or options; whether a training goes on."""
    of_no_account = ("device",)
    asked = {name: str(value) for name, value in asdict(options).items() if name not in of_no_account}
    asked["data"] = str(data["sha256_of_files"])
    asked["weights"] = _digest([*weight_files(weights), *_given_files(options)])
    request = kept / REQUEST
    if not request.exists():
        write_json(request, asked)
        return False
    try:
        said = read_json(request)
        other = sorted(name for name in asked if said.get(name) != asked[name])
    except (OSError, ValueError, AttributeError):
        other = ["all"]
    if other:
        hint = "Remove it to begin anew, or give the data and options it was begun with"
        found = f"the state of another training; different: {', '.join(other)}"
        raise InputError(kept, "", found, "that of this one", hint)
    return any(kept.glob("*.safetensors"))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def _tidy(kept: Path, error: BaseException) -> None:
    """After an error: nothing is left where there is nothing to go on from."""
    if not any(kept.glob("*.safetensors")):
        shutil.rmtree(kept, ignore_errors=True)
    elif isinstance(error, KeyboardInterrupt):
        note(f"the same command goes on from {kept}")


def _described(data: DataSet) -> dict[str, Any]:
    """The data in numbers: classes, sizes, duplicates, texts that were cut."""
    return {
        "name": data.name,
        "kind": data.kind,
        "classes": list(data.classes),
        "samples": {name: len(split) for name, split in data.splits.items()},
        "mean": list(data.mean),
        "std": list(data.std),
        "vocabulary": data.vocabulary,
        "report": data.report,
    }


def _classifier(data: DataSet, encoder: Mapping[str, Any], options: TrainOptions) -> dict[str, Any]:
    """What a prediction has to know beside `model.json`."""
    return {
        "encoder": dict(encoder),
        "kind": data.kind,
        "mean": list(data.mean),
        "std": list(data.std),
        "padding": data.padding,
        "vocabulary": data.vocabulary,
        "maximum_length": options.maximum_length,
        "cut": options.cut,
    }


def _costs(kept: Path, seconds: float, continued: bool) -> dict[str, Any]:
    """Time and memory of this process, and the speed of each seed's training."""
    from zenn.classification.steps.train import MEASURED

    return {
        "wall_s": seconds,
        "peak_memory_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "continued": continued,
        **(read_json(kept / MEASURED) if (kept / MEASURED).is_file() else {}),
    }


def _write_run(
    folder: Path,
    files: Sequence[Path],
    options: TrainOptions,
    parameters: Mapping[str, Any],
    **more: Any,
) -> None:
    """Write `run.json`."""
    given = {
        name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()
    }
    write_metadata(
        folder,
        "train",
        files,
        {"options": given, **parameters},
        subject="classify",
        units=UNITS,
        libraries=LIBRARIES,
        **more,
    )
    (folder / METADATA).rename(folder / RUN)
