"""The volume-energy file of phonopy-qha, `e-v.dat`.

Two columns, the volume of the cell in Å3 and its energy in eV without phonons; what follows a '#' is a
comment (https://phonopy.github.io/phonopy/qha.html). phonopy-qha's other file of energies, `fe-v.dat`, has a
column of temperatures and one per volume and does not say the volumes: it is refused.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError
from zenn.materials.configurations import ENERGY, VOLUME, atomic_volume_column

Array = NDArray[np.float64]


def read_phonopy_energy_volume(path: Path | str, atoms: int) -> tuple[Array, Array]:
    """Volumes in Å3 per atom and energies in eV per atom, both of shape (N,), in the order of the file.

    Parameters
    ----------
    path : the file.
    atoms : atoms in the cell; divides both columns.

    Raises
    ------
    InputError
        The file cannot be read, a line is not two usable numbers, or `atoms` is not an integer of 1 or more;
        names the file, line, what was found and what was expected.
    """
    if not (atoms >= 1 and atoms == int(atoms)):
        raise InputError("argument atoms", "", atoms, "an integer of 1 or more")
    column = atomic_volume_column(VOLUME)
    expected = "two numbers, volume and energy of the cell"
    rows = []
    for number, line in enumerate(_text(Path(path)).splitlines(), start=1):
        fields = line.split("#")[0].split()
        if not fields:
            continue
        volume, energy = (value / atoms for value in _two_numbers(path, f"line {number}", fields, expected))
        column.check(volume, path, f"line {number}, volume divided by {atoms} atoms")
        ENERGY.check(energy, path, f"line {number}, energy")
        rows.append((volume, energy))
    if not rows:
        raise InputError(path, "", "no line of numbers", f"lines of {expected}")
    volumes, energies = np.array(rows).T
    return volumes, energies


def _two_numbers(path: Path | str, where: str, fields: list[str], expected: str) -> tuple[float, float]:
    """The numbers of one line."""
    if len(fields) != 2:
        hint = "A file with a column per volume is fe-v.dat: give e-v.dat" if fields[2:] else ""
        raise InputError(path, where, f"{len(fields)} columns", expected, hint)
    try:
        volume, energy = (float(field.replace("_", "?")) for field in fields)
    except ValueError as error:
        raise InputError(path, where, repr(" ".join(fields)), expected) from error
    return volume, energy


def _text(path: Path) -> str:
    """The whole file."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(path, "", f"byte 0x{error.object[error.start]:02x}", "text in UTF-8") from error
    except OSError as error:
        raise InputError(path, "", error.strerror, "a file that can be read") from error
