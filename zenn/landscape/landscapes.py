"""Energy landscapes F(x, T) as data: points, quadrature, temperatures, and what is known of them exactly.

The benchmark in one dimension is that of Wang et al., ZENN, "ZENN Reconstructs the Energy Landscape" (the
equation after Eq. 7); the one in two dimensions is Eq. (S5) of its SI, Section 3. Units are the caller's:
energy, k_B T and temperature have to agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.errors import InputError
from zenn.landscape.grids import trapezoidal_weights

Array = NDArray[np.float64]
Window = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Landscape:
    """F on N points at each of M temperatures; arrays are read-only.

    Parameters
    ----------
    points : coordinates x, shape (N, d).
    weights : of the quadrature over the domain, positive, shape (N,).
    temperatures : increasing, positive, shape (M,).
    free_energies : F, shape (M, N); the constant at each temperature is arbitrary.
    boltzmann_constant : k_B in units of energy per temperature.
    density_temperature : T_d of the density exp(-F / (k_B T_d)) that is compared, shape (M,) or one number;
        T itself where not given. A density at T is blind for what lies many k_B T above the minimum.
    slopes : dF/dx, shape (M, N, d), where known.
    entropies : -dF/dT, shape (M, N), where known.

    Raises
    ------
    InputError : shapes that do not fit, values that are not finite, weights or temperatures that are not
    positive.
    """

    points: Array
    weights: Array
    temperatures: Array
    free_energies: Array
    boltzmann_constant: float
    density_temperature: Array
    slopes: Array | None = None
    entropies: Array | None = None

    def __post_init__(self) -> None:
        for name in ("points", "weights", "temperatures", "free_energies", "density_temperature"):
            array = np.array(getattr(self, name), dtype=np.float64)
            if not np.all(np.isfinite(array)):
                raise InputError(f"argument {name}", "", "a value that is not finite", "finite numbers")
            object.__setattr__(self, name, array)
        if self.points.ndim == 1:
            object.__setattr__(self, "points", self.points[:, None])
        number, count = len(self.points), len(self.temperatures)
        spread = np.broadcast_to(self.density_temperature, (count,)).copy()
        object.__setattr__(self, "density_temperature", spread)
        expected = {
            "weights": (number,),
            "free_energies": (count, number),
            "slopes": (count, number, self.dimensions),
            "entropies": (count, number),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array is None:
                continue
            array = np.array(array, dtype=np.float64)
            if array.shape != shape:
                raise InputError(f"argument {name}", "", f"shape {array.shape}", f"shape {shape}")
            object.__setattr__(self, name, array)
        for name in ("weights", "temperatures", "density_temperature"):
            if not np.all(getattr(self, name) > 0):
                raise InputError(f"argument {name}", "", getattr(self, name).min(), "positive numbers")
        if np.any(np.diff(self.temperatures) <= 0):
            raise InputError("argument temperatures", "", self.temperatures, "increasing temperatures")
        if not 0 < self.boltzmann_constant < np.inf:
            raise InputError("argument boltzmann_constant", "", self.boltzmann_constant, "a positive number")
        for name in (*expected, "points", "temperatures", "density_temperature"):
            if getattr(self, name) is not None:
                getattr(self, name).flags.writeable = False

    @property
    def dimensions(self) -> int:
        """d, the number of coordinates."""
        return int(self.points.shape[1])

    @property
    def domain(self) -> tuple[Window, ...]:
        """Lowest and highest value of each coordinate."""
        return tuple((float(x.min()), float(x.max())) for x in self.points.T)

    @property
    def temperature_window(self) -> Window:
        """Lowest and highest temperature."""
        return float(self.temperatures[0]), float(self.temperatures[-1])


def quadrature(points: int, window: Window) -> tuple[Array, Array]:
    """Nodes and weights of Gauss and Legendre's rule on a window, shape (points,)."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    low, high = window
    return (low + high) / 2 + (high - low) / 2 * nodes, (high - low) / 2 * weights


