"""Arithmetic of truncated Taylor series: exact derivatives of a composite without finite differences.

A series is an array whose first axis holds the coefficients c_j = f^(j) / j! of f(V + t) = sum_j c_j t^j; the
other axes are a batch and broadcast. The recurrences are those of Griewank and Walther, "Evaluating
Derivatives", 2nd ed. (SIAM, 2008), chapter 13, doi:10.1137/1.9780898717761.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


def multiply(a: Series, b: Series) -> Series:
    """Product of two series of one order, shape (order + 1, batch...)."""
    return np.stack([sum(a[i] * b[j - i] for i in range(j + 1)) for j in range(len(a))])


def exponential(a: Series) -> Series:
    """exp of a series, shape (order + 1, batch...)."""
    result = [np.exp(a[0])]
    for j in range(1, len(a)):
        result.append(sum(i * a[i] * result[j - i] for i in range(1, j + 1)) / j)
    return np.stack(result)


def logarithm(a: Series) -> Series:
    """ln of a series with a[0] > 0, shape (order + 1, batch...)."""
    result = [np.log(a[0])]
    for j in range(1, len(a)):
        inner = sum(i * result[i] * a[j - i] for i in range(1, j))
        result.append((a[j] - inner / j) / a[0])
    return np.stack(result)


def power(base: Series, exponent: float, order: int) -> Series:
    """Series of V^exponent at V = `base`, shape (order + 1, batch...)."""
    result = [base**exponent]
    for j in range(order):
        result.append(result[j] * (exponent - j) / ((j + 1) * base))
    return np.stack(result)


def derivatives(a: Series) -> Series:
    """Derivatives f, f', f'', ... of a series: c_j j!, shape (order + 1, batch...)."""
    factorials = np.array([math.factorial(j) for j in range(len(a))], dtype=np.float64)
    return a * factorials.reshape(-1, *[1] * (a.ndim - 1))
