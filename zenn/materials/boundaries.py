"""Spinodals and binodals: lines of two volumes per temperature that meet in critical points.

A spinodal encloses the states with F_VV < 0; a binodal joins the two volumes that share a tangent of F,
phases of one pressure and one Gibbs energy. Both are bracketed on a scan over volume at every temperature and
solved with exact derivatives; close to a critical point, where a scan is too coarse, from its expansion

    F_VV = F_VVT (T - T*) + F_VVVV (V - V*)^2 / 2,

whose spinodal has half the width sqrt(-2 F_VVT (T - T*) / F_VVVV) and whose binodal sqrt(3) times that
(Landau and Lifshitz, "Statistical Physics", 3rd ed., part 1, section 152).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import CriticalPoint, mean_bulk_modulus
from zenn.materials.helmholtz import Derivatives, derivatives
from zenn.materials.material import Material
from zenn.materials.scanning import Scan, stable

Array = NDArray[np.float64]

RESIDUAL = 1e-10
"""Largest scaled residual of a solved volume."""

_STEPS = 40  # of Newton's method: quadratic from the scan's brackets, so that few are used
_NEAR_CRITICAL = 5  # temperatures added below a critical point, each four times closer than the last
_COARSE = 12  # steps of the scan: a pair that is not wider may be missed by it
_SHARED = 0.25  # of the narrower pair's width: neighbouring lines of three phases touch


@dataclass(frozen=True, eq=False)
class PhaseBoundary:
    """A spinodal or binodal: N temperatures with a smaller and a larger volume; arrays read-only.

    temperatures : K, increasing, shape (N,).
    volumes : Å3 per atom, shape (N, 2), the smaller first; equal at a critical point.
    pressures : GPa, shape (N, 2); equal along a binodal.
    entropies : eV / K per atom, shape (N, 2).
    residuals : largest scaled residual at each temperature, shape (N,): |V F_VV| / B on a spinodal; on a
        binodal the difference of the pressures over B and that of the Gibbs energies over B V, with B the
        mean bulk modulus of the configurations at 0 K.
    critical_points : those it ends in, at most two; otherwise it ends where the temperatures or the window
        do, or, for a binodal, where a third phase meets it.
    """

    temperatures: Array
    volumes: Array
    pressures: Array
    entropies: Array
    residuals: Array
    critical_points: tuple[CriticalPoint, ...]

    def __post_init__(self) -> None:
        for name in ("temperatures", "volumes", "pressures", "entropies", "residuals"):
            getattr(self, name).flags.writeable = False


class _Pair(NamedTuple):
    """Two volumes at one temperature of the scan."""

    row: int
    low: float
    high: float


def refined_temperatures(temperatures: Array, critical_points: Sequence[CriticalPoint]) -> Array:
    """`temperatures` and more of them close to critical points, where the lines bend as a square root."""
    added = [temperatures]
    for point in critical_points:
        gaps = temperatures - point.temperature
        for side in (gaps[gaps < 0], gaps[gaps > 0]):
            if len(side):
                nearest = side[np.argmin(np.abs(side))]
                added.append(point.temperature + nearest * 4.0 ** -np.arange(1, _NEAR_CRITICAL))
    return np.unique(np.concatenate(added))


def spinodals(found: Scan, critical_points: Sequence[CriticalPoint]) -> tuple[PhaseBoundary, ...]:
    """The spinodals within the scanned volumes, hottest end first; none where nothing is unstable.

    An unstable range that the window of volumes cuts is left out: its other end is not there.
    """
    T, V = found.temperatures, found.volumes
    rows, columns = np.nonzero(found.F_VV[:, :-1] * found.F_VV[:, 1:] < 0)
    roots = np.empty(0)
    if len(rows):
        curvature = _derivative(found.material, 2)
        bracket = V[columns], V[columns + 1]
        solved = find_root(curvature, bracket, args=(T[rows],), tolerances={"xrtol": 1e-6})
        roots, _ = _newton_spinodal(found.material, T[rows], solved.x)
    pairs = []
    for i in range(len(roots) - 1):
        falls = found.F_VV[rows[i], columns[i]] > 0  # stable before the first root, again after the second
        if falls and rows[i] == rows[i + 1]:
            pairs.append(_Pair(int(rows[i]), float(roots[i]), float(roots[i + 1])))
    pairs += _near_critical(found, pairs, critical_points, 1.0, solve_spinodal)
    return _lines(found, pairs, critical_points, _spinodal_residuals)


def binodals(found: Scan, critical_points: Sequence[CriticalPoint]) -> tuple[PhaseBoundary, ...]:
    """The binodals of stable phases within the scanned volumes, hottest end first; may be none.

    Common tangents that cross F elsewhere join metastable phases and are left out.
    """
    pairs = []
    slopes = np.diff(found.F, axis=1) / np.diff(found.volumes)
    for row in np.flatnonzero(np.any(np.diff(slopes, axis=1) <= 0, axis=1)):  # elsewhere F is convex
        hull = _lower_hull(found.volumes, found.F[row])
        pairs += [
            _Pair(int(row), float(found.volumes[i]), float(found.volumes[j]))
            for i, j in pairwise(hull)
            if j - i > 1
        ]
    T, volumes = _columns(found, pairs)
    volumes, converged = solve_binodal(found.material, T, volumes)
    pairs = [
        _Pair(pair.row, *map(float, both))
        for pair, both, good in zip(pairs, volumes, converged, strict=True)
        if good
    ]
    pairs = _stable_pairs(found, pairs)
    close = _near_critical(found, pairs, critical_points, np.sqrt(3), solve_binodal)
    pairs += _stable_pairs(found, close)
    return _lines(found, pairs, critical_points, _binodal_residuals)


def _near_critical(
    found: Scan,
    seen: Sequence[_Pair],
    critical_points: Sequence[CriticalPoint],
    widening: float,
    solve: Callable[[Material, Array, Array], tuple[Array, NDArray[np.bool_]]],
) -> list[_Pair]:
    """Pairs next to a critical point, at temperatures where the scan saw none."""
    pairs: list[_Pair] = []
    coarse = _COARSE * float(np.max(np.diff(found.volumes)))
    for point in critical_points:
        near = derivatives(found.material, point.volume, point.temperature, order=3)
        gaps = found.temperatures - point.temperature
        unstable = np.flatnonzero(near.F_VVT * gaps < 0)
        half = widening * np.sqrt(-2 * near.F_VVT * gaps[unstable] / point.F_VVVV)
        narrow = (2 * half < coarse) | (np.argsort(np.argsort(half)) < _NEAR_CRITICAL)
        rows, half = unstable[narrow], half[narrow]
        start = point.volume + half[:, None] * np.array([-1.0, 1.0])
        volumes, converged = solve(found.material, found.temperatures[rows], start)
        for row, both, width, good in zip(rows, volumes, 2 * half, converged, strict=True):
            pair = _Pair(int(row), *map(float, both))
            new = not any(other.row == row and _overlap(pair, other) > 0 for other in [*seen, *pairs])
            if good and new and width / 3 < pair.high - pair.low < 3 * width:
                pairs.append(pair)
    return pairs


def _newton_spinodal(material: Material, T: Array, V: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Volumes with F_VV = 0, from volumes close to them; shape (N,)."""
    modulus = mean_bulk_modulus(material)
    for _ in range(_STEPS):
        at = derivatives(material, V, T, order=3)
        residual = np.abs(V * at.F_VV) / modulus
        if np.all(residual < RESIDUAL):
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(residual < RESIDUAL, 0, -at.F_VV / at.F_VVV)
        V = V + np.clip(np.nan_to_num(step), -0.02 * V, 0.02 * V)
    return V, residual < RESIDUAL


