"""Configurations given as points of their energy-volume curves: the table they come in, and their fits.

A fit is Eq. (S2) of Wang et al., ZENN, by linear least squares (`zenn.materials.eos`). What cannot be one
curve of energies per atom over volumes per atom is refused: its fit would be numbers without a meaning.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray

from zenn.csv_table import Column, Table, finite, read_header, read_table, write_columns
from zenn.errors import InputError, NotFoundError
from zenn.materials.configurations import (
    BULK_MODULUS,
    DEGENERACY,
    ENERGY,
    HEADER,
    LARGEST_ATOMIC_VOLUME,
    LARGEST_BULK_MODULUS,
    NAME,
    VOLUME,
    Configurations,
    atomic_volume_column,
    refuse_distant_energies,
)
from zenn.materials.eos import EquationOfState, birch_murnaghan_energy, fit_birch_murnaghan

Array = NDArray[np.float64]

VOLUME_PER_CELL = "volume_A3_per_cell"
ENERGY_PER_CELL = "energy_eV_per_cell"

FEWEST_VOLUMES = 5
"""One more than Eq. (S2) has coefficients: four points lie on their curve whatever they are."""

LARGEST_VOLUME_RATIO = 1.6
"""Between the volumes of one configuration, or the medians of two; another unit or a cell makes it larger."""

OUTLIER_RATIO = 20.0
"""A residual this many times the median of the other points' is no scatter ..."""

OUTLIER_ENERGY = 5.0
"""... if it is also above this, in meV per atom."""

UNITS_HINT = "Are some of them per cell, or in Bohr3 (1 Å3 is 6.748 Bohr3)?"


class _Curve(NamedTuple):
    """The points of one configuration; `where` names it, `places` its points."""

    where: str
    volumes: Array
    energies: Array
    places: tuple[str, ...]

    @property
    def span(self) -> str:
        return f"{self.volumes.min():g}-{self.volumes.max():g} Å3"


