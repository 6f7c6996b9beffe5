"""Orders of pairs of a process, counted one by one."""

import itertools

import numpy as np
import pytest

from zenn.laws.ordering import difficulties, rightly, time_pairs
from zenn.laws.training import scores

RNG = np.random.default_rng(3)
PROCESSES = np.repeat([4, 2, 9, 7], [9, 5, 12, 7])
EXACT = RNG.normal(size=33) * 3
S = EXACT + RNG.normal(size=33)


def test_pairs_are_those_of_one_process():
    pairs = time_pairs(PROCESSES)
    found = set(zip(pairs.earlier.tolist(), pairs.later.tolist(), strict=True))
    expected = {(i, j) for i, j in itertools.combinations(range(33), 2) if PROCESSES[i] == PROCESSES[j]}
    assert found == expected
    assert (PROCESSES[pairs.earlier] == pairs.processes).all()


def test_accuracy_is_that_of_training():
    assert rightly(S, time_pairs(PROCESSES)).mean() == pytest.approx(scores(S, PROCESSES).accuracy)


def test_equal_values_are_half_right():
    pairs = time_pairs(np.zeros(3))
    assert rightly(np.array([1.0, 1.0, 2.0]), pairs).tolist() == [0.5, 1.0, 1.0]


def test_bins_hold_every_pair_once():
    pairs = time_pairs(PROCESSES)
    bins = difficulties(S, EXACT, pairs, np.array([0.0, 1, 2, 4, 100]), 300, 1)
    assert sum(one.pairs for one in bins) == len(pairs.earlier)
    total = sum(one.pairs * one.accuracy for one in bins)
    assert total == pytest.approx(rightly(S, pairs).sum())
    for one in bins:
        chosen = [
            (i, j)
            for i, j in zip(pairs.earlier, pairs.later, strict=True)
            if one.low <= abs(EXACT[i] - EXACT[j]) < one.high
        ]
        assert one.accuracy == pytest.approx(np.mean([S[i] < S[j] for i, j in chosen]))
        assert one.ceiling == pytest.approx(np.mean([EXACT[i] < EXACT[j] for i, j in chosen]))
        assert one.accuracy_low <= one.accuracy <= one.accuracy_high


def test_what_is_certain_has_no_spread_and_empty_bins_are_left_out():
    rising = np.arange(33.0)
    bins = difficulties(rising, rising, time_pairs(PROCESSES), np.array([0.0, 0.5, 50.0]), 100, 1)
    assert [(one.low, one.accuracy_low, one.accuracy, one.ceiling) for one in bins] == [(0.5, 1, 1, 1)]
