"""Entropies of the gas: their derivatives are its temperature and pressure."""

import numpy as np
import pytest

from zenn.laws.entropies import hard_discs, specific_terms, van_der_waals
from zenn.laws.processes import Gas

GAS = Gas(length=300.0)


def pressure(entropy, particles, width, gas=GAS):
    """p / (k_B T) = dS/dV at constant energy, by central differences in the piston's place."""
    step = 1e-4 * width
    ends = [float(entropy(1000.0, width + sign * step, particles, gas)) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step * gas.length)


@pytest.mark.parametrize("entropy", [van_der_waals, hard_discs])
def test_the_temperature_is_the_energy_per_disc(entropy):
    """1/T = dS/dU = N/U in two dimensions."""
    ends = [float(entropy(energy, 200.0, 700, GAS)) for energy in (1400.1, 1399.9)]
    assert (ends[0] - ends[1]) / 0.2 == pytest.approx(700 / 1400, rel=1e-6)


def test_the_pressure_of_equation_4():
    v = 300 * 200 / 700
    assert pressure(van_der_waals, 700, 200.0) == pytest.approx(1 / (v - 2 * np.pi), rel=1e-6)


@pytest.mark.parametrize("particles", [100, 2000, 5000])
def test_the_pressure_of_hard_discs_is_hendersons(particles):
    area = 298.0 * 198.0
    eta = particles * np.pi / area
    expected = particles / area * (1 + eta**2 / 8) / (1 - eta) ** 2
    # the piston moves the area by 298 for 300 of volume
    assert pressure(hard_discs, particles, 200.0) * 300 / 298 == pytest.approx(expected, rel=1e-6)


def test_both_have_the_second_virial_coefficient_of_discs():
    """p / (n k_B T) = 1 + 2 pi R^2 n + ...; the next terms are of order n^2."""
    gas = Gas(length=1e5)
    density = 2000 / 1e10
    for entropy in (van_der_waals, hard_discs):
        factor = pressure(entropy, 2000, 1e5, gas) / density
        wall = 0 if entropy is van_der_waals else 2 / 1e5
        assert (factor - 1 - wall) / density == pytest.approx(2 * np.pi, rel=0.01)


def test_the_terms_of_equation_4():
    heat, volume = specific_terms([np.e * 10, 10.0], [300.0, 300.0], [10, 10], GAS)
    np.testing.assert_allclose(heat, [1, 0])
    np.testing.assert_allclose(volume, np.log(9000 - 2 * np.pi))
    np.testing.assert_allclose(van_der_waals([np.e * 10], [300.0], [10], GAS), 10 * (1 + volume[0]))
