"""How well states of a process are put in order: by S~, by exact entropies, by the volume alone.

The later of two states of an adiabatic process has the larger entropy, but where hardly any was produced
fluctuations decide: no network can be right more often than the exact energy allows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95


class TimePairs(NamedTuple):
    """All pairs of states of one process (m,): the earlier, the later, and the process."""

    earlier: Integers
    later: Integers
    processes: Integers


class Difficulty(NamedTuple):
    """Pairs whose entropies differ by `low` to `high`: the part in the right order, and its interval."""

    low: float
    high: float
    pairs: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    ceiling: float


def time_pairs(processes: Integers) -> TimePairs:
    """Pairs within each process of states (n,) that are in order of time."""
    parts = []
    for process in np.unique(processes):
        own = np.flatnonzero(processes == process)
        i, j = np.triu_indices(len(own), 1)
        parts.append((own[i], own[j], np.full(len(i), process)))
    earlier, later, which = (np.concatenate(column) for column in zip(*parts, strict=True))
    return TimePairs(earlier, later, which)


def rightly(values: Array, pairs: TimePairs) -> Array:
    """Of each pair 1 where the later state has the larger value, 0 where the smaller, 1/2 where equal."""
    rise = values[pairs.later] - values[pairs.earlier]
    return np.asarray(np.where(rise == 0, 0.5, rise > 0), dtype=float)


def difficulties(
    s: Array, entropies: Array, pairs: TimePairs, edges: Array, resamples: int, seed: int
) -> list[Difficulty]:
    """Accuracy of S~ for pairs by |difference of the exact entropy|, in bins between `edges`.

    The interval is that of resampled processes; bins without pairs are left out. `ceiling` orders the same
    pairs by the exact entropy.
    """
    size = np.abs(entropies[pairs.later] - entropies[pairs.earlier])
    right, ceiling = rightly(s, pairs), rightly(entropies, pairs)
    names, number = np.unique(pairs.processes, return_inverse=True)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    found = []
    for low, high in pairwise(edges):
        chosen = (size >= low) & (size < high)
        if not chosen.any():
            continue
        total = np.bincount(number[chosen], minlength=len(names))
        good = np.bincount(number[chosen], right[chosen], minlength=len(names))
        drawn = weights @ total
        rates = (weights @ good)[drawn > 0] / drawn[drawn > 0]
        ends = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        mean, best = float(right[chosen].mean()), float(ceiling[chosen].mean())
        found.append(
            Difficulty(float(low), float(high), int(chosen.sum()), mean, float(ends[0]), float(ends[1]), best)
        )
    return found
