"""A fitted landscape as an object with `fit` and `predict`, for data of one's own, in any units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from numbers import Integral
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import make_interp_spline

from zenn.errors import InputError, NotConvergedError, NotFoundError, did_you_mean
from zenn.landscape.critical import (
    CriticalPoint,
    ZeroEigenvaluePoint,
    critical_points,
    spoken,
    zero_eigenvalue_points,
)
from zenn.landscape.fitting import Settings, fit, scaling_of
from zenn.landscape.grids import grid_weights
from zenn.landscape.landscapes import Landscape, Window
from zenn.landscape.losses import Weights
from zenn.landscape.minimise import State
from zenn.landscape.networks import Zenn
from zenn.landscape.reduced import (
    Units,
    density_shares,
    density_temperatures,
    in_data_units,
    reduced,
    refuse_units,
)
from zenn.landscape.surface import NetworkSurface

Array = NDArray[np.float64]

TOLERANCES = (1e-10, 1e-8, 1e-6)
"""Scaled residuals of critical points, tried in turn: rounding leaves more where k_B T is little beside F."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What a fit minimises, in reduced units (`zenn.landscape.reduced`), and the data themselves."""

    network: Zenn
    landscape: Landscape
    weights: Weights
    settings: Settings
    seed: int
    data: Landscape
    units: Units


@dataclass(frozen=True, eq=False)
class FittedLandscape:
    """What a fit leaves, in the data's units; arrays read-only.

    surface : F of the network. domain : window of each coordinate. temperatures, constants : of the data, and
    what is to be added to the surface there, shape (M,). errors : root mean square of F less the data's, over
    the points, shape (M,).
    """

    surface: NetworkSurface
    domain: tuple[Window, ...]
    temperatures: Array
    constants: Array
    errors: Array

    def __post_init__(self) -> None:
        for array in (self.temperatures, self.constants, self.errors):
            array.flags.writeable = False


