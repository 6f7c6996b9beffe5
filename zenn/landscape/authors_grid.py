"""The Fe3Pt grid that the authors published, as F(V, T).

Two files without header, 120 temperatures of 78 rows each, temperatures outermost: x and T' in one, P in the
other. The authors' scripts rotated the plane of V (Å3) and F (eV), both per cell of 12 atoms, by the angle
theta with tan(theta) = -0.0408 eV/Å3 (6.53 GPa):

    x = V cos(theta) + F sin(theta) - 151        T' = 1 + 4 (T - 5) / 595, T = 5 ... 600 K, equally spaced
    y = -V sin(theta) + F cos(theta)             P = exp(-y / 0.1 T') / (a sum at this T)

so that y = -0.1 T' ln P + c(T). All temperatures have the same V, which gives every c(T) but for one number:
1 eV more in F of the cell is 0.04 Å3 more in every V. The files do not hold it, so it is a convention: the
lowest F of the coldest temperature is `lowest`, 0 eV unless said otherwise. Temperatures and pressures of
critical points and transitions do not depend on it.

P = 0 (underflow: y / 0.1 T' beyond 745 from the lowest) and subnormal P (beyond 708: digits are lost) say too
little about y and are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError

Array = NDArray[np.float64]

TEMPERATURES, VOLUMES = 120, 78
COLDEST, HOTTEST = 5.0, 600.0
"""K."""
ATOMS = 12
SLOPE = -0.0408
"""eV/Å3, tan(theta)."""
ORIGIN = 151.0
"""Å3 per cell, of x."""
BOLTZMANN_CONSTANT = 0.1
"""Of y / k T', in eV."""
ARITHMETIC = 1e-12
"""Å3 per cell: rounding of the authors' own arithmetic in double precision."""

_NUMBER = re.compile(r"[-+]?(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?")


@dataclass(frozen=True, eq=False)
class PublishedColumn:
    """A column of a file: its numbers (9360,), and half a unit of the last digit printed of each."""

    source: Path | str
    name: str
    values: Array
    rounding: Array

    def refuse(self, row: int, found: object, expected: str, hint: str = "") -> InputError:
        """The error about a row, counted from 0."""
        return InputError(self.source, f"row {row + 1}, column {self.name}", found, expected, hint)


@dataclass(frozen=True, eq=False)
class AuthorsGrid:
    """F on a regular grid.

    volumes : Å3/atom, increasing, (78,). temperatures : K, increasing, (120,).
    free_energies : eV/atom, (120, 78).
    volume_disagreement : Å3/atom, the largest difference of a row's own V from that of its column.
    volume_rounding : Å3/atom, what the printed digits allow there at most.
    constant_rounding : eV/atom, what they leave open of c(T) at most, at one temperature beside another.
    """

    volumes: Array
    temperatures: Array
    free_energies: Array
    volume_disagreement: float
    volume_rounding: float
    constant_rounding: float


def read_authors_grid(positions: Path, probabilities: Path, lowest: float = 0.0) -> AuthorsGrid:
    """The grid of `V_T.csv` and `PP.csv`; see `unrotated`.

    Raises
    ------
    InputError : a file is not of this form; names file, row, what was found and expected.
    """
    x, T = read_columns(positions, ("x", "T'"))
    (P,) = read_columns(probabilities, ("P",))
    return unrotated(x, T, P, lowest)


