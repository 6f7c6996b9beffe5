"""Thermodynamic properties at given V and T, each as a function, and all of them in one result.

Everything per atom and from the exact derivatives of `zenn.materials.helmholtz`; the relations are those of
any textbook, e.g. Callen, "Thermodynamics", 2nd ed. (Wiley, 1985), chapters 3 and 7. `volume` (Å3) and
`temperature` (K) broadcast to a batch shape, which the results have; configurations come last. Errors are
those of `zenn.materials.helmholtz`.

Where F_VV vanishes (on a spinodal) the thermal expansion and C_P diverge; where it is negative they are those
of an unstable material. At T = 0 heat capacities and thermal expansion are zero, and the Grüneisen parameter,
a ratio of two zeros, is its limit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.materials.constants import BOLTZMANN, GPA_PER_EV_PER_A3
from zenn.materials.helmholtz import COLDEST, Derivatives, States, derivatives, mixture
from zenn.materials.material import Material

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Properties:
    """All properties of a material at given V and T; arrays read-only, per atom, of shape (batch...).

    volume : Å3. temperature : K. pressure, bulk_modulus (isothermal) : GPa.
    helmholtz_energy, internal_energy (F + T S), gibbs_energy (F + P V) : eV.
    entropy, configurational_entropy, isochoric_heat_capacity, isobaric_heat_capacity : eV / K.
    thermal_expansion : volumetric, 1 / K. grueneisen_parameter : no unit.
    log_partition_function : ln Z of the whole cell, no unit; infinite at T = 0.
    probabilities : of each level, all its members together, shape (batch..., K).
    configuration_helmholtz_energies, configuration_internal_energies : eV, shape (batch..., K).
    configuration_entropies : eV / K, shape (batch..., K).
    """

    volume: Array
    temperature: Array
    helmholtz_energy: Array
    internal_energy: Array
    gibbs_energy: Array
    entropy: Array
    configurational_entropy: Array
    pressure: Array
    bulk_modulus: Array
    isochoric_heat_capacity: Array
    isobaric_heat_capacity: Array
    thermal_expansion: Array
    grueneisen_parameter: Array
    log_partition_function: Array
    probabilities: Array
    configuration_helmholtz_energies: Array
    configuration_internal_energies: Array
    configuration_entropies: Array

    def __post_init__(self) -> None:
        for field in fields(self):
            array = np.array(getattr(self, field.name))
            array.flags.writeable = False
            object.__setattr__(self, field.name, array)


def properties(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Properties:
    """All properties at once: one evaluation of F and its derivatives."""
    V, T = np.asarray(volume, dtype=float), np.asarray(temperature, dtype=float)
    found, states = mixture(material, V, T, order=2)  # before V and T are made as long as the results
    shape = found.F.shape
    return Properties(
        volume=np.broadcast_to(V, shape),
        temperature=np.broadcast_to(T, shape),
        helmholtz_energy=found.F,
        internal_energy=found.F - T * found.F_T,
        gibbs_energy=found.F - V * found.F_V,
        entropy=-found.F_T,
        configurational_entropy=_configurational_entropy(material, states),
        pressure=-GPA_PER_EV_PER_A3 * found.F_V,
        bulk_modulus=GPA_PER_EV_PER_A3 * V * found.F_VV,
        isochoric_heat_capacity=-T * found.F_TT,
        isobaric_heat_capacity=_isobaric_heat_capacity(found, T),
        thermal_expansion=_thermal_expansion(found, V),
        grueneisen_parameter=_grueneisen_parameter(material, found, V, T),
        log_partition_function=_log_partition_function(material, found, T),
        probabilities=states.probabilities,
        configuration_helmholtz_energies=states.energy[0],
        configuration_internal_energies=states.energy[0] + T[..., None] * states.entropy[0],
        configuration_entropies=states.entropy[0],
    )


def pressure(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """P = -F_V in GPa."""
    return np.asarray(-GPA_PER_EV_PER_A3 * derivatives(material, volume, temperature, order=1).F_V)


def entropy(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """S = -F_T in eV / K: Eq. (1), the configurations' own entropies and their mixing together."""
    return np.asarray(-derivatives(material, volume, temperature, order=1).F_T)


