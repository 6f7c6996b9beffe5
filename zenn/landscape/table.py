"""The table that a landscape of one's own comes in: CSV rows of coordinates, temperature and free energy.

Columns, in any order: `x` (or `x1`, `x2`, ...), `temperature`, `free_energy`; and where known `weight`, that
of a quadrature over the points, `slope` (or `slope1`, `slope2`, ...), dF/dx, and `entropy`, -dF/dT. Units are
the user's and have to agree. The same points stand at every temperature; rows come in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import Column, Table, finite, positive, read_header, read_table
from zenn.errors import InputError, did_you_mean

Array = NDArray[np.float64]

TEMPERATURE, ENERGY, WEIGHT, ENTROPY = "temperature", "free_energy", "weight", "entropy"
LEAST_POINTS = 4
"""Fewer leave no second derivative to be fitted."""

_ROUNDING = 1e-6  # of a coordinate's width: points closer than this are one point, written in two ways
_NUMBER = "a finite number"


@dataclass(frozen=True, eq=False)
class LandscapeTable:
    """F on N points of d coordinates at M temperatures; arrays read-only.

    names : of the coordinates, `x` or `x1`, `x2`, ... points : (N, d), in lexical order. temperatures :
    increasing, (M,). free_energies : (M, N). weights : of a quadrature, (N,), or None. slopes : dF/dx, (M, N,
    d), or None. entropies : -dF/dT, (M, N), or None.
    """

    names: tuple[str, ...]
    points: Array
    temperatures: Array
    free_energies: Array
    weights: Array | None
    slopes: Array | None
    entropies: Array | None

    def __post_init__(self) -> None:
        for array in (
            self.points, self.temperatures, self.free_energies, self.weights, self.slopes, self.entropies,
        ):  # fmt: skip
            if array is not None:
                array.flags.writeable = False


def read_landscape(path: Path | str) -> LandscapeTable:
    """Read a table of free energies.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing or unknown, a number is not accepted, a point stands
        twice or not at every temperature, weights differ between temperatures, or there are too few points;
        names the file, line, column, what was found and what was expected.
    """
    header = read_header(path)
    names = _coordinates(path, header)
    d = len(names)
    slopes = ("slope",) if d == 1 else tuple(f"slope{i + 1}" for i in range(d))
    columns = [
        *(Column(name, finite, _NUMBER) for name in names),
        Column(TEMPERATURE, positive, "a temperature above 0"),
        Column(ENERGY, finite, _NUMBER),
    ]
    if WEIGHT in header:
        columns.append(Column(WEIGHT, positive, "a weight above 0"))
    if any(name in header for name in slopes):
        columns += [Column(name, finite, _NUMBER) for name in slopes]
    if ENTROPY in header:
        columns.append(Column(ENTROPY, finite, _NUMBER))
    known = [column.name for column in columns]
    for name in header:
        if name not in known and all(needed in header for needed in known):  # else read_table says more
            optional = [other for other in (WEIGHT, *slopes, ENTROPY) if other not in known]
            expected = f"the columns {', '.join(known)}" + f" (and, if known, {', '.join(optional)})"
            hint = did_you_mean(name, optional)
            raise InputError(path, "header", f"the unknown column {name!r}", expected, hint)
    table = read_table(path, columns)
    rows = _Grid(table, names)
    return LandscapeTable(
        names,
        rows.points,
        rows.temperatures,
        rows.arranged(ENERGY),
        rows.same_at_every_temperature(WEIGHT) if WEIGHT in header else None,
        np.stack([rows.arranged(name) for name in slopes], axis=-1) if slopes[0] in header else None,
        rows.arranged(ENTROPY) if ENTROPY in header else None,
    )


def _coordinates(path: Path | str, header: tuple[str, ...]) -> tuple[str, ...]:
    """`x`, or `x1` to `xd` without a gap."""
    numbered = [name for name in header if re.fullmatch(r"x[1-9]\d*", name)]
    if not numbered:
        return ("x",)  # read_table says so if it is not there
    if "x" in header:
        raise InputError(path, "header", f"'x' beside {numbered[0]!r}", "x alone, or x1, x2, ...")
    highest = max(int(name[1:]) for name in numbered)
    # of x99 alone, two names are enough for one to be missed
    return tuple(f"x{i + 1}" for i in range(min(highest, len(numbered) + 1)))


class _Grid:
    """The rows of a table as points and temperatures; refuses a table in which they do not form a grid."""

    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        self._table, self._names = table, names
        every = np.stack([table.numbers[name] for name in names], axis=1)
        self.points, point = np.unique(every, axis=0, return_inverse=True)
        self.temperatures, row = np.unique(table.numbers[TEMPERATURE], return_inverse=True)
        self._point, self._row = point.reshape(-1), row.reshape(-1)
        M, N = len(self.temperatures), len(self.points)
        self._order = np.lexsort((self._point, self._row))  # stable: of two equal rows the later is second
        self._refuse_repeats()
        self._refuse_gaps()
        self._refuse_few()
        self._shape = (M, N)

    def arranged(self, column: str) -> Array:
        """A column, shape (M, N)."""
        return self._table.numbers[column][self._order].reshape(self._shape)

    def same_at_every_temperature(self, column: str) -> Array:
        """A column that does not depend on the temperature, shape (N,)."""
        values = self.arranged(column)
        off = np.argwhere(values != values[0])
        if len(off):
            i, j = off[0]
            row = int(self._order.reshape(self._shape)[i, j])
            found = f"{values[i, j]:g} at temperature {self.temperatures[i]:g}"
            expected = f"{values[0, j]:g}, as at temperature {self.temperatures[0]:g}: one for each point"
            raise InputError(self._table.path, self._table.place(row, column), found, expected)
        return np.array(values[0])

    def _refuse_repeats(self) -> None:
        pairs = np.stack([self._row, self._point])[:, self._order]
        twice = np.flatnonzero(np.all(pairs[:, 1:] == pairs[:, :-1], axis=0))
        if len(twice):
            row, first = int(self._order[twice[0] + 1]), int(self._order[twice[0]])
            found = f"{self._spoken(row)}, also on line {self._table.lines[first]}"
            raise InputError(self._table.path, self._place(row), found, "each point once at a temperature")

    def _refuse_gaps(self) -> None:
        """The points of most temperatures are the grid; name the first row off it, or one missing."""
        M, N = len(self.temperatures), len(self.points)
        if len(self._row) == M * N:
            return
        counts = np.bincount(self._point, minlength=N)
        grid = counts > M / 2
        off = np.flatnonzero(~grid[self._point])
        if len(off):
            row = int(off[0])
            found = f"{self._spoken(row)}, a point of {counts[self._point[row]]} of {M} temperatures"
            raise InputError(
                self._table.path, self._place(row), found, "the same points at every temperature",
                self._neighbour(self._point[row], grid),
            )  # fmt: skip
        there = np.zeros((M, N), dtype=bool)
        there[self._row, self._point] = True
        i, j = np.argwhere(~there & grid)[0]
        last = int(np.flatnonzero(self._row == i)[-1])
        found = f"temperature {self.temperatures[i]:g} without {self._named(self.points[j])}"
        expected = f"the {int(grid.sum())} points of the other temperatures"
        raise InputError(
            self._table.path,
            f"up to line {self._table.lines[last]}, column {self._names[0]!r}",
            found,
            expected,
        )

    def _refuse_few(self) -> None:
        N = len(self.points)
        if N < LEAST_POINTS:
            expected = f"{LEAST_POINTS} points or more at every temperature"
            raise InputError(self._table.path, f"column {self._names[0]!r}", f"{N} points", expected)
        for name, x in zip(self._names, self.points.T, strict=True):
            if x.min() == x.max():
                found = f"{x[0]:g} in every row"
                raise InputError(self._table.path, f"column {name!r}", found, "a coordinate that varies")

    def _neighbour(self, point: int, grid: NDArray[np.bool_]) -> str:
        """A hint where a point is one of the grid's but for rounding."""
        if not grid.any():
            return ""
        others = self.points[grid]
        width = np.ptp(self.points, axis=0)
        apart = np.max(np.abs(others - self.points[point]) / np.where(width > 0, width, 1.0), axis=1)
        near = int(np.argmin(apart))
        if apart[near] > _ROUNDING:
            return ""
        return f"Is it {self._named(others[near])} in other digits? Write a point alike everywhere"

    def _named(self, point: Array) -> str:
        return ", ".join(f"{name} = {float(x)!r}" for name, x in zip(self._names, point, strict=True))

    def _spoken(self, row: int) -> str:
        T = self.temperatures[self._row[row]]
        return f"{self._named(self.points[self._point[row]])} at temperature {T:g}"

    def _place(self, row: int) -> str:
        return self._table.place(row, self._names[0])
