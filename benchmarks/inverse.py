"""The inverse problems that `benchmarks.landscape` and `benchmarks.optimisers` solve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import materials
from zenn.errors import NotConvergedError, NotFoundError
from zenn.landscape.critical import bifurcation_point
from zenn.landscape.fitting import Settings, scaling_of, tangent_wells
from zenn.landscape.landscapes import Landscape, Window, bifurcation, quadrature
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.minimise import adam
from zenn.landscape.networks import Zenn
from zenn.landscape.surface import NetworkSurface
from zenn.materials.critical import critical_point
from zenn.materials.helmholtz import helmholtz_energy

Array = NDArray[np.float64]

CRITICAL = "T* is the hottest point with F_VV = F_VVV = 0 < F_VVVV; the truth is that of the forward model."


@dataclass(frozen=True)
class Problem:
    """A landscape, a network for it, and what its critical temperature is.

    windows : of x and T in which the critical point is looked for. kelvin : per unit of temperature.
    """

    name: str
    landscape: Landscape
    network: Zenn
    windows: tuple[Window, Window]
    critical_temperature: float
    kelvin: float

    def error_of_critical_temperature(self, parameters: Array) -> float:
        """T* of the network less the true one, in K or in the landscape's units; NaN if there is none."""
        surface = NetworkSurface(self.network, torch.from_numpy(parameters))
        try:
            found = bifurcation_point(surface, *self.windows).temperature
        except (NotFoundError, NotConvergedError):
            return float("nan")
        return self.kelvin * found - self.critical_temperature

    def start(self, kind: Literal["wells", "random", "adam"]) -> Array:
        """Parameters to begin with: of a fit's two ways, or random ones."""
        if kind == "wells":
            return np.asarray(tangent_wells(self.network, self.landscape, 0).numpy())
        first = np.asarray(self.network.initial(0).numpy())
        if kind == "random":
            return first
        settings = Settings()
        objective = Objective(self.network, self.landscape, Weights())
        return adam(objective.value_and_gradient, first, settings.adam_steps, settings.adam_rate)


def fe3pt(configurations: int) -> Problem:
    """Fe3Pt in units of 1000 K and 0.0718111 eV per atom, in which k_B = 0.1 is that of twelve atoms."""
    material, _ = materials.fe3pt()
    V, weights = quadrature(48, (12.2, 13.7))
    T = np.linspace(0.005, 0.6, 40)
    F = helmholtz_energy(material, V, 1000 * T[:, None]) / 0.0718111
    landscape = Landscape(V, weights, T, F, 0.1, np.ones(len(T)))
    network = Zenn(scaling_of(landscape), configurations, 0.1, 5.0)
    true = critical_point(material, (20, 400), (12.2, 13.4)).temperature
    name = f"Fe3Pt, {configurations} configurations"
    return Problem(name, landscape, network, ((12.3, 13.4), (0.02, 0.4)), true, 1000.0)


def wells(configurations: int) -> Problem:
    """The benchmark in one dimension, T* = 2."""
    landscape = bifurcation()
    network = Zenn(scaling_of(landscape), configurations, 1.0, 5.0)
    name = f"wells of one dimension, {configurations} configurations"
    return Problem(name, landscape, network, ((-1.5, 1.5), (1.2, 2.8)), 2.0, 1.0)
