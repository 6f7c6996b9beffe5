"""Compound, scaled and dusted states, made from pictures of simple ones (Figs 4, 6 and 8).

Pictures (..., pixels, pixels) of grey levels: row 0 is y = 0, column 0 is x = 0. A cut goes between two
pixels: what is asked for as lambda becomes `cut(lambda, pixels) / pixels`, and comparisons use that.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.errors import InputError

Pictures = NDArray[np.uint8]
Region = Literal["bottom", "right"]
Cut = Literal["rows", "columns"]


def cut(part: float, pixels: int) -> int:
    """Whole pixels nearest to a part of a side."""
    return int(np.floor(part * pixels + 0.5))


def columns_of(widths: ArrayLike, length: float, pixels: int) -> NDArray[np.int64]:
    """Where the piston stands, in whole pixels, for widths L_x in a container of side L."""
    return np.asarray(np.floor(np.asarray(widths, float) / length * pixels + 0.5), dtype=np.int64)


def scaled(pictures: Pictures, part: float, region: Region, columns: ArrayLike | None = None) -> Pictures:
    """lambda X: what lies beyond the part lambda of the gas is black (Fig. 4b).

    pictures (n, frames, pixels, pixels). `bottom`: all rows from lambda L on. `right`: all columns from
    lambda L_x on; `columns` (n,) says where the piston stands, in pixels.
    """
    made = np.array(pictures)
    pixels = made.shape[-1]
    if region == "bottom":
        made[..., cut(part, pixels) :, :] = 0
        return made
    if columns is None:
        raise InputError("argument columns", "", "nothing", "the piston's place for each picture")
    for one, column in zip(made, np.asarray(columns), strict=True):
        one[..., cut(part, int(column)) :] = 0
    return made


def halves(first: Pictures, second: Pictures) -> Pictures:
    """(X, X') of two states whose pistons stand in the middle: their halves with the gas, side by side."""
    middle = first.shape[-1] // 2
    return np.concatenate([first[..., :middle], second[..., :middle]], axis=-1)


def joined(first: Pictures, second: Pictures, part: float, along: Cut = "rows", column: int = 0) -> Pictures:
    """(lambda X, (1 - lambda) Y): that part of the one picture and the rest of the other (Fig. 8).

    `rows` cuts at y = lambda L and suits any two states of equal L. `columns` cuts at x = lambda L_x, where
    `column` says at which pixel both pistons stand.
    """
    made = np.array(first)
    if along == "rows":
        place = cut(part, made.shape[-2])
        made[..., place:, :] = second[..., place:, :]
    else:
        place = cut(part, column)
        made[..., place:] = second[..., place:]
    return made


def dust_side(epsilon: float, pixels: int) -> int:
    """Side in whole pixels, one at least, of a square that is about the part epsilon of a picture."""
    return max(1, cut(float(np.sqrt(epsilon)), pixels))


def dusted(pictures: Pictures, dust: Pictures, side: int) -> Pictures:
    """(X, epsilon Z): a square of Z in the place of the same square of X, amid the half that is always gas.

    pictures (..., pixels, pixels); dust of the same trailing shape, e.g. of one state for all of them.
    """
    made = np.array(pictures)
    pixels = made.shape[-1]
    place: Any = (..., _amid(pixels / 2, side, pixels), _amid(pixels / 4, side, pixels))
    made[place] = dust[place]
    return made


def _amid(centre: float, side: int, pixels: int) -> slice:
    start = min(max(int(np.floor(centre - side / 2 + 0.5)), 0), pixels - side)
    return slice(start, start + side)
