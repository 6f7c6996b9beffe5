"""Figures of any material, drawn from the tables that `zenn materials` writes.

For each figure a function makes the one table it shows, empty where there is nothing to show, and another
draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zenn.plots.arrange import branches
from zenn.plots.phase_diagram import draw_isobars
from zenn.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    in_style,
    new_figure,
    sequential_colours,
)

VOLUME = "volume_A3_per_atom"
TEMPERATURE = "temperature_K"
PRESSURE = "pressure_GPa"
LABELS = {
    VOLUME: "volume $V$ (Å$^3$/atom)",
    TEMPERATURE: "temperature $T$ (K)",
    PRESSURE: "pressure $P$ (GPa)",
    "helmholtz_eV_per_atom": "Helmholtz energy $F$ (eV/atom)",
    "energy_eV_per_atom": "energy $E$ (eV/atom)",
    "thermal_expansion_per_K": r"thermal expansion $\alpha_V$ (K$^{-1}$)",
    "isobaric_heat_capacity_eV_per_K_per_atom": "heat capacity $C_P$ (eV K$^{-1}$/atom)",
    "bulk_modulus_GPa": "bulk modulus $B_T$ (GPa)",
    "probability": "probability",
}
MOST_CURVES = 8
"""Of isotherms or configurations in one figure: more cannot be told apart."""

LEAST_PROBABILITY = 0.01
"""A configuration that never reaches it is not drawn."""

OTHERS = "all others"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
STYLES = ("-", "--", "-.", ":")
LINE: dict[str, dict[str, Any]] = {
    "isobar": {"linestyle": "-"},
    "binodal": {"linestyle": "-", "color": BLACK},
    "spinodal": {"linestyle": "--", "color": BLACK},
    "crossover": {"linestyle": ":", "color": GREY},
    "critical point": {"linestyle": "none", "marker": "o", "color": VERMILION, "zorder": 5},
}


def isotherms_table(properties: pd.DataFrame) -> pd.DataFrame:
    """F and P against V at up to `MOST_CURVES` of the temperatures, spread evenly."""
    temperatures = properties[TEMPERATURE].unique()
    chosen = np.linspace(0, len(temperatures) - 1, min(MOST_CURVES, len(temperatures))).round().astype(int)
    rows = properties[properties[TEMPERATURE].isin(temperatures[chosen])]
    return rows[[TEMPERATURE, VOLUME, "helmholtz_eV_per_atom", PRESSURE]]


@in_style
def isotherms(table: pd.DataFrame, column: str) -> Figure:
    """A column of `isotherms_table` against the volume, one curve per temperature."""
    figure, axis = _one_panel(VOLUME, column)
    curves = list(table.groupby(TEMPERATURE))
    for (temperature, curve), colour in zip(curves, sequential_colours(len(curves)), strict=True):
        axis.plot(curve[VOLUME], curve[column], color=colour, label=f"{temperature:g} K")
    figure.legend(title="temperature", loc="outside right upper")
    return figure


def energy_volume_table(points: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Points and fitted curves of every configuration, one below the other."""
    fitted = curves.rename(columns={"fitted_energy_eV_per_atom": "energy_eV_per_atom"})
    columns = ["kind", "configuration", VOLUME, "energy_eV_per_atom"]
    return pd.concat([points.assign(kind="point"), fitted.assign(kind="fit")])[columns]


