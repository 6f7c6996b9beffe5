"""Thermal electrons of every configuration: F_el,k(V, T) of Eq. (S1) of Wang et al., ZENN.

A configuration has densities of states at several volumes (Mermin's statistics, `zenn.materials.fermi`), or a
table of F_el over volume and temperature. F_el counts from 0 K: the static energy holds the rest, and F_el is
0 at 0 K and never above. Per atom: V in Å3, T in K, energies in eV.

In V, F_el is a polynomial: of degree N - 1 through N volumes, of degree 4 by least squares where there are
more than five, constant where there is one. In T, densities of states are exact at any temperature and a
table is a quintic spline, even in T where the table starts at 0 K, which leaves no entropy there. Entropy and
heat capacity are the derivatives of that F_el, from a table no better than its digits: a rounding of 1e-9 eV
every 10 K leaves about 1e-11 eV / K^2 times T of noise in the heat capacity.

Densities of states take about a millisecond per temperature and volume, tables next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline, make_interp_spline

from zenn.csv_table import Column, Table, finite, read_header, read_table
from zenn.errors import InputError, did_you_mean
from zenn.materials.configurations import NAME, VOLUME, atomic_volume_column
from zenn.materials.constants import BOLTZMANN
from zenn.materials.fermi import DensityOfStates, thermal_electrons

Array = NDArray[np.float64]

HIGHEST_DEGREE = 4
"""Of the polynomial in V."""

OUTSIDE = 0.1
"""Part of the range of the volumes by which V may lie outside of it: a polynomial strays farther out."""

REACH = 10.0
"""k_B T that an end of a grid has to lie away from the Fermi energy, unless the density is zero there: of a
constant density, what is cut off then has less than one in 1000 of the entropy."""

LARGEST_ENERGY = 1e-9
"""eV; F_el is never positive, but may be rounded."""

FEWEST_TEMPERATURES = 6

TEMPERATURE = Column("temperature_K", lambda T: 0 <= T < np.inf, "a temperature, 0 K or more")
HELMHOLTZ = Column(
    "electronic_helmholtz_eV_per_atom",
    lambda F: -np.inf < F <= LARGEST_ENERGY,
    "a finite number, 0 eV or below",
    lambda F: "F_el = E_el - T S_el from 0 K is never positive: is this E_el?" if finite(F) else "",
)
FERMI = Column("fermi_energy_eV", finite, "a finite number")
ENERGY = Column("energy_eV", finite, "a finite number")
DENSITY = Column(
    "density_of_states_per_eV_per_atom", lambda n: 0 <= n < np.inf, "a density of states, finite, 0 or more"
)
TABLE_HEADER = (NAME.name, VOLUME, TEMPERATURE.name, HELMHOLTZ.name)
DENSITIES_HEADER = (NAME.name, VOLUME, FERMI.name, ENERGY.name, DENSITY.name)


@dataclass(frozen=True, eq=False)
class ElectronicDensities:
    """Densities of states of one configuration at N different volumes.

    Parameters
    ----------
    volumes : shape (N,), Å3 per atom; one volume means that F_el does not depend on it.
    densities : N densities of states, states of both spins per eV and atom.

    Raises
    ------
    InputError : a volume is not accepted or stands twice, or the numbers of both differ.
    """

    volumes: Array
    densities: tuple[DensityOfStates, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "volumes", _checked_volumes(self.volumes))
        object.__setattr__(self, "densities", tuple(self.densities))
        if len(self.densities) != len(self.volumes):
            found = f"{len(self.densities)} densities of states"
            raise InputError("argument densities", "", found, f"one for each of {len(self.volumes)} volumes")

    def at(self, temperatures: Array) -> Array:
        """F_el, S_el and C_el at each volume, shape (3, N, U), at temperatures of shape (U,).

        Raises InputError where `REACH` is not kept.
        """
        for volume, density in zip(self.volumes, self.densities, strict=True):
            _check_reach(float(volume), density, float(np.max(temperatures, initial=0)))
        return np.stack([np.stack(thermal_electrons(n, temperatures)[1:]) for n in self.densities], axis=1)


@dataclass(frozen=True, eq=False)
class ElectronicTable:
    """F_el of one configuration on a grid of N volumes and M temperatures; arrays read-only.

    Parameters
    ----------
    volumes : shape (N,), Å3 per atom, all different; one volume means that F_el does not depend on it.
    temperatures : shape (M,), increasing, in K; at least 6.
    energies : shape (N, M), F_el in eV per atom, 0 at 0 K and not above 0 elsewhere (to `LARGEST_ENERGY`).

    Raises
    ------
    InputError : shapes that do not fit, or a value that is not accepted.
    """

    volumes: Array
    temperatures: Array
    energies: Array
    spline: BSpline = field(init=False, repr=False)

    def __post_init__(self) -> None:
        volumes = _checked_volumes(self.volumes)
        T, F = np.array(self.temperatures, dtype=np.float64), np.array(self.energies, dtype=np.float64)
        if T.ndim != 1 or T.size < FEWEST_TEMPERATURES:
            expected = f"{FEWEST_TEMPERATURES} temperatures or more"
            raise InputError("argument temperatures", "", f"{T.size} temperatures", expected)
        _check_values(TEMPERATURE, T, "argument temperatures")
        if not np.all(np.diff(T) > 0):
            raise InputError("argument temperatures", "", T, "increasing temperatures")
        if F.shape != (volumes.size, T.size):
            expected = f"one row per volume, one column per temperature: {(volumes.size, T.size)}"
            raise InputError("argument energies", "", f"shape {F.shape}", expected)
        _check_values(HELMHOLTZ, F, "argument energies")
        if T[0] == 0:
            row = int(np.argmax(np.abs(F[:, 0])))
            if abs(F[row, 0]) > LARGEST_ENERGY:
                place, found = f"{volumes[row]:g} Å3 and 0 K", f"{F[row, 0]:g} eV"
                hint = "F_el counts from 0 K; the energy at 0 K belongs to the static energy"
                raise InputError("argument energies", place, found, "0 eV", hint)
            F[:, 0] = 0
        object.__setattr__(self, "spline", _spline(T, F))
        for name, array in (("volumes", volumes), ("temperatures", T), ("energies", F)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def at(self, temperatures: Array) -> Array:
        """F_el, S_el and C_el at each volume, shape (3, N, U), at temperatures of shape (U,).

        Raises InputError for a temperature that the table does not cover.
        """
        low, high = self.temperatures[0], self.temperatures[-1]
        outside = (temperatures < low) | (temperatures > high)
        if np.any(outside):
            expected = f"a temperature it covers: the electronic table covers {low:g}-{high:g} K"
            raise InputError("argument temperature", "", f"{temperatures[outside][0]:g} K", expected)
        F, F_T, F_TT = (self.spline(temperatures, nu=order) for order in range(3))
        return np.where(temperatures > 0, np.stack([F, -F_T, -temperatures * F_TT]), 0.0)


class ElectronicSeries(NamedTuple):
    """Taylor series in V (see `zenn.taylor`) of the electrons, per atom; configurations last."""

    energy: Array  # F_el, (order + 1, batch..., K), eV / Å^(3 j)
    entropy: Array  # -dF_el/dT, (order, batch..., K), eV / (K Å^(3 j))
    heat_capacity: Array  # T dS_el/dT, (batch..., K), eV / K


@dataclass(frozen=True, eq=False)
class Electrons:
    """The electrons of a material, by the name of the configuration.

    Parameters
    ----------
    terms : what each configuration has, by name; copied.
    source : the file they come from, for messages.
    """

    terms: Mapping[str, ElectronicDensities | ElectronicTable]
    source: Path | str = "argument electrons"

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", dict(self.terms))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the configurations."""
        return tuple(self.terms)

    def require(self, names: Sequence[str]) -> None:
        """Raise InputError where one of the configurations `names` is missing; others may be there."""
        for name in names:
            if name not in self.terms:
                others = [known for known in self.terms if known not in names]
                close = did_you_mean(name, others)
                hint = f"For {name!r}, {close}" if close else ""
                expected = f"electrons for every configuration: {', '.join(map(repr, names))}"
                raise InputError(self.source, "", f"no configuration {name!r}", expected, hint)

    def series(
        self, names: Sequence[str], volume: ArrayLike, temperature: ArrayLike, order: int
    ) -> ElectronicSeries:
        """Taylor series in V of F_el and S_el of the configurations `names`, and the heat capacity.

        `volume` and `temperature` broadcast to the batch shape; `order` 1 or more.

        Raises
        ------
        InputError
            A configuration is missing, a volume lies outside of its volumes by more than `OUTSIDE` of their
            range, a table does not cover a temperature, or `REACH` is not kept.
        """
        self.require(names)
        V, T = np.asarray(volume, dtype=np.float64), np.asarray(temperature, dtype=np.float64)
        shape = np.broadcast_shapes(V.shape, T.shape)
        unique, where = np.unique(T, return_inverse=True)
        where = np.broadcast_to(where.reshape(T.shape), shape)
        found = []
        for name, polynomials in zip(names, _polynomials(self, tuple(names), unique.tobytes()), strict=True):
            self._check_range(name, V)
            centre, width = _scale(self.terms[name].volumes)
            s = np.broadcast_to((V - centre) / width, shape)
            energy, entropy, heat_capacity = polynomials[..., where]
            found.append(
                (
                    _series(energy, s, width, order + 1),
                    _series(entropy, s, width, order),
                    _series(heat_capacity, s, width, 1)[0],
                )
            )
        energies, entropies, heat_capacities = zip(*found, strict=True)
        return ElectronicSeries(
            np.stack(energies, axis=-1), np.stack(entropies, axis=-1), np.stack(heat_capacities, axis=-1)
        )

    def _check_range(self, name: str, V: Array) -> None:
        """Every volume within the range of the configuration's, or `OUTSIDE` of the range from it."""
        volumes = self.terms[name].volumes
        low, high = float(volumes.min()), float(volumes.max())
        if low == high:
            return
        margin = OUTSIDE * (high - low) * (1 + 1e-9)  # an end that is the limit but for rounding
        outside = (low - margin > V) | (high + margin < V)
        if np.any(outside):
            expected = f"a volume of {low - margin:g} to {high + margin:g} Å3"
            hint = (
                f"Its electrons are given at {low:g} to {high:g} Å3; {OUTSIDE:.0%} of that range may be added"
            )
            found = f"a volume of {V[outside].flat[0]:g} Å3"
            raise InputError(self.source, f"configuration {name!r}", found, expected, hint)


