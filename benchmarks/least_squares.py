"""Levenberg and Marquardt's method for the divergence of a ZENN, which is a sum of squares.

The loss is the sum of r^2 with r = sqrt(p w / 2 M) g(delta), g = sign(delta) sqrt(f(delta)) and
delta = ln(q / p) (`zenn.landscape.losses`). With the Jacobian J of r, shape (N, P), a step is
-(J^T J + mu)^-1 J^T r = -J^T (J J^T + mu)^-1 r: the second, dual form has the smaller matrix where N < P.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import blas, lapack
from torch import Tensor

from zenn.landscape.landscapes import Landscape
from zenn.landscape.losses import log_density, pointwise_divergence
from zenn.landscape.networks import Configurations, Zenn, inputs_along, mixture

Array = NDArray[np.float64]

_CLOSE = 1e-7  # below, g'(delta) is 1/2 to rounding
_EASIER, _HARDER = 10.0, 3.0  # what a good step divides mu by, and a bad one multiplies it with
_GIVE_UP = 1e12


class Residuals:
    """r and J of a ZENN on a landscape."""

    def __init__(self, network: Zenn, landscape: Landscape) -> None:
        self._network, self._shape = network, landscape.free_energies.shape
        M, N = self._shape
        T = torch.tensor(landscape.temperatures).repeat_interleave(N)
        self._inputs = inputs_along(torch.tensor(landscape.points).repeat(M, 1), T)
        self._T, self._weights = T, torch.tensor(landscape.weights)
        self._scaled = network.scaling.apply(self._inputs)[0].T.contiguous()
        self._thermal = landscape.boltzmann_constant * torch.tensor(landscape.density_temperature)
        self._log_p = log_density(torch.tensor(landscape.free_energies), self._weights, self._thermal)
        self._roots = torch.sqrt(torch.exp(self._log_p) * self._weights / (2 * M))
        over_points = torch.func.vmap(torch.func.grad(self._output), in_dims=(None, 0))
        self._gradients = torch.func.vmap(over_points, in_dims=(0, None))

    def value(self, parameters: Array) -> float:
        """The sum of squares."""
        with torch.no_grad():
            outputs = self._network.outputs(torch.from_numpy(parameters), self._inputs)[0]
            return float((self._of(self._mixture(outputs))[0] ** 2).sum())

    def with_jacobian(self, parameters: Array) -> tuple[Array, Array]:
        """r, shape (N,), and J, shape (N, P)."""
        (M, N), network = self._shape, self._network
        theta = torch.from_numpy(parameters)
        with torch.no_grad():
            outputs = network.outputs(theta, self._inputs)[0]
            jacobian: Tensor = self._gradients(theta.reshape(2 * network.configurations, -1), self._scaled)
        F = self._mixture(outputs.requires_grad_())
        (of_outputs,) = torch.autograd.grad(F.sum(), outputs)  # F at a point knows its own outputs alone
        with torch.no_grad():
            r, slope, log_q = self._of(F.detach())
            jacobian.mul_(of_outputs[..., None])
            of_F = jacobian.permute(1, 0, 2).reshape(M, N, -1)
            q = torch.exp(log_q) * self._weights
            of_F.sub_(torch.bmm(q[:, None], of_F))  # ln q is normalised
            of_F.mul_((-slope / self._thermal[:, None])[..., None])
        return r.reshape(-1).numpy(), of_F.reshape(M * N, -1).numpy()

    def _of(self, F: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """r, dr/d(delta) and ln q, shape (M, N)."""
        log_q = log_density(F.reshape(self._shape), self._weights, self._thermal)
        delta = log_q - self._log_p
        g = torch.sign(delta) * torch.sqrt(pointwise_divergence(delta))
        excess = torch.expm1(delta)
        of_f = (1 + excess) * (delta - torch.log1p(excess / 2))
        slope = torch.where(delta.abs() < _CLOSE, 0.5, of_f / (2 * g))
        return self._roots * g, self._roots * slope, log_q

    def _mixture(self, outputs: Tensor) -> Tensor:
        """F at all points from the outputs of the networks, shape (2 K, N)."""
        network, K = self._network, self._network.configurations
        energies = network.energy_scale * outputs[:K]
        entropies = network.entropy_scale * torch.nn.functional.softplus(outputs[K:])
        found = Configurations(energies[None], entropies[None])
        return mixture(found, self._T[None], network.boltzmann_constant, network.gamma)[0]

    def _output(self, row: Tensor, point: Tensor) -> Tensor:
        """What one network gives at one point."""
        shapes, signal, at = self._network._shapes, point, 0
        for i in range(0, len(shapes), 2):
            rows, columns = shapes[i]
            weights = row[at : at + rows * columns].reshape(rows, columns)
            at += rows * columns
            signal = weights @ signal + row[at : at + rows]
            at += rows
            if i + 2 < len(shapes):
                signal = torch.tanh(signal)
        return signal[0]


def levenberg_marquardt(residuals: Residuals, start: Array, see: Callable[[float, Array], None]) -> str:
    """Steps until `see`, told each new loss, raises an exception, or no step goes down any more.

    mu falls by 10 after a step downwards and grows by 3 after one that is not: among the rules tried, that
    of Nielsen too, the one that got furthest.
    """
    parameters, value = start.copy(), residuals.value(start)
    see(value, parameters)
    mu = math.nan
    while True:
        r, J = residuals.with_jacobian(parameters)
        dual = len(J) < J.shape[1]
        gram = blas.dsyrk(1.0, J.T, trans=int(dual), lower=1)
        if math.isnan(mu):
            mu = 1e-3 * float(gram.diagonal().max())
        downhill = -(J.T @ r)
        largest = _GIVE_UP * mu
        while True:
            step = _step(gram, J, r, downhill, mu, dual)
            found = residuals.value(parameters + step) if step is not None else math.inf
            if step is not None and found < value:
                parameters, value = parameters + step, found
                mu /= _EASIER
                break
            mu *= _HARDER
            if mu > largest:
                return "no descent"
        see(value, parameters)


def _step(gram: Array, J: Array, r: Array, downhill: Array, mu: float, dual: bool) -> Array | None:
    """The step for mu, or None where rounding leaves no positive definite matrix."""
    shifted = gram.copy(order="F")
    np.einsum("ii->i", shifted)[:] += mu
    factor, failed = lapack.dpotrf(shifted, lower=1, overwrite_a=1)
    if failed:
        return None
    if dual:
        return np.asarray(-(J.T @ lapack.dpotrs(factor, r, lower=1)[0]))
    return np.asarray(lapack.dpotrs(factor, downhill, lower=1)[0])
