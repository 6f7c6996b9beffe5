"""The axioms of Lieb and Yngvason, and what makes S~ an entropy, tested on pictures (Sec. IV).

A state is a picture (frames, pixels, pixels) of grey levels. `represent` takes pictures (n, frames, pixels,
pixels) of uint8 and gives S~ (n,); X precedes Y where S~(X) <= S~(Y). `s` is S~ of the pictures themselves.
Each function says on which pairs it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from zenn.laws.agreement import Pairs, r2_affine, r2_identity, same_order
from zenn.laws.composing import Cut, Pictures, Region, cut, dust_side, dusted, halves, joined, scaled

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Represent = Callable[[Pictures], Array]


class Stack(Protocol):
    """Pictures (n, frames, pixels, pixels): an array, or what reads those that are asked for from a disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, frames, pixels, pixels)."""

    def __len__(self) -> int: ...

    def __getitem__(self, states: Any, /) -> Any: ...


BATCH = 256
"""Pictures that are made at a time: of all of them together there may be more than fit a memory."""


class Comparison(NamedTuple):
    """Two representations (n,) that should be equal, and how well they are."""

    s: Array
    other: Array
    r2: float
    identity_r2: float


class Scaled(NamedTuple):
    """(A4) for one lambda and region: over all pairs of states of equal N, and over those of one process."""

    part: float
    fraction: float
    region: Region
    pairs: Pairs
    process_pairs: Pairs


class Dusted(NamedTuple):
    """(A6) for one epsilon, pair of dusts and order of it."""

    epsilon: float
    side: int
    dust: int
    order: str
    pairs: Pairs


class Consistent(NamedTuple):
    """(A3) for two numbers of discs: over all (X, Y) of the one and (X', Y') of the other."""

    particles: int
    other: int
    pairs: Pairs


class Joined(NamedTuple):
    """Compound states (lambda X, (1 - lambda) Y) of `first` and `second` (n,): both sides of Fig. 8."""

    part: Array
    fraction: Array
    along: NDArray[np.str_]
    first: Integers
    second: Integers
    s_parts: Array
    s_compound: Array


class Canonical(NamedTuple):
    """Eq. 1 for states of one N: `curve` is S~((1 - lambda) X*, lambda X**) at each of `parts`."""

    values: Array
    parts: Array
    curve: Array
    lower: int
    upper: int


def precedes(s_first: Array, s_second: Array) -> NDArray[np.bool_]:
    """F_DNN(X, Y) = 1: the network takes Y for the later state, sigmoid(S~(Y) - S~(X)) >= 1/2."""
    return np.asarray(1 / (1 + np.exp(-np.clip(s_second - s_first, -700, 700))) >= 0.5)


def reflexivity(s: Array, s_twin: Array) -> Comparison:
    """(A1): S~ of states and of their twins of another microscopic start (Fig. 3), pair by pair."""
    return compared(s, s_twin)


def compared(s: Array, other: Array) -> Comparison:
    """Numbers that should be equal, beside each other."""
    return Comparison(s, other, r2_affine(s, other), r2_identity(s, other))


def transitivity(s: Array, triples: int, seed: int) -> tuple[int, int]:
    """(A2): violations among `triples` random triples, and how many of these have X before Y before Z.

    Of any three different states; each is asked of F_DNN by itself.
    """
    if len(s) < 3:
        return 0, 0
    rng = np.random.default_rng(seed)
    x, y, z = (s[column] for column in _different(rng, len(s), triples, 3).T)
    chain = precedes(x, y) & precedes(y, z)
    return int((chain & ~precedes(x, z)).sum()), int(chain.sum())


def consistency(represent: Represent, pictures: Stack, s: Array, particles: Integers) -> list[Consistent]:
    """(A3): X before Y and X' before Y' imply (X, X') before (Y, Y').

    pictures: of states whose pistons stand in the middle. Measured on every (X, Y, X', Y') with X before Y
    of one number of discs and X' before Y' of one number of discs, the same or another; X and Y are
    different states, so are X' and Y'.
    """
    count = len(pictures)
    numbers = np.arange(count * count)
    compound = _made(
        represent, numbers.size, lambda k: halves(pictures[k // count], pictures[k % count])
    ).reshape(count, count)
    found = []
    for one in np.unique(particles):
        lower, upper = _related(s, np.flatnonzero(particles == one))
        for other in np.unique(particles):
            second_lower, second_upper = _related(s, np.flatnonzero(particles == other))
            agreeing = sum(
                int((compound[x, second_lower] <= compound[y, second_upper]).sum())
                for x, y in zip(lower, upper, strict=True)
            )
            pairs = Pairs(len(lower) * len(second_lower), agreeing)
            found.append(Consistent(int(one), int(other), pairs))
    return found


def scaling_invariance(
    represent: Represent,
    pictures: Stack,
    s: Array,
    particles: Integers,
    processes: Integers,
    columns: Integers,
    parts: Sequence[float],
) -> list[Scaled]:
    """(A4): X before Y implies lambda X before lambda Y, for each lambda of `parts` and either mask.

    Measured on all pairs of states of equal N with X before Y; and on those of them that are of one process.
    columns (n,): of the piston, in pixels.
    """
    found = []
    pixels = pictures.shape[-1]
    regions: tuple[Region, Region] = ("bottom", "right")
    for part in parts:
        for region in regions:
            after = _made(represent, len(pictures), partial(_scaled, pictures, part, region, columns))
            pairs = same_order(s, after, particles)
            own = same_order(s, after, processes)
            found.append(Scaled(part, cut(part, pixels) / pixels, region, pairs, own))
    return found


def splitting_recombination(s: Array, s_split: Array, s_recombined: Array) -> tuple[Comparison, Comparison]:
    """(A5): S~ of states against that of the split ones (Fig. 5a), and the recombined against these (5b)."""
    return compared(s, s_split), compared(s_recombined, s_split)


def stability(
    represent: Represent,
    pictures: Stack,
    s: Array,
    particles: Integers,
    dusts: Pictures,
    s_dusts: Array,
    epsilons: Sequence[float],
) -> list[Dusted]:
    """(A6): X before Y implies (X, epsilon Z1) before (Y, epsilon Z2).

    Measured on all pairs of states of equal N with X before Y, for each pair of `dusts` (m, 2, frames,
    pixels, pixels) in both orders: `rising` puts the dust of lower S~ to X, `falling` the other.
    """
    pixels = pictures.shape[-1]
    found = []
    for epsilon in epsilons:
        side = dust_side(epsilon, pixels)
        for number, (pair, values) in enumerate(zip(dusts, s_dusts, strict=True)):
            low, high = (
                _made(represent, len(pictures), partial(_dusted, pictures, pair[which], side))
                for which in np.argsort(values, kind="stable")
            )
            for order, to_x, to_y in (("rising", low, high), ("falling", high, low)):
                pairs = _two_orders(s, to_x, to_y, particles)
                found.append(Dusted(epsilon, side, number, order, pairs))
    return found


def extensivity(
    represent: Represent,
    pictures: Stack,
    s: Array,
    particles: Integers,
    columns: Integers,
    parts: Sequence[float],
    pairs: int,
    seed: int,
) -> Joined:
    """S~(lambda X, (1 - lambda) Y) against lambda S~(X) + (1 - lambda) S~(Y) (Fig. 8).

    Measured, for each lambda of `parts`, on `pairs` random pairs of different states of equal N, cut in rows,
    and on as many whose pistons stand at the same place, cut in columns. lambda is that of whole pixels.
    """
    rng = np.random.default_rng(seed)
    pixels = pictures.shape[-1]
    cuts: tuple[Cut, Cut] = ("rows", "columns")
    rows: list[tuple[float, float, Cut, int, int]] = []
    for along, group in zip(cuts, (particles, particles * (pixels + 1) + columns), strict=True):
        for part in parts:
            for i, j in _pairs_within(rng, group, pairs):
                side = pixels if along == "rows" else int(columns[i])
                rows.append((part, cut(part, side) / side, along, i, j))
    lambdas, fraction, along_each, first, second = map(np.array, zip(*rows, strict=True))

    def make(k: Integers) -> Pictures:
        one, other = pictures[first[k]], pictures[second[k]]
        each = zip(one, other, lambdas[k], along_each[k], columns[first[k]], strict=True)
        return np.stack([joined(x, y, p, along, int(column)) for x, y, p, along, column in each])

    s_parts = fraction * s[first] + (1 - fraction) * s[second]
    return Joined(lambdas, fraction, along_each, first, second, s_parts, _made(represent, len(rows), make))


def canonical_entropy(represent: Represent, pictures: Stack, s: Array) -> Canonical:
    """S(X | X*, X**) of Eq. 1 (n,): the largest lambda with ((1 - lambda) X*, lambda X**) before X.

    pictures: of states of one number of discs. X* and X** are those of least and greatest S~; lambda goes
    through all cuts between rows of pixels, and X through all the states. It is where the Lieb-Yngvason
    machine's answer jumps from 1 to 0, for the last time where noise makes it jump more than once.
    """
    lower, upper = int(np.argmin(s)), int(np.argmax(s))
    pixels = pictures.shape[-2]
    parts = np.arange(pixels + 1) / pixels
    low, high = pictures[lower], pictures[upper]
    curve = _made(
        represent, len(parts), lambda k: np.stack([joined(low, high, 1 - part) for part in parts[k]])
    )
    holds = precedes(curve[None, :], s[:, None])
    last = len(parts) - 1 - np.argmax(holds[:, ::-1], axis=1)
    return Canonical(np.where(holds.any(axis=1), parts[last], 0.0), parts, curve, lower, upper)


def _made(represent: Represent, count: int, make: Callable[[Integers], Pictures]) -> Array:
    """S~ of pictures 0 ... count - 1, made in batches by `make`."""
    batches = [np.arange(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    return np.concatenate([represent(make(batch)) for batch in batches])


def _scaled(pictures: Stack, part: float, region: Region, columns: Integers, states: Integers) -> Pictures:
    return scaled(pictures[states], part, region, columns[states])


def _dusted(pictures: Stack, dust: Pictures, side: int, states: Integers) -> Pictures:
    return dusted(pictures[states], dust, side)


def _related(s: Array, states: Integers) -> tuple[Integers, Integers]:
    """All (X, Y) of different states with X before Y."""
    i, j = np.nonzero((s[states][:, None] <= s[states]) & ~np.eye(len(states), dtype=bool))
    return states[i], states[j]


def _two_orders(s: Array, to_x: Array, to_y: Array, groups: Integers) -> Pairs:
    """All (X, Y) of a group with X before Y, and in how many to_x(X) <= to_y(Y) too."""
    count = agreeing = 0
    for group in np.unique(groups):
        lower, upper = _related(s, np.flatnonzero(groups == group))
        count += len(lower)
        agreeing += int((to_x[lower] <= to_y[upper]).sum())
    return Pairs(count, agreeing)


def _different(rng: np.random.Generator, count: int, rows: int, columns: int) -> Integers:
    """Random rows of different numbers below `count`: rows with a repeated one are drawn again."""
    drawn = rng.integers(count, size=(rows, columns))
    while True:
        ordered = np.sort(drawn, axis=1)
        repeated = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if not repeated.any():
            return drawn
        drawn[repeated] = rng.integers(count, size=(int(repeated.sum()), columns))


def _pairs_within(rng: np.random.Generator, groups: Integers, pairs: int) -> list[tuple[int, int]]:
    """Random pairs of different states of one group; groups count by their states."""
    names, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    able = np.flatnonzero(sizes[inverse] > 1)
    if not len(able):
        return []
    members = {group: np.flatnonzero(inverse == group) for group in range(len(names))}
    found = []
    for i in rng.choice(able, pairs):
        own = members[int(inverse[i])]
        j = rng.choice(own[own != i])
        found.append((int(i), int(j)))
    return found
