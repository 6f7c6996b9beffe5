"""Refit the equation of state of every configuration from noiseless points made of its own properties.

The points behind a published table are rarely published: that the fit gives the row back is a test of the
fit, not evidence for the table.

Input: `configurations`, a table of configurations (CSV). Parameters: `material` as for critical-point;
`eos_round_trip` with points and strain (half-width of the volumes relative to V0).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zenn.csv_table import write_columns
from zenn.given import Given
from zenn.materials.eos import birch_murnaghan_energy, fit_birch_murnaghan
from zenn.materials.steps._material import read_material


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `equation_of_state.csv`: the table, the refitted properties and their largest deviation."""
    table = read_material(params, inputs).configurations
    settings = params.group("eos_round_trip")
    strain = settings.number("strain")
    ratios = np.linspace(1 - strain, 1 + strain, settings.integer("points"))
    given = np.stack(
        [
            table.equilibrium_volumes,
            table.equilibrium_energies,
            table.bulk_moduli,
            table.bulk_modulus_derivatives,
        ],
        axis=-1,
    )
    fits = []
    for volume, *properties in given:
        points = volume * ratios
        fits.append(fit_birch_murnaghan(points, birch_murnaghan_energy(points, volume, *properties)))
    refitted = np.array([[f.volume, f.energy, f.bulk_modulus, f.bulk_modulus_derivative] for f in fits])
    # An energy is known up to a constant, so its deviation is counted in eV.
    scale = np.where(np.arange(4) == 1, 1.0, np.abs(given))
    names = (
        "volume_A3_per_atom",
        "energy_eV_per_atom",
        "bulk_modulus_GPa",
        "bulk_modulus_derivative",
    )
    write_columns(
        out / "equation_of_state.csv",
        {
            "configuration": table.names,
            "degeneracy": table.degeneracies.astype(int),
            **{name: given[:, i] for i, name in enumerate(names)},
            **{f"refitted_{name}": refitted[:, i] for i, name in enumerate(names)},
            "largest_relative_deviation": np.max(np.abs(refitted - given) / scale, axis=1),
        },
    )
