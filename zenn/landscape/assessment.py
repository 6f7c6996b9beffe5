"""How far a fitted surface is from the truth, beside and between its training points.

A divergence fixes F up to one constant per temperature, so errors of F are taken after removing the mean
difference at each temperature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.landscape.branches import count_zero_crossings, zero_curvature_temperatures
from zenn.landscape.critical import bifurcation_point, zero_eigenvalue_points
from zenn.landscape.landscapes import (
    THREE_WELLS_DOMAIN,
    Window,
    bifurcation_derivatives,
    bifurcation_energy,
    quadrature,
    three_wells_energy,
)
from zenn.landscape.networks import inputs_along
from zenn.landscape.surface import Surface

Array = NDArray[np.float64]

STARTS = 16
"""Starts of Eq. 19 at each temperature, in one dimension: a branch has its own basin."""

_NODES = 48  # of the quadrature, per coordinate, that normalises a density in two dimensions


def without_constants(difference: ArrayLike) -> Array:
    """A difference of free energies, shape (M, N), less its mean at each of the M temperatures."""
    values = np.asarray(difference, dtype=float)
    return np.asarray(values - values.mean(axis=1, keepdims=True))


@dataclass(frozen=True)
class BenchmarkErrors:
    """Errors of a surface on the benchmark in one dimension; NaN where nothing was found.

    temperature : T* of F_xx = F_xxx = 0, exactly 2. eq19_temperature : hottest root of Eq. 19; eq19_roots :
    how many. largest_F_xx : max |F_xx error|. rms_F, rms_F_x, rms_F_xx : over the windows; rms_F_at_2 : of F
    / (k_B T) at T = 2. zero_line : max |T error| of F_xx = 0 at fixed x. crossings : of F_xx with zero, at
    each of the temperatures asked for.
    """

    temperature: float
    eq19_temperature: float
    eq19_roots: int
    largest_F_xx: float
    rms_F: float
    rms_F_x: float
    rms_F_xx: float
    rms_F_at_2: float
    zero_line: float
    crossings: tuple[int, ...]


def exact_crossings(temperature: float, x_window: Window) -> int:
    """How often F_xx = k_B T (3 x^2 + T - 2) of the benchmark changes sign over a window."""
    if temperature >= 2:
        return 0
    root = np.sqrt((2 - temperature) / 3)
    return sum(x_window[0] < x < x_window[1] for x in (-root, root))


def benchmark_errors(
    surface: Surface,
    x_window: Window,
    temperature_window: Window,
    crossing_temperatures: Sequence[float],
    zero_line_x: Sequence[float],
    boltzmann_constant: float = 1.0,
) -> BenchmarkErrors:
    """Compare a surface with `zenn.landscape.landscapes.bifurcation_energy` over the windows.

    The windows are looked at on 121 x 81 points; the zero line at the x of `zero_line_x`.
    """
    x, T = np.linspace(*x_window, 121), np.linspace(*temperature_window, 81)
    off = _benchmark_difference(surface, x, T, boltzmann_constant)
    at_2 = _benchmark_difference(surface, x, np.array([2.0]), boltzmann_constant)[0]
    try:
        temperature = bifurcation_point(surface, x_window, temperature_window).temperature
    except (NotFoundError, NotConvergedError):
        temperature = np.nan
    roots = zero_eigenvalue_points(surface, [x_window], temperature_window, starts=STARTS)
    return BenchmarkErrors(
        temperature,
        roots[0].temperature if roots else np.nan,
        len(roots),
        float(np.abs(off[2]).max()),
        _rms(off[0]),
        _rms(off[1]),
        _rms(off[2]),
        _rms(at_2 / (2 * boltzmann_constant)),
        _zero_line_error(surface, zero_line_x, temperature_window),
        tuple(int(n) for n in count_zero_crossings(surface, crossing_temperatures, x_window)),
    )


def _benchmark_difference(surface: Surface, x: Array, T: Array, boltzmann_constant: float) -> Array:
    """F, F_x, F_xx of the surface less the exact ones, shape (3, M, N); F without constants."""
    at = np.tile(x, len(T)), np.repeat(T, len(x))
    found = surface.derivatives(*at, 2).reshape(3, len(T), len(x))
    exact = bifurcation_derivatives(x, T[:, None], boltzmann_constant)
    F = without_constants(found[0] - bifurcation_energy(x, T[:, None], boltzmann_constant))
    return np.stack([F, found[1] - exact[0], found[2] - exact[1]])


def _zero_line_error(surface: Surface, x: Sequence[float], temperature_window: Window) -> float:
    """Largest distance of a root of F_xx in T from T = 2 - 3 x^2; NaN where a root is missing."""
    errors = []
    for at, roots in zip(x, zero_curvature_temperatures(surface, x, temperature_window), strict=True):
        exact = 2 - 3 * at**2
        errors.append(np.abs(roots - exact).min() if len(roots) else np.nan)
    return float(np.max(errors))


def three_wells_density(x1: ArrayLike, x2: ArrayLike) -> Array:
    """p = exp(-V) / Z of the benchmark in two dimensions, normalised over its domain; arguments broadcast."""
    nodes, weights = _domain_nodes()
    total = weights @ np.exp(-three_wells_energy(nodes[:, 0], nodes[:, 1]))
    return np.asarray(np.exp(-three_wells_energy(x1, x2)) / total)


def density(surface: Surface, points: Array, temperature: float = 1.0) -> Array:
    """p = exp(-F / T) / Z of a surface at points of the two-dimensional domain, shape (N,)."""
    nodes, weights = _domain_nodes()
    F = _values(surface, np.concatenate([nodes, points]), temperature) / temperature
    lowest = F.min()
    total = weights @ np.exp(lowest - F[: len(nodes)])
    return np.asarray(np.exp(lowest - F[len(nodes) :]) / total)


def prediction_grid(points: int) -> Array:
    """points x points points of the two-dimensional domain, its edges among them, shape (points^2, 2)."""
    axes = [np.linspace(*window, points) for window in THREE_WELLS_DOMAIN]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def _values(surface: Surface, points: Array, temperature: float) -> Array:
    T = torch.full((len(points),), temperature, dtype=torch.float64)
    with torch.no_grad():
        return np.asarray(surface.series(inputs_along(torch.from_numpy(points.copy()), T))[0].numpy())


def _domain_nodes() -> tuple[Array, Array]:
    (x, wx), (y, wy) = (quadrature(_NODES, window) for window in THREE_WELLS_DOMAIN)
    grid = np.meshgrid(x, y, indexing="ij")
    return np.stack([grid[0].ravel(), grid[1].ravel()], axis=1), np.outer(wx, wy).ravel()


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


@dataclass(frozen=True)
class PairedDifference:
    """Mean over seeds of log10(other / reference), with its interval by Student's t; NaN from one seed."""

    mean: float
    low: float
    high: float


def paired_difference(other: ArrayLike, reference: ArrayLike, level: float = 0.95) -> PairedDifference:
    """Compare two positive errors seed by seed, shape (seeds,) each; above 0 the other is worse.

    Raises
    ------
    InputError : shapes that differ, or errors that are not positive.
    """
    a, b = np.asarray(other, dtype=float), np.asarray(reference, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise InputError("argument other", "", f"shapes {a.shape} and {b.shape}", "two vectors of one length")
    if not (np.all(a > 0) and np.all(b > 0)):
        raise InputError("argument other", "", "errors that are not positive", "errors above 0")
    difference = np.log10(a / b)
    mean = float(difference.mean())
    if len(a) < 2:
        return PairedDifference(mean, np.nan, np.nan)
    half = float(stats.t.ppf((1 + level) / 2, len(a) - 1) * stats.sem(difference))
    return PairedDifference(mean, mean - half, mean + half)
