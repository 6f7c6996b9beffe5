"""The free energy of a ZENN at fixed points and its gradient, written out: what a fit spends its time on.

`Zenn.series` differentiated by torch gives the same, and tests compare the two. Here points and parameters
are put in order for the compiled loops of `zenn.landscape._kernels`, which do the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from zenn.compiling import compiling
from zenn.landscape.networks import Zenn

Array = NDArray[np.float64]

BLOCK, TILE = 128, 4  # as the kernels', which are imported when they are needed: numba takes its time


class FreeEnergies:
    """F of a ZENN and its derivatives along a line through each of N points, with their gradient.

    points : (x, T) of each, shape (d + 1, N). direction : of the line in (x, T), d + 1 numbers. order : of
    the highest derivative, at most 2. `gradient` belongs to the last call of `series`.
    """

    def __init__(
        self, network: Zenn, points: Array, direction: Sequence[float] | None = None, order: int = 0
    ) -> None:
        self._layout, self._order, self._count = _Layout(network), order, points.shape[1]
        along = np.zeros(len(points)) if direction is None else np.asarray(direction, dtype=float)
        self._start, self._along = _inputs(network, points, along)
        self._constants = _constants(network), network.entropy == "positive"
        blocks, K, size = len(self._start), network.configurations, (order + 1) * BLOCK
        T = np.zeros((blocks, order + 1, BLOCK))
        T[:, 0] = _in_blocks(points[-1:])[:, 0]
        if order:
            T[:, 1] = along[-1]
        self._T = T.reshape(blocks, size)
        self._networks = np.empty(0)
        self._made = np.empty((blocks, 2 * K, (order + 1) * self._layout.rows * BLOCK))
        self._upper, self._lower = np.empty((2, 3 * max(self._layout.widths) * BLOCK))
        self._raw, self._room = np.empty(2 * K * size), np.empty((9, K * size))
        self._F, self._slopes = np.empty((blocks, size)), np.empty((blocks, 2 * K * size))

    def series(self, parameters: Array) -> Array:
        """Taylor series of F, shape (order + 1, N)."""
        self._networks = self._layout.spread(parameters)
        _kernels().free_energies(
            self._networks, self._layout.widths, self._layout.inputs, self._order, self._start, self._along,
            self._T, *self._constants, self._made, self._upper, self._raw, self._room, self._F, self._slopes,
        )  # fmt: skip
        series = self._F.reshape(-1, self._order + 1, BLOCK).transpose(1, 0, 2)
        return np.ascontiguousarray(series.reshape(self._order + 1, -1)[:, : self._count])

    def gradient(self, upstream: Array) -> Array:
        """The gradient of sum(upstream * series) with respect to the parameters, shape (size,)."""
        gradients = np.zeros_like(self._networks)
        weights = _in_blocks(upstream, 0.0).reshape(self._F.shape)
        _kernels().gradient(
            self._networks, gradients, self._layout.widths, self._layout.inputs, self._order, self._start,
            self._along, self._made, self._upper, self._lower, self._slopes, weights, np.empty(3 * BLOCK),
        )  # fmt: skip
        return self._layout.gathered(gradients)


class Concavity:
    """The weighted sum of relu(-d2F_k/dx2) over points and configurations of a ZENN (Eq. 20).

    points : (x, T) of each, shape (d + 1, N), x the first of them. weights : shape (N,).
    """

    def __init__(self, network: Zenn, points: Array, weights: Array) -> None:
        self._layout = _Layout(network)
        self._start, self._along = _inputs(network, points, np.eye(len(points))[0])
        self._T, self._weights = _in_blocks(points[-1:])[:, 0], _in_blocks(weights[None], 0.0)[:, 0]
        self._constants = _constants(network), network.entropy == "positive"
        room = 3 * max(self._layout.widths) * BLOCK
        self._room = (
            np.empty((2, 3 * self._layout.rows * BLOCK)), np.empty(room), np.empty(room),
            np.empty(6 * BLOCK), np.empty(3 * BLOCK), np.empty(3 * BLOCK), np.empty(BLOCK),
            np.empty(3 * BLOCK),
        )  # fmt: skip

    def value_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        """The sum and its gradient, shape (size,)."""
        networks = self._layout.spread(parameters)
        gradients = np.zeros_like(networks)
        total = _kernels().concavity(
            networks, gradients, self._layout.widths, self._layout.inputs, 2, self._start, self._along,
            self._T, self._weights, *self._constants, *self._room,
        )  # fmt: skip
        return float(total), self._layout.gathered(gradients)


class _Layout:
    """Where the parameters of a ZENN are among those of networks whose widths are multiples of `TILE`.

    widths : of the hidden layers, rounded up. inputs : d + 1, rounded up. rows : of all hidden layers.
    """

    def __init__(self, network: Zenn) -> None:
        self._networks = 2 * network.configurations
        self.widths = np.array([_rounded(h) for h in network.hidden])
        self.inputs = _rounded(network.dimensions + 1)
        self.rows = int(self.widths.sum())
        places, begin = [], 0
        true = [network.dimensions + 1, *network.hidden]
        wide = [self.inputs, *self.widths]
        for i in range(1, len(true)):
            weights = np.arange(true[i])[:, None] * wide[i - 1] + np.arange(true[i - 1])
            places += [begin + weights.reshape(-1), begin + wide[i] * wide[i - 1] + np.arange(true[i])]
            begin += wide[i] * (wide[i - 1] + 1)
        self._size = begin + wide[-1] + 1
        self._places = np.concatenate([*places, begin + np.arange(true[-1]), [self._size - 1]])

    def spread(self, parameters: Array) -> Array:
        """A row per network, with zeros between."""
        rows = np.zeros((self._networks, self._size))
        rows[:, self._places] = parameters.reshape(self._networks, -1)
        return rows

    def gathered(self, rows: Array) -> Array:
        """What belongs to the parameters themselves."""
        return rows[:, self._places].reshape(-1)


def _rounded(width: int) -> int:
    return -(-width // TILE) * TILE


def _constants(network: Zenn) -> tuple[float, float, float, float]:
    inverse_square = 1 / network.gamma**2  # none with gamma infinite
    return network.boltzmann_constant, inverse_square, network.energy_scale, network.entropy_scale


def _in_blocks(rows: Array, filling: float | None = None) -> Array:
    """Rows over points as (blocks, rows, BLOCK), filled up with a number or with the last point."""
    count, N = rows.shape
    blocks = -(-N // BLOCK)
    filled = np.empty((count, blocks * BLOCK))
    filled[:, :N] = rows
    filled[:, N:] = rows[:, -1:] if filling is None else filling
    return np.ascontiguousarray(filled.reshape(count, blocks, BLOCK).transpose(1, 0, 2))


def _inputs(network: Zenn, points: Array, direction: Array) -> tuple[Array, Array]:
    """Points, (blocks, inputs BLOCK), and direction, (inputs BLOCK), in the units that the layers see."""
    inputs = torch.from_numpy(np.stack([points, np.broadcast_to(direction[:, None], points.shape)]))
    scaled = network.scaling.apply(inputs).numpy()
    rows = np.zeros((2, _rounded(len(points)), points.shape[1]))
    rows[:, : len(points)] = scaled
    start = _in_blocks(rows[0])
    return start.reshape(len(start), -1), np.repeat(rows[1, :, 0], BLOCK)


@cache
def _kernels() -> ModuleType:
    """The kernels, compiled or loaded while no other job does: it is their import that does it."""
    with compiling(Path(__file__).parent):
        from zenn.landscape import _kernels as kernels
    return kernels