@dataclass(frozen=True, eq=False)
class EnergyVolumePoints:
    """Energy-volume points of K configurations, N_k of configuration k; arrays are read-only.

    Parameters
    ----------
    names : K different names.
    degeneracies : number of symmetry-equivalent members of each configuration, shape (K,).
    volumes : K arrays of shape (N_k,), Å3 per atom.
    energies : K arrays of shape (N_k,), eV per atom; one arbitrary zero for all.
    source : the file they come from; what messages begin with.
    places : for each configuration N_k texts that say where a point stands; "point 1" and so on if empty.

    Raises
    ------
    InputError
        Lengths that differ, names that repeat, or a value its column does not accept.
    """

    names: tuple[str, ...]
    degeneracies: Array
    volumes: tuple[Array, ...]
    energies: tuple[Array, ...]
    source: Path | str = "energy-volume points"
    places: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        names = tuple(self.names)
        if not names or len(set(names)) < len(names):
            raise InputError(self.source, "names", names, "one or more names, all different")
        degeneracies = _read_only(self.degeneracies)
        if degeneracies.shape != (len(names),):
            found = f"shape {degeneracies.shape}"
            raise InputError(self.source, "degeneracies", found, f"one value for each of {len(names)} names")
        for name, degeneracy in zip(names, degeneracies, strict=True):
            DEGENERACY.check(float(degeneracy), self.source, f"configuration {name!r}, degeneracy")
        volumes, energies = tuple(map(_read_only, self.volumes)), tuple(map(_read_only, self.energies))
        places = self.places or tuple(tuple(f"point {i + 1}" for i in range(v.size)) for v in volumes)
        for field, values in (("volumes", volumes), ("energies", energies), ("places", places)):
            if len(values) != len(names):
                found = f"{field} of {len(values)} configurations"
                raise InputError(self.source, field, found, f"those of {len(names)} names")
        fields = (names, degeneracies, volumes, energies, self.source, tuple(map(tuple, places)))
        for field, value in zip(self.__dataclass_fields__, fields, strict=True):
            object.__setattr__(self, field, value)
        for curve in self._curves():
            _check_points(self.source, curve)

    def __len__(self) -> int:
        return len(self.names)

    def _curves(self) -> list[_Curve]:
        """The configurations one by one."""
        columns = (map("configuration {!r}".format, self.names), self.volumes, self.energies, self.places)
        return [_Curve(*row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True)
class FitQuality:
    """How well Eq. (S2) describes the points of one configuration.

    name of the configuration, number of points, root mean square and largest absolute residual, meV per atom.
    """

    name: str
    points: int
    rms_residual: float
    largest_residual: float


def read_energy_volume(path: Path | str, atoms: int | None = None) -> EnergyVolumePoints:
    """Read energy-volume points from a CSV file (see `zenn.csv_table`), one point per row.

    Its columns, in any order, are `configuration`, `degeneracy` and either `volume_A3_per_atom` and
    `energy_eV_per_atom` or `volume_A3_per_cell` and `energy_eV_per_cell`. Rows of a configuration may stand
    anywhere; they have the same degeneracy.

    Parameters
    ----------
    path : the file.
    atoms : atoms in the cell; divides columns per cell. Columns per atom are not divided: there it only makes
        the message about a volume per cell more helpful.

    Raises
    ------
    InputError
        The file cannot be read or any of it cannot be used, columns are per cell and `atoms` is not given, or
        one is per atom and the other per cell; names the file, line, column, what was found and expected.
    """
    volume, energy, divisor = _columns(path, atoms)
    table = read_table(path, (NAME, DEGENERACY, volume, energy))
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(table.names[NAME.name]):
        rows_of.setdefault(name, []).append(row)
    for rows in rows_of.values():
        _refuse_other_degeneracies(table, rows)
    degeneracies = table.numbers[DEGENERACY.name]
    return EnergyVolumePoints(
        names=tuple(rows_of),
        degeneracies=degeneracies[[rows[0] for rows in rows_of.values()]],
        volumes=tuple(table.numbers[volume.name][rows] / divisor for rows in rows_of.values()),
        energies=tuple(table.numbers[energy.name][rows] / divisor for rows in rows_of.values()),
        source=path,
        places=tuple(tuple(f"line {table.lines[row]}" for row in rows) for rows in rows_of.values()),
    )


def fit_configurations(points: EnergyVolumePoints) -> tuple[Configurations, tuple[FitQuality, ...]]:
    """Fit Eq. (S2) to each configuration: its equilibrium properties, and how well they fit.

    Raises
    ------
    InputError
        A configuration has fewer than `FEWEST_VOLUMES` different volumes, two energies at one volume, a point
        far off the curve of the others (`OUTLIER_RATIO`, `OUTLIER_ENERGY`; looked for among six volumes or
        more, five cannot tell which it is), no minimum inside its volumes, or a bulk modulus above
        `LARGEST_BULK_MODULUS`; or volumes (`LARGEST_VOLUME_RATIO`) or energies (`LARGEST_ENERGY_RANGE`) look
        as if their units were mixed. Names the source, the configuration and, where it is one, the point.
    """
    curves = points._curves()
    _refuse_mixed_volumes(points, curves)
    for curve in curves:
        _refuse_repeats(points.source, curve)
        _refuse_few_volumes(points.source, curve)
        _refuse_outlier(points.source, curve)
    _refuse_mixed_energies(points, curves)
    fits = [_fit(points.source, curve) for curve in curves]
    properties = np.array([astuple(fit) for fit in fits]).T
    qualities = (
        _quality(name, curve, fit) for name, curve, fit in zip(points.names, curves, fits, strict=True)
    )
    return Configurations(points.names, points.degeneracies, *properties), tuple(qualities)


def write_configurations(path: Path, configurations: Configurations) -> None:
    """Write the table that `read_configurations` reads back exactly.

    Raises
    ------
    InputError : a name that would not read back: one with a comma, a line end or blanks around it, or with
        '#' in front, since a line that begins so is a comment.
    """
    for name in configurations.names:
        lines = name.splitlines()
        if len(lines) != 1 or [name] != next(csv.reader(lines)) or name[0] == "#" or name != name.strip():
            expected = "a name on one line that reads back the same"
            raise InputError("argument configurations", "names", repr(name), expected)
    columns: tuple[ArrayLike, ...] = (
        configurations.names,
        [int(degeneracy) for degeneracy in configurations.degeneracies],
        configurations.equilibrium_volumes,
        configurations.equilibrium_energies,
        configurations.bulk_moduli,
        configurations.bulk_modulus_derivatives,
    )
    write_columns(path, dict(zip(HEADER, columns, strict=True)))


def _columns(path: Path | str, atoms: int | None) -> tuple[Column, Column, int]:
    """The columns of volume and energy that the file has, and what they are to be divided by."""
    if atoms is not None and not (atoms >= 1 and atoms == int(atoms)):
        raise InputError("argument atoms", "", atoms, "an integer of 1 or more")
    header = read_header(path)
    per_atom = [name for name in (VOLUME, ENERGY.name) if name in header]
    per_cell = [name for name in (VOLUME_PER_CELL, ENERGY_PER_CELL) if name in header]
    if per_atom and per_cell:
        found = f"{' and '.join(map(repr, per_atom))} beside {' and '.join(map(repr, per_cell))}"
        raise InputError(path, "the column names", found, "volume and energy both per atom or both per cell")
    if not per_cell:
        return atomic_volume_column(VOLUME, atoms), ENERGY, 1
    if atoms is None:
        found = f"{' and '.join(map(repr, per_cell))} without a number of atoms"
        hint = "Give `atoms`, or divide both columns and name them per atom"
        raise InputError(path, "the column names", found, "the number of atoms in the cell", hint)
    largest = atoms * LARGEST_ATOMIC_VOLUME
    volume = Column(
        VOLUME_PER_CELL,
        lambda value: 0 < value <= largest,
        f"a volume of {atoms} atoms, above 0 and at most {largest:g} Å3",
    )
    return volume, Column(ENERGY_PER_CELL, finite, ENERGY.expected), int(atoms)


def _refuse_other_degeneracies(table: Table, rows: Sequence[int]) -> None:
    """Raise InputError where the rows of one configuration do not have one degeneracy."""
    degeneracies = table.numbers[DEGENERACY.name]
    for row in rows:
        if degeneracies[row] != degeneracies[rows[0]]:
            expected = (
                f"the {degeneracies[rows[0]]:g} that configuration {table.names[NAME.name][row]!r} "
                f"has on line {table.lines[rows[0]]}"
            )
            where = table.place(row, DEGENERACY.name)
            raise InputError(table.path, where, f"{degeneracies[row]:g}", expected)


def _check_points(source: Path | str, curve: _Curve) -> None:
    """One volume, energy and place per point, each of them usable."""
    shapes = (curve.volumes.shape, curve.energies.shape, (len(curve.places),))
    if curve.volumes.ndim != 1 or len(set(shapes)) > 1:
        found = "volumes, energies and places of the shapes {}, {} and {}".format(*shapes)
        raise InputError(source, curve.where, found, "one shape (N,)")
    column = atomic_volume_column(VOLUME)
    for place, volume, energy in zip(curve.places, curve.volumes, curve.energies, strict=True):
        column.check(float(volume), source, f"{curve.where}, {place}")
        ENERGY.check(float(energy), source, f"{curve.where}, {place}")


def _refuse_mixed_volumes(points: EnergyVolumePoints, curves: Sequence[_Curve]) -> None:
    """Raise InputError where volumes lie further apart than those of one material do."""
    for curve in curves:
        ratio = curve.volumes.max() / curve.volumes.min() if curve.volumes.size else 1.0
        if ratio > LARGEST_VOLUME_RATIO:
            median = np.median(curve.volumes)
            odd = int(np.argmax(np.abs(np.log(curve.volumes / median))))
            found = f"{curve.volumes[odd]:g} Å3 among volumes with the median {median:g} Å3"
            expected = (
                f"a largest volume at most {LARGEST_VOLUME_RATIO:g} times the smallest, not {ratio:.2f}"
            )
            where = f"{curve.where}, {curve.places[odd]}"
            raise InputError(points.source, where, found, expected, UNITS_HINT)
    medians = [float(np.median(curve.volumes)) if curve.volumes.size else np.nan for curve in curves]
    if np.isnan(medians).any():
        return  # refused next, for too few volumes
    low, high = int(np.argmin(medians)), int(np.argmax(medians))
    ratio = medians[high] / medians[low]
    if ratio > LARGEST_VOLUME_RATIO:
        found = f"a median volume of {medians[high]:g} Å3, {medians[low]:g} Å3 in {curves[low].where}"
        expected = f"medians within a factor of {LARGEST_VOLUME_RATIO:g}, here it is {ratio:.2f}"
        raise InputError(points.source, curves[high].where, found, expected, UNITS_HINT)


def _refuse_repeats(source: Path | str, curve: _Curve) -> None:
    """Raise InputError where one volume has two energies."""
    first: dict[float, int] = {}
    for i, volume in enumerate(curve.volumes.tolist()):
        j = first.setdefault(volume, i)
        if curve.energies[i] != curve.energies[j]:
            found = f"{curve.energies[i]} eV at {volume:g} Å3, which has {curve.energies[j]} eV at "
            found += curve.places[j]
            raise InputError(source, f"{curve.where}, {curve.places[i]}", found, "one energy per volume")


def _refuse_few_volumes(source: Path | str, curve: _Curve) -> None:
    """Raise InputError where the fit would have nothing left to show that it fits."""
    different = len(np.unique(curve.volumes))
    if different < FEWEST_VOLUMES:
        expected = f"at least {FEWEST_VOLUMES}: Eq. (S2) has four coefficients"
        raise InputError(source, curve.where, f"{different} different volumes", expected)


def _refuse_outlier(source: Path | str, curve: _Curve) -> None:
    """Raise InputError where one point is far off a curve on which all others lie.

    The suspect is the point without which the others lie closest to a curve: a fit with it bends towards it.
    It is refused for its residual in the fit of all, which is small at an end of wide volumes, where a curve
    that is smooth but not quite Eq. (S2) leaves the extrapolation of the others.
    """
    volumes, rows = np.unique(curve.volumes, return_index=True)
    if len(volumes) == FEWEST_VOLUMES:
        return  # any four of them lie on a curve: which one is wrong cannot be told
    y, energies = volumes ** (-2 / 3), curve.energies[rows]

    def residuals(kept: NDArray[np.bool_]) -> Array:
        cubic = Polynomial.fit(y[kept], energies[kept], 3)
        return np.asarray(1000 * np.abs(energies - cubic(y)))

    everything = np.ones(len(volumes), dtype=bool)
    others = [np.arange(len(volumes)) != left_out for left_out in range(len(volumes))]
    odd = int(np.argmin([np.linalg.norm(residuals(kept)[kept]) for kept in others]))
    without = residuals(others[odd])
    median = float(np.median(without[others[odd]]))
    if residuals(everything)[odd] > max(OUTLIER_ENERGY, OUTLIER_RATIO * median):
        found = f"{energies[odd]:g} eV at {volumes[odd]:g} Å3, {without[odd]:.3g} meV off the others' curve"
        expected = f"a smooth curve; half of the others lie within {median:.2g} meV of theirs"
        hint = "Is a digit wrong, or did that calculation not converge or reach another state?"
        raise InputError(source, f"{curve.where}, {curve.places[rows[odd]]}", found, expected, hint)


class _Lowest(Table):
    """The lowest point of each configuration, in the form that `refuse_distant_energies` takes."""

    def place(self, row: int, column: str) -> str:
        return self.names[column][row]


def _refuse_mixed_energies(points: EnergyVolumePoints, curves: Sequence[_Curve]) -> None:
    """Raise InputError where configurations lie further apart than any temperature could reach."""
    lowest = [int(np.argmin(curve.energies)) for curve in curves]
    energies = np.array([curve.energies[i] for curve, i in zip(curves, lowest, strict=True)])
    places = tuple(f"{curve.where}, {curve.places[i]}" for curve, i in zip(curves, lowest, strict=True))
    table = _Lowest(points.source, (), {ENERGY.name: energies}, {ENERGY.name: places})
    refuse_distant_energies(table, energies, ENERGY.name)


def _fit(source: Path | str, curve: _Curve) -> EquationOfState:
    """The fit of one configuration, its minimum inside the volumes and its bulk modulus that of a solid."""
    try:
        fit = fit_birch_murnaghan(curve.volumes, curve.energies)
    except NotFoundError as error:
        found = f"energies at {curve.span} of which {error}"
        hint = "Add volumes around the minimum; are the energies of the right sign?"
        raise InputError(
            source, curve.where, found, "volumes around a minimum of the energy", hint
        ) from error
    if not curve.volumes.min() < fit.volume < curve.volumes.max():
        found = f"the minimum at V0 = {fit.volume:g} Å3, outside the volumes {curve.span}"
        hint = "Add volumes on the other side of the minimum"
        raise InputError(source, curve.where, found, "volumes on both sides of the minimum", hint)
    if fit.bulk_modulus > LARGEST_BULK_MODULUS:
        found = f"a bulk modulus of {fit.bulk_modulus:g} GPa"
        expected = f"at most {LARGEST_BULK_MODULUS:g} GPa"
        hint = BULK_MODULUS.hint(fit.bulk_modulus)
        raise InputError(source, curve.where, found, expected, hint)
    return fit


def _quality(name: str, curve: _Curve, fit: EquationOfState) -> FitQuality:
    """Residuals of the points, in meV per atom."""
    residuals = 1000 * (curve.energies - birch_murnaghan_energy(curve.volumes, *astuple(fit)))
    rms, largest = np.sqrt(np.mean(residuals**2)), np.abs(residuals).max()
    return FitQuality(name, len(residuals), float(rms), float(largest))


def _read_only(values: ArrayLike) -> Array:
    """A copy as float64 that nothing changes any more."""
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