@lru_cache(maxsize=8)
def _polynomials(electrons: Electrons, names: tuple[str, ...], temperatures: bytes) -> tuple[Array, ...]:
    """Coefficients in V of F_el, S_el and C_el of every configuration, each of shape (3, degree + 1, U).

    Kept from call to call: a search for volumes asks again and again for the same temperatures.
    """
    T = np.frombuffer(temperatures)
    found = []
    for name in names:
        term = electrons.terms[name]
        centre, width = _scale(term.volumes)
        degree = min(len(term.volumes) - 1, HIGHEST_DEGREE)
        powers = ((term.volumes - centre) / width)[:, None] ** np.arange(degree + 1)
        with _place(electrons.source, f"configuration {name!r}"):
            found.append(np.linalg.pinv(powers) @ term.at(T))
    return tuple(found)


def _scale(volumes: Array) -> tuple[float, float]:
    """Centre and half range of the volumes, which turn V into a variable between -1 and 1."""
    low, high = float(volumes.min()), float(volumes.max())
    return (low + high) / 2, (high - low) / 2 or 1.0


def _series(coefficients: Array, s: Array, width: float, count: int) -> Array:
    """The first `count` Taylor coefficients in V of a polynomial in s = (V - centre) / width."""
    series = np.zeros((count, *s.shape))
    for j in range(min(count, len(coefficients))):
        for i in range(len(coefficients) - 1, j - 1, -1):
            series[j] = series[j] * s + math.comb(i, j) * coefficients[i]
        series[j] /= width**j
    return series


