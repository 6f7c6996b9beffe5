"""Fe3Pt as ZENN recovers it, beside the forward model (Paper A, Figs. 4, S1, S6).

ZENN is solid and coloured, the forward model ("DFT") dashed and black, drawn above it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from zenn.plots.materials import VOLUME_RATIO
from zenn.plots.phase_diagram import OUTSIDE, TEMPERATURE, draw_isobars, pressure_label
from zenn.plots.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PAGE_WIDTH,
    SEQUENCE,
    VERMILION,
    in_style,
    label_panels,
    new_figure,
    sequential_colours,
)

ZENN, DFT = "ZENN", "DFT"
X = "volume_over_reference"
F_AND_PV = "helmholtz_plus_PV_eV_per_atom"
F = "helmholtz_eV_per_atom"
S = "entropy_kB_per_atom"
EQ_1 = "eq1_entropy_kB_per_atom"
SHORT_RATIO = "$V/V_N$"
ENTROPY = "($k_B$/atom)"
SHOWN_ABOVE = 0.6  # of the range of the total, up to which F_k is shown
_SOLID: dict[str, Any] = {"linestyle": "-", "linewidth": 2.4, "zorder": 2.0}
_DASHED: dict[str, Any] = {"linestyle": "--", "linewidth": 0.9, "color": BLACK, "zorder": 2.5}
_TOTALS: dict[str, dict[str, Any]] = {
    "zenn": {"color": BLUE, **_SOLID, "label": r"ZENN, $-\partial F/\partial T$"},
    "eq1": {"color": VERMILION, "linestyle": ":", "linewidth": 1.6, "zorder": 2.3, "label": "ZENN, Eq. 1"},
    "dft": {**_DASHED, "linewidth": 1.2, "label": DFT},
}
_SMALL: dict[str, Any] = {"fontsize": 7, "title_fontsize": 7, **OUTSIDE}


@in_style
def free_energy(table: pd.DataFrame) -> Figure:
    """Fig. S1: F against V/V_N at every temperature; `table` has source, temperature_K and the curves."""
    figure = new_figure(height=3.4, width=5.0)
    (axis,) = figure.axes
    _draw_isotherms(axis, table, F)
    axis.set_ylabel("Helmholtz energy $F$ (eV/atom)")
    return figure


@in_style
def inverse_problem(table: pd.DataFrame, pressure: float, temperature: float) -> Figure:
    """Fig. 4, from one table with the columns `panel` (a, b, c), `series` and `source` (ZENN, DFT).

    a: F + PV at `pressure` (GPa); b: isobars, zero lines of F_VV and critical points; c: S_k, F_k and F_k +
    PV of every configuration at `temperature` (K), with the totals.
    """
    figure = Figure(figsize=(PAGE_WIDTH, 6.0), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=[1.15, 1.0])
    above, below = grid[0].subgridspec(1, 2), grid[1].subgridspec(1, 3)
    a, b = (figure.add_subplot(above[column]) for column in range(2))
    c, c_free, c_pressed = (figure.add_subplot(below[column]) for column in range(3))
    panels = {letter: table[table["panel"] == letter] for letter in "abc"}
    _draw_isotherms(a, panels["a"], F_AND_PV)
    a.set_ylabel(f"$F + PV$ at {pressure:g} GPa (eV/atom)")
    _draw_volume_diagram(b, panels["b"])
    of_mixture = panels["c"]
    _draw_configurations(c, of_mixture, S)
    _draw_total(c, of_mixture, S)
    _mark_stable(c, of_mixture)
    c.set_ylabel(f"$S^{{(k)}}$ and $S$ {ENTROPY}")
    for axis, column, label in (
        (c_free, F, "$F^{(k)}$ and $F$ at 0 GPa (eV/atom)"),
        (c_pressed, F_AND_PV, f"$F^{{(k)}} + PV$ and $F + PV$\nat {pressure:g} GPa (eV/atom)"),
    ):
        _draw_configurations(axis, of_mixture, column)
        _draw_total(axis, of_mixture, column)
        _limit_to_total(axis, of_mixture, column)
        axis.set_ylabel(label)
    if not of_mixture.empty:
        c_pressed.legend(handles=[*_total_handles(of_mixture), *_configuration_handles(of_mixture)], **_SMALL)
    for axis in (c, c_free, c_pressed):
        axis.set_title(f"{temperature:g} K")
        axis.set_xlabel(SHORT_RATIO)
    for axis in figure.axes:
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 4, 5, 10]))
    label_panels((a, b, c))
    return figure


@in_style
def entropies(table: pd.DataFrame, pressure: float) -> Figure:
    """Fig. S6: S_k at each temperature, and the total; `table` as panel c of `inverse_problem`.

    The dotted uprights are the stable volumes of ZENN at `pressure` (GPa).
    """
    each = table[table["series"] == "configuration"]
    temperatures = sorted(each["temperature_K"].unique())
    figure = new_figure(columns=len(temperatures) + 1, width=PAGE_WIDTH, height=3.0)
    *single, total = figure.axes
    for axis, temperature in zip(single, temperatures, strict=True):
        at = table[table["temperature_K"] == temperature]
        _draw_configurations(axis, at, S)
        _mark_stable(axis, at[at["pressure_GPa"] == pressure])
        axis.set_title(f"{temperature:g} K")
        axis.set_ylabel(f"$S^{{(k)}}$ {ENTROPY}")
    if single:
        single[-1].legend(handles=_configuration_handles(each), **_SMALL)
    for temperature in temperatures:
        _draw_total(total, table[table["temperature_K"] == temperature], S, named=True)
    total.set_ylabel(f"total $S$ {ENTROPY}")
    if temperatures:
        total.legend(handles=_total_handles(table), **_SMALL)
    for axis in figure.axes:
        axis.set_xlabel(SHORT_RATIO)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 4, 5, 10]))
    label_panels(figure.axes)
    return figure


def _draw_isotherms(axis: Axes, table: pd.DataFrame, column: str) -> None:
    """ZENN coloured by temperature, DFT dashed above it; a legend on the right."""
    temperatures = sorted(table["temperature_K"].unique())
    for temperature, colour in zip(temperatures, sequential_colours(len(temperatures)), strict=True):
        at = table[table["temperature_K"] == temperature]
        fitted, truth = (at[at["source"] == source] for source in (ZENN, DFT))
        axis.plot(fitted[X], fitted[column], color=colour, label=f"{temperature:g} K", **_SOLID)
        axis.plot(truth[X], truth[column], **_DASHED)
    axis.set_xlabel(VOLUME_RATIO)
    if temperatures:
        axis.plot([], [], label=DFT, **_DASHED)
        axis.legend(title="ZENN", **_SMALL)


def _draw_volume_diagram(axis: Axes, table: pd.DataFrame) -> None:
    y = "temperature_K"
    isobars = table[table["series"] == "isobar"]
    pressures = sorted(isobars["pressure_GPa"].unique())
    for pressure, colour in zip(pressures, sequential_colours(len(pressures)), strict=True):
        at = isobars[isobars["pressure_GPa"] == pressure]
        fitted, truth = (at[at["source"] == source] for source in (ZENN, DFT))
        draw_isobars(axis, fitted, X, y, color=colour, label=pressure_label(pressure), **_SOLID)
        draw_isobars(axis, truth, X, y, **_DASHED)
    lines = table[table["series"] == "zero line"]
    for source, look in ((ZENN, {**_SOLID, "color": ORANGE}), (DFT, _DASHED)):
        for _, line in lines[lines["source"] == source].groupby(["line", "side"], dropna=False):
            axis.plot(line[X], line[y], **look)
    points = table[table["series"] == "critical point"]
    markers: dict[str, dict[str, Any]] = {
        ZENN: {"marker": "*", "s": 90, "facecolors": ORANGE, "edgecolors": BLACK, "linewidths": 0.6},
        DFT: {"marker": "+", "s": 45, "color": BLACK, "linewidths": 1.1},
    }
    for source, look in markers.items():
        point = points[points["source"] == source].dropna(subset=[X])
        if not point.empty:
            axis.scatter(point[X], point[y], zorder=4, label=f"critical point, {source}", **look)
    axis.set_xlabel(VOLUME_RATIO)
    axis.set_ylabel(TEMPERATURE)
    handles, _ = axis.get_legend_handles_labels()
    if not isobars.empty:
        zero = Line2D([], [], **{**_SOLID, "color": ORANGE}, label=r"$\partial^2 F/\partial V^2 = 0$")
        dft = Line2D([], [], label=DFT, **_DASHED)
        handles = [*handles[: len(pressures)], zero, dft, *handles[len(pressures) :]]
        axis.legend(handles=handles, title="ZENN", **_SMALL)


def _draw_configurations(axis: Axes, table: pd.DataFrame, column: str) -> None:
    """One thin line per configuration, coloured by number."""
    each = table[table["series"] == "configuration"]
    colours = _colours(each)
    for number, colour in colours.items():
        curve = each[each["configuration"] == number]
        axis.plot(curve[X], curve[column], color=colour, linewidth=0.8, zorder=1.8)


def _draw_total(axis: Axes, table: pd.DataFrame, column: str, named: bool = False) -> None:
    """The total of ZENN and of DFT; of S also that by Eq. 1. `named`: with temperatures at the curves."""
    total = table[table["series"] == "total"]
    fitted, truth = (total[total["source"] == source] for source in (ZENN, DFT))
    curves = {"zenn": (fitted, column), "dft": (truth, column)}
    if column == S:
        curves["eq1"] = (fitted, EQ_1)
    for name, (curve, of) in curves.items():
        axis.plot(curve[X], curve[of], **_TOTALS[name])
        if named and name != "dft" and not curve.empty:
            end = curve.iloc[-1]
            said = f"{end['temperature_K']:g} K"
            axis.annotate(said, (end[X], end[of]), (0, 4), textcoords="offset points", ha="right", fontsize=7)


def _limit_to_total(axis: Axes, table: pd.DataFrame, column: str) -> None:
    """Show what lies close to the total: a configuration far from its own minimum goes far above it."""
    total = table.loc[table["series"] == "total", column].dropna()
    if not total.empty:
        low, high = float(total.min()), float(total.max())
        axis.set_ylim(low - 0.08 * (high - low), high + SHOWN_ABOVE * (high - low))


def _mark_stable(axis: Axes, table: pd.DataFrame) -> None:
    """Uprights at the stable volumes, each with its pressure."""
    for row in table[table["series"] == "stable volume"].to_dict("records"):
        axis.axvline(row[X], color=GREY, linewidth=0.9, linestyle=":", zorder=1.5)
        axis.text(
            row[X],
            0.99,
            pressure_label(row["pressure_GPa"]),
            transform=axis.get_xaxis_transform(),
            rotation=90,
            ha="right",
            va="top",
            fontsize=6,
            color=GREY,
        )


def _colours(each: pd.DataFrame) -> dict[int, Any]:
    numbers = sorted(each["configuration"].dropna().astype(int).unique())
    return {k: SEQUENCE(0.95 * i / max(len(numbers) - 1, 1)) for i, k in enumerate(numbers)}


def _configuration_handles(table: pd.DataFrame) -> list[Line2D]:
    each = table[table["series"] == "configuration"]
    return [
        Line2D([], [], color=colour, linewidth=1.0, label=f"$k$ = {k}")
        for k, colour in _colours(each).items()
    ]


def _total_handles(table: pd.DataFrame) -> list[Line2D]:
    """One entry per curve of the total; none for DFT where it has no values."""
    sources = {*table.loc[table["series"] == "total", "source"]}
    looks = [look for name, look in _TOTALS.items() if name != "dft" or DFT in sources]
    return [Line2D([], [], **{**look, "label": f"total, {look['label']}"}) for look in looks]
