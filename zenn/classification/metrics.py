"""How good predicted probabilities are, and how sure a difference between two methods is.

Scores take ln p(k | x), shape (N, K), and labels, shape (N,): logarithms, so that no confident mistake has a
probability that was rounded to zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from zenn.errors import InputError

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

ECE_BINS = 15
_SCALES = (1e-3, 1e3)  # where the temperature of temperature scaling is sought


@dataclass(frozen=True)
class Scores:
    """What is reported of one prediction; smaller is better."""

    error: float
    nll: float
    brier: float
    ece: float


def scores(log_probabilities: Array, labels: Labels) -> Scores:
    """All of them."""
    return Scores(
        error(log_probabilities, labels),
        nll(log_probabilities, labels),
        brier(log_probabilities, labels),
        ece(log_probabilities, labels),
    )


def error(log_probabilities: Array, labels: Labels) -> float:
    """Share of samples whose most likely class is not the label.

    >>> error(np.log([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]))
    0.5
    """
    _check(log_probabilities, labels)
    return float(np.mean(log_probabilities.argmax(axis=1) != labels))


def nll(log_probabilities: Array, labels: Labels) -> float:
    """Mean of -ln p(label | x), in nats.

    >>> round(nll(np.log([[0.5, 0.5]]), np.array([0])), 6)  # ln 2
    0.693147
    """
    _check(log_probabilities, labels)
    return float(-np.mean(log_probabilities[np.arange(len(labels)), labels]))


def brier(log_probabilities: Array, labels: Labels) -> float:
    """Mean over samples of the sum over classes of (p_k - y_k)^2, from 0 to 2 (Brier 1950).

    >>> brier(np.log([[0.5, 0.5]]), np.array([0]))
    0.5
    """
    _check(log_probabilities, labels)
    off = np.exp(log_probabilities)
    off[np.arange(len(labels)), labels] -= 1
    return float(np.mean(np.sum(off**2, axis=1)))


def ece(log_probabilities: Array, labels: Labels, bins: int = ECE_BINS) -> float:
    """Expected calibration error of the most likely class, in bins of equal width (Guo et al., ICML 2017).

    The mean over samples of |accuracy - mean confidence| of the bin that a sample is in; bins are (a, b].

    >>> round(ece(np.log([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1])), 6)
    0.25
    """
    _check(log_probabilities, labels)
    if bins < 1:
        raise InputError("argument bins", "", bins, "1 or more")
    chosen = log_probabilities.argmax(axis=1)
    confidence = np.exp(log_probabilities[np.arange(len(labels)), chosen])
    own = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(own, (chosen == labels) - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def fit_scaling(log_probabilities: Array, labels: Labels) -> float:
    """The tau of temperature scaling, p -> softmax(ln p / tau), with the lowest NLL (Guo et al. 2017).

    Fit it on validation samples, never on those it is judged by. The NLL is convex in 1 / tau; where it still
    falls at the ends of 1e-3 to 1e3 (no mistake in the samples, or only mistakes) the end is returned.
    """
    _check(log_probabilities, labels)
    found = optimize.minimize_scalar(
        lambda log_tau: nll(scaled(log_probabilities, math.exp(log_tau)), labels),
        bounds=tuple(map(math.log, _SCALES)),
        method="bounded",
        options={"xatol": 1e-9, "maxiter": 500},
    )
    return math.exp(float(found.x))


def scaled(log_probabilities: Array, tau: float) -> Array:
    """ln softmax(ln p / tau), (N, K): predictions after temperature scaling.

    >>> np.exp(scaled(np.log([[0.8, 0.2]]), 0.5)).round(6)  # 0.64 and 0.04, normalised
    array([[0.941176, 0.058824]])
    """
    if not 0 < tau < math.inf:
        raise InputError("argument tau", "", tau, "a positive number")
    result: Array = special.log_softmax(log_probabilities / tau, axis=1)
    return result


@dataclass(frozen=True)
class PairedDifference:
    """A mean difference over pairs (seeds), the t interval that contains it, and both means."""

    mean: float
    low: float
    high: float
    pairs: int
    first: float
    second: float

    @property
    def decided(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def paired_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> PairedDifference:
    """first - second over pairs with the same seed and data, shape (seeds,), with a t interval.

    Raises
    ------
    InputError : fewer than two pairs, unequal numbers, a value that is not finite.

    >>> found = paired_difference([1.0, 2.0, 4.0], [0.5, 1.0, 2.5])
    >>> found.mean, round(found.low, 3), round(found.high, 3)
    (1.0, -0.242, 2.242)
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise InputError("arguments first, second", "", f"{a.shape} and {b.shape}", "two or more pairs")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("arguments first, second", "", "NaN or infinity", "finite numbers")
    off = a - b
    half = float(stats.t.ppf((1 + level) / 2, len(off) - 1) * off.std(ddof=1) / math.sqrt(len(off)))
    mean = float(off.mean())
    return PairedDifference(mean, mean - half, mean + half, len(off), float(a.mean()), float(b.mean()))


def normalised_mutual_information(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Mutual information of two labellings over the mean of their entropies, from 0 to 1.

    How far the most likely temperature of a sample tells its source. Where one of the two has a single value
    there is nothing to tell, and the result is 0.

    >>> normalised_mutual_information(np.array([0, 0, 1, 1]), np.array([5, 5, 3, 3]))
    1.0
    """
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise InputError("arguments", "", f"{first.shape} and {second.shape}", "two labels for every sample")
    _, i = np.unique(first, return_inverse=True)
    _, j = np.unique(second, return_inverse=True)
    joint = np.zeros((i.max() + 1, j.max() + 1))
    np.add.at(joint, (i, j), 1 / len(i))
    of_first, of_second = (_entropy(joint.sum(axis=axis)) for axis in (1, 0))
    if min(of_first, of_second) == 0:
        return 0.0
    shared = of_first + of_second - _entropy(joint)
    return float(np.clip(2 * shared / (of_first + of_second), 0, 1))


def _entropy(probabilities: Array) -> float:
    return float(special.entr(probabilities).sum())


def _check(log_probabilities: Array, labels: Labels) -> None:
    if log_probabilities.ndim != 2 or not len(log_probabilities):
        found = f"shape {log_probabilities.shape}"
        raise InputError("argument log_probabilities", "", found, "(N, K), one sample or more")
    N, K = log_probabilities.shape
    if np.isnan(log_probabilities).any():
        raise InputError("argument log_probabilities", "", "NaN", "logarithms of probabilities")
    if labels.shape != (N,):
        raise InputError("argument labels", "", f"shape {labels.shape}", f"({N},), one per sample")
    bad = np.flatnonzero((labels < 0) | (labels >= K))
    if len(bad):
        raise InputError("argument labels", f"sample {bad[0]}", int(labels[bad[0]]), f"0 to {K - 1}")
