"""Errors of cross-zentropy and cross-entropy (Paper A, Fig. 2), and what they come from (beyond the paper).

Whatever was computed with test labels is hatched or dashed, vermilion, and says so. Points are seeds; bars
and lines their medians.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from zenn.plots.classification_tables import (
    GAINS,
    HEADLINE,
    ORACLE,
    PROTOCOLS,
    RECOMMENDED,
    Panel,
    model_name,
    temperatures_of,
)
from zenn.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PAGE_WIDTH,
    PURPLE,
    SEQUENCE,
    SKY,
    VERMILION,
    in_style,
)

SEED, MEDIAN = "seed", "median"
COLOURS = {HEADLINE: BLUE, "map_temperature": GREEN, "first_temperature": SKY, ORACLE: VERMILION}
NAMES = {
    HEADLINE: "label-free: marginal (headline)",
    "map_temperature": "label-free: most likely temperature",
    "first_temperature": "label-free: $T_1$ only",
    ORACLE: "as printed: uses test labels",
}
MARKERS = {HEADLINE: "o", "map_temperature": "s", "first_temperature": "^", ORACLE: "D"}
HATCH = "//////"
RUN_NAMES = {
    "cross_entropy": "cross-entropy",
    "cross_entropy_lora": "cross-entropy, LoRA",
    "zenn1": "$N_T = 1$ (two encoders)",
    RECOMMENDED: "recommended preset",
}
SHORT = {
    "cross_entropy": "CE",
    "cross_entropy_lora": "CE-LoRA",
    "label_smoothing": "LS",
    "generalised_cross_entropy": "GCE",
    "ensemble": "2CE",
    "zenn1": "2E",
}
CONTROLS = {
    "cross_entropy": "cross-entropy",
    "cross_entropy_lora": "cross-entropy with adapters",
    "label_smoothing": "label smoothing",
    "generalised_cross_entropy": "generalised cross-entropy",
    "ensemble": "ensemble of two",
    "zenn1": "two encoders, $N_T = 1$",
}
METRIC_NAMES = {
    "error": "error",
    "scaled_nll": "NLL, temperature-scaled",
    "scaled_ece": "ECE, temperature-scaled",
}
ALIKE = 2.0  # models whose largest errors differ by less share an axis
_LINE = 108  # characters of a title across the page
_POINTS: dict[str, Any] = {"s": 7, "facecolors": "white", "linewidths": 0.6, "zorder": 3}


def run_name(run: str) -> str:
    """A run as legends say it."""
    N_T = temperatures_of(run)
    return RUN_NAMES.get(run) or (f"$N_T = {N_T}$" if N_T else run.replace("_", " "))


def run_colour(run: str, largest: int) -> Any:
    """Black and grey for cross-entropy, purple for the recommended preset, dark to light with N_T."""
    N_T = temperatures_of(run)
    if N_T:
        return SEQUENCE(0.15 + 0.7 * (N_T - 1) / (max(largest, 3) - 1))
    return {"cross_entropy": BLACK, RECOMMENDED: PURPLE}.get(run, GREY)


def titled(figure: Figure | SubFigure, text: str) -> None:
    """A title that breaks where the page ends."""
    figure.suptitle("\n".join(textwrap.wrap(text[0].upper() + text[1:], _LINE)), fontsize=8.5)


def rows_of(figure: Figure, panels: Sequence[Panel], letters: bool = True) -> list[SubFigure]:
    """A row of the figure for each data set, with its title."""
    rows: list[SubFigure] = [*np.atleast_1d(np.array(figure.subfigures(len(panels), 1)))]
    for letter, row, panel in zip("abcdefghijkl", rows, panels, strict=False):
        lettered = f"({letter}) " if letters else ""
        titled(row, f"{lettered}{panel.title[0].upper()}{panel.title[1:]}")
    return rows


@in_style
def error_rates(table: pd.DataFrame, panels: Sequence[Panel]) -> Figure:
    """Fig. 2: test error by data set (a-d), model, N_T and protocol; `table` as of `tables.error_rates`."""
    figure = Figure(figsize=(PAGE_WIDTH, 2.0 * len(panels) + 0.7), layout="constrained")
    for row, panel in zip(rows_of(figure, panels), panels, strict=True):
        of_panel = table[table["panel"] == panel.name]
        axes = row.subplots(1, len(panel.roles), squeeze=False)[0]
        for axis, model in zip(axes, panel.roles, strict=True):
            _draw_bars(axis, of_panel[of_panel["model"] == model])
            axis.set_title(model_name(model))
        _same_limits(axes)
        axes[0].set_ylabel("test error (%)")
    handles = [
        Patch(facecolor=GREY, edgecolor=BLACK, linewidth=0.6, label="cross-entropy (dashed: its median)"),
        *(Patch(label=NAMES[protocol], **_face(protocol)) for protocol in PROTOCOLS),
        Line2D([], [], marker="o", color=BLACK, markerfacecolor="white", linestyle="", markersize=3,
               label="points: seeds; bars: their median"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _face(protocol: str) -> dict[str, Any]:
    """A bar of a protocol: hatched where test labels were used."""
    colour = COLOURS[protocol]
    if protocol == ORACLE:
        return {"facecolor": "white", "edgecolor": colour, "hatch": HATCH, "linewidth": 0.8}
    return {"facecolor": colour, "edgecolor": BLACK, "linewidth": 0.4}


def _draw_bars(axis: Axes, table: pd.DataFrame) -> None:
    """A bar per run and protocol, a point per seed."""
    axis.grid(False, axis="x")
    axis.set_xlabel("number of temperatures $N_T$")
    axis.yaxis.set_major_locator(MaxNLocator(5))
    medians, seeds = (table[table["series"] == name] for name in (MEDIAN, SEED))
    for (protocol, N_T), of in medians.groupby(["protocol", "N_T"], sort=False):
        look = _face(str(protocol)) if N_T else {"facecolor": GREY, "edgecolor": BLACK, "linewidth": 0.6}
        axis.bar(of["shown_at"], of["error_percent"], width=0.9 / len(PROTOCOLS), **look)
    axis.scatter(seeds["shown_at"], seeds["error_percent"], edgecolors=BLACK, clip_on=False, **_POINTS)
    if not table.empty:
        axis.set_ylim(0.0, max(1e-9, 1.08 * float(table["error_percent"].max())))
    for value in medians.loc[medians["run"] == "cross_entropy", "error_percent"]:
        axis.axhline(value, color=GREY, linewidth=0.8, linestyle="--", zorder=0.5)
    places = {round(of["shown_at"].mean()): str(run) for run, of in medians.groupby("run")}
    ticks = {place: str(temperatures_of(run) or SHORT[run]) for place, run in places.items()}
    axis.set_xticks([*ticks], [*ticks.values()])


@in_style
def leaks(table: pd.DataFrame, panels: Sequence[Panel]) -> Figure:
    """Error under each protocol against N_T, on the data's own test labels and on permuted ones.

    `table` as of `tables.leaks`. A row per data set, those with random labels among them.
    """
    most = max((len(panel.roles) for panel in panels), default=1)
    figure = Figure(figsize=(max(PAGE_WIDTH, 1.6 * 2 * most), 1.85 * len(panels) + 0.8), layout="constrained")
    for row, panel in zip(rows_of(figure, panels), panels, strict=True):
        of_panel = table[table["data"] == panel.data]
        axes = row.subplots(1, 2 * len(panel.roles), squeeze=False)[0]
        random = panel.data.endswith("random")
        for number, (labels, said) in enumerate(
            {"own": "test labels", "permuted": "test labels, permuted"}.items()
        ):
            those = axes[number * len(panel.roles) : (number + 1) * len(panel.roles)]
            for axis, model in zip(those, panel.roles, strict=True):
                chosen = of_panel[(of_panel["labels"] == labels) & (of_panel["model"] == model)]
                _draw_leak(axis, chosen, lines=random or labels == "permuted")
                axis.set_title(f"{model_name(model)}\n{'random ' if random else ''}{said}", fontsize=8)
            _same_limits(those)
        axes[0].set_ylabel("test error (%)")
    lines = [
        Line2D([], [], color=BLACK, linestyle="-", linewidth=0.8, label="chance, $1 - 1/K$"),
        Line2D([], [], color=BLACK, linestyle=":", label="$1 - N_T/K$, or 0"),
    ]
    figure.legend(handles=[*_protocol_lines(), *lines], loc="outside lower center", ncols=2)
    return figure


def _protocol_lines() -> list[Line2D]:
    return [
        Line2D([], [], label=NAMES[protocol], **_line(protocol), marker=MARKERS[protocol], markersize=3.5)
        for protocol in PROTOCOLS
    ]


def _line(protocol: str) -> dict[str, Any]:
    return {"color": COLOURS[protocol], "linestyle": "--" if protocol == ORACLE else "-", "linewidth": 1.0}


def _draw_leak(axis: Axes, table: pd.DataFrame, lines: bool) -> None:
    axis.set_xlabel("$N_T$")
    medians, seeds = (table[table["series"] == name] for name in (MEDIAN, SEED))
    for protocol, of in seeds.groupby("protocol"):
        axis.scatter(of["shown_at"], of["error_percent"], edgecolors=COLOURS[str(protocol)],
                     marker=MARKERS[str(protocol)], **{**_POINTS, "zorder": 2})  # fmt: skip
    for protocol, of in medians.groupby("protocol"):
        of = of.sort_values("N_T")
        axis.plot(of["shown_at"], of["error_percent"], marker=MARKERS[str(protocol)], markersize=3.5,
                  zorder=3, **_line(str(protocol)))  # fmt: skip
    if table.empty:
        return
    if lines:
        bounds = medians.drop_duplicates("N_T").sort_values("N_T")
        axis.plot(bounds["N_T"], bounds["chance_percent"], color=BLACK, linewidth=0.6, zorder=4)
        axis.plot(bounds["N_T"], bounds["fewest_percent"], color=BLACK, linestyle=":", zorder=1)
    axis.margins(y=0.12)
    axis.set_xticks(sorted(table["N_T"].unique()))
    axis.set_xlim(table["N_T"].min() - 0.4, table["N_T"].max() + 0.4)
    axis.yaxis.set_major_locator(MaxNLocator(4))


def _same_limits(axes: Sequence[Axes]) -> None:
    """One ordinate for neighbours, with labels at the first only, if all of them can be read on it."""
    highest = [axis.get_ylim()[1] for axis in axes]
    if max(highest) > ALIKE * min(highest):
        return
    low = min(axis.get_ylim()[0] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, max(highest))
        axis.tick_params(labelleft=axis is axes[0])


@in_style
def gains(table: pd.DataFrame, panels: Sequence[Panel]) -> Figure:
    """Paired differences to the best control with 95 % intervals, without labels.

    `table` as of `tables.gains`. A column per metric of `GAINS`, a line per data set, model and run, and an
    abbreviation of the control beside.
    """
    rows = -float(table["shown_at"].min()) + 1 if len(table) else 1.0
    figure = Figure(figsize=(PAGE_WIDTH, min(0.135 * rows, 9.5) + 1.7), layout="constrained")
    axes = figure.subplots(1, len(GAINS), sharey=True)
    titles = {panel.data: panel for panel in panels}
    largest = int(table["run"].map(temperatures_of).max()) if len(table) else 1
    for axis, metric in zip(axes, GAINS, strict=True):
        _draw_gains(axis, table[table["metric"] == metric], largest)
        axis.set_title(METRIC_NAMES[metric])
        axis.set_xlabel("% of the control")
        axis.axvline(0.0, color=BLACK, linewidth=0.8)
    groups = table.groupby(["data", "model"], sort=False)["shown_at"].mean()
    ticks = [f"{_short_data(titles, str(data))}\n{model_name(str(model))}" for data, model in groups.index]
    axes[0].set_yticks(groups.to_numpy(), ticks, fontsize=7)
    for axis in axes:
        axis.tick_params(axis="y", length=0)
        axis.grid(False, axis="y")
        if len(table):
            axis.set_ylim(float(table["shown_at"].min()) - 0.8, 0.8)
    stand_ins = any(panel.stand_in for panel in panels)
    scale = f"; scale {panels[0].scale}" if panels else ""
    notes = "; the sets named digits and topics are stand-ins: small networks" if stand_ins else ""
    titled(
        figure,
        f"Label-free marginal minus the best control, seed by seed, means and 95 % intervals{notes}{scale}",
    )
    handles = [
        Line2D([], [], color=run_colour(run, largest), marker="o", markersize=3.5, label=run_name(run))
        for run in sorted(table["run"].unique(), key=lambda run: (temperatures_of(run) or 99, run))
    ]
    there = [name for name in CONTROLS if (table["control"] == name).any()]
    said = "; ".join(f"{SHORT[name]}: {CONTROLS[name]}" for name in there)
    said = "\n".join(textwrap.wrap(said, 130))
    title = f"left of 0: lower than the best control, named at the right\n{said}"
    figure.legend(
        handles=handles, title=title, title_fontsize=7, loc="outside lower center", ncols=max(len(handles), 1)
    )
    return figure


def _short_data(panels: dict[str, Panel], data: str) -> str:
    panel = panels.get(data)
    return f"{data} (stand-in)" if panel is not None and panel.stand_in else data


def _draw_gains(axis: Axes, table: pd.DataFrame, largest: int) -> None:
    names = [f"{name}_percent_of_control" for name in ("difference", "low", "high")]
    for run, of in table.groupby("run", sort=False):
        colour = run_colour(str(run), largest)
        middle, low, high = (of[name] for name in names)
        axis.hlines(of["shown_at"], low, high, color=colour, linewidth=1.2)
        axis.scatter(middle, of["shown_at"], s=11, color=colour, zorder=3)
    if table[names[0]].notna().any():
        limit = _limit(table[names[0]].to_numpy(), table[names[1:]].to_numpy())
        axis.set_xlim(-limit, limit)
    groups = table.groupby(["panel", "data", "model"], sort=False)
    for _, of in groups:
        short = SHORT.get(str(of["control"].iloc[0]), str(of["control"].iloc[0]))
        axis.text(
            1.01, of["shown_at"].mean(), short, transform=axis.get_yaxis_transform(), va="center", fontsize=6
        )
    for (_, first), (_, second) in pairwise(groups):
        axis.axhline((first["shown_at"].min() + second["shown_at"].max()) / 2, color="#DDDDDD", linewidth=0.5)


def _limit(middles: np.ndarray, ends: np.ndarray) -> float:
    """Half the width of an axis: all means inside, and intervals unless they dwarf them."""
    mean = float(np.nanmax(np.abs(middles)))
    end = float(np.nanmax(np.abs(ends))) if np.isfinite(ends).any() else mean
    return 1.08 * max(mean, min(end, max(2.5 * mean, 10.0)), 1e-6)
