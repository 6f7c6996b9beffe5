"""Volume against temperature at constant pressure: first-order jumps and negative thermal expansion.

An isobar follows the volume of lowest Gibbs energy. Its turning points, where dV/dT = -F_VT / F_VV changes
sign, are solved with exact derivatives and bound the windows of negative thermal expansion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import mean_bulk_modulus
from zenn.materials.helmholtz import derivatives
from zenn.materials.material import Material
from zenn.materials.scanning import Scan, scan
from zenn.materials.thermodynamics import thermal_expansion

Array = NDArray[np.float64]

RESIDUAL = 1e-11
"""Largest residual of a solved point: pressures over B, T F_VT over B, Gibbs energies over B V, with B the
mean bulk modulus of the configurations at 0 K."""

_STEPS = 50
_HALVINGS = 24  # of the temperatures around a leap, until a transition is found
_ABOVE_ZERO = 1e-2  # of the first temperature above 0 K
_ATTEMPT = 15  # steps of Newton's method for a transition that may not be there
_UNEXPLAINED = 0.2  # of the change of volume that the expansion predicts
_SAME_VOLUME = 1e-4  # relative: a smaller jump, within millikelvin of a critical point, is none
_ROUNDING = 1e-11  # eV
_NUDGE = 1e-3  # relative in T: the slope that Newton's method is given is a difference, its root is not

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


def isobar(found: Scan, pressure: float) -> Isobar:
    """The stable volumes at `pressure` (GPa) at every temperature of the scan, and the transitions between.

    Raises
    ------
    InputError : the pressure is not finite.
    NotFoundError : the material has no stable volume at this pressure within the scanned volumes, or a lower
        Gibbs energy at their end; names the temperature and the pressures that the window covers there.
    NotConvergedError : a transition was not solved.
    """
    return isobars(found, (pressure,))[0]


def isobars(found: Scan, pressures: Sequence[float]) -> tuple[Isobar, ...]:
    """`isobar` for several pressures (GPa), solved together."""
    for pressure in pressures:
        if not np.isfinite(pressure):
            raise InputError("argument pressure", "", pressure, "a finite pressure in GPa")
    if not len(pressures):
        return ()
    volumes = _stable_volumes(found, pressures)
    T = np.broadcast_to(found.temperatures, volumes.shape)
    expansion = thermal_expansion(found.material, volumes, T)
    states = [
        _with_transitions(found, float(pressure), *state)
        for pressure, *state in zip(pressures, volumes, expansion, strict=True)
    ]
    return tuple(
        Isobar(float(pressure), T, V, alpha, transitions)
        for pressure, (T, V, alpha, transitions) in zip(pressures, states, strict=True)
    )


def _followed(material: Material, P: Array, T: Array, V: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Newton's method on -F_V = P (eV / Å3) from volumes close to it, and where a stable one was reached."""
    limit = RESIDUAL * mean_bulk_modulus(material)
    good = np.zeros(V.shape, dtype=bool)
    for _ in range(_STEPS):
        at = derivatives(material, V, T, order=2)
        offset = at.F_V + P
        good = (np.abs(offset) < limit) & (at.F_VV > 0)
        if np.all(np.abs(offset) < limit):
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.nan_to_num(-offset / at.F_VV)
        V = V + np.where(np.abs(offset) < limit, 0, np.clip(step, -0.01 * V, 0.01 * V))
    return V, good


class _Point(NamedTuple):
    """A state of an isobar: temperature, volume and thermal expansion."""

    T: float
    V: float
    alpha: float


def _with_transitions(
    found: Scan, pressure: float, volumes: Array, expansion: Array
) -> tuple[Array, Array, Array, tuple[Transition, ...]]:
    """Temperatures, volumes and expansion of an isobar with both sides of every transition on it."""
    columns = np.stack([found.temperatures, volumes, expansion])
    points = [_Point(*map(float, column)) for column in columns.T]
    met = [
        transition
        for cold, hot in pairwise(points)
        for transition in _transitions(found, pressure, cold, hot)
    ]
    for transition in met:
        T = transition.temperature
        columns = columns[:, columns[0] != T]  # at it the volume has two values, not one of them
        sides = np.array([transition.volume_below, transition.volume_above])
        both = np.stack([np.full(2, T), sides, thermal_expansion(found.material, sides, T)])
        where = int(np.searchsorted(columns[0], T))
        columns = np.concatenate([columns[:, :where], both, columns[:, where:]], axis=1)
    return columns[0].copy(), columns[1].copy(), columns[2].copy(), tuple(met)


def _smooth(cold: _Point, hot: _Point) -> bool:
    """Whether the expansion at both points explains the change of volume between them."""
    expected = (hot.T - cold.T) * (cold.alpha * cold.V + hot.alpha * hot.V) / 2
    return bool(abs(hot.V - cold.V - expected) < _UNEXPLAINED * abs(expected) + _SAME_VOLUME * cold.V)


