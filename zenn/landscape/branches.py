"""Where F_x or F_xx of a surface in one dimension vanishes: at given temperatures, and as curves in (x, T).

At one temperature all roots in a window are solved for: between roots of F_xxx the curvature is monotonic,
between roots of F_xx the slope is, so that from the third derivative down no pair of roots is missed for
lying close together. Curves are followed from those roots by pseudo-arclength continuation (Keller, in
"Applications of Bifurcation Theory", 1977), which passes folds, and pitchforks straight on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from zenn.errors import InputError, NotFoundError
from zenn.landscape.critical import check_windows, spoken
from zenn.landscape.surface import Surface, require_one_dimension

Array = NDArray[np.float64]
Window = tuple[float, float]

MARKS = 201
"""Coordinates between which F_xxx is taken to change sign once at most."""

_ROUNDING = 1e-13  # of the largest value on the marks: what is not distinguished from zero
_LONGEST, _SHORTEST = 0.02, 1e-5  # steps along a curve, in half-widths of the windows
_TURN = 0.2  # radians that a tangent may turn in a step
_CORRECTIONS = 8  # of Newton's method after a step
_SOLVED = 1e-13  # scaled length of the last correction
_ROUNDED = 1e-9  # the same close to a pitchfork, where rounding leaves more
_VISITED = 2e-3  # a root no further from a curve lies on it
_MOST_STEPS = 20_000
_JUMP, _HALVINGS = 0.02, 20  # of the window of x: a move of the lowest minimum that may be a jump


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve in (x, T) on which a derivative of F vanishes; arrays read-only, shape (N,), in order along it.

    x, temperatures : where. curvature : F_xx there. stable : F_xx > 0. closed : it ends where it begins.
    changes : (x, T) where F_xx changes sign along it: folds and pitchforks of a branch, shape (C, 2).
    """

    x: Array
    temperatures: Array
    curvature: Array
    stable: NDArray[np.bool_]
    closed: bool
    changes: Array

    def __post_init__(self) -> None:
        for array in (self.x, self.temperatures, self.curvature, self.stable, self.changes):
            array.flags.writeable = False


@dataclass(frozen=True, eq=False)
class StationaryPoints:
    """All x with F_x = 0 in a window at one temperature, smallest first; arrays read-only, shape (R,).

    stable : F_xx > 0, a minimum. free_energies : F.
    """

    temperature: float
    x: Array
    stable: NDArray[np.bool_]
    free_energies: Array

    def __post_init__(self) -> None:
        for array in (self.x, self.stable, self.free_energies):
            array.flags.writeable = False


def stationary_points(
    surface: Surface, temperatures: ArrayLike, x_window: Window
) -> tuple[StationaryPoints, ...]:
    """The stationary points at each of the temperatures.

    Raises
    ------
    InputError : more than one coordinate, an empty window, temperatures that are not a list.
    """
    T = _checked(surface, temperatures, x_window)
    found = []
    for t, x in zip(T, _roots(surface, T, x_window, 1), strict=True):
        at = surface.derivatives(x, t, 2)
        found.append(StationaryPoints(float(t), x, at[2] > 0, at[0]))
    return tuple(found)


def zero_curvature_points(surface: Surface, temperatures: ArrayLike, x_window: Window) -> tuple[Array, ...]:
    """All x with F_xx = 0 in the window at each of the temperatures, smallest first.

    Raises
    ------
    InputError : as `stationary_points`.
    """
    return tuple(_roots(surface, _checked(surface, temperatures, x_window), x_window, 2))


def count_zero_crossings(surface: Surface, temperatures: ArrayLike, x_window: Window) -> NDArray[np.int_]:
    """How often F_xx changes sign over the window at each of the temperatures, shape (M,).

    Counted between the extrema of F_xx, which are solved for; one that only touches zero to rounding does
    not count. At a bifurcation point itself the count is a matter of rounding.

    Raises
    ------
    InputError : as `stationary_points`.
    """
    T = _checked(surface, temperatures, x_window)
    grid = np.linspace(*x_window, MARKS)
    counts = []
    for t, extrema in zip(T, _roots(surface, T, x_window, 3), strict=True):
        values = surface.derivatives(np.union1d(grid, extrema), t, 2)[2]
        signs = np.sign(values[np.abs(values) > _ROUNDING * np.abs(values).max()])
        counts.append(int(np.sum(signs[1:] != signs[:-1])))
    return np.array(counts, dtype=int)


