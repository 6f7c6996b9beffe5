"""How many configurations and steps a landscape needs: until held-out data are met no better.

Wang et al., ZENN, increase K "until the loss converges"; the loss of a fit falls on with every parameter and
every step, at last by following the noise of the data, so the error where nothing was fitted decides here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

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


class Measured(NamedTuple):
    """Errors (`rms_error`) of a fit after some steps: of what was held out and of what was fitted."""

    iteration: int
    held_out: float
    fitted: float


@dataclass(frozen=True)
class Score:
    """The fit with K configurations where it meets best what was held out."""

    configurations: int
    best: Measured


@dataclass(frozen=True)
class Selection:
    """The chosen score, and those of all K tried; `settled` is False where the last K still gained."""

    chosen: Score
    scores: tuple[Score, ...]
    settled: bool

    @property
    def configurations(self) -> int:
        """The chosen K."""
        return self.chosen.configurations

    @property
    def iterations(self) -> int:
        """The steps after which its fit is best."""
        return self.chosen.best.iteration


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


def marks(iterations: int) -> frozenset[int]:
    """Steps at which a fit is measured: closer together at first, and the last.

    >>> sorted(marks(20))
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 18, 20]
    """
    found, mark = [], 1
    while mark < iterations:
        found.append(mark)
        mark = max(mark + 1, round(1.17 * mark))
    return frozenset([*found, iterations])


def select(
    landscape: Landscape,
    measured: Callable[[int, Landscape, Landscape], Sequence[Measured]],
    tolerance: float = TOLERANCE,
    candidates: Iterable[int] = range(1, MOST + 1),
    told: Callable[[Score], None] = lambda score: None,
) -> Selection:
    """Fit K = 1, 2, ... to a part of the landscape until the rest is met no better.

    `measured` fits K configurations to its second argument, and says how well fit and third are met after one
    or more numbers of steps, of which the best counts. The chosen K is the first of the candidates whose two
    successors lower the held-out error by less than the share `tolerance`, or whose error is below `FLOOR`
    thermal energies; the best one if there is none. `told` hears each score.

    Raises
    ------
    InputError : as `held_out`; a tolerance outside 0 to 1, or no K to try.
    """
    if not 0 < tolerance < 1:
        raise InputError("argument tolerance", "", tolerance, "a number between 0 and 1")
    tried = tuple(candidates)
    if not tried or min(tried) < 1:
        raise InputError("argument candidates", "", tried, "one number or more, each 1 or more")
    training, rest, _ = held_out(landscape)
    floor = FLOOR * landscape.boltzmann_constant * float(landscape.density_temperature.mean())
    scores: list[Score] = []
    for K in tried:
        best = min(measured(K, training, rest), key=lambda one: one.held_out)
        scores.append(Score(K, best))
        told(scores[-1])
        found = sufficient([score.best.held_out for score in scores], tolerance, floor)
        if found is not None:
            return Selection(scores[found], tuple(scores), True)
    return Selection(min(scores, key=lambda one: one.best.held_out), tuple(scores), len(tried) == 1)


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