def bifurcation_energy(x: ArrayLike, temperature: ArrayLike, boltzmann_constant: float = 1.0) -> Array:
    """F(x, T) = k_B T [(x^2 / 2 + (T - 2) / 2)^2 + ((T - 2)^2 - 1)^2 / 2]: two wells below T = 2, one above.

    Arguments broadcast.
    """
    x, T = np.asarray(x, dtype=float), np.asarray(temperature, dtype=float)
    wells = (x**2 / 2 + (T - 2) / 2) ** 2
    return np.asarray(boltzmann_constant * T * (wells + ((T - 2) ** 2 - 1) ** 2 / 2))


def bifurcation_derivatives(x: ArrayLike, temperature: ArrayLike, boltzmann_constant: float = 1.0) -> Array:
    """F_x, F_xx, F_xxx of `bifurcation_energy`, shape (3, batch...)."""
    x, T = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(temperature, dtype=float))
    found = np.stack([x**3 + (T - 2) * x, 3 * x**2 + T - 2, 6 * x])
    return np.asarray(boltzmann_constant * T * found)


def bifurcation(
    points: int = 61,
    temperatures: int = 31,
    window: Window = (-2.0, 2.0),
    temperature_window: Window = (0.9, 3.1),
    boltzmann_constant: float = 1.0,
) -> Landscape:
    """The benchmark in one dimension, sampled at quadrature nodes; T* = 2 at x* = 0.

    The default windows reach beyond |x| <= 1.5 and 1 <= T <= 3, where it is looked at: a fit is worst at its
    edges.
    """
    x, weights = quadrature(points, window)
    T = np.linspace(*temperature_window, temperatures)
    slopes = bifurcation_derivatives(x, T[:, None], boltzmann_constant)[0]
    return Landscape(
        x,
        weights,
        T,
        bifurcation_energy(x, T[:, None], boltzmann_constant),
        boltzmann_constant,
        T,
        slopes=slopes[..., None],
    )


THREE_WELLS = {"A": (-3.0, -3.0, -3.0), "a": (3.0, 3.0, 3.0), "b": (3.0, 3.0, 3.0)}
THREE_WELLS_AT = ((-1.0, 0.0), (1.0, 0.0), (0.0, 1.5))
THREE_WELLS_DOMAIN = ((-2.0, 2.0), (-1.0, 2.5))
"""Eq. (S5); the domain is not printed: this one holds all that differs from zero by more than 4 percent."""


def three_wells_energy(x1: ArrayLike, x2: ArrayLike) -> Array:
    """V(x1, x2) of Eq. (S5); arguments broadcast."""
    x, y = np.asarray(x1, dtype=float), np.asarray(x2, dtype=float)
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for A, a, b, (x0, y0) in zip(*THREE_WELLS.values(), THREE_WELLS_AT, strict=True):
        total = total + A * np.exp(-a * (x - x0) ** 2 - b * (y - y0) ** 2)
    return total


def three_wells(points: int = 24, domain: tuple[Window, Window] = THREE_WELLS_DOMAIN) -> Landscape:
    """The benchmark in two dimensions on points x points equally spaced points; k_B = T = 1 (SI, Section 3).

    With as many nodes of Gauss and Legendre's rule, which are sparse in the middle, where the wells are,
    fits are ten times worse between the points.
    """
    x, y = (np.linspace(*window, points) for window in domain)
    wx, wy = trapezoidal_weights(x), trapezoidal_weights(y)
    X, Y = np.meshgrid(x, y, indexing="ij")
    at = np.stack([X.ravel(), Y.ravel()], axis=1)
    V = three_wells_energy(at[:, 0], at[:, 1])
    return Landscape(at, np.outer(wx, wy).ravel(), np.ones(1), V[None], 1.0, np.ones(1))
