"""What the controls take from the pictures."""

import numpy as np
import pytest

from zenn.laws.controls import frame_sources
from zenn.laws.ordering import rightly, time_pairs

PROCESSES = np.repeat([3, 8], 12)
WIDTHS = np.tile([1.0, 0.75, 0.5, 0.75], 6)


def test_nothing_is_taken_without_a_control():
    pictures, frames = frame_sources("none", PROCESSES, WIDTHS, 5, 1)
    assert (pictures == np.arange(24)[:, None]).all()
    assert (frames == np.arange(5)).all()


def test_a_frozen_picture_is_its_first_frame():
    pictures, frames = frame_sources("frozen", PROCESSES, WIDTHS, 5, 1)
    assert (pictures == np.arange(24)[:, None]).all()
    assert not frames.any()


def test_permuted_frames_stay_in_their_picture():
    pictures, frames = frame_sources("permuted", PROCESSES, WIDTHS, 5, 1)
    assert (pictures == np.arange(24)[:, None]).all()
    assert (np.sort(frames, axis=1) == np.arange(5)).all()
    assert len(np.unique(frames, axis=0)) > 10


def test_shuffled_frames_stay_in_their_process_and_place_and_are_used_once():
    pictures, frames = frame_sources("shuffled", PROCESSES, WIDTHS, 5, 1)
    assert (frames == np.arange(5)).all()
    assert (PROCESSES[pictures] == PROCESSES[:, None]).all()
    assert (WIDTHS[pictures] == WIDTHS[:, None]).all()
    assert (np.sort(pictures, axis=0) == np.arange(24)[:, None]).all()


def test_after_shuffling_time_cannot_be_told_at_one_place_of_the_piston():
    """A quantity that tells the time in every frame: right in half of the pairs, 1/2 +- 4 standard errors."""
    widths, processes = np.ones(6000), np.repeat(np.arange(1000), 6)
    time = np.tile(np.arange(6.0), 1000)
    pairs = time_pairs(processes)
    assert rightly(time, pairs).mean() == 1
    pictures, _ = frame_sources("shuffled", processes, widths, 5, 1)
    each = rightly(time[pictures].mean(axis=1), pairs).reshape(1000, -1).mean(axis=1)
    assert each.mean() == pytest.approx(0.5, abs=4 * each.std() / np.sqrt(1000))
