"""What the rounding of a printed table leaves open, by Monte Carlo over the digits that were not printed.

Each sample is a whole phase diagram: critical point, binodal, spinodal and the turning points of the isobars,
by Newton's method from the unperturbed one, and where that does not hold up, searched for anew. What a sample
does not have, because a turning point became a first-order transition, say, is NaN, and intervals say how
many samples they stand on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.materials.boundaries import PhaseBoundary, solve_binodal, solve_spinodal
from zenn.materials.configurations import Configurations
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import CriticalPoint, critical_point_near
from zenn.materials.diagram import PhaseDiagram, phase_diagram
from zenn.materials.helmholtz import derivatives
from zenn.materials.isobars import NegativeThermalExpansion, turning_points
from zenn.materials.material import Material

Array = NDArray[np.float64]

_RATIO = 1.5  # a sample's critical temperature is followed within this factor of the unperturbed one
_CLOSE = 1e-3  # of T*: so close to it a line may be too narrow to be followed
_GRID = 61  # volumes on which a lower Gibbs energy is looked for
_NUDGE = 1e-3  # relative in T
_ROUNDING = 1e-11  # eV


@dataclass(frozen=True, eq=False)
class Samples:
    """N phase diagrams of perturbed tables; arrays read-only, NaN where a sample was not reached.

    critical_points : T* in K, P* in GPa, V* in Å3 per atom, shape (N, 3).
    temperatures : K, shape (M,): those of the binodal and the spinodals.
    transition_pressures : of the binodal, GPa, shape (N, M); NaN at and above T*.
    binodal_volumes, spinodal_volumes : Å3 per atom, shape (N, M, 2).
    turning_temperatures : of the isobars' turning points, K, shape (N, L), in the order of the diagram.
    """

    critical_points: Array
    temperatures: Array
    transition_pressures: Array
    binodal_volumes: Array
    spinodal_volumes: Array
    turning_temperatures: Array

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.flags.writeable = False


@dataclass(frozen=True)
class Interval:
    """The central 95 % of samples with their median and standard deviation, and how many were solved."""

    low: float
    median: float
    high: float
    standard_deviation: float
    solved: int


def interval(values: Array, level: float = 0.95) -> Interval:
    """Quantiles of the samples that are numbers, shape (N,).

    Raises
    ------
    NotFoundError : fewer than two samples are numbers.
    """
    solved = values[np.isfinite(values)]
    if len(solved) < 2:
        raise NotFoundError(f"{len(solved)} of {len(values)} samples were solved, two are needed")
    low, median, high = np.quantile(solved, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Interval(float(low), float(median), float(high), float(np.std(solved, ddof=1)), len(solved))


def perturbed(
    configurations: Configurations, decimals: Sequence[int], random: np.random.Generator
) -> Configurations:
    """The table with the digits beyond the printed ones drawn evenly: half a unit of the last to either side.

    `decimals` are those of V0, E0, B0 and B'. The lowest energy is the table's zero and stays what it is.
    """
    fields = (
        "equilibrium_volumes",
        "equilibrium_energies",
        "bulk_moduli",
        "bulk_modulus_derivatives",
    )
    drawn = {}
    for field, digits in zip(fields, decimals, strict=True):
        values = getattr(configurations, field)
        half = 0.5 * 10.0**-digits
        drawn[field] = values + random.uniform(-half, half, len(values))
    lowest = int(np.argmin(configurations.equilibrium_energies))
    drawn["equilibrium_energies"][lowest] = configurations.equilibrium_energies[lowest]
    return replace(configurations, **drawn)


def monte_carlo(
    material: Material,
    diagram: PhaseDiagram,
    decimals: Sequence[int],
    samples: int,
    seed: int,
    progress: Callable[[int], None] = lambda done: None,
) -> Samples:
    """Solve the diagram of `material` again for tables that round to the printed one.

    Sample i depends on `seed` and i alone. `decimals` as for `perturbed`; `progress` is told the number of
    samples done.

    Raises
    ------
    InputError : `samples` is below 2.
    NotFoundError : the diagram has no critical point at a pressure of 0 or more, or no stable binodal that
        ends in it.
    """
    if samples < 2:
        raise InputError("argument samples", "", samples, "2 or more")
    base = _base(diagram)
    rows = []
    for i in range(samples):
        random = np.random.default_rng([seed, i])
        table = perturbed(material.configurations, decimals, random)
        rows.append(_sample(replace(material, configurations=table), base))
        progress(i + 1)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Samples(columns[0], base.temperatures.copy(), *columns[1:])


class _Base(NamedTuple):
    """Where every sample starts: the unperturbed diagram."""

    diagram: PhaseDiagram
    point: CriticalPoint
    temperatures: Array
    binodal: PhaseBoundary
    spinodal: PhaseBoundary
    turns: tuple[Turn, ...]


class Turn(NamedTuple):
    """A turning point of an isobar: GPa, K, Å3 per atom; an end, 0 or 1, of a window of its isobar."""

    pressure: float
    temperature: float
    volume: float
    window: int
    end: int


def turning_points_of(diagram: PhaseDiagram) -> tuple[Turn, ...]:
    """The turning points that bound the diagram's windows of negative thermal expansion."""
    found = []
    for path in diagram.isobars:
        for number, window in enumerate(_windows_at(diagram, path.pressure)):
            ends = ((window.low, window.low_end), (window.high, window.high_end))
            for end, (temperature, kind) in enumerate(ends):
                if kind == "turning point":
                    volume = float(np.interp(temperature, path.temperatures, path.volumes))
                    found.append(Turn(path.pressure, temperature, volume, number, end))
    return tuple(found)


