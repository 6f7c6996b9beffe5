"""Results as columns of a table, with units in their names: what steps and the command line write.

Every function returns equally long columns for `zenn.materials.tables.write_columns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.materials.boundaries import PhaseBoundary
from zenn.materials.critical import CriticalPoint
from zenn.materials.diagram import Crossover
from zenn.materials.isobars import Isobar, NegativeThermalExpansion
from zenn.materials.thermodynamics import Properties

Columns = dict[str, ArrayLike]
Array = NDArray[np.float64]


def property_columns(found: Properties) -> Columns:
    """All properties of the mixture, one row per state."""
    return {
        "temperature_K": found.temperature,
        "volume_A3_per_atom": found.volume,
        "helmholtz_eV_per_atom": found.helmholtz_energy,
        "internal_energy_eV_per_atom": found.internal_energy,
        "gibbs_eV_per_atom": found.gibbs_energy,
        "entropy_eV_per_K_per_atom": found.entropy,
        "configurational_entropy_eV_per_K_per_atom": found.configurational_entropy,
        "pressure_GPa": found.pressure,
        "bulk_modulus_GPa": found.bulk_modulus,
        "isochoric_heat_capacity_eV_per_K_per_atom": found.isochoric_heat_capacity,
        "isobaric_heat_capacity_eV_per_K_per_atom": found.isobaric_heat_capacity,
        "thermal_expansion_per_K": found.thermal_expansion,
        "grueneisen_parameter": found.grueneisen_parameter,
    }


def configuration_columns(found: Properties, names: Sequence[str]) -> Columns:
    """Properties of every configuration, one row per state and configuration."""
    shape = found.probabilities.shape
    return {
        "configuration": np.broadcast_to(np.array(names), shape),
        "temperature_K": np.broadcast_to(found.temperature[..., None], shape),
        "volume_A3_per_atom": np.broadcast_to(found.volume[..., None], shape),
        "probability": found.probabilities,
        "helmholtz_eV_per_atom": found.configuration_helmholtz_energies,
        "internal_energy_eV_per_atom": found.configuration_internal_energies,
        "entropy_eV_per_K_per_atom": found.configuration_entropies,
    }


def critical_point_columns(points: Sequence[CriticalPoint]) -> Columns:
    """One row per critical point."""
    return {
        "temperature_K": [point.temperature for point in points],
        "pressure_GPa": [point.pressure for point in points],
        "volume_A3_per_atom": [point.volume for point in points],
        "residual": [max(map(abs, point.residuals)) for point in points],
    }


def boundary_columns(lines: Sequence[PhaseBoundary]) -> Columns:
    """Spinodals or binodals, one row per temperature, lines numbered from 1."""
    return {
        "line": [number for number, line in enumerate(lines, 1) for _ in line.temperatures],
        "temperature_K": _joined([line.temperatures for line in lines]),
        "smaller_volume_A3_per_atom": _joined([line.volumes[:, 0] for line in lines]),
        "larger_volume_A3_per_atom": _joined([line.volumes[:, 1] for line in lines]),
        "pressure_at_smaller_GPa": _joined([line.pressures[:, 0] for line in lines]),
        "pressure_at_larger_GPa": _joined([line.pressures[:, 1] for line in lines]),
        "entropy_at_smaller_eV_per_K_per_atom": _joined([line.entropies[:, 0] for line in lines]),
        "entropy_at_larger_eV_per_K_per_atom": _joined([line.entropies[:, 1] for line in lines]),
        "residual": _joined([line.residuals for line in lines]),
    }


def isobar_columns(paths: Sequence[Isobar]) -> Columns:
    """Stable volumes, one row per pressure and temperature."""
    return {
        "pressure_GPa": [path.pressure for path in paths for _ in path.temperatures],
        "temperature_K": _joined([path.temperatures for path in paths]),
        "volume_A3_per_atom": _joined([path.volumes for path in paths]),
        "thermal_expansion_per_K": _joined([path.thermal_expansion for path in paths]),
    }


def transition_columns(paths: Sequence[Isobar]) -> Columns:
    """First-order transitions met on the isobars, one row each."""
    found = [transition for path in paths for transition in path.transitions]
    return {
        "pressure_GPa": [transition.pressure for transition in found],
        "temperature_K": [transition.temperature for transition in found],
        "volume_below_A3_per_atom": [transition.volume_below for transition in found],
        "volume_above_A3_per_atom": [transition.volume_above for transition in found],
        "latent_heat_eV_per_atom": [transition.latent_heat for transition in found],
    }


def negative_thermal_expansion_columns(windows: Sequence[NegativeThermalExpansion]) -> Columns:
    """Windows of negative thermal expansion, one row each."""
    return {
        "pressure_GPa": [window.pressure for window in windows],
        "low_K": [window.low for window in windows],
        "high_K": [window.high for window in windows],
        "low_end": [window.low_end for window in windows],
        "high_end": [window.high_end for window in windows],
        "strongest_per_K": [window.strongest for window in windows],
        "strongest_at_K": [window.strongest_temperature for window in windows],
    }


def crossover_columns(line: Crossover | None) -> Columns:
    """The line on which a configuration's probability passes a level; empty where there is none."""
    if line is None:
        return {"temperature_K": [], "volume_A3_per_atom": [], "pressure_GPa": []}
    return {
        "temperature_K": line.temperatures,
        "volume_A3_per_atom": line.volumes,
        "pressure_GPa": line.pressures,
    }


def _joined(arrays: Sequence[Array]) -> Any:
    return np.concatenate([np.empty(0), *arrays])
