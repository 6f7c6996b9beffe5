"""How a material's results move with what its model takes for granted.

Each variant is the same material with one assumption changed; what is solved for it is the caller's choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zenn.materials.configurations import Configurations
from zenn.materials.material import Material

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Variant:
    """A changed material: which assumption, its value, and the material."""

    assumption: str
    value: float
    material: Material


def variants(
    material: Material,
    debye_scalings: Sequence[float] = (),
    grueneisen_xs: Sequence[float] = (),
    atoms: Sequence[int] = (),
    masses: Sequence[float] = (),
    missing_row: tuple[int, Sequence[float]] | None = None,
) -> Iterator[Variant]:
    """The material itself, then one variant per value, then the one with all degeneracies 1.

    Parameters
    ----------
    debye_scalings, grueneisen_xs : no unit. atoms : per cell. masses : mean atomic masses, u.
    missing_row : degeneracy of one more configuration and the energies (eV per atom) to try for it; its other
        properties are the means of the table, since nothing is known of them.
    """
    yield Variant("as given", float("nan"), material)
    for value in debye_scalings:
        yield Variant("debye_scaling", value, replace(material, debye_scaling=value))
    for value in grueneisen_xs:
        yield Variant("grueneisen_x", value, replace(material, grueneisen_x=value))
    for number in atoms:
        yield Variant("atoms_in_cell", number, replace(material, atoms=number))
    for value in masses:
        yield Variant("mean_atomic_mass_u", value, replace(material, mean_atomic_mass=value))
    rows = material.configurations
    if missing_row:
        for value in missing_row[1]:
            longer = _with_row(rows, missing_row[0], value)
            yield Variant("missing_row_energy_eV", value, replace(material, configurations=longer))
    alone = replace(rows, degeneracies=np.ones(len(rows)))
    yield Variant("all_degeneracies", 1, replace(material, configurations=alone))


def _with_row(rows: Configurations, degeneracy: int, energy: float) -> Configurations:
    """The table with one more configuration of mean properties."""
    return Configurations(
        (*rows.names, "supposed"),
        np.append(rows.degeneracies, degeneracy),
        np.append(rows.equilibrium_volumes, rows.equilibrium_volumes.mean()),
        np.append(rows.equilibrium_energies, energy),
        np.append(rows.bulk_moduli, rows.bulk_moduli.mean()),
        np.append(rows.bulk_modulus_derivatives, rows.bulk_modulus_derivatives.mean()),
    )
