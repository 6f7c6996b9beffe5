"""The same 36 configurations in pyzentropy: another implementation of Eqs. 1-7, on a grid.

Its units: per cell of n atoms, so that dF/dV is the same, d2F/dV2 one n-th. Its GPa are those of CODATA 2014.
From 40 K on; below, a probability that underflows leaves its entropy without a number.
"""

import numpy as np
import pytest
from scipy.optimize import brentq

from benchmarks.materials import PEER_GPA_PER_EV_PER_A3, peer_configurations, peer_system
from zenn.materials import helmholtz
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import stable_volume
from zenn.materials.diagram import crossover, phase_diagram
from zenn.materials.scanning import scan
from zenn.materials.thermodynamics import pressure, properties, thermal_expansion

ATOMS = 12
WINDOW = (12.2, 13.7)
VOLUMES, TEMPERATURES = np.linspace(*WINDOW, 121), np.arange(40, 601, 20.0)
STEP, TOLERANCE = 1e-3, 1e-5
"""Å3 per cell and eV / Å3 of pyzentropy's search for a common tangent.

It goes on for ever where one step changes dF/dV by more than the tolerance: 6e-6 here.
"""


@pytest.fixture(scope="module")
def system(fe3pt):
    return peer_system(fe3pt, peer_configurations(fe3pt, VOLUMES, TEMPERATURES))


@pytest.fixture(scope="module")
def diagram(system):
    system.calculate_phase_diagrams(dP=1.0, volume_step_size=STEP, atol=TOLERANCE)
    return system


@pytest.fixture(scope="module")
def ours(fe3pt):
    return phase_diagram(fe3pt, TEMPERATURES, WINDOW)


def test_properties_on_the_grid(fe3pt, system):
    found = properties(fe3pt, VOLUMES, TEMPERATURES[:, None])
    units = GPA_PER_EV_PER_A3 / PEER_GPA_PER_EV_PER_A3
    assert units - 1 == pytest.approx(8.24e-9, rel=1e-3)
    for theirs, value in (
        (system.helmholtz_energies / ATOMS, found.helmholtz_energy),
        (system.entropies / ATOMS, found.entropy),
        (system.configurational_entropies / ATOMS, found.configurational_entropy),
        (-system.helmholtz_energies_dV * GPA_PER_EV_PER_A3, found.pressure),
        (system.bulk_moduli * units, found.bulk_modulus),
        (system.heat_capacities / ATOMS, found.isochoric_heat_capacity),
    ):
        np.testing.assert_allclose(theirs, value, rtol=1e-8)
    p = np.stack([one.probabilities for one in system.configurations.values()], axis=-1)
    seen = found.probabilities > 1e-30
    np.testing.assert_allclose(p[seen], found.probabilities[seen], rtol=1e-8)
    assert np.all(p[~seen] <= 1e-30 * (1 + 1e-8))


@pytest.mark.parametrize(("at", "near"), [(0.0, 1), (2.0, 1), (8.0, 1), (6.0, 30), (7.0, 60)])
def test_properties_at_a_pressure(fe3pt, system, at, near):
    """Theirs are interpolated on the grid of volumes, worse near the critical point and the transition."""
    system.calculate_pressure_properties(at)
    theirs = system.pt_properties[f"{at:.2f}_GPa"]
    V = np.array([stable_volume(fe3pt, T, at, WINDOW) for T in TEMPERATURES])
    found = properties(fe3pt, V, TEMPERATURES)
    expansion = 1e6 * np.diff(V) / np.diff(TEMPERATURES) / V[:-1]  # theirs is a forward difference, in 1e-6
    np.testing.assert_allclose(theirs["V0"] / ATOMS, V, rtol=2e-7 * near)
    np.testing.assert_allclose(theirs["G0"] / ATOMS, found.gibbs_energy, rtol=0, atol=3e-6)
    np.testing.assert_allclose(theirs["S0"] / ATOMS, found.entropy, rtol=1e-5 * near)
    np.testing.assert_allclose(theirs["Sconf"] / ATOMS, found.configurational_entropy, rtol=5e-6 * near)
    np.testing.assert_allclose(theirs["B0"], found.bulk_modulus, rtol=5e-5 * near)
    np.testing.assert_allclose(theirs["CTE"], expansion, rtol=0, atol=0.02 * near)


@pytest.mark.parametrize("at", [0.0, 2.0, 8.0])
def test_thermal_expansion(fe3pt, system, at):
    """Their difference over 20 K is our derivative in its middle, to 1 % of the largest value."""
    system.calculate_pressure_properties(at)
    middle = (TEMPERATURES[1:] + TEMPERATURES[:-1]) / 2
    volumes = np.array([stable_volume(fe3pt, T, at, WINDOW) for T in middle])
    exact = 1e6 * thermal_expansion(fe3pt, volumes, middle)
    theirs = system.pt_properties[f"{at:.2f}_GPa"]["CTE"]
    np.testing.assert_allclose(theirs, exact, rtol=0, atol=0.01 * np.abs(exact).max())


def test_critical_temperature_lies_in_their_bracket(diagram, ours):
    last = diagram.pt_phase_diagram["first_order"]["T"].max()
    assert last < ours.critical_point().temperature < last + 20


def test_transition_pressures(diagram, ours):
    """Theirs is no tangent: the secant may differ by 0.001 eV / Å3 from the slopes; here by half of that."""
    theirs = diagram.pt_phase_diagram["first_order"]
    (binodal,) = ours.binodals
    tangents = binodal.pressures[np.isin(binodal.temperatures, theirs["T"]), 0]
    np.testing.assert_allclose(theirs["P"], tangents, rtol=0, atol=0.0006 * GPA_PER_EV_PER_A3)


def test_transition_pressures_by_their_own_construction(fe3pt, diagram):
    """From the spinodals on the grid both volumes move equally far until the slopes are the same."""
    first = diagram.pt_phase_diagram["first_order"]
    volumes = diagram.vt_phase_diagram["first_order"]
    for T, P, left, right in zip(
        first["T"], first["P"], volumes["V_left"][:-1], volumes["V_right"][:-1], strict=True
    ):
        slopes = np.diff(helmholtz.derivatives(fe3pt, VOLUMES, T, order=1).F_V)
        turns = np.flatnonzero(np.diff(np.sign(slopes))) + 1
        low, high = VOLUMES[turns[[0, -1]]]
        ends = np.array([low, high])
        apart = brentq(lambda d, ends=ends, T=T: difference(fe3pt, ends + np.array([-d, d]), T), 0, 0.25)
        assert left / ATOMS == pytest.approx(low - apart, abs=1e-3)
        assert right / ATOMS == pytest.approx(high + apart, abs=1e-3)
        assert pytest.approx(pressure(fe3pt, low - apart, T), abs=0.0075) == P  # 0.005 are its rounding


def difference(material, volumes, temperature):
    """Of the slopes of F at two volumes."""
    return float(np.diff(helmholtz.derivatives(material, volumes, temperature, order=1).F_V)[0])


def test_crossover(fe3pt, diagram):
    """The line of 50 %: theirs in T between temperatures 20 K apart, ours solved at the same T."""
    second = diagram.pt_phase_diagram["second_order"]
    order = np.argsort(second["T"])
    found = crossover(scan(fe3pt, second["T"][order], WINDOW))
    np.testing.assert_allclose(found.pressures, second["P"][order], rtol=0, atol=0.01)
    np.testing.assert_allclose(
        found.volumes, diagram.vt_phase_diagram["second_order"]["V"][order] / ATOMS, rtol=0, atol=1e-3
    )
