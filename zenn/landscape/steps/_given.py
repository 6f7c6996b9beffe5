"""Landscapes, networks and fits as the steps are given them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import Column, finite, positive, read_table
from zenn.errors import InputError
from zenn.given import Given
from zenn.landscape.fitting import Settings, scaling_of
from zenn.landscape.landscapes import Landscape, bifurcation, three_wells
from zenn.landscape.losses import Weights
from zenn.landscape.networks import ConvexNetwork, Network, Perceptron, Zenn

Array = NDArray[np.float64]

KINDS = ("bifurcation", "three_wells", "table")
NETWORKS = ("zenn", "convex", "perceptron")
TABLE = (
    Column("temperature_K", positive, "a temperature above 0 K"),
    Column("volume_A3_per_atom", positive, "a volume above 0"),
    Column("helmholtz_eV_per_atom", finite, "a finite number"),
    Column("helmholtz_V_eV_per_A3", finite, "a finite number"),
    Column("helmholtz_VV_eV_per_A6", finite, "a finite number"),
    Column("entropy_eV_per_K_per_atom", finite, "a finite number"),
)
WEIGHT = Column("weight_A3_per_atom", positive, "a weight above 0")


def read_landscape(params: Given, inputs: Mapping[str, Path]) -> Landscape:
    """The landscape of the group `landscape`: a benchmark, or `inputs['table']` in reduced units."""
    given = params.group("landscape")
    kind = given.choice("kind", KINDS)
    if kind == "bifurcation":
        return bifurcation(
            given.integer("points"),
            given.integer("temperatures"),
            given.pair("window"),
            given.pair("temperature_window"),
            given.number("boltzmann_constant"),
        )
    if kind == "three_wells":
        return three_wells(given.integer("points"))
    units = given.group("units")
    table = read_grid(inputs["table"] / "training.csv", units, weights=True)
    assert table.weights is not None
    return Landscape(
        table.x,
        table.weights,
        table.temperatures,
        table.values["F"],
        given.number("boltzmann_constant"),
        np.array(given.number("density_temperature")),
        slopes=table.values["F_x"][..., None],
        entropies=table.values["S"],
    )


class Grid:
    """A table of F and its derivatives in reduced units: x (N,), temperatures (M,), values (M, N) each."""

    def __init__(
        self, x: Array, temperatures: Array, values: dict[str, Array], weights: Array | None
    ) -> None:
        self.x = x
        self.temperatures = temperatures
        self.values = values
        self.weights = weights


def read_grid(path: Path, units: Given, *, weights: bool = False) -> Grid:
    """A table as `zenn.materials.steps.helmholtz_grid` writes it, temperatures outermost.

    units : temperature_K and energy_eV_per_atom that 1 stands for; volumes stay in Å3.

    Raises
    ------
    InputError : the table cannot be used, or is not a grid.
    """
    kelvin, electronvolt = units.number("temperature_K"), units.number("energy_eV_per_atom")
    found = read_table(path, [*TABLE, WEIGHT] if weights else TABLE).numbers
    T, x = np.unique(found["temperature_K"]), np.unique(found["volume_A3_per_atom"])
    shape = len(T), len(x)
    whole = np.array_equal(found["temperature_K"], np.repeat(T, len(x)))
    if not whole or not np.array_equal(found["volume_A3_per_atom"], np.tile(x, len(T))):
        raise InputError(path, "", "rows that are no grid", "every volume at every temperature, in order")
    of = {name: column.reshape(shape) for name, column in found.items()}
    values = {
        "F": of["helmholtz_eV_per_atom"] / electronvolt,
        "F_x": of["helmholtz_V_eV_per_A3"] / electronvolt,
        "F_xx": of["helmholtz_VV_eV_per_A6"] / electronvolt,
        "S": of["entropy_eV_per_K_per_atom"] * kelvin / electronvolt,
    }
    return Grid(x, T / kelvin, values, of["weight_A3_per_atom"][0] if weights else None)


def read_network(params: Given, landscape: Landscape) -> Network:
    """The network of the group `network`."""
    given, scaling = params.group("network"), scaling_of(landscape)
    kind = given.choice("kind", NETWORKS)
    if kind == "zenn":
        return Zenn(
            scaling,
            given.integer("configurations"),
            given.number("boltzmann_constant"),
            given.number("gamma"),
            given.integers("hidden"),
            # choice checked it; mypy cannot tell
            given.choice("entropy", ("positive", "free")),  # type: ignore[arg-type]
        )
    if kind == "convex":
        variant = given.choice("variant", ("printed", "standard"))
        # choice checked the variant; mypy cannot tell
        return ConvexNetwork(scaling, variant, given.integer("layers"), given.integer("width"))  # type: ignore[arg-type]
    return Perceptron(scaling, given.integers("hidden"))


def read_weights(params: Given) -> Weights:
    """The weights of the group `loss`."""
    given = params.group("loss")
    names = ("divergence", "convexity", "entropy", "slope", "square")
    return Weights(**{name: given.number(name) for name in names})


def read_settings(params: Given) -> Settings:
    """The settings of the group `optimisation`."""
    given = params.group("optimisation")
    return Settings(
        # choice checked it; mypy cannot tell
        given.choice("start", ("wells", "random")),  # type: ignore[arg-type]
        given.integer("adam_steps"),
        given.number("adam_rate"),
        given.integer("iterations"),
        given.number("gradient_tolerance"),
        given.integer("starts"),
        given.integer("trial_iterations"),
    )
