"""What a divergence leaves open: one constant per temperature, fixed by the data before anything is
differentiated in T; and the entropy of a fitted mixture, which F alone fixes in total only."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline, make_interp_spline

from zenn.landscape.networks import Zenn, inputs_along, log_probabilities
from zenn.landscape.surface import Surface

Array = NDArray[np.float64]


def constants(
    surface: Surface, x: ArrayLike, weights: ArrayLike, temperatures: ArrayLike, free_energies: ArrayLike
) -> BSpline:
    """c(T), a spline through the mean of F - F_surface over x at each temperature; F_surface + c fits F.

    x, weights : (N,). temperatures : (M,). free_energies : F, (M, N).
    """
    x, T = np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float)
    F = surface.derivatives(np.tile(x, len(T)), np.repeat(T, len(x)), 0)[0].reshape(len(T), len(x))
    off = np.average(np.asarray(free_energies) - F, axis=1, weights=np.asarray(weights))
    return make_interp_spline(T, off, k=min(3, len(T) - 1))


def entropy(surface: Surface, constant: BSpline, x: ArrayLike, temperatures: ArrayLike) -> Array:
    """-dF/dT of a surface with its constants, shape (N,), from x and T that broadcast to it."""
    x, T = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float))
    return np.asarray(-surface.temperature_derivatives(x, T, 0)[0] - constant(T, 1))


class ConfigurationValues:
    """E_k, S_k, F_k, F_k,xx and p_k of every configuration, shape (K, N) each; x and T broadcast to (N,)."""

    def __init__(self, network: Zenn, parameters: Array, x: ArrayLike, temperatures: ArrayLike) -> None:
        at, T = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(temperatures, dtype=float))
        theta = torch.from_numpy(np.array(parameters))
        t = torch.from_numpy(np.array(T))
        with torch.no_grad():
            inputs = inputs_along(torch.from_numpy(np.array(at))[:, None], t, order=2)
            found = network.configuration_series(theta, inputs)
            logs = log_probabilities(found, inputs[:, -1], network.boltzmann_constant, network.gamma)
        self._kB = network.boltzmann_constant
        self.energies = np.asarray(found.energies[0].numpy())
        self.entropies = np.asarray(found.entropies[0].numpy())
        self.free_energies = self.energies - T * self.entropies
        self.curvatures = np.asarray((2 * (found.energies[2] - t * found.entropies[2])).numpy())
        self.probabilities = np.asarray(logs.exp().numpy())
        self._log_probabilities = np.asarray(logs.numpy())

    @property
    def total_entropy(self) -> Array:
        """S = sum p_k S_k - k_B sum p_k ln p_k (Eq. 1), shape (N,)."""
        mixing = -self._kB * np.sum(self.probabilities * self._log_probabilities, axis=0)
        return np.asarray(np.sum(self.probabilities * self.entropies, axis=0) + mixing)
