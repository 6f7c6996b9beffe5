"""`zenn classify evaluate --control`: a run beside others on the same samples, from the same seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands.classify_summary import COLUMNS
from zenn.commands.classify_train import RUN
from zenn.commands.results import note
from zenn.errors import InputError
from zenn.files import read_json

if TYPE_CHECKING:
    from zenn.classification.predictions import Predictions

OPTION = "argument --control"
SPLIT = ("split_seed", "test_share", "validation_share")
"""Options of train that say which samples are test."""


def refuse_other_trainings(folder: Path, controls: Sequence[Path]) -> None:
    """Raise InputError where a control is the run itself, or had other data or another split."""
    if not controls:
        return
    places = [each.resolve() for each in (folder, *controls)]
    for number, (control, place) in enumerate(zip(controls, places[1:], strict=True), 1):
        if place in places[:number]:
            raise InputError(OPTION, "", f"{control} again", "other runs, each once")
    reference = _trained_on(folder)
    for control in controls:
        for name, value in _trained_on(control).items():
            if value != reference[name]:
                expected = f"{reference[name]}, as in {folder}"
                hint = "Differences are taken over the same samples: train both on the same data and split"
                raise InputError(OPTION, f"{control}, {name}", value, expected, hint)


def refuse_other_seeds(predictions: Mapping[str, Predictions]) -> None:
    """Raise InputError where a control has no seed of the run, the first, or was judged by other samples."""
    from zenn.classification.evaluation import refuse_other_samples

    refuse_other_samples(predictions, OPTION)
    (_, run), *controls = predictions.items()
    for name, control in controls:
        if not set(run.outputs) & set(control.outputs):
            expected = f"one of {_listed(run.outputs)}, as in the run"
            hint = "Pairs are trainings from the same seed"
            raise InputError(OPTION, f"{name}, seeds", _listed(control.outputs), expected, hint)


def show_comparison(predictions: Mapping[str, Predictions], permutations: int) -> None:
    """A table of paired differences for every control: the first run minus the control."""
    from zenn.classification.evaluation import HEADLINE, assess, comparisons

    (run, first), *others = predictions.items()
    controls = [name for name, _ in others]
    found = [one for name, each in predictions.items() for one in assess(name, each, permutations)]
    rows = [one for one in comparisons(found, [run], controls) if one.protocol == HEADLINE]
    for name, control in others:
        shared = sorted(set(first.outputs) & set(control.outputs))
        left = sorted(set(first.outputs) ^ set(control.outputs))
        pairs = "1 pair" if len(shared) == 1 else f"{len(shared)} pairs"
        print(f"{run} minus {name}, both marginal: {pairs}, seed {_listed(shared)}")
        print(f"{'':<9}{'run':>9}{'control':>9}{'difference':>12}{'95 % interval':>20}")
        for one in rows:
            if one.control == name and one.metric in COLUMNS:
                best = "  (best control)" if one.best and len(controls) > 1 else ""
                d = one.difference
                interval = f"{d.low:+.4f} to {d.high:+.4f}" if len(shared) > 1 else "-"
                means = f"{d.first:>9.4f}{d.second:>9.4f}{d.mean:>+12.4f}"
                print(f"{COLUMNS[one.metric]:<9}{means}{interval:>20}{best}")
        if left:
            note(f"seed {_listed(left)} is not in both, and is left out")
        if len(shared) == 1:
            note("an interval needs two seeds or more that both runs have")
    print(
        "below 0 the run is better; the best control is the one with the lowest mean on validation samples"
        if len(controls) > 1
        else "below 0 the run is better"
    )


def _trained_on(folder: Path) -> dict[str, Any]:
    """What has to be the same in runs that are compared."""
    path = folder / RUN
    try:
        said = read_json(path)
        options = said["parameters"]["options"]
        return {"data": said["data"]["sha256_of_files"], **{name: options[name] for name in SPLIT}}
    except FileNotFoundError:
        raise InputError(path, "", "no such file", "what zenn classify train wrote") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(path, "", f"{type(error).__name__}: {error}", "what train wrote") from None


def _listed(seeds: Any) -> str:
    return ", ".join(map(str, seeds))