def zero_curvature_temperatures(
    surface: Surface, x: ArrayLike, temperature_window: Window, marks: int = 101
) -> tuple[Array, ...]:
    """All T with F_xx = 0 in the window at each x, lowest first.

    A pair of roots is seen if F_xxT changes sign once between two of the `marks` temperatures.

    Raises
    ------
    InputError : more than one coordinate, an empty window.
    """
    require_one_dimension(surface)
    check_windows((), temperature_window)
    at = np.atleast_1d(np.asarray(x, dtype=float))

    def curvature(T: Array, x: Array) -> Array:
        return np.asarray(surface.derivatives(x, T, 2)[2])

    def slope(T: Array, x: Array) -> Array:
        return np.asarray(surface.temperature_derivatives(x, T, 2)[2])

    grid = [np.linspace(*temperature_window, marks)] * len(at)
    turns = _roots_between(slope, grid, at)
    return tuple(_roots_between(curvature, [np.union1d(*both) for both in zip(grid, turns, strict=True)], at))


def stationary_branches(surface: Surface, temperatures: ArrayLike, x_window: Window) -> tuple[Curve, ...]:
    """The bifurcation diagram: curves of F_x = 0 through all stationary points at the temperatures.

    They end at the window of x and at the lowest and highest temperature, and pass folds; one that lies
    between two of the temperatures altogether is not seen. Where two come closer than a step without meeting,
    each may go on as the other.

    Raises
    ------
    InputError : as `stationary_points`; fewer than two temperatures.
    """
    return _curves(surface, temperatures, x_window, 1)


def zero_curvature_lines(surface: Surface, temperatures: ArrayLike, x_window: Window) -> tuple[Curve, ...]:
    """The zero lines of F_xx in (x, T), as `stationary_branches` those of F_x, solved to rounding.

    `curvature` is what is left of F_xx, so that `stable` and `changes` mean nothing and are empty.

    Raises
    ------
    InputError : as `stationary_branches`.
    """
    return _curves(surface, temperatures, x_window, 2)


def equal_depth_temperature(
    surface: Surface, x_window: Window, temperature_window: Window, temperatures: int = 48
) -> tuple[float, float, float]:
    """T, x1, x2 of a first-order transition, where the two lowest minima are of one depth; the hottest.

    Two minima may coexist between two of the temperatures only: where the lowest one moves far from one to
    the next, the place is halved until both are seen.

    Raises
    ------
    InputError : more than one coordinate, an empty window.
    NotFoundError : the lowest minimum jumps nowhere between the temperatures looked at.
    """
    check_windows((x_window,), temperature_window)
    T = np.linspace(*temperature_window, temperatures)
    scan = stationary_points(surface, T, x_window)
    for cold, hot in zip(scan[-2::-1], scan[:0:-1], strict=True):
        found = _transition(surface, cold, hot) or _within_jump(surface, cold, hot, x_window)
        if found is not None:
            return found
    where = spoken((x_window,), temperature_window)
    raise NotFoundError(f"no two minima of equal depth that change places within {where}")


def _within_jump(
    surface: Surface, cold: StationaryPoints, hot: StationaryPoints, x_window: Window
) -> tuple[float, float, float] | None:
    """The transition between two temperatures, if the lowest minimum jumps and does not only move."""
    far = _JUMP * (x_window[1] - x_window[0])
    for _ in range(_HALVINGS):
        if not abs(_lowest(hot) - _lowest(cold)) > far:
            return None
        middle = stationary_points(surface, [(cold.temperature + hot.temperature) / 2], x_window)[0]
        found = _transition(surface, cold, middle) or _transition(surface, middle, hot)
        if found is not None:
            return found
        upper = abs(_lowest(hot) - _lowest(middle)) > abs(_lowest(middle) - _lowest(cold))
        cold, hot = (middle, hot) if upper else (cold, middle)
    return None


