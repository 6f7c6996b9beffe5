"""What `zenn classify` says of its results on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zenn.commands.summary import show_folder

if TYPE_CHECKING:
    from zenn.classification.data import DataSet
    from zenn.classification.evaluation import Assessment
    from zenn.classification.predictions import Predictions

__all__ = ["show_data", "show_evaluation", "show_folder", "show_run"]

NAMES = {
    "marginal": "marginal (the prediction)",
    "map_temperature": "MAP temperature",
    "first_temperature": "T_1 only",
    "oracle": "oracle (uses test labels)",
}
COLUMNS = {
    "error": "error",
    "nll": "NLL",
    "brier": "Brier",
    "ece": "ECE",
    "scaled_nll": "NLL*",
    "scaled_brier": "Brier*",
    "scaled_ece": "ECE*",
}


def show_data(data: DataSet) -> None:
    """Sizes of the splits, and what was found in them."""
    sizes = ", ".join(f"{len(split)} {name}" for name, split in data.splits.items())
    print(f"{len(data.classes)} classes of {data.kind}: {sizes}")
    duplicates = data.report["duplicates"]
    removed = sum(value for name, value in duplicates.items() if name.startswith("removed"))
    if removed:
        print(f"{removed} training samples removed that equal one of validation or test")
    cut = sum(data.report.get("truncated_texts", {}).values())
    if cut:
        print(f"{cut} texts cut at {data.report['maximum_length']} tokens")


def show_run(folder: Path, permutations: int) -> None:
    """The table of a run's own test samples."""
    from zenn.classification.predictions import load_predictions

    show_evaluation(load_predictions(folder), permutations)


def show_evaluation(predictions: Predictions, permutations: int) -> None:
    """A row for each protocol, means over seeds; and what the columns are."""
    from zenn.classification.evaluation import assess

    found = assess("run", predictions, permutations)
    labels = predictions.truth["test"].labels
    seeds = len(predictions.outputs)
    print(f"{len(labels)} test samples, {seeds} seed{'s: means' if seeds > 1 else ''}")
    print(f"{'':<27}" + "".join(f"{name:>9}" for name in (*COLUMNS.values(), "permuted")))
    for protocol, name in NAMES.items():
        several = [one for one in found if one.protocol == protocol]
        numbers = [_mean([one.test[metric] for one in several]) for metric in COLUMNS]
        numbers.append(_mean([one.permuted_error for one in several]))
        print(f"{name:<27}" + "".join(f"{number:>9.4f}" for number in numbers))
    print("* after temperature scaling fitted on validation samples")
    print(f"permuted: error on test labels in random order, mean of {permutations} orders")
    print(_leak(predictions, found))


def _leak(predictions: Predictions, found: Sequence[Assessment]) -> str:
    """What the canary shows."""
    of = {
        name: _mean([one.permuted_error for one in found if one.protocol == name])
        for name in ("marginal", "oracle")
    }
    if of["oracle"] < of["marginal"]:
        gap = of["marginal"] - of["oracle"]
        return f"On those the oracle errs by {gap:.4f} less than the prediction: it has seen them"
    outputs = next(iter(predictions.outputs.values()))["test"]
    if outputs.entropies is None or len(outputs.temperatures) == 1:
        return "With S = 0 or one temperature the oracle has nothing to choose, and errs as without labels"
    return "On those the oracle errs no less than the prediction: its temperatures agree"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
