"""A wall put into the gas and taken out: nothing passes it, and the energy stays."""

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.laws.dynamics import energy, random_state
from zenn.laws.processes import Gas
from zenn.laws.recombination import split_and_recombine

GAS = Gas(length=40.0)


@pytest.fixture
def state():
    return random_state(GAS, 60, np.random.SeedSequence(2))


@pytest.mark.parametrize(("wall", "axis"), [("x", 1), ("y", 0)])
def test_nothing_passes_the_wall(state, wall, axis):
    start = state.copy()
    made = split_and_recombine(state, GAS, 40.0, wall, 0.3, 20.0, 1.0)
    np.testing.assert_array_equal(state, start)
    near = np.abs(start[axis] - 12.0) < 1.0
    assert made.removed == near.sum() > 0
    assert made.split.shape == made.recombined.shape == (5, 2, 60 - near.sum())
    before = int((start[axis, ~near] < 12.0).sum())
    # discs touch the wall at the distance of their radius, and press into it a little
    assert (made.split[:, axis] < 11.5).sum(axis=1).tolist() == [before] * 5
    assert (made.split[:, axis] > 12.5).sum(axis=1).tolist() == [60 - near.sum() - before] * 5
    left = start[:, ~near]
    expected = sum(energy(np.ascontiguousarray(left), GAS, 40.0, 40.0))
    assert (made.energy_split, made.energy_recombined) == pytest.approx((expected, expected), rel=5e-3)
    # without the wall some have crossed it
    assert (np.abs(made.recombined[-1, axis] - 12.0) < 1.0).any()


def test_frames_are_an_interval_apart(state):
    state[:, 1:] = 0
    one = np.array([[10.0], [20.0], [0.5], [0.25]])
    made = split_and_recombine(one, GAS, 40.0, "y", 0.5, 6.0, 1.0)
    np.testing.assert_allclose(made.split[:, 0, 0], 10 + 0.5 * np.arange(2, 7))
    np.testing.assert_allclose(made.recombined[:, 1, 0], 20 + 0.25 * np.arange(8, 13))


@pytest.mark.parametrize(
    ("part", "relaxation", "said"),
    [(0.5, 3.0, "relaxation: found 3.0, expected 4 or more"), (0.02, 10.0, "lambdas: found 0.02")],
)
def test_walls_that_cannot_be(state, part, relaxation, said):
    with pytest.raises(InputError, match=said):
        split_and_recombine(state, GAS, 40.0, "x", part, relaxation, 1.0)