def _lowest(points: StationaryPoints) -> float:
    """x of the lowest minimum; NaN if there is none."""
    if not points.stable.any():
        return float("nan")
    return float(points.x[points.stable][np.argmin(points.free_energies[points.stable])])


def _transition(
    surface: Surface, cold: StationaryPoints, hot: StationaryPoints
) -> tuple[float, float, float] | None:
    """Newton's method on two minima of one depth, from every pair at either of two temperatures."""
    step = hot.temperature - cold.temperature
    for points in (cold, hot):
        minima, depths = points.x[points.stable], points.free_energies[points.stable]
        if len(minima) < 2:
            continue
        lowest = np.argsort(depths)[:2]
        x, T = np.sort(minima[lowest]), points.temperature
        apart = float(x[1] - x[0])
        units = np.array([apart, apart, step])  # of the unknowns, so that the condition means something
        for _ in range(50):
            at, of_T = surface.derivatives(x, T, 2), surface.temperature_derivatives(x, T, 1)
            energies, entropies = float(at[0, 1] - at[0, 0]), float(of_T[0, 1] - of_T[0, 0])
            jacobian = np.array(
                [[at[2, 0], 0, of_T[1, 0]], [0, at[2, 1], of_T[1, 1]], [-at[1, 0], at[1, 1], entropies]]
            )
            rows = np.array([apart, apart, 1.0]) / max(float(np.abs(at[2]).max()) * apart**2, 1e-300)
            scaled = rows[:, None] * jacobian * units
            if np.linalg.cond(scaled) > 1e12:  # minima alike at every temperature
                break
            move = units * np.linalg.solve(scaled, -rows * [at[1, 0], at[1, 1], energies])
            x, T = x + move[:2], T + float(move[2])
            if abs(T - points.temperature) > 2 * step or x[1] <= x[0]:
                break
            if abs(move[2]) < 1e-12 * abs(T) and np.max(np.abs(move[:2])) < 1e-12 * (x[1] - x[0]):
                between = cold.temperature <= T <= hot.temperature
                if between and np.all(surface.derivatives(x, T, 2)[2] > 0):
                    return float(T), float(x[0]), float(x[1])
                break
    return None


def _checked(surface: Surface, temperatures: ArrayLike, x_window: Window) -> Array:
    require_one_dimension(surface)
    T = np.atleast_1d(np.asarray(temperatures, dtype=float))
    if T.ndim != 1 or not len(T) or not np.all(np.isfinite(T)):
        raise InputError("argument temperatures", "", T, "a list of finite temperatures")
    check_windows((x_window,))
    return T


def _roots(surface: Surface, T: Array, x_window: Window, order: int) -> list[Array]:
    """All x in the window where the derivative of that order vanishes, for each T; from the third down."""
    grid = np.linspace(*x_window, MARKS)
    marks = [grid] * len(T)
    roots = [np.empty(0)] * len(T)
    for current in range(3, order - 1, -1):
        sizes = np.array([len(m) for m in marks])
        x, t = np.concatenate(marks), np.repeat(T, sizes)
        row = np.repeat(np.arange(len(T)), sizes)
        values = surface.derivatives(x, t, current)[current]
        largest = np.array([np.abs(values[row == i]).max() for i in range(len(T))])
        values = np.where(np.abs(values) <= _ROUNDING * largest[row], 0.0, values)
        left = np.flatnonzero((values[:-1] * values[1:] < 0) & (row[:-1] == row[1:]))
        zero = np.flatnonzero(values == 0)
        inside = np.empty(0)
        if len(left):
            solved = find_root(
                lambda x, t, order=current: surface.derivatives(x, t, order)[order],
                (x[left], x[left + 1]),
                args=(t[left],),
            )
            inside = solved.x
        all_x, all_rows = np.concatenate([inside, x[zero]]), np.concatenate([row[left], row[zero]])
        roots = [_distinct(all_x[all_rows == i], x_window) for i in range(len(T))]
        marks = [np.union1d(m, r) for m, r in zip(marks, roots, strict=True)]
    return roots


