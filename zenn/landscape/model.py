"""A fitted landscape as an object with `fit` and `predict`, for data of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import make_interp_spline

from zenn.errors import InputError, NotFoundError
from zenn.landscape.critical import CriticalPoint, bifurcation_point
from zenn.landscape.fitting import Settings, fit, scaling_of
from zenn.landscape.landscapes import Landscape, Window
from zenn.landscape.losses import Weights
from zenn.landscape.minimise import State
from zenn.landscape.networks import Zenn
from zenn.landscape.surface import NetworkSurface

Array = NDArray[np.float64]


class LandscapeModel:
    """A ZENN in one dimension, fitted to free energies on a grid of points and temperatures.

    Parameters
    ----------
    configurations : K. boltzmann_constant : k_B in units of energy per temperature. gamma : of Eq. (6).
    convexity : lambda of Eq. (20). entropy : weight of -dF/dT, for data that have it.
    iterations : quasi-Newton steps. start : "wells" from tangents of the data, or "random". seed : of what is
    random.

    Raises
    ------
    InputError : as `zenn.landscape.networks.Zenn`.

    >>> from zenn.landscape.landscapes import bifurcation_energy
    >>> x, T = np.linspace(-1.6, 1.6, 33), np.linspace(1.2, 2.8, 9)
    >>> model = LandscapeModel(configurations=2, iterations=150, start="random", seed=1)
    >>> model = model.fit(x, T, bifurcation_energy(x, T[:, None]))
    >>> print(f"{model.critical_point().temperature:.1f}")
    2.0
    """

    def __init__(
        self,
        configurations: int = 6,
        *,
        boltzmann_constant: float = 1.0,
        gamma: float = 5.0,
        convexity: float = 0.0,
        entropy: float = 0.0,
        iterations: int = 2000,
        start: Literal["wells", "random"] = "wells",
        seed: int = 0,
    ) -> None:
        self.configurations = configurations
        self.boltzmann_constant = boltzmann_constant
        self.gamma = gamma
        self.convexity = convexity
        self.entropy = entropy
        self.iterations = iterations
        self.start = start
        self.seed = seed
        self._landscape: Landscape | None = None
        self._surface: NetworkSurface | None = None
        self._constants = np.empty(0)

    def fit(
        self,
        x: ArrayLike,
        temperatures: ArrayLike,
        free_energies: ArrayLike,
        *,
        weights: ArrayLike | None = None,
        slopes: ArrayLike | None = None,
        entropies: ArrayLike | None = None,
        density_temperature: ArrayLike | None = None,
        progress: Callable[[State], None] = lambda state: None,
    ) -> LandscapeModel:
        """Fit to F, shape (M, N), on increasing points x, shape (N,), at each temperature, shape (M,).

        `weights` of a quadrature over x, the trapezoidal rule if not given; `slopes` dF/dx and `entropies`
        -dF/dT, shape (M, N), where known; `density_temperature` that of the density, T if not given.
        `progress` is told every state.

        Raises
        ------
        InputError : as `zenn.landscape.landscapes.Landscape`, or points that do not increase.
        NotConvergedError : the loss is not finite.
        """
        points, T = np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float)
        if points.ndim != 1 or len(points) < 4 or np.any(np.diff(points) <= 0):
            raise InputError("argument x", "", points, "four or more increasing points")
        landscape = Landscape(
            points,
            np.gradient(points) if weights is None else np.asarray(weights, dtype=float),
            T,
            np.asarray(free_energies, dtype=float),
            self.boltzmann_constant,
            T if density_temperature is None else np.asarray(density_temperature, dtype=float),
            slopes=None if slopes is None else np.asarray(slopes, dtype=float)[..., None],
            entropies=None if entropies is None else np.asarray(entropies, dtype=float),
        )
        network = Zenn(scaling_of(landscape), self.configurations, self.boltzmann_constant, self.gamma)
        terms = Weights(convexity=self.convexity, entropy=self.entropy)
        settings = Settings(start=self.start, iterations=self.iterations)
        for state in fit(network, landscape, terms, settings, self.seed):
            progress(state)
        self._landscape, self._surface = (
            landscape,
            NetworkSurface(network, torch.from_numpy(state.parameters)),
        )
        # The divergence leaves a constant per temperature open: that of the data, a spline between them.
        off = landscape.free_energies - self._derivatives(points, T[:, None], 0)[0]
        self._constants = np.asarray(np.average(off, axis=1, weights=landscape.weights))
        return self

    def predict(self, x: ArrayLike, temperature: ArrayLike) -> Array:
        """F with the data's constant at each temperature, arguments broadcast."""
        T = self._fitted()[0].temperatures
        spline = make_interp_spline(T, self._constants, k=min(3, len(T) - 1))
        constant = spline(np.asarray(temperature, dtype=float))
        return np.asarray(self._derivatives(x, temperature, 0)[0] + constant)

    def derivative(self, x: ArrayLike, temperature: ArrayLike, order: int = 1) -> Array:
        """d^order F / dx^order, exact, arguments broadcast."""
        if order < 1:
            raise InputError("argument order", "", order, "1 or more")
        return np.asarray(self._derivatives(x, temperature, order)[order])

    def critical_point(
        self, x_window: Window | None = None, temperature_window: Window | None = None
    ) -> CriticalPoint:
        """The hottest point with F_xx = F_xxx = 0 within the windows, those of the data if not given.

        Raises
        ------
        NotFoundError : there is none, or the data have one temperature only.
        """
        landscape, surface = self._fitted()
        windows = x_window or landscape.domain[0], temperature_window or landscape.temperature_window
        if windows[1][0] == windows[1][1]:
            raise NotFoundError(f"no critical point at the one temperature {windows[1][0]:g} of the data")
        return bifurcation_point(surface, *windows)

    @property
    def surface(self) -> NetworkSurface:
        """The fitted surface, for everything in `zenn.landscape.critical` and `branches`."""
        return self._fitted()[1]

    def _derivatives(self, x: ArrayLike, temperature: ArrayLike, order: int) -> Array:
        """F and its derivatives, shape (order + 1, batch...)."""
        at, T = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(temperature, dtype=float))
        found = self._fitted()[1].derivatives(at.ravel(), T.ravel(), order)
        return np.asarray(found.reshape(order + 1, *at.shape))

    def _fitted(self) -> tuple[Landscape, NetworkSurface]:
        if self._landscape is None or self._surface is None:
            raise InputError("model", "", "no fit", "a call of fit before")
        return self._landscape, self._surface
