"""An energy surface F(x, T) that critical points are sought on, wherever it comes from.

A surface gives one thing, the Taylor series of F along lines in (x, T) (`zenn.taylor`); every derivative
follows from it without finite differences: those in one coordinate directly, those in a temperature as well
by torch's forward mode, mixed ones in several variables from the series along the directions of a simplex
lattice (Griewank, Utke and Walther, Math. Comput. 69, 1117 (2000), doi:10.1090/S0025-5718-00-01120-0).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from zenn import taylor
from zenn.errors import InputError
from zenn.landscape.networks import Network, inputs_along

Array = NDArray[np.float64]


class Expansion(NamedTuple):
    """F and its derivatives in z = (x, T), the temperature last, at N points; n = d + 1.

    free_energy : (N,). gradient : (N, n). hessian : (N, n, n). third : (N, n, n, n). What was not asked for
    is empty.
    """

    free_energy: Array
    gradient: Array
    hessian: Array
    third: Array


class Surface(ABC):
    """F(x, T) with x of d coordinates; what it is made of gives `dimensions` and `series`."""

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """d, the number of coordinates."""

    @abstractmethod
    def series(self, inputs: Tensor) -> Tensor:
        """Taylor series of F, shape (order + 1, N), from one of (x, T), shape (order + 1, d + 1, N)."""

    @property
    def lengths(self) -> tuple[float, ...]:
        """A length for each of (x, T) over which F changes; sets the steps between directions only."""
        return (1.0,) * (self.dimensions + 1)

    def derivatives(self, x: ArrayLike, temperature: ArrayLike, order: int) -> Array:
        """F, F_x, F_xx, ... in one dimension, shape (order + 1, N), from x and T that broadcast to (N,).

        Raises
        ------
        InputError : the surface has more than one coordinate.
        """
        x, T = self._line(x, temperature)
        with torch.no_grad():
            found = taylor.derivatives(self.series(inputs_along(x[:, None], T, order=order)))
        return np.asarray(found.numpy())

    def temperature_derivatives(self, x: ArrayLike, temperature: ArrayLike, order: int) -> Array:
        """F_T, F_xT, F_xxT, ...: what `derivatives` gives, differentiated in T; shape (order + 1, N)."""
        x, T = self._line(x, temperature)
        # Along (1, s) the k-th derivative is a polynomial in s; its linear term is k times F_x..xT.
        nodes = np.cos(np.pi * (np.arange(order + 2) + 0.5) / (order + 2))
        unit = self.lengths
        inputs = torch.cat(
            [inputs_along(x[:, None], T, (unit[0], s * unit[1]), order + 1) for s in nodes], dim=2
        )
        with torch.no_grad():
            along = taylor.derivatives(self.series(inputs)).numpy().reshape(order + 2, len(nodes), -1)
        found = []
        for k in range(1, order + 2):
            linear = np.linalg.pinv(np.vander(nodes, k + 1, increasing=True))[1]
            found.append(linear @ along[k] / (k * unit[0] ** (k - 1) * unit[1]))
        return np.stack(found)

    def expansion(self, x: ArrayLike, temperature: ArrayLike, order: int) -> Expansion:
        """F and its derivatives of up to the third order in (x, T), at x (N, d) and T (N,).

        Raises
        ------
        InputError : shapes that do not fit, or an order other than 0 to 3.
        """
        x, T = np.asarray(x, dtype=float), np.asarray(temperature, dtype=float)
        n = self.dimensions + 1
        if x.ndim != 2 or x.shape[1:] != (n - 1,) or T.shape != x.shape[:1]:
            expected = f"x of shape (N, {n - 1}), T of shape (N,)"
            raise InputError("argument x", "", f"shapes {x.shape} and {T.shape}", expected)
        if order not in range(4):
            raise InputError("argument order", "", order, "0 to 3")
        lengths = np.array(self.lengths)
        directions, weights = _directions(n, order)
        start = np.concatenate([x, T[:, None]], axis=1)
        inputs = np.zeros((order + 1, n, len(x), len(directions)))
        inputs[0] = start.T[..., None]
        if order:
            inputs[1] = (directions * lengths).T[:, None]
        with torch.no_grad():
            found = self.series(torch.from_numpy(inputs.reshape(order + 1, n, -1))).numpy()
        found = found.reshape(order + 1, len(x), len(directions))
        tensors = [np.empty(0)] * 4
        for m in range(order + 1):
            tensors[m] = np.einsum("...v,Nv->N...", weights[m], found[m])
            for axis in range(m):  # directions were in units of the lengths
                shape = [1] * (m + 1)
                shape[axis + 1] = n
                tensors[m] = tensors[m] / lengths.reshape(shape)
        return Expansion(*tensors)

    def _line(self, x: ArrayLike, temperature: ArrayLike) -> tuple[Tensor, Tensor]:
        """x and T in one dimension as tensors, shape (N,) each."""
        require_one_dimension(self)
        both = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(temperature, dtype=float))
        first, second = (torch.from_numpy(np.array(array).reshape(-1)) for array in both)
        return first, second


@dataclass(frozen=True, eq=False)
class NetworkSurface(Surface):
    """F of a network with given parameters, plus P x for a pressure P (energy per x) in one dimension.

    With the pressure, F_x = 0 means -F_x = P of the network alone: Eq. 19 is asked at fixed pressure.

    Raises
    ------
    InputError : parameters of a wrong number; a pressure in more than one dimension.
    """

    network: Network
    parameters: Tensor
    pressure: float = 0.0

    def __post_init__(self) -> None:
        parameters = torch.as_tensor(self.parameters, dtype=torch.float64).detach().clone()
        if parameters.shape != (self.network.size,):
            found = f"shape {tuple(parameters.shape)}"
            raise InputError("argument parameters", "", found, f"shape ({self.network.size},)")
        if self.pressure:
            require_one_dimension(self)
        object.__setattr__(self, "parameters", parameters)

    @property
    def dimensions(self) -> int:
        """d of the network."""
        return self.network.dimensions

    @property
    def lengths(self) -> tuple[float, ...]:
        """The half-widths that the network scales its inputs by."""
        scaling = getattr(self.network, "scaling", None)
        return super().lengths if scaling is None else tuple(scaling.half_width)

    def series(self, inputs: Tensor) -> Tensor:
        """Taylor series of F + P x, as `Surface.series`."""
        return self.network.series(self.parameters, inputs) + self.pressure * inputs[:, 0]


@dataclass(frozen=True)
class ExactBifurcation(Surface):
    """The benchmark in one dimension, `zenn.landscape.landscapes.bifurcation_energy`: T* = 2 at x* = 0."""

    boltzmann_constant: float = 1.0

    @property
    def dimensions(self) -> int:
        """One."""
        return 1

    def series(self, inputs: Tensor) -> Tensor:
        """Taylor series of F, as `Surface.series`."""
        x, T = inputs[:, 0], inputs[:, 1]
        above = _less(T, 2.0)
        wells = (taylor.multiply(x, x) + above) / 2
        level = _less(taylor.multiply(above, above), 1.0)
        inner = taylor.multiply(wells, wells) + taylor.multiply(level, level) / 2
        made: Tensor = self.boltzmann_constant * taylor.multiply(T, inner)
        return made


@dataclass(frozen=True)
class SeriesSurface(Surface):
    """A surface from a function that takes and gives Taylor series, as `Surface.series`."""

    function: Callable[[Tensor], Tensor]
    coordinates: int = 1

    @property
    def dimensions(self) -> int:
        """The coordinates it was made with."""
        return self.coordinates

    def series(self, inputs: Tensor) -> Tensor:
        """Taylor series of F, as `Surface.series`."""
        return self.function(inputs)


def require_one_dimension(surface: Surface) -> None:
    """Refuse a surface of more than one coordinate.

    Raises
    ------
    InputError : it has more than one.
    """
    if surface.dimensions != 1:
        raise InputError("argument surface", "", f"{surface.dimensions} coordinates", "one coordinate")


def _less(series: Tensor, constant: float) -> Tensor:
    """A series less a constant."""
    return torch.cat([series[:1] - constant, series[1:]])


@lru_cache
def _directions(variables: int, order: int) -> tuple[Array, tuple[Array, ...]]:
    """Directions (D, n), and for each order m what makes coefficients along them derivatives (n, ..., D).

    A coefficient c_m along v is the sum over multi-indices |a| = m of v^a F_a / a!.
    """
    lattice = _multi_indices(variables, order)
    directions = lattice / max(order, 1)
    weights = []
    for m in range(order + 1):
        indices = _multi_indices(variables, m)
        monomials = np.prod(directions[:, None] ** indices, axis=2)
        inverse = np.linalg.pinv(monomials)
        factorials = np.array([math.prod(map(math.factorial, map(int, row))) for row in indices])
        tensor = np.zeros((variables,) * m + (len(directions),))
        place = {tuple(row): i for i, row in enumerate(indices)}
        for at in np.ndindex(*(variables,) * m):
            i = place[tuple(np.bincount(np.array(at, dtype=int), minlength=variables))]
            tensor[at] = inverse[i] * factorials[i]
        weights.append(tensor)
    return directions, tuple(weights)


def _multi_indices(variables: int, order: int) -> NDArray[np.int_]:
    """All multi-indices of one order, shape (C(n + order - 1, order), n)."""
    chosen = combinations_with_replacement(range(variables), order)
    return np.array([np.bincount(np.array(c, dtype=int), minlength=variables) for c in chosen])
