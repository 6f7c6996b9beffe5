"""Both R2, and agreement of orders, beside scikit-learn and scipy."""

import numpy as np
import pytest
from scipy.stats import kendalltau, linregress
from sklearn.metrics import r2_score

from zenn.laws.agreement import line, r2_affine, r2_identity, same_order


@pytest.fixture
def numbers():
    rng = np.random.default_rng(1)
    x = rng.normal(3, 2, 400)
    return x, 1.3 * x - 2 + rng.normal(size=400)


def test_r2_of_the_identity_is_that_of_scikit_learn(numbers):
    x, y = numbers
    assert r2_identity(x, y) == pytest.approx(r2_score(y, x))
    assert r2_identity(x, x) == 1


def test_r2_of_a_line_is_that_of_scipy(numbers):
    x, y = numbers
    found, expected = line(x, y), linregress(x, y)
    assert (found.slope, found.intercept) == pytest.approx((expected.slope, expected.intercept))
    assert found.r2 == r2_affine(x, y) == pytest.approx(expected.rvalue**2)
    assert r2_affine(x, -5 * x + 2) == pytest.approx(1)


def test_agreement_over_all_pairs_is_kendalls_tau(numbers):
    x, y = np.tile(numbers[0], 4)[:1300] + np.arange(1300) / 1e4, np.random.default_rng(2).normal(size=1300)
    found = same_order(x, y)
    assert found.number == 1300 * 1299 / 2
    assert 2 * found.rate - 1 == pytest.approx(kendalltau(x, y).statistic)


def test_only_pairs_of_a_group_count():
    found = same_order(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 3]), np.array([0, 0, 1, 1]))
    assert (found.number, found.agreeing) == (2, 1)


def test_equal_states_precede_each_other():
    found = same_order(np.array([1.0, 1.0]), np.array([5.0, 6.0]))
    assert (found.number, found.agreeing) == (2, 1)
    assert np.isnan(same_order(np.array([1.0]), np.array([1.0])).rate)
