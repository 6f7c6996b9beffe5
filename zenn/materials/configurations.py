"""The configurations of a material: equilibrium properties and degeneracies, and the table they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import Column, Table, TextColumn, finite, natural, positive, read_table
from zenn.errors import InputError

Array = NDArray[np.float64]

LARGEST_ATOMIC_VOLUME = 100.0
"""Å3 per atom; only caesium's is larger among the elements: what exceeds it is the volume of a cell."""

LARGEST_BULK_MODULUS = 600.0
"""GPa; diamond has 443: what exceeds it comes from energies per cell beside volumes per atom."""

LARGEST_ENERGY_RANGE = 1.0
"""eV per atom between two configurations of one material, 10 000 K: more comes from energies per cell."""

NAME = TextColumn("configuration")


def atomic_volume_column(name: str, atoms: int | None = None) -> Column:
    """A column of volumes in Å3 per atom; `atoms` makes the message about a cell's volume more helpful."""

    def hint(value: float) -> str:
        if not LARGEST_ATOMIC_VOLUME < value < np.inf:
            return ""
        divided = f": divided by {atoms} atoms it is {value / atoms:g} Å3 per atom" if atoms else ""
        return f"This looks like a volume per cell{divided}"

    expected = f"a volume per atom, above 0 and at most {LARGEST_ATOMIC_VOLUME:g} Å3"
    return Column(name, lambda volume: 0 < volume <= LARGEST_ATOMIC_VOLUME, expected, hint)


DEGENERACY = Column("degeneracy", natural, "an integer of 1 or more")
ENERGY = Column("energy_eV_per_atom", finite, "a finite number")
BULK_MODULUS = Column(
    "bulk_modulus_GPa",
    lambda modulus: positive(modulus) and modulus <= LARGEST_BULK_MODULUS,
    f"a positive number of GPa, at most {LARGEST_BULK_MODULUS:g}",
    lambda modulus: (
        "Energies per cell beside volumes per atom make it too large by the number of atoms"
        if LARGEST_BULK_MODULUS < modulus < np.inf
        else ""
    ),
)
SLOPE = Column("bulk_modulus_derivative", finite, "a finite number")
VOLUME = "volume_A3_per_atom"
HEADER = (NAME.name, DEGENERACY.name, VOLUME, ENERGY.name, BULK_MODULUS.name, SLOPE.name)


@dataclass(frozen=True, eq=False)
class Configurations:
    """K configurations of one material; everything per atom, arrays read-only of shape (K,).

    Parameters
    ----------
    names : K different names.
    degeneracies : number of symmetry-equivalent members of each configuration.
    equilibrium_volumes : V0 at 0 K without vibrations, Å3 per atom.
    equilibrium_energies : E0, eV per atom; the zero is arbitrary.
    bulk_moduli : B0, GPa.
    bulk_modulus_derivatives : B' = dB/dP, no unit.

    Raises
    ------
    InputError
        Lengths that differ, names that repeat, or a value its column does not accept.
    """

    names: tuple[str, ...]
    degeneracies: Array
    equilibrium_volumes: Array
    equilibrium_energies: Array
    bulk_moduli: Array
    bulk_modulus_derivatives: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        _check_names(self.names)
        for field, column in _fields().items():
            values = np.array(getattr(self, field), dtype=np.float64)
            source = f"argument {field}"
            if values.shape != (len(self.names),):
                raise InputError(
                    source, "", f"shape {values.shape}", f"one value for each of {len(self)} names"
                )
            for name, value in zip(self.names, values, strict=True):
                column.check(float(value), source, f"configuration {name!r}")
            values.flags.writeable = False
            object.__setattr__(self, field, values)

    def __len__(self) -> int:
        return len(self.names)


def read_configurations(path: Path | str, atoms: int | None = None) -> Configurations:
    """Read configurations from a CSV file (see `zenn.csv_table`).

    Its columns, in any order: `configuration`, `degeneracy`, `volume_A3_per_atom`, `energy_eV_per_atom`,
    `bulk_modulus_GPa` and `bulk_modulus_derivative`.

    Parameters
    ----------
    path : the file.
    atoms : atoms in the cell; only makes the message about a volume per cell more helpful.

    Raises
    ------
    InputError
        The file cannot be read or any of it cannot be used, or energies lie further apart than
        `LARGEST_ENERGY_RANGE`; names the file, line, column, what was found and what was expected.
    """
    fields = _fields(atoms)
    table = read_table(path, (NAME, *fields.values()))
    table.refuse_repeats(NAME.name)
    refuse_distant_energies(table, table.numbers[ENERGY.name], ENERGY.name)
    return Configurations(
        table.names[NAME.name], **{field: table.numbers[column.name] for field, column in fields.items()}
    )


def _fields(atoms: int | None = None) -> dict[str, Column]:
    """The column that fills each field of `Configurations`."""
    return {
        "degeneracies": DEGENERACY,
        "equilibrium_volumes": atomic_volume_column(VOLUME, atoms),
        "equilibrium_energies": ENERGY,
        "bulk_moduli": BULK_MODULUS,
        "bulk_modulus_derivatives": SLOPE,
    }


def _check_names(names: Sequence[str]) -> None:
    """At least one name, and none twice."""
    if not names or len(set(names)) < len(names):
        raise InputError("argument names", "", names, "one or more names, all different")


def printed_decimals(path: Path | str) -> tuple[int, int, int, int]:
    """How many decimals a table prints for V0, E0, B0 and B': the most that any of its rows has.

    Raises
    ------
    InputError : as `read_configurations`, and for a number with an exponent, whose rounding is not plain.
    """
    columns = (VOLUME, ENERGY.name, BULK_MODULUS.name, SLOPE.name)
    table = read_table(path, [TextColumn(name) for name in HEADER])
    decimals = []
    for column in columns:
        texts = table.names[column]
        for row, text in enumerate(texts):
            if "e" in text.lower():
                raise InputError(path, table.place(row, column), text, "a number without an exponent")
        decimals.append(max(len(text.partition(".")[2]) for text in texts))
    volume, energy, modulus, slope = decimals
    return volume, energy, modulus, slope


def refuse_distant_energies(table: Table, energies: Array, column: str) -> None:
    """Raise InputError where a row lies further above the lowest than any temperature could reach.

    `energies` in eV per atom, one per row of the table; `column` is where they stand.
    """
    above = energies - energies.min()
    row = int(np.argmax(above))
    if above[row] > LARGEST_ENERGY_RANGE:
        found = f"{energies[row]:g} eV, {above[row]:g} eV above the lowest"
        expected = f"energies per atom within {LARGEST_ENERGY_RANGE:g} eV of each other"
        hint = "Are some or all of them per cell, or in another unit?"
        raise InputError(table.path, table.place(row, column), found, expected, hint)