def solve_spinodal(material: Material, T: Array, V: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Newton's method on F_VV = 0 at each temperature, from volumes of shape (N, 2); as `solve_binodal`."""
    volumes, converged = _newton_spinodal(material, np.repeat(T, 2), V.ravel())
    both = volumes.reshape(-1, 2)
    return both, converged.reshape(-1, 2).all(axis=1) & (both[:, 0] < both[:, 1])


def solve_binodal(material: Material, T: Array, V: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Newton's method on the common tangent at each temperature, from volumes of shape (N, 2).

    Returns the volumes and where they were reached: both residuals at most `RESIDUAL`, F between them above
    the tangent.
    """
    if not len(T):
        return V, np.zeros(0, dtype=bool)
    for _ in range(_STEPS):
        at = derivatives(material, V, T[:, None], order=2)
        pressures, energies = _tangent_mismatch(at, V)
        good = _scaled(material, V, pressures, energies) < RESIDUAL
        if np.all(good):
            break
        # d(energies)/dV_i = pressures / 2 - width F_VV,i / 2
        width = V[:, 1] - V[:, 0]
        low, high = at.F_VV[:, 0], at.F_VV[:, 1]
        of_energy = (pressures[:, None] - width[:, None] * at.F_VV) / 2
        determinant = -low * of_energy[:, 1] - high * of_energy[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.stack(
                [
                    (high * energies - pressures * of_energy[:, 1]) / determinant,
                    (pressures * of_energy[:, 0] + low * energies) / determinant,
                ],
                axis=1,
            )
        limit = width[:, None] / 4  # the two volumes never meet or change places
        step = np.where(good[:, None], 0, np.clip(np.nan_to_num(step), -limit, limit))
        V = np.maximum(V + step, V / 2)
    middle = derivatives(material, V.mean(axis=1), T, order=0).F
    barrier = middle - derivatives(material, V, T[:, None], order=0).F.mean(axis=1)
    return V, good & (barrier > 0)  # two volumes of one phase come as close as the residual asks for


def _tangent_mismatch(at: Derivatives, V: Array) -> tuple[Array, Array]:
    """F_V2 - F_V1 and F2 - F1 - (V2 - V1) (F_V1 + F_V2) / 2: both vanish on a common tangent."""
    width = V[:, 1] - V[:, 0]
    return at.F_V[:, 1] - at.F_V[:, 0], at.F[:, 1] - at.F[:, 0] - width * at.F_V.mean(axis=1)


def _scaled(material: Material, V: Array, pressures: Array, energies: Array) -> Array:
    """The larger of the two residuals of a common tangent, without unit."""
    modulus = mean_bulk_modulus(material)
    return np.maximum(np.abs(pressures) / modulus, np.abs(energies) / (modulus * V[:, 0]))


def _spinodal_residuals(material: Material, T: Array, V: Array) -> Array:
    F_VV = derivatives(material, V, T[:, None], order=2).F_VV
    return np.asarray(np.max(np.abs(V * F_VV), axis=1) / mean_bulk_modulus(material))


def _binodal_residuals(material: Material, T: Array, V: Array) -> Array:
    return _scaled(material, V, *_tangent_mismatch(derivatives(material, V, T[:, None], order=1), V))


def _derivative(material: Material, order: int) -> Callable[[Array, Array], Array]:
    """One derivative of F in V as a function of V and T, element by element."""
    return lambda V, T: np.asarray(derivatives(material, V, T, order).in_volume[order])


def _lower_hull(x: Array, y: Array) -> list[int]:
    """Indices of the points on the lower convex hull, x increasing (Andrew's monotone chain)."""
    hull: list[int] = []
    for i in range(len(x)):
        while len(hull) > 1 and _above_chord(x, y, hull[-2], hull[-1], i):
            hull.pop()
        hull.append(i)
    return hull


def _above_chord(x: Array, y: Array, left: int, middle: int, right: int) -> bool:
    """The middle point lies on or above the straight line between the other two."""
    rise = (y[middle] - y[left]) * (x[right] - x[left])
    return bool(rise >= (y[right] - y[left]) * (x[middle] - x[left]))


def _stable_pairs(found: Scan, pairs: Sequence[_Pair]) -> list[_Pair]:
    """The pairs whose tangent F lies nowhere below, with both volumes within the window."""
    _, V = _columns(found, pairs)
    kept = stable(found, np.array([pair.row for pair in pairs], dtype=np.intp), V[:, 0])
    kept &= (V[:, 0] > found.volumes[0]) & (V[:, 1] < found.volumes[-1])
    return [pair for pair, good in zip(pairs, kept, strict=True) if good]


def _columns(found: Scan, pairs: Sequence[_Pair]) -> tuple[Array, Array]:
    """Temperatures (N,) and volumes (N, 2) of the pairs."""
    rows = np.array([pair.row for pair in pairs], dtype=int)
    return found.temperatures[rows], np.array([pair[1:] for pair in pairs]).reshape(-1, 2)


def _lines(
    found: Scan,
    pairs: Sequence[_Pair],
    critical_points: Sequence[CriticalPoint],
    residuals: Callable[[Material, Array, Array], Array],
) -> tuple[PhaseBoundary, ...]:
    """The pairs joined into lines, each with the critical points that it ends in; hottest first."""
    lines = [_boundary(found, line, critical_points, residuals) for line in _joined(pairs)]
    return tuple(sorted(lines, key=lambda line: -line.temperatures[-1]))


def _joined(pairs: Sequence[_Pair]) -> list[list[_Pair]]:
    """Pairs of neighbouring temperatures that overlap, one to one, as lines.

    A pair that overlaps two of the next temperature, or the other way round, ends there: a third phase has
    come between or gone. Where one line and one pair are left over, the step of temperature was large: they
    belong together.
    """
    lines: list[list[_Pair]] = []
    rows = sorted({pair.row for pair in pairs})
    for row in rows:
        here = sorted(pair for pair in pairs if pair.row == row)
        open_lines = [line for line in lines if line[-1].row == row - 1]
        shared = np.array(
            [[_share(line[-1], pair) > _SHARED for pair in here] for line in open_lines], dtype=bool
        )
        shared = shared.reshape(len(open_lines), len(here))
        one_to_one = shared & (shared.sum(axis=1, keepdims=True) == 1) & (shared.sum(axis=0) == 1)
        alone = np.flatnonzero(~shared.any(axis=1)), np.flatnonzero(~shared.any(axis=0))
        if len(alone[0]) == len(alone[1]) == 1:
            one_to_one[alone[0][0], alone[1][0]] = True
        for i, j in np.argwhere(one_to_one):
            open_lines[i].append(here[j])
        lines += [[here[j]] for j in np.flatnonzero(~one_to_one.any(axis=0))]
    return lines


def _share(one: _Pair, other: _Pair) -> float:
    """The length of volume that two pairs share, in widths of the narrower."""
    return _overlap(one, other) / min(one.high - one.low, other.high - other.low)


def _overlap(one: _Pair, other: _Pair) -> float:
    """The length of volume that two pairs share; negative where they lie apart."""
    return min(one.high, other.high) - max(one.low, other.low)


def _boundary(
    found: Scan,
    line: Sequence[_Pair],
    critical_points: Sequence[CriticalPoint],
    residuals: Callable[[Material, Array, Array], Array],
) -> PhaseBoundary:
    """A line with its ends: the critical points between it and the next temperature of the scan."""
    T, V = _columns(found, line)
    last = len(found.temperatures) - 1
    below = found.temperatures[max(line[0].row - 1, 0)]
    above = found.temperatures[min(line[-1].row + 1, last)]
    ends = []
    for point in critical_points:
        cold = below <= point.temperature < T[0] and _beside(point, line[0])
        hot = T[-1] < point.temperature <= above and _beside(point, line[-1])
        if not (cold or hot):
            continue
        where = 0 if cold else len(T)
        T = np.insert(T, where, point.temperature)
        V = np.insert(V, where, point.volume, axis=0)
        ends.append(point)
    at = derivatives(found.material, V, T[:, None], order=1)
    return PhaseBoundary(
        temperatures=T,
        volumes=V,
        pressures=-GPA_PER_EV_PER_A3 * at.F_V,
        entropies=-at.F_T,
        residuals=residuals(found.material, T, V),
        critical_points=tuple(ends),
    )


def _beside(point: CriticalPoint, pair: _Pair) -> bool:
    """The point's volume lies between the two, or no further away than they are apart."""
    margin = pair.high - pair.low
    return pair.low - margin < point.volume < pair.high + margin
