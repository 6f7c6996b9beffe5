"""The configurations of a material: equilibrium properties and degeneracies, and the table they come in.

The only file of this room that reads files.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError, did_you_mean

Array = NDArray[np.float64]

LARGEST_ATOMIC_VOLUME = 100.0
"""Å3 per atom; only caesium's is larger among the elements: what exceeds it is the volume of a cell."""

NAME_COLUMN = "configuration"


class Column(NamedTuple):
    """A column of numbers: its header, the field it fills, and which numbers it may hold."""

    name: str
    field: str
    accepts: Callable[[float], bool]
    expected: str


COLUMNS = (
    Column(
        "degeneracy",
        "degeneracies",
        lambda g: g >= 1 and g == np.floor(g) < np.inf,
        "an integer of 1 or more",
    ),
    Column(
        "volume_A3_per_atom",
        "equilibrium_volumes",
        lambda volume: 0 < volume <= LARGEST_ATOMIC_VOLUME,
        f"a volume per atom, above 0 and at most {LARGEST_ATOMIC_VOLUME:g} Å3",
    ),
    Column(
        "energy_eV_per_atom",
        "equilibrium_energies",
        lambda energy: bool(np.isfinite(energy)),
        "a finite number",
    ),
    Column(
        "bulk_modulus_GPa", "bulk_moduli", lambda modulus: 0 < modulus < np.inf, "a positive number of GPa"
    ),
    Column(
        "bulk_modulus_derivative",
        "bulk_modulus_derivatives",
        lambda slope: bool(np.isfinite(slope)),
        "a finite number",
    ),
)
HEADER = (NAME_COLUMN, *(column.name for column in COLUMNS))


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
        for column in COLUMNS:
            values = np.array(getattr(self, column.field), dtype=np.float64)
            source = f"argument {column.field}"
            if values.shape != (len(self.names),):
                raise InputError(
                    source, "", f"shape {values.shape}", f"one value for each of {len(self)} names"
                )
            for name, value in zip(self.names, values, strict=True):
                _check_value(column, float(value), source, f"configuration {name!r}")
            values.flags.writeable = False
            object.__setattr__(self, column.field, values)

    def __len__(self) -> int:
        return len(self.names)


def read_configurations(path: Path | str, atoms: int | None = None) -> Configurations:
    """Read configurations from a CSV file in UTF-8.

    The first line gives the columns `configuration`, `degeneracy`, `volume_A3_per_atom`,
    `energy_eV_per_atom`, `bulk_modulus_GPa` and `bulk_modulus_derivative` in any order. Lines that start with
    '#' and blank lines are skipped, but for `# rows: 36`, which says how many rows there are, so that a file
    cut between two of them is noticed. Every line ends with a line feed, the last one too: a file cut within
    its last number could not be told from a whole one otherwise.

    Parameters
    ----------
    path : the file.
    atoms : atoms in the cell; only makes the message about a volume per cell more helpful.

    Raises
    ------
    InputError
        The file cannot be read or any of it cannot be used; names the file, line, column, what was found and
        what was expected.
    """
    text = _read_text(Path(path))
    rows = list(_rows(text))
    if not rows:
        raise InputError(path, "", "no table (an empty file?)", f"the columns {', '.join(HEADER)}")
    (header_line, header), *records = rows
    _check_header(path, header_line, header)
    if not records:
        raise InputError(
            path, f"line {header_line}", "a header without rows", "one row or more", "Truncated?"
        )
    cut = not text.endswith("\n")
    for line, fields in records:
        _check_length(path, line, fields, header, truncated=cut and line == records[-1][0])
    if cut:
        found = f"no end of line after {records[-1][1][-1]!r}"
        hint = "Is the file truncated? If it is whole, end its last line with a line feed"
        raise InputError(path, f"line {records[-1][0]}", found, "a line feed at the end of every row", hint)
    _check_rows(path, text, len(records))
    return _configurations(path, header, records, atoms)


