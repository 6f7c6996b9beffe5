"""Vibrations of one configuration: Debye model with a Grüneisen parameter.

    F_vib = 9/8 k_B Theta + k_B T [3 ln(1 - exp(-x)) - D(x)],   x = Theta / T,
    Theta = s (6 pi^2)^(1/3) (hbar / k_B) V0^(1/6) (B0 / M)^(1/2) (V0 / V)^gamma,

after V. L. Moruzzi, J. F. Janak, K. Schwarz, Phys. Rev. B 37, 790 (1988), doi:10.1103/PhysRevB.37.790, and
S.-L. Shang et al., Comput. Mater. Sci. 47, 1040 (2010), doi:10.1016/j.commatsci.2009.12.006.

With g = 3 ln(1 - e^-x) - D and the operator q = x d/dx everything follows from D and b = x / (e^x - 1):

    q g = 3 D,   q D = 3 (b - D),   q b = b (1 - b - x),

while V d/dV = -gamma q and T d/dT = -q; derivatives are therefore closed forms.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants as codata
from scipy.special import zeta

from zenn.materials.constants import BOLTZMANN

Array = NDArray[np.float64]

_SWITCH = 2.5  # below: power series, radius of convergence 2 pi; above: series in exp(-x)
_POWER_TERMS = 20  # (2.5 / (2 pi))^(2 * 20) < 1e-16
_EXPONENTIAL_TERMS = 16  # exp(-2.5 * 16) < 1e-17
_COLD, _COLD_TERMS = 9.0, 4  # exp(-9 * 5) < 1e-19: most of a table at low temperature
# 3 B_2m / ((2m + 3) (2m)!) by way of zeta(2m): scipy's Bernoulli numbers are off by up to 2e-12.
_EVEN_COEFFICIENTS = [
    6 * (-1) ** (m + 1) * float(zeta(2 * m)) / ((2 * math.pi) ** (2 * m) * (2 * m + 3))
    for m in range(1, _POWER_TERMS + 1)
]


def debye_function(x: ArrayLike) -> Array:
    """D(x) = 3 / x^3 times the integral of t^3 / (e^t - 1) from 0 to x, for any x >= 0 including infinity.

    Relative error about 1e-15 (Abramowitz and Stegun, section 27.1). Shape of `x`.

    >>> debye_function([0.0, 1.0])
    array([1.        , 0.67441556])
    """
    values = np.asarray(x, dtype=np.float64)
    result = np.empty_like(values)
    small, cold = values < _SWITCH, values > _COLD
    between = ~(small | cold)
    result[small] = _power_series(values[small])
    result[between] = _exponential_series(values[between], _EXPONENTIAL_TERMS)
    result[cold] = _exponential_series(values[cold], _COLD_TERMS)
    return result


def _power_series(x: Array) -> Array:
    """D for small x: 1 - 3 x / 8 + sum of Bernoulli numbers."""
    squared = x * x
    total = np.zeros_like(x)
    for coefficient in reversed(_EVEN_COEFFICIENTS):
        total = (total + coefficient) * squared
    return 1 - 0.375 * x + total


def _exponential_series(x: Array, terms: int) -> Array:
    """D for large x: pi^4 / 5 / x^3 less a sum over exp(-m x)."""
    inverse = 1 / x
    decay = np.exp(-x)
    total = np.zeros_like(x)
    for m in range(terms, 0, -1):
        t = inverse / m
        total = (total + (1 + t * (3 + t * (6 + 6 * t))) / m) * decay
    return 3 * (math.pi**4 / 15 * inverse**3 - total)


def debye_temperature(
    volume: ArrayLike,
    equilibrium_volume: ArrayLike,
    bulk_modulus: ArrayLike,
    bulk_modulus_derivative: ArrayLike,
    *,
    mean_atomic_mass: float,
    debye_scaling: float,
    grueneisen_x: float,
) -> Array:
    """Theta(V) in K; volumes in Å3 per atom, bulk modulus in GPa, mass in u; arguments broadcast.

    At V = V0 it is the prefactor alone; the exponent is gamma = (1 + B') / 2 - grueneisen_x.
    """
    V, V0 = np.asarray(volume, dtype=np.float64), np.asarray(equilibrium_volume, dtype=np.float64)
    at_equilibrium = equilibrium_debye_temperature(V0, bulk_modulus, mean_atomic_mass, debye_scaling)
    gamma = grueneisen_parameter(bulk_modulus_derivative, grueneisen_x)
    return np.asarray(at_equilibrium * (V0 / V) ** gamma)


def equilibrium_debye_temperature(
    equilibrium_volume: ArrayLike, bulk_modulus: ArrayLike, mean_atomic_mass: float, debye_scaling: float
) -> Array:
    """Theta at V0, in K: s (6 pi^2)^(1/3) (hbar / k_B) V0^(1/6) (B0 / M)^(1/2)."""
    V0 = 1e-30 * np.asarray(equilibrium_volume, dtype=np.float64)
    B0 = 1e9 * np.asarray(bulk_modulus, dtype=np.float64)
    mass = mean_atomic_mass * codata.atomic_mass
    prefactor = debye_scaling * (6 * math.pi**2) ** (1 / 3) * codata.hbar / codata.k
    return np.asarray(prefactor * V0 ** (1 / 6) * np.sqrt(B0 / mass))


def grueneisen_parameter(bulk_modulus_derivative: ArrayLike, grueneisen_x: float) -> Array:
    """gamma = (1 + B') / 2 - x; x = 2/3 for high temperature, 1 for low (Moruzzi et al.)."""
    return np.asarray((1 + np.asarray(bulk_modulus_derivative, dtype=np.float64)) / 2 - grueneisen_x)


def vibrational_helmholtz_energy(debye_temperature: ArrayLike, temperature: ArrayLike) -> Array:
    """F_vib in eV per atom, zero-point energy included; `debye_temperature` and `temperature` in K broadcast.

    >>> from zenn.materials.constants import BOLTZMANN
    >>> float(vibrational_helmholtz_energy(400.0, 0.0) / (BOLTZMANN * 400.0))
    1.125
    """
    theta, T = np.asarray(debye_temperature, dtype=np.float64), np.asarray(temperature, dtype=np.float64)
    return np.asarray(BOLTZMANN * (1.125 * theta + T * _chain(_ratio(theta, T))[0]))


def vibrational_entropy(debye_temperature: ArrayLike, temperature: ArrayLike) -> Array:
    """-dF_vib/dT in eV / K per atom; arguments in K broadcast."""
    theta, T = np.asarray(debye_temperature, dtype=np.float64), np.asarray(temperature, dtype=np.float64)
    chain = _chain(_ratio(theta, T))
    return np.asarray(BOLTZMANN * (chain[1] - chain[0]))


def vibrational_heat_capacity(debye_temperature: ArrayLike, temperature: ArrayLike) -> Array:
    """T dS_vib/dT at constant volume in eV / K per atom; arguments in K broadcast."""
    theta, T = np.asarray(debye_temperature, dtype=np.float64), np.asarray(temperature, dtype=np.float64)
    chain = _chain(_ratio(theta, T))
    return np.asarray(BOLTZMANN * (chain[1] - chain[2]))


class Vibrations(NamedTuple):
    """Taylor series in V (see `zenn.taylor`) of the vibrations, per atom."""

    energy: Array  # F_vib, (order + 1, batch...), eV / Å^(3 j)
    entropy: Array  # -dF_vib/dT, (order, batch...), eV / (K Å^(3 j)): one order less is all that is needed
    heat_capacity: Array  # T dS_vib/dT, (batch...), eV / K


def vibrational_series(
    volume: Array, debye_temperature: Array, grueneisen: Array, temperature: Array, order: int
) -> Vibrations:
    """Taylor series in V of F_vib and S_vib, and the heat capacity; order 4 at most.

    `debye_temperature` is Theta at `volume`, `grueneisen` the exponent gamma; all arguments broadcast.
    """
    chain = _chain(_ratio(debye_temperature, temperature), max(order, 2))
    energy = 1.125 * debye_temperature + temperature * chain[: order + 1]  # q Theta = Theta
    entropy = chain[1 : order + 1] - chain[:order]
    return Vibrations(
        energy=BOLTZMANN * _series_from_logarithmic(energy, -grueneisen, volume),
        entropy=BOLTZMANN * _series_from_logarithmic(entropy, -grueneisen, volume),
        heat_capacity=BOLTZMANN * (chain[1] - chain[2]),
    )


def _ratio(theta: Array, T: Array) -> Array:
    """x = Theta / T, infinite at T = 0."""
    warm = 1e-300 * theta < T  # below, the division would overflow
    return np.where(warm, theta / np.where(warm, T, 1), np.inf)


def _chain(x: Array, order: int = 4) -> Array:
    """g and q g ... q^order g, q = x d/dx, order 2 to 4, shape (order + 1, batch...)."""
    D = debye_function(x)
    finite = np.minimum(x, 1e3)  # b and its derivatives vanish far earlier; avoids inf * 0
    b = finite * np.exp(-finite) / -np.expm1(-finite)
    chain = [3 * np.log(-np.expm1(-x)) - D, 3 * D, 9 * (b - D)]
    if order > 2:
        damping = 1 - b - finite
        qb = b * damping
        chain.append(9 * (qb - 3 * b + 3 * D))
    if order > 3:
        qqb = qb * damping - b * (qb + finite)
        chain.append(9 * (qqb - 3 * qb + 9 * b - 9 * D))
    return np.stack(chain)


def _series_from_logarithmic(chain: Array, factor: Array, volume: Array) -> Array:
    """Taylor series in V from q^0 f ... q^n f, where V d/dV = factor q.

    V^j f^(j) / j! is the binomial coefficient (d choose j) of the operator d = V d/dV.
    """
    logarithmic = [chain[j] * factor**j for j in range(len(chain))]
    binomials = _BINOMIALS[: len(chain)]
    return np.stack(
        [
            sum(c * term for c, term in zip(row, logarithmic, strict=False)) / volume**j
            for j, row in enumerate(binomials)
        ]
    )


_BINOMIALS = [
    [1.0],
    [0.0, 1.0],
    [0.0, -1 / 2, 1 / 2],
    [0.0, 2 / 6, -3 / 6, 1 / 6],
    [0.0, -6 / 24, 11 / 24, -6 / 24, 1 / 24],
]
"""(d choose j) as a polynomial in d, for j = 0 ... 4."""
