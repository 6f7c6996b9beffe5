"""The one style of every figure, and the one way to save it: PNG, PDF and the numbers it shows as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from zenn.errors import ZennError

P = ParamSpec("P")

# Okabe & Ito (2008): distinguishable under the common colour deficiencies.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#7F7F7F"
SEQUENCE = mpl.colormaps["viridis"]  # perceptually uniform, also in grey

RC: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,  # text stays text
    "svg.hashsalt": "zenn",  # element names do not change from run to run
}
COLUMN_WIDTH = 3.4  # inch, one journal column
PAGE_WIDTH = 7.0


@contextmanager
def project_style() -> Iterator[None]:
    """The project's settings over matplotlib's defaults: a user's matplotlibrc changes nothing."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw with the project's settings: matplotlib reads them when an element is made, not when saved."""

    @wraps(draw)
    def styled(*arguments: P.args, **named: P.kwargs) -> Figure:
        with project_style():
            return draw(*arguments, **named)

    return styled


def new_figure(columns: int = 1, rows: int = 1, width: float = COLUMN_WIDTH, height: float = 2.8) -> Figure:
    """An empty figure with `rows` x `columns` axes; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.subplots(rows, columns)
    return figure


def sequential_colours(number: int) -> list[tuple[float, float, float, float]]:
    """`number` colours for an ordered quantity (temperature), dark to light without the palest end."""
    return [SEQUENCE(0.9 * i / max(number - 1, 1)) for i in range(number)]


def label_panels(axes: Sequence[Axes]) -> None:
    """(a), (b), ... above the upper left corner of each panel."""
    for letter, axis in zip("abcdefgh", axes, strict=False):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")


def save(figure: Figure, numbers: pd.DataFrame, folder: Path, name: str) -> None:
    """Write `name.png`, `name.pdf` and `name.csv` into `folder`; equal input gives equal bytes.

    `numbers` is what the figure shows, with units in its column names.

    Raises
    ------
    ZennError : a curve of the figure is not in `numbers`.
    """
    refuse_undocumented_curves(figure, numbers, name)
    with project_style():
        drawn = BytesIO()
        figure.savefig(drawn, metadata={"Software": None})
        figure.savefig(
            folder / f"{name}.pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None}
        )
    with Image.open(drawn) as picture:
        # 256 colours cannot be told from all of them in a drawing, and take a third of the room
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(folder / f"{name}.png", optimize=True, dpi=picture.info["dpi"])
    save_table(numbers, folder, name)


def refuse_undocumented_curves(figure: Figure, numbers: pd.DataFrame, name: str) -> None:
    """Every curve in data coordinates must lie in the table: its x in one column, its y in another.

    Raises
    ------
    ZennError : one does not; names figure, panel and curve.
    """
    columns = [numbers[c].to_numpy() for c in numbers if pd.api.types.is_numeric_dtype(numbers[c])]
    for panel, axis in enumerate(figure.axes):
        for line in axis.get_lines():
            if line.get_transform() != axis.transData:
                continue  # a marking line across the panel, not data
            for direction, values in zip("xy", line.get_data(), strict=True):
                if not any(np.isin(values, column).all() for column in columns):
                    raise ZennError(
                        f"{name}, panel {panel}, curve '{line.get_label()}': found {direction} values that "
                        "no column of its table holds, expected the figure to show what its CSV says"
                    )


def save_table(numbers: pd.DataFrame, folder: Path, name: str) -> None:
    """Write `name.csv`; numbers keep twelve significant digits."""
    numbers.to_csv(folder / f"{name}.csv", index=False, float_format="%.12g", lineterminator="\n")
