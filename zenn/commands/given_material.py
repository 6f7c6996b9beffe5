"""The material that the options describe, and a range of volumes that suits it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands.results import note
from zenn.errors import InputError

if TYPE_CHECKING:
    from zenn.materials import Configurations, Material

BELOW, ABOVE = 0.96, 1.06
"""The range of volumes when none is given: times the smallest V0, times the largest."""

HEAVIEST = 300.0
"""u; no atom is heavier: more is the mass of a cell or of a formula unit."""


def read_material(
    configurations: Path,
    atoms: int,
    formula: str | None,
    mean_atomic_mass: float | None,
    debye_scaling: float,
    grueneisen_x: float,
    electrons: Path | None,
) -> tuple[Material, list[Path], dict[str, Any]]:
    """The material, the files it comes from and its parameters for the record.

    Raises
    ------
    InputError : an option or a file cannot be used; names it.
    """
    from zenn.materials import Material, read_configurations, read_electrons

    if atoms < 1:
        raise InputError("argument --atoms", "", atoms, "an integer of 1 or more")
    if not 0 < debye_scaling < math.inf:
        raise InputError("argument --debye-scaling", "", debye_scaling, "a finite positive number")
    if not math.isfinite(grueneisen_x):
        raise InputError("argument --grueneisen-x", "", grueneisen_x, "a finite number")
    mass = _mass(formula, mean_atomic_mass, atoms)
    table = read_configurations(configurations, atoms=atoms)
    material = Material(
        configurations=table,
        atoms=atoms,
        mean_atomic_mass=mass,
        debye_scaling=debye_scaling,
        grueneisen_x=grueneisen_x,
        electrons=read_electrons(electrons) if electrons else None,
    )
    parameters = {
        "atoms": atoms,
        "formula": formula,
        "mean_atomic_mass_u": mass,
        "debye_scaling": debye_scaling,
        "grueneisen_x": grueneisen_x,
    }
    return material, [configurations, *([electrons] if electrons else [])], parameters


def default_window(configurations: Configurations) -> tuple[float, float]:
    """From 4 % below the smallest to 6 % above the largest equilibrium volume, Å3 per atom."""
    volumes = configurations.equilibrium_volumes
    return BELOW * float(volumes.min()), ABOVE * float(volumes.max())


def check_volumes(option: str, low: float, high: float, material: Material) -> None:
    """Refuse a range of volumes that is not about this material.

    Raises
    ------
    InputError : an end is no volume per atom, or no configuration has its equilibrium volume inside.
    """
    from zenn.materials.configurations import VOLUME, atomic_volume_column

    column = atomic_volume_column(VOLUME, material.atoms)
    for volume in (low, high):
        column.check(volume, f"argument {option}", "")
    given = material.configurations.equilibrium_volumes
    if not ((low <= given) & (given <= high)).any():
        found = f"{low:g} to {high:g} Å3 per atom"
        expected = "a range that holds the equilibrium volume of a configuration; they are "
        expected += f"{given.min():g} to {given.max():g} Å3 per atom"
        hint = "Volumes are per atom, not per cell" if low > given.max() else ""
        raise InputError(f"argument {option}", "", found, expected, hint)


def _mass(formula: str | None, mean_atomic_mass: float | None, atoms: int) -> float:
    """Mean atomic mass in u, as given or of the formula."""
    if (formula is None) == (mean_atomic_mass is None):
        found = "neither" if formula is None else "both"
        expected = "one of them, e.g. --formula Fe3Pt"
        raise InputError("arguments --formula, --mean-atomic-mass", "", found, expected)
    if formula is not None:
        return _mass_of(formula, atoms)
    assert mean_atomic_mass is not None
    if not 0 < mean_atomic_mass <= HEAVIEST:
        expected = f"the mean mass of an atom in u, above 0 and at most {HEAVIEST:g}"
        hint = "This looks like the mass of a cell or formula: divide it by its atoms"
        hint = hint if HEAVIEST < mean_atomic_mass < math.inf else ""
        raise InputError("argument --mean-atomic-mass", "", mean_atomic_mass, expected, hint)
    return mean_atomic_mass


def _mass_of(formula: str, atoms: int) -> float:
    from pymatgen.core import Composition

    try:
        composition = Composition(formula, strict=True)
        mass = float(composition.weight) / composition.num_atoms
    except (ValueError, ZeroDivisionError, KeyError):
        expected = "a chemical formula with capitals as in the periodic table, e.g. Fe3Pt or CuAu"
        raise InputError("argument --formula", "", repr(formula), expected) from None
    _, units = composition.get_integer_formula_and_factor()
    whole = composition.num_atoms / units
    if abs(atoms / whole - round(atoms / whole)) > 1e-6:
        note(
            f"a cell of {atoms} atoms does not hold a whole number of {composition.reduced_formula} "
            f"({whole:g} atoms): is --atoms right?"
        )
    return float(mass)
