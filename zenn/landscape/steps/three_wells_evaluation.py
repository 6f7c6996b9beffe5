"""Compare fits of the two-dimensional benchmark with the exact density, on a grid finer than their points.

Inputs: the folder of a fit for every name in `models`. Parameters: `models`; `evaluation` with, for every
model, its family, training_points (per coordinate) and configurations (0 for other networks), the family
`reference` that the others are compared with, and prediction_points (per coordinate).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.given import Given
from zenn.landscape.assessment import density, paired_difference, prediction_grid, three_wells_density
from zenn.landscape.steps._fits import Fits, Rows, read_fits

Array = NDArray[np.float64]


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `metrics.csv`, a row per model and seed, and `paired.csv`, a row per other model and size."""
    torch.set_num_threads(1)
    fits = read_fits(params, inputs)
    given = params.group("evaluation")
    families, sizes = given.texts("families"), given.integers("training_points")
    configurations = given.integers("configurations")
    if not len(families) == len(sizes) == len(configurations) == len(fits):
        found = f"{len(families)}, {len(sizes)} and {len(configurations)} entries"
        raise InputError("parameters", "evaluation", found, f"one for each of the {len(fits)} models")
    grid = prediction_grid(given.integer("prediction_points"))
    exact = three_wells_density(grid[:, 0], grid[:, 1])
    metrics, largest = Rows(), {}
    for of, family, size, number in zip(fits.values(), families, sizes, configurations, strict=True):
        errors = {seed: density(of.surface(seed), grid) - exact for seed in of.seeds}
        largest[family, size, number] = np.array([np.abs(off).max() for off in errors.values()])
        for seed, off in errors.items():
            metrics.add(
                model=family,
                training_points=size,
                configurations=number,
                **of.described(seed),
                largest_p_error=float(np.abs(off).max()),
                rms_p_error=float(np.sqrt(np.mean(off**2))),
            )
    write_columns(out / "metrics.csv", metrics.columns)
    write_columns(out / "paired.csv", _paired(fits, largest, given).columns)


def _paired(fits: Mapping[str, Fits], largest: Mapping[tuple[str, int, int], Array], given: Given) -> Rows:
    """log10 of each model's largest error over the reference's at the same size, seed by seed."""
    reference, configurations = given.text("reference"), given.integer("reference_configurations")
    ratios = [f"log10_ratio_{name}" for name in ("mean", "low", "high")]
    rows = Rows("model", "training_points", "seeds", *ratios)
    for (family, size, _), errors in largest.items():
        ours = largest.get((reference, size, configurations))
        if family == reference or ours is None:
            continue
        found = paired_difference(errors, ours)
        named = {f"log10_ratio_{name}": value for name, value in asdict(found).items()}
        rows.add(model=family, training_points=size, seeds=len(errors), **named)
    return rows
