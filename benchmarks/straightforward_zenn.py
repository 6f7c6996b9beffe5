"""ZENN as one writes it down with torch alone: what `zenn.landscape.losses` is measured against.

Small `torch.nn.Sequential` networks, the Jensen-Shannon divergence as two Kullback-Leibler divergences, and
F_k'' of Eq. (20) by automatic differentiation. The loss, the points and the order of the parameters are those
of `zenn.landscape.losses.Objective`, so that values and gradients can be compared number by number.
"""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call, jvp, stack_module_state, vmap

from zenn.landscape.landscapes import Landscape
from zenn.landscape.losses import every

Array = NDArray[np.float64]
Graphs = Literal["separate", "stacked"]


class Straightforward(torch.nn.Module):
    """A Python loop over 2 K networks; F_k'' by differentiating twice with `create_graph`.

    graphs : "separate" differentiates each F_k through its own two networks; "stacked" differentiates columns
    of one (N, K) array, as one writes it first: each backward pass then goes through all networks.
    convexity : lambda of Eq. (20). stride : of the points at which it is evaluated, in both directions.
    """

    def __init__(
        self,
        landscape: Landscape,
        configurations: int,
        gamma: float,
        convexity: float,
        stride: int = 1,
        graphs: Graphs = "separate",
        hidden: int = 8,
    ) -> None:
        super().__init__()
        if landscape.dimensions != 1:
            raise ValueError("one coordinate")
        self.energies = torch.nn.ModuleList(_network(hidden) for _ in range(configurations))
        self.entropies = torch.nn.ModuleList(_network(hidden) for _ in range(configurations))
        self.k_B, self.gamma, self.convexity = landscape.boltzmann_constant, gamma, convexity
        self.graphs = graphs
        M, N = self.shape = landscape.free_energies.shape
        windows = (*landscape.domain, landscape.temperature_window)
        low, high = torch.tensor(windows, dtype=torch.float64).T
        self.centre, self.half_width = (low + high) / 2, (high - low) / 2
        x, weights = torch.tensor(landscape.points[:, 0]), torch.tensor(landscape.weights)
        T = torch.tensor(landscape.temperatures)
        self.x, self.T = x.repeat(M)[:, None], T.repeat_interleave(N)[:, None]
        self.weights = weights
        self.thermal = self.k_B * torch.tensor(landscape.density_temperature)[:, None]
        self.log_p = self.log_density(torch.tensor(landscape.free_energies))
        rows, columns = every(stride, M), every(stride, N)
        some = (rows[:, None] * N + columns).reshape(-1)
        self.everywhere = stride == 1
        self.some_x = self.x[some].requires_grad_()
        self.some_T = self.T[some]
        self.some_weights = (weights[columns] / weights[columns].sum()).repeat(len(rows)) / len(rows)

    def set_parameters(self, parameters: Array) -> None:
        """Take parameters in the order of `zenn.landscape.networks.Zenn`."""
        torch.nn.utils.vector_to_parameters(torch.tensor(parameters), self.parameters())

    def value_and_gradient(self) -> tuple[float, Array]:
        """The loss and its gradient in the order of `Zenn`."""
        self.zero_grad()
        loss = self.loss()
        loss.backward()
        return float(loss.detach()), self.gradient()

    def gradient(self) -> Array:
        """The gradients of the last backward pass as one vector."""
        found = [p.grad.reshape(-1) for p in self.parameters() if p.grad is not None]
        return torch.cat(found).numpy()

    def loss(self) -> Tensor:
        """Eq. (17) plus lambda times Eq. (20)."""
        shared = bool(self.convexity) and self.everywhere
        x, T = (self.some_x, self.some_T) if shared else (self.x, self.T)
        E, S = self.configurations(x, T)
        loss = self.divergence(self.free_energy(torch.cat(E, dim=1), torch.cat(S, dim=1)))
        if self.convexity:
            if not shared:
                E, S = self.configurations(self.some_x, self.some_T)
            loss = loss + self.convexity * self.concavity(E, S)
        return loss

    def configurations(self, x: Tensor, T: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """E_k and S_k, K arrays of shape (N, 1) each."""
        inputs = self.scaled(x, T)
        E = [network(inputs) for network in self.energies]
        S = [torch.nn.functional.softplus(network(inputs)) for network in self.entropies]
        return E, S

    def concavity(self, E: list[Tensor], S: list[Tensor]) -> Tensor:
        """The integral of relu(-F_k'') over all configurations."""
        x, T, total = self.some_x, self.some_T, self.some_x.new_zeros(())
        stacked = torch.cat(E, dim=1) - T * torch.cat(S, dim=1)
        for k in range(len(E)):
            F_k = stacked[:, k] if self.graphs == "stacked" else E[k] - T * S[k]
            (first,) = torch.autograd.grad(F_k.sum(), x, create_graph=True)
            (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
            total = total + (torch.relu(-second[:, 0]) * self.some_weights).sum()
        return total

    def scaled(self, x: Tensor, T: Tensor) -> Tensor:
        """Inputs of the networks, (N, 2)."""
        return (torch.cat([x, T], dim=1) - self.centre) / self.half_width

    def free_energy(self, E: Tensor, S: Tensor) -> Tensor:
        """Eqs. (6) and (7), from arrays of shape (N, K)."""
        exponent = S / self.k_B - (S / (self.gamma * self.k_B)) ** 2 - E / (self.k_B * self.T)
        log_p = torch.log_softmax(exponent, dim=1)
        p = torch.exp(log_p)
        F: Tensor = (p * (E - self.T * S)).sum(dim=1) + self.k_B * self.T[:, 0] * (p * log_p).sum(dim=1)
        return F.reshape(self.shape)

    def log_density(self, F: Tensor) -> Tensor:
        """ln of exp(-F / (k_B T_d)), normalised by the quadrature."""
        exponent = -F / self.thermal
        total = (torch.exp(exponent - exponent.max()) * self.weights).sum(dim=1, keepdim=True)
        return exponent - exponent.max() - torch.log(total)

    def divergence(self, F: Tensor) -> Tensor:
        """Eqs. (17) and (18): the mean over temperatures of the Jensen-Shannon divergence."""
        log_q = self.log_density(F)
        p, q = torch.exp(self.log_p), torch.exp(log_q)
        log_m = torch.log((p + q) / 2)
        both = p * (self.log_p - log_m) + q * (log_q - log_m)
        return (both * self.weights).sum(dim=1).mean() / 2


class Vectorised:
    """The same with `torch.func`: networks stacked under `vmap`, F_k'' by forward over forward mode."""

    def __init__(self, plain: Straightforward) -> None:
        self._plain = plain
        self._skeleton = copy.deepcopy(plain.energies[0])
        self._networks = [
            {name: value.detach().requires_grad_() for name, value in stack_module_state(list(of))[0].items()}
            for of in (plain.energies, plain.entropies)
        ]

    def value_and_gradient(self) -> tuple[float, Array]:
        """The loss and its gradient in the order of `Zenn`."""
        leaves = [leaf for of in self._networks for leaf in of.values()]
        loss = self.loss()
        gradients = torch.autograd.grad(loss, leaves)
        half, K = len(leaves) // 2, len(leaves[0])
        rows = [
            torch.cat([one.reshape(K, -1) for one in part], dim=1)
            for part in (gradients[:half], gradients[half:])
        ]
        return float(loss.detach()), torch.cat(rows).reshape(-1).numpy()

    def loss(self) -> Tensor:
        """As `Straightforward.loss`."""
        plain = self._plain
        if not plain.convexity:
            return plain.divergence(plain.free_energy(*self._configurations()))
        x, T, along = plain.some_x.detach(), plain.some_T, torch.ones_like(plain.some_x)

        def curvature(energy: dict[str, Tensor], entropy: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
            def of(x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
                E, S = self._energy(energy, x, T), self._entropy(entropy, x, T)
                return E - T * S, (E, S)

            def slope(x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
                _, first, values = jvp(of, (x,), (along,), has_aux=True)
                return first, values

            _, second, values = jvp(slope, (x,), (along,), has_aux=True)
            return (second[:, 0], *(value[:, 0] for value in values))

        second, E, S = vmap(curvature)(*self._networks)
        if not plain.everywhere:
            E, S = (value.T for value in self._configurations())
        concave = (torch.relu(-second) * plain.some_weights).sum()
        return plain.divergence(plain.free_energy(E.T, S.T)) + plain.convexity * concave

    def _configurations(self) -> tuple[Tensor, Tensor]:
        """E_k and S_k at all points, (N, K) each."""
        x, T = self._plain.x, self._plain.T
        E = vmap(lambda network: self._energy(network, x, T)[:, 0])(self._networks[0])
        S = vmap(lambda network: self._entropy(network, x, T)[:, 0])(self._networks[1])
        return E.T, S.T

    def _energy(self, network: dict[str, Tensor], x: Tensor, T: Tensor) -> Tensor:
        return functional_call(self._skeleton, network, (self._plain.scaled(x, T),))

    def _entropy(self, network: dict[str, Tensor], x: Tensor, T: Tensor) -> Tensor:
        return torch.nn.functional.softplus(self._energy(network, x, T))


def _network(hidden: int) -> torch.nn.Sequential:
    """Two hidden layers of tanh neurons, in double precision."""
    layers = (
        torch.nn.Linear(2, hidden),
        torch.nn.Tanh(),
        torch.nn.Linear(hidden, hidden),
        torch.nn.Tanh(),
        torch.nn.Linear(hidden, 1),
    )
    return torch.nn.Sequential(*layers).double()
