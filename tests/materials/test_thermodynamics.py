"""Properties against thermodynamic identities, limits and numerical derivatives."""

import dataclasses

import numpy as np
import pytest

from tests.materials.conftest import configurations, made_of
from zenn.materials import thermodynamics as td
from zenn.materials.constants import BOLTZMANN, GPA_PER_EV_PER_A3
from zenn.materials.helmholtz import helmholtz_energy

V, T = np.array([12.5, 12.9, 13.2]), np.array([[1.0], [40.0], [164.0], [600.0]])
ONE = np.array([[1, 13.1, -0.2, 170.0, 4.5]])


def difference(function, at, step):
    """Five-point derivative: error of order step^4."""
    values = [function(at + i * step) for i in (-2, -1, 1, 2)]
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)


@pytest.fixture(scope="module")
def all_of_them(fe3pt):
    return td.properties(fe3pt, V, T)


def test_single_functions_are_what_the_result_holds(fe3pt, all_of_them):
    for name in (
        "internal_energy",
        "gibbs_energy",
        "entropy",
        "configurational_entropy",
        "pressure",
        "bulk_modulus",
        "isochoric_heat_capacity",
        "isobaric_heat_capacity",
        "thermal_expansion",
        "grueneisen_parameter",
        "log_partition_function",
        "configuration_entropies",
    ):
        np.testing.assert_allclose(getattr(td, name)(fe3pt, V, T), getattr(all_of_them, name), err_msg=name)


def test_arrays_are_read_only_and_have_the_batch_shape(all_of_them):
    for field in dataclasses.fields(all_of_them):
        array = getattr(all_of_them, field.name)
        assert array.shape[:2] == (4, 3), field.name
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_identities(fe3pt, all_of_them):
    p = all_of_them
    rows = fe3pt.configurations
    # E = sum p E_k, S = sum p S_k + S_conf, F = sum p F_k - T S_conf (Eqs. 1, 5 and 7)
    mean = np.sum(p.probabilities * p.configuration_internal_energies, axis=-1)
    np.testing.assert_allclose(p.internal_energy, mean, rtol=1e-12)
    intrinsic = np.sum(p.probabilities * p.configuration_entropies, axis=-1)
    np.testing.assert_allclose(p.entropy, intrinsic + p.configurational_entropy, rtol=1e-12)
    mixed = np.sum(p.probabilities * p.configuration_helmholtz_energies, axis=-1)
    np.testing.assert_allclose(p.helmholtz_energy, mixed - T * p.configurational_entropy, rtol=1e-12)
    # C_P - C_V = alpha^2 B V T (mechanical against thermal response)
    B = p.bulk_modulus / GPA_PER_EV_PER_A3
    np.testing.assert_allclose(
        p.isobaric_heat_capacity - p.isochoric_heat_capacity,
        p.thermal_expansion**2 * B * V * T,
        rtol=1e-9,
        atol=1e-18,
    )
    np.testing.assert_allclose(
        p.grueneisen_parameter, p.thermal_expansion * B * V / p.isochoric_heat_capacity, rtol=1e-10
    )
    np.testing.assert_allclose(
        p.log_partition_function, -12 * p.helmholtz_energy / (BOLTZMANN * T), rtol=1e-12
    )
    np.testing.assert_allclose(p.probabilities.sum(axis=-1), 1, rtol=1e-12)
    # never more than the logarithm of the number of configurations, per cell of 12 atoms
    assert np.all(p.configurational_entropy <= BOLTZMANN / 12 * np.log(rows.degeneracies.sum()))


def test_heat_capacity_and_expansion_against_differences(fe3pt):
    def entropy(t):
        return td.entropy(fe3pt, 12.9, t)

    assert td.isochoric_heat_capacity(fe3pt, 12.9, 250.0) == pytest.approx(
        250 * difference(entropy, 250.0, 0.5), rel=1e-8
    )
    slope = difference(lambda t: td.pressure(fe3pt, 12.9, t), 250.0, 0.5)  # alpha B = (dP/dT)_V
    assert td.thermal_expansion(fe3pt, 12.9, 250.0) == pytest.approx(
        float(slope / td.bulk_modulus(fe3pt, 12.9, 250.0)), rel=1e-8
    )


