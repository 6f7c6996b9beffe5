"""Third-order Birch-Murnaghan equation of state of one configuration, and its fit.

Eq. (S2) of Wang et al., ZENN: E = a1 + a2 V^(-2/3) + a3 V^(-4/3) + a4 V^(-2). With z = (V0/V)^(2/3) - 1 it is
F. Birch, Phys. Rev. 71, 809 (1947), doi:10.1103/PhysRev.71.809:

    E = E0 + 9/16 V0 B0 z^2 [2 + (B' - 4) z]

Volumes in Å3 per atom, energies in eV per atom, bulk moduli in GPa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn import taylor
from zenn.errors import InputError, NotFoundError
from zenn.materials.constants import GPA_PER_EV_PER_A3

Array = NDArray[np.float64]


@dataclass(frozen=True)
class EquationOfState:
    """Equilibrium properties of one configuration at 0 K, without vibrations.

    volume in Å3 per atom, energy in eV per atom, bulk_modulus in GPa, bulk_modulus_derivative without unit.
    """

    volume: float
    energy: float
    bulk_modulus: float
    bulk_modulus_derivative: float


def birch_murnaghan_energy(
    volume: ArrayLike,
    equilibrium_volume: ArrayLike,
    equilibrium_energy: ArrayLike,
    bulk_modulus: ArrayLike,
    bulk_modulus_derivative: ArrayLike,
) -> Array:
    """E(V) in eV per atom; all arguments broadcast (Eq. S2).

    >>> float(birch_murnaghan_energy(13.124, 13.124, -1.5, 177.01, 3.447))
    -1.5
    """
    properties = (equilibrium_volume, equilibrium_energy, bulk_modulus, bulk_modulus_derivative)
    return np.asarray(birch_murnaghan_series(volume, *properties, order=0)[0])


def birch_murnaghan_pressure(
    volume: ArrayLike,
    equilibrium_volume: ArrayLike,
    bulk_modulus: ArrayLike,
    bulk_modulus_derivative: ArrayLike,
) -> Array:
    """-dE/dV in GPa; all arguments broadcast (Eq. S2)."""
    properties = (equilibrium_volume, 0.0, bulk_modulus, bulk_modulus_derivative)
    return np.asarray(-GPA_PER_EV_PER_A3 * birch_murnaghan_series(volume, *properties, order=1)[1])


def birch_murnaghan_series(
    volume: ArrayLike,
    equilibrium_volume: ArrayLike,
    equilibrium_energy: ArrayLike,
    bulk_modulus: ArrayLike,
    bulk_modulus_derivative: ArrayLike,
    *,
    order: int,
) -> Array:
    """Taylor series of E in V (see `zenn.taylor`), shape (order + 1, batch...), in eV / Å^(3 j)."""
    V, V0, E0, B0, slope = _arrays(
        volume, equilibrium_volume, equilibrium_energy, bulk_modulus, bulk_modulus_derivative
    )
    # The axis of the coefficients goes before every batch axis, also those that V itself does not have.
    V = np.array(V, ndmin=max(x.ndim for x in (V0, E0, B0, slope)))
    z = V0 ** (2 / 3) * taylor.power(V, -2 / 3, order)
    z[0] -= 1
    bracket = (slope - 4) * z
    bracket[0] += 2
    energy = 9 / 16 * V0 * B0 / GPA_PER_EV_PER_A3 * taylor.multiply(taylor.multiply(z, z), bracket)
    energy[0] += E0
    return np.asarray(energy)


def birch_murnaghan_coefficients(
    equilibrium_volume: ArrayLike,
    equilibrium_energy: ArrayLike,
    bulk_modulus: ArrayLike,
    bulk_modulus_derivative: ArrayLike,
) -> Array:
    """a1, a2, a3, a4 of Eq. (S2), shape (4, batch...), in eV, eV Å2, eV Å4 and eV Å6 per atom."""
    V0, E0, B0, slope = _arrays(equilibrium_volume, equilibrium_energy, bulk_modulus, bulk_modulus_derivative)
    scale = 9 / 16 * V0 * B0 / GPA_PER_EV_PER_A3
    x0 = V0 ** (2 / 3)
    powers = (6 - slope, (3 * slope - 16) * x0, (14 - 3 * slope) * x0**2, (slope - 4) * x0**3)
    coefficients = np.stack([scale * power for power in powers])
    coefficients[0] += E0
    return coefficients


def birch_murnaghan_properties(coefficients: ArrayLike) -> EquationOfState:
    """Equilibrium properties from a1, a2, a3, a4 of Eq. (S2), shape (4,).

    Raises NotFoundError where the energy has no minimum at a positive volume.
    """
    a1, a2, a3, a4 = (float(a) for a in _arrays(*np.asarray(coefficients, dtype=np.float64)))
    return _properties_of_cubic(np.array([a1, a2, a3, a4]), centre=0.0, width=1.0)


def fit_birch_murnaghan(volumes: ArrayLike, energies: ArrayLike) -> EquationOfState:
    """Linear least squares of Eq. (S2) to an energy-volume curve.

    Parameters
    ----------
    volumes : shape (N,), Å3 per atom, at least four different ones.
    energies : shape (N,), eV per atom.

    Raises
    ------
    InputError
        Fewer than four different volumes, or values that are not finite positive numbers.
    NotFoundError
        The fitted energy has no minimum, or it lies farther outside the volumes than half their range.
    """
    V, E = _checked_curve(volumes, energies)
    y = V ** (-2 / 3)
    # The four powers are nearly parallel over a few percent of volume; centred and scaled they are not.
    centre, width = (y.max() + y.min()) / 2, (y.max() - y.min()) / 2
    design = ((y - centre) / width)[:, None] ** np.arange(4)
    cubic = np.linalg.lstsq(design, E - E[0], rcond=None)[0]
    cubic[0] += E[0]
    fitted = _properties_of_cubic(cubic, centre, width)
    margin = (V.max() - V.min()) / 2
    if not V.min() - margin <= fitted.volume <= V.max() + margin:
        span = f"{V.min():g}-{V.max():g} Å3"
        raise NotFoundError(f"the fitted minimum, {fitted.volume:g} Å3, lies far outside the volumes {span}")
    return fitted


def _properties_of_cubic(cubic: Array, centre: float, width: float) -> EquationOfState:
    """Equilibrium properties from the cubic of s = (y - centre) / width, y = V^(-2/3)."""
    constant, linear, quadratic, cube = (float(c) for c in cubic)
    discriminant = quadratic**2 - 3 * cube * linear
    if discriminant <= 0:
        raise NotFoundError("the fitted energy has no minimum")
    root = np.sqrt(discriminant)
    # Of the two stationary points, the one of positive curvature 2 root; written so that nothing cancels.
    s = -linear / (quadratic + root) if quadratic >= 0 else (root - quadratic) / (3 * cube)
    y = float(centre + width * s)
    if y <= 0:
        raise NotFoundError("the fitted energy has no minimum at a positive volume")
    volume = y**-1.5
    second, third = 2 * root / width**2, 6 * cube / width**3
    return EquationOfState(
        volume=volume,
        energy=float(((cube * s + quadratic) * s + linear) * s + constant),
        bulk_modulus=float(4 / 9 * y**2 / volume * second * GPA_PER_EV_PER_A3),
        bulk_modulus_derivative=float(4 + 2 / 3 * y * third / second),
    )


def _checked_curve(volumes: ArrayLike, energies: ArrayLike) -> tuple[Array, Array]:
    """The curve as two arrays of one length."""
    V, E = _arrays(volumes, energies)
    if V.ndim != 1 or V.shape != E.shape:
        raise InputError("arguments volumes, energies", "", f"shapes {V.shape}, {E.shape}", "one shape (N,)")
    if not (np.all(np.isfinite(V)) and np.all(V > 0)):
        raise InputError("argument volumes", "", V, "finite positive volumes")
    if not np.all(np.isfinite(E)):
        raise InputError("argument energies", "", E, "finite energies")
    if len(np.unique(V)) < 4:
        found = f"{len(np.unique(V))} different volumes"
        raise InputError("argument volumes", "", found, "at least 4: Eq. (S2) has four coefficients")
    return V, E


def _arrays(*values: ArrayLike) -> list[Array]:
    """Every value as a float64 array."""
    return [np.asarray(value, dtype=np.float64) for value in values]