def _distinct(roots: Array, x_window: Window) -> Array:
    """Sorted, without those that rounding made of one."""
    roots = np.sort(roots)
    apart = np.diff(roots, prepend=-np.inf) > 1e-12 * (x_window[1] - x_window[0])
    return roots[apart]


def _roots_between(
    function: Callable[[Array, Array], Array], marks: list[Array], fixed: Array
) -> list[Array]:
    """For each fixed value, the arguments between and on its marks where function(argument, fixed) = 0."""
    row = np.repeat(np.arange(len(marks)), [len(m) for m in marks])
    at = np.concatenate(marks)
    values = function(at, fixed[row])
    left = np.flatnonzero((values[:-1] * values[1:] < 0) & (row[:-1] == row[1:]))
    inside = np.empty(0)
    if len(left):
        inside = find_root(function, (at[left], at[left + 1]), args=(fixed[row[left]],)).x
    zero = values == 0
    found, rows = np.concatenate([inside, at[zero]]), np.concatenate([row[left], row[zero]])
    return [np.sort(found[rows == i]) for i in range(len(marks))]


class _Tracer:
    """Follows the curve on which the derivative of one order vanishes, in coordinates u of [-1, 1]^2."""

    def __init__(self, surface: Surface, order: int, limits: Array) -> None:
        self.surface, self.order = surface, order
        self.centre, self.half = limits.mean(axis=1), np.diff(limits, axis=1)[:, 0] / 2

    def value(self, u: Array) -> tuple[float, Array]:
        """The derivative and its gradient in u."""
        z = self.centre + self.half * u
        found = self.surface.expansion(z[None, :1], z[1:], self.order + 1)  # one pass: no forward mode
        value, gradient = found.gradient[0, 0], found.hessian[0, 0]
        if self.order == 2:
            value, gradient = found.hessian[0, 0, 0], found.third[0, 0, 0]
        return float(value), np.asarray(gradient * self.half)

    def corrected(self, u: Array, normal: Array) -> tuple[Array, Array] | None:
        """The point of the curve in the line through u across `normal`, and the tangent there, or None."""
        at, last = u, np.inf
        for _ in range(_CORRECTIONS):
            value, gradient = self.value(at)
            matrix = np.stack([gradient, normal])
            size = float(np.linalg.norm(gradient))
            if abs(float(np.linalg.det(matrix))) <= 1e-14 * size:
                return None
            step = np.linalg.solve(matrix, [-value, float(normal @ (u - at))])
            at, last = at + step, float(np.linalg.norm(step))
            if np.linalg.norm(at - u) > 4 * _LONGEST:
                return None
            if last < _SOLVED:
                break
        _, gradient = self.value(at)
        size = float(np.linalg.norm(gradient))
        if last > _ROUNDED or size == 0:
            return None
        return at, np.array([-gradient[1], gradient[0]]) / size

    def follow(self, start: Array, sign: float) -> tuple[list[Array], bool]:
        """Points from `start` on until the edge of the window, or back to it: then True."""
        _, gradient = self.value(start)
        if not np.any(gradient):
            return [start], False
        tangent = sign * np.array([-gradient[1], gradient[0]]) / np.linalg.norm(gradient)
        points, at, length = [start], start, _LONGEST / 4
        while len(points) < _MOST_STEPS:
            found = self.corrected(at + length * tangent, tangent)
            if found is not None:
                new, along = found
                along = along * np.sign(along @ tangent or 1.0)
            if found is None or np.arccos(np.clip(along @ tangent, -1, 1)) > _TURN:
                length /= 2
                if length < _SHORTEST:
                    return points, False
                continue
            if np.max(np.abs(new)) > 1:
                edge = self._edge(at, new)
                return (points if edge is None else [*points, edge]), False
            points.append(new)
            tangent, at, length = along, new, min(_LONGEST, 1.5 * length)
            home = start - at
            if len(points) > 4 and np.linalg.norm(home) < length and home @ tangent > 0:
                return [*points, start], True
        return points, False

    def _edge(self, inside: Array, outside: Array) -> Array | None:
        """Where the curve leaves the window between two of its points."""
        excess = np.abs(outside) - 1
        axis = int(np.argmax(excess))
        border = float(np.sign(outside[axis]))
        share = (border - inside[axis]) / (outside[axis] - inside[axis])
        start = inside + share * (outside - inside)
        found = self.corrected(start, np.eye(2)[axis])
        if found is None or np.max(np.abs(found[0])) > 1 + 1e-9 or np.linalg.norm(found[0] - inside) < 1e-9:
            return None
        return found[0]

    def change(self, one: Array, other: Array) -> Array:
        """The point of the curve between two of its points where F_xx changes sign."""
        direction = (other - one) / np.linalg.norm(other - one)

        def curvature(at: Array) -> float:
            x, T = self.centre + self.half * at
            return float(self.surface.derivatives(x, T, 2)[2, 0])

        low, high = 0.0, float(np.linalg.norm(other - one))
        begins, best = curvature(one), (one + other) / 2
        while high - low > 1e-12:
            for share in (0.5, 0.4, 0.6):  # at a pitchfork itself no line across the curve is left
                middle = low + share * (high - low)
                found = self.corrected(one + middle * direction, direction)
                if found is not None:
                    break
            else:
                return best
            best = found[0]
            low, high = (middle, high) if curvature(best) * begins > 0 else (low, middle)
        return best


