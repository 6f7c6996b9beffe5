"""Critical points and equilibrium volumes of a material: where F_VV = F_VVV = 0, and where -F_V = P.

A critical point is solved for, not read off a grid: Newton's method on the two conditions in (V, T), with the
exact derivatives of `zenn.materials.helmholtz`, from every candidate that a coarse scan leaves. In one
variable and at free pressure this is the zero-eigenvalue problem of Wang et al., ZENN, Eq. (19).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.materials.constants import ATMOSPHERE, GPA_PER_EV_PER_A3
from zenn.materials.helmholtz import HIGHEST_ORDER, derivatives
from zenn.materials.material import Material
from zenn.materials.scanning import Scan, Window, check_window, scan, scan_volumes, within

Array = NDArray[np.float64]

SCAN_TEMPERATURES = 48
"""Temperatures of the scan for critical points; what lies between two of them is not seen."""

_SAME_POINT = 1e-6  # relative: candidates that end closer than this found the same critical point

_JUMP = 1e-6  # relative to the largest value in the window: what is left at a root, unless it is a jump


@dataclass(frozen=True)
class CriticalPoint:
    """A point with F_VV = F_VVV = 0 and F_VVVV > 0, where two phases become one.

    temperature in K, volume in Å3 per atom, pressure in GPa; F_VVVV in eV / Å^12 per atom. The residuals have
    no unit: V F_VV / B and V^2 F_VVV / B with B the mean bulk modulus of the configurations at 0 K; rounding
    leaves about 1e-11 of the second. `iterations` counts Newton steps.
    """

    temperature: float
    volume: float
    pressure: float
    F_VVVV: float
    residuals: tuple[float, float]
    iterations: int


@dataclass(frozen=True, eq=False)
class EquilibriumVolumes:
    """All volumes where the material is at the given pressure, smallest first; read-only, shape (R,).

    volumes in Å3 per atom; stable: F_VV > 0, stable or metastable; gibbs_energies: F + P V, eV per atom.
    """

    temperature: float
    pressure: float
    volumes: Array
    stable: NDArray[np.bool_]
    gibbs_energies: Array

    def __post_init__(self) -> None:
        for array in (self.volumes, self.stable, self.gibbs_energies):
            array.flags.writeable = False


def critical_point(
    material: Material,
    temperature_window: Window,
    volume_window: Window,
    tolerance: float = 1e-10,
    max_iterations: int = 50,
) -> CriticalPoint:
    """The critical point of highest temperature in the windows (K, Å3 per atom) at a pressure of 0 or more.

    Under tension, at volumes far above the equilibrium, an equation of state has critical points that no
    experiment meets: `critical_points` lists them too.

    Raises
    ------
    InputError : a window is empty or not positive, or `tolerance` or `max_iterations` is not positive.
    NotFoundError : there is none in the windows.
    NotConvergedError : as `critical_points`.
    """
    found, unfinished = _search(material, temperature_window, volume_window, tolerance, max_iterations)
    compressed = [point for point in found if point.pressure >= 0]
    where = _spoken(temperature_window, volume_window)
    if not compressed and unfinished:
        raise NotConvergedError(_unfinished(unfinished, tolerance, max_iterations, where))
    if not compressed:
        tension = "".join(f"; one at {p.temperature:g} K is at {p.pressure:g} GPa" for p in found)
        raise NotFoundError(f"no critical point at a pressure of 0 or more within {where}{tension}")
    return compressed[0]


def critical_points(
    material: Material,
    temperature_window: Window,
    volume_window: Window,
    tolerance: float = 1e-10,
    max_iterations: int = 50,
) -> tuple[CriticalPoint, ...]:
    """All critical points that the scan of the windows leads to, highest temperature first; may be none.

    Raises
    ------
    InputError : a window is empty or not positive, or `tolerance` or `max_iterations` is not positive.
    NotConvergedError : Newton's method stayed within the windows for `max_iterations` steps without bringing
        both residuals below `tolerance`, and no candidate led to a critical point.
    """
    found, unfinished = _search(material, temperature_window, volume_window, tolerance, max_iterations)
    if unfinished and not found:
        where = _spoken(temperature_window, volume_window)
        raise NotConvergedError(_unfinished(unfinished, tolerance, max_iterations, where))
    return found


def critical_points_of(
    found: Scan, tolerance: float = 1e-10, max_iterations: int = 50
) -> tuple[CriticalPoint, ...]:
    """All critical points that a scan leads to, as `critical_points`; its temperatures are the search's."""
    points, unfinished = _from_scan(found, tolerance, max_iterations)
    if unfinished and not points:
        where = _spoken(*_windows(found))
        raise NotConvergedError(_unfinished(unfinished, tolerance, max_iterations, where))
    return points