class LandscapeModel:
    """A ZENN fitted to free energies F at points x of one coordinate or more, at one temperature or more.

    Energies, k_B T and temperatures may have any units that agree. `convexity`, `slope` and `entropy` are
    pure numbers beside a divergence of the densities.

    Parameters
    ----------
    configurations : K. boltzmann_constant : k_B in the data's energy per temperature. gamma : of Eq. (6).
    convexity : lambda of Eq. (20), with the negative curvature counted in ranges of F per squared half-width
    of x. slope : weight of dF/dx, with slopes counted in k_B T_d per half-width of x. entropy : weight of
    -dF/dT, counted in k_B. iterations : quasi-Newton steps. start : "wells" from tangents of the data, or
    "random"; where None, wells in one dimension. seed : of what is random. unit_check : refuse a k_B far off
    the data's units.

    Parameters are looked at when `fit` is called.

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
        slope: float = 0.0,
        entropy: float = 0.0,
        iterations: int = 2000,
        start: Literal["wells", "random"] | None = None,
        seed: int = 0,
        unit_check: bool = True,
    ) -> None:
        self.configurations = configurations
        self.boltzmann_constant = boltzmann_constant
        self.gamma = gamma
        self.convexity = convexity
        self.slope = slope
        self.entropy = entropy
        self.iterations = iterations
        self.start = start
        self.seed = seed
        self.unit_check = unit_check
        self._result: FittedLandscape | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, as scikit-learn asks for them."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **parameters: Any) -> LandscapeModel:
        """Change parameters by name.

        Raises
        ------
        InputError : a name that is not one of them.
        """
        known = self.get_params()
        for name, value in parameters.items():
            if name not in known:
                hint = did_you_mean(name, known)
                raise InputError("argument of set_params", "", name, f"one of {', '.join(known)}", hint)
            setattr(self, name, value)
        return self

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
        """Fit to F, shape (M, N), at points x, shape (N,) or (N, d), at each temperature, shape (M,).

        Points of one coordinate increase. `weights` of a quadrature over the points, `grid_weights` if not
        given; `slopes` dF/dx, shape (M, N) or (M, N, d), and `entropies` -dF/dT, shape (M, N), where known;
        `density_temperature` that of the density, shape (M,) or a number, `density_temperatures` if not
        given. `progress` is told every state.

        Raises
        ------
        InputError : as `problem`.
        NotConvergedError : the loss is not finite.
        """
        given = self.problem(x, temperatures, free_energies, weights, slopes, entropies, density_temperature)
        for state in fit(given.network, given.landscape, given.weights, given.settings, given.seed):
            progress(state)
        return self.adopt(given, state.parameters)

    def problem(
        self,
        x: ArrayLike,
        temperatures: ArrayLike,
        free_energies: ArrayLike,
        weights: ArrayLike | None = None,
        slopes: ArrayLike | None = None,
        entropies: ArrayLike | None = None,
        density_temperature: ArrayLike | None = None,
    ) -> Problem:
        """What `fit` of the same arguments minimises: to be solved elsewhere, and given to `adopt`.

        Raises
        ------
        InputError : data that `zenn.landscape.landscapes.Landscape` refuses; points that are too few, equal,
        or of one coordinate and do not increase; a parameter that cannot be used; units that do not agree.
        """
        data = self._data(x, temperatures, free_energies, weights, slopes, entropies, density_temperature)
        if self.unit_check:
            refuse_units(data.free_energies, data.temperatures, self.boltzmann_constant)
        landscape, units = reduced(data)
        self._check()
        start = self.start or ("wells" if data.dimensions == 1 else "random")
        K, k = int(self.configurations), landscape.boltzmann_constant
        network = Zenn(scaling_of(landscape), K, k, float(self.gamma))
        terms = Weights(convexity=self.convexity, entropy=self.entropy, slope=self.slope)
        settings = Settings(start=start, iterations=self.iterations)
        return Problem(network, landscape, terms, settings, int(self.seed), data, units)

    def adopt(self, problem: Problem, parameters: Array) -> LandscapeModel:
        """Take the parameters that solve a problem of this model as its fit."""
        data = problem.data
        network = in_data_units(problem.network, data, problem.units)
        surface = NetworkSurface(network, torch.from_numpy(np.array(parameters)))
        # The divergence leaves a constant per temperature open: that of the data, where the density looks.
        M, N = data.free_energies.shape
        at = surface.expansion(np.tile(data.points, (M, 1)), np.repeat(data.temperatures, N), 0)
        off = data.free_energies - at.free_energy.reshape(M, N)
        constants = np.sum(density_shares(data) * off, axis=1)
        errors = np.sqrt((off - constants[:, None]) ** 2 @ problem.landscape.weights)
        self._result = FittedLandscape(surface, data.domain, data.temperatures.copy(), constants, errors)
        return self

    def restore(self, result: FittedLandscape) -> LandscapeModel:
        """Take what an earlier fit left as its fit."""
        self._result = result
        return self

    def predict(self, x: ArrayLike, temperature: ArrayLike) -> Array:
        """F with the data's constant at each temperature, a spline between them.

        x : of one coordinate, broadcast with the temperature; of d coordinates, shape (..., d).
        """
        points, T, shape = self._at(x, temperature)
        result = self.result
        spline = make_interp_spline(
            result.temperatures, result.constants, k=min(3, len(result.temperatures) - 1)
        )
        found = result.surface.expansion(points, T, 0).free_energy + spline(T)
        return np.asarray(found.reshape(shape))

    def derivative(self, x: ArrayLike, temperature: ArrayLike, order: int = 1) -> Array:
        """d^order F / dx^order, exact, arguments broadcast; one coordinate.

        Raises
        ------
        InputError : an order below 1, or more than one coordinate.
        """
        if order < 1:
            raise InputError("argument order", "", order, "1 or more")
        points, T, shape = self._at(x, temperature)
        return np.asarray(self.surface.derivatives(points[:, 0], T, order)[order].reshape(shape))

    def gradient(self, x: ArrayLike, temperature: ArrayLike) -> Array:
        """dF/dx, exact, shape (..., d), from x as `predict`."""
        points, T, shape = self._at(x, temperature)
        found = self.surface.expansion(points, T, 1).gradient[:, :-1]
        return np.asarray(found.reshape(*shape, -1))

    def hessian(self, x: ArrayLike, temperature: ArrayLike) -> Array:
        """d2F/dx2, exact, shape (..., d, d), from x as `predict`."""
        points, T, shape = self._at(x, temperature)
        d = self.surface.dimensions
        return np.asarray(self.surface.expansion(points, T, 2).hessian[:, :d, :d].reshape(*shape, d, d))

    def critical_point(
        self, x_window: Window | Sequence[Window] | None = None, temperature_window: Window | None = None
    ) -> CriticalPoint | ZeroEigenvaluePoint:
        """The hottest bifurcation within the windows, those of the data if not given.

        With one coordinate a point with F_xx = F_xxx = 0 < F_xxxx; with more one of Eq. (19).

        Raises
        ------
        NotFoundError : there is none, or the data have one temperature only.
        NotConvergedError : candidates stayed above the tolerances.
        """
        windows, of_temperature = self._windows(x_window, temperature_window)
        if len(windows) > 1:
            found = self.zero_eigenvalue_points(windows, of_temperature)
            if not found:
                where = spoken(windows, of_temperature)
                raise NotFoundError(f"no stationary point with a zero eigenvalue (Eq. 19) within {where}")
            return found[0]
        points = self.critical_points(windows[0], of_temperature)
        for point in points:
            if point.fourth > 0:
                return point
        other = "".join(f"; the one at T = {p.temperature:g}, x = {p.x:g} has F_xxxx < 0" for p in points)
        where = spoken(windows, of_temperature)
        raise NotFoundError(f"no bifurcation point (F_xx = F_xxx = 0 < F_xxxx) within {where}{other}")

    def critical_points(
        self, x_window: Window | None = None, temperature_window: Window | None = None
    ) -> tuple[CriticalPoint, ...]:
        """All points with F_xx = F_xxx = 0 within the windows, hottest first; one coordinate.

        Raises
        ------
        InputError : more than one coordinate. NotFoundError : the data have one temperature only.
        NotConvergedError : candidates stayed above the tolerances.
        """
        windows, of_temperature = self._windows(x_window, temperature_window)
        for tolerance in TOLERANCES[:-1]:
            try:
                return critical_points(self.surface, windows[0], of_temperature, tolerance)
            except NotConvergedError:
                continue
        return critical_points(self.surface, windows[0], of_temperature, TOLERANCES[-1])

    def zero_eigenvalue_points(
        self,
        x_window: Window | Sequence[Window] | None = None,
        temperature_window: Window | None = None,
        pressure: float = 0.0,
    ) -> tuple[ZeroEigenvaluePoint, ...]:
        """Solutions of Eq. (19) for F + P x within the windows, hottest first; may be none.

        Raises
        ------
        InputError : a pressure with more than one coordinate.
        NotFoundError : the data have one temperature only.
        """
        windows, of_temperature = self._windows(x_window, temperature_window)
        surface = self.surface_at(pressure)
        for tolerance in TOLERANCES:
            found = zero_eigenvalue_points(surface, windows, of_temperature, tolerance / 100)
            if found:
                return found
        return ()

    @property
    def surface(self) -> NetworkSurface:
        """The fitted surface, for everything in `zenn.landscape.critical` and `branches`."""
        return self.result.surface

    def surface_at(self, pressure: float) -> NetworkSurface:
        """The fitted surface plus P x; one coordinate, or no pressure."""
        return NetworkSurface(self.surface.network, self.surface.parameters, pressure)

    @property
    def result(self) -> FittedLandscape:
        """What the fit left.

        Raises
        ------
        InputError : there was no fit.
        """
        if self._result is None:
            raise InputError("model", "", "no fit", "a call of fit before")
        return self._result

    def _check(self) -> None:
        """Refuse parameters that the network, the loss or the fit would take for others."""
        for name in ("convexity", "slope", "entropy"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InputError(f"argument {name}", "", getattr(self, name), "a finite number of 0 or more")
        for name, least in (("configurations", 1), ("iterations", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise InputError(f"argument {name}", "", value, f"an integer, {least} or more")
        if self.start not in (None, "wells", "random"):
            hint = did_you_mean(str(self.start), ("wells", "random"))
            raise InputError("argument start", "", repr(self.start), "'wells', 'random' or None", hint)

    def _data(
        self,
        x: ArrayLike,
        temperatures: ArrayLike,
        free_energies: ArrayLike,
        weights: ArrayLike | None,
        slopes: ArrayLike | None,
        entropies: ArrayLike | None,
        density_temperature: ArrayLike | None,
    ) -> Landscape:
        points, T = np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float)
        F = np.asarray(free_energies, dtype=float)
        if points.ndim == 2 and points.shape[1] == 1:
            points = points[:, 0]
        if points.ndim == 1:
            if len(points) < 4 or np.any(np.diff(points) <= 0):
                raise InputError("argument x", "", points, "four or more increasing points")
            points = points[:, None]
        if points.ndim != 2 or len(points) < 4 or len(np.unique(points, axis=0)) < len(points):
            raise InputError("argument x", "", f"shape {points.shape}", "four or more different points")
        for coordinate in points.T:
            if np.all(coordinate == coordinate[0]):
                found = f"{coordinate[0]:g} for all of one coordinate"
                raise InputError("argument x", "", found, "one that varies")
        if T.ndim != 1 or not len(T):
            raise InputError("argument temperatures", "", f"shape {T.shape}", "a list of one or more")
        if F.shape != (len(T), len(points)):
            expected = f"shape {(len(T), len(points))}"
            raise InputError("argument free_energies", "", f"shape {F.shape}", expected)
        of_slopes = None if slopes is None else np.asarray(slopes, dtype=float)
        if of_slopes is not None and of_slopes.ndim == 2:
            of_slopes = of_slopes[..., None]
        given = T if density_temperature is None else np.asarray(density_temperature, dtype=float)
        if given.shape not in ((), T.shape):
            found, expected = f"shape {given.shape}", f"shape {T.shape}, or one number"
            raise InputError("argument density_temperature", "", found, expected)
        made = Landscape(
            points,
            grid_weights(points)[0] if weights is None else np.asarray(weights, dtype=float),
            T,
            F,
            self.boltzmann_constant,
            given,
            slopes=of_slopes,
            entropies=None if entropies is None else np.asarray(entropies, dtype=float),
        )
        if density_temperature is not None:
            return made
        # only now: its arguments have been looked at
        return replace(made, density_temperature=density_temperatures(F, T, self.boltzmann_constant))

    def _at(self, x: ArrayLike, temperature: ArrayLike) -> tuple[Array, Array, tuple[int, ...]]:
        """Points (n, d), temperatures (n,), and the shape of what is asked for."""
        at, T = np.asarray(x, dtype=float), np.asarray(temperature, dtype=float)
        d = self.surface.dimensions
        if d == 1:
            at = at[..., None]
        elif at.shape[-1:] != (d,):
            raise InputError("argument x", "", f"shape {at.shape}", f"shape (..., {d})")
        shape = np.broadcast_shapes(at.shape[:-1], T.shape)
        points = np.broadcast_to(at, (*shape, d)).reshape(-1, d)
        return points, np.broadcast_to(T, shape).reshape(-1), shape

    def _windows(
        self, x_window: Window | Sequence[Window] | None, temperature_window: Window | None
    ) -> tuple[tuple[Window, ...], Window]:
        result = self.result
        given = np.asarray(result.domain if x_window is None else x_window, dtype=float)
        if given.ndim not in (1, 2) or given.shape[-1] != 2:
            found, expected = f"shape {given.shape}", "(low, high), or one such window for each coordinate"
            raise InputError("argument x_window", "", found, expected)
        T = result.temperatures
        if len(T) < 2:  # beyond it the network says nothing
            raise NotFoundError(f"no critical point at the one temperature {T[0]:g} of the data")
        of_temperature = temperature_window or (float(T[0]), float(T[-1]))
        if not of_temperature[0] > 0:
            expected = "temperatures above 0"
            raise InputError("argument temperature_window", "", of_temperature, expected)
        return tuple((float(low), float(high)) for low, high in given.reshape(-1, 2)), of_temperature
