"""The whole phase diagram of a material: critical points, spinodals, binodals and the crossover above them.

Solved, not read off a grid: temperatures are chosen by the caller, everything else is a root of exact
derivatives, to the residuals that the results carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from zenn.errors import InputError, NotFoundError, did_you_mean
from zenn.materials.boundaries import PhaseBoundary, binodals, refined_temperatures, spinodals
from zenn.materials.critical import CriticalPoint, critical_points, critical_points_of
from zenn.materials.helmholtz import probabilities
from zenn.materials.isobars import Isobar, NegativeThermalExpansion, isobars, negative_thermal_expansion
from zenn.materials.material import Material
from zenn.materials.scanning import Scan, Window, extended, scan, stable
from zenn.materials.thermodynamics import pressure as pressure_of

Array = NDArray[np.float64]

_FINE = 40  # steps of temperature in which critical points can be sought too
_COLDEST_SEARCH = 1e-3  # of the highest temperature: at 0 K itself F has kinks, no critical points


@dataclass(frozen=True, eq=False)
class Crossover:
    """Where the probability of one configuration passes a level: no phase boundary, a line of reference.

    In work on zentropy the line at one half is called a second-order transition; F has no singularity there.

    configuration : its name. level : of the probability. temperatures : K, shape (N,).
    volumes : Å3 per atom, shape (N,). pressures : GPa, shape (N,).
    """

    configuration: str
    level: float
    temperatures: Array
    volumes: Array
    pressures: Array

    def __post_init__(self) -> None:
        for name in ("temperatures", "volumes", "pressures"):
            getattr(self, name).flags.writeable = False


@dataclass(frozen=True, eq=False)
class PhaseDiagram:
    """All lines of a phase diagram within a window of volumes and a range of temperatures.

    temperatures, volume_window : as asked for, K and Å3 per atom.
    critical_points, spinodals, binodals : hottest first; empty where there are none. A binodal is the
        first-order line, in P-T by its pressures, in V-T by its volumes.
    isobars : one per pressure asked for. negative_thermal_expansion : the windows of each of them.
    crossover : of the ground state's probability, or None where it does not pass one half.
    """

    temperatures: Array
    volume_window: Window
    critical_points: tuple[CriticalPoint, ...]
    spinodals: tuple[PhaseBoundary, ...]
    binodals: tuple[PhaseBoundary, ...]
    isobars: tuple[Isobar, ...]
    negative_thermal_expansion: tuple[NegativeThermalExpansion, ...]
    crossover: Crossover | None

    def __post_init__(self) -> None:
        self.temperatures.flags.writeable = False

    def critical_point(self) -> CriticalPoint:
        """The hottest critical point at a pressure of 0 or more.

        Raises
        ------
        NotFoundError : there is none.
        """
        for point in self.critical_points:
            if point.pressure >= 0:
                return point
        raise NotFoundError(
            f"no critical point at a pressure of 0 or more among the {len(self.critical_points)} found"
        )

    def binodal_of(self, point: CriticalPoint) -> PhaseBoundary:
        """The binodal that ends in a critical point.

        Raises
        ------
        NotFoundError : none does: its phases are metastable there.
        """
        for line in self.binodals:
            if point in line.critical_points:
                return line
        raise NotFoundError(f"no stable binodal ends in the critical point at {point.temperature:g} K")


def phase_diagram(
    material: Material,
    temperatures: ArrayLike,
    volume_window: Window,
    pressures: Sequence[float] = (),
    tolerance: float = 1e-10,
    max_iterations: int = 50,
) -> PhaseDiagram:
    """Solve everything at `temperatures` (K, increasing) and, for isobars, `pressures` (GPa).

    Close to critical points temperatures are added. `volume_window` in Å3 per atom.

    Raises
    ------
    InputError : a window is empty or not positive, temperatures that do not increase or are fewer than two.
    NotConvergedError : as `critical_points`.
    NotFoundError : the material has no stable volume in the window at one of the pressures.
    """
    T = np.asarray(temperatures, dtype=np.float64)
    if T.ndim != 1 or len(T) < 2 or not np.all(np.diff(T) > 0):
        raise InputError("argument temperatures", "", T, "two or more increasing temperatures in K")
    found = scan(material, T, volume_window)
    if np.max(np.diff(T)) <= (T[-1] - T[0]) / _FINE:
        points = critical_points_of(found, tolerance, max_iterations)
    else:
        span = (max(float(T[0]), _COLDEST_SEARCH * float(T[-1])), float(T[-1]))
        points = critical_points(material, span, volume_window, tolerance, max_iterations)
    found = extended(found, refined_temperatures(T, points))
    paths = isobars(found, pressures)
    try:
        line = crossover(found)
    except NotFoundError:
        line = None
    return PhaseDiagram(
        temperatures=T.copy(),
        volume_window=volume_window,
        critical_points=points,
        spinodals=spinodals(found, points),
        binodals=binodals(found, points),
        isobars=paths,
        negative_thermal_expansion=negative_thermal_expansion(material, *paths),
        crossover=line,
    )


def crossover(found: Scan, configuration: str | None = None, level: float = 0.5) -> Crossover:
    """The volumes at which a configuration's probability passes `level`, at the temperatures of the scan.

    The configuration is the ground state, the one of lowest energy, unless another is named. Where the volume
    is not that of a stable phase, because the binodal lies around it, the point is left out; of several
    volumes the smallest counts.

    Raises
    ------
    InputError : there is no such configuration, or the level is not between 0 and 1.
    NotFoundError : the probability passes the level in no stable phase within the scan.
    """
    material = found.material
    names = material.configurations.names
    if configuration is None:
        configuration = names[int(np.argmin(material.configurations.equilibrium_energies))]
    if configuration not in names:
        hint = did_you_mean(configuration, names)
        raise InputError("argument configuration", "", configuration, f"one of {', '.join(names)}", hint)
    if not 0 < level < 1:
        raise InputError("argument level", "", level, "a probability between 0 and 1")
    k = names.index(configuration)
    T, V = found.temperatures, found.volumes
    offset = found.probabilities[..., k] - level
    rows, columns = np.nonzero(offset[:, :-1] * offset[:, 1:] < 0)
    rows, first = np.unique(rows, return_index=True)
    columns = columns[first]
    if len(rows):
        volumes = find_root(
            lambda volume, temperature: probabilities(material, volume, temperature)[..., k] - level,
            (V[columns], V[columns + 1]),
            args=(T[rows],),
        ).x
        kept = stable(found, rows, volumes)
        rows, volumes = rows[kept], volumes[kept]
    if not len(rows):
        where = f"{T[0]:g}-{T[-1]:g} K and {V[0]:g}-{V[-1]:g} Å3 per atom"
        raise NotFoundError(
            f"the probability of configuration {configuration!r} passes {level:g} in no stable phase, {where}"
        )
    T = T[rows]
    return Crossover(configuration, level, T, volumes, pressure_of(material, volumes, T))
