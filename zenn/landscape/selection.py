"""How many configurations a landscape needs: K grows until data that were held out are met no better.

Wang et al., ZENN, increase K "until the loss converges"; the loss of a fit falls on with every parameter, so
the error where nothing was fitted decides here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError
from zenn.landscape.landscapes import Landscape
from zenn.landscape.reduced import density_shares
from zenn.landscape.surface import Surface

Array = NDArray[np.float64]

STRIDE = 4
"""Every fourth temperature or point between the outermost is held out."""

AHEAD = 2
"""Next values of K that have to bring no gain, so that one bad fit does not end the search."""

TOLERANCE, MOST = 0.2, 12
FLOOR = 1e-4
"""Of k_B T_d: an error below it is small enough, whatever the gain."""


@dataclass(frozen=True)
class Score:
    """Errors of the fit with K configurations: `rms_error` of what was held out and of what was fitted."""

    configurations: int
    held_out: float
    fitted: float


@dataclass(frozen=True)
class Selection:
    """The chosen K, and a score for K = 1, 2, ...; `settled` is False where K at its most still gained."""

    configurations: int
    scores: tuple[Score, ...]
    settled: bool


def held_out(landscape: Landscape) -> tuple[Landscape, Landscape, str]:
    """What is fitted, what is held out, and what that is in words.

    Every fourth interior temperature is held out; with fewer than three temperatures, every fourth point
    that is no corner of the window.

    Raises
    ------
    InputError : too few temperatures and points to hold any out.
    """
    M, N = landscape.free_energies.shape
    if M > 2:
        rows = np.zeros(M, dtype=bool)
        rows[1 : M - 1 : STRIDE] = True
        said = f"{rows.sum()} of {M} temperatures, every fourth between the outermost"
        return _at_temperatures(landscape, ~rows), _at_temperatures(landscape, rows), said
    edges = [
        np.isin(x, (low, high)) for x, (low, high) in zip(landscape.points.T, landscape.domain, strict=True)
    ]
    inner = np.flatnonzero(~np.all(edges, axis=0))
    if len(inner) < STRIDE:
        raise InputError("argument landscape", "", f"{N} points", "enough to hold every fourth of them out")
    points = np.zeros(N, dtype=bool)
    points[inner[1::STRIDE]] = True
    said = f"{points.sum()} of {N} points, every fourth between the outermost"
    return _at_points(landscape, ~points), _at_points(landscape, points), said


def rms_error(surface: Surface, landscape: Landscape) -> float:
    """Root mean square of F less the data's, one constant per temperature removed, in units of F.

    Points count as they do in the density exp(-F / (k_B T_d)), which is what a fit sees of them.
    """
    M, N = landscape.free_energies.shape
    at = surface.expansion(np.tile(landscape.points, (M, 1)), np.repeat(landscape.temperatures, N), 0)
    off = at.free_energy.reshape(M, N) - landscape.free_energies
    shares = density_shares(landscape)
    off = off - np.sum(shares * off, axis=1, keepdims=True)
    return float(np.sqrt(np.mean(np.sum(shares * off**2, axis=1))))


def sufficient(errors: Sequence[float], tolerance: float, floor: float = 0.0) -> int | None:
    """The place of the first error that the next two do not improve by more than a share `tolerance`.

    An error below `floor` is small enough by itself. None while there is no such error.

    >>> sufficient([1.0, 0.3, 0.29, 0.31], tolerance=0.2)
    1
    >>> sufficient([1.0, 1.1, 0.3], tolerance=0.2) is None
    True
    """
    for i, error in enumerate(errors):
        if error <= floor:
            return i
        following = errors[i + 1 : i + 1 + AHEAD]
        if len(following) == AHEAD and min(following) > (1 - tolerance) * error:
            return i
    return None


def select(
    landscape: Landscape,
    fitted: Callable[[int, Landscape], Surface],
    tolerance: float = TOLERANCE,
    most: int = MOST,
    told: Callable[[Score], None] = lambda score: None,
) -> Selection:
    """Fit K = 1, 2, ... to a part of the landscape until the rest is met no better.

    `fitted` makes the fit of K configurations to a landscape. The chosen K is the smallest whose two
    successors lower the held-out `rms_error` by less than the share `tolerance`, or whose error is below
    `FLOOR` thermal energies; the best one if there is none up to `most`. `told` hears each score.

    Raises
    ------
    InputError : as `held_out`; a tolerance outside 0 to 1, or no K to try.
    """
    if not 0 < tolerance < 1:
        raise InputError("argument tolerance", "", tolerance, "a number between 0 and 1")
    if most < 1:
        raise InputError("argument most", "", most, "1 or more")
    training, rest, _ = held_out(landscape)
    floor = FLOOR * landscape.boltzmann_constant * float(landscape.density_temperature.mean())
    scores: list[Score] = []
    for K in range(1, most + 1):
        surface = fitted(K, training)
        scores.append(Score(K, rms_error(surface, rest), rms_error(surface, training)))
        told(scores[-1])
        found = sufficient([score.held_out for score in scores], tolerance, floor)
        if found is not None:
            return Selection(scores[found].configurations, tuple(scores), True)
    best = min(scores, key=lambda score: score.held_out)
    return Selection(best.configurations, tuple(scores), False)


def _at_temperatures(landscape: Landscape, rows: NDArray[np.bool_]) -> Landscape:
    """The landscape at some of its temperatures."""
    return replace(
        landscape,
        temperatures=landscape.temperatures[rows],
        free_energies=landscape.free_energies[rows],
        density_temperature=landscape.density_temperature[rows],
        slopes=None if landscape.slopes is None else landscape.slopes[rows],
        entropies=None if landscape.entropies is None else landscape.entropies[rows],
    )


def _at_points(landscape: Landscape, kept: NDArray[np.bool_]) -> Landscape:
    """The landscape at some of its points; each keeps its weight."""
    return replace(
        landscape,
        points=landscape.points[kept],
        weights=landscape.weights[kept],
        free_energies=landscape.free_energies[:, kept],
        slopes=None if landscape.slopes is None else landscape.slopes[:, kept],
        entropies=None if landscape.entropies is None else landscape.entropies[:, kept],
    )
