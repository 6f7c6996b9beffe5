"""Solve F_VV = F_VVV = 0 for the critical point of a material."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zenn.files import write_json
from zenn.materials.critical import critical_point
from zenn.materials.steps._material import read_material


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Write `critical_point.json`.

    Raises
    ------
    NotFoundError : there is no critical point in the windows.
    """
    settings = params["critical_point"]
    found = critical_point(
        read_material(params, inputs),
        temperature_window=tuple(settings["temperature_window"]),
        volume_window=tuple(settings["volume_window"]),
        tolerance=settings["tolerance"],
        max_iterations=settings["max_iterations"],
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
