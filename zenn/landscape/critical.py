"""Critical points of an energy surface, solved for: F_xx = F_xxx = 0, and the zero-eigenvalue problem.

In one dimension a critical point of the family of surfaces F + P x has F_xx = F_xxx = 0; two equations in
(x, T), regular there, for which Newton's method is quadratic. Eq. (19) of Wang et al., ZENN,

    grad F = 0,   H xi = 0,   |xi| = 1,

asks for a stationary point with a zero eigenvalue, in any dimension. It is regular at a fold and singular at
a pitchfork, where its Jacobian loses rank: there a damped Gauss-Newton method (Levenberg and Marquardt's)
still converges, but linearly, and an error e of the slope moves T* by about e^(2/3): a fit that breaks the
symmetry of a pitchfork by little turns it into a fold some way off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.landscape.surface import Surface, require_one_dimension

Array = NDArray[np.float64]
Window = tuple[float, float]

SCAN = (48, 200)
"""Temperatures and coordinates of the scan for critical points; what lies between two is not seen."""

SINGULAR = 1e-4
"""Smallest over largest singular value of the Jacobian of Eq. 19 below which it counts as singular."""

_SAME = 1e-5  # of the windows: solutions closer than this are one, which rounding can make several
_SAME_SINGULAR = 1e-2  # where convergence is linear it ends far from the solution, on the residual's scale
_STEP = 0.25  # of the windows: longest step
_STATIONARY = 1e-9  # scaled slope below which a start is stationary
_ATTEMPTS = 40  # of Newton's method for stationary starts


@dataclass(frozen=True)
class CriticalPoint:
    """A point with F_xx = F_xxx = 0.

    temperature, x : where. slope : F_x there; the pressure -F_x at which it is also stationary.
    fourth : F_xxxx; positive where one minimum becomes two. residuals : L^2 F_xx / E and L^3 F_xxx / E, with
    L the half-width of the window of x and E the largest L^2 |F_xx| of the scan. iterations : Newton steps.
    """

    temperature: float
    x: float
    slope: float
    fourth: float
    residuals: tuple[float, float]
    iterations: int


@dataclass(frozen=True, eq=False)
class ZeroEigenvaluePoint:
    """A solution of Eq. (19); arrays read-only.

    temperature : T*. x : x*, shape (d,). direction : xi, shape (d,), of unit length. slope : largest |dF/dx|
    left. eigenvalue : |H xi| left. residual : largest entry of Eq. 19 with coordinates in half-widths of
    their windows and energies in the largest Hessian of the starts. rank : smallest over largest singular
    value of its Jacobian, zero at a pitchfork. iterations : steps taken.
    """

    temperature: float
    x: Array
    direction: Array
    slope: float
    eigenvalue: float
    residual: float
    rank: float
    iterations: int

    def __post_init__(self) -> None:
        for array in (self.x, self.direction):
            array.flags.writeable = False

    @property
    def singular(self) -> bool:
        """The Jacobian lost its rank: a pitchfork or worse, reached by linear convergence."""
        return self.rank < SINGULAR


def bifurcation_point(
    surface: Surface,
    x_window: Window,
    temperature_window: Window,
    tolerance: float = 1e-10,
    max_iterations: int = 50,
) -> CriticalPoint:
    """The hottest point with F_xx = F_xxx = 0 < F_xxxx, where one minimum becomes two; one dimension.

    Raises
    ------
    InputError : as `critical_points`.
    NotFoundError : there is none in the windows.
    NotConvergedError : as `critical_points`.
    """
    found = critical_points(surface, x_window, temperature_window, tolerance, max_iterations)
    for point in found:
        if point.fourth > 0:
            return point
    where = spoken((x_window,), temperature_window)
    other = "".join(f"; the one at T = {p.temperature:g}, x = {p.x:g} has F_xxxx < 0" for p in found)
    raise NotFoundError(f"no bifurcation point (F_xx = F_xxx = 0 < F_xxxx) within {where}{other}")


def critical_points(
    surface: Surface,
    x_window: Window,
    temperature_window: Window,
    tolerance: float = 1e-10,
    max_iterations: int = 50,
) -> tuple[CriticalPoint, ...]:
    """All points with F_xx = F_xxx = 0 that a scan of the windows leads to, hottest first; may be none.

    Raises
    ------
    InputError : more than one coordinate, an empty window, or a limit that is not positive.
    NotConvergedError : candidates stayed within the windows above `tolerance`, and none converged.
    """
    require_one_dimension(surface)
    check_windows((x_window,), temperature_window)
    _check_limits(tolerance, max_iterations)
    T = np.linspace(*temperature_window, SCAN[0])
    x = np.linspace(*x_window, SCAN[1])
    at = surface.derivatives(np.tile(x, len(T)), np.repeat(T, len(x)), 3).reshape(4, len(T), len(x))
    half = (x_window[1] - x_window[0]) / 2
    energy = float(np.abs(at[2]).max())
    if energy == 0:
        raise InputError("argument surface", "", "F_xx = 0 everywhere in the windows", "a curved surface")
    rows, columns = np.nonzero(_changes_sign(at[2]) & _changes_sign(at[3]))
    start = (x[columns] + x[columns + 1]) / 2, (T[rows] + T[rows + 1]) / 2
    limits = np.array([x_window, temperature_window])
    found = _newton(surface, *start, limits, (1 / energy, half / energy), tolerance, max_iterations)
    points: list[CriticalPoint] = []
    for point in sorted(found.converged, key=lambda point: -point.temperature):
        if not any(_close(point, other, limits) for other in points):
            points.append(point)
    if found.unfinished and not points:
        raise NotConvergedError(
            f"F_xx = F_xxx = 0 above {tolerance:g} after {max_iterations} Newton steps, from "
            f"{found.unfinished} candidates within {spoken((x_window,), temperature_window)}"
        )
    return tuple(points)


def zero_eigenvalue_points(
    surface: Surface,
    windows: Sequence[Window],
    temperature_window: Window,
    tolerance: float = 1e-12,
    max_iterations: int = 200,
    temperatures: int = 16,
    starts: int = 64,
    seed: int = 0,
) -> tuple[ZeroEigenvaluePoint, ...]:
    """All solutions of Eq. (19) that the starts lead to, hottest first; may be none.

    Starts are the stationary points that Newton's method reaches from `starts` random points (of `seed`) of
    the `windows`, one per coordinate, at each of `temperatures` temperatures, each with the eigenvector of
    its smallest eigenvalue. A solution counts when its scaled residual is below `tolerance`; where Eq. 19 is
    singular, T is then known to about tolerance^(2/3).

    Raises
    ------
    InputError : windows that are empty or not one per coordinate, or a limit that is not positive.
    """
    if len(windows) != surface.dimensions:
        raise InputError("argument windows", "", f"{len(windows)} windows", f"{surface.dimensions}")
    check_windows(windows, temperature_window)
    _check_limits(tolerance, max_iterations, temperatures, starts)
    box = _Box(surface, np.array([*windows, temperature_window]))
    u = _stationary_starts(box, temperatures, starts, seed)
    if not len(u):
        return ()
    solved = _levenberg_marquardt(box, u, tolerance, max_iterations)
    points = [
        _zero_eigenvalue_point(box, *one)
        for one in zip(*solved, strict=True)
        if one[1] < tolerance and np.all(np.abs(one[0][: box.size]) <= 1)
    ]
    kept: list[ZeroEigenvaluePoint] = []
    for point in sorted(points, key=lambda point: point.residual):
        if not any(_one_solution(point, other, box) for other in kept):
            kept.append(point)
    return tuple(sorted(kept, key=lambda point: -point.temperature))


def zero_eigenvalue_point(
    surface: Surface,
    windows: Sequence[Window],
    temperature_window: Window,
    tolerance: float = 1e-12,
    max_iterations: int = 200,
) -> ZeroEigenvaluePoint:
    """The hottest of `zero_eigenvalue_points`.

    Raises
    ------
    InputError : as `zero_eigenvalue_points`.
    NotFoundError : no start led to a solution within the windows.
    """
    found = zero_eigenvalue_points(surface, windows, temperature_window, tolerance, max_iterations)
    if not found:
        where = spoken(windows, temperature_window)
        raise NotFoundError(f"no stationary point with a zero eigenvalue (Eq. 19) within {where}")
    return found[0]


def check_windows(windows: Sequence[Window], temperature_window: Window | None = None) -> None:
    """Refuse windows that are empty or not finite.

    Raises
    ------
    InputError : one is.
    """
    named = [(f"window of coordinate {i + 1}", window) for i, window in enumerate(windows)]
    if temperature_window is not None:
        named.append(("argument temperature_window", temperature_window))
    for name, (low, high) in named:
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InputError(name, "", (low, high), "(low, high) with low < high, finite")


def spoken(windows: Sequence[Window], temperature_window: Window) -> str:
    """The windows in words.

    >>> spoken([(-1.0, 1.0)], (1.0, 3.0))
    'x = -1 to 1 and T = 1 to 3'
    """
    names = ["x"] if len(windows) == 1 else [f"x{i + 1}" for i in range(len(windows))]
    texts = [f"{name} = {low:g} to {high:g}" for name, (low, high) in zip(names, windows, strict=True)]
    return f"{', '.join(texts)} and T = {temperature_window[0]:g} to {temperature_window[1]:g}"


def _check_limits(*limits: float) -> None:
    for value in limits:
        if not value > 0:
            raise InputError("a tolerance or count", "", value, "a positive number")


def _changes_sign(values: Array) -> NDArray[np.bool_]:
    """Cells of a grid whose corners do not all have one sign."""
    corners = np.stack([values[:-1, :-1], values[1:, :-1], values[:-1, 1:], values[1:, 1:]])
    return np.asarray((corners.min(axis=0) <= 0) & (corners.max(axis=0) >= 0))


class _Search(NamedTuple):
    converged: list[CriticalPoint]
    unfinished: int


def _newton(
    surface: Surface,
    x: Array,
    T: Array,
    limits: Array,
    scale: tuple[float, float],
    tolerance: float,
    max_iterations: int,
) -> _Search:
    """Newton's method on F_xx = F_xxx = 0 from all candidates at once; those that end outside are dropped."""
    converged: list[CriticalPoint] = []
    longest = _STEP * np.diff(limits, axis=1)[:, 0]
    for iteration in range(max_iterations + 1):
        if not len(x):
            break
        at = surface.derivatives(x, T, 4)
        residuals = np.stack([scale[0] * at[2], scale[1] * at[3]], axis=1)
        done = np.max(np.abs(residuals), axis=1) < tolerance
        inside = _inside(x, T, limits)
        for i in np.flatnonzero(done & inside):
            left = float(residuals[i, 0]), float(residuals[i, 1])
            where = float(T[i]), float(x[i]), float(at[1, i]), float(at[4, i])
            converged.append(CriticalPoint(*where, left, iteration))
        x, T, at = x[~done], T[~done], at[:, ~done]
        if not len(x) or iteration == max_iterations:
            break
        of_T = surface.temperature_derivatives(x, T, 3)
        jacobian = np.array([[at[3], of_T[2]], [at[4], of_T[3]]]).transpose(2, 0, 1)
        scaled = jacobian * longest  # pseudo-inverse in units of the windows: a singular one gives a step too
        step = -np.einsum("Nij,Nj->Ni", np.linalg.pinv(scaled), at[2:4].T)
        step = step / np.maximum(1, np.abs(step).max(axis=1, keepdims=True)) * longest
        x, T = x + step[:, 0], T + step[:, 1]
        near = (np.abs(x - limits[0].mean()) < np.ptp(limits[0])) & (
            np.abs(T - limits[1].mean()) < np.ptp(limits[1])
        )
        x, T = x[near], T[near]  # gone for good
    return _Search(converged, int(_inside(x, T, limits).sum()))


