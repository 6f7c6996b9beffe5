import subprocess
import sys

import numpy as np
import pytest

import zenn.materials
from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.materials import helmholtz, thermodynamics
from zenn.materials.critical import (
    critical_point,
    critical_points,
    equilibrium_volumes,
    reference_volume,
    stable_volume,
)

TEMPERATURES, VOLUMES = (20.0, 400.0), (12.2, 13.4)


@pytest.fixture(scope="module")
def found(fe3pt):
    return critical_point(fe3pt, TEMPERATURES, VOLUMES)


def test_critical_point_of_fe3pt_against_an_independent_computation(found):
    assert found.temperature == pytest.approx(164.197, rel=1e-5, abs=0)
    assert found.pressure == pytest.approx(6.4709, rel=1e-5, abs=0)
    assert found.volume == pytest.approx(12.62809, rel=1e-5, abs=0)
    assert max(map(abs, found.residuals)) < 1e-10
    assert found.F_VVVV > 0
    assert found.iterations <= 8


def test_reference_volume_of_fe3pt_against_an_independent_computation(fe3pt):
    reference = reference_volume(fe3pt, (12.2, 13.7))
    assert reference == pytest.approx(13.23108, rel=1e-6, abs=0)
    assert thermodynamics.pressure(fe3pt, reference, 298.0) == pytest.approx(1.01325e-4, abs=1e-9)


def test_there_is_one_critical_point_and_any_window_finds_it(fe3pt, found):
    (one,) = critical_points(fe3pt, (5, 700), (11.8, 13.9))
    (two,) = critical_points(fe3pt, (150, 170), (12.6, 12.65))
    for other in (one, two):
        assert other.temperature == pytest.approx(found.temperature, rel=1e-9, abs=0)
        assert other.volume == pytest.approx(found.volume, rel=1e-9, abs=0)


def test_it_parts_stable_from_unstable(fe3pt, found):
    volumes = np.linspace(*VOLUMES, 400)
    lowest = [helmholtz.derivatives(fe3pt, volumes, T, 2).F_VV.min() for T in (160, 165)]
    assert lowest[0] < 0 < lowest[1]  # Fig. S2
    for T, count in ((found.temperature - 1e-3, 3), (found.temperature + 1e-3, 1)):
        # on the line through the critical point along which the phases meet, dP/dT = -F_VT
        slope = -helmholtz.derivatives(fe3pt, found.volume, found.temperature).F_VT * 160.2176634
        pressure = found.pressure + slope * (T - found.temperature)
        assert len(equilibrium_volumes(fe3pt, T, pressure, VOLUMES).volumes) == count


@pytest.mark.parametrize("change", ["distant", "order", "members"])
def test_the_same_material_in_other_words(of_table, table_s1, found, change):
    table = {
        "distant": np.vstack([table_s1, [12, 12.7, 1.0, 165, 4.2]]),
        "order": table_s1[::-1],
        "members": np.repeat(table_s1 / [2, 1, 1, 1, 1], 2, axis=0),
    }[change]
    other = critical_point(of_table(table), (150, 180), (12.5, 12.8))
    assert other.temperature == pytest.approx(found.temperature, rel=1e-10, abs=0)
    assert other.pressure == pytest.approx(found.pressure, rel=1e-10, abs=0)


def test_the_row_missing_from_the_printed_table_changes_nothing(of_table, table_s1, found):
    for energy in (0.06, 0.095):
        table = np.vstack([table_s1, [12, 12.75, energy, 165, 4.2]])
        other = critical_point(of_table(table), (150, 180), (12.5, 12.8))
        assert other.temperature == pytest.approx(found.temperature, rel=1e-8, abs=0)


def test_no_critical_point(fe3pt, of_table, table_s1):
    with pytest.raises(NotFoundError, match=r"200-400 K and 12\.2-13\.4 Å3 per atom"):
        critical_point(fe3pt, (200, 400), VOLUMES)
    with pytest.raises(NotFoundError):
        critical_point(of_table(table_s1[:1]), TEMPERATURES, VOLUMES)
    assert critical_points(fe3pt, (200, 400), VOLUMES) == ()


def test_an_iteration_that_is_cut_short_says_so(fe3pt):
    with pytest.raises(NotConvergedError, match="after 1 Newton steps"):
        critical_point(fe3pt, TEMPERATURES, VOLUMES, max_iterations=1)


def test_equilibrium_volumes_below_the_critical_point(fe3pt):
    found = equilibrium_volumes(fe3pt, 158.7, 6.53, VOLUMES)
    assert found.stable.tolist() == [True, False, True]
    np.testing.assert_allclose(thermodynamics.pressure(fe3pt, found.volumes, 158.7), 6.53, rtol=1e-11)
    np.testing.assert_allclose(
        found.gibbs_energies,
        helmholtz.helmholtz_energy(fe3pt, found.volumes, 158.7) + 6.53 / 160.2176634 * found.volumes,
    )
    assert stable_volume(fe3pt, 158.7, 6.53, VOLUMES) == found.volumes[np.argmin(found.gibbs_energies)]


def test_the_transition_at_fixed_pressure_lies_between(fe3pt):
    """Along 6.53 GPa the stable phase changes at 158.7 K, from large to small volume."""
    assert stable_volume(fe3pt, 158.6, 6.53, VOLUMES) > 12.65
    assert stable_volume(fe3pt, 158.8, 6.53, VOLUMES) < 12.60


def test_at_zero_temperature_a_jump_is_no_root(fe3pt):
    found = equilibrium_volumes(fe3pt, 0.0, 6.0, (11.8, 13.7))
    np.testing.assert_allclose(thermodynamics.pressure(fe3pt, found.volumes, 0.0), 6.0, rtol=1e-10)


def test_no_volume_at_this_pressure(fe3pt):
    assert equilibrium_volumes(fe3pt, 300, 500, VOLUMES).volumes.shape == (0,)
    with pytest.raises(NotFoundError, match="300 K and 500 GPa"):
        stable_volume(fe3pt, 300, 500, VOLUMES)


def test_unusable_arguments(fe3pt):
    with pytest.raises(InputError, match="temperature_window"):
        critical_point(fe3pt, (300, 200), VOLUMES)
    with pytest.raises(InputError, match="volume_window"):
        critical_point(fe3pt, TEMPERATURES, (0, 12))
    with pytest.raises(InputError, match="tolerance"):
        critical_point(fe3pt, TEMPERATURES, VOLUMES, tolerance=0)
    with pytest.raises(InputError, match="max_iterations"):
        critical_point(fe3pt, TEMPERATURES, VOLUMES, max_iterations=0)
    with pytest.raises(InputError, match="pressure"):
        equilibrium_volumes(fe3pt, 300, np.nan, VOLUMES)
    with pytest.raises(InputError, match="temperature"):
        equilibrium_volumes(fe3pt, -1, 1, VOLUMES)


def test_every_name_of_the_room_can_be_had():
    assert dir(zenn.materials) == sorted(zenn.materials.__all__)
    for name in zenn.materials.__all__:
        assert getattr(zenn.materials, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = zenn.materials.nothing_like_it


def test_importing_the_room_imports_nothing():
    command = "import sys, zenn.materials; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
