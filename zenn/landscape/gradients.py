"""The free energy of a ZENN at fixed points and its gradient, written out: what a fit spends its time on.

`Zenn.series` differentiated by torch gives the same, and tests compare the two. Here time goes to arithmetic
alone: numpy's tanh, points in blocks that stay in the processor's cache, arrays that are used again, and no
backward pass where F_k is convex.

The backward pass of a series has one rule. If z = f(a) and c is the series of f'(a), then dz_j is the sum of
c_(j-i) da_i over i <= j, so that what comes down on a_i is the sum of c_(j-i) times what came down on z_j.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from zenn import taylor
from zenn.landscape.networks import Zenn

Array = NDArray[np.float64]

# A trial of a line search may overflow; the loss is then not finite, and the trial refused.
_QUIET = np.errstate(over="ignore", invalid="ignore", divide="ignore")
_BLOCK = 240  # points: the arrays of 24 networks with 8 neurons in a layer are then 370 kB


class FreeEnergies:
    """F of a ZENN and its derivatives along a line through each of N points, with their gradient.

    points : (x, T) of each, shape (d + 1, N). direction : of the line in (x, T), d + 1 numbers. order : of
    the highest derivative. `gradient` belongs to the last call of `series`.
    """

    def __init__(
        self, network: Zenn, points: Array, direction: Sequence[float] | None = None, order: int = 0
    ) -> None:
        self._network, self._points = network, points
        self._along = np.zeros(len(points)) if direction is None else np.asarray(direction, dtype=float)
        self._order = order
        start, along = _scaled(network, points, self._along)
        work = _Work(network, order)
        self._parts = [_Part(start[:, at], along, work, work.made()) for at in _blocks(points.shape[1])]
        self._outputs = np.empty((order + 1, 2 * network.configurations, points.shape[1]))
        self._layers: list[Array] = []

    @_QUIET
    def series(self, parameters: Array) -> Array:
        """Taylor series of F, shape (order + 1, N)."""
        self._layers = _layers(self._network, parameters)
        for at, part in zip(_blocks(self._points.shape[1]), self._parts, strict=True):
            self._outputs[..., at] = part.forward(self._layers)
        T = np.zeros((self._order + 1, self._points.shape[1]))
        T[0] = self._points[-1]
        if self._order:
            T[1] = self._along[-1]
        F, self._slopes = _mixture(self._network, self._outputs, T)
        return F

    @_QUIET
    def gradient(self, upstream: Array) -> Array:
        """The gradient of sum(upstream * series) with respect to the parameters, shape (size,)."""
        gradients = [np.zeros_like(layer) for layer in self._layers]
        down = _transposed(self._slopes, upstream[:, None])
        for at, part in zip(_blocks(self._points.shape[1]), self._parts, strict=True):
            part.backward(self._layers, down[..., at], gradients)
        return _flat(gradients)


class Concavity:
    """The weighted sum of relu(-d2F_k/dx2) over points and configurations of a ZENN (Eq. 20).

    points : (x, T) of each, shape (d + 1, N), x the first of them. weights : shape (N,).
    """

    def __init__(self, network: Zenn, points: Array, weights: Array) -> None:
        self._network, self._weights, self._T = network, weights, points[-1]
        start, along = _scaled(network, points, np.eye(len(points))[0])
        work = _Work(network, 2)
        made = work.made()  # nothing is kept from one block for the next
        self._parts = [_Part(start[:, at], along, work, made) for at in _blocks(len(weights))]

    @_QUIET
    def value_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        """The sum and its gradient, shape (size,)."""
        network, K = self._network, self._network.configurations
        layers = _layers(network, parameters)
        gradients = [np.zeros_like(layer) for layer in layers]
        total = 0.0
        for at, part in zip(_blocks(len(self._weights)), self._parts, strict=True):
            outputs = part.forward(layers)
            raw = outputs[:, K:]
            slope = _entropy_slope(network, raw[:2])
            entropies = slope[0] * raw[2] + slope[1] * raw[1] / 2
            half = network.energy_scale * outputs[2, :K] - self._T[at] * entropies
            concave = half < 0
            if not concave.any():
                continue
            share = np.where(concave, -2 * self._weights[at], 0.0)
            total += float((share * half).sum())
            some = np.flatnonzero(concave.any(axis=1))
            if 2 * len(some) > K:
                some = np.arange(K)  # to pick them out would cost more than it saves
            down = np.zeros((3, 2 * len(some), share.shape[1]))
            down[2, : len(some)] = network.energy_scale * share[some]
            of_entropies = np.zeros((3, len(some), share.shape[1]))
            of_entropies[2] = -self._T[at] * share[some]
            slope = _entropy_slope(network, raw[:, some])
            down[:, len(some) :] = _transposed(slope, of_entropies)
            part.backward(layers, down, gradients, None if len(some) == K else np.append(some, K + some))
        return total, _flat(gradients)


class _Work:
    """Arrays for blocks of points, one after the other."""

    def __init__(self, network: Zenn, order: int) -> None:
        self.order, self.hidden, self.networks = order, network.hidden, 2 * network.configurations
        size = self.networks * max(network.hidden) * _BLOCK
        self.upper, self.lower = np.empty((2, order + 1, size))
        self.scratch = np.empty((1, size))

    def made(self) -> list[Array]:
        """Room for what each hidden layer makes of a block: tanh, and what of its slope is used again."""
        return [np.empty((2 * self.order + 1, self.networks * h * _BLOCK)) for h in self.hidden]


class _Part:
    """The 2 K networks at a block of points.

    start : scaled points, shape (d + 1, N). along : scaled direction. made : room for what the layers make.
    """

    def __init__(self, start: Array, along: Array, work: _Work, made: list[Array]) -> None:
        self._start, self._along, self._work = np.ascontiguousarray(start), along, work
        N = start.shape[1]
        self._shapes = [(work.networks, h, N) for h in work.hidden]
        self._made = [_like(one, shape) for one, shape in zip(made, self._shapes, strict=True)]

    def forward(self, layers: list[Array]) -> Array:
        """Taylor series of the outputs, shape (order + 1, 2 K, N)."""
        (M, h, _), order, work = self._shapes[0], self._work.order, self._work
        signal = [_like(work.upper[:1], self._shapes[0])[0]]
        np.matmul(layers[0].reshape(M * h, -1), self._start, out=signal[0].reshape(M * h, -1))
        signal[0] += layers[1][..., None]
        if order:
            signal.append((layers[0] @ self._along)[..., None])  # and nothing beyond: the line is straight
        for i, made in enumerate(self._made):
            _tanh(signal, made, order)
            if i + 1 < len(self._made):
                signal = list(_like(work.upper, self._shapes[i + 1]))
                for one, part in zip(signal, made, strict=False):
                    np.matmul(layers[2 * i + 2], part, out=one)
                signal[0] += layers[2 * i + 3][..., None]
        outputs = np.matmul(layers[-2], self._made[-1][: order + 1])[:, :, 0]
        outputs[0] += layers[-1]
        return np.asarray(outputs)

    def backward(
        self,
        layers: list[Array],
        down: Array,
        gradients: list[Array],
        some: NDArray[np.int_] | None = None,
    ) -> None:
        """Add to the gradients what comes down on the outputs, shape (order + 1, 2 K, N).

        With the numbers of `some` networks in increasing order, `down` is of these only.
        """
        if some is None:
            self._backward(self._made, layers, down, gradients)
            return
        part = [np.zeros_like(layer[some]) for layer in layers]
        self._backward([made[:, some] for made in self._made], [layer[some] for layer in layers], down, part)
        for gradient, more in zip(gradients, part, strict=True):
            gradient[some] += more

    def _backward(
        self, all_made: list[Array], layers: list[Array], outer: Array, gradients: list[Array]
    ) -> None:
        order, work = self._work.order, self._work
        given = list(outer[:, :, None])
        for one, part in zip(given, all_made[-1], strict=False):
            gradients[-2] += one @ part.transpose(0, 2, 1)
        gradients[-1] += given[0].sum(axis=-1)
        # the weights of the outputs, one per neuron, wait until arrays are small: linear operations commute
        waiting = layers[-2].transpose(0, 2, 1)
        for i in reversed(range(len(all_made))):
            made = all_made[i]
            shape = made.shape[1:]
            down = list(_like(work.lower, shape)[: order + 1 if i else min(order, 1) + 1])
            _tanh_backward(given, made, down, _like(work.scratch, shape)[0])
            gradients[2 * i + 1] += waiting[..., 0] * down[0].sum(axis=-1)
            if i == 0:
                break
            for one, part in zip(down, all_made[i - 1], strict=False):
                gradients[2 * i] += waiting * (one @ part.transpose(0, 2, 1))
            turned = (waiting * layers[2 * i]).transpose(0, 2, 1)
            given = list(_like(work.upper, all_made[i - 1].shape[1:]))
            for one, out in zip(down, given, strict=True):
                np.matmul(turned, one, out=out)
            waiting = np.ones((1, 1, 1))
        gradients[0] += waiting * (down[0] @ self._start.T)
        if order:
            gradients[0] += waiting * down[1].sum(axis=-1)[..., None] * self._along


def _tanh(signal: list[Array], made: Array, order: int) -> None:
    """tanh of a series as `made` = t_0, ..., then s_0 = 1 - t_0^2 and -s_1/2 = t_0 t_1 as far as they go."""
    np.tanh(signal[0], out=made[0])
    if not order:
        return
    t, slope = made[: order + 1], made[order + 1 :]
    np.multiply(t[0], t[0], out=slope[0])
    np.subtract(1, slope[0], out=slope[0])
    np.multiply(slope[0], signal[1], out=t[1])
    if order < 2:
        return
    # t_2 = s_0 a_2 + s_1 a_1 / 2
    np.multiply(t[0], t[1], out=slope[1])
    if len(signal) == 2:
        np.multiply(slope[1], -signal[1], out=t[2])
        return
    np.multiply(slope[0], signal[2], out=t[2])
    np.multiply(slope[1], signal[1], out=signal[1])
    t[2] -= signal[1]


def _tanh_backward(given: list[Array], made: Array, down: list[Array], scratch: Array) -> None:
    """What comes down on the argument of `_tanh` from what came down on its result."""
    order = len(given) - 1
    t, slope = made[: order + 1], made[order + 1 :]
    if not order:
        np.multiply(t[0], t[0], out=scratch)
        np.subtract(1, scratch, out=scratch)
        np.multiply(given[0], scratch, out=down[0])
        return
    np.multiply(given[0], slope[0], out=down[0])
    np.multiply(given[1], slope[0], out=down[1])
    if order == 1:
        np.multiply(t[0], t[1], out=scratch)
        scratch *= given[1]
        scratch *= 2
        down[0] -= scratch
        return
    # s_1 = -2 t_0 t_1, s_2 = -2 t_0 t_2 - t_1^2
    np.multiply(given[1], slope[1], out=scratch)
    np.multiply(t[0], t[2], out=t[2])
    t[2] *= given[2]
    scratch += t[2]
    scratch *= 2
    down[0] -= scratch
    np.multiply(t[1], t[1], out=scratch)
    scratch *= given[2]
    down[0] -= scratch
    np.multiply(given[2], slope[1], out=scratch)
    scratch *= 2
    down[1] -= scratch
    if len(down) == 3:
        np.multiply(given[2], slope[0], out=down[2])


def _mixture(network: Zenn, outputs: Array, T: Array) -> tuple[Array, Array]:
    """Series of F, (order + 1, N), and of its derivatives with respect to the outputs, (order + 1, 2 K, N).

    As `zenn.landscape.networks.mixture`. F = -k_B T (ln Z + <own>) with own_k = (S_k / (gamma k_B))^2: each
    exponent moves F by -k_B T p_k (1 + own_k - <own>), each own_k, exponent apart, by -k_B T p_k.
    """
    K, k_B, gamma = network.configurations, network.boltzmann_constant, network.gamma
    energies = network.energy_scale * outputs[:, :K]
    entropies, of_raw = _entropies(network, outputs[:, K:]), _entropy_slope(network, outputs[:, K:])
    reduced = entropies / k_B
    thermal = k_B * T
    own = taylor.multiply(reduced, reduced) / gamma**2
    exponent = reduced - own - taylor.divide(energies, thermal[:, None])
    largest = exponent[0].max(axis=0)
    exponent[0] -= largest
    weights = taylor.exponential(exponent)
    total = weights.sum(axis=1)
    p = taylor.divide(weights, total[:, None])
    mean = taylor.multiply(p, own).sum(axis=1)
    bracket = taylor.logarithm(total) + mean
    bracket[0] += largest
    excess = own - mean[:, None]
    of_energy = p + taylor.multiply(p, excess)
    # 1/k_B (1 - 2 r / gamma^2) of the exponent, 2 r / (gamma^2 k_B) of own, r the reduced entropy
    of_entropy = of_energy - 2 / gamma**2 * taylor.multiply(reduced, taylor.multiply(p, excess))
    of_entropy = -taylor.multiply(T[:, None], of_entropy)
    slopes = [network.energy_scale * of_energy, taylor.multiply(of_entropy, of_raw)]
    return -taylor.multiply(thermal, bracket), np.concatenate(slopes, axis=1)


def _entropies(network: Zenn, raw: Array) -> Array:
    """Series of S_k from what the networks give."""
    return network.entropy_scale * (taylor.softplus(raw) if network.entropy == "positive" else raw)


def _entropy_slope(network: Zenn, raw: Array) -> Array:
    """Series of the derivative of S_k with respect to what the network gives, of up to the second order."""
    slope = np.zeros_like(raw)
    if network.entropy == "free":
        slope[0] = network.entropy_scale
        return slope
    half = np.tanh(raw[0] / 2)  # the logistic function is (1 + half) / 2
    slope[0] = network.entropy_scale / 2 * (1 + half)
    if len(raw) > 1:
        second = network.entropy_scale / 4 * (1 - half * half)
        np.multiply(second, raw[1], out=slope[1])
        if len(raw) > 2:
            np.subtract(second * raw[2], slope[1] * raw[1] * half / 2, out=slope[2])
    return slope


def _transposed(series: Array, upstream: Array) -> Array:
    """What comes down through a product with a series: the sum over j >= i of series_(j-i) upstream_j."""
    order = len(series) - 1
    return np.stack([sum(series[j - i] * upstream[j] for j in range(i, order + 1)) for i in range(order + 1)])


def _like(rows: Array, shape: tuple[int, ...]) -> Array:
    """The beginning of each row in some shape."""
    return rows[:, : math.prod(shape)].reshape(-1, *shape)


def _blocks(points: int) -> list[slice]:
    return [slice(low, low + _BLOCK) for low in range(0, points, _BLOCK)]


def _scaled(network: Zenn, points: Array, direction: Array) -> tuple[Array, Array]:
    """Points and direction in the units that the layers see."""
    inputs = torch.from_numpy(np.stack([points, np.broadcast_to(direction[:, None], points.shape)]))
    scaled = network.scaling.apply(inputs).numpy()
    return scaled[0], scaled[1, :, 0]


def _layers(network: Zenn, parameters: Array) -> list[Array]:
    return [np.ascontiguousarray(layer.numpy()) for layer in network.layers(torch.tensor(parameters))]


def _flat(gradients: list[Array]) -> Array:
    M = len(gradients[0])
    return np.concatenate([gradient.reshape(M, -1) for gradient in gradients], axis=1).reshape(-1)
