"""Figures of the gas that teaches entropy: representations, axioms, entropy (Paper B, Figs. 3, 5 to 8)."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, NullFormatter

from zenn.plots.style import (
    BLACK,
    BLUE,
    GREY,
    PAGE_WIDTH,
    VERMILION,
    in_style,
    label_panels,
    new_figure,
    sequential_colours,
)

MARKERS = "osD^v<>"
POINT: dict[str, Any] = {"s": 5, "linewidths": 0.0, "alpha": 0.55}
S, S_HAT = r"$\tilde{S}$", r"$\hat{S}$"
LOG_TERM = r"$N\,\log[u\,(v - 2\pi R^2)]$"
IN_UNITS = r" ($u$ in $k_B T_0$, $v$ in $R^2$)"
_LETTERS_PER_INCH = 16
IDENTITY: dict[str, Any] = {"color": BLACK, "linewidth": 0.9, "linestyle": "--"}
R2 = "$R^2$ = {:.4f}"
BOTH_R2 = "$R^2$ = {0:.4f} about the\nidentity, {1:.4f} of a line"


@dataclass(frozen=True)
class Shown:
    """Which gas a figure shows, and at what scale."""

    scale: str
    length: float
    particles: tuple[int, ...]
    pixels: int

    @classmethod
    def read(cls, scale: str, settings: Mapping[str, Any]) -> Shown:
        """From a notebook's parameters."""
        return cls(
            scale, float(settings["gas"]["length"]), tuple(settings["particles"]), int(settings["pixels"])
        )

    @property
    def title(self) -> str:
        """A line above every figure: whether this is the paper's gas."""
        numbers = ", ".join(map(str, self.particles))
        told = f"L = {self.length:g} R, N = {numbers}, {self.pixels} × {self.pixels} pixels"
        if self.scale == "paper":
            return f"{told} (the paper's)"
        return f"scale {self.scale}, not the paper's gas: {told}"


def titled(figure: Figure, shown: Shown) -> None:
    """Say above a figure which gas it shows."""
    most = int(_LETTERS_PER_INCH * figure.get_figwidth())
    figure.suptitle("\n".join(textwrap.wrap(shown.title, most)), fontsize=7, color="#555555")


@in_style
def equal_states(table: pd.DataFrame, r2: tuple[float, float], shown: Shown) -> Figure:
    """Fig. 3: S~ of a state against S~ of another with the same N, volume and energy.

    `table` has particles, s and s_twin; `r2` about the identity and of the best line.
    """
    figure = new_figure(width=3.9, height=3.1)
    (axis,) = figure.axes
    _by_particles(axis, table, "s", "s_twin", shown)
    _about_identity(axis, table, ("s", "s_twin"))
    _note(axis, BOTH_R2.format(*r2))
    axis.set_xlabel(f"{S}$(X)$ (dimensionless)")
    axis.set_ylabel(f"{S}$(X')$ (dimensionless)")
    _particles_legend(figure, shown)
    titled(figure, shown)
    return figure


