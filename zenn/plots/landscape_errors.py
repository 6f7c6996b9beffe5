"""Errors of fitted networks, every seed a point and the median of the seeds beside (Paper A, Figs. S3-S5).

A fit for which a quantity does not exist (no critical point) has no point; a remark in the panel counts it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

from zenn.plots.landscape import BIFURCATION, COLOURS, MARKERS, NAMES
from zenn.plots.style import (
    BLACK,
    GREY,
    PAGE_WIDTH,
    SEQUENCE,
    in_style,
    label_panels,
    new_figure,
)

SEED, MEDIAN = "seed", "median"
BENCHMARK_ERRORS = {
    "rms_F": "RMS error of $F$",
    "rms_F_x": r"RMS error of $\partial F/\partial x$",
    "rms_F_xx": r"RMS error of $\partial^2 F/\partial x^2$",
    "T_star_error": f"error of $T^* = {BIFURCATION:g}$",
    "eq19_error": "",  # the second of the same panel
}
FE3PT_ERRORS = {
    "critical_temperature_error_K": "error of $T^*$ (K)",
    "critical_pressure_error_GPa": "error of $P^*$ (GPa)",
    "largest_F_error_meV_per_atom": r"max $|\Delta F|$ (meV/atom)",
}
TOLERANCE = 1.0  # meV/atom: the largest error of F with which a landscape counts as recovered
MOST_TICKS = 8
EDGE = 0.1  # of a decade, beside the outermost points
FLAT = 1e-3  # eV atom / Å6: curvatures closer to zero are drawn on a linear scale
_REMARK_WIDTH = 40


@in_style
def models(table: pd.DataFrame) -> Figure:
    """Errors of every network on the benchmark in one dimension, a row each; all of it dimensionless.

    `table` has series 'seed' and 'median' with model, parameters and the columns of `BENCHMARK_ERRORS`. The
    last panel has both critical temperatures: that of F_xx = F_xxx = 0, and the hottest root of Eq. 19.
    """
    figure = new_figure(columns=4, width=PAGE_WIDTH, height=2.9)
    first = figure.axes[0]
    present = list(dict.fromkeys(table["model"]))
    rows = {model: -number for number, model in enumerate(present)}
    columns = list(BENCHMARK_ERRORS)
    for axis, column in zip(figure.axes, columns, strict=False):
        axis.set_xlabel(BENCHMARK_ERRORS[column])
        _draw_rows(axis, table, column, rows)
        shared = columns[columns.index(column) :] if axis is figure.axes[-1] else [column]
        _decades(axis, table[shared], x=True)
        axis.set_ylim(min(rows.values(), default=0) - 0.6, 0.6)
        axis.set_yticks(list(rows.values()))
        axis.tick_params(labelleft=axis is first)
    last = figure.axes[-1]
    _draw_rows(last, table, "eq19_error", rows, shift=-0.28, filled=False)
    sizes = table.groupby("model")["parameters"].first()
    first.set_yticklabels([f"{NAMES[model]}\n{sizes[model]:,} parameters" for model in present], fontsize=7)
    if present:
        look: dict[str, Any] = {"s": 16, "linewidths": 0.8, "edgecolors": BLACK}
        last.scatter([], [], facecolors=BLACK, label=r"$F_{xx} = F_{xxx} = 0$", **look)
        last.scatter([], [], facecolors="white", label="Eq. 19, hottest root", **look)
        last.scatter([], [], marker="|", s=60, color=BLACK, label="median")
        figure.legend(loc="outside lower center", ncols=3)
    label_panels(figure.axes)
    return figure


@in_style
def training_points(table: pd.DataFrame) -> Figure:
    """Fig. S3: max |p error| on the landscape in two dimensions against training points, by network.

    `table` has series 'seed' and 'median' with model, training_points (per coordinate), shown_at (the same,
    networks side by side) and largest_p_error.
    """
    figure = new_figure(width=5.6, height=3.2)
    (axis,) = figure.axes
    for model, of_model in table.groupby("model", sort=False):
        _draw_seeds(axis, of_model, "shown_at", "largest_p_error", str(model))
    _decades(axis, table["largest_p_error"])
    _whole_ticks(axis, table["training_points"])
    axis.set_xlabel("training points per coordinate, $n$ ($n \\times n$ in all)")
    axis.set_ylabel(r"max $|p_\mathrm{error}|$")
    _legend(figure)
    return figure


@in_style
def configurations(table: pd.DataFrame) -> Figure:
    """Fig. S4: max |p error| of ZENN against K; `table` as of `training_points`, with configurations."""
    figure = new_figure(width=4.6, height=3.0)
    (axis,) = figure.axes
    _draw_seeds(axis, table, "configurations", "largest_p_error", "zenn")
    _decades(axis, table["largest_p_error"])
    _whole_ticks(axis, table["configurations"])
    axis.set_xlabel("number of configurations $K$")
    axis.set_ylabel(r"max $|p_\mathrm{error}|$")
    _legend(figure)
    return figure


@in_style
def convexity(table: pd.DataFrame) -> Figure:
    """Fig. S5: the loss of Eq. 20 against lambda, and beside it what the fits are for.

    `table` has series 'seed' and 'median' with convexity (lambda), loss, lowest_curvature_eV_per_A6 and the
    columns of `FE3PT_ERRORS`.
    """
    figure = new_figure(columns=2, rows=2, width=PAGE_WIDTH, height=4.8)
    shown = {
        "loss": "loss, Eq. 20",
        "critical_temperature_error_K": FE3PT_ERRORS["critical_temperature_error_K"],
        "largest_F_error_meV_per_atom": FE3PT_ERRORS["largest_F_error_meV_per_atom"],
        "lowest_curvature_eV_per_A6": r"lowest $\partial^2 F^{(k)}\!/\partial V^2$ (eV atom Å$^{-6}$)",
    }
    for axis, (column, label) in zip(figure.axes, shown.items(), strict=True):
        _draw_seeds(axis, table, "convexity", column, "zenn")
        axis.set_xlabel(r"penalty weight $\lambda$ of Eq. 20")
        axis.set_ylabel(label)
        positive = table.loc[table["convexity"] > 0, "convexity"]
        if (table["convexity"] == 0).any() and not positive.empty:
            axis.set_xscale("symlog", linthresh=float(positive.min()))
        elif not positive.empty:
            axis.set_xscale("log")
        if column.startswith("lowest"):
            if (table[column].abs() > FLAT).any():
                axis.set_yscale("symlog", linthresh=FLAT)
            else:  # a logarithmic scale would have no decade to name
                axis.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=True)
            axis.axhline(0.0, color=GREY, linewidth=0.8)
        else:
            _decades(axis, table[column])
        _remark(axis, table, "convexity", column, r"\lambda")
    label_panels(figure.axes)
    _legend(figure)
    return figure


@in_style
def by_configurations(table: pd.DataFrame) -> Figure:
    """Errors of Fe3Pt against K; `table` has series 'seed' and 'median', configurations, `FE3PT_ERRORS`."""
    figure = new_figure(columns=3, width=PAGE_WIDTH, height=2.9)
    for axis, (column, label) in zip(figure.axes, FE3PT_ERRORS.items(), strict=True):
        _draw_seeds(axis, table, "configurations", column, "zenn")
        _decades(axis, table[column])
        _whole_ticks(axis, table["configurations"])
        axis.set_xlabel("configurations $K$")
        axis.set_ylabel(label)
        _remark(axis, table, "configurations", column, "K")
    tolerance = f"{TOLERANCE:g} meV/atom"
    figure.axes[-1].axhline(TOLERANCE, color=GREY, linewidth=1.0, linestyle="--", label=tolerance)
    label_panels(figure.axes)
    if not table.empty:
        handles, labels = figure.axes[-1].get_legend_handles_labels()
        title = "points: seeds; line: their median"
        figure.legend(handles, labels, title=title, loc="outside lower center", ncols=3)
    return figure


@in_style
def history(table: pd.DataFrame) -> Figure:
    """Loss against iteration, one curve per seed."""
    figure = new_figure(width=4.6, height=3.0)
    (axis,) = figure.axes
    seeds = list(table.groupby("seed"))
    for number, (seed, curve) in enumerate(seeds):
        colour = SEQUENCE(0.85 * number / max(len(seeds) - 1, 1))
        axis.plot(curve["iteration"], curve["loss"], color=colour, label=f"{seed:g}", linewidth=1.0)
    if seeds:
        axis.set_xscale("log")
        axis.set_yscale("log")
        figure.legend(title="seed", loc="outside right upper")
    axis.set_xlabel("quasi-Newton step")
    axis.set_ylabel("loss, Eq. 20")
    return figure


def remark(table: pd.DataFrame, by: str, column: str, symbol: str) -> str:
    """Which fits have no value: `none: $K$ = 2 (3 of 3), 4 (1 of 3)`; empty if all have one."""
    fits = table[table["series"] == SEED]
    missing = [
        f"{value:g} ({of_value[column].isna().sum()} of {len(of_value)})"
        for value, of_value in fits.groupby(by)
        if of_value[column].isna().any()
    ]
    return f"none: ${symbol}$ = " + ", ".join(missing) if missing else ""


def _remark(axis: Axes, table: pd.DataFrame, by: str, column: str, symbol: str) -> None:
    said = "\n".join(textwrap.wrap(remark(table, by, column, symbol), _REMARK_WIDTH))
    axis.set_title(said, loc="right", fontsize=7)


def _draw_seeds(axis: Axes, table: pd.DataFrame, x: str, y: str, model: str) -> None:
    """A point per fit, and a line through the medians."""
    colour, marker = COLOURS[model], MARKERS[model]
    fits = table[table["series"] == SEED]
    axis.scatter(fits[x], fits[y], s=13, marker=marker, facecolors="none", edgecolors=colour, linewidths=0.8)
    medians = table[(table["series"] == MEDIAN) & table[y].notna()].sort_values(x)
    if not medians.empty:
        axis.plot(
            medians[x], medians[y], color=colour, marker=marker, markersize=4.5, label=NAMES[model], zorder=3
        )


def _draw_rows(
    axis: Axes,
    table: pd.DataFrame,
    column: str,
    rows: Mapping[str, int],
    shift: float = 0.0,
    filled: bool = True,
) -> None:
    """A row of points per model, with the median as an upright bar, and how many fits have no value."""
    for model, row in rows.items():
        of_model = table[table["model"] == model]
        fits, medians = (of_model[of_model["series"] == name] for name in (SEED, MEDIAN))
        colour = COLOURS[model]
        axis.scatter(
            fits[column],
            [row + shift] * len(fits),
            s=16,
            marker=MARKERS[model],
            facecolors=colour if filled else "white",
            edgecolors=colour,
            linewidths=0.8,
        )
        axis.scatter(medians[column], [row + shift] * len(medians), marker="|", s=90, color=BLACK, zorder=3)
        missing = int(fits[column].isna().sum())
        if missing:
            said, place = f"none in {missing} of {len(fits)}", axis.get_yaxis_transform()
            axis.text(1.02, row + shift, said, transform=place, va="center", fontsize=6)


def _whole_ticks(axis: Axes, values: pd.Series) -> None:
    """Ticks where there are points, if they are few; all values are within the axis."""
    if values.empty:
        return
    places = sorted(values.unique())
    margin = 0.06 * (places[-1] - places[0]) or 0.5
    axis.set_xlim(places[0] - margin, places[-1] + margin)
    axis.xaxis.set_major_locator(
        FixedLocator(places) if len(places) <= MOST_TICKS else MaxNLocator(MOST_TICKS, integer=True)
    )


def _decades(axis: Axes, values: pd.DataFrame | pd.Series, x: bool = False) -> None:
    """A logarithmic ordinate, or abscissa, over whole decades; labels at these only."""
    numbers = values.to_numpy(dtype=float)
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not len(positive):
        return
    low, high = float(np.floor(np.log10(positive.min()))), float(np.ceil(np.log10(positive.max())))
    limits = 10.0 ** (low - EDGE), 10.0 ** (max(high, low + 1) + EDGE)
    if x:
        axis.set_xscale("log")
        axis.set_xlim(limits)
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_yscale("log")
        axis.set_ylim(limits)
        axis.yaxis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure) -> None:
    """What the points and lines are, once for all panels; nothing where nothing is drawn."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, title="median of the\nseeds (points)", loc="outside right upper")