def _search(
    material: Material,
    temperature_window: Window,
    volume_window: Window,
    tolerance: float,
    max_iterations: int,
) -> tuple[tuple[CriticalPoint, ...], int]:
    """The critical points, hottest first, and how many candidates did not converge."""
    check_window("temperature_window", temperature_window)
    temperatures = np.linspace(*temperature_window, SCAN_TEMPERATURES)
    return _from_scan(scan(material, temperatures, volume_window), tolerance, max_iterations)


def _from_scan(found: Scan, tolerance: float, max_iterations: int) -> tuple[tuple[CriticalPoint, ...], int]:
    """Newton's method from every candidate of a scan."""
    for name, value in (("tolerance", tolerance), ("max_iterations", max_iterations)):
        if not value > 0:
            raise InputError(f"argument {name}", "", value, "a positive number")
    points: list[CriticalPoint] = []
    unfinished = 0
    windows = _windows(found)
    reach = 2 * np.max(np.diff(found.volumes)), 2 * np.max(np.diff(found.temperatures))
    for volume, temperature in _candidates(found):
        if any(
            abs(volume - point.volume) < reach[0] and abs(temperature - point.temperature) < reach[1]
            for point in points
        ):
            continue  # a neighbouring cell led there
        try:
            point = _newton(found.material, volume, temperature, *windows, tolerance, max_iterations)
        except NotConvergedError:
            unfinished += 1
            continue
        if point is not None and not any(_same(point, other) for other in points):
            points.append(point)
    return tuple(sorted(points, key=lambda point: -point.temperature)), unfinished


def _windows(found: Scan) -> tuple[Window, Window]:
    """The temperatures and volumes that a scan covers."""
    T, V = found.temperatures, found.volumes
    return (float(T[0]), float(T[-1])), (float(V[0]), float(V[-1]))


def _unfinished(candidates: int, tolerance: float, max_iterations: int, where: str) -> str:
    """What is said of candidates that did not converge."""
    return (
        f"residuals of a critical point above {tolerance:g} after {max_iterations} Newton steps, from "
        f"{candidates} candidates within {where}"
    )


def equilibrium_volumes(
    material: Material, temperature: float, pressure: float, volume_window: Window
) -> EquilibriumVolumes:
    """All volumes in the window where P(V, T) is `pressure` (GPa), with their stability.

    Between roots of F_VVV the curvature is monotonic, between roots of F_VV the pressure is: found from the
    third derivative down, no pair of roots is missed for lying close together. At T = 0 a jump of the
    pressure from one ground state to another is not counted as a volume at the pressures between.

    Raises
    ------
    InputError : the window is empty or not positive, the temperature negative, or a value not finite.
    """
    check_window("volume_window", volume_window)
    if not np.isfinite(pressure):
        raise InputError("argument pressure", "", pressure, "a finite pressure in GPa")
    target = np.array([0.0, -pressure / GPA_PER_EV_PER_A3, 0.0, 0.0])
    marks = scan_volumes(volume_window)
    roots = np.empty(0)
    for order in (3, 2, 1):
        roots = _roots(_derivative(material, temperature, order, target[order]), marks)
        marks = np.union1d(marks, roots)
    found = derivatives(material, roots, temperature, order=2)
    return EquilibriumVolumes(
        temperature, pressure, roots, found.F_VV > 0, found.F + pressure / GPA_PER_EV_PER_A3 * roots
    )


def stable_volume(material: Material, temperature: float, pressure: float, volume_window: Window) -> float:
    """The stable volume of lowest Gibbs energy in the window, Å3 per atom; `pressure` in GPa.

    Raises
    ------
    InputError : as `equilibrium_volumes`.
    NotFoundError : no stable volume in the window is at this pressure.
    """
    found = equilibrium_volumes(material, temperature, pressure, volume_window)
    if not np.any(found.stable):
        low, high = volume_window
        where = f"{temperature:g} K and {pressure:g} GPa between {low:g} and {high:g} Å3 per atom"
        given = material.configurations.equilibrium_volumes
        raise NotFoundError(
            f"no stable volume at {where}; the configurations have their equilibrium volumes at "
            f"{given.min():g} to {given.max():g} Å3, which have to be per atom"
        )
    return float(found.volumes[np.argmin(np.where(found.stable, found.gibbs_energies, np.inf))])


def reference_volume(
    material: Material, volume_window: Window, temperature: float = 298.0, pressure: float = ATMOSPHERE
) -> float:
    """V_N, the stable volume at ambient conditions (298 K, 101325 Pa unless told otherwise), Å3 per atom.

    Raises as `stable_volume`.
    """
    return stable_volume(material, temperature, pressure, volume_window)


