"""F and its first derivatives on a grid: where the solvers of the phase diagram look first.

What is narrower in volume than a step of the grid, or in temperature than the caller's temperatures, is not
seen; roots are never taken from the grid, only their brackets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zenn.errors import InputError
from zenn.materials.helmholtz import derivatives, mixture
from zenn.materials.material import Material

Array = NDArray[np.float64]
Window = tuple[float, float]

SCAN_VOLUMES = 241
SCAN_STEP = 1e-3
"""Fewest volumes of a scan, and the largest relative step between them."""

_ROUNDING = 1e-11  # eV: F may lie below a tangent by so much


@dataclass(frozen=True, eq=False)
class Scan:
    """F, F_V, F_VV (eV / Å^(3 j)) at N temperatures (K) and M volumes (Å3 per atom), shape (N, M).

    probabilities : of the K configurations, shape (N, M, K).
    """

    material: Material
    temperatures: Array
    volumes: Array
    F: Array
    F_V: Array
    F_VV: Array
    probabilities: Array


def scan(material: Material, temperatures: ArrayLike, volume_window: Window) -> Scan:
    """Evaluate F on the grid of sorted temperatures and the volumes of the window.

    Raises
    ------
    InputError : the window is empty or not positive, or the temperatures do not increase.
    """
    check_window("volume_window", volume_window)
    T = np.atleast_1d(np.asarray(temperatures, dtype=np.float64))
    if T.ndim != 1 or not np.all(np.diff(T) > 0):
        raise InputError("argument temperatures", "", T, "a list of increasing temperatures in K")
    return _scan(material, T, scan_volumes(volume_window))


def extended(found: Scan, temperatures: Array) -> Scan:
    """A scan with more temperatures: only those it does not have are evaluated."""
    new = np.setdiff1d(temperatures, found.temperatures)
    if not len(new):
        return found
    more = _scan(found.material, new, found.volumes)
    order = np.argsort(np.concatenate([found.temperatures, new]))

    def both(one: Array, other: Array) -> Array:
        return np.concatenate([one, other])[order]

    return Scan(
        found.material,
        both(found.temperatures, new),
        found.volumes,
        both(found.F, more.F),
        both(found.F_V, more.F_V),
        both(found.F_VV, more.F_VV),
        both(found.probabilities, more.probabilities),
    )


def _scan(material: Material, T: Array, V: Array) -> Scan:
    found, states = mixture(material, V, T[:, None], order=2)
    return Scan(material, T, V, found.F, found.F_V, found.F_VV, states.probabilities)


def scan_volumes(window: Window) -> Array:
    """Volumes of a scan, in equal ratios: a wider window has more of them."""
    return np.geomspace(*window, max(SCAN_VOLUMES, int(np.log(window[1] / window[0]) / SCAN_STEP) + 2))


def check_window(name: str, window: Window) -> None:
    """0 < low < high < infinity.

    Raises
    ------
    InputError : it is not so.
    """
    low, high = window
    if not 0 < low < high < np.inf:
        raise InputError(f"argument {name}", "", f"({low}, {high})", "0 < low < high")


def within(values: ArrayLike, window: Window) -> NDArray[np.bool_]:
    """Inside a window, ends included."""
    array = np.asarray(values)
    return np.asarray((window[0] <= array) & (array <= window[1]))


def stable(found: Scan, rows: NDArray[np.intp], volumes: Array) -> NDArray[np.bool_]:
    """Whether F lies nowhere below its tangent at each volume, shape (N,): a stable phase, not a metastable
    one.

    `rows` are the temperatures of the scan that the volumes belong to.
    """
    at = derivatives(found.material, volumes, found.temperatures[rows], order=1)
    tangent = at.F[:, None] + at.F_V[:, None] * (found.volumes - volumes[:, None])
    return np.asarray(np.min(found.F[rows] - tangent, axis=1) > -_ROUNDING)