def _spline(T: Array, F: Array) -> BSpline:
    """The quintic spline in T; where it starts at 0 K it goes through the mirror image too and is even."""
    if T[0] == 0:
        T, F = np.concatenate([-T[:0:-1], T]), np.concatenate([F[:, :0:-1], F], axis=1)
    return make_interp_spline(T, F, k=5, axis=-1)


def read_electrons(path: Path | str, configurations: Sequence[str] | None = None) -> Electrons:
    """Read electrons from a CSV file (see `zenn.csv_table`); its header says which kind it is.

    A table has `configuration`, `volume_A3_per_atom`, `temperature_K` and
    `electronic_helmholtz_eV_per_atom`, one row for each of a configuration's volumes and temperatures.
    Densities of states have `configuration`, `volume_A3_per_atom`, `fermi_energy_eV`, `energy_eV` and
    `density_of_states_per_eV_per_atom` (both spins), energies increasing within a configuration and volume.

    Parameters
    ----------
    path : the file.
    configurations : the names that the file has to hold, all of them and no other; None takes it as it is.

    Raises
    ------
    InputError
        The file cannot be read or any of it cannot be used; names the file, the line and column or the
        configuration, what was found and what was expected.
    """
    header = read_header(path)
    columns: tuple[Column, ...]
    one: Callable[[Table, str, NDArray[np.intp]], ElectronicDensities | ElectronicTable]
    if {FERMI.name, ENERGY.name, DENSITY.name} & set(header):
        columns, one = (FERMI, ENERGY, DENSITY), _densities_of
    elif {TEMPERATURE.name, HELMHOLTZ.name} & set(header):
        columns, one = (TEMPERATURE, HELMHOLTZ), _table_of
    else:
        expected = f"the columns {', '.join(TABLE_HEADER)}, or {', '.join(DENSITIES_HEADER)}"
        raise InputError(path, "", f"the columns {', '.join(header)}", expected)
    table = read_table(path, (NAME, atomic_volume_column(VOLUME), *columns))
    names = np.array(table.names[NAME.name])
    terms: dict[str, ElectronicDensities | ElectronicTable] = {}
    for name in dict.fromkeys(table.names[NAME.name]):
        rows = np.flatnonzero(names == name)
        if configurations is not None and name not in configurations:
            expected = f"one of the configurations {', '.join(map(repr, configurations))}"
            close = did_you_mean(name, configurations)
            hint = f"For {name!r}, {close}" if close else ""
            raise InputError(path, table.place(int(rows[0]), NAME.name), repr(name), expected, hint)
        terms[name] = one(table, name, rows)
    electrons = Electrons(terms, path)
    electrons.require(configurations or ())
    return electrons