def configurational_entropy(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """-(k_B / n) sum_k p_k ln(p_k / g_k) in eV / K: the mixing part of Eq. (1)."""
    return _configurational_entropy(material, mixture(material, volume, temperature, order=1).states)


def configuration_entropies(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """S_k of every configuration in eV / K, shape (batch..., K)."""
    found: Array = mixture(material, volume, temperature, order=1).states.entropy[0]
    return found


def internal_energy(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """E = F + T S in eV."""
    found = derivatives(material, volume, temperature, order=1)
    return np.asarray(found.F - np.asarray(temperature) * found.F_T)


def gibbs_energy(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """G = F + P V in eV, with the pressure of that volume and temperature."""
    found = derivatives(material, volume, temperature, order=1)
    return np.asarray(found.F - np.asarray(volume) * found.F_V)


def bulk_modulus(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """Isothermal V F_VV in GPa; negative where the material is unstable."""
    F_VV = derivatives(material, volume, temperature, order=2).F_VV
    return np.asarray(GPA_PER_EV_PER_A3 * np.asarray(volume) * F_VV)


def isochoric_heat_capacity(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """C_V = T (dS/dT)_V in eV / K."""
    return np.asarray(-np.asarray(temperature) * derivatives(material, volume, temperature, order=1).F_TT)


def isobaric_heat_capacity(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """C_P = C_V + T F_VT^2 / F_VV in eV / K, at the pressure of that volume and temperature."""
    found = derivatives(material, volume, temperature, order=2)
    return _isobaric_heat_capacity(found, np.asarray(temperature, dtype=float))


def thermal_expansion(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """Volumetric (dV/dT)_P / V = -F_VT / (V F_VV) in 1 / K.

    Negative thermal expansion where it is below zero.
    """
    found = derivatives(material, volume, temperature, order=2)
    return _thermal_expansion(found, np.asarray(volume, dtype=float))


def grueneisen_parameter(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """Thermodynamic V (dP/dT)_V / C_V = alpha B_T V / C_V, no unit."""
    V, T = np.asarray(volume, dtype=float), np.asarray(temperature, dtype=float)
    return _grueneisen_parameter(material, derivatives(material, V, T, order=2), V, T)


def log_partition_function(material: Material, volume: ArrayLike, temperature: ArrayLike) -> Array:
    """ln Z = -n F / (k_B T) of the whole cell, no unit (Eq. 6); infinite at T = 0."""
    found = derivatives(material, volume, temperature, order=0)
    return _log_partition_function(material, found, np.asarray(temperature, dtype=float))


def _configurational_entropy(material: Material, states: States) -> Array:
    p = states.probabilities
    log_shares = np.where(p > 0, states.log_probabilities, 0) - np.log(material.configurations.degeneracies)
    return np.asarray(-BOLTZMANN / material.atoms * np.sum(p * log_shares, axis=-1))


def _grueneisen_parameter(material: Material, found: Derivatives, V: Array, T: Array) -> Array:
    if np.any(T < COLDEST):  # there both vanish: their limit
        T = np.maximum(T, COLDEST)
        found = derivatives(material, V, T, order=2)
    return np.asarray(V * found.F_VT / (T * found.F_TT))


def _log_partition_function(material: Material, found: Derivatives, T: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(-material.atoms * found.F / (BOLTZMANN * T))


def _isobaric_heat_capacity(found: Derivatives, T: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):  # diverges on a spinodal
        return np.asarray(T * (found.F_VT**2 / found.F_VV - found.F_TT))


def _thermal_expansion(found: Derivatives, V: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):  # diverges on a spinodal
        return np.asarray(-found.F_VT / (V * found.F_VV))
