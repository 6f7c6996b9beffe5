"""Isobars of a surface in one dimension: the stable x against T, and where it falls on heating.

The pressure belongs to the surface (`zenn.landscape.surface.NetworkSurface.pressure`): F + P x is least at
the stable x, where F_x + P = 0. Along it dx/dT = -F_xT / F_xx, so that windows of negative thermal expansion
begin and end where F_xT = 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.errors import InputError, NotConvergedError
from zenn.landscape.critical import Window, check_windows
from zenn.landscape.surface import Surface, require_one_dimension

Array = NDArray[np.float64]

MARKS = 201
"""Coordinates between which F_x is taken to change sign once at most."""

_NEWTON_STEPS = 50
_FOLLOWING = 8  # steps from one temperature to the next
_ROUNDS = 12  # of narrowing the place of an edge before it is given up
_SOLVED = 1e-13  # of the window of x: length of the last step
_TURNED = 1e-9  # of T: length of the last step, the one after which is below rounding
_SAME = 1e-6  # of the window of x: two x closer than this are one


class ExpansionWindow(NamedTuple):
    """Temperatures between which x falls on heating; ends of a connected part of the isobar are edges too."""

    low: float
    high: float


def isobar(surface: Surface, temperatures: ArrayLike, x_window: Window) -> Array:
    """The x of the lowest minimum in the window at each temperature, shape (M,); NaN where there is none.

    A minimum and a maximum that lie between two of the `MARKS` are not seen.

    Raises
    ------
    InputError : more than one coordinate, an empty window.
    """
    require_one_dimension(surface)
    check_windows((x_window,))
    T, x = np.asarray(temperatures, dtype=float), np.linspace(*x_window, MARKS)
    slopes = surface.derivatives(np.tile(x, len(T)), np.repeat(T, len(x)), 1)[1].reshape(len(T), len(x))
    row, left = np.nonzero((slopes[:, :-1] <= 0) & (slopes[:, 1:] > 0))
    stable = np.full(len(T), np.nan)
    if not len(row):
        return stable
    low, high = x[left], x[left + 1]
    share = slopes[row, left] / (slopes[row, left] - slopes[row, left + 1])
    at = _bracketed(surface, T[row], low, high, low + share * (high - low))
    depths = surface.derivatives(at, T[row], 0)[0]
    for i in np.argsort(-depths):  # the lowest is written last
        stable[row[i]] = at[i]
    return stable


def expansion_slopes(surface: Surface, x: ArrayLike, temperatures: ArrayLike) -> Array:
    """dx/dT at constant pressure on points of an isobar, shape (M,)."""
    x, T = np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float)
    hessian = surface.expansion(x[:, None], T, 2).hessian
    return np.asarray(-hessian[:, 0, 1] / hessian[:, 0, 0])


def negative_expansion(
    surface: Surface, temperatures: ArrayLike, x: ArrayLike, x_window: Window
) -> tuple[ExpansionWindow, ...]:
    """Windows of T in which the x of an isobar falls on heating; edges solved for, coldest first.

    temperatures : increasing, shape (M,). x : what `isobar` gives at them. A window shorter than a step of
    the temperatures is not seen; a jump of x belongs to none.

    Raises
    ------
    InputError : temperatures and x of different lengths.
    NotConvergedError : an edge cannot be solved for.
    """
    T, x = np.asarray(temperatures, dtype=float), np.asarray(x, dtype=float)
    if T.shape != x.shape or T.ndim != 1 or not len(T):
        raise InputError("argument x", "", f"shapes {T.shape} and {x.shape}", "two vectors of one length")
    known = np.isfinite(x)
    falling = np.zeros(len(T), dtype=bool)
    falling[known] = expansion_slopes(surface, x[known], T[known]) < 0
    width = x_window[1] - x_window[0]
    joined = _joined(surface, T, x, width)
    windows: list[ExpansionWindow] = []
    begun: float | None = float(T[0]) if falling[0] else None
    for i in range(1, len(T)):
        if not joined[i - 1]:
            if begun is not None:
                windows.append(ExpansionWindow(begun, float(T[i - 1])))
            begun = float(T[i]) if falling[i] else None
        elif falling[i] != falling[i - 1]:
            edge = _edge(surface, T[i - 1 : i + 1], x[i - 1 : i + 1], width)
            if begun is not None:
                windows.append(ExpansionWindow(begun, edge))
            begun = edge if falling[i] else None
    if begun is not None:
        windows.append(ExpansionWindow(begun, float(T[-1])))
    return tuple(window for window in windows if window.high > window.low)


def _bracketed(surface: Surface, T: Array, low: Array, high: Array, x: Array) -> Array:
    """Newton's method for F_x = 0 between two x with F_x <= 0 < F_x, halving where it leaves them."""
    width = float(np.max(high - low))
    for _ in range(_NEWTON_STEPS):
        found = surface.derivatives(x, T, 2)
        low, high = np.where(found[1] <= 0, x, low), np.where(found[1] > 0, x, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = x - found[1] / found[2]
        new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
        last, x = np.abs(new - x), new
        if np.all(last < _SOLVED * width):
            break
    return x


def _followed(surface: Surface, T: Array, x: Array, width: float) -> Array:
    """The stationary x that Newton's method reaches from each of given ones; NaN if none."""
    last = np.full(len(x), np.inf)
    for _ in range(_NEWTON_STEPS):
        found = surface.derivatives(x, T, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = found[1] / found[2]
        x = np.where(np.abs(step) < width, x - step, np.nan)
        last = np.abs(step)
        if not np.any(last > _SOLVED * width):  # NaN, where there is none, is not larger either
            break
    return np.where(last < _SAME * width, x, np.nan)


def _joined(surface: Surface, T: Array, x: Array, width: float) -> NDArray[np.bool_]:
    """Whether neighbours on an isobar lie on one branch, shape (M - 1,): small steps lead to the next."""
    both = np.isfinite(x[:-1]) & np.isfinite(x[1:])
    at = x[:-1][both]
    for share in np.arange(1, _FOLLOWING + 1) / _FOLLOWING:
        at = _followed(surface, T[:-1][both] + share * np.diff(T)[both], at, width)
    joined = np.zeros(len(both), dtype=bool)
    joined[both] = np.abs(at - x[1:][both]) < _SAME * width
    return joined


def _edge(surface: Surface, T: Array, x: Array, width: float) -> float:
    """The temperature between two, on the branch between their x, where dx/dT changes sign."""
    between = np.array([T, x])
    for _ in range(_ROUNDS):
        T, guess = np.linspace(between[:, 0], between[:, 1], _FOLLOWING + 1, axis=1)
        branch = _followed(surface, T, guess, width)
        if not np.all(np.isfinite(branch)):
            break
        signs = np.sign(expansion_slopes(surface, branch, T))
        turns = np.flatnonzero(signs[1:] != signs[:-1])
        if not len(turns):
            break
        i = int(turns[0])
        edge = _turning_point(surface, (branch[i] + branch[i + 1]) / 2, T[i : i + 2])
        if edge is not None:
            return edge
        between = np.array([T[i : i + 2], branch[i : i + 2]])
        if T[i + 1] - T[i] < _TURNED * T[i + 1]:
            return float(T[i : i + 2].mean())  # F_xT is so small here that Newton's steps are rounding
    raise NotConvergedError(
        f"no zero of the expansion solved for between T = {between[0, 0]:g} and {between[0, 1]:g}"
    )


def _turning_point(surface: Surface, x: float, between: Array) -> float | None:
    """T of F_x = F_xT = 0 by Newton's method, or None if it leaves the temperatures."""
    at = np.array([x, between.mean()])
    for _ in range(_NEWTON_STEPS):
        found = surface.expansion(at[None, :1], at[1:], 3)
        wanted = np.array([found.gradient[0, 0], found.hessian[0, 0, 1]])
        jacobian = np.array([found.hessian[0, 0], found.third[0, 0, 1]])
        if np.linalg.cond(jacobian) > 1e14:
            return None
        step = np.linalg.solve(jacobian, wanted)
        at = at - step
        if not between[0] <= at[1] <= between[1]:
            return None
        if abs(step[1]) < _TURNED * between[1]:
            return float(at[1])
    return None
