"""Fig. 1: boxes and arrows of zentropy, ZENN and its applications, from a table of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from zenn.plots.style import BLUE, GREEN, PAGE_WIDTH, VERMILION, in_style

NEW_LINE = " | "  # in a label of the table
WIDTH, HEIGHT = 100.0, 54.0  # of the drawing, in its own units
COLUMN_X = (15.25, 50.0, 84.75)
ROW_Y = (42.0, 24.75, 7.5)
BOX_WIDTH, BOX_HEIGHT = 30.5, 14.25
HEADER_Y = 52.5
COLOURS = {"theory": BLUE, "network": GREEN, "application": VERMILION}
PALE = {"theory": "#EAF2F8", "network": "#E8F5F0", "application": "#FBEFE7"}
SMALL = 7.0
NETWORK = "network"
# Claims begin with their subject's name; the others of Paper A are about classification.
SUBJECT_OF_PREFIX = {"fe3pt": "materials", "landscape": "landscape"}
APPLICATIONS = {
    "classification": "Multi-source classification",
    "landscape": "Energy landscapes",
    "materials": "Fe$_3$Pt properties",
}


def parts(
    counts: Mapping[str, Mapping[str, int]],
    constants: Mapping[str, Mapping[str, float]],
    data_sets: Sequence[str],
    configurations: int,
    degeneracies: int,
) -> pd.DataFrame:
    """The nodes and edges of Fig. 1.

    Parameters
    ----------
    counts : by subject: claims, artefacts, made, in_part.
    constants : by subject: boltzmann_constant and gamma, as in Table S2.
    data_sets : what is classified.
    configurations, degeneracies : rows of the table of Fe3Pt and the sum of their degeneracies.
    """
    about = {
        "classification": [_wrapped(data_sets)],
        "landscape": ["benchmarks in one and two dimensions"],
        "materials": [f"{configurations} configurations, {degeneracies} with degeneracy"],
    }
    nodes = [
        ("theory-title", "Zentropy theory (forward)", "theory", 0, None),
        (
            "configurations",
            r"configurations $k = 1 \ldots K$ | energy $E^{(k)}$, entropy $S^{(k)}$ | (quantum mechanics)",
            "theory",
            0,
            0,
        ),
        (
            "probabilities",
            r"$F^{(k)} = E^{(k)} - T\,S^{(k)}$ | "
            r"$p^{(k)} = e^{-F^{(k)}/k_B T}\,/\,Z$ | (statistical mechanics)",
            "theory",
            0,
            1,
        ),
        (
            "totals",
            r"$S = \sum_k\,p^{(k)} S^{(k)} - k_B\,\sum_k\,p^{(k)}\,\ln\,p^{(k)}$ | "
            r"$F = \sum_k\,p^{(k)} F^{(k)} + k_B T\,\sum_k\,p^{(k)}\,\ln\,p^{(k)}$",
            "theory",
            0,
            2,
        ),
        ("network-title", "ZENN (inverse)", "network", 1, None),
        (NETWORK, "small networks, one pair per $k$", "network", 1, 0),
        (
            "weights",
            r"$p^{(k)} = \dfrac{1}{Z}\,\exp\left[-\dfrac{F^{(k)}}{k_B T} - "
            r"\left(\dfrac{S^{(k)}}{\gamma\,k_B}\right)^2\right]$",
            "network",
            1,
            1,
        ),
        (
            "training",
            "class probabilities or total $F(x, T)$, | fitted to data; derivatives of $F$ | "
            "by automatic differentiation",
            "network",
            1,
            2,
        ),
        ("application-title", "Applications", "application", 2, None),
    ]
    for row, (subject, title) in enumerate(APPLICATIONS.items()):
        constant, count = constants[subject], counts[subject]
        lines = [
            title,
            *about[subject],
            rf"$k_B = {constant['boltzmann_constant']:g}$, $\gamma = {constant['gamma']:g}$ (Table S2)",
            f"{count['claims']} claims registered",
            f"figures and tables made: {count['made']} of {count['artefacts']}",
            *([f"({count['in_part']} of them in part)"] if count["in_part"] else []),
        ]
        nodes.append((f"application-{subject}", NEW_LINE.join(lines), "application", 2, row))
    arrows = [
        ("configurations", "probabilities"),
        ("probabilities", "totals"),
        ("configurations", NETWORK),
        (NETWORK, "weights"),
        ("weights", "training"),
        *(("training", f"application-{subject}") for subject in APPLICATIONS),
    ]
    boxes = pd.DataFrame(
        [
            {
                "kind": "title" if row is None else "box",
                "id": name,
                "label": label,
                "group": group,
                "x": COLUMN_X[column],
                "y": HEADER_Y if row is None else ROW_Y[row],
            }
            for name, label, group, column, row in nodes
        ]
    )
    joined = pd.DataFrame([{"kind": "arrow", "id": f"{a}-{b}", "from": a, "to": b} for a, b in arrows])
    return pd.concat([boxes, joined], ignore_index=True)


def counts(claims: pd.DataFrame, artefacts: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Per application of Paper A: claims, and figures and tables: registered, made, and of these in part."""
    of_paper = claims[claims["paper"] == "zenn"]
    subjects = of_paper["id"].str.split("-").str[0].map(SUBJECT_OF_PREFIX).fillna("classification")
    listed = artefacts[artefacts["paper"] == "zenn"]
    found = {}
    for subject in APPLICATIONS:
        shown = listed[listed["subject"] == subject]
        found[subject] = {
            "claims": int((subjects == subject).sum()),
            "artefacts": len(shown),
            "made": int(shown["step"].notna().sum()),
            "in_part": int((shown["step"].notna() & shown["part"].notna()).sum()),
        }
    return found


