"""Judge trained runs under every protocol, with canaries, and compare them with controls.

Inputs: for each name in `runs` and `controls` a folder that `train` wrote, all on the same data, or one for
each of some seeds: `name.1`, `name.2`, ... Parameters:
`runs`, those that are judged; `controls`, those they are compared with, without labels; `ensemble_of`, a
control whose seeds, two by two, make the control `ensemble` (empty: none); `permutations` of the test labels.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zenn.classification.evaluation import (
    METRICS,
    QUANTILES,
    Assessment,
    Comparison,
    Spread,
    assess,
    assess_ensemble,
    comparisons,
    refuse_other_samples,
    spreads,
)
from zenn.classification.predictions import Predictions, load_predictions
from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.given import Given

ENSEMBLE = "ensemble"
_TEMPERATURE = "temperature_"


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `metrics.csv`, `posteriors.csv`, `paired.csv`, `temperatures.csv`, and what the trainings left as
    `history.csv` and `temperature_history.csv`.

    `metrics.csv` has a row per run, seed and protocol; `paired.csv` one per run, protocol, metric and
    control, with the 95 % interval of the mean difference over seeds. Where `uses_test_labels` is true, the
    numbers are not those of a prediction.
    """
    runs, controls = params.texts("runs"), params.texts("controls")
    ensemble_of, permutations = params.text("ensemble_of"), params.integer("permutations")
    names = list(dict.fromkeys((*runs, *controls)))
    _check(runs, names, controls, ensemble_of, permutations)
    folders = {name: _folders(name, inputs) for name in names}
    predictions = {name: _merged(name, of) for name, of in folders.items()}
    refuse_other_samples(predictions)
    found = [one for name in names for one in assess(name, predictions[name], permutations)]
    if ensemble_of:
        found += assess_ensemble(ENSEMBLE, predictions[ensemble_of], permutations)
        controls = (*controls, ENSEMBLE)
    _write(out / "metrics.csv", [_metrics_row(one) for one in found])
    _write(out / "paired.csv", [_paired_row(one) for one in comparisons(found, runs, controls)])
    spread = [one for name in names for one in spreads(name, predictions[name])]
    _write(out / "posteriors.csv", [_spread_row(one) for one in spread])
    _write(
        out / "temperatures.csv",
        [row for name in names for row in _temperature_rows(name, predictions[name], spread)],
    )
    histories, temperatures = [], []
    for name, of in folders.items():
        for folder in of:
            for row in _history(folder / "history.csv"):
                at = {"run": name, **{key: row[key] for key in ("seed", "epoch", "step")}}
                learned = {key: row.pop(key) for key in [*row] if key.startswith(_TEMPERATURE)}
                histories.append({**at, **row})
                for key, value in learned.items():
                    number = key.removeprefix(_TEMPERATURE)
                    temperatures.append({**at, "temperature": number, "value": value})
    _write(out / "history.csv", histories)
    _write(out / "temperature_history.csv", temperatures)


def _folders(name: str, inputs: Mapping[str, Path]) -> list[Path]:
    """The folders of a run: one, or one for each of some seeds."""
    if name in inputs:
        return [inputs[name]]
    roles = [role for role in inputs if role.rpartition(".")[0] == name]
    found = [inputs[role] for role in sorted(roles, key=lambda role: (len(role), role))]  # as numbers
    if not found:
        raise InputError(f"input {name}", "", "none", "a folder that `train` wrote")
    return found


def _merged(name: str, folders: Sequence[Path]) -> Predictions:
    """The seeds of all folders of a run."""
    several = {str(folder): load_predictions(folder) for folder in folders}
    refuse_other_samples(several)
    first, *others = several.values()
    outputs = dict(first.outputs)
    for one in others:
        again = sorted(set(one.outputs) & set(outputs))
        if again:
            raise InputError(f"input {name}", "", f"seed {again[0]} again", "each seed once")
        if one.notes != first.notes:
            raise InputError(f"input {name}", "", "trainings of other settings", "seeds of one run")
        outputs |= one.outputs
    return replace(first, outputs=dict(sorted(outputs.items())))


def _history(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _check(
    runs: Sequence[str],
    names: Sequence[str],
    controls: Sequence[str],
    ensemble_of: str,
    permutations: int,
) -> None:
    if not runs:
        raise InputError("parameters", "runs", "no run", "one or more")
    if ENSEMBLE in names:
        raise InputError("parameters", "runs", repr(ENSEMBLE), "another name: that of the ensemble control")
    if ensemble_of and ensemble_of not in controls:
        raise InputError("parameters", "ensemble_of", repr(ensemble_of), f"one of {list(controls)}, or empty")
    if permutations < 1:
        raise InputError("parameters", "permutations", permutations, "1 or more")


def _metrics_row(one: Assessment) -> dict[str, Any]:
    return {
        "run": one.run,
        "seed": one.seed,
        "protocol": one.protocol,
        "uses_test_labels": _truth(one.uses_test_labels),
        "members": " ".join(map(str, one.members)),
        **{name: one.test[name] for name in METRICS},
        "scaling": one.scaling,
        "permuted_labels_error": one.permuted_error,
        "source_information": one.source_information,
        **{f"validation_{name}": one.validation[name] for name in METRICS},
    }


def _paired_row(one: Comparison) -> dict[str, Any]:
    difference = one.difference
    return {
        "run": one.run,
        "protocol": one.protocol,
        "uses_test_labels": _truth(one.protocol == "oracle"),
        "metric": one.metric,
        "control": one.control,
        "control_protocol": one.control_protocol,
        "best_control": _truth(one.best),
        "pairs": difference.pairs,
        "mean": difference.first,
        "control_mean": difference.second,
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "relative_difference": one.relative,
    }


def _spread_row(one: Spread) -> dict[str, Any]:
    return {
        "run": one.run,
        "seed": one.seed,
        "posterior": one.posterior,
        "uses_test_labels": _truth(one.posterior == "oracle"),
        "source": one.source,
        "temperature": one.temperature,
        "samples": one.samples,
        "mean": one.mean,
        "map_frequency": one.map_frequency,
        **{f"quantile_{q:03d}": value for q, value in zip(QUANTILES, one.quantiles, strict=True)},
    }


def _temperature_rows(name: str, predictions: Predictions, spread: Sequence[Spread]) -> list[dict[str, Any]]:
    frequencies = {
        (one.seed, one.posterior, one.temperature): one.map_frequency
        for one in spread
        if one.run == name and one.source == "all"
    }
    rows = []
    for seed, outputs in predictions.outputs.items():
        T, log_prior = outputs["test"].temperatures, outputs["test"].log_prior
        for i, initial in enumerate(predictions.notes["initial_temperatures"], 1):
            rows.append(
                {
                    "run": name,
                    "seed": seed,
                    "temperature": i,
                    "initial": float(initial),
                    "final": float(T[i - 1]),
                    "prior": math.exp(log_prior[i - 1]),
                    "map_frequency": frequencies[seed, "label_free", i],
                    "map_frequency_uses_test_labels": frequencies[seed, "oracle", i],
                }
            )
    return rows


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table of one row or more."""
    write_columns(path, {name: [row[name] for row in rows] for name in rows[0]})


def _truth(value: bool) -> str:
    return "true" if value else "false"
