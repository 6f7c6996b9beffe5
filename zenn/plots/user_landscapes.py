"""Figures of any landscape in one dimension, drawn from the tables that `zenn landscape` writes.

For each figure a function makes the one table it shows, and another draws it. Units are the user's: the
labels say what he called them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zenn.plots.style import BLACK, BLUE, GREY, VERMILION, in_style, new_figure, sequential_colours

MOST_CURVES = 8
"""Temperatures in one figure: more cannot be told apart."""


@dataclass(frozen=True)
class Labels:
    """What the axes are called: the coordinate, and the units of energy and temperature, empty if unknown."""

    x: str = "x"
    energy_unit: str = ""
    temperature_unit: str = ""

    def axis(self, symbol: str, unit: str) -> str:
        """A symbol with its unit; a dollar sign of the user's stays one."""
        return f"{symbol} ({_plain(unit)})" if unit else symbol

    @property
    def coordinate(self) -> str:
        """The label of x."""
        return _plain(self.x)

    @property
    def temperature(self) -> str:
        """The label of T."""
        return self.axis("temperature $T$", self.temperature_unit)


def profiles_table(fitted: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Points of the data and curves of the fit at up to `MOST_CURVES` temperatures, spread evenly."""
    temperatures = fitted["temperature"].unique()
    chosen = np.linspace(0, len(temperatures) - 1, min(MOST_CURVES, len(temperatures))).round().astype(int)
    points = fitted[["temperature", "x", "free_energy"]].assign(kind="data")
    lines = curves.rename(columns={"fitted_free_energy": "free_energy"}).assign(kind="fit")
    table = pd.concat([points, lines], ignore_index=True)
    shown = table["temperature"].isin(temperatures[chosen])
    return table.loc[shown, ["kind", "temperature", "x", "free_energy", "slope", "curvature"]]


@in_style
def free_energy(table: pd.DataFrame, labels: Labels) -> Figure:
    """F against x at several temperatures, data as points and the fit as lines."""
    figure = new_figure(height=3.4, width=4.8)
    (axis,) = figure.axes
    curves = list(table.groupby("temperature"))
    for (temperature, rows), colour in zip(curves, sequential_colours(len(curves)), strict=True):
        data, fit = rows[rows["kind"] == "data"], rows[rows["kind"] == "fit"]
        axis.plot(data["x"], data["free_energy"], "o", markersize=2.5, color=colour)
        label = f"{temperature:g} {_plain(labels.temperature_unit)}".strip()
        axis.plot(fit["x"], fit["free_energy"], color=colour, label=label)
    axis.set_xlabel(labels.coordinate)
    axis.set_ylabel(labels.axis("free energy $F$", labels.energy_unit))
    figure.legend(title="temperature", loc="outside right upper")
    return figure


@in_style
def curvature(table: pd.DataFrame, labels: Labels) -> Figure:
    """F_xx of the fit against x at several temperatures."""
    figure = new_figure(height=3.4, width=4.8)
    (axis,) = figure.axes
    curves = list(table[table["kind"] == "fit"].groupby("temperature"))
    for (temperature, rows), colour in zip(curves, sequential_colours(len(curves)), strict=True):
        label = f"{temperature:g} {_plain(labels.temperature_unit)}".strip()
        axis.plot(rows["x"], rows["curvature"], color=colour, label=label)
    axis.axhline(0.0, color=GREY, linewidth=0.8)
    axis.set_xlabel(labels.coordinate)
    unit = f"{labels.energy_unit} per square of x" if labels.energy_unit else ""
    axis.set_ylabel(labels.axis("curvature $F_{xx}$", unit))
    figure.legend(title="temperature", loc="outside right upper")
    return figure


def bifurcation_table(
    branches: pd.DataFrame, zero_lines: pd.DataFrame, critical_points: pd.DataFrame
) -> pd.DataFrame:
    """Branches cut into stable and unstable parts, zero lines of F_xx and critical points, in T and x."""
    found = []
    for number, branch in branches.groupby("branch"):
        part = (branch["stable"] != branch["stable"].shift()).cumsum()
        for i, rows in branch.groupby(part):
            kind = "stable" if rows["stable"].iloc[0] else "unstable"
            found.append(rows.assign(kind=kind, curve=f"branch {number}, part {i}"))
    for number, line in zero_lines.groupby("line"):
        found.append(line.assign(kind="zero line", curve=f"zero line {number}"))
    if len(critical_points):
        found.append(critical_points.assign(kind="critical point", curve="critical points"))
    columns = ["kind", "curve", "temperature", "x"]
    return pd.concat([table[columns] for table in found]) if found else pd.DataFrame(columns=columns)


@in_style
def bifurcation(table: pd.DataFrame, labels: Labels) -> Figure:
    """Stationary points against temperature: minima, maxima, where F_xx = 0, critical points."""
    looks: dict[str, tuple[dict[str, Any], str]] = {
        "stable": ({"color": BLUE}, "minimum"),
        "unstable": ({"color": BLUE, "linestyle": "--"}, "maximum"),
        "zero line": ({"color": BLACK, "linestyle": ":"}, "$F_{xx} = 0$"),
        "critical point": (
            {"color": VERMILION, "linestyle": "none", "marker": "o", "zorder": 5},
            "$F_{xx} = F_{xxx} = 0$",
        ),
    }
    figure = new_figure(height=3.4, width=4.8)
    (axis,) = figure.axes
    labelled: set[str] = set()
    for (kind, _), rows in table.groupby(["kind", "curve"], sort=False):
        look, label = looks[str(kind)]
        axis.plot(rows["temperature"], rows["x"], label="_" if label in labelled else label, **look)
        labelled.add(label)
    axis.set_xlabel(labels.temperature)
    axis.set_ylabel(labels.coordinate)
    figure.legend(loc="outside right upper")
    return figure


def _plain(text: str) -> str:
    return text.replace("$", r"\$")