def test_one_configuration_is_a_debye_solid():
    alone = made_of(configurations(ONE))
    found = td.properties(alone, 13.1, np.array([0.0, 5.0, 5000.0]))
    gamma = (1 + 4.5) / 2 - 2 / 3
    np.testing.assert_allclose(found.grueneisen_parameter, gamma, rtol=1e-12)  # also its limit at 0 K
    assert found.isochoric_heat_capacity[2] == pytest.approx(3 * BOLTZMANN, rel=1e-3)  # Dulong and Petit
    np.testing.assert_array_equal(found.configurational_entropy, 0)
    # Debye's T^3 law: C_V = 12 pi^4 / 5 k_B (T / Theta)^3 = 3 S
    assert found.isochoric_heat_capacity[1] == pytest.approx(3 * found.entropy[1], rel=1e-9)


def test_equal_configurations_add_the_entropy_of_mixing_and_nothing_else():
    alone = made_of(configurations(ONE))
    twice = made_of(configurations(np.array([[3, *ONE[0, 1:]], [5, *ONE[0, 1:]]])))
    one, both = td.properties(alone, V, T), td.properties(twice, V, T)
    mixing = BOLTZMANN / 12 * np.log(8)
    np.testing.assert_allclose(both.configurational_entropy, mixing, rtol=1e-12)
    np.testing.assert_allclose(both.entropy, one.entropy + mixing, rtol=1e-12)
    np.testing.assert_allclose(both.helmholtz_energy, one.helmholtz_energy - T * mixing, rtol=1e-12)
    np.testing.assert_allclose(both.bulk_modulus, one.bulk_modulus, rtol=1e-12)
    np.testing.assert_allclose(both.isobaric_heat_capacity, one.isobaric_heat_capacity, rtol=1e-10)


def test_two_levels_have_the_schottky_anomaly():
    """Two configurations that differ by a constant energy: C = k_B x^2 e^x / (1 + e^x)^2 per cell, on top."""
    gap = 0.004  # eV per atom, 0.048 eV per cell
    rows = np.array([[1, *ONE[0, 1:]], [1, *ONE[0, 1:]]])
    rows[1, 2] += gap
    two, alone = made_of(configurations(rows)), made_of(configurations(ONE))
    temperature = np.array([60.0, 150.0, 400.0])
    x = 12 * gap / (BOLTZMANN * temperature)
    schottky = BOLTZMANN * x**2 * np.exp(x) / (1 + np.exp(x)) ** 2 / 12
    found = td.isochoric_heat_capacity(two, 13.1, temperature)
    np.testing.assert_allclose(
        found - td.isochoric_heat_capacity(alone, 13.1, temperature), schottky, rtol=1e-9
    )


def test_nothing_overflows_down_to_zero(fe3pt):
    cold = td.properties(fe3pt, np.array([12.3, 12.52, 13.1]), np.array([[0.0], [1e-300], [1e-9], [1e-3]]))
    for field in dataclasses.fields(cold):
        array = getattr(cold, field.name)
        if field.name != "log_partition_function":  # -F / (k_B T), infinite at 0 K
            assert np.all(np.isfinite(array)), field.name
    np.testing.assert_array_equal(cold.thermal_expansion[0], 0)
    np.testing.assert_array_equal(cold.isobaric_heat_capacity[0], 0)
    hot = td.properties(fe3pt, 12.9, 1e6)
    assert np.isfinite(hot.helmholtz_energy)


def test_gibbs_energy_at_its_own_pressure(fe3pt):
    P = td.pressure(fe3pt, V, 300.0) / GPA_PER_EV_PER_A3
    np.testing.assert_allclose(
        td.gibbs_energy(fe3pt, V, 300.0), helmholtz_energy(fe3pt, V, 300.0) + P * V, rtol=1e-13
    )