def _windows_at(diagram: PhaseDiagram, pressure: float) -> list[NegativeThermalExpansion]:
    return [window for window in diagram.negative_thermal_expansion if window.pressure == pressure]


def _base(diagram: PhaseDiagram) -> _Base:
    point = diagram.critical_point()
    binodal = diagram.binodal_of(point)
    spinodal = next(line for line in diagram.spinodals if point in line.critical_points)
    below = binodal.temperatures[binodal.temperatures < point.temperature]
    return _Base(diagram, point, below, binodal, spinodal, turning_points_of(diagram))


class _Sample(NamedTuple):
    """One row of `Samples`."""

    critical_point: Array
    transition_pressures: Array
    binodal_volumes: Array
    spinodal_volumes: Array
    turning_temperatures: Array


def _sample(material: Material, base: _Base) -> _Sample:
    """One sample: from the unperturbed diagram if that holds up, else searched for."""
    near = _followed(material, base)
    return near if near is not None else _searched(material, base)


def _followed(material: Material, base: _Base) -> _Sample | None:
    """Newton's method from the unperturbed diagram; None where anything of it is not what it was there."""
    T, known = base.temperatures, base.point.temperature
    span = (known / _RATIO, known * _RATIO)
    try:
        found = critical_point_near(material, base.point.volume, known, span, base.diagram.volume_window)
    except (NotFoundError, NotConvergedError):
        return None
    lines = []
    for line, solve in ((base.binodal, solve_binodal), (base.spinodal, solve_spinodal)):
        cold = (found.temperature > T) & (line.temperatures[0] <= T)  # a spinodal closes towards 0 K
        volumes, good = solve(material, T[cold], _shifted(line, base.point, found, T[cold]))
        if not np.all(good | (T[cold] > found.temperature * (1 - _CLOSE))):
            return None
        values = np.full((len(T), 2), np.nan)
        values[cold] = np.where(good[:, None], volumes, np.nan)
        lines.append(values)
    binodal, spinodal = lines
    pressures = _pressures(material, T, binodal)
    solved = np.isfinite(pressures)
    if not _stable(material, base, T[solved], binodal[solved, 0], pressures[solved]):
        return None
    turns = _followed_turns(material, base)
    if turns is None:
        return None
    point = np.array([found.temperature, found.pressure, found.volume])
    return _Sample(point, pressures, binodal, spinodal, turns)


