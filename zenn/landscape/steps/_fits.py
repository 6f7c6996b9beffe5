"""Fits that earlier steps left, and tables that grow row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zenn.csv_table import Column, TextColumn, finite, natural, read_table
from zenn.errors import InputError
from zenn.given import Given
from zenn.landscape.networks import Network
from zenn.landscape.store import load_network
from zenn.landscape.surface import NetworkSurface

Array = NDArray[np.float64]

FITS = (
    Column("seed", finite, "an integer"),
    Column("parameters", natural, "a natural number"),
    Column("loss", finite, "a finite number"),
    Column("largest_gradient", finite, "a finite number"),
    Column("iterations", finite, "an integer"),
    Column("evaluations", finite, "an integer"),
    TextColumn("stopped_by"),
)


@dataclass(frozen=True, eq=False)
class Fits:
    """One network fitted from several seeds."""

    network: Network
    parameters: dict[str, Array]
    losses: dict[str, float]

    @property
    def seeds(self) -> tuple[str, ...]:
        """The seeds, in the order in which they were fitted."""
        return tuple(self.losses)

    @property
    def median_seed(self) -> str:
        """The seed whose loss is the median, the lower of two."""
        ordered = sorted(self.losses, key=lambda seed: self.losses[seed])
        return ordered[(len(ordered) - 1) // 2]

    def surface(self, seed: str, pressure: float = 0.0) -> NetworkSurface:
        """The surface of a seed's fit."""
        return NetworkSurface(self.network, torch.from_numpy(self.parameters[seed]), pressure)

    def described(self, seed: str) -> dict[str, Any]:
        """Seed, number of parameters and loss."""
        return {"seed": int(seed), "parameters": self.network.size, "loss": self.losses[seed]}


def read_fits(params: Given, inputs: Mapping[str, Path]) -> dict[str, Fits]:
    """The fits of every name in `models`, each an input of that role.

    Raises
    ------
    InputError : a folder does not hold one, or its files do not belong to each other.
    """
    return {name: read_fit(inputs[name]) for name in params.texts("models")}


def read_fit(folder: Path) -> Fits:
    """The fits that one step of `zenn.landscape.steps.fit` left."""
    network, parameters = load_network(folder)
    table = read_table(folder / "fits.csv", FITS).numbers
    losses = {str(int(seed)): float(loss) for seed, loss in zip(table["seed"], table["loss"], strict=True)}
    if {*losses} != {*parameters}:
        raise InputError(
            folder / "fits.csv", "column seed", sorted(losses), f"the seeds {sorted(parameters)}"
        )
    return Fits(network, {seed: parameters[seed] for seed in losses}, losses)


class Rows:
    """Equally long columns, filled row by row or many rows at once."""

    def __init__(self, *names: str) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in names}

    def add(self, **values: Any) -> None:
        """One row; the same names each time."""
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)

    def add_many(self, **values: Any) -> None:
        """A row for every entry of the arrays among `values`; numbers and texts are repeated."""
        length = max(np.size(value) for value in values.values())
        for name, value in values.items():
            repeated = np.broadcast_to(np.asarray(value), (length,)).tolist()
            self.columns.setdefault(name, []).extend(repeated)