@in_style
def split_states(table: pd.DataFrame, r2: Sequence[tuple[float, float]], shown: Shown) -> Figure:
    """Fig. 5: S~ of split states against (a) the original ones, (b) the recombined ones.

    `table` has particles, wall ('x' or 'y', the direction it is parallel to), s, s_split, s_recombined;
    `r2` of both panels, about the identity and of the best line.
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=3.2)
    names = {"s": "X", "s_recombined": r"X_\mathrm{recomb}"}
    for axis, (column, name), found in zip(figure.axes, names.items(), r2, strict=True):
        for wall, marker in (("x", "o"), ("y", "x")):
            _by_particles(axis, table[table["wall"] == wall], column, "s_split", shown, marker)
        _about_identity(axis, table, (column, "s_split"))
        _note(axis, BOTH_R2.format(*found))
        axis.set_xlabel(f"{S}$({name})$ (dimensionless)")
        axis.set_ylabel(rf"{S}$(X_\mathrm{{split}})$ (dimensionless)")
    walls = [
        Line2D(
            [], [], linestyle="", marker=marker, color=GREY, markersize=4, label=f"wall parallel to {wall}"
        )
        for wall, marker in (("x", "o"), ("y", "x"))
    ]
    _particles_legend(figure, shown, walls)
    label_panels(figure.axes)
    titled(figure, shown)
    return figure


@in_style
def dust(table: pd.DataFrame, picture: Any, share: float, shown: Shown) -> Figure:
    """Fig. 6: agreement rate against the size of the dust; inset, a state with dust, which is framed.

    `table` has series ('dust': a pair of dust states in one order, 'all': the mean), fraction, dust, order
    and agreement; `picture` is a grey-level array in which the dust takes up `share`, or None.
    """
    figure = new_figure(width=4.9, height=3.2)
    (axis,) = figure.axes
    each, mean = table[table["series"] == "dust"], table[table["series"] == "all"]
    colours = {"rising": BLUE, "falling": VERMILION}
    for (_, order), curve in each.groupby(["dust", "order"], sort=True):
        axis.plot(
            curve["fraction"],
            curve["agreement"],
            color=colours[str(order)],
            linewidth=0.7,
            alpha=0.6,
            marker=".",
        )
    axis.plot(mean["fraction"], mean["agreement"], color=BLACK, marker="o", markersize=4)
    if not table.empty:
        axis.set_xscale("log")
        lowest = float(table["agreement"].min())
        axis.set_ylim(lowest - 0.08 * (1.02 - lowest), 1 + 0.05 * (1.02 - lowest))
    axis.set_xlabel(r"size of the dust, $\varepsilon$ (share of the picture)")
    axis.set_ylabel("prediction agreement rate")
    told = {
        BLACK: "all pairs",
        BLUE: "dust of higher S~ to the\nhigher state",
        VERMILION: "to the lower state",
    }
    handles = [Line2D([], [], color=colour, label=text.replace("S~", S)) for colour, text in told.items()]
    figure.legend(handles=handles, loc="outside right center", title="a line for each\npair of dust states")
    if picture is not None:
        inset = axis.inset_axes((0.06, 0.1, 0.36, 0.42))
        inset.imshow(picture, cmap="gray", interpolation="nearest", vmin=0, vmax=255)
        inset.set(xticks=[], yticks=[])
        inset.set_title(r"$(X, \varepsilon Z)$", fontsize=7, pad=2)
        inset.grid(False)
        side = np.sqrt(share) * len(picture)  # amid the half that is gas wherever the piston is
        corner = len(picture) / 4 - side / 2 - 0.5, len(picture) / 2 - side / 2 - 0.5
        inset.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=VERMILION, linewidth=1.5))
    titled(figure, shown)
    return figure


@in_style
def entropies(table: pd.DataFrame, common_r2: float, shown: Shown) -> Figure:
    """Fig. 7: (a) S~ and (b) its affine transform for each N against N log[u (v - 2 pi R^2)].

    `table` has series 'state' (particles, log_term, s, s_hat) and 'fit' (particles, log_term, s, r2).
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=3.3)
    states, fits = table[table["series"] == "state"], table[table["series"] == "fit"]
    colours = _colours(shown)
    for axis, column in zip(figure.axes, ("s", "s_hat"), strict=True):
        _by_particles(axis, states, "log_term", column, shown)
        axis.set_xlabel(f"{LOG_TERM} ($k_B$)\n{IN_UNITS.strip()}", fontsize=8)
    first, second = figure.axes
    told = []
    for particles in shown.particles:
        line = fits[fits["particles"] == particles]
        if not line.empty:
            colour = _dark(colours[particles])
            first.plot(line["log_term"], line["s"], linestyle="--", linewidth=1.0, color=colour)
            told.append(f"{particles}: {line['r2'].iloc[0]:.4f}")
    _note(first, "\n".join(["$R^2$ of the fits", *told]), lower=True)
    first.set_ylabel(f"{S} (dimensionless)")
    if not states.empty:
        second.axline((states["log_term"].mean(),) * 2, slope=1, **IDENTITY)
    _note(second, R2.format(common_r2))
    second.set_ylabel(rf"{S_HAT}$\, = \alpha_N${S}$\, + \beta_N$ ($k_B$)")
    _particles_legend(figure, shown)
    label_panels(figure.axes)
    titled(figure, shown)
    return figure


