"""Volume against temperature at constant pressure: first-order jumps and negative thermal expansion.

An isobar follows the volume of lowest Gibbs energy. Its turning points, where dV/dT = -F_VT / F_VV changes
sign, are solved with exact derivatives and bound the windows of negative thermal expansion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.materials.boundaries import PhaseBoundary
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import mean_bulk_modulus
from zenn.materials.helmholtz import derivatives
from zenn.materials.material import Material
from zenn.materials.scanning import Scan
from zenn.materials.thermodynamics import thermal_expansion

Array = NDArray[np.float64]

RESIDUAL = 1e-11
"""Largest residual of a solved point: pressures over B, T F_VT over B, Gibbs energies over B V, where B is
the
mean bulk modulus of the configurations at 0 K."""

_STEPS = 50
_NUDGE = (
    1e-3  # relative in T: the slope of F_VT that Newton's method is given is a difference, its root is not
)

End = Literal["turning point", "transition", "end of the isobar"]


@dataclass(frozen=True)
class Transition:
    """A first-order transition at one pressure: temperature in K, pressure in GPa, volumes in Å3 per atom.

    volume_below is that of the phase stable on the colder side, volume_above on the hotter one.
    latent_heat in eV per atom: T (S_above - S_below).
    """

    temperature: float
    pressure: float
    volume_below: float
    volume_above: float
    latent_heat: float


@dataclass(frozen=True, eq=False)
class Isobar:
    """The stable volume at one pressure; arrays read-only, shape (N,).

    temperatures : K, increasing; a transition's temperature stands twice, with the volume on either side.
    volumes : Å3 per atom. thermal_expansion : volumetric, 1 / K. transitions : coldest first.
    """

    pressure: float
    temperatures: Array
    volumes: Array
    thermal_expansion: Array
    transitions: tuple[Transition, ...]

    def __post_init__(self) -> None:
        for name in ("temperatures", "volumes", "thermal_expansion"):
            getattr(self, name).flags.writeable = False


@dataclass(frozen=True)
class NegativeThermalExpansion:
    """A range of temperatures (K) in which the stable volume falls on heating at one pressure (GPa).

    `low_end` and `high_end` say what bounds it: a turning point of the volume, solved; a transition at which
    the volume jumps; or an end of the isobar, where the range may go on. strongest : most negative expansion
    found on the isobar's temperatures, 1 / K, at strongest_temperature.
    """

    pressure: float
    low: float
    high: float
    low_end: End
    high_end: End
    strongest: float
    strongest_temperature: float


def isobar(found: Scan, pressure: float, binodals: Sequence[PhaseBoundary] = ()) -> Isobar:
    """The stable volumes at `pressure` (GPa) at every temperature of the scan.

    `binodals` of the same scan give the first-order transitions, which are then solved for.

    Raises
    ------
    InputError : the pressure is not finite.
    NotFoundError : the material has no stable volume at this pressure within the scanned volumes; names the
        temperature and the pressures that the window covers there.
    """
    return isobars(found, (pressure,), binodals)[0]


def isobars(
    found: Scan, pressures: Sequence[float], binodals: Sequence[PhaseBoundary] = ()
) -> tuple[Isobar, ...]:
    """`isobar` for several pressures (GPa), solved together."""
    for pressure in pressures:
        if not np.isfinite(pressure):
            raise InputError("argument pressure", "", pressure, "a finite pressure in GPa")
    states = [
        _with_transitions(found, float(pressure), volumes, binodals)
        for pressure, volumes in zip(pressures, _stable_volumes(found, pressures), strict=True)
    ]
    if not states:
        return ()
    ends = np.cumsum([len(T) for T, _, _ in states])[:-1]
    T, V = (np.concatenate([state[i] for state in states]) for i in (0, 1))
    expansion = np.split(thermal_expansion(found.material, V, T), ends)
    return tuple(
        Isobar(float(pressure), T, V, alpha, transitions)
        for pressure, (T, V, transitions), alpha in zip(pressures, states, expansion, strict=True)
    )


def _with_transitions(
    found: Scan, pressure: float, volumes: Array, binodals: Sequence[PhaseBoundary]
) -> tuple[Array, Array, tuple[Transition, ...]]:
    """Temperatures and volumes of an isobar with both sides of every transition on it."""
    T, V = found.temperatures, volumes
    met = [
        transition
        for line in binodals
        for transition in transitions_at(found.material, line, pressure)
        if T[0] < transition.temperature < T[-1]
    ]
    transitions = tuple(sorted(met, key=lambda transition: transition.temperature))
    for transition in transitions:
        where = int(np.searchsorted(T, transition.temperature))
        T = np.insert(T, where, [transition.temperature] * 2)
        V = np.insert(V, where, [transition.volume_below, transition.volume_above])
    return T, V, transitions


def transitions_at(material: Material, binodal: PhaseBoundary, pressure: float) -> tuple[Transition, ...]:
    """The points of a binodal at `pressure` (GPa), coldest first; may be none.

    Newton's method on -F_V = P at both volumes and equal Gibbs energies, from where the line crosses it.
    """
    offsets = binodal.pressures.mean(axis=1) - pressure
    crossings = np.flatnonzero(offsets[:-1] * offsets[1:] < 0)
    return tuple(_transition(material, binodal, int(i), pressure, offsets) for i in crossings)


def negative_thermal_expansion(material: Material, *paths: Isobar) -> tuple[NegativeThermalExpansion, ...]:
    """The windows in which the volume falls on heating, isobar by isobar, coldest first; may be none.

    Raises
    ------
    NotConvergedError : between two points of an isobar the volume could not be followed.
    """
    turns = _turns(material, paths)
    return tuple(window for path, at in zip(paths, turns, strict=True) for window in _windows(path, at))


def _windows(path: Isobar, turn_at: dict[int, float]) -> list[NegativeThermalExpansion]:
    """The windows of one isobar, given the turning point after each of its points that has one."""
    T, alpha = path.temperatures, path.thermal_expansion
    jump = np.diff(T) == 0
    windows: list[NegativeThermalExpansion] = []
    falling = alpha < 0
    start = 0
    while start < len(T):
        if not falling[start]:
            start += 1
            continue
        stop = start
        while stop + 1 < len(T) and falling[stop + 1] and not (jump[stop] and _rises(path, stop)):
            stop += 1
        low, low_end = _end(path, turn_at, start, -1)
        high, high_end = _end(path, turn_at, stop, +1)
        strongest = start + int(np.argmin(alpha[start : stop + 1]))
        windows.append(
            NegativeThermalExpansion(
                path.pressure, low, high, low_end, high_end, float(alpha[strongest]), float(T[strongest])
            )
        )
        start = stop + 1
    return windows


def turning_points(
    material: Material, pressures: ArrayLike, temperatures: ArrayLike, volumes: ArrayLike
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Temperatures (K) and volumes (Å3 per atom), shape (N,), where the volume turns at constant pressure.

    Newton's method on -F_V = P (GPa) and F_VT = 0 from `temperatures` and `volumes` close to them; the third
    array says where both were reached, to `RESIDUAL`.
    """
    T, V = np.array(temperatures, dtype=np.float64), np.array(volumes, dtype=np.float64)
    P = np.broadcast_to(pressures, T.shape) / GPA_PER_EV_PER_A3
    good = np.zeros(T.shape, dtype=bool)
    if not len(T):
        return T, V, good
    modulus = mean_bulk_modulus(material)
    for _ in range(_STEPS):
        nudged = T * (1 + np.array([[0.0], [-_NUDGE], [_NUDGE]]))
        at = derivatives(material, V, nudged, order=3)
        offset, slope = at.F_V[0] + P, at.F_VT[0]
        good = (np.abs(offset) < RESIDUAL * modulus) & (np.abs(T * slope) < RESIDUAL * modulus)
        if np.all(good):
            break
        F_VTT = (at.F_VT[2] - at.F_VT[1]) / (2 * _NUDGE * T)
        determinant = at.F_VV[0] * F_VTT - slope * at.F_VVT[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            dV = (slope * slope - offset * F_VTT) / determinant
            dT = (offset * at.F_VVT[0] - at.F_VV[0] * slope) / determinant
        V = V + np.where(good, 0, np.clip(np.nan_to_num(dV), -0.02 * V, 0.02 * V))
        T = T + np.where(good, 0, np.clip(np.nan_to_num(dT), -0.2 * T, 0.2 * T))
    return T, V, good


def _turns(material: Material, paths: Sequence[Isobar]) -> list[dict[int, float]]:
    """For every isobar the turning points of the volume, by the point before each.

    By Newton's method; where that fails, since at low temperature F_VT can rise from nothing exponentially,
    between the two points that bracket it.
    """
    brackets = [
        (number, int(i), path.pressure, *path.temperatures[i : i + 2], *path.volumes[i : i + 2], *alphas)
        for number, path in enumerate(paths)
        for i in np.flatnonzero(
            (path.thermal_expansion[:-1] * path.thermal_expansion[1:] < 0) & (np.diff(path.temperatures) > 0)
        )
        for alphas in [path.thermal_expansion[i : i + 2]]
    ]
    found: list[dict[int, float]] = [{} for _ in paths]
    if not brackets:
        return found
    numbers, indices, *columns = zip(*brackets, strict=True)
    P, low, high, V_low, V_high, alpha_low, alpha_high = (np.array(column) for column in columns)
    share = alpha_low / (alpha_low - alpha_high)
    guess = low + share * (high - low), V_low + share * (V_high - V_low)
    turns, _, good = turning_points(material, P, *guess)
    failed = np.flatnonzero(~good | (turns < low) | (turns > high))

    def slope(temperature: Array, i: NDArray[np.intp]) -> Array:
        share = (temperature - low[i]) / (high[i] - low[i])
        volume = _volume_at(material, P[i], temperature, V_low[i] + share * (V_high[i] - V_low[i]))
        return np.asarray(derivatives(material, volume, temperature, order=2).F_VT)

    if len(failed):
        turns[failed] = find_root(slope, (low[failed], high[failed]), args=(failed,)).x
    for number, i, temperature in zip(numbers, indices, turns, strict=True):
        found[number][i] = float(temperature)
    return found


def _volume_at(material: Material, pressure: Array, temperature: Array, volume: Array) -> Array:
    """The volume at a pressure (GPa) by Newton's method from one close to it, lane by lane.

    Raises
    ------
    NotConvergedError : it was not reached.
    """
    P, limit = pressure / GPA_PER_EV_PER_A3, RESIDUAL * mean_bulk_modulus(material)
    for _ in range(_STEPS):
        at = derivatives(material, volume, temperature, order=2)
        offset = at.F_V + P
        if np.all(np.abs(offset) < limit):
            return volume
        volume = volume - np.where(np.abs(offset) < limit, 0, offset / at.F_VV)
    raise NotConvergedError(f"a volume was not reached at its pressure in {_STEPS} steps")


def _stable_volumes(found: Scan, pressures: Sequence[float]) -> Array:
    """The volume of lowest Gibbs energy at every pressure and temperature of the scan, shape (P, N)."""
    T, V = found.temperatures, found.volumes
    P = np.array(pressures, dtype=float)[:, None, None] / GPA_PER_EV_PER_A3
    offset = -found.F_V - P
    which, rows, columns = np.nonzero((offset[..., :-1] > 0) & (offset[..., 1:] <= 0))  # P falls: stable
    best = np.full(offset.shape[:2], np.nan)
    if len(which):
        at, warm = P[which, 0, 0], T[rows]
        solved = _bracketed_volumes(found.material, at, warm, V[columns], V[columns + 1])
        gibbs = derivatives(found.material, solved, warm, order=0).F + at * solved
        order = np.argsort(-gibbs, kind="stable")  # of each state the lowest comes last, and stays
        best[which[order], rows[order]] = solved[order]
    missing = np.argwhere(np.isnan(best))
    if len(missing):
        number, row = missing[0]
        raise NotFoundError(_no_stable_volume(found, float(pressures[number]), int(row)))
    return best


def _no_stable_volume(found: Scan, pressure: float, row: int) -> str:
    """What is said of a pressure that the window does not reach."""
    T, V = found.temperatures, found.volumes
    covered = -GPA_PER_EV_PER_A3 * found.F_V[row]
    given = found.material.configurations.equilibrium_volumes
    return (
        f"no stable volume at {pressure:g} GPa and {T[row]:g} K between {V[0]:g} and {V[-1]:g} Å3 per "
        f"atom, which cover {covered.min():g} to {covered.max():g} GPa there; the configurations have "
        f"their equilibrium volumes at {given.min():g} to {given.max():g} Å3, which have to be per atom"
    )


def _bracketed_volumes(material: Material, P: Array, T: Array, low: Array, high: Array) -> Array:
    """Volumes with -F_V = P (eV / Å3) between `low`, where it is above, and `high`, where it is not.

    Newton's method, halving the bracket where a step leaves it.
    """
    limit = RESIDUAL * mean_bulk_modulus(material)
    volume = (low + high) / 2
    for _ in range(_STEPS):
        at = derivatives(material, volume, T, order=2)
        offset = -at.F_V - P
        open_lanes = np.abs(offset) > limit
        if not np.any(open_lanes):
            break
        low, high = np.where(offset > 0, volume, low), np.where(offset > 0, high, volume)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = volume + offset / at.F_VV
        step = np.where((low < step) & (step < high), step, (low + high) / 2)
        volume = np.where(open_lanes, step, volume)
    return volume


def _transition(
    material: Material, binodal: PhaseBoundary, i: int, pressure: float, offsets: Array
) -> Transition:
    """Solve the transition between two temperatures of a binodal."""
    P, modulus = pressure / GPA_PER_EV_PER_A3, mean_bulk_modulus(material)
    share = offsets[i] / (offsets[i] - offsets[i + 1])
    T = float(binodal.temperatures[i] + share * np.diff(binodal.temperatures)[i])
    V = binodal.volumes[i] + share * (binodal.volumes[i + 1] - binodal.volumes[i])
    for _ in range(_STEPS):
        at = derivatives(material, V, T, order=2)
        gibbs = at.F + P * V
        residuals = np.array([at.F_V[0] + P, at.F_V[1] + P, gibbs[1] - gibbs[0]])
        if np.all(np.abs(residuals) < RESIDUAL * modulus * np.array([1, 1, V[0]])):
            below, above = (0, 1) if -at.F_T[1] > -at.F_T[0] else (1, 0)  # the hotter phase has more entropy
            latent = T * float(at.F_T[below] - at.F_T[above])
            return Transition(T, pressure, float(V[below]), float(V[above]), latent)
        jacobian = np.array(
            [
                [at.F_VV[0], 0, at.F_VT[0]],
                [0, at.F_VV[1], at.F_VT[1]],
                [-residuals[0], residuals[1], at.F_T[1] - at.F_T[0]],
            ]
        )
        step = np.linalg.solve(jacobian, -residuals)
        V, T = V + step[:2], T + float(step[2])
    raise NotConvergedError(
        f"the transition near {T:g} K at {pressure:g} GPa was not solved in {_STEPS} steps"
    )


def _rises(path: Isobar, i: int) -> bool:
    """The volume jumps up between two equal temperatures."""
    return bool(path.volumes[i + 1] > path.volumes[i])


def _end(path: Isobar, turn_at: dict[int, float], i: int, side: int) -> tuple[float, End]:
    """Temperature and kind of the end of a window at point i, below (-1) or above (+1) it."""
    neighbour = i + side
    if not 0 <= neighbour < len(path.temperatures):
        return float(path.temperatures[i]), "end of the isobar"
    if path.temperatures[neighbour] == path.temperatures[i]:
        return float(path.temperatures[i]), "transition"
    turn = turn_at.get(min(i, neighbour), float(path.temperatures[neighbour]))  # no root: exactly zero there
    return turn, "turning point"
