"""Isobars of a surface in one dimension: the stable x against T, and where it falls on heating.

The pressure belongs to the surface (`zenn.landscape.surface.NetworkSurface.pressure`): F + P x is least at
the stable x, where F_x + P = 0. Along it dx/dT = -F_xT / F_xx, so that windows of negative thermal expansion
begin and end where F_xT = 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from zenn.landscape.branches import stationary_points
from zenn.landscape.critical import Window
from zenn.landscape.surface import Surface

Array = NDArray[np.float64]

_NEWTON_STEPS = 50
_SOLVED = 1e-13  # of the window of x: length of the last step


class ExpansionWindow(NamedTuple):
    """Temperatures between which x falls on heating; ends of a connected part of the isobar are edges too."""

    low: float
    high: float


def isobar(surface: Surface, temperatures: ArrayLike, x_window: Window) -> Array:
    """The x of the lowest minimum in the window at each temperature, shape (M,); NaN where there is none.

    Raises
    ------
    InputError : as `zenn.landscape.branches.stationary_points`.
    """
    stable = []
    for points in stationary_points(surface, temperatures, x_window):
        depths = np.where(points.stable, points.free_energies, np.inf)
        found = len(depths) and np.isfinite(depths.min())
        stable.append(points.x[int(np.argmin(depths))] if found else np.nan)
    return np.array(stable)


def expansion_slopes(surface: Surface, x: ArrayLike, temperatures: ArrayLike) -> Array:
    """dx/dT at constant pressure on points of an isobar, shape (M,)."""
    x, T = np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float)
    return np.asarray(-surface.temperature_derivatives(x, T, 1)[1] / surface.derivatives(x, T, 2)[2])


def negative_expansion(
    surface: Surface, temperatures: ArrayLike, x_window: Window
) -> tuple[ExpansionWindow, ...]:
    """Windows of T in which the stable x falls on heating; edges solved for, coldest first.

    A window shorter than a step of the increasing `temperatures` is not seen; a jump of the stable x belongs
    to none.

    Raises
    ------
    InputError : as `isobar`.
    """
    T = np.asarray(temperatures, dtype=float)
    x = isobar(surface, T, x_window)
    known = np.isfinite(x)
    falling = np.zeros(len(T), dtype=bool)
    falling[known] = expansion_slopes(surface, x[known], T[known]) < 0
    width = x_window[1] - x_window[0]
    windows: list[ExpansionWindow] = []
    begun: float | None = float(T[0]) if falling[0] else None
    for i in range(1, len(T)):
        joined = bool(known[i - 1] and known[i]) and _joined(surface, T[i - 1], x[i - 1], T[i], x[i], width)
        if not joined:
            if begun is not None:
                windows.append(ExpansionWindow(begun, float(T[i - 1])))
            begun = float(T[i]) if falling[i] else None
        elif falling[i] != falling[i - 1]:
            edge = _edge(surface, T[i - 1], x[i - 1], T[i], width)
            if begun is not None:
                windows.append(ExpansionWindow(begun, edge))
            begun = edge if falling[i] else None
    if begun is not None:
        windows.append(ExpansionWindow(begun, float(T[-1])))
    return tuple(window for window in windows if window.high > window.low)


def _followed(surface: Surface, temperature: float, x: float, width: float) -> float:
    """The stationary x that Newton's method reaches from a neighbour's; NaN if none."""
    for _ in range(_NEWTON_STEPS):
        found = surface.derivatives(x, temperature, 2)
        step = float(found[1, 0] / found[2, 0])
        x -= step
        if not abs(step) < width:
            return float("nan")
        if abs(step) < _SOLVED * width:
            return x
    return float("nan")


def _joined(surface: Surface, cold: float, x_cold: float, hot: float, x_hot: float, width: float) -> bool:
    """Whether two points of an isobar lie on one branch: small steps lead from one to the other."""
    x = x_cold
    for share in np.linspace(0, 1, 9)[1:]:
        x = _followed(surface, cold + share * (hot - cold), x, width)
    return bool(abs(x - x_hot) < 1e-6 * width)


def _edge(surface: Surface, cold: float, x_cold: float, hot: float, width: float) -> float:
    """T between two of one branch where dx/dT = 0."""

    def slope(temperature: float) -> float:
        x = _followed(surface, temperature, x_cold, width)
        return float(surface.temperature_derivatives(x, temperature, 1)[1, 0])

    return float(brentq(slope, cold, hot, xtol=1e-12 * hot, rtol=1e-14))
