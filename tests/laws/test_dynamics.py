"""The windowed, calendar-driven dynamics beside plain stepping, conservation laws and kinetic theory."""

import dataclasses

import numpy as np
import pytest

from tests.laws import plain
from zenn.errors import InputError
from zenn.laws import dynamics
from zenn.laws.processes import Design, Gas, processes, schedule

GAS = Gas(length=24.0)


def start(gas, particles, seed=1):
    return dynamics.random_state(gas, particles, np.random.SeedSequence(seed))


# the densest for less long: each collision multiplies the difference that rounding makes
@pytest.mark.parametrize(
    ("particles", "speed", "steps"), [(12, -1.5, 4000), (25, -0.5, 4000), (40, 0.5, 4000), (70, 0.0, 1000)]
)
def test_trajectories_are_those_of_plain_stepping(particles, speed, steps):
    state = start(GAS, particles)
    expected, work, contacts = plain.advance(state, GAS, 24.0, speed, 24.0, steps)
    moved = dynamics.advance(state, GAS, 24.0, 24.0, steps, piston_speed=speed)
    np.testing.assert_allclose(state, expected, rtol=0, atol=1e-8)
    assert moved.work == pytest.approx(work, abs=1e-7)
    assert moved.collisions == contacts > 0
    assert 0 < moved.speed_use <= 1


def test_pieces_of_any_length_make_the_same_trajectory():
    whole, cut = start(GAS, 25), start(GAS, 25)
    dynamics.advance(whole, GAS, 24.0, 24.0, 3000, piston_speed=-0.5)
    done = 0
    for steps in (1, 2, 17, 480, 1000, 1500):
        dynamics.advance(cut, GAS, 24.0 - 0.0005 * done, 24.0, steps, piston_speed=-0.5)
        done += steps
    np.testing.assert_allclose(cut, whole, rtol=0, atol=1e-8)


def test_a_disc_faster_than_the_bound_makes_no_difference():
    """Discs at rest, pressed together, fly apart faster than any speed that the bound was made from."""
    gas = dataclasses.replace(GAS, length=30.0)
    state = np.zeros((4, 12))
    state[0] = np.concatenate([[10.0, 11.3, 12.5], np.linspace(3, 27, 9)])
    state[1] = np.concatenate([[10.0, 11.0, 10.1], np.full(9, 20.0)])
    expected, _, _ = plain.advance(state, gas, 30.0, 0.0, 30.0, 600)
    moved = dynamics.advance(state, gas, 30.0, 30.0, 600)
    np.testing.assert_allclose(state, expected, rtol=0, atol=1e-8)
    assert moved.repeated > 0
    assert moved.speed_use <= 1


def test_a_gas_at_rest_stays_at_rest():
    state = start(GAS, 20)
    state[2:] = 0
    before = state.copy()
    dynamics.advance(state, GAS, 24.0, 24.0, 5000)
    np.testing.assert_array_equal(state, before)


def test_energy_is_that_of_the_potential_of_equation_3():
    state = np.array(
        [[0.4, 5.0, 6.5, 11.5], [6.0, 6.0, 6.0, 0.7], [1.0, 0.0, -2.0, 0.0], [0.0, 3.0, 0.0, 0.5]]
    )
    kinetic, potential = dynamics.energy(state, GAS, 12.0, 24.0)
    assert kinetic == pytest.approx(0.5 * (1 + 9 + 4 + 0.25))
    assert potential == pytest.approx(0.5 * GAS.stiffness * (0.6**2 + 0.5**2 + 0.5**2 + 0.3**2))
    assert potential == pytest.approx(plain.forces(state, GAS, 12.0, 24.0)[2])


def test_energy_is_kept_and_pushing_adds_its_work():
    gas = Gas(length=60.0)
    state = start(gas, 100)
    before = sum(dynamics.energy(state, gas, 60.0, 60.0))
    dynamics.advance(state, gas, 60.0, 60.0, 20000)
    assert sum(dynamics.energy(state, gas, 60.0, 60.0)) == pytest.approx(before, rel=5e-3)
    moved = dynamics.advance(state, gas, 60.0, 60.0, 60000, piston_speed=-0.25)
    assert moved.work > 0.2 * before
    assert sum(dynamics.energy(state, gas, 45.0, 60.0)) == pytest.approx(before + moved.work, rel=1e-2)