def _inside(x: Array, T: Array, limits: Array) -> NDArray[np.bool_]:
    """Which points lie in the windows, limits of shape (2, 2)."""
    z = np.stack([x, T])
    return np.asarray(np.all((z >= limits[:, :1]) & (z <= limits[:, 1:]), axis=0))


def _close(one: CriticalPoint, other: CriticalPoint, limits: Array) -> bool:
    apart = np.array([one.x - other.x, one.temperature - other.temperature]) / np.diff(limits, axis=1)[:, 0]
    return bool(np.max(np.abs(apart)) < _SAME)


class _Box:
    """The surface in coordinates that map the windows to [-1, 1], temperature last, over an energy."""

    def __init__(self, surface: Surface, limits: Array) -> None:
        self.surface = surface
        self.centre, self.half = limits.mean(axis=1), np.diff(limits, axis=1)[:, 0] / 2
        self.size, self.energy = len(limits), 1.0

    def expansion(self, u: Array, order: int) -> tuple[Array, Array, Array]:
        """Gradient (N, n), Hessian (N, n, n) and third derivatives (N, n, n, n) at u, shape (N, n)."""
        z = self.centre + self.half * u
        found = self.surface.expansion(z[:, :-1], z[:, -1], order)
        h, E = self.half, self.energy
        gradient, hessian = found.gradient * h / E, found.hessian * (h[:, None] * h) / E
        third = found.third
        if order > 2:
            third = third * (h[:, None, None] * h[:, None] * h) / E
        return gradient, hessian, third


