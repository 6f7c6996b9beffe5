"""Rounding and sensitivity: against linear error propagation and what the digits allow."""

from dataclasses import replace

import numpy as np
import pytest

from zenn.errors import InputError, NotFoundError
from zenn.materials.configurations import printed_decimals
from zenn.materials.critical import critical_point_near
from zenn.materials.diagram import phase_diagram
from zenn.materials.sensitivity import variants
from zenn.materials.uncertainty import interval, monte_carlo, perturbed

WINDOW = (12.2, 13.7)
DECIMALS = (3, 4, 2, 3)  # of V0, E0, B0 and B' in Table S1
FIELDS = ("equilibrium_volumes", "equilibrium_energies", "bulk_moduli", "bulk_modulus_derivatives")


@pytest.fixture(scope="module")
def diagram(fe3pt):
    return phase_diagram(fe3pt, [0.0, 50.0, 100.0, 150.0, 200.0, 350.0, 400.0, 450.0, 500.0], WINDOW, (0.0,))


@pytest.fixture(scope="module")
def samples(fe3pt, diagram):
    return monte_carlo(fe3pt, diagram, DECIMALS, 150, 7)


def test_decimals_as_printed(table_s1_path, tmp_path):
    assert printed_decimals(table_s1_path) == DECIMALS
    bad = tmp_path / "bad.csv"
    bad.write_text(table_s1_path.read_text().replace("13.124", "1.3124e1"))
    with pytest.raises(InputError, match=r"line 8, column 'volume_A3_per_atom': found 1\.3124e1"):
        printed_decimals(bad)


def test_a_perturbed_table_rounds_to_the_printed_one(fe3pt):
    rows = fe3pt.configurations
    drawn = perturbed(rows, DECIMALS, np.random.default_rng(3))
    for field, digits in zip(FIELDS, DECIMALS, strict=True):
        values, printed = getattr(drawn, field), getattr(rows, field)
        np.testing.assert_allclose(np.round(values, digits), printed, atol=1e-12)
        assert np.ptp(values - printed) > 0.5 * 10.0**-digits  # spread over the last digit
    assert drawn.equilibrium_energies[0] == 0  # the zero of the table is exact
    np.testing.assert_array_equal(drawn.degeneracies, rows.degeneracies)


def test_spread_against_linear_propagation(fe3pt, diagram, samples):
    """A digit is off by a uniform variable of variance step^2 / 12: T*, P*, V* respond almost linearly."""
    point, rows = diagram.critical_point(), fe3pt.configurations
    variance = np.zeros(3)
    for field, digits in zip(FIELDS, DECIMALS, strict=True):
        half = 0.5 * 10.0**-digits
        for i in range(len(rows)):
            if field == "equilibrium_energies" and i == 0:
                continue
            values = getattr(rows, field).copy()
            values[i] += half
            moved = critical_point_near(
                replace(fe3pt, configurations=replace(rows, **{field: values})),
                point.volume,
                point.temperature,
                (100.0, 250.0),
                WINDOW,
            )
            change = np.array([moved.temperature, moved.pressure, moved.volume]) - (
                point.temperature,
                point.pressure,
                point.volume,
            )
            variance += change**2 / 3
    spread = np.std(samples.critical_points, axis=0, ddof=1)
    np.testing.assert_allclose(
        spread, np.sqrt(variance), rtol=0.2
    )  # 150 samples: 6 %; curvature adds a little


def test_every_sample_is_solved(samples, diagram):
    assert np.all(np.isfinite(samples.critical_points))
    assert np.all(np.isfinite(samples.turning_temperatures))
    cold = samples.temperatures <= 150
    assert np.all(np.isfinite(samples.transition_pressures[:, cold]))
    warm = cold & (samples.temperatures > 0)  # at 0 K there is no spinodal
    assert np.all(np.isfinite(samples.spinodal_volumes[:, warm]))
    assert np.all(samples.binodal_volumes[:, warm, 0] < samples.spinodal_volumes[:, warm, 0])
    exact = diagram.critical_point()
    low, high = np.quantile(samples.critical_points, [0.025, 0.975], axis=0)
    assert np.all(low < (exact.temperature, exact.pressure, exact.volume))
    assert np.all((exact.temperature, exact.pressure, exact.volume) < high)


def test_a_sample_depends_on_its_seed_and_number_alone(fe3pt, diagram, samples):
    again = monte_carlo(fe3pt, diagram, DECIMALS, 3, 7)
    np.testing.assert_array_equal(again.critical_points, samples.critical_points[:3])
    np.testing.assert_array_equal(again.turning_temperatures, samples.turning_temperatures[:3])
    other = monte_carlo(fe3pt, diagram, DECIMALS, 2, 8)
    assert np.all(other.critical_points != samples.critical_points[:2])


def test_digits_without_end_change_nothing(fe3pt, diagram):
    found = monte_carlo(fe3pt, diagram, (14, 14, 14, 14), 2, 1)
    point = diagram.critical_point()
    np.testing.assert_allclose(
        found.critical_points, [[point.temperature, point.pressure, point.volume]] * 2, rtol=1e-9
    )
    line = diagram.binodal_of(point)
    np.testing.assert_allclose(
        found.transition_pressures[0], line.pressures[: len(found.temperatures), 0], rtol=1e-8
    )


def test_interval():
    found = interval(np.append(np.linspace(0, 1, 1001), np.nan))
    assert (found.low, found.median, found.high, found.solved) == pytest.approx((0.025, 0.5, 0.975, 1001))
    with pytest.raises(NotFoundError, match="1 of 3 samples were solved"):
        interval(np.array([np.nan, 1.0, np.nan]))


def test_what_cannot_be_sampled(fe3pt, diagram, of_table):
    with pytest.raises(InputError, match="samples: found 1"):
        monte_carlo(fe3pt, diagram, DECIMALS, 1, 1)
    alone = of_table(np.array([[1, 13.1, 0.0, 170.0, 4.0]]))
    empty = phase_diagram(alone, [1.0, 300.0], (12.2, 13.9))
    with pytest.raises(NotFoundError, match="no critical point"):
        monte_carlo(alone, empty, DECIMALS, 2, 1)


def test_the_missing_row_changes_nothing_and_the_number_of_atoms_everything(fe3pt):
    def critical_temperature(material):
        temperatures = [2.0, 100.0, 200.0, 300.0]
        return phase_diagram(material, temperatures, WINDOW).critical_point().temperature

    found = {
        (variant.assumption, variant.value): variant.material
        for variant in variants(
            fe3pt, debye_scalings=[0.7], atoms=[24], masses=[76.35], missing_row=(12, [0.06, 0.095])
        )
        if variant.assumption != "as given"
    }
    base = critical_temperature(fe3pt)
    assert critical_temperature(found["missing_row_energy_eV", 0.06]) == pytest.approx(base, abs=5e-5)
    assert critical_temperature(found["missing_row_energy_eV", 0.095]) == pytest.approx(base, abs=5e-5)
    # the geometric mean of the masses moves T* to 163.48 K (an independent computation)
    assert critical_temperature(found["mean_atomic_mass_u", 76.35]) == pytest.approx(163.48, abs=5e-3)
    assert critical_temperature(found["atoms_in_cell", 24]) > base + 100
    alone = found["all_degeneracies", 1].configurations
    assert alone.degeneracies.sum() == len(alone) == 36
