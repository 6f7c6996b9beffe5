"""`zenn landscape critical`: where a fitted landscape bifurcates, from the folder that `fit` wrote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zenn.commands import landscape_summary as summary
from zenn.commands.landscape_fit import LIBRARIES, UNITS
from zenn.commands.ranges import read_range
from zenn.commands.results import METADATA, check_out, note, progress, results_folder, write_metadata
from zenn.errors import InputError, NotFoundError
from zenn.files import read_json

if TYPE_CHECKING:
    import numpy as np

    from zenn.landscape import CriticalPoint, Curve, LandscapeModel, Surface, ZeroEigenvaluePoint
    from zenn.plots.user_landscapes import Labels

Window = tuple[float, float]

MOST = 10_000
"""Temperatures of a bifurcation diagram."""

SCANNED = 48
CERTAIN = 3.0
"""So many errors of the fit have to lie between the depths of two minima somewhere, to tell them apart."""


class Transition(NamedTuple):
    """T and the two x of equally deep minima, and how much more entropy the one at higher x has."""

    temperature: float
    low_x: float
    high_x: float
    entropy_change: float


@dataclass(frozen=True, eq=False)
class Found:
    """What there is in the windows; one coordinate fills everything, more of them Eq. 19 only.

    transition : where two minima are equally deep, or None. alike : they are so at every temperature, as far
    as the fit can tell.
    """

    windows: tuple[Window, ...]
    temperature_window: Window
    zero_eigenvalue: tuple[ZeroEigenvaluePoint, ...]
    critical_points: tuple[CriticalPoint, ...] = ()
    branches: tuple[Curve, ...] = ()
    zero_lines: tuple[Curve, ...] = ()
    transition: Transition | None = None
    alike: bool = False


def run_critical(
    folder: Path,
    out: Path,
    pressure: float,
    x_windows: Sequence[str] | None,
    temperature_window: str | None,
    temperatures: int,
) -> None:
    """`critical`.

    Raises
    ------
    InputError : the folder or an option cannot be used.
    NotFoundError : there is no bifurcation, or the fit has one temperature only.
    NotConvergedError : there may be one, but rounding or the fit leave it undecided.
    """
    check_out(out)
    if not 2 <= temperatures <= MOST:
        raise InputError("argument --temperatures", "", temperatures, f"an integer between 2 and {MOST}")
    if not math.isfinite(pressure):
        raise InputError("argument --pressure", "", pressure, "a finite number")
    if not folder.is_dir():
        raise InputError(folder, "", "no such folder", "what zenn landscape fit wrote")
    with progress("looking for bifurcations"):
        import torch

        from zenn.landscape.saved_model import FILES, load_model

        torch.set_num_threads(1)
        model = load_model(folder)
        windows, of_temperature = _windows(model, x_windows, temperature_window)
        if len(windows) > 1 and pressure:
            raise InputError("argument --pressure", "", pressure, f"0 with {len(windows)} coordinates")
        found = _find(model, windows, of_temperature, pressure, temperatures)
        with results_folder(out) as place:
            _write(place, model, found, pressure)
            if len(windows) == 1:
                _draw(place, _labels(folder))
            parameters = {
                "folder": str(folder),
                "pressure": pressure,
                "x_windows": found.windows,
                "temperature_window": found.temperature_window,
                "temperatures": temperatures,
            }
            files = [folder / name for name in FILES]
            write_metadata(
                place, "critical", files, parameters, subject="landscape", units=UNITS, libraries=LIBRARIES
            )
    summary.show_found(found, pressure)
    summary.show_folder(out)


def _windows(
    model: LandscapeModel, x_windows: Sequence[str] | None, temperature_window: str | None
) -> tuple[tuple[Window, ...], Window]:
    """Windows as given, or those of the data."""
    result = model.result
    T = of_table = float(result.temperatures[0]), float(result.temperatures[-1])
    if T[0] == T[1]:
        hint = "A bifurcation needs a fit to two temperatures or more"
        raise NotFoundError(f"no critical point at the one temperature {T[0]:g} of the table. {hint}")
    if temperature_window is not None:
        expected = "LOW:HIGH, two temperatures above 0, e.g. 100:300"
        T = read_range("--temperature-window", temperature_window, expected)
        if not T[0] > 0:
            raise InputError("argument --temperature-window", "", repr(temperature_window), expected)
    _note_beyond("--temperature-window", T, of_table)
    if x_windows is None:
        return result.domain, T
    if len(x_windows) != len(result.domain):
        found = f"{len(x_windows)} windows"
        raise InputError("argument --x-window", "", found, f"{len(result.domain)}, one for each coordinate")
    expected = "LOW:HIGH, two numbers, e.g. -1:1"
    windows = tuple(read_range("--x-window", text, expected) for text in x_windows)
    for window, domain in zip(windows, result.domain, strict=True):
        _note_beyond("--x-window", window, domain)
    return windows, T


def _note_beyond(option: str, window: Window, of_table: Window) -> None:
    """Say so where a window reaches beyond the table: nothing holds the networks there."""
    if window[0] < of_table[0] or window[1] > of_table[1]:
        low, high = of_table
        note(f"{option} reaches beyond the table, {low:g} to {high:g}: what is found there is extrapolated")


def _find(
    model: LandscapeModel, windows: tuple[Window, ...], T: Window, pressure: float, temperatures: int
) -> Found:
    """Everything that is looked for; no bifurcation is an error."""
    import numpy as np

    from zenn.landscape.branches import stationary_branches, zero_curvature_lines

    of_eq_19 = model.zero_eigenvalue_points(windows, T, pressure)
    if len(windows) > 1:
        if not of_eq_19:
            model.critical_point(windows, T)  # says so
        return Found(windows, T, of_eq_19)
    (window,) = windows
    points = model.critical_points(window, T)
    surface, grid = model.surface_at(pressure), np.linspace(*T, temperatures)
    transition, alike = _transition(model, surface, window, T)
    if not of_eq_19 and transition is None and not any(point.fourth > 0 for point in points):
        try:
            model.critical_point(window, T)
        except NotFoundError as error:
            also = f"no solution of Eq. 19 and no transition at P = {pressure:g}"
            raise NotFoundError(f"{error}; {also}. {_curvatures(model, window, T)}") from None
    if sum(point.fourth > 0 for point in points) > 1:
        note(
            "one minimum becomes two at several points: a fit that follows noise has many; see fit --hold-out"
        )
    return Found(
        windows,
        T,
        of_eq_19,
        points,
        stationary_branches(surface, grid, window),
        zero_curvature_lines(surface, grid, window),
        transition,
        alike,
    )


def _transition(
    model: LandscapeModel, surface: Surface, window: Window, T: Window
) -> tuple[Transition | None, bool]:
    """Where two minima change places; not where they differ by less than the fit's error everywhere."""
    import numpy as np

    from zenn.landscape.branches import equal_depth_temperature, stationary_points

    differences = [0.0]
    for points in stationary_points(surface, np.linspace(*T, SCANNED), window):
        depths = np.sort(points.free_energies[points.stable])
        differences += [float(depths[1] - depths[0])] if len(depths) > 1 else []
    if max(differences) < CERTAIN * float(model.result.errors.max()):
        return None, len(differences) > 1
    try:
        t, *x = equal_depth_temperature(surface, window, T)
    except NotFoundError:
        return None, False
    of_T = surface.temperature_derivatives(x, t, 0)[0]
    return Transition(t, x[0], x[1], float(of_T[0] - of_T[1])), False


