"""The solved phase diagram against published numbers, exact relations and brute force on fine grids."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import fsolve
from scipy.spatial import ConvexHull

from tests.materials.conftest import configurations, made_of
from zenn.errors import InputError, NotFoundError
from zenn.materials.boundaries import binodals, refined_temperatures, spinodals
from zenn.materials.constants import BOLTZMANN, GPA_PER_EV_PER_A3
from zenn.materials.critical import critical_points
from zenn.materials.debye import debye_temperature
from zenn.materials.diagram import crossover, phase_diagram
from zenn.materials.eos import birch_murnaghan_energy
from zenn.materials.helmholtz import derivatives, helmholtz_energy, probabilities
from zenn.materials.isobars import isobar, negative_thermal_expansion, turning_points
from zenn.materials.scanning import scan
from zenn.materials.thermodynamics import gibbs_energy, pressure, thermal_expansion

WINDOW = (12.2, 13.7)
TEMPERATURES = np.arange(0.0, 601.0, 10.0)
# Kelvin; a forward computation by others of this project, rounded to 0.01 K
NEGATIVE_EXPANSION = {0.0: (356.59, 452.58), 2.0: (277.66, 434.81), 4.0: (203.41, 376.44)}


@pytest.fixture(scope="module")
def diagram(fe3pt):
    return phase_diagram(fe3pt, TEMPERATURES, WINDOW, pressures=(0.0, 2.0, 4.0, 6.0, 6.53, 7.0))


@pytest.fixture(scope="module")
def binodal(diagram):
    return diagram.binodal_of(diagram.critical_point())


def test_one_line_of_each_kind_ends_in_the_critical_point(diagram, binodal):
    point = diagram.critical_point()
    assert point.temperature == pytest.approx(164.197, rel=1e-5, abs=0)
    assert len(diagram.critical_points) == len(diagram.binodals) == len(diagram.spinodals) == 1
    for line in (binodal, diagram.spinodals[0]):
        assert line.critical_points == (point,)
        assert line.temperatures[-1] == point.temperature
        np.testing.assert_array_equal(line.volumes[-1], point.volume)
        assert line.residuals.max() < 1e-8
        assert np.all(np.diff(line.temperatures) > 0)
        assert np.all(np.diff(line.volumes[:-1], axis=1) > 0)
    spinodal = diagram.spinodals[0]
    inside = np.isin(binodal.temperatures, spinodal.temperatures[:-1])
    gap = binodal.volumes[inside]
    unstable = spinodal.volumes[np.isin(spinodal.temperatures, binodal.temperatures[inside])]
    assert np.all((gap[:, 0] < unstable[:, 0]) & (unstable[:, 1] < gap[:, 1]))


def test_windows_of_negative_thermal_expansion(diagram, fe3pt):
    found = {window.pressure: window for window in diagram.negative_thermal_expansion}
    for P, (low, high) in NEGATIVE_EXPANSION.items():
        assert found[P].low == pytest.approx(low, abs=0.02)
        assert found[P].high == pytest.approx(high, abs=0.02)
        assert found[P].low_end == found[P].high_end == "turning point"
        path = next(path for path in diagram.isobars if path.pressure == P)
        close = np.interp([low, high], path.temperatures, path.volumes)
        T, V, good = turning_points(fe3pt, P, [low, high], close)
        assert np.all(good)
        np.testing.assert_allclose(T, [found[P].low, found[P].high], rtol=1e-8)
        np.testing.assert_allclose(pressure(fe3pt, V, T), P, atol=1e-8)
        np.testing.assert_allclose(thermal_expansion(fe3pt, V, T), 0, atol=1e-12)
    strongest = [found[P].strongest for P in (0.0, 2.0, 4.0, 6.0)]
    assert all(later < earlier for earlier, later in pairwise(strongest))
    assert found[7.0].high_end == "transition"


def test_eq_19_has_three_roots_at_a_fixed_pressure(fe3pt, diagram):
    """At 6.53 GPa the spinodal is met near 48, 157.4 and 159.4 K, and the transition is at 158.7 K."""
    line = spinodals(scan(fe3pt, np.arange(40.0, 162.0, 0.5), WINDOW), ())[0]
    met = []
    for pressures in line.pressures.T:
        offset = pressures - 6.53
        for i in np.flatnonzero(offset[:-1] * offset[1:] < 0):
            share = offset[i] / (offset[i] - offset[i + 1])
            met.append(line.temperatures[i] + share * 0.5)
    np.testing.assert_allclose(sorted(met), [48, 157.4, 159.4], atol=0.6)
    (transition,) = next(path for path in diagram.isobars if path.pressure == 6.53).transitions
    assert transition.temperature == pytest.approx(158.7, abs=0.05)


def test_clausius_and_clapeyron(binodal):
    """dP/dT = (S2 - S1) / (V2 - V1), where the temperatures are equally spaced."""
    T, P = binodal.temperatures, binodal.pressures[:, 0]
    np.testing.assert_allclose(binodal.pressures[:, 1], P, rtol=1e-8)
    for i in (4, 8, 11):
        assert np.ptp(np.diff(T[i - 2 : i + 3])) == 0
        slope = (P[i - 2] - 8 * P[i - 1] + 8 * P[i + 1] - P[i + 2]) / (12 * (T[1] - T[0]))
        dS, dV = np.diff(binodal.entropies[i])[0], np.diff(binodal.volumes[i])[0]
        assert slope == pytest.approx(GPA_PER_EV_PER_A3 * dS / dV, rel=3e-4)


def test_common_tangent_against_a_fine_grid(fe3pt, binodal):
    """The longest edge of the convex hull of 20 000 points, found by Qhull without derivatives."""
    V = np.linspace(12.38, 12.72, 20_001)
    for i in (2, 10):
        F = helmholtz_energy(fe3pt, V, binodal.temperatures[i])
        flat = F - np.linspace(F[0], F[-1], len(V))  # a slope changes no hull, but Qhull's rounding
        points = np.stack([V, flat * 1e3], axis=1)
        lids = [(V[0], 1e3), (V[-1], 1e3)]  # above everything: what is left is the lower hull
        corners = np.sort(ConvexHull(np.concatenate([points, lids])).vertices)
        corners = corners[corners < len(V)]
        longest = int(np.argmax(np.diff(V[corners])))
        np.testing.assert_allclose(V[corners[[longest, longest + 1]]], binodal.volumes[i], atol=5e-4)


def test_common_tangent_of_two_equations_of_state_at_zero():
    """At 0 K F is the lower of two E + 9/8 k_B Theta: their tangent by scipy's fsolve on those alone."""
    rows = np.array([[1, 13.1, 0.0, 170.0, 4.0], [6, 12.6, 0.02, 180.0, 4.5]])

    def ground(k, V, order):
        V0, E0, B0, slope = rows[k, 1:]
        h = 1e-4

        def energy(v):
            theta = debye_temperature(
                v, V0, B0, slope, mean_atomic_mass=90.65475, debye_scaling=0.617, grueneisen_x=2 / 3
            )
            return birch_murnaghan_energy(v, V0, E0, B0, slope) + 1.125 * BOLTZMANN * theta

        return energy(V) if order == 0 else (energy(V + h) - energy(V - h)) / (2 * h)

    def mismatch(x):
        small, large = x
        slopes = ground(1, small, 1), ground(0, large, 1)
        rise = ground(0, large, 0) - ground(1, small, 0)
        return slopes[0] - slopes[1], rise / (large - small) - slopes[0]

    expected = fsolve(mismatch, [12.5, 13.0], xtol=1e-12)
    found = phase_diagram(made_of(configurations(rows)), [0.0, 50.0], (11.8, 13.8))
    np.testing.assert_allclose(found.binodals[0].volumes[0], expected, rtol=1e-7)


