"""Helmholtz energy and its derivatives on grids of volume and temperature, for the inverse problem.

Input: as for critical-point. Parameters: `material` as there; `helmholtz_grid` with volume_window (Å3/atom),
temperature_window (K), volumes and temperatures (how many of each, the volumes nodes of Gauss and Legendre's
rule), test_volumes and test_temperatures (how many, equally spaced, to look at a fit between its points).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import write_columns
from zenn.given import Given
from zenn.materials.helmholtz import derivatives
from zenn.materials.material import Material
from zenn.materials.steps._material import read_material

Array = NDArray[np.float64]


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `training.csv` and `test.csv`; temperatures outermost, entropy is that at constant volume."""
    material, given = read_material(params, inputs), params.group("helmholtz_grid")
    low, high = given.pair("volume_window")
    temperatures = np.linspace(*given.pair("temperature_window"), given.integer("temperatures"))
    nodes, weights = np.polynomial.legendre.leggauss(given.integer("volumes"))
    volumes = (low + high) / 2 + (high - low) / 2 * nodes
    columns = _columns(material, volumes, temperatures)
    columns["weight_A3_per_atom"] = np.tile((high - low) / 2 * weights, len(temperatures))
    write_columns(out / "training.csv", columns)
    between = np.linspace(*given.pair("temperature_window"), given.integer("test_temperatures"))
    write_columns(
        out / "test.csv",
        _columns(material, np.linspace(low, high, given.integer("test_volumes")), between),
    )


def _columns(material: Material, volumes: Array, temperatures: Array) -> dict[str, Array]:
    T, V = (grid.ravel() for grid in np.meshgrid(temperatures, volumes, indexing="ij"))
    found = derivatives(material, V, T, order=2)
    return {
        "temperature_K": T,
        "volume_A3_per_atom": V,
        "helmholtz_eV_per_atom": found.F,
        "helmholtz_V_eV_per_A3": found.F_V,
        "helmholtz_VV_eV_per_A6": found.F_VV,
        "entropy_eV_per_K_per_atom": -found.F_T,
    }
