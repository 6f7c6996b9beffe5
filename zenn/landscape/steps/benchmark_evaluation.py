"""Compare fits of the one-dimensional benchmark with the exact landscape.

Inputs: the folder of a fit for every name in `models`. Parameters: `models`; `evaluation` with x_window and
temperature_window (where errors are taken), crossing_temperatures, zero_line_x, profile_temperatures and
profile_points (the curves), branch_temperatures (how many, of the bifurcation diagram), traced (the models
of that diagram), boltzmann_constant.
Curves are those of the seed with the median loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zenn.csv_table import write_columns
from zenn.given import Given
from zenn.landscape.assessment import benchmark_errors, exact_crossings
from zenn.landscape.branches import Curve, stationary_branches, zero_curvature_lines
from zenn.landscape.landscapes import bifurcation_energy
from zenn.landscape.steps._fits import Fits, Rows, read_fits
from zenn.landscape.surface import ExactBifurcation, Surface

EXACT = "exact"


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `metrics.csv`, `profiles.csv`, `branches.csv`, `zero_lines.csv`, `surface.csv`."""
    torch.set_num_threads(1)
    fits = read_fits(params, inputs)
    given = params.group("evaluation")
    kB = given.number("boltzmann_constant")
    windows = given.pair("x_window"), given.pair("temperature_window")
    crossings, zero_line_x = given.numbers("crossing_temperatures"), given.numbers("zero_line_x")
    metrics = Rows()
    for name, of in fits.items():
        for seed in of.seeds:
            found = asdict(benchmark_errors(of.surface(seed), *windows, crossings, zero_line_x, kB))
            counts = dict(zip(crossings, found.pop("crossings"), strict=True))
            metrics.add(
                model=name,
                **of.described(seed),
                **found,
                **{f"crossings_at_{T:g}": count for T, count in counts.items()},
                right_crossings=sum(n == exact_crossings(T, windows[0]) for T, n in counts.items()),
            )
    write_columns(out / "metrics.csv", metrics.columns)

    x = np.linspace(*windows[0], given.integer("profile_points"))
    T = np.array(given.numbers("profile_temperatures"))
    lines = np.linspace(*windows[1], given.integer("branch_temperatures"))
    traced = given.texts("traced")
    profiles = Rows()
    branches = Rows("model", "branch", "x", "temperature", "stable")
    zero_lines = Rows("model", "line", "x", "temperature")
    for name, surface in _surfaces(fits, kB).items():
        for t in T:
            F, slope, curvature = surface.derivatives(x, t, 2)
            F = F - F.mean() + bifurcation_energy(x, t, kB).mean()  # a constant per temperature is free
            profiles.add_many(
                model=name, temperature=t, x=x, F_over_kT=F / (kB * t), F_x=slope, F_xx=curvature
            )
        if name not in (EXACT, *traced):
            continue
        for i, curve in enumerate(stationary_branches(surface, lines, windows[0])):
            branches.add_many(model=name, branch=i, **_points(curve), stable=curve.stable.astype(int))
        for i, curve in enumerate(zero_curvature_lines(surface, lines, windows[0])):
            zero_lines.add_many(model=name, line=i, **_points(curve))
    write_columns(out / "profiles.csv", profiles.columns)
    write_columns(out / "branches.csv", branches.columns)
    write_columns(out / "zero_lines.csv", zero_lines.columns)

    grid = np.linspace(*windows[1], 41)[:, None], np.linspace(*windows[0], 61)[None]
    at = [axis.ravel() for axis in np.broadcast_arrays(*grid)]
    columns = {
        "temperature": at[0],
        "x": at[1],
        "F_over_kT": bifurcation_energy(at[1], at[0], kB) / (kB * at[0]),
    }
    write_columns(out / "surface.csv", columns)


def _surfaces(fits: Mapping[str, Fits], boltzmann_constant: float) -> dict[str, Surface]:
    """The exact surface, and each model's of the seed with the median loss."""
    return {
        EXACT: ExactBifurcation(boltzmann_constant),
        **{name: of.surface(of.median_seed) for name, of in fits.items()},
    }


def _points(curve: Curve) -> dict[str, Any]:
    return {"x": curve.x, "temperature": curve.temperatures}