def test_collisions_are_as_frequent_as_in_kinetic_theory():
    """Hard discs of Enskog's theory: 2 n D sqrt(pi T / m) g per disc, g = (1 - 7 eta / 16) / (1 - eta)^2."""
    gas = Gas(length=150.0)
    state = start(gas, 500)
    state[2:] *= np.sqrt(500 / (0.5 * (state[2:] ** 2).sum()))
    dynamics.advance(state, gas, 150.0, 150.0, 5000)
    moved = dynamics.advance(state, gas, 150.0, 150.0, 50000)
    area = 148.0**2  # that the centres reach
    eta = 500 * np.pi / area
    each = 2 * 500 / area * 2 * np.sqrt(np.pi) * (1 - 7 * eta / 16) / (1 - eta) ** 2
    assert moved.collisions == pytest.approx(each * 50 * 500 / 2, rel=0.05)


def test_replicas_differ_but_in_energy_and_number():
    gas, design = Gas(length=60.0), SHORT
    process = processes(gas, design)[0]
    first, second = (dynamics.initial_state(process, gas, design, replica) for replica in (0, 1))
    assert not np.allclose(first, second)
    assert (first[2:] ** 2).sum() == pytest.approx((second[2:] ** 2).sum(), rel=1e-12)


SHORT = Design(
    particles=(40, 80),
    push_speeds=(0.5,),
    pull_speeds=(0.5,),
    distances=(30.0, 15.0),
    stop_time=10.0,
    train=4,
    validation=2,
    test=2,
)


def test_a_process_keeps_five_frames_of_every_stop():
    gas = Gas(length=60.0)
    process = processes(gas, SHORT)[1]
    trajectory = dynamics.run_process(process, gas, SHORT)
    stops = [phase for phase in schedule(process, gas, SHORT) if phase.speed == 0]
    assert trajectory.positions.shape == (len(stops), 5, 2, process.particles)
    np.testing.assert_array_equal(trajectory.widths, [phase.start for phase in stops])
    # the last frame lies where its velocities take it back to the one before, for most discs
    moved = trajectory.positions[:, 4] - trajectory.positions[:, 3]
    free = np.abs(moved - trajectory.velocities).max(axis=1) < 1e-3
    assert free.mean() > 0.5
    assert (trajectory.positions > 0).all()
    assert (trajectory.positions[:, :, 0] < trajectory.widths[:, None, None]).all()
    np.testing.assert_allclose(trajectory.heating / trajectory.energies, 0, atol=0.02)
    assert trajectory.works[1] > 0
    again = dynamics.run_process(process, gas, SHORT)
    np.testing.assert_array_equal(again.positions, trajectory.positions)


def test_a_time_step_that_heats_is_refused():
    gas = Gas(length=60.0, time_step=0.005)
    process = processes(gas, SHORT)[-1]
    with pytest.raises(
        InputError, match=rf"process {process.number} .*time step 0\.005.*The time step is too long"
    ):
        dynamics.run_process(process, gas, SHORT, heating_bound=0.001)


def test_discs_that_overlap_at_the_start_are_refused():
    state = start(GAS, 5)
    dynamics.check_start(state, GAS, "process 7")
    state[0, 1], state[1, 1] = state[0, 0] + 1.9, state[1, 0]
    with pytest.raises(InputError, match=r"process 7: found discs that overlap"):
        dynamics.check_start(state, GAS, "process 7")


def test_a_disc_outside_is_refused():
    state = start(GAS, 5)
    state[0, 2] = 24.5
    with pytest.raises(InputError, match=r"process 7: found a disc outside"):
        dynamics.advance(state, GAS, 24.0, 24.0, 10, name="process 7")


@pytest.mark.parametrize("speed", [1e6, np.nan])
def test_a_disc_too_fast_is_refused(speed):
    state = start(GAS, 5)
    state[2, 2] = speed
    with pytest.raises(InputError, match=r"process 7: found a disc"):
        dynamics.advance(state, GAS, 24.0, 24.0, 10, name="process 7")
