"""Entropies of the gas that are known: van der Waals's of the paper (Eq. 4), and that of hard discs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.laws.processes import Gas

Array = NDArray[np.float64]


def specific_terms(
    energies: ArrayLike, widths: ArrayLike, particles: ArrayLike, gas: Gas
) -> tuple[Array, Array]:
    """log u and log(v - b) of Eq. 4, with u = U / N, v = L L_x / N and b = 2 pi R^2.

    energies U in k_B T_0, widths L_x, particles N: arrays of one shape.
    """
    count = np.asarray(particles, float)
    u = np.asarray(energies, float) / count
    v = gas.length * np.asarray(widths, float) / count
    return np.log(u), np.log(v - 2 * np.pi * gas.radius**2)


def van_der_waals(energies: ArrayLike, widths: ArrayLike, particles: ArrayLike, gas: Gas) -> Array:
    """N log[u (v - 2 pi R^2)], Eq. 4 for c = 1 and a = 0 without its constant N s_0, in k_B."""
    heat, volume = specific_terms(energies, widths, particles, gas)
    return np.asarray(np.asarray(particles, float) * (heat + volume))


def hard_discs(energies: ArrayLike, widths: ArrayLike, particles: ArrayLike, gas: Gas) -> Array:
    """N (log u + log v - a) of hard discs, without its constant N s_0, in k_B.

    v is the area that the centres reach, (L - 2R)(L_x - 2R) / N, and a the excess free energy per disc of
    Henderson's equation of state p v / (k_B T) = (1 + eta^2 / 8) / (1 - eta)^2 (Mol. Phys. 30, 971, 1975):
    a = 9 eta / (8 (1 - eta)) - (7 / 8) log(1 - eta) with eta = pi R^2 / v. Better than Eq. 4 at the
    densities of the paper.
    """
    count = np.asarray(particles, float)
    reached = (gas.length - 2 * gas.radius) * (np.asarray(widths, float) - 2 * gas.radius) / count
    eta = np.pi * gas.radius**2 / reached
    excess = 9 * eta / (8 * (1 - eta)) - 7 / 8 * np.log1p(-eta)
    return np.asarray(count * (np.log(np.asarray(energies, float) / count) + np.log(reached) - excess))
