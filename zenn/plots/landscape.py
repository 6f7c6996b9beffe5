"""The benchmark landscape in one dimension as networks recover it (Paper A, Fig. 3), and the networks' looks.

In every figure of the inverse problem the truth is thin and black, dashed where a curve of ZENN lies below
it: where the two agree, both are seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from zenn.plots.phase_diagram import OUTSIDE
from zenn.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PAGE_WIDTH,
    PURPLE,
    SEQUENCE,
    SKY,
    VERMILION,
    in_style,
)

EXACT = "exact"
IN_FIG_3 = (EXACT, "zenn", "icnn_printed")
NAMES = {
    EXACT: "exact",
    "zenn": "ZENN",
    "icnn_printed": "ICNN, as printed",
    "icnn_standard": "ICNN, standard",
    "icnn_sobolev": r"ICNN, printed, given $\partial F/\partial x$",
    "mlp_small": "MLP, small",
    "mlp_large": "MLP, large",
}
COLOURS = {
    EXACT: BLACK,
    "zenn": BLUE,
    "icnn_printed": VERMILION,
    "icnn_standard": ORANGE,
    "icnn_sobolev": PURPLE,
    "mlp_small": SKY,
    "mlp_large": GREEN,
}
MARKERS = {
    "zenn": "o",
    "icnn_printed": "^",
    "icnn_standard": "v",
    "icnn_sobolev": "D",
    "mlp_small": "s",
    "mlp_large": "P",
}
BIFURCATION = 2.0  # T* of the benchmark, exactly
POSITION = "position $x$"
LEVELS = 14
_CURVES: dict[str, dict[str, Any]] = {
    "zenn": {"linewidth": 3.6, "alpha": 0.75, "zorder": 2.0},
    EXACT: {"linewidth": 0.9, "zorder": 2.4},
    "icnn_printed": {
        "linewidth": 0.9,
        "zorder": 2.2,
        "marker": MARKERS["icnn_printed"],
        "markersize": 3.2,
        "markerfacecolor": "white",
        "markeredgewidth": 0.7,
    },
}
_ROWS = {
    "F_over_kT": "$F/(k_B T)$",
    "F_x": r"$\partial F/\partial x$",
    "F_xx": r"$\partial^2 F/\partial x^2$",
}


@in_style
def recovered_landscape(table: pd.DataFrame) -> Figure:
    """Fig. 3, from one table with the columns `panel` (a, b, c, def) and `model`; all of it dimensionless.

    a: the landscape (x, temperature, F_over_kT); b: bifurcation diagram (branch, stable); c: zero line of
    F_xx (line); d, e, f: F / (k_B T) and the derivatives, one panel per temperature.
    """
    panels = {letters: table[table["panel"] == letters] for letters in ("a", "b", "c", "def")}
    temperatures = sorted(panels["def"]["temperature"].unique())
    figure = Figure(figsize=(PAGE_WIDTH, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=[1.0, 2.1])
    top = grid[0].subgridspec(1, 3)
    a, b = (figure.add_subplot(top[column]) for column in (0, 1))
    c = figure.add_subplot(top[2], sharex=b)
    _draw_landscape(figure, a, panels["a"])
    _draw_branches(b, panels["b"])
    _draw_lines(c, panels["c"])
    c.legend(handles=_handles(), title="dimensionless, $k_B = 1$", fontsize=7, title_fontsize=7, **OUTSIDE)
    rows = grid[1].subgridspec(len(_ROWS), max(len(temperatures), 1))
    first = [
        _draw_profiles(figure, rows, row, panels["def"], temperatures, column)
        for row, column in enumerate(_ROWS)
    ]
    for letter, axis in zip("abcdef", (a, b, c, *first), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return figure


def stretches(curve: pd.DataFrame, column: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Value and rows of every stretch with one value of `column`, each up to where the next begins."""
    number = (curve[column] != curve[column].shift()).cumsum().to_numpy()
    for stretch in range(1, int(number.max()) + 1 if len(number) else 1):
        inside = (number == stretch).nonzero()[0]
        yield curve[column].iloc[inside[0]], curve.iloc[inside[0] : inside[-1] + 2]


