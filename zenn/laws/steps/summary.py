"""Put the metrics of several seeds together: mean, range, and the interval of the mean.

Inputs: for every seed of every run the folders that `train` and, where there is one, `axioms` wrote, under
any name. Parameters: `runs`, a mapping of the name of a run to its seeds, each a mapping of `seed` and
`inputs`, the names of its folders.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student

from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.files import read_json
from zenn.given import Given

METRICS = "metrics.json"
LEVEL = 0.95


class Spread(NamedTuple):
    """Of a metric over seeds; low and high are the interval of the mean, by Student's t."""

    seeds: int
    mean: float
    lowest: float
    highest: float
    low: float
    high: float


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `values.csv` (run, seed, metric, value) and `metrics.csv` (run, metric, their `Spread`)."""
    runs = params.group("runs")
    values: list[tuple[str, int, str, float]] = []
    for name in runs.values:
        seeds = runs.group(name)
        for label in seeds.values:
            of_seed = seeds.group(label)
            number = of_seed.integer("seed")
            found = _metrics([inputs[role] for role in of_seed.texts("inputs")])
            values += [(name, number, metric, value) for metric, value in found.items()]
    columns = zip(*values, strict=True) if values else ((), (), (), ())
    write_columns(
        out / "values.csv", dict(zip(("run", "seed", "metric", "value"), map(list, columns), strict=True))
    )
    several: dict[tuple[str, str], list[float]] = {}
    for name, _, metric, value in values:
        several.setdefault((name, metric), []).append(value)
    spreads = {key: spread(of) for key, of in several.items()}
    table: dict[str, list[Any]] = {
        "run": [name for name, _ in spreads],
        "metric": [metric for _, metric in spreads],
    }
    table |= {field: [getattr(one, field) for one in spreads.values()] for field in Spread._fields}
    write_columns(out / "metrics.csv", table)


def spread(values: Sequence[float]) -> Spread:
    """Mean, range and 95 % interval of the mean; one value has no interval (nan).

    >>> spread([1.0, 2.0, 3.0])[:4]
    (3, 2.0, 1.0, 3.0)
    """
    several = np.asarray(values, dtype=float)
    number, mean = len(several), float(several.mean())
    half = math.nan
    if number > 1:
        half = float(student.ppf((1 + LEVEL) / 2, number - 1) * several.std(ddof=1) / math.sqrt(number))
    return Spread(number, mean, float(several.min()), float(several.max()), mean - half, mean + half)


def _metrics(folders: Sequence[Path]) -> dict[str, float]:
    """Name -> number of the folders' metrics together."""
    found: dict[str, float] = {}
    for folder in folders:
        path = folder / METRICS
        try:
            said = read_json(path)
            pairs = {str(name): float(value) for name, value in said.items()}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise InputError(path, "", error, "names with a number each") from None
        twice = sorted(set(pairs) & set(found))
        if twice:
            raise InputError(path, twice[0], "a metric that another folder of this seed has", "each once")
        found |= pairs
    return found
