"""What a fit minimises: divergence of the densities, and terms beside it.

The Jensen-Shannon divergence (Eqs. 17-18 of Wang et al., ZENN) of the densities p and q of data and network
is, at one temperature and with delta = ln(q / p),

    JS = 1/2 integral of p f(delta),   f(delta) = delta e^delta - (1 + e^delta) ln((1 + e^delta) / 2) >= 0,

the sum of both Kullback-Leibler integrands at each point. f ~ delta^2 / 4: nothing cancels as q comes close
to p, where the two of them, ~ -delta / 2 and + delta / 2, would lose every digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zenn.errors import InputError
from zenn.landscape.gradients import Concavity, FreeEnergies
from zenn.landscape.landscapes import Landscape
from zenn.landscape.networks import Network, Zenn, inputs_along

_SERIES = 1e-3  # below, f is summed as a series: its two terms cancel
_FAR = 300.0  # above, e^delta nears the largest number there is


@dataclass(frozen=True)
class Weights:
    """How much each term of the loss counts; zero leaves it out.

    divergence : Jensen-Shannon, averaged over temperatures (Eq. 17). convexity : lambda of Eq. (20).
    entropy : mean square of -dF/dT less the data's, in units of k_B. slope : mean square of dF/dx less the
    data's, over k_B T (Sobolev supervision). square : mean square of F less the data's, over k_B T, one
    constant per temperature removed (L2).
    """

    divergence: float = 1.0
    convexity: float = 0.0
    entropy: float = 0.0
    slope: float = 0.0
    square: float = 0.0


def pointwise_divergence(delta: Tensor) -> Tensor:
    """f(delta) of the divergence, >= 0, exact close to zero and without overflow.

    >>> pointwise_divergence(torch.tensor([0.0, 1e-8], dtype=torch.float64))
    tensor([0.0000e+00, 2.5000e-17], dtype=torch.float64)
    """
    excess = torch.expm1(delta)
    direct = delta * (1 + excess) - (2 + excess) * torch.log1p(excess / 2)
    series = delta**2 / 4 * (1 + delta / 2 + delta**2 / 8 + delta**3 / 48)
    return torch.where(delta.abs() < _SERIES, series, direct)


def log_density(free_energies: Tensor, weights: Tensor, thermal_energies: Tensor) -> Tensor:
    """ln of exp(-F / (k_B T_d)) normalised by the quadrature, shape (M, N).

    free_energies : (M, N). weights : (N,). thermal_energies : k_B T_d, (M,).
    """
    exponent = -free_energies / thermal_energies[:, None]
    return exponent - torch.logsumexp(exponent + torch.log(weights), dim=1, keepdim=True)


def every(stride: int, count: int) -> Tensor:
    """Every `stride`-th of `count` points and the last one: nothing would hold F_k convex beyond it.

    >>> every(2, 6)
    tensor([0, 2, 4, 5])
    """
    return torch.tensor(sorted({*range(0, count, stride), count - 1}))


class Objective:
    """The loss of a network on a landscape, as a function of its parameters.

    stride : Eq. (20) is evaluated at every so many points and temperatures. margin : and half a step beyond
    the first and the last point. Fits take all of that: F_k stays convex where it is asked to, and becomes
    concave right beside, between every second point as well as between the last node of a quadrature and the
    end of its window.

    Raises
    ------
    InputError : a term needs what the landscape or the network does not have.
    """

    def __init__(
        self,
        network: Network,
        landscape: Landscape,
        weights: Weights,
        stride: int = 1,
        margin: bool = True,
    ) -> None:
        if weights.convexity and not (isinstance(network, Zenn) and landscape.dimensions == 1):
            raise InputError(
                "weight convexity", "", weights.convexity, "0 except for a ZENN in one dimension (Eq. 20)"
            )
        for name, needed in (("entropy", landscape.entropies), ("slope", landscape.slopes)):
            if getattr(weights, name) and needed is None:
                raise InputError(f"weight {name}", "", getattr(weights, name), "0: the data do not have it")
        if network.dimensions != landscape.dimensions:
            found = f"{network.dimensions} coordinates"
            raise InputError("argument network", "", found, f"the landscape's {landscape.dimensions}")
        self._network, self._terms = network, weights
        self._shape = landscape.free_energies.shape
        M, N = self._shape
        points, T = _tensor(landscape.points), _tensor(landscape.temperatures)
        self._points, self._T = points.repeat(M, 1), T.repeat_interleave(N)
        self._inputs = inputs_along(self._points, self._T)
        self._quadrature = _tensor(landscape.weights)
        self._thermal = landscape.boltzmann_constant * _tensor(landscape.density_temperature)
        self._boltzmann = landscape.boltzmann_constant
        self._data = _tensor(landscape.free_energies)
        self._log_p = log_density(self._data, self._quadrature, self._thermal)
        self._shares = torch.exp(self._log_p) * self._quadrature / (2 * M)
        self._volume = self._quadrature / self._quadrature.sum()
        self._slopes = None if landscape.slopes is None else _tensor(landscape.slopes)
        self._entropies = None if landscape.entropies is None else _tensor(landscape.entropies)
        rows, columns = every(stride, M), every(stride, N)
        x, shares = points[columns, 0], self._volume[columns]
        if margin and N > 1:
            shares = torch.cat([shares, shares[[int(x.argmin()), int(x.argmax())]]])
            (low, below), (above, high) = torch.sort(x).values[:2], torch.sort(x).values[-2:]
            x = torch.cat([x, torch.stack([low - (below - low) / 2, high + (high - above) / 2])])
        self._penalised = x.repeat(len(rows))[:, None], T[rows].repeat_interleave(len(x))
        self._penalty_weights = (shares / shares.sum()).repeat(len(rows)) / len(rows)
        axes = np.eye(landscape.dimensions + 1)
        self._directions = [tuple(axis) for axis in axes[:-1] if weights.slope]
        self._directions += [tuple(axes[-1])] if weights.entropy else []
        self._written: tuple[list[FreeEnergies], Concavity | None] | None = None

    def __call__(self, parameters: Tensor) -> Tensor:
        """The loss, a number."""
        network = self._network
        series = [
            network.series(parameters, inputs_along(self._points, self._T, direction, order=1))
            for direction in self._directions
        ]
        loss = self._of_series(series or [network.series(parameters, self._inputs)])
        if self._terms.convexity:
            loss = loss + self._terms.convexity * self._convexity_term(parameters)
        return loss

    def value_and_gradient(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss and its gradient with respect to the parameters, shape (size,)."""
        if isinstance(self._network, Zenn):
            return self._written_out(self._network, parameters)
        theta = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
        loss = self(theta)
        (gradient,) = torch.autograd.grad(loss, theta)
        return float(loss.detach()), gradient.numpy()

    def _written_out(self, network: Zenn, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """The same for a ZENN, without torch where the time goes."""
        if self._written is None:  # for the first gradient: its arrays are large
            at = self._inputs[0].numpy()
            written = [FreeEnergies(network, at, direction, 1) for direction in self._directions]
            convexity = self._terms.convexity
            penalised = inputs_along(*self._penalised)[0].numpy()
            concavity = Concavity(network, penalised, self._penalty_weights.numpy()) if convexity else None
            self._written = written or [FreeEnergies(network, at)], concavity
        free_energies, concavity = self._written
        series = [one.series(parameters) for one in free_energies]
        value, slopes = self._terms_and_slopes(series)
        gradient = np.zeros(network.size)
        for one, slope in zip(free_energies, slopes, strict=True):
            gradient += one.gradient(slope)
        if concavity is not None:
            found, of_concavity = concavity.value_and_gradient(parameters)
            value += self._terms.convexity * found
            gradient += self._terms.convexity * of_concavity
        return value, gradient

    def _terms_and_slopes(self, series: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """`_of_series` and its gradient with respect to them; for the divergence alone without torch."""
        terms = self._terms
        if len(series[0]) == 1 and terms.divergence and not terms.square:
            value, slope = self._divergence_and_slope(series[0].reshape(self._shape))
            return terms.divergence * value, [terms.divergence * slope.reshape(1, -1)]
        tensors = [torch.from_numpy(one).requires_grad_() for one in series]
        loss = self._of_series(tensors)
        if not loss.requires_grad:
            return float(loss), [np.zeros_like(one) for one in series]
        return float(loss.detach()), [slope.numpy() for slope in torch.autograd.grad(loss, tensors)]

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a trial may overflow, and is refused
    def _divergence_and_slope(self, F: np.ndarray) -> tuple[float, np.ndarray]:
        """`_divergence` of the density of F, and its gradient.

        With delta = ln(q / p), p f'(delta) = q (delta - ln((1 + e^delta) / 2)) is what moves each ln q.
        """
        thermal, quadrature = self._thermal.numpy()[:, None], self._quadrature.numpy()
        exponent = -F / thermal
        exponent -= exponent.max(axis=1, keepdims=True)
        density = np.exp(exponent) * quadrature  # q times the quadrature, its sum over points still Z
        total = density.sum(axis=1, keepdims=True)
        density /= total
        log_q = exponent - np.log(total)
        delta = log_q - self._log_p.numpy()
        if not delta.max() < _FAR:  # NaN as well
            tensor = torch.from_numpy(F).requires_grad_()
            loss = self._divergence(log_density(tensor, self._quadrature, self._thermal))
            return float(loss.detach()), torch.autograd.grad(loss, tensor)[0].numpy()
        excess = np.expm1(delta)
        logarithm = np.log1p(excess / 2)
        series = delta**2 / 4 * (1 + delta / 2 + delta**2 / 8 + delta**3 / 48)
        direct = delta * (1 + excess) - (2 + excess) * logarithm
        each = self._shares.numpy() * np.where(np.abs(delta) < _SERIES, series, direct)
        moved = density * (delta - logarithm) / (2 * len(F))
        return float(each.sum()), (density * moved.sum(axis=1, keepdims=True) - moved) / thermal

    def _of_series(self, series: list[Tensor]) -> Tensor:
        """The terms that F and its derivatives along `_directions` make."""
        F, terms = series[0][0].reshape(self._shape), self._terms
        loss = F.new_zeros(())
        if terms.divergence:
            loss = loss + terms.divergence * self._divergence(log_density(F, self._quadrature, self._thermal))
        if terms.square:
            off = (F - self._data) / self._thermal[:, None]
            off = off - (off * self._volume).sum(dim=1, keepdim=True)
            loss = loss + terms.square * self._mean_square(off)
        along = [one[1].reshape(self._shape) for one in series if len(one) > 1]
        if terms.entropy:
            assert self._entropies is not None
            off = (-along.pop() - self._entropies) / self._boltzmann
            loss = loss + terms.entropy * self._mean_square(off)
        if terms.slope:
            assert self._slopes is not None
            for axis, slope in enumerate(along):
                off = (slope - self._slopes[..., axis]) / self._thermal[:, None]
                loss = loss + terms.slope * self._mean_square(off)
        return loss

    def _mean_square(self, off: Tensor) -> Tensor:
        return (off**2 * self._volume).sum(dim=1).mean()

    def _divergence(self, log_q: Tensor) -> Tensor:
        delta = log_q - self._log_p
        far = delta > _FAR
        total: Tensor
        if not bool(far.any()):
            total = (self._shares * pointwise_divergence(delta)).sum()
            return total
        # p f(delta) = q ln 2 - p (delta - ln 2) to rounding, where e^delta overflows and p underflows
        q = torch.exp(log_q) * self._quadrature / (2 * len(log_q))
        ends = q[far] * math.log(2) - self._shares[far] * (delta[far] - math.log(2))
        total = (self._shares * pointwise_divergence(delta.masked_fill(far, 0.0))).sum() + ends.sum()
        return total

    def _convexity_term(self, parameters: Tensor) -> Tensor:
        """The integral of Eq. (20), each point with its own temperature in F_k."""
        assert isinstance(self._network, Zenn)
        x, T = self._penalised
        found = self._network.configuration_series(parameters, inputs_along(x, T, order=2))
        curvature = 2 * (found.energies[2] - T * found.entropies[2])
        return (torch.relu(-curvature) * self._penalty_weights).sum()


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
