"""How well two sets of numbers agree: both coefficients of determination, ranks, orders of pairs.

Defined once for all figures and tables of the gas. Where the paper plots the identity, `r2_identity` is
meant; where it fits a line, `r2_affine`. Both are always printed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_BLOCK = 1024  # rows of a comparison of all pairs at a time


class Line(NamedTuple):
    """y = slope x + intercept by least squares, and the part of the variance of y that it explains."""

    slope: float
    intercept: float
    r2: float


class Pairs(NamedTuple):
    """How many pairs there are, and in how many of them both orders agree."""

    number: int
    agreeing: int

    @property
    def rate(self) -> float:
        """Prediction agreement rate; NaN without pairs."""
        return self.agreeing / self.number if self.number else float("nan")


def r2_identity(x: ArrayLike, y: ArrayLike) -> float:
    """1 - sum (y - x)^2 / sum (y - mean y)^2: how well y = x holds; can be below 0."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return float(1 - ((y - x) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def line(x: ArrayLike, y: ArrayLike) -> Line:
    """The line through (x, y) by least squares; its R2 is the squared correlation."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    dx, dy = x - x.mean(), y - y.mean()
    xx, xy, yy = float(dx @ dx), float(dx @ dy), float(dy @ dy)
    slope = xy / xx
    return Line(slope, float(y.mean() - slope * x.mean()), xy * slope / yy)


def r2_affine(x: ArrayLike, y: ArrayLike) -> float:
    """Squared correlation: how well y = a x + b holds with the best a and b."""
    return line(x, y).r2


def same_order(before: Array, after: Array, groups: ArrayLike | None = None) -> Pairs:
    """All ordered pairs (X, Y) with before(X) <= before(Y), and in how many after(X) <= after(Y) too.

    before, after (n,). groups (n,): only pairs within a group count. A state is not paired with itself.
    """
    label = np.zeros(len(before), int) if groups is None else np.asarray(groups)
    count = agreeing = 0
    for group in np.unique(label):
        a, b = before[label == group], after[label == group]
        for start in range(0, len(a), _BLOCK):
            rows = slice(start, start + _BLOCK)
            related = a[rows, None] <= a
            own = np.arange(len(a))[rows]
            related[own - start, own] = False
            count += int(related.sum())
            agreeing += int((related & (b[rows, None] <= b)).sum())
    return Pairs(count, agreeing)