def _configurations(
    path: Path | str, header: Sequence[str], records: Sequence[tuple[int, list[str]]], atoms: int | None
) -> Configurations:
    """The checked table as `Configurations`."""
    table = [(line, dict(zip(header, fields, strict=True))) for line, fields in records]
    names = _names(path, table)
    numbers: dict[str, list[float]] = {}
    for column in COLUMNS:
        numbers[column.field] = []
        for line, fields in table:
            where = f"line {line}, column {column.name!r}"
            value = _number(path, where, fields[column.name], column.expected)
            _check_value(column, value, path, where, atoms)
            numbers[column.field].append(value)
    return Configurations(names, **{field: np.array(values) for field, values in numbers.items()})


def _check_rows(path: Path | str, text: str, rows: int) -> None:
    """As many rows as the file itself says, if it does."""
    said = re.search(r"^# rows: (\d+)\s*$", text, re.MULTILINE)
    if said and int(said[1]) != rows:
        hint = "Is the file truncated? After adding or removing rows, change the number"
        raise InputError(
            path, "", f"{rows} rows", f"the {said[1]} that its line '{said[0].strip()}' names", hint
        )


def _read_text(path: Path) -> str:
    """The whole file as text."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        raise InputError(path, "", found, "text in UTF-8", "Save the table as CSV in UTF-8") from error
    except OSError as error:
        raise InputError(path, "", error.strerror, "a CSV file that can be read") from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every line that is neither blank nor a comment."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, [field.strip() for field in next(csv.reader([line]))]


def _check_header(path: Path | str, line: int, header: Sequence[str]) -> None:
    """Every column once, and no other."""
    where = f"line {line}"
    for name in HEADER:
        if name not in header:
            unknown = [field for field in header if field not in HEADER]
            found = f"no column {name!r} among {', '.join(map(repr, header))}"
            close = did_you_mean(name, unknown)
            hint = f"For {name!r}, {close}" if close else ""
            raise InputError(path, where, found, f"the columns {', '.join(HEADER)}", hint)
    for name in header:
        if name not in HEADER or header.count(name) > 1:
            problem = "unknown" if name not in HEADER else "repeated"
            raise InputError(
                path, where, f"the {problem} column {name!r}", f"the columns {', '.join(HEADER)}"
            )


def _check_length(
    path: Path | str, line: int, fields: Sequence[str], header: Sequence[str], *, truncated: bool
) -> None:
    """As many fields as columns."""
    if len(fields) == len(header):
        return
    where = f"line {line}"
    if len(fields) < len(header):
        where += f", column {header[len(fields)]!r}"
    hint = "The file ends within this row: it is truncated" if truncated else ""
    raise InputError(path, where, f"{len(fields)} fields", f"{len(header)} fields, one per column", hint)


def _names(path: Path | str, table: Sequence[tuple[int, dict[str, str]]]) -> tuple[str, ...]:
    """The names, each there and only once."""
    first_line: dict[str, int] = {}
    for line, fields in table:
        name = fields[NAME_COLUMN]
        where = f"line {line}, column {NAME_COLUMN!r}"
        if not name:
            raise InputError(path, where, "no name", "a name")
        if name in first_line:
            found = f"{name!r}, also on line {first_line[name]}"
            raise InputError(path, where, found, "names that are all different")
        first_line[name] = line
    return tuple(first_line)


def _check_names(names: Sequence[str]) -> None:
    """At least one name, and none twice."""
    if not names or len(set(names)) < len(names):
        raise InputError("argument names", "", names, "one or more names, all different")


def _number(path: Path | str, where: str, text: str, expected: str) -> float:
    """A decimal number; Python's underscores are not part of one."""
    try:
        return float(text.replace("_", "?"))
    except ValueError as error:
        raise InputError(path, where, repr(text) if text else "an empty field", expected) from error


def _check_value(
    column: Column, value: float, source: Path | str, where: str, atoms: int | None = None
) -> None:
    """The number is one that its column accepts."""
    if column.accepts(value):
        return
    hint = ""
    if column.field == "equilibrium_volumes" and LARGEST_ATOMIC_VOLUME < value < np.inf:
        hint = "This looks like a volume per cell"
        if atoms:
            hint += f": divided by {atoms} atoms it is {value / atoms:g} Å3 per atom"
    raise InputError(source, where, f"{value:g}", column.expected, hint)
