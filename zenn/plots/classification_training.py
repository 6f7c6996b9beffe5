"""Trainings of classifiers: loss, accuracy, temperatures and their posteriors (Paper A, Figs. S7-S18)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from zenn.plots.classification import (
    COLOURS,
    HATCH,
    MEDIAN,
    SEED,
    run_colour,
    run_name,
    titled,
)
from zenn.plots.classification_tables import HEADLINE, ORACLE, Panel, model_name, temperatures_of
from zenn.plots.style import BLACK, PAGE_WIDTH, in_style, sequential_colours

COURSES = {
    "train_loss": "training loss (1)",
    "test_accuracy_percent": "test accuracy,\nlabel-free (%)",
    "oracle_accuracy_uses_test_labels_percent": "accuracy as printed,\nuses test labels (%)",
}
KINDS = {"label_free": "label-free", ORACLE: "as printed: uses test labels"}
DECADE = 10.0  # losses that differ by more are drawn on a logarithmic scale
FEW = 15  # points, below which each is marked


@in_style
def courses(table: pd.DataFrame, panel: Panel) -> Figure:
    """Loss and test accuracy against epoch, a row per model; `table` as of `tables.courses`, one data set."""
    figure, grid = _rows(panel, len(COURSES), 1.9)
    largest = int(table["N_T"].max()) if len(table) else 1
    runs = sorted(table["run"].unique(), key=lambda run: (temperatures_of(run), run))
    for axes, model in zip(grid, panel.roles, strict=True):
        of_model = table[table["model"] == model]
        for axis, (column, label) in zip(axes, COURSES.items(), strict=True):
            for run in runs:
                _draw_course(axis, of_model[of_model["run"] == run], column, run_colour(run, largest))
            axis.set_ylabel(label)
            axis.set_xlabel("epoch")
            axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        losses = of_model["train_loss"]
        if len(losses) and losses.min() > 0 and losses.max() > DECADE * losses.min():
            axes[0].set_yscale("log")
        axes[0].set_title(model_name(model), loc="left", fontweight="bold")
        _share(axes[1], axes[2])
    handles = [Line2D([], [], color=run_colour(run, largest), label=run_name(run)) for run in runs]
    if handles:
        title = "thick: median of the seeds; thin: each seed"
        figure.legend(handles=handles, title=title, loc="outside lower center", ncols=4)
    return figure


def _rows(panel: Panel, columns: int, height: float, ratios: Any = None) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(PAGE_WIDTH, height * len(panel.roles) + 1.0), layout="constrained")
    grid = figure.subplots(len(panel.roles), columns, squeeze=False, width_ratios=ratios)
    titled(figure, panel.title)
    return figure, grid


def _draw_course(axis: Axes, table: pd.DataFrame, column: str, colour: Any) -> None:
    for _, of_seed in table[table["series"] == SEED].groupby("seed"):
        axis.plot(of_seed["epoch"], of_seed[column], color=colour, linewidth=0.5, alpha=0.4)
    median = table[table["series"] == MEDIAN]
    marker: dict[str, Any] = {"marker": "o", "markersize": 2.5} if len(median) <= FEW else {}
    axis.plot(median["epoch"], median[column], color=colour, **marker)


def _share(first: Axes, second: Axes) -> None:
    low = min(first.get_ylim()[0], second.get_ylim()[0])
    high = max(first.get_ylim()[1], second.get_ylim()[1])
    for axis in (first, second):
        axis.set_ylim(low, high)


@in_style
def posteriors(table: pd.DataFrame, panel: Panel) -> Figure:
    """Posterior of the temperatures over the test set, and MAP frequencies; label-free beside as printed.

    A row per model; `table` as of `tables.posteriors` for one data set.
    """
    figure, grid = _rows(panel, 2, 2.0, [1.5, 1.0])
    for (left, right), model in zip(grid, panel.roles, strict=True):
        of_model = table[table["model"] == model]
        _draw_violins(left, of_model[of_model["series"] == "violin"], of_model[of_model["series"] == MEDIAN])
        _draw_frequencies(right, of_model)
        N_T = of_model["N_T"].max()
        counted = f", $N_T = {N_T:g}$" if len(of_model) else ""
        left.set_title(f"{model_name(model)}{counted}", loc="left", fontweight="bold")
        left.set_ylabel("posterior of $T_i$ (1)")
        right.set_title("most likely temperature", loc="left")
        right.set_ylabel("share of samples (%)")
        for axis in (left, right):
            _name_temperatures(axis, of_model)
    handles = [Patch(label=said, **_look(kind)) for kind, said in KINDS.items()]
    median = Line2D([], [], color=BLACK, linestyle="--", label="median of the samples (median of the seeds)")
    seeds = Line2D([], [], marker="o", color=BLACK, markerfacecolor="white", linestyle="", markersize=3,
                   label="seeds; bars: their median")  # fmt: skip
    figure.legend(handles=[*handles, median, seeds], loc="outside lower center", ncols=2)
    return figure


def _look(kind: str) -> dict[str, Any]:
    if kind == ORACLE:
        return {"facecolor": "white", "edgecolor": COLOURS[ORACLE], "hatch": HATCH, "linewidth": 0.7}
    return {"facecolor": COLOURS[HEADLINE], "edgecolor": COLOURS[HEADLINE], "linewidth": 0.7, "alpha": 0.8}


def _draw_violins(axis: Axes, violins: pd.DataFrame, medians: pd.DataFrame) -> None:
    """Width: the share of samples in each bin, the widest bin of a violin as wide as the next violin's."""
    axis.grid(False, axis="x")
    axis.set_ylim(-0.02, 1.02)
    for number, kind in enumerate(KINDS):
        side = -1.0 if number == 0 else 1.0
        for i, of in violins[violins["posterior"] == kind].groupby("temperature"):
            of = of.iloc[slice(*(of["samples_percent"].to_numpy().nonzero()[0][[0, -1]] + [0, 1]))]
            half = 0.42 * of["samples_percent"].to_numpy() / of["samples_percent"].max()
            edges = np.append(of["from"].to_numpy(), of["to"].iloc[-1])
            start = float(str(i)) + 0.02 * side
            axis.fill_betweenx(
                edges, start, start + side * np.append(half, half[-1]), step="post", **_look(kind)
            )
        of_kind = medians[medians["posterior"] == kind]
        axis.hlines(
            of_kind["median_posterior"],
            of_kind["temperature"] + min(0.45 * side, 0.02 * side),
            of_kind["temperature"] + max(0.45 * side, 0.02 * side),
            color=BLACK,
            linestyle="--",
        )