@in_style
def energy_volume(table: pd.DataFrame) -> Figure:
    """The points and the fit of every configuration."""
    figure, axis = _one_panel(VOLUME, "energy_eV_per_atom", height=3.6)
    names = list(table["configuration"].unique())
    for name, colour in zip(names, sequential_colours(len(names)), strict=True):
        rows = table[table["configuration"] == name]
        points, fit = rows[rows["kind"] == "point"], rows[rows["kind"] == "fit"]
        axis.plot(points[VOLUME], points["energy_eV_per_atom"], "o", markersize=3, color=colour)
        axis.plot(fit[VOLUME], fit["energy_eV_per_atom"], color=colour, label=str(name))
    figure.legend(title="configuration", loc="outside right upper", ncols=1 + (len(names) - 1) // 18)
    return figure


def volume_temperature_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Isobars, both sides of binodals and spinodals, crossover and critical points in T and V."""
    isobars = tables["isobars"]
    isobars = isobars.assign(curve=[f"{pressure:g} GPa" for pressure in isobars[PRESSURE]])
    sides = {"smaller_volume_A3_per_atom": VOLUME, "larger_volume_A3_per_atom": VOLUME}
    return _joined(tables, isobars.assign(kind="isobar"), sides, VOLUME)


def pressure_temperature_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Binodals, spinodals, crossover and critical points in T and P; empty without any of them."""
    sides = {"pressure_at_smaller_GPa": PRESSURE, "pressure_at_larger_GPa": PRESSURE}
    return _joined(tables, None, sides, PRESSURE)


@in_style
def phase_lines(table: pd.DataFrame, column: str) -> Figure:
    """A table of lines, their volume or pressure against the temperature."""
    figure, axis = _one_panel(TEMPERATURE, column, height=3.4)
    isobars = table.loc[table["kind"] == "isobar", "curve"].unique()
    colour_of = dict(zip(isobars, sequential_colours(len(isobars)), strict=True))
    labelled: set[str] = set()
    for (kind, curve), rows in table.groupby(["kind", "curve"], sort=False):
        look: dict[str, Any] = dict(LINE[str(kind)])
        if curve in colour_of:
            look["color"] = colour_of[curve]
        label = str(curve) if kind == "isobar" else _spoken(str(kind))
        shown = "_" if label in labelled else label
        if kind == "isobar":
            draw_isobars(axis, branches(rows, "curve"), TEMPERATURE, column, label=shown, **look)
        else:
            axis.plot(rows[TEMPERATURE], rows[column], label=shown, **look)
        labelled.add(label)
    figure.legend(loc="outside right upper")
    return figure


def along_isobars_table(properties: pd.DataFrame) -> pd.DataFrame:
    """Volume, thermal expansion, heat capacity and bulk modulus along the isobars."""
    columns = ("thermal_expansion_per_K", "isobaric_heat_capacity_eV_per_K_per_atom", "bulk_modulus_GPa")
    return properties[["isobar_GPa", TEMPERATURE, VOLUME, *columns]]


@in_style
def along_isobars(table: pd.DataFrame, column: str) -> Figure:
    """A property against the temperature, one curve per pressure."""
    figure, axis = _one_panel(TEMPERATURE, column)
    curves = list(table.groupby("isobar_GPa"))
    for (pressure, curve), colour in zip(curves, sequential_colours(len(curves)), strict=True):
        draw_isobars(
            axis, branches(curve, "isobar_GPa"), TEMPERATURE, column, color=colour, label=f"{pressure:g} GPa"
        )
    if column == "thermal_expansion_per_K":
        axis.axhline(0.0, color=GREY, linewidth=0.8)
    figure.legend(title="pressure", loc="outside right upper")
    return figure


def probabilities_table(configurations: pd.DataFrame, pressure: float) -> pd.DataFrame:
    """Probabilities along one isobar of the likeliest configurations; all others together as `OTHERS`."""
    rows = configurations[configurations["isobar_GPa"] == pressure].reset_index(drop=True)
    largest = rows.groupby("configuration")["probability"].max().sort_values(ascending=False)
    shown = list(largest[largest >= LEAST_PROBABILITY].index[:MOST_CURVES])
    columns = ["configuration", TEMPERATURE, "probability"]
    kept = rows.loc[rows["configuration"].isin(shown), columns]
    order = kept["configuration"].map(shown.index)
    kept = kept.iloc[np.argsort(order.to_numpy(), kind="stable")]
    rest = rows[~rows["configuration"].isin(shown)]
    if rest["probability"].max() >= LEAST_PROBABILITY / 10:
        # A transition's temperature stands twice: states are told apart by their number too.
        state = rest.groupby("configuration").cumcount()
        summed = rest.groupby(state).agg({TEMPERATURE: "first", "probability": "sum"})
        kept = pd.concat([kept, summed.assign(configuration=OTHERS)[columns]])
    return kept


@in_style
def probabilities(table: pd.DataFrame) -> Figure:
    """`probabilities_table`: one curve per configuration."""
    figure, axis = _one_panel(TEMPERATURE, "probability")
    looks = cycle((colour, style) for style in STYLES for colour in COLOURS)
    for (name, curve), (colour, style) in zip(
        table.groupby("configuration", sort=False), looks, strict=False
    ):
        if name == OTHERS:
            colour, style = GREY, ":"
        axis.plot(curve[TEMPERATURE], curve["probability"], style, color=colour, label=str(name))
    axis.set_ylim(-0.02, 1.02)
    figure.legend(title="configuration", loc="outside right upper")
    return figure


def _one_panel(x: str, y: str, height: float = 3.0) -> tuple[Figure, Axes]:
    figure = new_figure(height=height, width=4.8)
    (axis,) = figure.axes
    axis.set_xlabel(LABELS[x])
    axis.set_ylabel(LABELS[y])
    return figure, axis


def _joined(
    tables: Mapping[str, pd.DataFrame], isobars: pd.DataFrame | None, sides: Mapping[str, str], column: str
) -> pd.DataFrame:
    """One table of `kind`, `curve`, temperature and `column`; each side of a line is a curve."""
    found = [] if isobars is None else [isobars]
    for kind in ("binodal", "spinodal"):
        lines = tables[f"{kind}s"]
        for i, (side, name) in enumerate(sides.items(), 1):
            curve = [f"{kind} {line:g}, side {i}" for line in lines["line"]]
            found.append(lines.rename(columns={side: name}).assign(kind=kind, curve=curve))
    for kind, name in (("crossover", "crossover"), ("critical point", "critical_points")):
        found.append(tables[name].assign(kind=kind, curve=kind))
    columns = ["kind", "curve", TEMPERATURE, column]
    kept = [table[columns] for table in found if len(table)]
    return pd.concat(kept) if kept else pd.DataFrame(columns=columns)


def _spoken(kind: str) -> str:
    return {"binodal": "first-order line", "crossover": "ground state at 1/2"}.get(kind, kind)
