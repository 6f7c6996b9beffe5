"""Metrics against scikit-learn, scipy and closed forms."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_softmax
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, normalized_mutual_info_score

from zenn.classification.metrics import (
    brier,
    ece,
    error,
    fit_scaling,
    nll,
    normalised_mutual_information,
    paired_difference,
    scaled,
    scores,
)
from zenn.errors import InputError

N, K = 3000, 5


@pytest.fixture
def sample():
    random = np.random.default_rng(0)
    logits = 3 * random.normal(size=(N, K))
    labels = np.array([random.choice(K, p=p) for p in np.exp(log_softmax(logits / 2, axis=1))])
    return log_softmax(logits, axis=1), labels


def test_error_nll_and_brier_are_those_of_sklearn(sample):
    log_p, y = sample
    p = np.exp(log_p)
    assert error(log_p, y) == pytest.approx(1 - accuracy_score(y, p.argmax(1)), rel=1e-12)
    assert nll(log_p, y) == pytest.approx(log_loss(y, p), rel=1e-9)
    expected = brier_score_loss(y, p, labels=range(K), scale_by_half=False)
    assert brier(log_p, y) == pytest.approx(expected, rel=1e-9)
    assert np.array_equal(np.exp(log_p), p), "its arguments are left as they were"


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_ece_from_sklearn_s_calibration_curve(sample, bins):
    log_p, y = sample
    confidence, right = np.exp(log_p.max(1)), log_p.argmax(1) == y
    accuracy, mean = calibration_curve(right, confidence, n_bins=bins)
    counts = np.histogram(confidence, bins, (0, 1))[0]
    expected = (counts[counts > 0] * np.abs(accuracy - mean)).sum() / N
    assert ece(log_p, y, bins) == pytest.approx(expected, rel=1e-9)


def test_ece_of_one_confidence_is_the_gap():
    p = np.tile([0.7, 0.2, 0.1], (10, 1))
    y = np.array([0] * 4 + [1] * 6)
    assert ece(np.log(p), y) == pytest.approx(0.3)
    perfect = np.where(np.eye(3)[[0, 1, 2]] > 0, 0.0, -np.inf)
    assert ece(perfect, np.arange(3)) == error(perfect, np.arange(3)) == brier(perfect, np.arange(3)) == 0
    # each bin's gap counts for itself: too sure in one and not sure enough in another do not cancel
    p = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    y = np.array([0] * 8 + [1] * 2 + [0] * 7 + [1] * 3)
    assert ece(np.log(p), y) == pytest.approx(0.1)


def test_a_bin_includes_its_upper_edge():
    """A confidence of 1/2 with two bins lies with those below, and one of 1 in the last."""
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    with np.errstate(divide="ignore"):
        assert ece(np.log(p), np.array([1, 0]), bins=2) == pytest.approx(0.25)


def test_scores_are_all_of_them(sample):
    log_p, y = sample
    found = scores(log_p, y)
    assert (found.error, found.nll) == (error(log_p, y), nll(log_p, y))
    assert (found.brier, found.ece) == (brier(log_p, y), ece(log_p, y))


def test_scaling_is_sklearn_s_logistic_regression_of_one_slope():
    """For two classes temperature scaling is logistic regression on the log-odds without an intercept."""
    random = np.random.default_rng(1)
    odds = 4 * random.normal(size=2000)
    y = (random.random(2000) < 1 / (1 + np.exp(-odds / 2.5))).astype(np.int64)
    log_p = log_softmax(np.stack([np.zeros(2000), odds], axis=1), axis=1)
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(odds[:, None], y).coef_[0, 0]
    assert fit_scaling(log_p, y) == pytest.approx(1 / slope, rel=1e-5)


def test_scaling_finds_the_temperature_the_labels_were_drawn_at(sample):
    log_p, y = sample
    tau = fit_scaling(log_p, y)
    assert tau == pytest.approx(2.0, rel=0.1)
    better = scaled(log_p, tau)
    assert nll(better, y) < min(nll(log_p, y), *(nll(scaled(log_p, tau * f), y) for f in (0.98, 1.02)))
    assert ece(better, y) < 0.5 * ece(log_p, y)
    assert error(better, y) == error(log_p, y)
    np.testing.assert_allclose(np.exp(better).sum(1), 1)


def test_scaling_without_a_mistake_ends_at_its_bound():
    log_p = np.log([[0.8, 0.2], [0.3, 0.7]])
    assert fit_scaling(log_p, np.array([0, 1])) < 0.1
    assert fit_scaling(log_p, np.array([1, 0])) == pytest.approx(1e3, rel=1e-3)


def test_paired_difference_is_scipy_s_paired_t_test():
    random = np.random.default_rng(2)
    a, b = random.normal(1.0, 0.3, 7), random.normal(0.5, 0.3, 7)
    found, expected = paired_difference(a, b), stats.ttest_rel(a, b)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert (found.mean, found.pairs) == (pytest.approx(np.mean(a - b)), 7)
    assert (found.first, found.second) == pytest.approx((a.mean(), b.mean()))
    assert found.decided == bool(expected.pvalue < 0.05)
    assert paired_difference(a, a).decided is False


@pytest.mark.parametrize(
    ("first", "second"), [([1.0], [2.0]), ([1.0, 2.0], [1.0]), ([1.0, np.nan], [1.0, 2.0])]
)
def test_pairs_that_are_none(first, second):
    with pytest.raises(InputError, match="first, second"):
        paired_difference(first, second)


def test_mutual_information_is_sklearn_s():
    random = np.random.default_rng(3)
    source = random.integers(3, size=500)
    for share in (0.0, 0.3, 0.9):
        assigned = np.where(random.random(500) < share, source, random.integers(4, size=500))
        expected = normalized_mutual_info_score(source, assigned)
        assert normalised_mutual_information(assigned, source) == pytest.approx(expected, rel=1e-9)
    assert normalised_mutual_information(source, 2 - source) == pytest.approx(1.0)
    assert normalised_mutual_information(np.zeros(500, np.int64), source) == 0.0


def test_what_cannot_be_used_is_named(sample):
    log_p, y = sample
    with pytest.raises(InputError, match=r"labels: found shape \(2999,\)"):
        error(log_p, y[1:])
    with pytest.raises(InputError, match="labels, sample 3: found 9, expected 0 to 4"):
        nll(log_p, np.where(np.arange(N) == 3, 9, y))
    with pytest.raises(InputError, match="log_probabilities: found NaN"):
        brier(np.full((N, K), np.nan), y)
    with pytest.raises(InputError, match=r"log_probabilities: found shape \(0, 5\)"):
        ece(log_p[:0], y[:0])
    with pytest.raises(InputError, match="bins"):
        ece(log_p, y, 0)
    with pytest.raises(InputError, match="tau"):
        scaled(log_p, 0.0)
    with pytest.raises(InputError, match="two labels"):
        normalised_mutual_information(y, y[1:])
    assert math.isclose(nll(log_p[:1], y[:1]), -log_p[0, y[0]])