def _stationary_starts(box: _Box, temperatures: int, starts: int, seed: int) -> Array:
    """Starts (u, xi) for Eq. 19, shape (N, n + d): stationary points, all that were reached."""
    d = box.size - 1
    random = np.random.default_rng(seed)
    u = np.concatenate(
        [
            random.uniform(-1, 1, (temperatures * starts, d)),
            np.repeat(np.linspace(-1, 1, temperatures), starts)[:, None],
        ],
        axis=1,
    )
    hessian = box.expansion(u, 2)[1][:, :d, :d]
    box.energy = float(np.abs(hessian).max()) or 1.0
    for _ in range(_ATTEMPTS):
        gradient, hessian, _ = box.expansion(u, 2)
        if np.all(np.abs(gradient[:, :d]) < _STATIONARY):
            break
        step = -np.einsum("Nij,Nj->Ni", np.linalg.pinv(hessian[:, :d, :d], rcond=1e-10), gradient[:, :d])
        step = step * np.minimum(1, _STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), _STEP))
        u[:, :d] = np.clip(u[:, :d] + step, -1.5, 1.5)
    gradient, hessian, _ = box.expansion(u, 2)
    values, vectors = np.linalg.eigh(hessian[:, :d, :d])
    smallest = np.argmin(np.abs(values), axis=1)
    xi = vectors[np.arange(len(u)), :, smallest]
    good = np.all(np.abs(u) <= 1, axis=1) & (np.abs(gradient[:, :d]).max(axis=1) < 1e-3)
    _, first = np.unique(np.round(u[good], 3), axis=0, return_index=True)
    return np.concatenate([u[good], xi[good]], axis=1)[first]


