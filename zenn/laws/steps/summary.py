"""Every metric of several trainings: mean, 95 % interval, extremes; and the controls.

Inputs: `train-SEED` and `axioms-SEED` for every seed, folders of those steps; `control-NAME`, folders of
`train` with a control. No parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.files import read_json, write_json
from zenn.given import Given

LEVEL = 0.95
_CONTROLS = ("test_loss", "test_accuracy", "test_process_accuracy", "test_pairs")


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `summary.csv`, `controls.csv` and `metrics.json` (means over seeds, and controls)."""
    params.refuse_unused()
    seeds = _named(inputs, "train-")
    if not seeds or seeds != _named(inputs, "axioms-"):
        raise InputError("argument --input", "", sorted(inputs), "train-SEED and axioms-SEED for every seed")
    values: dict[str, list[float]] = {}
    for seed in seeds:
        found = _metrics(inputs[f"train-{seed}"]) | _metrics(inputs[f"axioms-{seed}"])
        if values and set(found) != set(values):
            unlike = sorted(set(found) ^ set(values))
            raise InputError(inputs[f"axioms-{seed}"], "", f"other metrics: {unlike}", "those of other seeds")
        for name, value in found.items():
            values.setdefault(name, []).append(value)
    names = sorted(values)
    spread = {name: interval(values[name]) for name in names}
    columns: dict[str, Sequence[str] | Sequence[float]] = {
        "metric": names,
        "seeds": [len(seeds)] * len(names),
        "mean": [float(np.mean(values[name])) for name in names],
        "low": [spread[name][0] for name in names],
        "high": [spread[name][1] for name in names],
        "minimum": [min(values[name]) for name in names],
        "maximum": [max(values[name]) for name in names],
    }
    write_columns(out / "summary.csv", columns)
    controls = _named(inputs, "control-")
    each = {name: _metrics(inputs[f"control-{name}"]) for name in controls}
    rows: dict[str, list[float]] = {key: [each[name][key] for name in controls] for key in _CONTROLS}
    write_columns(out / "controls.csv", {"control": controls, **rows})
    means = {name: float(np.mean(values[name])) for name in names}
    for name in controls:
        means |= {f"control_{name}_{key}": each[name][key] for key in _CONTROLS}
    write_json(out / "metrics.json", means | {"seeds": len(seeds)})


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95 % interval of the mean; NaN for a single value."""
    if len(values) < 2:
        return math.nan, math.nan
    mean = float(np.mean(values))
    half = float(student.ppf((1 + LEVEL) / 2, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return mean - half, mean + half


def _named(roles: Iterable[str], prefix: str) -> list[str]:
    return sorted(role.removeprefix(prefix) for role in roles if role.startswith(prefix))


def _metrics(folder: Path) -> dict[str, float]:
    path = folder / "metrics.json"
    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(path, "", error, "metrics that a step wrote") from None
    if not isinstance(found, dict) or not all(type(value) in (int, float) for value in found.values()):
        raise InputError(path, "", "other things than numbers", "a mapping of names to numbers")
    return found
