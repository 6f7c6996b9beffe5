"""The points of a landscape as a grid: their quadrature, and which of them stand at every temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def grid_weights(points: Array) -> tuple[Array, str]:
    """Weights of a quadrature over points of shape (N, d), shape (N,), and its name.

    The trapezoidal rule in one dimension; its product where the points are all of a tensor grid; equal
    weights otherwise. Points in any order, all different.

    >>> grid_weights(np.array([[0.0], [1.0], [3.0]]))
    (array([0.5, 1.5, 1. ]), 'trapezoidal')
    """
    axes, places = zip(*(np.unique(x, return_inverse=True) for x in points.T), strict=True)
    if np.prod([len(axis) for axis in axes], dtype=float) != len(points) or min(map(len, axes)) < 2:
        return np.full(len(points), 1 / len(points)), "equal"
    weights = np.ones(len(points))
    for axis, place in zip(axes, places, strict=True):
        weights = weights * trapezoidal_weights(axis)[place]
    return weights, "trapezoidal"


def trapezoidal_weights(x: Array) -> Array:
    """Weights of the trapezoidal rule at increasing x, shape (N,), N >= 2."""
    steps = np.diff(x)
    return np.asarray((np.append(steps, 0.0) + np.append(0.0, steps)) / 2)
