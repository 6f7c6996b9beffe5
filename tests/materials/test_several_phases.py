"""Phase diagrams where something meets, ends or is cut: against brute force on fine grids."""

from dataclasses import replace

import numpy as np
import pytest

from tests.materials.conftest import configurations, made_of
from zenn.errors import NotFoundError
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.diagram import phase_diagram
from zenn.materials.helmholtz import helmholtz_energy
from zenn.materials.isobars import isobar
from zenn.materials.scanning import scan
from zenn.materials.uncertainty import interval, monte_carlo

WINDOW = (12.2, 13.7)
TRIPLE = np.array([[1, 13.20, 0, 170, 4], [60, 12.70, 0.0330, 170, 4], [1, 12.20, 0.0500, 170, 4]])
TRIPLE_WINDOW = (11.712, 13.992)


def stable_volume(material, T, P, window):
    """The volume of lowest F + P V on 20 000 points, without derivatives."""
    V = np.linspace(*window, 20_001)
    return V[np.argmin(helmholtz_energy(material, V, T) + P / GPA_PER_EV_PER_A3 * V)]


@pytest.fixture(scope="module")
def triple():
    return made_of(configurations(TRIPLE))


def test_three_lines_meet_in_a_triple_point(triple):
    """Below about 275 K the middle phase is nowhere stable; above, one line has become two."""
    found = phase_diagram(triple, np.arange(0.0, 601.0, 10.0), TRIPLE_WINDOW)
    ends = sorted((line.temperatures[0], line.temperatures[-1]) for line in found.binodals)
    assert ends == [(0, 270), (280, 600), (280, 600)]
    for line in found.binodals:
        assert line.residuals.max() < 1e-8
        assert np.all(np.abs(np.diff(line.volumes, axis=0)) < 0.05)  # no side leaps to another phase
    # Gibbs's rule: one pressure for three phases, to which the three lines go; they end up to 10 K before it
    pressures = [line.pressures[-1 if line.temperatures[0] == 0 else 0, 0] for line in found.binodals]
    assert np.ptp(pressures) < 0.2


@pytest.mark.parametrize("P", [7.98, 8.02, 8.03, 8.05, 8.07, 8.1])
def test_isobars_beside_a_triple_point_against_brute_force(triple, P):
    T = np.arange(0.0, 401.0, 10.0)
    path = isobar(scan(triple, T, TRIPLE_WINDOW), P)
    assert len(path.transitions) in (1, 2)
    for transition in path.transitions:
        for side, volume in ((-0.02, transition.volume_below), (0.02, transition.volume_above)):
            exact = stable_volume(triple, transition.temperature + side, P, TRIPLE_WINDOW)
            assert volume == pytest.approx(exact, abs=3e-4)
    for t in T[5::7]:
        exact = stable_volume(triple, t, P, TRIPLE_WINDOW)
        assert path.volumes[path.temperatures == t][0] == pytest.approx(exact, abs=3e-4)


def test_a_binodal_has_all_its_temperatures_close_to_its_end(fe3pt):
    """Two volumes of one phase meet every residual if only they are close: they are no binodal."""
    T = [160.0, 161.0, 162.0, 163.0, 164.0, 164.1, 164.15, 164.19, 164.195, 165.0]
    found = phase_diagram(fe3pt, T, WINDOW, pressures=(6.472,))
    (line,) = found.binodals
    assert set(T[:-1]) <= set(line.temperatures)
    assert np.all(np.diff(line.pressures[:, 0]) < 0)
    (transition,) = found.isobars[0].transitions
    assert transition.temperature == pytest.approx(164.097, abs=2e-3)


def test_lines_reach_their_critical_point_in_a_narrow_window_and_on_coarse_temperatures(fe3pt):
    narrow = phase_diagram(fe3pt, np.arange(0.0, 601.0, 10.0), (12.5, 12.7))
    assert narrow.binodals[0].critical_points == narrow.critical_points
    (spinodal,) = phase_diagram(fe3pt, [0.0, 100.0, 164.19, 300.0], WINDOW).spinodals
    assert spinodal.temperatures[0] == 100
    assert len(spinodal.critical_points) == 1