def _system(box: _Box, w: Array) -> tuple[Array, Array]:
    """Eq. 19 and its Jacobian at w = (u, xi), shapes (N, 2 d + 1) and (N, 2 d + 1, 2 d + 1)."""
    n = box.size
    d = n - 1
    gradient, hessian, third = box.expansion(w[:, :n], 3)
    xi = w[:, n:]
    residual = np.concatenate(
        [
            gradient[:, :d],
            np.einsum("Nij,Nj->Ni", hessian[:, :d, :d], xi),
            (np.einsum("Ni,Ni->N", xi, xi)[:, None] - 1) / 2,
        ],
        axis=1,
    )
    jacobian = np.zeros((len(w), 2 * d + 1, 2 * d + 1))
    jacobian[:, :d, :n] = hessian[:, :d]
    jacobian[:, d : 2 * d, :n] = np.einsum("Nijz,Nj->Niz", third[:, :d, :d], xi)
    jacobian[:, d : 2 * d, n:] = hessian[:, :d, :d]
    jacobian[:, 2 * d, n:] = xi
    return residual, jacobian


def _levenberg_marquardt(
    box: _Box, w: Array, tolerance: float, max_iterations: int
) -> tuple[Array, Array, Array, Array]:
    """Damped Gauss-Newton from all starts at once: w, largest residual, rank and steps, each of length N.

    The damping is a factor times |R|^2, so that it vanishes fast enough for quadratic convergence where the
    Jacobian is regular, and keeps the step finite where it is not.
    """
    factor = np.ones(len(w))
    steps = np.zeros(len(w), dtype=int)
    residual, jacobian = _system(box, w)
    unit = np.eye(w.shape[1])
    for _ in range(max_iterations):
        # on past the tolerance until nothing improves: where it is singular every digit of R counts
        active = np.flatnonzero((np.abs(residual).max(axis=1) > tolerance * 1e-3) & (factor < 1e12))
        if not len(active):
            break
        R, J = residual[active], jacobian[active]
        damping = factor[active] * np.einsum("Ni,Ni->N", R, R)
        normal = np.einsum("Nki,Nkj->Nij", J, J) + damping[:, None, None] * unit
        step = -np.einsum("Nij,Nkj,Nk->Ni", np.linalg.pinv(normal, hermitian=True), J, R)
        step = step * np.minimum(1, _STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), _STEP))
        trial = w[active] + step
        new_residual, new_jacobian = _system(box, trial)
        better = np.linalg.norm(new_residual, axis=1) < np.linalg.norm(R, axis=1)
        factor[active] = np.where(better, np.maximum(factor[active] / 10, 1e-6), factor[active] * 10)
        steps[active] += 1
        moved = active[better]
        w[moved], residual[moved], jacobian[moved] = trial[better], new_residual[better], new_jacobian[better]
        gone = active[np.abs(w[active, : box.size]).max(axis=1) > 2]
        factor[gone] = np.inf
    singular = np.linalg.svd(jacobian, compute_uv=False)
    return w, np.abs(residual).max(axis=1), singular[:, -1] / singular[:, 0], steps


def _zero_eigenvalue_point(
    box: _Box, w: Array, residual: float, rank: float, steps: int
) -> ZeroEigenvaluePoint:
    n = box.size
    z = box.centre + box.half * w[:n]
    xi = w[n:] * box.half[:-1]
    xi = xi / np.linalg.norm(xi) * np.sign(xi[np.argmax(np.abs(xi))])
    at = box.surface.expansion(z[None, :-1], z[-1:], 2)
    slope = float(np.abs(at.gradient[0, :-1]).max())
    eigenvalue = float(np.linalg.norm(at.hessian[0, :-1, :-1] @ xi))
    return ZeroEigenvaluePoint(
        float(z[-1]), z[:-1].copy(), xi, slope, eigenvalue, float(residual), float(rank), int(steps)
    )


def _one_solution(one: ZeroEigenvaluePoint, other: ZeroEigenvaluePoint, box: _Box) -> bool:
    apart = np.append(one.x - other.x, one.temperature - other.temperature) / box.half
    reach = _SAME_SINGULAR if one.singular or other.singular else _SAME
    return bool(np.max(np.abs(apart)) < reach)
