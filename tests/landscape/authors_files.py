"""The authors' two files as their scripts make them, from the forward model: written out independently."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from tests.materials.conftest import TABLE_S1, made_of
from zenn.materials.configurations import read_configurations
from zenn.materials.helmholtz import derivatives

VOLUMES = np.array([round(147.9 + 0.155 * i, 3) for i in range(78)])  # Å3 per cell, rows of a spreadsheet
TEMPERATURES = np.array([5.0 + 5.0 * i for i in range(120)])  # K
FE3PT = made_of(read_configurations(TABLE_S1, atoms=12))


def forward(order: int = 2):
    """F and its derivatives per atom, (120, 78) each."""
    return derivatives(FE3PT, VOLUMES[None, :] / 12, TEMPERATURES[:, None], order=order)


def columns(free_energies):
    """x, T' and P (9360,) of F, eV per cell, (120, 78)."""
    theta = math.atan(-0.0408)
    dx = 6 / 38
    x, reduced, P = [], [], []
    for T, F in zip(TEMPERATURES, free_energies, strict=True):
        t = 1 + 4 / 595 * (T - 5)
        y = -VOLUMES * math.sin(theta) + F * math.cos(theta)
        density = np.exp(-y / (0.1 * t))
        x += [-3 + (v * math.cos(theta) + f * math.sin(theta) - 148) for v, f in zip(VOLUMES, F, strict=True)]
        reduced += [t] * len(VOLUMES)
        P += list(density / np.sum(dx * density))
    return np.array(x), np.array(reduced), np.array(P)


def write(folder: Path, form: str = "%.15g", columns_=None) -> Path:
    """`V_T.csv` and `PP.csv` with numbers of this form."""
    x, t, P = columns(12 * forward(0).F) if columns_ is None else columns_
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "V_T.csv", np.stack([x, t], axis=1), fmt=form, delimiter=",")
    np.savetxt(folder / "PP.csv", P, fmt=form)
    return folder
