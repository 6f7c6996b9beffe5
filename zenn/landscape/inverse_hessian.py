"""A dense inverse Hessian whose latest updates are kept beside it.

To change a matrix of some thousand rows moves more memory than all else in a step, to read it half as much.
So updates of rank two are collected, and go into the matrix many at a time; until the first time there is no
matrix at all, only the unit matrix. In exact arithmetic nothing is different.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

Array = NDArray[np.float64]

_COLLECTED = 32
"""Updates that go into the matrix at a time."""

_SHARE = 16
"""Rows per update that waits for the first matrix; with half as many a matrix would be cheaper to read."""


class InverseHessian:
    """scale (matrix + the sum of s o. + o s. over pairs of vectors); changed in place by `update`.

    scale : a positive number. matrix : lower triangle, shape (n, n), column by column, or None for the unit
    matrix. pairs : s and o in turn, shape (n, 2 m), column by column.
    """

    def __init__(self, scale: float, pairs: Array, matrix: Array | None = None) -> None:
        self.scale, self.matrix = scale, matrix
        self._count = 0
        self._room = self._made(len(pairs))
        self._count = pairs.shape[1]
        self._room[:, : self._count] = pairs

    @classmethod
    def diagonal(cls, size: int, scale: float) -> InverseHessian:
        """The unit matrix times a number."""
        return cls(scale, np.empty((size, 0)))

    @property
    def pairs(self) -> Array:
        """Vectors of the updates that are not in the matrix yet."""
        return self._room[:, : self._count]

    def product(self, vector: Array) -> Array:
        """The matrix times a vector, shape (n,)."""
        base = vector if self.matrix is None else blas.dsymv(1.0, self.matrix, vector, lower=1)
        if not self._count:
            return np.asarray(self.scale * base)
        pairs = self.pairs
        turned = (pairs.T @ vector).reshape(-1, 2)[:, ::-1].reshape(-1)
        return np.asarray(self.scale * (base + pairs @ turned))

    def update(self, one: Array, other: Array, ratio: float) -> None:
        """Add one other. + other one. and divide by `ratio`."""
        if self._count == self._room.shape[1]:
            self._collect()
        self._room[:, self._count] = one
        np.divide(other, self.scale, out=self._room[:, self._count + 1])
        self._count += 2
        self.scale /= ratio

    def _collect(self) -> None:
        """Put the updates into the matrix."""
        if self.matrix is None:
            self.matrix = np.asfortranarray(np.eye(len(self._room)))
        ones, others = (np.asfortranarray(self.pairs[:, i::2]) for i in (0, 1))
        self.matrix = blas.dsyr2k(1.0, ones, others, beta=1.0, c=self.matrix, overwrite_c=1, lower=1)
        self._count = 0
        self._room = self._made(len(self._room))

    def _made(self, size: int) -> Array:
        updates = _COLLECTED if self.matrix is not None else max(_COLLECTED, size // _SHARE)
        return np.empty((size, 2 * updates), order="F")
