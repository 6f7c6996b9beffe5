import numpy as np
import pytest

from zenn.errors import InputError, NotFoundError
from zenn.materials import eos
from zenn.materials.constants import GPA_PER_EV_PER_A3

# Configuration 3 of Table S1
V0, E0, B0, SLOPE = 12.910, 0.0160, 162.96, 4.440


def test_equilibrium_properties_are_those_of_the_curve():
    energy, first, second, third = (
        c * f
        for c, f in zip(eos.birch_murnaghan_series(V0, V0, E0, B0, SLOPE, order=3), (1, 1, 2, 6), strict=True)
    )
    assert energy == E0
    assert first == 0
    assert V0 * second * GPA_PER_EV_PER_A3 == pytest.approx(B0, rel=1e-14, abs=0)
    # B' = dB/dP = (dB/dV) / (dP/dV) with B = V E''
    assert -(second + V0 * third) / second == pytest.approx(SLOPE, rel=1e-13, abs=0)


def test_series_equals_the_power_form_of_eq_s2(table_s1):
    volumes = np.linspace(11.5, 14, 6)
    series = eos.birch_murnaghan_series(volumes[:, None], *table_s1[:, 1:].T, order=4)
    coefficients = eos.birch_murnaghan_coefficients(*table_s1[:, 1:].T)
    for order in range(5):
        expected = 0
        for a, exponent in zip(coefficients, (0, -2 / 3, -4 / 3, -2), strict=True):
            falling = np.prod([(exponent - j) / (j + 1) for j in range(order)])
            expected = expected + a * falling * volumes[:, None] ** (exponent - order)
        np.testing.assert_allclose(series[order], expected, rtol=1e-10, atol=1e-12)


def test_coefficients_and_properties_are_inverse(table_s1):
    for row in table_s1[:, 1:]:
        found = eos.birch_murnaghan_properties(eos.birch_murnaghan_coefficients(*row))
        values = [found.volume, found.energy, found.bulk_modulus, found.bulk_modulus_derivative]
        np.testing.assert_allclose(values, row, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("slope", [2.0, 4.0, 14 / 3, 16 / 3, 7.0])
def test_every_slope_has_its_minimum(slope):
    found = eos.birch_murnaghan_properties(eos.birch_murnaghan_coefficients(V0, E0, B0, slope))
    assert found.volume == pytest.approx(V0, rel=1e-12, abs=0)
    assert found.bulk_modulus_derivative == pytest.approx(slope, rel=1e-11, abs=0)


def test_refitting_gives_every_row_of_table_s1_back(table_s1):
    for row in table_s1[:, 1:]:
        volumes = row[0] * np.linspace(0.95, 1.05, 8)
        found = eos.fit_birch_murnaghan(volumes, eos.birch_murnaghan_energy(volumes, *row))
        values = [found.volume, found.energy, found.bulk_modulus, found.bulk_modulus_derivative]
        np.testing.assert_allclose(values, row, rtol=1e-9, atol=1e-12)


def test_pressure_is_minus_the_slope():
    step = 1e-5
    energies = eos.birch_murnaghan_energy(12.5 + step * np.array([-1, 1]), V0, E0, B0, SLOPE)
    slope = (energies[1] - energies[0]) / (2 * step)
    pressure = eos.birch_murnaghan_pressure(12.5, V0, B0, SLOPE)
    assert pressure == pytest.approx(-slope * GPA_PER_EV_PER_A3, rel=1e-8, abs=0)
    assert pressure > 0


def test_fits_that_cannot_be_made():
    volumes = np.linspace(12, 14, 8)
    energies = eos.birch_murnaghan_energy(volumes, V0, E0, B0, SLOPE)
    with pytest.raises(InputError, match="3 different volumes, expected at least 4"):
        eos.fit_birch_murnaghan([12, 12, 13, 14], [0, 0, 1, 2])
    with pytest.raises(InputError, match=r"shapes \(8,\), \(7,\)"):
        eos.fit_birch_murnaghan(volumes, energies[1:])
    with pytest.raises(InputError, match="volumes"):
        eos.fit_birch_murnaghan(-volumes, energies)
    with pytest.raises(InputError, match="energies"):
        eos.fit_birch_murnaghan(volumes, np.full(8, np.nan))
    with pytest.raises(NotFoundError, match="minimum"):
        eos.fit_birch_murnaghan(volumes, -energies)
    far = np.linspace(8, 9, 8)
    with pytest.raises(NotFoundError, match="far outside the volumes 8-9"):
        eos.fit_birch_murnaghan(far, eos.birch_murnaghan_energy(far, V0, E0, B0, SLOPE))