def test_a_transition_at_a_temperature_of_the_scan(fe3pt):
    T = np.arange(0.0, 601.0, 10.0)
    (line,) = phase_diagram(fe3pt, T, WINDOW).binodals
    for P in line.pressures[list(line.temperatures).index(100.0)]:
        path = isobar(scan(fe3pt, T, WINDOW), float(P))
        (transition,) = path.transitions
        assert transition.temperature == pytest.approx(100, abs=1e-6)
        assert np.all(path.volumes[path.temperatures < 99] > 12.6)
        assert np.all(path.volumes[(path.temperatures > 101) & (path.temperatures < 151)] < 12.5)


def test_a_window_of_negative_expansion_next_to_zero_kelvin(fe3pt):
    found = phase_diagram(fe3pt, np.arange(0.0, 601.0, 100.0), WINDOW, pressures=(6.8,))
    (window,) = found.negative_thermal_expansion
    assert (window.low_end, window.high_end) == ("turning point", "transition")
    assert window.low == pytest.approx(91.39, abs=0.01)  # also found with steps of 2 K


def test_a_stable_phase_outside_the_window_is_asked_for(fe3pt):
    """At 7.9 GPa and 10 K the small volume is stable; a window that ends above it holds only another one."""
    with pytest.raises(NotFoundError, match=r"7\.9 GPa and 10 K.*Widen the window"):
        isobar(scan(fe3pt, [10.0, 20.0], (12.42, 13.7)), 7.9)


def test_no_crossover_where_it_lies_within_the_binodal(fe3pt):
    assert phase_diagram(fe3pt, np.arange(0.0, 20.5, 0.5), WINDOW).crossover is None


def test_samples_that_cannot_be_followed_are_searched_for(fe3pt):
    """A table rounded so coarsely that T* moves by tens of kelvin: each sample against its own diagram."""
    rows, decimals = fe3pt.configurations, (2, 2, 0, 1)
    names = ("equilibrium_volumes", "equilibrium_energies", "bulk_moduli", "bulk_modulus_derivatives")
    coarse = {name: np.round(getattr(rows, name), d) for name, d in zip(names, decimals, strict=True)}
    material = replace(fe3pt, configurations=replace(rows, **coarse))
    T = np.arange(0.0, 601.0, 20.0)
    diagram = phase_diagram(material, T, WINDOW, (0.0,))
    found = monte_carlo(material, diagram, decimals, 12, 1, lambda done: None)
    assert interval(found.critical_points[:, 0]).solved == 12
    assert np.ptp(found.critical_points[:, 1]) > 1.5
    below = found.temperatures < found.critical_points[:, 0].min() - 1
    assert np.all(np.isfinite(found.transition_pressures[:, below]))


def test_a_turning_point_that_becomes_a_transition_is_not_counted(fe3pt):
    diagram = phase_diagram(fe3pt, np.arange(0.0, 301.0, 10.0), WINDOW, (6.65,))
    (window,) = diagram.negative_thermal_expansion
    found = monte_carlo(fe3pt, diagram, (3, 4, 2, 3), 20, 1)
    assert interval(found.critical_points[:, 0]).solved == 20
    low, *rest = found.turning_temperatures.T
    assert np.all(np.isfinite(low))
    assert all(np.any(np.isnan(high)) for high in rest)
    assert window.low == pytest.approx(np.median(low), abs=1)


@pytest.mark.parametrize("off", [0.0, 1e-9, -1e-9, 1e-6, -1e-6])
def test_the_isobar_through_a_critical_point(fe3pt, off):
    """There dV/dT diverges and F is flat to rounding: no jump is made up, and nothing fails."""
    T = np.arange(0.0, 601.0, 10.0)
    (point,) = phase_diagram(fe3pt, T, WINDOW).critical_points
    found = phase_diagram(fe3pt, T, WINDOW, pressures=(point.pressure * (1 + off),))
    assert found.isobars[0].transitions == ()
    (window,) = found.negative_thermal_expansion
    assert window.low == pytest.approx(105.38, abs=0.01)
    assert window.high == pytest.approx(193.60, abs=0.02)