def _table_of(table: Table, name: str, rows: NDArray[np.intp]) -> ElectronicTable:
    """The rows of one configuration as a grid that is full."""
    volumes, i = np.unique(table.numbers[VOLUME][rows], return_inverse=True)
    temperatures, j = np.unique(table.numbers[TEMPERATURE.name][rows], return_inverse=True)
    position = i * temperatures.size + j
    grid, first = np.unique(position, return_index=True)
    where = f"configuration {name!r}"
    if first.size < rows.size:
        row = int(np.setdiff1d(np.arange(rows.size), first)[0])
        found = f"{volumes[i[row]]:g} Å3 and {temperatures[j[row]]:g} K once more"
        expected = "every volume and temperature of a configuration once"
        raise InputError(table.path, f"line {table.lines[rows[row]]}, {where}", found, expected)
    missing = np.setdiff1d(np.arange(volumes.size * temperatures.size), grid)
    if missing.size:
        at, to = divmod(int(missing[0]), temperatures.size)
        others = f", nor for {missing.size - 1} others" if missing.size > 1 else ""
        found = f"no row for {volumes[at]:g} Å3 and {temperatures[to]:g} K{others}"
        expected = (
            f"a row for each of its {volumes.size} volumes at each of its {temperatures.size} temperatures"
        )
        raise InputError(table.path, where, found, expected)
    energies = np.empty(position.size)
    energies[position] = table.numbers[HELMHOLTZ.name][rows]
    with _place(table.path, where):
        return ElectronicTable(volumes, temperatures, energies.reshape(volumes.size, temperatures.size))