@in_style
def schematic(table: pd.DataFrame) -> Figure:
    """Draw the boxes, titles and arrows of `table` (see `parts`)."""
    figure = Figure(figsize=(PAGE_WIDTH, PAGE_WIDTH * HEIGHT / WIDTH))
    figure.set_layout_engine("none")  # boxes stand where the table says
    axis = figure.add_axes((0.005, 0.0, 0.99, 1.0))
    axis.set(xlim=(-0.5, WIDTH + 0.5), ylim=(-0.5, HEIGHT + 0.5))
    axis.axis("off")
    rows: list[dict[Any, Any]] = table.to_dict("records")
    boxes = {row["id"]: row for row in rows if row["kind"] != "arrow"}
    for box in boxes.values():
        _draw_box(axis, box)
    for arrow in (row for row in rows if row["kind"] == "arrow"):
        _draw_arrow(axis, boxes[arrow["from"]], boxes[arrow["to"]])
    return figure


def _draw_box(axis: Axes, box: Mapping[str, Any]) -> None:
    x, y, group = box["x"], box["y"], box["group"]
    if box["kind"] == "title":
        axis.text(x, y, box["label"], ha="center", va="center", fontweight="bold", color=COLOURS[group])
        return
    axis.add_patch(
        FancyBboxPatch(
            (x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2),
            BOX_WIDTH,
            BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=1.2",
            facecolor=PALE[group],
            edgecolor=COLOURS[group],
            linewidth=1.0,
        )
    )
    lines = box["label"].split(NEW_LINE)
    if box["id"] == NETWORK:
        _draw_networks(axis, x, y + 1.8)
        axis.text(x, y - BOX_HEIGHT / 2 + 2.0, lines[0], ha="center", va="center", fontsize=SMALL + 0.5)
        return
    titled = group == "application"
    spacing = (BOX_HEIGHT - 2.2) / max(len(lines), 3.4)
    for number, line in enumerate(lines):
        axis.text(
            x,
            y + spacing * ((len(lines) - 1) / 2 - number),
            line,
            ha="center",
            va="center",
            fontsize=SMALL + 1.0 if titled and number == 0 else SMALL if titled else SMALL + 0.5,
            fontweight="bold" if titled and number == 0 else "normal",
        )


def _draw_networks(axis: Axes, x: float, y: float) -> None:
    """Two small networks with one input and two hidden layers: energy and entropy."""
    for shift, output in ((-7.8, "$E^{(k)}$"), (6.9, "$S^{(k)}$")):
        layers = [[(x + shift - 5.0, y)]]
        layers += [[(x + shift + dx, y + dy) for dy in (-2.7, 0.0, 2.7)] for dx in (-1.8, 1.4)]
        layers += [[(x + shift + 4.2, y)]]
        for left, right in pairwise(layers):
            for a in left:
                for b in right:
                    axis.add_patch(FancyArrowPatch(a, b, arrowstyle="-", color="#9BB8AC", linewidth=0.5))
        for layer in layers:
            for cx, cy in layer:
                axis.add_patch(Circle((cx, cy), 0.65, color=COLOURS["network"], zorder=3))
        axis.text(x + shift + 5.0, y + 0.1, output, ha="left", va="center", fontsize=SMALL)


def _draw_arrow(axis: Axes, start: Mapping[str, Any], end: Mapping[str, Any]) -> None:
    if start["x"] == end["x"]:
        down = 1.0 if end["y"] < start["y"] else -1.0
        points = [
            (start["x"], start["y"] - down * BOX_HEIGHT / 2),
            (end["x"], end["y"] + down * BOX_HEIGHT / 2),
        ]
    else:
        points = _elbow(
            (start["x"] + BOX_WIDTH / 2, start["y"]),
            (end["x"] - BOX_WIDTH / 2, end["y"]),
        )
    axis.add_patch(
        FancyArrowPatch(
            path=Path(points),
            arrowstyle="-|>",
            mutation_scale=8,
            color="#444444",
            linewidth=1.0,
            shrinkA=0,
            shrinkB=0,
            joinstyle="miter",
        )
    )


def _elbow(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Right, up or down in the gap between the columns, right again."""
    if start[1] == end[1]:
        return [start, end]
    middle = (start[0] + end[0]) / 2
    return [start, (middle, start[1]), (middle, end[1]), end]


def _wrapped(names: Iterable[str], width: int = 34) -> str:
    """Names separated by commas, in lines of at most `width` characters."""
    lines = [""]
    for name in names:
        longer = f"{lines[-1]}, {name}" if lines[-1] else name
        if len(longer) > width and lines[-1]:
            lines[-1] += ","
            lines.append(name)
        else:
            lines[-1] = longer
    return NEW_LINE.join(lines)