def test_square_root_law_next_to_the_critical_point(fe3pt, diagram):
    """Landau: half-width of the spinodal sqrt(-2 F_VVT dT / F_VVVV), of the binodal sqrt(3) times that."""
    point = diagram.critical_point()
    near = derivatives(fe3pt, point.volume, point.temperature)
    T = point.temperature - np.array([0.04, 0.01])
    found = scan(fe3pt, np.sort(T), WINDOW)
    expected = np.sqrt(2 * near.F_VVT * (point.temperature - np.sort(T)) / near.F_VVVV)
    for line, widening in (
        (spinodals(found, (point,))[0], 1),
        (binodals(found, (point,))[0], np.sqrt(3)),
    ):
        np.testing.assert_allclose(np.diff(line.volumes, axis=1)[:, 0] / 2, widening * expected, rtol=2e-3)


def three_phases():
    """Configurations that follow each other in volume: two first-order lines at low temperature."""
    rows = [[1, 13.4, 0.0, 170, 4.0], [6, 13.0, 0.02, 175, 4.2], [40, 12.6, 0.045, 180, 4.4]]
    return made_of(configurations(np.array(rows)))


def test_any_number_of_lines():
    material = three_phases()
    found = phase_diagram(material, np.arange(0.0, 501.0, 10.0), (11.3, 14.4))
    assert len(found.binodals) >= 2
    ends = [point for line in found.binodals for point in line.critical_points]
    assert len(ends) == len(set(ends)) >= 2
    for line in (*found.binodals, *found.spinodals):
        assert line.residuals.max() < 1e-8
    # every binodal lies below F: no state between its volumes is lower than its tangent
    for line in found.binodals:
        i = len(line.temperatures) // 2
        V = np.linspace(11.4, 14.1, 4001)
        F = helmholtz_energy(material, V, line.temperatures[i])
        P = line.pressures[i, 0] / GPA_PER_EV_PER_A3
        tangent = helmholtz_energy(material, line.volumes[i, 0], line.temperatures[i]) - P * (
            V - line.volumes[i, 0]
        )
        assert np.min(F - tangent) > -1e-10