def read_columns(path: Path, names: tuple[str, ...]) -> list[PublishedColumn]:
    """The columns of a file without header.

    Raises
    ------
    InputError : the file cannot be read, has another number of rows or columns, or what is no number.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "", error, "a CSV file of numbers in UTF-8") from error
    rows = [[field.strip() for field in line.split(",")] for line in lines]
    for number, fields in enumerate(rows, start=1):
        if len(fields) != len(names):
            expected = f"{len(names)}: {', '.join(names)}"
            raise InputError(path, f"row {number}", f"{len(fields)} fields", expected)
    if len(rows) != TEMPERATURES * VOLUMES:
        expected = f"{TEMPERATURES} temperatures of {VOLUMES} rows, {TEMPERATURES * VOLUMES}"
        raise InputError(path, "", f"{len(rows)} rows", expected)
    return [_column(path, name, [fields[i] for fields in rows]) for i, name in enumerate(names)]


def _column(path: Path, name: str, texts: list[str]) -> PublishedColumn:
    for number, text in enumerate(texts, start=1):
        match = _NUMBER.fullmatch(text)
        if not match or not (match[1] or match[2]) or not np.isfinite(float(text)):
            raise InputError(path, f"row {number}, column {name}", repr(text), "a finite decimal number")
    values = np.array([float(text) for text in texts])
    return PublishedColumn(path, name, values, _rounding(texts, values))


def _rounding(texts: list[str], values: Array) -> Array:
    """Half a unit of the last digit. A writer drops zeros at the end, so the longest fields tell how many
    digits it keeps: as many significant ones, or as many after the point, whichever is coarser."""
    digits, decimals = 0, -400
    for text in texts:
        match = _NUMBER.fullmatch(text)
        assert match is not None
        digits = max(digits, len((match[1] + match[2]).lstrip("0")))
        decimals = max(decimals, len(match[2]) - int(match[3] or 0))
    with np.errstate(divide="ignore"):
        leading = np.floor(np.log10(np.abs(values)))
    return np.asarray(10.0 ** np.maximum(leading - digits + 1, -float(decimals)) / 2)


def unrotated(
    x: PublishedColumn,
    reduced_temperature: PublishedColumn,
    probability: PublishedColumn,
    lowest: float = 0.0,
) -> AuthorsGrid:
    """F(V, T) of the three columns.

    lowest : eV/atom, F of the coldest temperature at its lowest volume, which the files do not hold.

    Raises
    ------
    InputError
        Other temperatures than expected, P that is no normal number above 0, or volumes that are not
        the same at all temperatures to the digits printed, or do not increase.
    """
    _check_positive(probability)
    shape = TEMPERATURES, VOLUMES
    T = np.linspace(COLDEST, HOTTEST, TEMPERATURES)
    t = 1 + 4 * (T - COLDEST) / (HOTTEST - COLDEST)
    _check_temperatures(reduced_temperature, np.repeat(t, VOLUMES))
    theta = np.arctan(SLOPE)
    cos, sin, scale = float(np.cos(theta)), float(np.sin(theta)), BOLTZMANN_CONSTANT * t[:, None]
    rotated, P = ORIGIN + x.values.reshape(shape), probability.values.reshape(shape)
    u = -scale * np.log(P)
    V = rotated * cos - u * sin
    means = V.mean(axis=1)
    # V is right but for -c(T) sin(theta), the same for all rows of a temperature.
    low = float((rotated[0] * sin + u[0] * cos).min())
    mean = means[0] - (ATOMS * lowest - low) * SLOPE
    V = V - means[:, None] + mean
    own = cos * x.rounding.reshape(shape) - sin * scale * probability.rounding.reshape(shape) / P
    bound = own + own.mean(axis=1, keepdims=True)
    volumes = V.mean(axis=0)
    off, allowed = np.abs(V - volumes), ARITHMETIC + bound + bound.mean(axis=0)
    _check_volumes(x, volumes, off, allowed)
    y = u + (means[:, None] - mean) / sin
    F = (y + volumes * sin) / cos
    return AuthorsGrid(
        volumes / ATOMS,
        T,
        F / ATOMS,
        float(off.max()) / ATOMS,
        float(allowed.max()) / ATOMS,
        2 * float(own.mean(axis=1).max() + ARITHMETIC) / abs(SLOPE) / ATOMS,
    )


def _check_positive(P: PublishedColumn) -> None:
    smallest = np.finfo(float).tiny
    for row in np.flatnonzero(~(P.values >= smallest)):
        hint = "ln P is needed: it has underflowed" if 0 <= P.values[row] < smallest else ""
        raise P.refuse(int(row), f"{P.values[row]:g}", f"a probability of {smallest:.3g} or more", hint)
    for row in np.flatnonzero(P.rounding > P.values / 2):
        found = f"{P.values[row]:g} without a certain digit"
        raise P.refuse(int(row), found, "a probability with some digits")


def _check_temperatures(t: PublishedColumn, expected: Array) -> None:
    off = np.abs(t.values - expected) - t.rounding
    for row in np.flatnonzero(off > 1e-12):
        block = int(row) // VOLUMES
        said = f"{expected[row]:.15g}, of temperature {block + 1} of {TEMPERATURES} from 5 to 600 K"
        raise t.refuse(int(row), f"{t.values[row]:.15g}", said, "Temperatures are outermost")


def _check_volumes(x: PublishedColumn, volumes: Array, off: Array, allowed: Array) -> None:
    if np.any(off > allowed):
        worst = int(np.argmax(off - allowed))
        found = f"a volume that is {off.flat[worst]:.3g} Å3 per cell off that of the other temperatures"
        expected = f"the same to rounding, {allowed.flat[worst]:.3g} Å3 per cell"
        raise x.refuse(worst, found, expected, "Do V_T.csv and PP.csv belong together?")
    for row in np.flatnonzero(np.diff(volumes) <= 0):
        found = f"{volumes[row + 1]:.9g} Å3 per cell after {volumes[row]:.9g}"
        raise x.refuse(int(row) + 1, found, "volumes that increase")
