"""What the rounding of a printed table leaves open, by Monte Carlo over the digits that were not printed.

Each sample is a whole phase diagram, solved by Newton's method from the unperturbed one: critical point,
binodal, spinodal and the turning points of the isobars. A sample that Newton's method does not reach is
counted, not replaced.
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
from zenn.materials.diagram import PhaseDiagram
from zenn.materials.helmholtz import derivatives
from zenn.materials.isobars import turning_points
from zenn.materials.material import Material
from zenn.materials.scanning import Window

Array = NDArray[np.float64]

_RATIO = 1.5  # a sample's critical temperature stays within this factor of the unperturbed one


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
    volume_window: Window,
    progress: Callable[[int], None] = lambda done: None,
) -> Samples:
    """Solve the diagram of `material` again for tables that round to the printed one.

    Sample i depends on `seed` and i alone. `decimals` as for `perturbed`; `volume_window` in Å3 per atom
    bounds the search for the critical point; `progress` is told the number of samples done.

    Raises
    ------
    InputError : `samples` is below 2.
    NotFoundError : the diagram has no critical point at a pressure of 0 or more, or no stable binodal ends in
    it.
    """
    if samples < 2:
        raise InputError("argument samples", "", samples, "2 or more")
    base = _base(diagram)
    rows = []
    for i in range(samples):
        random = np.random.default_rng([seed, i])
        table = perturbed(material.configurations, decimals, random)
        rows.append(_sample(replace(material, configurations=table), base, volume_window))
        progress(i + 1)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Samples(columns[0], base.temperatures.copy(), *columns[1:])


class _Base(NamedTuple):
    """Where every sample starts: the unperturbed diagram."""

    point: CriticalPoint
    temperatures: Array
    binodal: PhaseBoundary
    spinodal: PhaseBoundary
    turns: Array  # pressure, temperature, volume of every turning point, (L, 3)


def _base(diagram: PhaseDiagram) -> _Base:
    point = diagram.critical_point()
    binodal = diagram.binodal_of(point)
    spinodal = next(line for line in diagram.spinodals if point in line.critical_points)
    return _Base(
        point,
        binodal.temperatures[binodal.temperatures < point.temperature],
        binodal,
        spinodal,
        turning_points_of(diagram),
    )


def turning_points_of(diagram: PhaseDiagram) -> Array:
    """Pressure (GPa), temperature (K) and volume (Å3 per atom) of the turning points, shape (L, 3)."""
    found = []
    for path in diagram.isobars:
        for window in diagram.negative_thermal_expansion:
            if window.pressure != path.pressure:
                continue
            for temperature, end in ((window.low, window.low_end), (window.high, window.high_end)):
                if end == "turning point":
                    volume = np.interp(temperature, path.temperatures, path.volumes)
                    found.append((path.pressure, temperature, float(volume)))
    return np.array(found).reshape(-1, 3)


def _sample(material: Material, base: _Base, volume_window: Window) -> tuple[Array, ...]:
    """One sample: critical point, transition pressures, binodal, spinodal and turning temperatures."""
    T = base.temperatures
    point = np.full(3, np.nan)
    pressures = np.full(len(T), np.nan)
    binodal, spinodal = np.full((2, len(T), 2), np.nan)
    try:
        found = critical_point_near(
            material,
            base.point.volume,
            base.point.temperature,
            (base.point.temperature / _RATIO, base.point.temperature * _RATIO),
            volume_window,
        )
    except (NotFoundError, NotConvergedError):
        return point, pressures, binodal, spinodal, np.full(len(base.turns), np.nan)
    point[:] = found.temperature, found.pressure, found.volume
    for values, line, solve in (
        (binodal, base.binodal, solve_binodal),
        (spinodal, base.spinodal, solve_spinodal),
    ):
        cold = (found.temperature > T) & (line.temperatures[0] <= T)  # a spinodal closes towards 0 K
        volumes, good = solve(material, T[cold], _shifted(line, base.point, found, T[cold]))
        values[cold] = np.where(good[:, None], volumes, np.nan)
    solved = np.isfinite(binodal[:, 0])
    slope = derivatives(material, binodal[solved, 0], T[solved], order=1).F_V
    pressures[solved] = -GPA_PER_EV_PER_A3 * slope
    return point, pressures, binodal, spinodal, _turns(material, base)


def _turns(material: Material, base: _Base) -> Array:
    pressures, temperatures, volumes = base.turns.T
    found, _, good = turning_points(material, pressures, temperatures, volumes)
    return np.where(good, found, np.nan)


def _shifted(line: PhaseBoundary, old: CriticalPoint, new: CriticalPoint, T: Array) -> Array:
    """Volumes of a line for another critical point: the same share of T*, moved by the change of V*.

    Interpolated in sqrt(1 - T / T*), in which the line is straight close to its end.
    """
    known = np.sqrt(np.maximum(1 - line.temperatures / old.temperature, 0))[::-1]
    wanted = np.sqrt(1 - T / new.temperature)
    volumes = [np.interp(wanted, known, line.volumes[::-1, side]) for side in (0, 1)]
    return np.stack(volumes, axis=1) + new.volume - old.volume
