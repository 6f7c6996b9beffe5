"""Helmholtz energy F(V, T) of every configuration and of the mixture, with exact derivatives.

    F_k = E_k(V) + F_vib,k(V, T) + F_el,k(V, T)           (Eq. S1 of Wang et al., ZENN)
    F = -(k_B T / n) ln sum_k g_k exp(-n F_k / (k_B T))   (Eqs. 6-7 at gamma = infinity, per atom)

where n is the number of atoms in the cell and F_el the thermal electrons of a material that has them. All
quantities are per atom: V in Å3, T in K, energies in eV. `volume` and `temperature` broadcast to a batch
shape; configurations come last, orders of derivatives first. Derivatives in V are truncated Taylor series
(`zenn.taylor`), derivatives in T follow from Eq. (1); nothing is a finite difference. A temperature
below 1e-12 K counts as zero: its k_B T is below the rounding of an energy in eV. At T = 0 the derivatives are
those of the ground state, where that is unique.

Every function raises `zenn.errors.InputError` for a volume that is not positive and finite, a temperature
that is negative or not finite, and shapes that do not broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn import taylor, zentropy
from zenn.errors import InputError
from zenn.materials import debye, eos
from zenn.materials.constants import BOLTZMANN
from zenn.materials.material import Material

Array = NDArray[np.float64]

HIGHEST_ORDER = 4
COLDEST = 1e-12
"""K; a lower temperature counts as zero."""


@dataclass(frozen=True, eq=False)
class Derivatives:
    """F of the mixture and its derivatives at given V and T; arrays read-only.

    in_volume : F, F_V, F_VV ... up to the order asked for, shape (order + 1, batch...), eV / Å^(3 j).
    in_temperature : F_T, F_VT, F_VVT ... up to one order less, shape (order, batch...), eV / (K Å^(3 j)).
    F_TT : shape (batch...), eV / K^2; zero at T = 0.
    """

    in_volume: Array
    in_temperature: Array
    F_TT: Array

    def __post_init__(self) -> None:
        for name in ("in_volume", "in_temperature", "F_TT"):
            array = np.array(getattr(self, name))
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def F(self) -> Array:
        """Helmholtz energy, eV."""
        return self._volume(0)

    @property
    def F_V(self) -> Array:
        """Minus the pressure, eV / Å3."""
        return self._volume(1)

    @property
    def F_VV(self) -> Array:
        """Curvature, eV / Å^6; positive where the material is stable."""
        return self._volume(2)

    @property
    def F_VVV(self) -> Array:
        """Third derivative, eV / Å^9."""
        return self._volume(3)

    @property
    def F_VVVV(self) -> Array:
        """Fourth derivative, eV / Å^12."""
        return self._volume(4)

    @property
    def F_T(self) -> Array:
        """Minus the entropy, eV / K."""
        return self._mixed(0)

    @property
    def F_VT(self) -> Array:
        """eV / (K Å3)."""
        return self._mixed(1)

    @property
    def F_VVT(self) -> Array:
        """eV / (K Å^6)."""
        return self._mixed(2)

    @property
    def F_VVVT(self) -> Array:
        """eV / (K Å^9)."""
        return self._mixed(3)

    def _volume(self, order: int) -> Array:
        if order >= len(self.in_volume):
            raise InputError("argument order", "", len(self.in_volume) - 1, f"{order} or more")
        found: Array = self.in_volume[order]
        return found

    def _mixed(self, order: int) -> Array:
        if order >= len(self.in_temperature):
            raise InputError("argument order", "", len(self.in_volume) - 1, f"{order + 1} or more")
        found: Array = self.in_temperature[order]
        return found


def configuration_helmholtz_energies(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """F_k in eV per atom, shape (batch..., K)."""
    return np.asarray(_configurations(material, *_checked(volume, temperature), order=1).energy[0])


def helmholtz_energy(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """F of the mixture in eV per atom, shape (batch...)."""
    return derivatives(material, volume, temperature, order=0).F


def probabilities(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """p_k of each level, all its g_k members together, shape (batch..., K)."""
    return _configurations(material, *_checked(volume, temperature), order=1).probabilities


def derivatives(
    material: Material, volume: ArrayLike, temperature: ArrayLike, order: int = HIGHEST_ORDER
) -> Derivatives:
    """F and its derivatives, up to `order` (0 to 4) in V.

    With p_k the probabilities at V, D_k(t) = F_k(V + t) - F_k(V) and their mean D = sum_k p_k D_k,
    F(V + t) = F(V) + D - (k_B T / n) ln sum_k p_k exp[-n (D_k - D) / (k_B T)]: exact, and centred so that
    large terms do not cancel. The entropy is Eq. (1) with the series of p_k.
    """
    return mixture(material, volume, temperature, order).derivatives


class Mixture(NamedTuple):
    """The mixture and what it consists of, at the same V and T."""

    derivatives: Derivatives
    states: States


def mixture(material: Material, volume: ArrayLike, temperature: ArrayLike, order: int) -> Mixture:
    """`derivatives`, with the states of the configurations that they come from."""
    if order not in range(HIGHEST_ORDER + 1):
        raise InputError("argument order", "", order, f"an integer from 0 to {HIGHEST_ORDER}")
    V, T = _checked(volume, temperature)
    states = _configurations(material, V, T, max(order, 1))
    p, log_p = states.probabilities, states.log_probabilities
    boltzmann = BOLTZMANN / material.atoms
    log_degeneracies = np.log(material.configurations.degeneracies)

    mean = np.sum(p * states.energy, axis=-1)
    mixing = (T[..., None] > 0) & (p > 0)  # at T = 0, and where p underflows, nothing mixes
    exponent = (mean[..., None] - states.energy) / np.where(mixing, boltzmann * T[..., None], np.inf)
    exponent[0] = 0
    weights = taylor.exponential(exponent)
    log_sum = taylor.logarithm(np.sum(p * weights, axis=-1))
    in_volume = mean - boltzmann * T * log_sum
    in_volume[0] = _mixture_energy(states, log_degeneracies, boltzmann * T)

    shares = p * taylor.multiply(weights, taylor.exponential(-log_sum)[..., None])  # series of p_k
    log_shares = exponent - log_sum[..., None]  # series of ln(p_k / g_k)
    log_shares[0] = np.where(p > 0, log_p, 0) - log_degeneracies
    level_entropy = states.entropy - boltzmann * log_shares[:-1]
    entropy = np.sum(taylor.multiply(shares[:-1], level_entropy), axis=-1)

    spread = level_entropy[0] - entropy[0, ..., None]  # (U_k - U) / T
    heat_capacity = np.sum(p * (states.heat_capacity + spread**2 / boltzmann), axis=-1)
    found = Derivatives(
        in_volume=taylor.derivatives(in_volume)[: order + 1],
        in_temperature=-taylor.derivatives(entropy)[:order],
        F_TT=-np.divide(heat_capacity, T, out=np.zeros_like(heat_capacity), where=T > 0),
    )
    return Mixture(found, states)


def _mixture_energy(states: States, log_degeneracies: Array, kT: Array) -> Array:
    """F = F_k + (k_B T / n) ln(p_k / g_k), the same for every k; of the likeliest it is known best."""
    likeliest = np.argmax(states.probabilities, axis=-1)[..., None]
    energy = np.take_along_axis(states.energy[0], likeliest, axis=-1)[..., 0]
    log_p = np.take_along_axis(states.log_probabilities, likeliest, axis=-1)[..., 0]
    return np.asarray(energy + kT * (log_p - log_degeneracies[likeliest[..., 0]]))


class States(NamedTuple):
    """The configurations at V and T, per atom: Taylor series in V (orders first), configurations last."""

    energy: Array  # F_k, (order + 1, batch..., K)
    entropy: Array  # S_k, (order, batch..., K)
    heat_capacity: Array  # (batch..., K)
    probabilities: Array  # (batch..., K)
    log_probabilities: Array  # (batch..., K)


def _configurations(material: Material, V: Array, T: Array, order: int) -> States:
    """Series of every configuration: static energy, vibrations and, if given, electrons (Eq. S1)."""
    rows = material.configurations
    properties = (rows.equilibrium_volumes, rows.bulk_moduli, rows.bulk_modulus_derivatives)
    static = eos.birch_murnaghan_series(
        V[..., None], properties[0], rows.equilibrium_energies, *properties[1:], order=order
    )
    theta = debye.debye_temperature(
        V[..., None],
        *properties,
        mean_atomic_mass=material.mean_atomic_mass,
        debye_scaling=material.debye_scaling,
        grueneisen_x=material.grueneisen_x,
    )
    gamma = debye.grueneisen_parameter(properties[-1], material.grueneisen_x)
    vibrations = debye.vibrational_series(V[..., None], theta, gamma, T[..., None], order)
    energy, entropy, heat_capacity = static + vibrations.energy, vibrations.entropy, vibrations.heat_capacity
    if material.electrons is not None:
        electrons = material.electrons.series(rows.names, V, T, order)
        energy, entropy = energy + electrons.energy, entropy + electrons.entropy
        heat_capacity = heat_capacity + electrons.heat_capacity
    log_p = zentropy.log_probabilities(energy[0], 0.0, T, **_statistics(material))
    return States(energy, entropy, heat_capacity, np.exp(log_p), log_p)


def _statistics(material: Material) -> dict[str, Any]:
    """How `zenn.zentropy` counts: S_k is folded into F_k, and n atoms into k_B."""
    return {"degeneracies": material.configurations.degeneracies, "k_B": BOLTZMANN / material.atoms}


def _checked(volume: ArrayLike, temperature: ArrayLike) -> tuple[Array, Array]:
    """V and T with the same number of axes, so that an axis put before both stays the first."""
    V, T = np.asarray(volume, dtype=np.float64), np.asarray(temperature, dtype=np.float64)
    if not np.all((V > 0) & (np.inf > V)):
        raise InputError(
            "argument volume", "", _first(V, ~((V > 0) & (np.inf > V))), "finite, above 0 Å3 per atom"
        )
    if not np.all((T >= 0) & (np.inf > T)):
        raise InputError(
            "argument temperature", "", _first(T, ~((T >= 0) & (np.inf > T))), "finite, 0 K or more"
        )
    try:
        axes = len(np.broadcast_shapes(V.shape, T.shape))
    except ValueError as error:
        found = f"shapes {V.shape}, {T.shape}"
        raise InputError("arguments volume, temperature", "", found, "shapes that broadcast") from error
    return np.array(V, ndmin=axes), np.array(np.where(T < COLDEST, 0, T), ndmin=axes)


def _first(values: Array, bad: NDArray[np.bool_]) -> float:
    """The first refused value."""
    return float(values[bad].flat[0])