def _curvatures(model: LandscapeModel, window: Window, T: Window) -> str:
    """What the sign of F_xx says where there is no bifurcation."""
    import numpy as np

    x, t = np.meshgrid(np.linspace(*window, 201), np.linspace(*T, 61))
    negative = model.derivative(x, t, 2) < 0
    if not negative.any():
        return "F_xx is above 0 everywhere: one minimum at all temperatures"
    if negative.any(axis=1).all():
        return "F_xx is below 0 somewhere at every temperature: a bifurcation may lie at others"
    x, t = x[negative], t[negative]
    where = f"T = {t.min():.4g} to {t.max():.4g}, x = {x.min():.4g} to {x.max():.4g}"
    return f"F_xx is below 0 at {where} only, up to an edge of the window"


def _write(folder: Path, model: LandscapeModel, found: Found, pressure: float) -> None:
    from zenn.csv_table import write_columns

    names = ("x",) if len(found.windows) == 1 else tuple(f"x{i + 1}" for i in range(len(found.windows)))
    points = found.zero_eigenvalue
    columns: dict[str, Any] = {"temperature": [point.temperature for point in points]}
    columns |= {name: [float(point.x[i]) for point in points] for i, name in enumerate(names)}
    columns |= {
        f"direction_{name}": [float(point.direction[i]) for point in points] for i, name in enumerate(names)
    }
    for name in ("slope", "eigenvalue", "residual", "rank"):
        columns[name] = [getattr(point, name) for point in points]
    columns["singular"] = [int(point.singular) for point in points]
    write_columns(folder / "zero_eigenvalue.csv", columns)
    if len(names) > 1:
        return
    critical = found.critical_points
    write_columns(
        folder / "critical_points.csv",
        {
            "temperature": [point.temperature for point in critical],
            "x": [point.x for point in critical],
            "slope": [point.slope for point in critical],
            "fourth_derivative": [point.fourth for point in critical],
            "bifurcation": [int(point.fourth > 0) for point in critical],
            "second_derivative_residual": [point.residuals[0] for point in critical],
            "third_derivative_residual": [point.residuals[1] for point in critical],
        },
    )
    _write_curves(folder, model, found)
    passed = [] if found.transition is None else [found.transition]
    write_columns(
        folder / "transition.csv",
        {name: [getattr(one, name) for one in passed] for name in Transition._fields},
    )


