"""The axioms with representations that are known: the total brightness is extensive, its square is not."""

import itertools

import numpy as np
import pytest

from zenn.laws import axioms
from zenn.laws.composing import columns_of, dusted

PIXELS = 32
RNG = np.random.default_rng(5)


def brightness(pictures):
    """Extensive and additive exactly: a sum over pixels."""
    return pictures.sum(axis=(1, 2, 3), dtype=np.int64) / 1000


def even(levels, widths):
    """Pictures (n, 2, P, P) of gases that are evenly grey up to the piston."""
    pictures = np.zeros((len(levels), 2, PIXELS, PIXELS), np.uint8)
    for picture, level, column in zip(pictures, levels, columns_of(widths, 1.0, PIXELS), strict=True):
        picture[..., :column] = level
    return pictures


LEVELS = RNG.permutation(np.arange(10, 250, 4))
PARTICLES = np.repeat([1, 2], 30)
PROCESSES = np.arange(60) % 6 * 10 + PARTICLES


def test_composition_agrees_exactly_for_what_is_additive():
    """With S(X, X') = S(X) + S(X') for any pictures: (A3) for every quadruple."""
    pictures = RNG.integers(0, 256, (12, 2, PIXELS, PIXELS), dtype=np.uint8)
    pictures[..., PIXELS // 2 :] = 0
    particles = np.repeat([1, 2], [5, 7])
    found = axioms.consistency(brightness, pictures, brightness(pictures), particles)
    assert [(one.particles, one.other) for one in found] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [one.pairs.number for one in found] == [10 * 10, 10 * 21, 21 * 10, 21 * 21]
    assert all(one.pairs.rate == 1 for one in found)


def test_composition_is_counted_over_every_quadruple():
    pictures = RNG.integers(0, 256, (7, 2, PIXELS, PIXELS), dtype=np.uint8)
    s = RNG.normal(size=7)  # of no relation to the pictures
    particles = np.array([1, 1, 1, 1, 2, 2, 2])
    total = {
        (one.particles, one.other): one.pairs
        for one in axioms.consistency(brightness, pictures, s, particles)
    }
    middle = PIXELS // 2
    half = brightness(pictures[..., :middle])
    for n, m in itertools.product((1, 2), repeat=2):
        quadruples = [
            half[x] + half[a] <= half[y] + half[b]
            for x, y in itertools.permutations(np.flatnonzero(particles == n), 2)
            for a, b in itertools.permutations(np.flatnonzero(particles == m), 2)
            if s[x] <= s[y] and s[a] <= s[b]
        ]
        assert total[n, m] == (len(quadruples), sum(quadruples))


@pytest.mark.parametrize("widths", [np.ones(60), np.where(np.arange(60) % 2, 1.0, 0.5)])
def test_masks_keep_the_order_of_an_extensive_quantity(widths):
    pictures = even(LEVELS, widths)
    s = brightness(pictures)
    parts = (0.5, 0.75)
    found = axioms.scaling_invariance(
        brightness, pictures, s, PARTICLES, PROCESSES, columns_of(widths, 1.0, PIXELS), parts
    )
    assert [(one.part, one.region) for one in found] == list(itertools.product(parts, ("bottom", "right")))
    assert all(one.pairs.number >= 2 * 30 * 29 / 2 for one in found)
    assert all(one.pairs.rate == 1 for one in found)
    assert all(one.process_pairs.number < one.pairs.number / 4 for one in found)


def test_masks_of_which_the_order_is_turned():
    """All light of the brighter states lies in the lower half, which the mask takes away."""
    pictures = even(np.arange(10, 70), np.ones(60))
    pictures[..., PIXELS // 2 :, :] = np.arange(240, 0, -4)[::-1, None, None, None]
    pictures[..., : PIXELS // 2, :] = 255 - pictures[..., : PIXELS // 2, :]
    s = brightness(pictures)
    found = axioms.scaling_invariance(
        brightness, pictures, s, PARTICLES, PROCESSES, np.full(60, PIXELS), (0.5,)
    )
    assert found[0].pairs.rate == 0


def test_twins_and_recombined_states_that_are_equal():
    s = RNG.normal(size=20)
    assert axioms.reflexivity(s, s).r2 == pytest.approx(1)
    assert axioms.reflexivity(s, s).identity_r2 == 1
    split, recombined = axioms.splitting_recombination(s, s - 1, s - 1)
    assert split.r2 == pytest.approx(1)
    assert split.identity_r2 == pytest.approx(1 - 1 / s.var())
    assert recombined.identity_r2 == 1


def test_transitivity_holds_and_chains_are_a_sixth():
    """Of three different numbers in random order one in six rises twice."""
    violations, chains = axioms.transitivity(RNG.normal(size=500), 60000, 1)
    assert violations == 0
    assert chains == pytest.approx(10000, rel=0.05)
    assert axioms.transitivity(np.arange(2.0), 10, 1) == (0, 0)


def test_dust_turns_the_pairs_that_are_closer_than_it():
    pictures = even(LEVELS, np.ones(60))
    dusts = even(np.array([0, 255]), np.ones(2))[None, ::-1]
    s = brightness(pictures)
    found = axioms.stability(
        brightness, pictures, s, PARTICLES, dusts, brightness(dusts[0])[None], (1 / 64, 1 / 4)
    )
    assert [(one.side, one.order) for one in found] == [
        (4, "rising"),
        (4, "falling"),
        (16, "rising"),
        (16, "falling"),
    ]
    for one in found:
        dark, bright = (brightness(dusted(pictures, dusts[0, which], one.side)) for which in (1, 0))
        to_x, to_y = (dark, bright) if one.order == "rising" else (bright, dark)
        expected = [
            to_x[x] <= to_y[y]
            for x, y in itertools.permutations(range(60), 2)
            if PARTICLES[x] == PARTICLES[y] and s[x] <= s[y]
        ]
        assert one.pairs == (len(expected), sum(expected))
    # falling dust of a quarter adds 255/4 grey levels to the lower: pairs closer than that turn
    part = np.mean([found[1].pairs.rate, found[3].pairs.rate])
    assert found[0].pairs.rate == found[2].pairs.rate == 1 > part
    assert found[1].pairs.rate > found[3].pairs.rate


def test_an_extensive_quantity_lies_on_the_identity():
    widths = np.where(np.arange(60) % 3, 1.0, 0.5)
    pictures = even(LEVELS, widths)
    s = brightness(pictures)
    parts = (0.2, 0.5, 0.7)
    found = axioms.extensivity(
        brightness, pictures, s, PARTICLES, columns_of(widths, 1.0, PIXELS), parts, 40, 3
    )
    assert len(found.first) == 2 * 3 * 40
    np.testing.assert_allclose(found.s_compound, found.s_parts)
    assert (PARTICLES[found.first] == PARTICLES[found.second]).all()
    assert (found.first != found.second).all()
    columns = found.along == "columns"
    assert (widths[found.first] == widths[found.second])[columns].all()
    assert set(found.along) == {"rows", "columns"}
    shifted = axioms.extensivity(
        lambda p: brightness(p) + 7, pictures, s + 7, PARTICLES, columns_of(widths, 1.0, PIXELS), parts, 40, 3
    )
    np.testing.assert_allclose(shifted.s_compound, shifted.s_parts)


def test_a_quantity_that_is_not_extensive_does_not():
    pictures = even(LEVELS, np.ones(60))

    def squared(some):
        return brightness(some) ** 2

    found = axioms.extensivity(
        squared, pictures, squared(pictures), PARTICLES, np.full(60, PIXELS), (0.5,), 40, 3
    )
    assert (found.s_compound < found.s_parts).all()  # convex


def test_the_canonical_entropy_is_the_affine_transform_of_an_extensive_one():
    """S(X | X*, X**) = (S(X) - S(X*)) / (S(X**) - S(X*)) up to the rows of pixels it is found by."""
    pictures = even(LEVELS, np.ones(60))
    s = brightness(pictures)
    found = axioms.canonical_entropy(brightness, pictures, s)
    expected = (s - s.min()) / np.ptp(s)
    assert (found.values <= expected + 1e-9).all()
    assert (found.values > expected - 1 / PIXELS - 1e-9).all()
    assert found.values[found.upper] == 1
    assert found.values[found.lower] == 0
    np.testing.assert_allclose(found.curve, s.min() + found.parts * np.ptp(s))
