"""Arithmetic of truncated Taylor series: exact derivatives of a composite without finite differences.

A series is an array whose first axis holds the coefficients c_j = f^(j) / j! of f(x + t) = sum_j c_j t^j; the
other axes are a batch and broadcast. For numpy arrays and torch tensors alike; torch differentiates through
them. The recurrences are those of Griewank and Walther, "Evaluating Derivatives", 2nd ed. (SIAM, 2008),
chapter 13, doi:10.1137/1.9780898717761.
"""

from __future__ import annotations

import math
from typing import Any

from zenn.arrays import array_namespace

Series = Any  # numpy.ndarray or torch.Tensor, shape (order + 1, batch...)


def multiply(a: Series, b: Series) -> Series:
    """Product of two series of one order."""
    return _stack([sum(a[i] * b[j - i] for i in range(j + 1)) for j in range(len(a))])


def divide(a: Series, b: Series) -> Series:
    """Quotient of two series of one order, b[0] not zero."""
    result: list[Any] = []
    for j in range(len(a)):
        result.append((a[j] - sum(result[i] * b[j - i] for i in range(j))) / b[0])
    return _stack(result)


def exponential(a: Series) -> Series:
    """exp of a series."""
    result = [array_namespace(a).exp(a[0])]
    for j in range(1, len(a)):
        result.append(_integrated(a, result, j))
    return _stack(result)


def logarithm(a: Series) -> Series:
    """ln of a series with a[0] > 0."""
    result = [array_namespace(a).log(a[0])]
    for j in range(1, len(a)):
        inner = sum(i * result[i] * a[j - i] for i in range(1, j))
        result.append((a[j] - inner / j) / a[0])
    return _stack(result)


def hyperbolic_tangent(a: Series) -> Series:
    """tanh of a series: its derivative is 1 - tanh^2."""
    result = [array_namespace(a).tanh(a[0])]
    slope = [1 - result[0] * result[0]]
    for j in range(1, len(a)):
        result.append(_integrated(a, slope, j))
        slope.append(-sum(result[i] * result[j - i] for i in range(j + 1)))
    return _stack(result)


def softplus(a: Series) -> Series:
    """ln(1 + exp) of a series: its derivative is the logistic function."""
    xp = array_namespace(a)
    decay = xp.exp(-xp.abs(a[0]))
    result = [xp.where(a[0] > 0, a[0], 0 * a[0]) + xp.log1p(decay)]
    if len(a) == 1:
        return _stack(result)
    logistic = [xp.where(a[0] > 0, 1 / (1 + decay), decay / (1 + decay))]
    slope = [logistic[0] * (1 - logistic[0])]
    for j in range(1, len(a)):
        result.append(_integrated(a, logistic, j))
        logistic.append(_integrated(a, slope, j))
        slope.append(logistic[j] - sum(logistic[i] * logistic[j - i] for i in range(j + 1)))
    return _stack(result)


def power(base: Any, exponent: float, order: int) -> Series:
    """Series of x^exponent at x = `base`, shape (order + 1, batch...)."""
    result = [base**exponent]
    for j in range(order):
        result.append(result[j] * (exponent - j) / ((j + 1) * base))
    return _stack(result)


def derivatives(a: Series) -> Series:
    """Derivatives f, f', f'', ... of a series: c_j j!."""
    return _stack([a[j] * math.factorial(j) for j in range(len(a))])


def _integrated(a: Series, slope: list[Any], j: int) -> Any:
    """Coefficient j of f(a) from the coefficients of f'(a)."""
    return sum(i * a[i] * slope[j - i] for i in range(1, j + 1)) / j


def _stack(coefficients: list[Any]) -> Series:
    return array_namespace(coefficients[0]).stack(coefficients)
