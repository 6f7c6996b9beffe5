"""States cut, joined and dusted, pixel by pixel."""

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.laws.composing import columns_of, cut, dust_side, dusted, halves, joined, scaled

RNG = np.random.default_rng(1)
FIRST, SECOND = RNG.integers(1, 256, (2, 3, 5, 8, 8), dtype=np.uint8)


def test_masks_leave_the_part_lambda():
    below = scaled(FIRST, 0.5, "bottom")
    np.testing.assert_array_equal(below[..., :4, :], FIRST[..., :4, :])
    assert not below[..., 4:, :].any()
    beside = scaled(FIRST, 0.5, "right", [8, 6, 4])
    for one, kept in enumerate((4, 3, 2)):  # half of what the piston leaves
        np.testing.assert_array_equal(beside[one, ..., :kept], FIRST[one, ..., :kept])
        assert not beside[one, ..., kept:].any()
    assert FIRST.all()
    with pytest.raises(InputError, match="the piston's place"):
        scaled(FIRST, 0.5, "right")


def test_compound_states():
    both = halves(FIRST, SECOND)
    np.testing.assert_array_equal(both[..., :4], FIRST[..., :4])
    np.testing.assert_array_equal(both[..., 4:], SECOND[..., :4])
    rows = joined(FIRST, SECOND, 0.25)
    np.testing.assert_array_equal(rows[..., :2, :], FIRST[..., :2, :])
    np.testing.assert_array_equal(rows[..., 2:, :], SECOND[..., 2:, :])
    columns = joined(FIRST, SECOND, 0.5, "columns", 6)
    np.testing.assert_array_equal(columns[..., :3], FIRST[..., :3])
    np.testing.assert_array_equal(columns[..., 3:], SECOND[..., 3:])
    np.testing.assert_array_equal(joined(FIRST, SECOND, 1.0), FIRST)
    np.testing.assert_array_equal(joined(FIRST, SECOND, 0.0), SECOND)


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_dust_is_a_square_where_there_is_always_gas(side):
    made = dusted(FIRST, SECOND, side)
    changed = (made != FIRST).any(axis=(0, 1)) | ((made == SECOND) & (made == FIRST)).all(axis=(0, 1))
    rows, columns = np.nonzero(changed)
    assert changed.sum() == side**2
    assert columns.max() < 4
    np.testing.assert_array_equal(made[..., changed], SECOND[..., changed])
    assert np.ptp(rows) == np.ptp(columns) == side - 1


def test_places_in_whole_pixels():
    assert [cut(part, 10) for part in (0.24, 0.25, 0.96)] == [2, 3, 10]
    assert columns_of([150.0, 75.0, 112.5], 150.0, 64).tolist() == [64, 32, 48]
    assert [dust_side(epsilon, 64) for epsilon in (1e-9, 1 / 64, 0.25)] == [1, 8, 32]