@in_style
def extensivity(table: pd.DataFrame, r2: tuple[float, float], shown: Shown) -> Figure:
    """Fig. 8: S~ of a compound (lambda X, (1 - lambda) Y) against the sum of the scaled parts.

    `table` has lambda, s_parts, s_compound; `r2` about the identity and of the best line.
    """
    figure = new_figure(width=4.4, height=3.2)
    (axis,) = figure.axes
    values = sorted(table["lambda"].unique())
    handles = []
    for value, colour in zip(values, sequential_colours(len(values)), strict=True):
        part = table[table["lambda"] == value]
        axis.scatter(part["s_parts"], part["s_compound"], color=colour, **POINT)
        handles.append(
            Line2D([], [], linestyle="", marker="o", markersize=4, color=colour, label=f"{value:g}")
        )
    _about_identity(axis, table, ("s_parts", "s_compound"))
    _note(axis, BOTH_R2.format(*r2))
    axis.set_xlabel(rf"$\lambda${S}$(X) + (1 - \lambda)${S}$(Y)$ (dimensionless)")
    axis.set_ylabel(rf"{S}$(\lambda X, (1 - \lambda) Y)$ (dimensionless)")
    if handles:
        figure.legend(handles=handles, title=r"$\lambda$", loc="outside right center")
    titled(figure, shown)
    return figure


