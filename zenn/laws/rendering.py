"""Pictures of the gas: discs in grey on black, filtered to few pixels by Lanczos's kernel.

The paper draws circles of radius R on 1560 x 1560 pixels and shrinks these to 256 x 256 with a Lanczos
filter. Here the filtered picture of one disc, the integral of the kernel over its area, is computed once for
a grid of places within a pixel; a picture is the sum of such stamps, weighted at the border as the filter is
there, and clipped to 0...255. Row 0 of a picture is y = 0, column 0 is x = 0.

Where drawn discs overlap their light adds up before it is filtered: nothing at the paper's radius, where
discs hardly do, and deliberate where they are drawn larger for small pictures.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from zenn.compiling import compiling

LOBES = 3
"""Of the Lanczos kernel sinc(t) sinc(t / 3), in pixels of the small picture."""

PHASES = 32
"""Places within a pixel, in each direction, that a disc's centre is rounded to."""

_POINTS = 64  # of the quadrature over a disc, in each direction
_Stamps = NDArray[np.float32]


def render(
    positions: NDArray[np.floating[Any]], length: float, radius: float, pixels: int
) -> NDArray[np.uint8]:
    """Pictures (..., pixels, pixels) of discs at `positions` (..., 2, N) in a container of side `length`.

    radius : of the discs as drawn, in the units of `length`.
    """
    places = np.ascontiguousarray(positions, dtype=np.float32)
    batch = places.shape[:-2]
    flat = places.reshape(-1, 2, places.shape[-1])
    pictures = np.empty((len(flat), pixels, pixels), np.uint8)
    stamps, border = _stamps(radius * pixels / length), _border(pixels)
    _compile()
    _render(flat, np.float32(pixels / length), stamps, border, pictures)
    return pictures.reshape(*batch, pixels, pixels)


def _lanczos(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(t) < LOBES, np.sinc(t) * np.sinc(t / LOBES), 0.0)


@cache
def _stamps(radius: float) -> _Stamps:
    """Filtered discs (PHASES, PHASES, W, W): phase in y and x, rows, columns; radius in pixels."""
    half = math.floor(LOBES + 0.5 + radius)
    pixels = np.arange(-half, half + 1)
    points = ((np.arange(_POINTS) + 0.5) / _POINTS * 2 - 1) * radius
    inside = points[:, None] ** 2 + points**2 < radius**2
    phases = (np.arange(PHASES) + 0.5) / PHASES - 0.5
    kernel = _lanczos(pixels[None, :, None] - phases[:, None, None] - points) / _norm()
    scale = 255 * math.pi * radius**2 / inside.sum()
    stamps = np.einsum("arp,pq,bcq->abrc", kernel, inside, kernel, optimize=True)
    return np.asarray(scale * stamps, dtype=np.float32)


@cache
def _norm() -> float:
    t = np.linspace(-LOBES, LOBES, 60001)
    return float(np.trapezoid(_lanczos(t), t))


@cache
def _border(pixels: int) -> NDArray[np.float32]:
    """What a pixel near the border is weighted by (pixels,), for the part of the kernel that lies outside."""
    t = np.linspace(-LOBES, LOBES, 60001)
    kernel = _lanczos(t) / _norm()
    below = np.concatenate([[0.0], np.cumsum((kernel[1:] + kernel[:-1]) / 2 * np.diff(t))])
    centres = np.arange(pixels) + 0.5
    part = np.interp(pixels - centres, t, below) - np.interp(-centres, t, below)
    return np.asarray(1 / part, dtype=np.float32)


_compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})


@_compiled
def _quantise(values, factor, factors, row):  # type: ignore[no-untyped-def]
    """One row of a picture in grey levels."""
    for c in range(row.size):
        value = values[c] * (factor * factors[c]) + np.float32(0.5)
        row[c] = np.int32(min(max(value, np.float32(0)), np.float32(255)))  # to uint8 at once is slow


@_compiled
def _render(positions, scale, stamps, border, pictures):  # type: ignore[no-untyped-def]
    size = pictures.shape[1]
    width = stamps.shape[2]
    half = width // 2
    # room for stamps that reach over the border
    canvas = np.empty((size + 2 * half + 2, size + 2 * half + 2), np.float32)
    for k in range(positions.shape[0]):
        canvas[:] = 0
        for i in range(positions.shape[2]):
            u, v = positions[k, 0, i] * scale, positions[k, 1, i] * scale
            column = min(max(int(u), 0), size)
            row = min(max(int(v), 0), size)
            across = min(max(int((u - column) * PHASES), 0), PHASES - 1)
            down = min(max(int((v - row) * PHASES), 0), PHASES - 1)
            stamp = stamps[down, across]
            for r in range(width):
                line = canvas[row + r]
                for c in range(width):
                    line[column + c] += stamp[r, c]
        for r in range(size):
            _quantise(canvas[r + half, half : half + size], border[r], border, pictures[k, r])


@cache
def _compile() -> None:
    """Compile the kernel, or load it, while no other job does."""
    with compiling(Path(__file__).parent):
        picture = np.empty((1, 8, 8), np.uint8)
        _render(np.zeros((1, 2, 1), np.float32), np.float32(1), _stamps(1.0), _border(8), picture)
