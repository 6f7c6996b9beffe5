"""Drawings of the gas, of its network and of what is done to its pictures (Paper B, Figs. 1, 2 and 4)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle
from PIL import Image

from zenn.plots.laws import S, Shown, titled
from zenn.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PAGE_WIDTH,
    VERMILION,
    in_style,
    label_panels,
    new_figure,
)

FRAME_SECONDS = 0.09
GREYS = 32  # levels of the animation: fewer make a smaller file
PIXELS = re.compile(r"\d+")


@in_style
def gas(picture: Any, width: float, schedule: pd.DataFrame, shown: Shown) -> Figure:
    """Fig. 1: (a) the gas in its container with the piston at `width`; (b) L_x over one cycle.

    `picture` is a frame in grey levels, row 0 at y = 0; `schedule` has time, width, snapshot (1 where five
    frames are taken).
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=3.0)
    first, second = figure.axes
    L = shown.length
    first.imshow(
        picture, cmap="gray_r", origin="lower", extent=(0, L, 0, L), interpolation="nearest", vmin=0, vmax=255
    )
    first.add_patch(Rectangle((0, 0), L, L, fill=False, edgecolor=BLACK, linewidth=1.5))
    first.add_patch(Rectangle((width, 0), 0.05 * L, L, facecolor=GREY, edgecolor=BLACK, linewidth=0.8))
    if width + 0.05 * L < L:
        first.add_patch(
            Rectangle(
                (width + 0.05 * L, 0),
                0.95 * L - width,
                L,
                facecolor="#EEEEEE",
                hatch="//",
                edgecolor="#CCCCCC",
            )
        )
    for start, end, y, name, colour in (
        (0.05, -0.22, 0.62, r"$v_\mathrm{push}$", VERMILION),
        (0.0, 0.27, 0.42, r"$v_\mathrm{pull}$", BLUE),
    ):
        middle = width + 0.025 * L
        first.add_patch(
            FancyArrowPatch(
                (middle + start * L, y * L),
                (middle + end * L, y * L),
                arrowstyle="-|>",
                mutation_scale=9,
                color=colour,
                zorder=4,
            )
        )
        first.text(
            middle + end * L / 2,
            (y + 0.03) * L,
            name,
            color=colour,
            ha="center",
            fontsize=8,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )
    first.annotate(
        "",
        (0, 1.07 * L),
        (width, 1.07 * L),
        arrowprops={"arrowstyle": "<->", "linewidth": 0.8},
        annotation_clip=False,
    )
    first.text(width / 2, 1.09 * L, "$L_x$", ha="center")
    first.set(
        xlim=(-0.01 * L, 1.08 * L), ylim=(-0.01 * L, 1.16 * L), xlabel="x (R)", ylabel="y (R)", aspect="equal"
    )
    first.grid(False)
    second.plot(schedule["time"], schedule["width"], color=BLACK, linewidth=1.1)
    taken = schedule[schedule["snapshot"] == 1]
    for time, place in zip(taken["time"], taken["width"], strict=True):
        second.annotate(
            "",
            (time, place + 0.005 * L),
            (time, place + 0.075 * L),
            arrowprops={"arrowstyle": "-|>", "color": VERMILION, "linewidth": 0.7, "mutation_scale": 6},
        )
    second.set_xlabel(r"time $t$ ($R\sqrt{m / k_B T_0}$)")
    second.set_ylabel("position of the piston, $L_x$ (R)")
    second.set_ylim(0.45 * L, 1.12 * L)
    label_panels(figure.axes)
    titled(figure, shown)
    return figure


@in_style
def network(layers: pd.DataFrame, shown: Shown) -> Figure:
    """Fig. 2: the siamese network as its module has it; a block for each layer that changes the shape.

    `layers` has layer, activation, output ('128 x 8 x 8') and parameters. Heights go with the logarithm of a
    picture's side, widths with that of the number of channels.
    """
    figure = Figure(figsize=(PAGE_WIDTH, 3.3), layout="constrained")
    axis = figure.subplots()
    axis.axis("off")
    rows = layers[~layers["layer"].isin(["Dropout"])]
    shapes = [(5, shown.pixels, shown.pixels), *(_shape(text) for text in rows["output"])]
    names = ["Input", *(str(name) for name in rows["layer"])]
    ends = []
    for subnetwork, y in ((0, 3.0), (1, -3.0)):
        ends.append(_draw_blocks(axis, shapes, names, y, subnetwork))
    x = max(ends) + 2.1
    for subnetwork, y in ((0, 3.0), (1, -3.0)):
        _arrow(axis, (ends[subnetwork] + 0.1, y), (x - 0.55, 0.45 * (1 if y > 0 else -1)))
        axis.text(
            ends[subnetwork] + 0.25,
            y + 0.35 * (1 if y > 0 else -1),
            f"{S}$(X_{subnetwork})$",
            fontsize=8,
            va="center",
        )
    axis.add_patch(Circle((x, 0), 0.62, facecolor="#FBEFE7", edgecolor=VERMILION))
    axis.text(x, 0, r"$\sigma$", ha="center", va="center", fontsize=10)
    axis.text(x, -1.25, f"$p = \\sigma(${S}$(X_1) -${S}$(X_0))$", ha="center", fontsize=7.5)
    _arrow(axis, (x + 0.7, 0), (x + 1.7, 0))
    axis.text(x + 1.8, 0, "0 if $p < 1/2$\n1 otherwise", va="center", fontsize=7.5)
    total = int(layers["parameters"].sum())
    axis.text(
        (0 + x) / 2.4,
        0.0,
        f"same parameters in both: {total:,}",
        ha="center",
        va="center",
        fontsize=7.5,
        color="#555555",
    )
    axis.set(xlim=(-1.2, x + 4.6), ylim=(-5.6, 5.6))
    titled(figure, shown)
    return figure


