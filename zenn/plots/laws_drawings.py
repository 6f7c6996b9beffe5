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
from matplotlib.patches import Ellipse, FancyArrowPatch, Patch, Rectangle
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
FRAMES = 5  # channels of the input
ROW = 2.6  # of a subnetwork, above and below the middle of Fig. 2
COLOURS = {"Input": GREY, "Convolutional": BLUE, "Flatten": GREEN, "Dense": ORANGE}


@in_style
def gas(picture: Any, table: pd.DataFrame, shown: Shown) -> Figure:
    """Fig. 1: (a) the gas in its container with the piston; (b) the piston's place L_x over one cycle.

    `picture` is a frame in grey levels, row 0 at y = 0; `table` has series 'piston' (time, width, snapshot: 1
    where five frames are taken) and 'picture' (width, where the piston of the picture stands).
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=3.0)
    first, second = figure.axes
    L = shown.length
    schedule = table[table["series"] == "piston"]
    width = float(table.loc[table["series"] == "picture", "width"].iloc[0])
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
        (width, width - 0.25 * L, 0.62, r"$v_\mathrm{push}$", VERMILION),
        (width - 0.25 * L, width, 0.42, r"$v_\mathrm{pull}$", BLUE),
    ):
        arrow: dict[str, Any] = {
            "arrowstyle": "-|>",
            "mutation_scale": 10,
            "color": colour,
            "linewidth": 1.8,
            "zorder": 4,
        }
        first.add_patch(FancyArrowPatch((start, y * L), (end, y * L), shrinkA=0, shrinkB=0, **arrow))
        behind: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.9}
        middle = ((start + end) / 2, (y + 0.035) * L)
        first.text(*middle, name, color=colour, ha="center", va="bottom", fontsize=9, zorder=5, bbox=behind)
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
    figure = Figure(figsize=(PAGE_WIDTH, 3.0), layout="constrained")
    axis = figure.subplots()
    axis.axis("off")
    rows = layers[~layers["layer"].isin(["Dropout"])]
    shapes = [(FRAMES, shown.pixels, shown.pixels), *(_shape(text) for text in rows["output"])]
    names = ["Input", *(str(name) for name in rows["layer"])]
    end = max([_draw_blocks(axis, shapes, names, y) for y in (ROW, -ROW)])
    x = end + 2.3
    for subnetwork, y in ((0, ROW), (1, -ROW)):
        up = 1 if y > 0 else -1
        axis.text(
            -0.1,
            y + up * 2.1,
            f"DNN-{subnetwork}: image $X_{subnetwork}$",
            fontsize=8,
            va="center",
            fontweight="bold",
        )
        _arrow(axis, (end + 0.1, y), (x - 0.5, 0.55 * up))
        axis.text(end + 0.5, y + 0.5 * up, f"{S}$(X_{subnetwork})$", fontsize=8, va="center")
    axis.add_patch(Ellipse((x, 0), 1.1, 1.5, facecolor="#FBEFE7", edgecolor=VERMILION))
    axis.text(x, 0, r"$\sigma$", ha="center", va="center", fontsize=10)
    _arrow(axis, (x + 0.65, 0), (x + 1.5, 0))
    axis.text(
        x + 1.6,
        0,
        f"$p = \\sigma(${S}$(X_1) -${S}$(X_0))$\n\n0 if $p < 1/2$,\n1 otherwise",
        va="center",
        fontsize=7.5,
    )
    told = {"Convolutional": "convolution", "Flatten": "flatten, dropout", "Dense": "dense"}
    handles = [Patch(facecolor=COLOURS[name], alpha=0.75, label=text) for name, text in told.items()]
    total = f"both rows share {int(layers['parameters'].sum()):,} parameters"
    figure.legend(handles=handles, title=total, loc="outside lower center", ncols=3)
    axis.set(xlim=(-0.6, x + 4.9), ylim=(-ROW - 2.5, ROW + 2.5))
    titled(figure, shown)
    return figure


def _draw_blocks(axis: Axes, shapes: list[tuple[int, ...]], names: list[str], y: float) -> float:
    """One subnetwork from left to right, shapes beside the upper one; returns where it ends."""
    x = 0.0
    for number, (shape, name) in enumerate(zip(shapes, names, strict=True)):
        if len(shape) == 3:
            height, width = 0.38 * math.log2(shape[1]) + 0.35, 0.15 * math.log2(shape[0]) + 0.1
        else:
            height, width = 0.2 * math.log2(shape[0]) + 0.35, 0.25
        look: dict[str, Any] = {
            "facecolor": COLOURS.get(name, GREY),
            "alpha": 0.75,
            "edgecolor": BLACK,
            "linewidth": 0.6,
        }
        axis.add_patch(Rectangle((x, y - height / 2), width, height, **look))
        if y > 0:
            told = "×".join(map(str, shape))
            axis.text(x + width / 2, 0, told, ha="center", va="center", fontsize=6.5, rotation=40)
        x += width
        if number < len(shapes) - 1:
            _arrow(axis, (x + 0.08, y), (x + 0.62, y))
            x += 0.7
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
def made_states(pictures: Mapping[str, Any], table: pd.DataFrame, share: float, shown: Shown) -> Figure:
    """Fig. 4: (a) two states with the piston at L/2 and their compound; (b) a state with masked parts.

    `table` has picture (its name) and width, where its piston stands.
    """
    figure = Figure(figsize=(PAGE_WIDTH, 2.0), layout="constrained")
    axes = figure.subplots(1, 6, width_ratios=(1, 1, 1, 0.1, 1, 1))
    axes[3].axis("off")
    told = {
        "composed_first": "$X$",
        "composed_second": "$X'$",
        "composed": "$(X, X')$",
        "masked": r"$\lambda Y$, bottom masked",
        "masked_right": r"$\lambda Y$, right masked",
    }
    L = shown.length
    widths = dict(zip(table["picture"], table["width"], strict=True))
    for axis, (name, title) in zip((*axes[:3], *axes[4:]), told.items(), strict=True):
        _show(axis, pictures[name], L, title)
        axis.tick_params(labelsize=6, labelleft=axis in (axes[0], axes[4]))
    for left, sign in ((axes[0], "+"), (axes[1], "→")):
        left.text(1.12, 0.5, sign, transform=left.transAxes, ha="center", va="center", fontsize=11)
    below, beside = float(widths["masked"]), float(widths["masked_right"])
    for axis, (x, y, width, height) in (
        (axes[4], (0.0, share * L, below, (1 - share) * L)),
        (axes[5], (share * beside, 0.0, (1 - share) * beside, L)),
    ):
        look: dict[str, Any] = {"facecolor": "none", "edgecolor": VERMILION, "hatch": "///", "linewidth": 0.8}
        axis.add_patch(Rectangle((x, y), width, height, **look))
    for axis, letter in ((axes[0], "(a)"), (axes[4], rf"(b) $\lambda$ = {share:g}")):
        axis.set_ylabel("y (R)", fontsize=7)
        axis.text(-0.05, 1.28, letter, transform=axis.transAxes, fontweight="bold")
    titled(figure, shown)
    return figure


def _show(axis: Axes, picture: Any, length: float, title: str) -> None:
    """A picture in grey levels with lengths in R; as in an image, y = 0 is above."""
    extent = (0, length, length, 0)
    axis.imshow(picture, cmap="gray", extent=extent, interpolation="nearest", vmin=0, vmax=255)
    axis.set_title(title, fontsize=8)
    axis.set_xticks([0, length / 2, length])
    axis.set_yticks([0, length / 2, length])
    axis.set_xlabel("x (R)", fontsize=7)
    axis.grid(False)


def animate(frames: Any, path: Path) -> None:
    """Write frames (F, pixels, pixels) of grey levels as a GIF that repeats; y = 0 is above."""
    levels = np.round(np.asarray(frames) / 255 * (GREYS - 1)).astype(np.uint8)
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