def _densities_of(table: Table, name: str, rows: NDArray[np.intp]) -> ElectronicDensities:
    """The rows of one configuration as a density of states at each of its volumes."""
    volumes = np.unique(table.numbers[VOLUME][rows])
    densities = []
    for volume in volumes:
        group = rows[table.numbers[VOLUME][rows] == volume]
        energies, fermi = table.numbers[ENERGY.name][group], table.numbers[FERMI.name][group]
        where = f"configuration {name!r} at {volume:g} Å3"
        for k in range(1, group.size):
            if energies[k] <= energies[k - 1]:
                found, expected = f"{energies[k]:g} after {energies[k - 1]:g}", "increasing energies"
                place = f"{table.place(int(group[k]), ENERGY.name)}, {where}"
                raise InputError(table.path, place, found, expected)
            if fermi[k] != fermi[0]:
                found, expected = f"{fermi[k]:g} after {fermi[0]:g}", "one Fermi energy at each volume"
                place = f"{table.place(int(group[k]), FERMI.name)}, {where}"
                raise InputError(table.path, place, found, expected)
        with _place(table.path, f"line {table.lines[group[0]]}, {where}"):
            density = DensityOfStates(energies, table.numbers[DENSITY.name][group], float(fermi[0]))
        densities.append(density)
    return ElectronicDensities(volumes, tuple(densities))


@contextmanager
def _place(source: Path | str, where: str) -> Iterator[None]:
    """Say of an InputError which part of the input it is about."""
    try:
        yield
    except InputError as error:
        place = f"{where}, {error.where}" if error.where else where
        raise InputError(source, place, error.found, error.expected, error.hint) from error


def _checked_volumes(volumes: ArrayLike) -> Array:
    """The volumes as a read-only array, all different."""
    V = np.array(volumes, dtype=np.float64)
    if V.ndim != 1 or not 0 < V.size == np.unique(V).size:
        raise InputError("argument volumes", "", V, "one or more volumes, all different")
    _check_values(atomic_volume_column(VOLUME), V, "argument volumes")
    V.flags.writeable = False
    return V


def _check_values(column: Column, values: Array, source: str) -> None:
    """Every value is one that the column accepts."""
    for value in values.flat:
        column.check(float(value), source, "")


def _check_reach(volume: float, density: DensityOfStates, temperature: float) -> None:
    """A grid that ends amid states ends far from the Fermi energy."""
    for end, side in ((0, "below"), (-1, "above")):
        energy, n = float(density.energies[end]), float(density.densities[end])
        reach = abs(energy - density.ground_potential)
        hottest = reach / (REACH * BOLTZMANN)
        if n > 0 and temperature > hottest:
            ends = f"{n:g} states per eV where the grid ends, {reach:g} eV {side} the Fermi energy"
            found = f"{temperature:g} K, and {ends}"
            hint = (
                f"Continue the density of states to {REACH:g} k_B T {side} the Fermi energy, or until it is 0"
            )
            raise InputError("argument temperature", f"{volume:g} Å3", found, f"{hottest:g} K or less", hint)