def _draw_landscape(figure: Figure, axis: Axes, table: pd.DataFrame) -> None:
    axis.set_xlabel(POSITION)
    axis.set_ylabel("temperature $T$")
    axis.grid(False)
    if table.empty:
        return
    values = table.pivot(index="temperature", columns="x", values="F_over_kT")
    x, T = values.columns.to_numpy(), values.index.to_numpy()
    filled = axis.contourf(x, T, values.to_numpy(), levels=LEVELS, cmap=SEQUENCE)
    axis.contour(x, T, values.to_numpy(), levels=filled.levels, colors="white", linewidths=0.4)
    figure.colorbar(filled, ax=axis, location="top", label="exact $F/(k_B T)$", ticks=MaxNLocator(4))


def _draw_branches(axis: Axes, table: pd.DataFrame) -> None:
    """Stationary x against T: solid where F_xx > 0, dashed elsewhere."""
    for model, of_model in table.groupby("model", sort=False):
        for _, branch in of_model.groupby("branch"):
            for stable, piece in stretches(branch, "stable"):
                _draw(axis, str(model), piece["temperature"], piece["x"], "-" if stable else "--")
    _finish_diagram(axis, r"$\partial F/\partial x = 0$")


def _draw_lines(axis: Axes, table: pd.DataFrame) -> None:
    for model, of_model in table.groupby("model", sort=False):
        for _, line in of_model.groupby("line"):
            _draw(axis, str(model), line["temperature"], line["x"], "-")
    _finish_diagram(axis, r"$\partial^2 F/\partial x^2 = 0$")


def _draw_profiles(
    figure: Figure,
    rows: GridSpecFromSubplotSpec,
    row: int,
    table: pd.DataFrame,
    temperatures: Sequence[float],
    column: str,
) -> Axes:
    """A row of panels, one per temperature; returns the first."""
    last = row == rows.nrows - 1
    axes: list[Axes] = []
    for number in range(rows.ncols):
        axes.append(figure.add_subplot(rows[row, number], sharey=axes[0] if axes else None))
        axes[-1].tick_params(labelleft=number == 0, labelbottom=last)
        if last:
            axes[-1].set_xlabel(POSITION)
    for axis, T in zip(axes, temperatures, strict=False):
        for model, curve in table[table["temperature"] == T].groupby("model", sort=False):
            _draw(axis, str(model), curve["x"], curve[column], "-")
        if column != "F_over_kT":
            axis.axhline(0.0, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
        if row == 0:
            axis.set_title(f"$T = {T:g}$")
    axes[0].set_ylabel(_ROWS[column])
    return axes[0]


def _draw(axis: Axes, model: str, x: pd.Series, y: pd.Series, style: str) -> None:
    look = dict(_CURVES[model])
    if "marker" in look:
        look["markevery"] = max(1, len(x) // 8)
    axis.plot(x, y, style, color=COLOURS[model], **look)


def _finish_diagram(axis: Axes, title: str) -> None:
    axis.axvline(BIFURCATION, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    axis.set_title(title)
    axis.set_xlabel("temperature $T$")
    axis.set_ylabel(POSITION)


def _handles() -> list[Line2D]:
    """One entry per curve, whether or not it is there to be drawn."""
    models = [Line2D([], [], color=COLOURS[name], label=NAMES[name], **_CURVES[name]) for name in IN_FIG_3]
    grey: dict[str, Any] = {"color": GREY, "linewidth": 1.0}
    return [
        *models,
        Line2D([], [], label="stable (b)", **grey),
        Line2D([], [], linestyle="--", label="unstable (b)", **grey),
        Line2D([], [], linestyle=":", label="$T^* = 2$", **grey),
    ]
