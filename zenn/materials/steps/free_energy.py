"""Helmholtz energy along isotherms, its second derivative, and the reference volume V_N.

Input: `configurations`, a table of configurations (CSV). Parameters: `material` as for critical-point;
`isotherms` with temperatures (K), pressure (GPa), volume_window (Å3/atom) and volumes; `second_derivative`
with temperatures (K); `reference_state` with temperature (K) and pressure (GPa).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import write_columns
from zenn.files import write_json
from zenn.given import Given
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import stable_volume
from zenn.materials.helmholtz import derivatives
from zenn.materials.steps._material import read_material

Array = NDArray[np.float64]


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `isotherms.csv` (Figs. 4a, S1), `second_derivative.csv` (Fig. S2), `reference_state.json`."""
    material = read_material(params, inputs)
    isotherms, state = params.group("isotherms"), params.group("reference_state")
    low, high = isotherms.pair("volume_window")
    temperature, pressure = state.number("temperature"), state.number("pressure")
    reference = stable_volume(material, temperature, pressure, (low, high))
    volumes = np.linspace(low, high, isotherms.integer("volumes"))

    V, T = _grid(volumes, isotherms.numbers("temperatures"))
    found = derivatives(material, V, T, order=2)
    fixed = isotherms.number("pressure") / GPA_PER_EV_PER_A3
    write_columns(
        out / "isotherms.csv",
        {
            "temperature_K": T,
            "volume_A3_per_atom": V,
            "volume_over_reference": V / reference,
            "helmholtz_eV_per_atom": found.F,
            "helmholtz_plus_PV_eV_per_atom": found.F + fixed * V,
            "pressure_GPa": -GPA_PER_EV_PER_A3 * found.F_V,
        },
    )

    V, T = _grid(volumes, params.group("second_derivative").numbers("temperatures"))
    curvature = derivatives(material, V, T, order=2).F_VV
    write_columns(
        out / "second_derivative.csv",
        {"temperature_K": T, "volume_A3_per_atom": V, "helmholtz_VV_eV_per_A6": curvature},
    )
    write_json(
        out / "reference_state.json",
        {
            "temperature_K": temperature,
            "pressure_GPa": pressure,
            "volume_A3_per_atom": float(reference),
            "isotherm_pressure_GPa": isotherms.number("pressure"),
        },
    )


def _grid(volumes: Array, temperatures: Sequence[float]) -> tuple[Array, Array]:
    """Volumes along each temperature, both as long columns."""
    T, V = np.meshgrid(np.asarray(temperatures, dtype=float), volumes, indexing="ij")
    return V.ravel(), T.ravel()
