"""Units of the materials room: eV, Å3, K, GPa and u; constants from CODATA by way of scipy."""

from __future__ import annotations

from scipy import constants as codata

BOLTZMANN: float = codata.k / codata.e
"""Boltzmann constant in eV / K."""

GPA_PER_EV_PER_A3: float = codata.e / 1e-30 / 1e9
"""Pressure of 1 eV / Å3 in GPa."""

ATMOSPHERE: float = codata.atm / 1e9
"""Standard atmosphere, 101325 Pa, in GPa."""
