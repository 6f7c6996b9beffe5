"""Solve F_VV = F_VVV = 0 for the critical point of a material.

Input: `configurations`, a table of configurations (CSV). Parameters: `material` with atoms_in_cell,
mean_atomic_mass (u), debye_scaling and grueneisen_x; `critical_point` with temperature_window (K),
volume_window (Å3/atom), tolerance and max_iterations.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zenn.files import write_json
from zenn.given import Given
from zenn.materials.critical import critical_point
from zenn.materials.steps._material import read_material


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `critical_point.json`.

    Raises
    ------
    NotFoundError : there is no critical point in the windows.
    """
    settings = params.group("critical_point")
    found = critical_point(
        read_material(params, inputs),
        temperature_window=settings.pair("temperature_window"),
        volume_window=settings.pair("volume_window"),
        tolerance=settings.number("tolerance"),
        max_iterations=settings.integer("max_iterations"),
    )
    write_json(
        out / "critical_point.json",
        {
            "temperature_K": found.temperature,
            "pressure_GPa": found.pressure,
            "volume_A3_per_atom": found.volume,
            "F_VVVV_eV_per_A12": found.F_VVVV,
            "residuals": found.residuals,
            "iterations": found.iterations,
        },
    )