def _followed_turns(material: Material, base: _Base) -> Array | None:
    """Temperatures of the turning points, if all are stable, different, and on their sides of a window."""
    if not base.turns:
        return np.empty(0)
    P, temperatures, volumes, _, end = np.array(base.turns).T
    T, V, good = turning_points(material, P, temperatures, volumes)
    nudged = derivatives(material, V, T * (1 + np.array([[-_NUDGE], [_NUDGE]])), order=2).F_VT
    rising = (
        nudged[1] > nudged[0]
    )  # the expansion is -F_VT / (V F_VV): it falls into a window, rises out of it
    distinct = len(np.unique(np.round(np.stack([P, T]), 6), axis=1)[0]) == len(T)
    if not (np.all(good) and np.all(rising == (end == 0)) and distinct):
        return None
    return T if _stable(material, base, T, V, P) else None


def _stable(material: Material, base: _Base, T: Array, V: Array, pressures: Array) -> bool:
    """Whether no volume of a coarse grid has a lower Gibbs energy at the same temperature and pressure."""
    P = pressures / GPA_PER_EV_PER_A3
    grid = np.linspace(*base.diagram.volume_window, _GRID)
    gibbs = derivatives(material, V, T, order=0).F + P * V
    others = derivatives(material, grid, T[:, None], order=0).F + P[:, None] * grid
    return bool(np.all(others.min(axis=1, initial=np.inf) > gibbs - _ROUNDING))


def _searched(material: Material, base: _Base) -> _Sample:
    """The sample's own phase diagram, without a hint from the unperturbed one."""
    T = base.temperatures
    missing = _Sample(
        np.full(3, np.nan),
        np.full(len(T), np.nan),
        np.full((len(T), 2), np.nan),
        np.full((len(T), 2), np.nan),
        np.full(len(base.turns), np.nan),
    )
    temperatures = np.union1d(base.diagram.temperatures, T)
    pressures = [path.pressure for path in base.diagram.isobars]
    try:
        found = phase_diagram(material, temperatures, base.diagram.volume_window, pressures)
        point = found.critical_point()
    except (NotFoundError, NotConvergedError):
        return missing
    sample = missing._replace(critical_point=np.array([point.temperature, point.pressure, point.volume]))
    for name, lines in (("binodal_volumes", found.binodals), ("spinodal_volumes", found.spinodals)):
        for line in lines:
            if point in line.critical_points:
                values = np.full((len(T), 2), np.nan)
                here = np.isin(T, line.temperatures) & (point.temperature > T)
                values[here] = line.volumes[np.isin(line.temperatures, T[here])]
                sample = sample._replace(**{name: values})
    turns = np.full(len(base.turns), np.nan)
    for i, turn in enumerate(base.turns):
        windows = _windows_at(found, turn.pressure)
        if len(windows) == len(_windows_at(base.diagram, turn.pressure)):
            window = windows[turn.window]
            kind = (window.low_end, window.high_end)[turn.end]
            if kind == "turning point":
                turns[i] = (window.low, window.high)[turn.end]
    return sample._replace(
        transition_pressures=_pressures(material, T, sample.binodal_volumes), turning_temperatures=turns
    )


def _pressures(material: Material, T: Array, volumes: Array) -> Array:
    """Pressures at the smaller volumes, GPa; NaN where there is none."""
    solved = np.isfinite(volumes[:, 0])
    pressures = np.full(len(T), np.nan)
    slope = derivatives(material, volumes[solved, 0], T[solved], order=1).F_V
    pressures[solved] = -GPA_PER_EV_PER_A3 * slope
    return pressures


def _shifted(line: PhaseBoundary, old: CriticalPoint, new: CriticalPoint, T: Array) -> Array:
    """Volumes of a line for another critical point: the same share of T*, moved by the change of V*.

    Interpolated in sqrt(1 - T / T*), in which the line is straight close to its end.
    """
    known = np.sqrt(np.maximum(1 - line.temperatures / old.temperature, 0))[::-1]
    wanted = np.sqrt(1 - T / new.temperature)
    volumes = [np.interp(wanted, known, line.volumes[::-1, side]) for side in (0, 1)]
    return np.stack(volumes, axis=1) + new.volume - old.volume