def _draw_blocks(
    axis: Axes, shapes: list[tuple[int, ...]], names: list[str], y: float, subnetwork: int
) -> float:
    """One subnetwork from left to right; returns where it ends."""
    x = 0.0
    outward = 1 if y > 0 else -1
    colours = {"Input": GREY, "Convolutional": BLUE, "Flatten": GREEN, "Dense": ORANGE}
    axis.text(
        -0.3, y + outward * 2.35, f"DNN-{subnetwork}, image $X_{subnetwork}$", fontsize=8, fontweight="bold"
    )
    for number, (shape, name) in enumerate(zip(shapes, names, strict=True)):
        if len(shape) == 3:
            height, width = 0.42 * math.log2(shape[1]) + 0.35, 0.16 * math.log2(shape[0]) + 0.1
            told = f"{shape[0]}×{shape[1]}×{shape[2]}"
        else:
            height, width = 0.22 * math.log2(shape[0]) + 0.35, 0.22
            told = f"{shape[0]}"
        axis.add_patch(
            Rectangle(
                (x, y - height / 2),
                width,
                height,
                facecolor=colours.get(name, GREY),
                alpha=0.75,
                edgecolor=BLACK,
                linewidth=0.6,
            )
        )
        axis.text(
            x + width / 2,
            y - outward * 2.0,
            told,
            ha="right",
            va="center",
            fontsize=6.2,
            rotation=35,
            rotation_mode="anchor",
        )
        last = number == len(shapes) - 1
        if not last:
            _arrow(axis, (x + width + 0.08, y), (x + width + 0.55, y))
        x += width + (0.63 if not last else 0.0)
    return x


def _shape(text: str) -> tuple[int, ...]:
    """`128 x 8 x 8` as numbers."""
    return tuple(int(number) for number in PIXELS.findall(str(text)))


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=6,
            color="#444444",
            linewidth=0.8,
            shrinkA=0,
            shrinkB=0,
        )
    )


@in_style
def made_states(pictures: Mapping[str, Any], share: float, shown: Shown) -> Figure:
    """Fig. 4: (a) two states with the piston at L/2 and their compound; (b) a state with masked parts."""
    figure = Figure(figsize=(PAGE_WIDTH, 2.1), layout="constrained")
    axes = figure.subplots(1, 6, width_ratios=(1, 1, 1, 0.15, 1, 1))
    axes[3].axis("off")
    told = {
        "composed_first": "$X$",
        "composed_second": "$X'$",
        "composed": "$(X, X')$",
        "masked": r"$\lambda Y$, bottom masked",
        "masked_right": r"$\lambda Y$, right masked",
    }
    for axis, (name, title) in zip((*axes[:3], *axes[4:]), told.items(), strict=True):
        _show(axis, pictures[name], shown.length, title)
    for left, sign in ((axes[0], "+"), (axes[1], "=")):
        left.text(1.07, 0.5, sign, transform=left.transAxes, ha="center", va="center", fontsize=12)
    for axis, side in ((axes[4], "bottom"), (axes[5], "right")):
        corner = (0, 0) if side == "bottom" else (share * shown.length, 0)
        size = (1.0, 1 - share) if side == "bottom" else (1 - share, 1.0)
        axis.add_patch(
            Rectangle(
                corner,
                size[0] * shown.length,
                size[1] * shown.length,
                facecolor="none",
                edgecolor=VERMILION,
                hatch="///",
                linewidth=0.8,
            )
        )
    axes[0].set_ylabel("y (R)")
    axes[4].set_ylabel("y (R)")
    axes[0].text(-0.1, 1.16, "(a)", transform=axes[0].transAxes, fontweight="bold")
    axes[4].text(-0.1, 1.16, rf"(b) $\lambda$ = {share:g}", transform=axes[4].transAxes, fontweight="bold")
    titled(figure, shown)
    return figure


def _show(axis: Axes, picture: Any, length: float, title: str) -> None:
    """A picture in grey levels with lengths in R, row 0 at the bottom."""
    axis.imshow(
        picture,
        cmap="gray",
        origin="lower",
        extent=(0, length, 0, length),
        interpolation="nearest",
        vmin=0,
        vmax=255,
    )
    axis.set_title(title, fontsize=8)
    axis.set_xticks([0, length / 2, length])
    axis.set_yticks([0, length / 2, length])
    axis.tick_params(labelsize=6)
    axis.set_xlabel("x (R)", fontsize=7)
    axis.grid(False)


def animate(frames: Any, path: Path) -> None:
    """Write frames (F, pixels, pixels) of grey levels, row 0 at the bottom, as a GIF that repeats."""
    levels = np.round(np.asarray(frames)[:, ::-1, :] / 255 * (GREYS - 1)).astype(np.uint8)
    palette = [level for grey in range(GREYS) for level in [round(255 * grey / (GREYS - 1))] * 3]
    pictures = []
    for frame in levels:
        picture = Image.fromarray(frame, mode="P")
        picture.putpalette(palette)
        pictures.append(picture)
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 * FRAME_SECONDS),
        loop=0,
        optimize=False,
    )