def _transitions(found: Scan, pressure: float, cold: _Point, hot: _Point, depth: int = 0) -> list[Transition]:
    """The transitions between two points of an isobar, coldest first.

    Where the expansion does not explain the change of volume, Newton's method looks for one from both
    volumes; where it finds none that is stable and between the temperatures, because a third phase or a bend
    lies there, each half of them is looked at.

    Raises
    ------
    NotConvergedError : halving did not help.
    """
    if _smooth(cold, hot):
        return []
    if depth > _HALVINGS:
        raise NotConvergedError(f"the transition near {cold.T:g} K at {pressure:g} GPa was not solved")
    solved = _transition(found, pressure, (cold.T + hot.T) / 2, np.array([cold.V, hot.V]), (cold.T, hot.T))
    if solved is not None:
        sides = np.array([solved.volume_below, solved.volume_above])
        below, above = (
            _Point(solved.temperature, float(V), float(alpha))
            for V, alpha in zip(
                sides, thermal_expansion(found.material, sides, solved.temperature), strict=True
            )
        )
        return [
            *_transitions(found, pressure, cold, below, depth + 1),
            solved,
            *_transitions(found, pressure, above, hot, depth + 1),
        ]
    T = (cold.T + hot.T) / 2
    row = scan(found.material, [T], (float(found.volumes[0]), float(found.volumes[-1])))
    V = float(_stable_volumes(row, [pressure])[0, 0])
    middle = _Point(T, V, float(thermal_expansion(found.material, V, T)))
    return [
        *_transitions(found, pressure, cold, middle, depth + 1),
        *_transitions(found, pressure, middle, hot, depth + 1),
    ]


def _transition(
    found: Scan, pressure: float, T: float, V: Array, span: tuple[float, float]
) -> Transition | None:
    """Newton's method on -F_V = P at both volumes and equal Gibbs energies.

    None unless it ends between the temperatures, at two stable volumes with a barrier between them.
    """
    material, modulus = found.material, mean_bulk_modulus(found.material)
    P = pressure / GPA_PER_EV_PER_A3
    for _ in range(_ATTEMPT):
        at = derivatives(material, V, T, order=2)
        gibbs = at.F + P * V
        residuals = np.array([at.F_V[0] + P, at.F_V[1] + P, gibbs[1] - gibbs[0]])
        if np.all(np.abs(residuals) < RESIDUAL * modulus * np.array([1, 1, V[0]])):
            break
        jacobian = np.array(
            [
                [at.F_VV[0], 0, at.F_VT[0]],
                [0, at.F_VV[1], at.F_VT[1]],
                [-residuals[0], residuals[1], at.F_T[1] - at.F_T[0]],
            ]
        )
        try:
            step = np.linalg.solve(jacobian, -residuals)
        except np.linalg.LinAlgError:
            return None
        V, T = V + np.clip(step[:2], -0.01 * V, 0.01 * V), T + float(step[2])
        if not span[0] - (span[1] - span[0]) <= T <= span[1] + (span[1] - span[0]) or T < 0:
            return None
    else:
        return None
    inside = span[0] <= T <= span[1]
    barrier = float(derivatives(material, V.mean(), T, order=0).F) - float(at.F.mean())
    lowest = np.min(derivatives(material, found.volumes, T, order=0).F + P * found.volumes)
    apart = abs(V[1] - V[0]) > _SAME_VOLUME * V[0]
    if not (inside and apart and np.all(at.F_VV > 0) and barrier > 0 and lowest > gibbs[0] - _ROUNDING):
        return None
    latent = T * float(at.F_T[0] - at.F_T[1])
    return Transition(T, pressure, float(V[0]), float(V[1]), latent)


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
    brackets = [bracket for number, path in enumerate(paths) for bracket in _brackets(material, number, path)]
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
        start = V_low[i] + share * (V_high[i] - V_low[i])
        volume, good = _followed(material, P[i] / GPA_PER_EV_PER_A3, temperature, start)
        if not np.all(good):
            raise NotConvergedError("the volume could not be followed between two points of an isobar")
        return np.asarray(derivatives(material, volume, temperature, order=2).F_VT)

    if len(failed):
        turns[failed] = find_root(slope, (low[failed], high[failed]), args=(failed,)).x
    for number, i, temperature in zip(numbers, indices, turns, strict=True):
        found[number][i] = float(temperature)
    return found


def _brackets(material: Material, number: int, path: Isobar) -> list[tuple[Any, ...]]:
    """Number of the isobar, point, pressure, temperatures, volumes, expansions around each turning point."""
    T, V, alpha = path.temperatures, path.volumes, path.thermal_expansion
    points = np.flatnonzero((alpha[:-1] * alpha[1:] < 0) & (np.diff(T) > 0))
    found = [
        (number, int(i), path.pressure, T[i], T[i + 1], V[i], V[i + 1], alpha[i], alpha[i + 1])
        for i in points
    ]
    if len(T) > 1 and T[0] == 0 and alpha[1] < 0:  # at 0 K itself nothing expands: look just above
        cold = _ABOVE_ZERO * T[1]
        slope = float(thermal_expansion(material, V[0], cold))
        if slope > 0:
            found.insert(0, (number, 0, path.pressure, cold, T[1], V[0], V[1], slope, alpha[1]))
    return found


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
        lowest = np.full(best.shape, np.inf)
        lowest[which[order], rows[order]] = gibbs[order]
        at_ends = (found.F[:, [0, -1]] + P * V[[0, -1]]).min(axis=2)
        best[at_ends < lowest - _ROUNDING] = np.nan  # the stable volume lies outside the window
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
        f"their equilibrium volumes at {given.min():g} to {given.max():g} Å3, which have to be per atom. "
        "Widen the window of volumes, or choose another pressure"
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
    if min(i, neighbour) not in turn_at:  # no root down to 0 K
        return float(path.temperatures[neighbour]), "end of the isobar"
    return turn_at[min(i, neighbour)], "turning point"
