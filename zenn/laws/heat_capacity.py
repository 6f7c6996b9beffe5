"""The exponent c of Eq. 4 that S~ obeys: S~ = alpha_N N [c log u + log(v - b)] + beta_N.

c is fitted by least squares with alpha and beta of each number of discs free: 1 for a gas in two dimensions.
States of one process share its history, so its interval comes from resampling whole processes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95
_RANGE = (-4.0, 4.0)  # of log c that is searched
_STEPS = 60  # of golden sections: past the precision of a double


class Exponent(NamedTuple):
    """c by least squares, and its 95 % interval (percentiles over resampled processes)."""

    value: float
    low: float
    high: float


def heat_capacity_exponent(
    s: Array,
    heat: Array,
    volume: Array,
    particles: Integers,
    processes: Integers,
    resamples: int,
    seed: int,
) -> Exponent:
    """c from representations s (n,), log u (n,) `heat` and log(v - b) (n,) `volume`.

    Processes are resampled within each number of discs.

    Raises
    ------
    InputError : fewer than two processes of a number of discs, from which no interval can be had.
    """
    moments: list[Array] = []
    for count in np.unique(particles):
        chosen = particles == count
        own = np.unique(processes[chosen])
        if len(own) < 2:
            found = f"{len(own)} process of {count} discs"
            raise InputError("argument processes", "", found, "two or more of each number of discs")
        columns = np.stack([np.ones(chosen.sum()), heat[chosen], volume[chosen], s[chosen]])
        parts = [columns[:, processes[chosen] == process] for process in own]
        moments.append(np.stack([part @ part.T for part in parts]))
    rng = np.random.default_rng(seed)
    weights = [
        rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=resamples).astype(float)
        for own in moments
    ]
    value = _minimum([own.sum(axis=0)[None] for own in moments])[0]
    spread = _minimum([np.einsum("rp,pij->rij", w, own) for w, own in zip(weights, moments, strict=True)])
    low, high = np.quantile(spread, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Exponent(float(value), float(low), float(high))


def _minimum(moments: list[Array]) -> Array:
    """c of least squares for each of the second moments (r, 4, 4) of 1, log u, log(v - b), S~."""
    central = [_central(own) for own in moments]
    low, high = (np.full(len(moments[0]), end) for end in _RANGE)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(_STEPS):
        width = ratio * (high - low)
        left, right = high - width, low + width
        falls = _residual(central, np.exp(left)) > _residual(central, np.exp(right))
        low, high = np.where(falls, left, low), np.where(falls, high, right)
    return np.asarray(np.exp((low + high) / 2))


def _central(moments: Array) -> Array:
    """Sums of squares and products about the means (r, 3, 3)."""
    mean = moments[:, 0, 1:] / moments[:, :1, 0]
    return np.asarray(moments[:, 1:, 1:] - moments[:, :1, :1] * mean[:, :, None] * mean[:, None, :])


def _residual(central: list[Array], c: Array) -> Array:
    total = np.zeros_like(c)
    for m in central:
        xx = c**2 * m[:, 0, 0] + 2 * c * m[:, 0, 1] + m[:, 1, 1]
        xy = c * m[:, 0, 2] + m[:, 1, 2]
        total += m[:, 2, 2] - xy**2 / xx
    return total