def _write_curves(folder: Path, model: LandscapeModel, found: Found) -> None:
    """Branches, where they change, and zero lines of the curvature with the slope along them."""
    import numpy as np

    from zenn.csv_table import write_columns

    def joined(curves: Sequence[Curve], name: str, lengths: Sequence[int]) -> dict[str, Any]:
        return {name: np.repeat(np.arange(1, len(curves) + 1), np.array(lengths, dtype=int))}

    def along(curves: Sequence[Curve], attribute: str) -> np.ndarray:
        return np.concatenate([np.empty(0), *(getattr(curve, attribute) for curve in curves)])

    branches, lines = found.branches, found.zero_lines
    write_columns(
        folder / "branches.csv",
        {
            **joined(branches, "branch", [len(curve.x) for curve in branches]),
            "temperature": along(branches, "temperatures"),
            "x": along(branches, "x"),
            "curvature": along(branches, "curvature"),
            "stable": along(branches, "stable").astype(int),
        },
    )
    changes = np.concatenate([np.empty((0, 2)), *(curve.changes for curve in branches)])
    write_columns(
        folder / "branch_changes.csv",
        {
            **joined(branches, "branch", [len(curve.changes) for curve in branches]),
            "temperature": changes[:, 1],
            "x": changes[:, 0],
        },
    )
    x, T = along(lines, "x"), along(lines, "temperatures")
    write_columns(
        folder / "zero_lines.csv",
        {
            **joined(lines, "line", [len(curve.x) for curve in lines]),
            "temperature": T,
            "x": x,
            "slope": model.derivative(x, T, 1) if len(x) else x,
            "curvature": along(lines, "curvature"),
        },
    )


def _draw(folder: Path, labels: Labels) -> None:
    import pandas as pd

    from zenn.plots import user_landscapes as plots
    from zenn.plots.style import save

    names = ("branches", "zero_lines", "critical_points")
    table = plots.bifurcation_table(*(pd.read_csv(folder / f"{name}.csv") for name in names))
    save(plots.bifurcation(table, labels), table, folder, "bifurcation")


def _labels(folder: Path) -> Labels:
    """The labels that `fit` was given; plain ones where its metadata are gone."""
    from zenn.plots.user_landscapes import Labels

    try:
        given = read_json(folder / METADATA)["parameters"]
        return Labels(*(str(given[name]) for name in ("x_name", "energy_unit", "temperature_unit")))
    except (OSError, ValueError, KeyError, TypeError):
        return Labels()