@in_style
def controls(table: pd.DataFrame, shown: Shown) -> Figure:
    """Test accuracy of the network, of the controls and without a network; a row each, a point a seed.

    `table` has what, kind ('network' or 'without a network'), seed, accuracy.
    """
    names = list(dict.fromkeys(table["what"]))
    figure = new_figure(width=PAGE_WIDTH, height=0.42 * max(len(names), 3) + 1.1)
    (axis,) = figure.axes
    colours = {"network": BLUE, "without a network": GREY}
    for row, name in enumerate(names):
        of_name = table[table["what"] == name]
        kind = str(of_name["kind"].iloc[0])
        marker = "o" if kind == "network" else "D"
        axis.scatter(of_name["accuracy"], [-row] * len(of_name), color=colours[kind], marker=marker, s=22)
        mean = of_name["accuracy"].mean()
        axis.text(1.015, -row, f"{mean:.3f}", transform=axis.get_yaxis_transform(), va="center", fontsize=7.5)
    axis.axvline(0.5, **IDENTITY)
    axis.set_yticks(
        [-row for row in range(len(names))], ["\n".join(textwrap.wrap(name, 34)) for name in names]
    )
    axis.set_ylim(-len(names) + 0.4, 0.6)
    lowest = float(table["accuracy"].min()) if len(table) else 0.5
    axis.set_xlim(min(0.42, lowest - 0.03), 1.02)
    axis.set_xlabel("test accuracy over all pairs of a process (right: mean of the seeds)")
    handles = [
        Line2D([], [], linestyle="", marker="o", color=BLUE, label="network, a point for each seed"),
        Line2D([], [], linestyle="", marker="D", color=GREY, label="no network"),
        Line2D([], [], label="chance", **IDENTITY),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    titled(figure, shown)
    return figure


@in_style
def difficulty(table: pd.DataFrame, shown: Shown) -> Figure:
    """Accuracy against the entropy difference of a pair, beside the ceiling of the exact energy.

    `table` has difference_k_B, accuracy, accuracy_low, accuracy_high, ceiling and pairs.
    """
    figure = new_figure(width=5.2, height=3.1)
    (axis,) = figure.axes
    x = table["difference_k_B"]
    axis.fill_between(x, table["accuracy_low"], table["accuracy_high"], color=BLUE, alpha=0.2, linewidth=0)
    axis.plot(x, table["accuracy"], color=BLUE, marker="o", markersize=3.5, label="network\n(95 % interval)")
    axis.plot(
        x, table["ceiling"], color=BLACK, marker="D", markersize=3, linestyle="--", label="exact energy"
    )
    axis.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    if not table.empty:
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        figure.legend(loc="outside right center", title="pairs ordered by")
    axis.set_xlabel(r"$|\Delta\, N\,\log[u\,(v - 2\pi R^2)]|$ of the two states ($k_B$)")
    axis.set_ylabel("share of pairs in the right order")
    titled(figure, shown)
    return figure


@in_style
def canonical(table: pd.DataFrame, shown: Shown) -> Figure:
    """Canonical entropy (Eq. 1): (a) the compound that it compares with, (b) against N log[u (v - b)].

    `table` has series 'compound' (particles, lambda, s) and 'state' (particles, log_term, canonical).
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=3.2)
    first, second = figure.axes
    compounds = table[table["series"] == "compound"]
    for particles, colour in _colours(shown).items():
        curve = compounds[compounds["particles"] == particles]
        first.plot(curve["lambda"], curve["s"], color=colour, marker="o", markersize=2.5)
    _by_particles(second, table[table["series"] == "state"], "log_term", "canonical", shown)
    first.set_xlabel(r"$\lambda$")
    first.set_ylabel(rf"{S}$((1 - \lambda) X_*, \lambda X_{{**}})$ (dimensionless)")
    second.set_xlabel(f"{LOG_TERM} ($k_B$)\n{IN_UNITS.strip()}", fontsize=8)
    second.set_ylabel(r"$S_\Gamma(X\,|\,X_*, X_{**})$ (dimensionless)")
    _particles_legend(figure, shown)
    label_panels(figure.axes)
    titled(figure, shown)
    return figure


def _colours(shown: Shown) -> dict[int, Any]:
    return dict(zip(shown.particles, sequential_colours(len(shown.particles)), strict=True))


def _dark(colour: Sequence[float]) -> tuple[float, ...]:
    """A line that can be seen on points of its own colour."""
    return tuple(0.6 * part for part in colour[:3])


def _by_particles(axis: Axes, table: pd.DataFrame, x: str, y: str, shown: Shown, marker: str = "o") -> None:
    """Points, coloured by the number of discs."""
    look = dict(POINT) if marker == "o" else {**POINT, "linewidths": 0.7, "s": 9}
    for particles, colour in _colours(shown).items():
        part = table[table["particles"] == particles]
        axis.scatter(part[x], part[y], color=colour, marker=marker, **look)


def _about_identity(axis: Axes, table: pd.DataFrame, columns: tuple[str, str]) -> None:
    """The line of equal values, and equal limits on both axes."""
    if table.empty:
        return
    values = table[[*columns]].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.05 * (high - low) or 1.0
    axis.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.yaxis.set_major_locator(MaxNLocator(6))
    axis.axline((low, low), slope=1, **IDENTITY)


def _note(axis: Axes, text: str, *, lower: bool = False) -> None:
    """A remark in the upper left corner, which points along the diagonal leave empty, or in the lower one."""
    height, side = (0.04, "bottom") if lower else (0.96, "top")
    axis.text(0.04, height, text, transform=axis.transAxes, va=side, fontsize=7.5)


def _particles_legend(figure: Figure, shown: Shown, more: Sequence[Line2D] = ()) -> None:
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=4, color=colour, label=f"$N$ = {particles}")
        for particles, colour in _colours(shown).items()
    ]
    figure.legend(handles=[*handles, *more], loc="outside right center")