def _curves(surface: Surface, temperatures: ArrayLike, x_window: Window, order: int) -> tuple[Curve, ...]:
    """All curves through the roots at the temperatures, each once."""
    T = _checked(surface, temperatures, x_window)
    if len(T) < 2 or T.min() == T.max():
        raise InputError("argument temperatures", "", T, "two or more different temperatures")
    limits = np.array([x_window, (T.min(), T.max())])
    tracer = _Tracer(surface, order, limits)
    roots = _roots(surface, T, x_window, order)
    seeds = np.array([(x, t) for t, found in zip(T, roots, strict=True) for x in found]).reshape(-1, 2)
    if not len(seeds):
        return ()
    steepness = np.abs(surface.derivatives(seeds[:, 0], seeds[:, 1], order + 1)[order + 1])
    seeds = ((seeds - tracer.centre) / tracer.half)[
        np.argsort(-steepness)
    ]  # far from where curves meet first
    curves: list[Curve] = []
    followed: list[Array] = []
    for seed in seeds:
        if any(_distance(seed, line) < _VISITED for line in followed):
            continue
        forward, closed = tracer.follow(seed, 1.0)
        backward = [] if closed else tracer.follow(seed, -1.0)[0][1:]
        line = np.array([*backward[::-1], *forward])
        followed.append(line)
        curves.append(_curve(tracer, line, closed))
    return tuple(curves)


def _curve(tracer: _Tracer, line: Array, closed: bool) -> Curve:
    x, T = (tracer.centre + tracer.half * line).T
    curvature = tracer.surface.derivatives(x, T, 2)[2]
    stable = np.zeros(len(x), dtype=bool)
    changes: list[Array] = []
    if tracer.order == 1:
        stable = curvature > 0
        for i in np.flatnonzero(stable[1:] != stable[:-1]):
            changes.append(tracer.centre + tracer.half * tracer.change(line[i], line[i + 1]))
    return Curve(x, T, curvature, stable, closed, np.array(changes).reshape(-1, 2))


def _distance(point: Array, line: Array) -> float:
    """From a point to a polyline."""
    if len(line) == 1:
        return float(np.linalg.norm(point - line[0]))
    start, along = line[:-1], np.diff(line, axis=0)
    lengths = np.maximum(np.linalg.norm(along, axis=1), 1e-15)
    share = np.clip(np.sum((point - start) * along, axis=1) / lengths**2, 0, 1)
    return float(np.min(np.linalg.norm(point - start - share[:, None] * along, axis=1)))
