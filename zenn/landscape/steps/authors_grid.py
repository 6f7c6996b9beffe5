"""The grid of Fe3Pt that the authors published, as tables that fits and their evaluation read.

Input: `published`, a folder with their `V_T.csv` and `PP.csv`. No parameters. F of the coldest temperature is
0 eV at its lowest (zenn.landscape.authors_grid says why a convention is needed). The authors give F alone:
the columns of its derivatives are estimated by splines through it, of the fifth degree in V and cubic in T,
and carry its rounding enlarged; below 25 K, where F passes from one configuration to the next within a step
of V, F_V and F_VV say little. Weights are those of the trapezoidal rule. There is no second grid to test
on: `test.csv` holds the rows of `training.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from zenn.csv_table import write_columns
from zenn.files import write_json, write_text
from zenn.given import Given
from zenn.landscape.authors_grid import AuthorsGrid, read_authors_grid
from zenn.landscape.grids import trapezoidal_weights

Array = NDArray[np.float64]

REMARK = (
    "# F: published by the authors of ZENN, rotated back; lowest at the lowest temperature by convention 0.\n"
    "# helmholtz_V, helmholtz_VV and entropy: estimated, derivatives of splines through F.\n"
)


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `training.csv`, `test.csv` (the same rows) and `grid.json`, how well the files agree with
    themselves."""
    folder = inputs["published"]
    grid = read_authors_grid(folder / "V_T.csv", folder / "PP.csv")
    columns = _columns(grid)
    _write(out / "test.csv", columns)
    columns["weight_A3_per_atom"] = np.tile(trapezoidal_weights(grid.volumes), len(grid.temperatures))
    _write(out / "training.csv", columns)
    write_json(
        out / "grid.json",
        {
            "convention": "F of the coldest temperature is 0 eV at its lowest",
            "estimated": [
                "helmholtz_V_eV_per_A3",
                "helmholtz_VV_eV_per_A6",
                "entropy_eV_per_K_per_atom",
            ],
            "volume_disagreement_A3_per_atom": grid.volume_disagreement,
            "volume_rounding_A3_per_atom": grid.volume_rounding,
            "constant_rounding_eV_per_atom": grid.constant_rounding,
        },
    )


def _columns(grid: AuthorsGrid) -> dict[str, Array]:
    V, T, F = grid.volumes, grid.temperatures, grid.free_energies
    in_volume = make_interp_spline(V, F, k=5, axis=1)
    in_temperature = make_interp_spline(T, F, k=3, axis=0)
    return {
        "temperature_K": np.repeat(T, len(V)),
        "volume_A3_per_atom": np.tile(V, len(T)),
        "helmholtz_eV_per_atom": F.ravel(),
        "helmholtz_V_eV_per_A3": in_volume(V, 1).ravel(),
        "helmholtz_VV_eV_per_A6": in_volume(V, 2).ravel(),
        "entropy_eV_per_K_per_atom": -in_temperature(T, 1).ravel(),
    }


def _write(path: Path, columns: Mapping[str, Array]) -> None:
    write_columns(path, columns)
    write_text(path, REMARK + path.read_text(encoding="utf-8"))
