"""Tables of numbers in CSV files: read as a whole, or refused with file, line and column; and written.

Lines that start with '#' and blank lines are skipped, but for `# rows: 36`, which says how many rows there
are, so that a file cut between two of them is noticed. Every line ends with a line feed, the last one too: a
file cut within its last number could not be told from a whole one otherwise. Columns come in any order.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.errors import InputError, did_you_mean
from zenn.files import write_text

Array = NDArray[np.float64]


class Column(NamedTuple):
    """A column of numbers: its header, which numbers it may hold, and what to say of one that it may not."""

    name: str
    accepts: Callable[[float], bool]
    expected: str
    hint: Callable[[float], str] = lambda value: ""

    def check(self, value: float, source: Path | str, where: str) -> None:
        """Raise InputError for a number that is not accepted."""
        if not self.accepts(value):
            raise InputError(source, where, f"{value:g}", self.expected, self.hint(value))


class TextColumn(NamedTuple):
    """A column of names, none of them empty."""

    name: str


def finite(value: float) -> bool:
    """Neither infinite nor NaN."""
    return bool(np.isfinite(value))


def positive(value: float) -> bool:
    """Above 0 and finite."""
    return bool(0 < value < np.inf)


def natural(value: float) -> bool:
    """An integer of 1 or more."""
    return bool(value >= 1 and value == np.floor(value) < np.inf)


@dataclass(frozen=True, eq=False)
class Table:
    """The checked columns of a file: numbers as read-only arrays, names as tuples, all of one length."""

    path: Path | str
    lines: tuple[int, ...]
    numbers: dict[str, Array]
    names: dict[str, tuple[str, ...]]

    def place(self, row: int, column: str) -> str:
        """Where a row's field stands in the file."""
        return f"line {self.lines[row]}, column {column!r}"

    def refuse_repeats(self, column: str) -> None:
        """Raise InputError where a name stands twice in a column of names."""
        first: dict[str, int] = {}
        for row, name in enumerate(self.names[column]):
            if name in first:
                found = f"{name!r}, also on line {self.lines[first[name]]}"
                raise InputError(self.path, self.place(row, column), found, "names that are all different")
            first[name] = row


def write_columns(path: Path, columns: Mapping[str, ArrayLike]) -> None:
    """Write equally long columns to `path`; numbers in the shortest form that reads back the same."""
    lists = [np.asarray(column).ravel().tolist() for column in columns.values()]
    lines = [",".join(columns), *(",".join(map(_text, row)) for row in zip(*lists, strict=True))]
    write_text(path, "\n".join(lines) + "\n")


def read_header(path: Path | str) -> tuple[str, ...]:
    """The names of the columns, as they stand in the file.

    Raises
    ------
    InputError : the file cannot be read or has no table.
    """
    return tuple(_header_and_records(path)[0][1])


def read_table(path: Path | str, columns: Sequence[Column | TextColumn]) -> Table:
    """Read a CSV file in UTF-8 that has exactly the given columns, in any order.

    Raises
    ------
    InputError
        The file cannot be read or any of it cannot be used; names the file, line, column, what was found and
        what was expected.
    """
    (header_line, header), records, text = _header_and_records(path)
    _check_header(path, header_line, header, [column.name for column in columns])
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
    return _table(path, columns, header, records)


def _table(
    path: Path | str,
    columns: Sequence[Column | TextColumn],
    header: Sequence[str],
    records: Sequence[tuple[int, list[str]]],
) -> Table:
    """The columns of a table whose shape is right."""
    numbers: dict[str, Array] = {}
    names: dict[str, tuple[str, ...]] = {}
    lines = tuple(line for line, _ in records)
    for column in columns:
        position = header.index(column.name)
        fields = [(f"line {line}, column {column.name!r}", fields[position]) for line, fields in records]
        if isinstance(column, TextColumn):
            for where, text in fields:
                if not text:
                    raise InputError(path, where, "no name", "a name")
            names[column.name] = tuple(text for _, text in fields)
            continue
        values = np.array([_number(path, where, text, column.expected) for where, text in fields])
        for (where, _), value in zip(fields, values, strict=True):
            column.check(float(value), path, where)
        values.flags.writeable = False
        numbers[column.name] = values
    return Table(path, lines, numbers, names)


def _header_and_records(
    path: Path | str,
) -> tuple[tuple[int, list[str]], list[tuple[int, list[str]]], str]:
    """The header's line and fields, those of the rows, and the whole text."""
    text = _read_text(Path(path))
    rows = list(_rows(path, text))
    if not rows:
        raise InputError(path, "", "no table (an empty file?)", "a line of column names, then rows")
    return rows[0], rows[1:], text


def _read_text(path: Path) -> str:
    """The whole file as text."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        raise InputError(path, "", found, "text in UTF-8", "Save the table as CSV in UTF-8") from error
    except OSError as error:
        raise InputError(path, "", error.strerror, "a CSV file that can be read") from error


def _rows(path: Path | str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every line that is neither blank nor a comment."""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):  # no other sign ends a line
        if line.strip() and not line.startswith("#"):
            try:
                yield number, [field.strip() for field in next(csv.reader([line]))]
            except csv.Error as error:  # a field of more than 128 KiB
                raise InputError(path, f"line {number}", error, "fields of a table") from None


def _check_header(path: Path | str, line: int, header: Sequence[str], expected: Sequence[str]) -> None:
    """Every column once, and no other."""
    where = f"line {line}"
    wanted = f"the columns {', '.join(expected)}"
    for name in expected:
        if name not in header:
            unknown = [field for field in header if field not in expected]
            found = f"no column {name!r} among {', '.join(map(repr, header))}"
            close = did_you_mean(name, unknown)
            raise InputError(path, where, found, wanted, f"For {name!r}, {close}" if close else "")
    for name in header:
        if name not in expected or header.count(name) > 1:
            problem = "unknown" if name not in expected else "repeated"
            raise InputError(path, where, f"the {problem} column {name!r}", wanted)


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


def _check_rows(path: Path | str, text: str, rows: int) -> None:
    """As many rows as the file itself says, if it does."""
    said = re.search(r"^# rows: (\d+)\s*$", text, re.MULTILINE)
    if said and int(said[1]) != rows:
        hint = "Is the file truncated? After adding or removing rows, change the number"
        raise InputError(
            path, "", f"{rows} rows", f"the {said[1]} that its line '{said[0].strip()}' names", hint
        )


def _number(path: Path | str, where: str, text: str, expected: str) -> float:
    """A decimal number; Python's underscores are not part of one."""
    try:
        return float(text.replace("_", "?"))
    except ValueError as error:
        raise InputError(path, where, repr(text) if text else "an empty field", expected) from error


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
