"""A landscape in units of its own, in which every number of a fit is about 1, and the way back.

Data may come in any units: a fit is made of x in half-widths of its window, of F in its largest range over
x, of T in the highest temperature. One constant of F per temperature, which the divergence leaves open
anyway, is chosen such that the entropies -dF/dT are small and positive: the configurations of a ZENN start
from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError
from zenn.landscape.landscapes import Landscape
from zenn.landscape.networks import Zenn

Array = NDArray[np.float64]

THERMAL_ENERGIES = 5.0
"""The range of F over x at a temperature is at most so many thermal energies k_B T_d of the density there.

At the physical density exp(-F / (k_B T)) a fit is blind for what lies many k_B T above the minimum. With 10,
walls still drown the wells between them; with 2, the wells lose some of their precision.
"""

LEAST_RANGE, LARGEST_RANGE = 1e-2, 1e3
"""Ranges of F over x, in k_B T, beyond which units are taken to disagree.

Above, a mixture at that k_B has kinks in place of curvatures: fits of the benchmark lose their critical point
between 300 and 3000. Below, nothing fails, but the landscape is flat beside thermal energy.
"""


@dataclass(frozen=True)
class Units:
    """What a number of a reduced landscape stands for.

    centre, half_width : of each coordinate's window. energy, temperature : 1 of F and of T.
    """

    centre: tuple[float, ...]
    half_width: tuple[float, ...]
    energy: float
    temperature: float


def density_temperatures(free_energies: Array, temperatures: Array, boltzmann_constant: float) -> Array:
    """T_d where none is given, shape (M,): T, or a fifth of the range of F over x where that is more.

    >>> density_temperatures(np.array([[0.0, 1.0], [0.0, 100.0]]), np.array([2.0, 3.0]), 1.0)
    array([ 2., 20.])
    """
    widened = np.ptp(free_energies, axis=1) / (THERMAL_ENERGIES * boltzmann_constant)
    return np.asarray(np.maximum(temperatures, widened))


def density_shares(landscape: Landscape) -> Array:
    """The share of each point in the density at T_d, shape (M, N); each row sums to 1."""
    thermal = landscape.boltzmann_constant * landscape.density_temperature[:, None]
    lowest = landscape.free_energies.min(axis=1, keepdims=True)
    shares = np.exp((lowest - landscape.free_energies) / thermal) * landscape.weights
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def refuse_units(
    free_energies: Array,
    temperatures: Array,
    boltzmann_constant: float,
    source: str = "argument boltzmann_constant",
    override: str = "unit_check=False",
) -> None:
    """Refuse a Boltzmann constant that cannot belong to the energies and temperatures.

    `source` is what the message calls it, `override` what it says one may do about it.

    Raises
    ------
    InputError : F, shape (M, N), varies with x by less than `LEAST_RANGE` k_B T at every temperature, or by
    more than `LARGEST_RANGE` k_B T at the highest.
    """
    ranges = np.ptp(free_energies, axis=1)
    ratios = ranges / (boltzmann_constant * temperatures)
    if ratios[-1] <= LARGEST_RANGE and ratios.max() >= LEAST_RANGE:
        return
    i = len(ratios) - 1 if ratios[-1] > LARGEST_RANGE else int(np.argmax(ratios))
    found = f"{boltzmann_constant:g}, for which F varies over x by {ranges[i]:.3g}, "
    found += f"{ratios[i]:.3g} k_B T, at temperature {temperatures[i]:g}"
    expected = f"k_B in the units of F over those of T, {LEAST_RANGE:g} to {LARGEST_RANGE:g} k_B T"
    hint = "It is 8.617e-5 eV/K, 0.08617 meV/K, 8.314e-3 kJ/mol/K or 1.987e-3 kcal/mol/K, divided by n if F "
    hint += f"is that of a cell of n atoms divided by n; {override} fits it all the same"
    raise InputError(source, "", found, expected, hint)


def reduced(landscape: Landscape) -> tuple[Landscape, Units]:
    """The landscape in reduced units, and what they are.

    Raises
    ------
    InputError : F does not depend on x.
    """
    windows = np.array(landscape.domain)
    centre, half = windows.mean(axis=1), np.ptp(windows, axis=1) / 2
    T, F = landscape.temperatures, landscape.free_energies
    energy, temperature = float(np.ptp(F, axis=1).max()), float(T[-1])
    if not energy > 0:
        raise InputError("argument free_energies", "", "the same F at every x", "F that depends on x")
    made = replace(
        landscape,
        points=(landscape.points - centre) / half,
        weights=landscape.weights / landscape.weights.sum(),
        temperatures=T / temperature,
        free_energies=_settled(landscape) / energy,
        boltzmann_constant=landscape.boltzmann_constant * temperature / energy,
        density_temperature=landscape.density_temperature / temperature,
        slopes=None if landscape.slopes is None else landscape.slopes * half / energy,
        entropies=None
        if landscape.entropies is None
        else _settled_entropies(landscape) * temperature / energy,
    )
    return made, Units(tuple(map(float, centre)), tuple(map(float, half)), energy, temperature)


def in_data_units(network: Zenn, landscape: Landscape, units: Units) -> Zenn:
    """The network of a reduced landscape for `landscape` itself: the same parameters give F in its units."""
    scaling = type(network.scaling).of((*landscape.domain, landscape.temperature_window))
    return replace(
        network,
        scaling=scaling,
        boltzmann_constant=landscape.boltzmann_constant,
        energy_scale=units.energy,
        entropy_scale=units.energy / units.temperature,
    )


def _settled(landscape: Landscape) -> Array:
    """F less a constant per temperature: with entropies of 0 and above, and around 0 itself."""
    T, F = landscape.temperatures, landscape.free_energies
    if landscape.entropies is not None:  # they say how F goes on with T: what is taken off is linear in it
        F = F + landscape.entropies.min() * T[:, None]
        return np.asarray(F - F.mean())
    F = F - np.sum(density_shares(landscape) * F, axis=1, keepdims=True)
    if len(T) < 2:
        return np.asarray(F)
    return np.asarray(F + (-np.gradient(F, T, axis=0)).min() * T[:, None])


def _settled_entropies(landscape: Landscape) -> Array:
    assert landscape.entropies is not None
    return np.asarray(landscape.entropies - landscape.entropies.min())