def _candidates(found: Scan) -> list[tuple[float, float]]:
    """Centres (V, T) of the cells over whose corners both F_VV and its slope change sign; hottest first."""
    T, V = found.temperatures, found.volumes
    slope = np.gradient(found.F_VV, V, axis=1)  # between grid points: only where to start
    cells = np.argwhere(_changes_sign(found.F_VV) & _changes_sign(slope))[::-1]
    return [(float(V[j] + V[j + 1]) / 2, float(T[i] + T[i + 1]) / 2) for i, j in cells]


def _changes_sign(values: Array) -> NDArray[np.bool_]:
    """Cells of a grid whose corners do not all have one sign."""
    corners = np.stack([values[:-1, :-1], values[1:, :-1], values[:-1, 1:], values[1:, 1:]])
    return np.asarray((corners.min(axis=0) <= 0) & (corners.max(axis=0) >= 0))


def critical_point_near(
    material: Material,
    volume: float,
    temperature: float,
    temperature_window: Window,
    volume_window: Window,
    tolerance: float = 1e-10,
    max_iterations: int = 50,
) -> CriticalPoint:
    """The critical point that Newton's method leads to from a volume (Å3 per atom) and temperature (K).

    Raises
    ------
    NotFoundError : the steps leave the windows, or end where F_VVVV is not positive.
    NotConvergedError : `max_iterations` steps do not bring both residuals below `tolerance`.
    """
    found = _newton(
        material, volume, temperature, temperature_window, volume_window, tolerance, max_iterations
    )
    if found is None:
        raise NotFoundError(f"no critical point near {temperature:g} K and {volume:g} Å3 per atom")
    return found


def _newton(
    material: Material,
    volume: float,
    temperature: float,
    temperature_window: Window,
    volume_window: Window,
    tolerance: float,
    max_iterations: int,
) -> CriticalPoint | None:
    """Newton's method on (F_VV, F_VVV) in (V, T); None where it leaves the windows or ends with F_VVVV <= 0.

    Raises NotConvergedError after `max_iterations` steps.
    """
    modulus = mean_bulk_modulus(material)
    for iteration in range(max_iterations + 1):
        found = derivatives(material, volume, temperature, order=HIGHEST_ORDER)
        residuals = (float(volume * found.F_VV) / modulus, float(volume**2 * found.F_VVV) / modulus)
        if max(map(abs, residuals)) < tolerance:
            if found.F_VVVV <= 0:
                return None
            pressure = float(-found.F_V * GPA_PER_EV_PER_A3)
            return CriticalPoint(temperature, volume, pressure, float(found.F_VVVV), residuals, iteration)
        jacobian = np.array([[found.F_VVV, found.F_VVT], [found.F_VVVV, found.F_VVVT]])
        try:
            step = np.linalg.solve(jacobian, [-found.F_VV, -found.F_VVV])
        except np.linalg.LinAlgError:
            return None
        volume, temperature = volume + float(step[0]), temperature + float(step[1])
        if not (within(volume, volume_window) and within(temperature, temperature_window)):
            return None
    raise NotConvergedError(f"{max_iterations} Newton steps")


def mean_bulk_modulus(material: Material) -> float:
    """B of the configurations at 0 K in eV / Å3, on average: what residuals are measured by."""
    return float(np.mean(material.configurations.bulk_moduli)) / GPA_PER_EV_PER_A3


def _derivative(
    material: Material, temperature: float, order: int, target: float
) -> Callable[[Array | float], Array]:
    """The derivative of F in V of one order, less a target, as a function of V."""
    return lambda volume: derivatives(material, volume, temperature, order).in_volume[order] - target


def _roots(function: Callable[[Array | float], Array], marks: Array) -> Array:
    """The roots of a function of V, each bracketed by two neighbouring marks or on a mark.

    At T = 0 the pressure jumps where the ground state changes: a change of sign there is not a root.
    """
    values = function(marks)
    brackets = [(marks[i], marks[i + 1]) for i in np.flatnonzero(values[:-1] * values[1:] < 0)]
    inside = np.array(
        [brentq(lambda V: float(function(V)), *ends, xtol=1e-13, rtol=1e-14) for ends in brackets]
    )
    inside = inside[np.abs(function(inside)) < _JUMP * np.max(np.abs(values))]
    return np.sort(np.concatenate([inside, marks[values == 0]]))


def _same(one: CriticalPoint, other: CriticalPoint) -> bool:
    """Two candidates ended at one point."""
    return bool(
        np.allclose(
            (one.volume, one.temperature), (other.volume, other.temperature), rtol=_SAME_POINT, atol=0
        )
    )


def _spoken(temperature_window: Window, volume_window: Window) -> str:
    """The windows in words."""
    (cold, hot), (low, high) = temperature_window, volume_window
    return f"{cold:g}-{hot:g} K and {low:g}-{high:g} Å3 per atom"