def _draw_frequencies(axis: Axes, table: pd.DataFrame) -> None:
    axis.grid(False, axis="x")
    axis.set_ylim(0.0, 105.0)
    for number, kind in enumerate(KINDS):
        shift = -0.2 if number == 0 else 0.2
        of_kind = table[table["posterior"] == kind]
        median, seeds = (of_kind[of_kind["series"] == name] for name in (MEDIAN, SEED))
        axis.bar(median["temperature"] + shift, median["map_frequency_percent"], width=0.36, **_look(kind))
        axis.scatter(
            seeds["temperature"] + shift,
            seeds["map_frequency_percent"],
            s=7,
            facecolors="white",
            edgecolors=BLACK,
            linewidths=0.6,
            zorder=3,
            clip_on=False,
        )


def _name_temperatures(axis: Axes, table: pd.DataFrame) -> None:
    """Ticks say which temperature, and its value: the median over the seeds."""
    values = table[table["series"] == MEDIAN].groupby("temperature")["final_temperature"].median()
    ticks = [f"$T_{{{i:g}}}$\n{value:.3g}" for i, value in values.items()]
    axis.set_xticks([*values.index], ticks)
    axis.set_xlabel("temperature, and its value (1)")
    if len(values):
        axis.set_xlim(0.4, len(values) + 0.6)


@in_style
def temperature_courses(table: pd.DataFrame, panel: Panel) -> Figure:
    """Temperatures against updates, a row per model, a column per run.

    `table` as of `tables.temperature_courses`, one data set.
    """
    runs = sorted(table["run"].unique(), key=lambda run: (temperatures_of(run) or 99, run))
    figure, grid = _rows(panel, max(len(runs), 1), 1.7)
    number = int(table["temperature"].max()) if len(table) else 1
    colours = sequential_colours(number)
    limits = _limits(table["temperature_value"])
    for axes, model in zip(grid, panel.roles, strict=True):
        of_model = table[table["model"] == model]
        for axis, run in zip(axes, runs, strict=False):
            of_run = of_model[of_model["run"] == run]
            for i, of in of_run.groupby("temperature"):
                _draw_temperature(axis, of, colours[int(str(i)) - 1])
            axis.set_title(run_name(run), fontsize=8)
            axis.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        for axis in axes:
            axis.set_yscale("log")  # the logarithm is what is learned
            axis.yaxis.set_major_locator(_ticks(*limits))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
            axis.set_ylim(*limits)
            axis.set_xlabel("update (1)")
            axis.tick_params(labelleft=axis is axes[0])
        axes[0].set_ylabel(f"{model_name(model)}\ntemperature (1)")
    handles = [Line2D([], [], color=colours[i], label=f"$T_{{{i + 1}}}$") for i in range(number)]
    if len(table):
        title = "thick: median of the seeds; thin: each seed; $T_1 = 1$ is fixed"
        figure.legend(handles=handles, title=title, loc="outside lower center", ncols=max(number, 1))
    return figure


def _draw_temperature(axis: Axes, table: pd.DataFrame, colour: Any) -> None:
    for _, of_seed in table[table["series"] == SEED].groupby("seed"):
        axis.plot(of_seed["step"], of_seed["temperature_value"], color=colour, linewidth=0.5, alpha=0.5)
    median = table[table["series"] == MEDIAN]
    axis.plot(median["step"], median["temperature_value"], color=colour, linewidth=1.5)


def _ticks(low: float, high: float) -> LogLocator:
    """Also at 2 and 5, where there is room: beyond three decades matplotlib would leave all of them out."""
    wide = high / low > 1e3
    return LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=7 if wide else 12)


def _limits(values: pd.Series) -> tuple[float, float]:
    """Of a logarithmic axis."""
    return (float(values.min()) / 1.2, float(values.max()) * 1.2) if len(values) else (0.5, 2.0)