def test_the_far_critical_points_of_fe3pt_have_lines_too(fe3pt):
    found = phase_diagram(fe3pt, np.arange(2.0, 401.0, 4.0), (10.5, 14.5))
    temperatures = [point.temperature for point in found.critical_points]
    assert temperatures == pytest.approx([164.197, 109.462], abs=2e-3)
    for point in found.critical_points:
        assert found.binodal_of(point).residuals.max() < 1e-8


def test_one_configuration_has_no_lines_and_says_so():
    alone = made_of(configurations(np.array([[1, 13.1, 0.0, 170.0, 4.0]])))
    found = phase_diagram(alone, TEMPERATURES, (12.2, 13.9), pressures=(0.0,))
    assert found.critical_points == found.binodals == found.spinodals == ()
    assert found.negative_thermal_expansion == ()
    assert found.crossover is None
    with pytest.raises(NotFoundError, match="no critical point"):
        found.critical_point()


def test_an_isobar_is_at_its_pressure_and_jumps_at_equal_gibbs_energies(fe3pt, diagram):
    for path in diagram.isobars:
        np.testing.assert_allclose(pressure(fe3pt, path.volumes, path.temperatures), path.pressure, atol=1e-7)
        for transition in path.transitions:
            both = np.array([transition.volume_below, transition.volume_above])
            low, high = gibbs_energy(fe3pt, both, transition.temperature)
            assert low == pytest.approx(high, abs=2e-10)
            assert transition.latent_heat > 0
            twice = np.flatnonzero(path.temperatures == transition.temperature)
            np.testing.assert_array_equal(path.volumes[twice], both)
    assert [len(path.transitions) for path in diagram.isobars] == [0, 0, 0, 0, 1, 1]


def test_isobar_takes_the_lowest_of_several_volumes(fe3pt, diagram):
    found = scan(fe3pt, [100.0], WINDOW)
    below, above = isobar(found, 7.0).volumes[0], isobar(found, 7.2).volumes[0]
    assert below > 12.68 > 12.47 > above  # the transition at 100 K is at 7.09 GPa


def test_pressures_outside_the_window(fe3pt):
    found = scan(fe3pt, [10.0, 300.0], WINDOW)
    with pytest.raises(
        NotFoundError, match=r"no stable volume at 60 GPa and 10 K.*cover -6\.\d+ to 11\.\d+ GPa"
    ):
        isobar(found, 60.0)
    with pytest.raises(InputError, match="pressure: found nan"):
        isobar(found, float("nan"))


def test_negative_expansion_cut_by_the_range_of_temperatures(fe3pt):
    found = scan(fe3pt, np.arange(380.0, 431.0, 10.0), WINDOW)
    (window,) = negative_thermal_expansion(fe3pt, isobar(found, 0.0))
    assert (window.low, window.high) == (380.0, 430.0)
    assert window.low_end == window.high_end == "end of the isobar"
    assert negative_thermal_expansion(fe3pt, isobar(scan(fe3pt, [500.0, 550.0], WINDOW), 0.0)) == ()


def test_crossover_is_where_the_ground_state_has_probability_one_half(fe3pt, diagram):
    line = diagram.crossover
    assert line.configuration == "1"
    p = probabilities(fe3pt, line.volumes, line.temperatures)[:, 0]
    np.testing.assert_allclose(p, 0.5, rtol=1e-9)
    np.testing.assert_allclose(pressure(fe3pt, line.volumes, line.temperatures), line.pressures)
    assert line.temperatures[0] > 150  # inside the binodal no phase has that volume
    found = scan(fe3pt, [200.0, 300.0], WINDOW)
    with pytest.raises(InputError, match=r"configuration: found 99.*1, 2, 3"):
        crossover(found, "99")
    with pytest.raises(InputError, match="level: found 1"):
        crossover(found, "1", 1.0)
    with pytest.raises(NotFoundError, match=r"'36' passes 0\.9 in no stable phase"):
        crossover(found, "36", 0.9)


@pytest.mark.parametrize("temperatures", [[300.0, 100.0], [100.0, 100.0], [[100.0, 200.0]], [100.0]])
def test_temperatures_have_to_increase(fe3pt, temperatures):
    with pytest.raises(InputError, match="temperatures"):
        phase_diagram(fe3pt, temperatures, WINDOW)


def test_refined_temperatures(fe3pt):
    points = critical_points(fe3pt, (20, 400), WINDOW)
    T = np.arange(100.0, 201.0, 20.0)
    found = refined_temperatures(T, points)
    assert set(T) <= set(found)
    assert np.min(np.abs(found - points[0].temperature)) < 0.1
    np.testing.assert_array_equal(refined_temperatures(T, ()), T)


def test_results_are_frozen(diagram, binodal):
    with pytest.raises(dataclasses.FrozenInstanceError):
        diagram.crossover = None
    for array in (binodal.volumes, diagram.isobars[0].volumes, diagram.crossover.volumes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
