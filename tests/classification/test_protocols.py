"""Protocols against mixtures written out, and the leak of the printed one."""

import inspect

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from zenn.classification import protocols
from zenn.classification.loss import cross_zentropy
from zenn.classification.outputs import Outputs, marginal, oracle
from zenn.classification.protocols import (
    LABEL_FREE,
    first_temperature,
    labelled_temperature_posterior,
    map_temperature,
    permuted_label_errors,
    predictions,
    temperature_posterior,
)
from zenn.errors import InputError

N, K = 400, 6
T = np.array([1.0, 0.3, 6.0])
PRIOR = np.array([0.2, 0.5, 0.3])


def arrays(seed=0, scale=2.0):
    random = np.random.default_rng(seed)
    return scale * random.normal(size=(N, K)), np.abs(random.normal(size=(N, K))), random.integers(K, size=N)


def written_out(E, S):
    """p(k | x, T_i) of Eq. (13), (N_T, N, K)."""
    S = np.zeros_like(E) if S is None else S
    return np.stack([softmax(S / 0.7 - (S / (3.0 * 0.7)) ** 2 - E / (0.7 * t), axis=1) for t in T])


def outputs(E, S, prior=None):
    return Outputs(E, S, T, prior, boltzmann_constant=0.7, gamma=3.0)


@pytest.mark.parametrize("prior", [None, PRIOR, np.array([0.0, 1.0, 0.0])])
def test_marginal(prior):
    E, S, _ = arrays()
    pi = np.full(3, 1 / 3) if prior is None else prior
    expected = np.einsum("i,ijk->jk", pi, written_out(E, S))
    np.testing.assert_allclose(np.exp(marginal(outputs(E, S, prior))), expected, rtol=1e-12)


def test_first_temperature():
    E, S, _ = arrays()
    np.testing.assert_allclose(np.exp(first_temperature(outputs(E, S))), written_out(E, S)[0], rtol=1e-12)


@pytest.mark.parametrize("omega", [0.0, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("prior", [None, PRIOR])
def test_posterior_is_eq_11_in_expectation_over_the_predicted_label(omega, prior):
    E, S, _ = arrays()
    p, pi = written_out(E, S), np.full(3, 1 / 3) if prior is None else prior
    given_label = pi[:, None, None] * p**omega
    given_label /= given_label.sum(0)
    expected = np.einsum("ijk,jk->ji", given_label, np.einsum("i,ijk->jk", pi, p))
    found = temperature_posterior(outputs(E, S, prior), omega)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-12)


@pytest.mark.parametrize("near", [1 - 1e-9, 1 + 1e-9])
def test_at_omega_1_the_posterior_without_a_label_is_the_prior(near):
    """x alone says nothing about T: also for omega as good as 1, where nothing is short-cut."""
    E, S, _ = arrays()
    found = temperature_posterior(outputs(E, S, PRIOR), 1.0)
    assert np.array_equal(found, np.tile(np.exp(np.log(PRIOR)), (N, 1)))
    np.testing.assert_allclose(temperature_posterior(outputs(E, S, PRIOR), near), found, atol=1e-7)


def test_map_is_at_the_temperature_of_the_largest_posterior():
    E, S, _ = arrays()
    given = Outputs(E, 4 * S, T, gamma=np.inf)
    best = temperature_posterior(given, 5.0).argmax(1)
    assert set(best) == {0, 1, 2}
    expected = log_softmax(4 * S - E / T[best][:, None], axis=1)
    np.testing.assert_allclose(map_temperature(given), expected, rtol=1e-11, atol=1e-14)
    at_prior = map_temperature(outputs(E, S, PRIOR), omega=1.0)
    np.testing.assert_allclose(np.exp(at_prior), written_out(E, S)[1], rtol=1e-12)


def test_without_entropy_the_sharpest_temperature_wins_for_almost_every_sample():
    """Which is why the module says that this posterior estimates no source."""
    E, _, _ = arrays()
    best = temperature_posterior(Outputs(E, None, T)).argmax(1)
    assert np.mean(best == T.argmin()) > 0.95


@pytest.mark.parametrize("prior", [None, PRIOR])
def test_oracle_is_the_paper_s_mixture_whatever_the_prior(prior):
    E, S, y = arrays()
    p = written_out(E, S)
    of_label = p[:, np.arange(N), y]
    expected = np.einsum("ij,ijk->jk", of_label / of_label.sum(0), p)
    np.testing.assert_allclose(np.exp(oracle(outputs(E, S, prior), y)), expected, rtol=1e-12)


def test_labelled_posterior_is_the_weight_of_the_loss():
    """The gradient of Eq. (10) is linear in q, so the loss itself tells which q it used."""
    E, S, y = arrays()
    q = labelled_temperature_posterior(Outputs(E, S, T, PRIOR), y, omega=5.0, with_prior=True)
    E_, S_, y_, T_ = (torch.tensor(one) for one in (E, S, y, T))
    cz = np.stack([cross_zentropy(E_, S_, y_, T_[i : i + 1], reduction="none").numpy() for i in range(3)], 1)
    loss = cross_zentropy(
        E_, S_, y_, T_, omega=5.0, log_prior=torch.log(torch.tensor(PRIOR)), reduction="none"
    )
    np.testing.assert_allclose((q * (cz - np.log(PRIOR))).sum(1), loss, rtol=1e-10)


def test_without_entropy_all_protocols_err_alike():
    """Every temperature ranks the classes as the energies do: not even the label changes that."""
    E, _, y = arrays()
    found = predictions(outputs(E, None), y)
    errors = {name: (log_p.argmax(1) != y).mean() for name, log_p in found.items()}
    assert set(errors.values()) == {np.mean(E.argmin(1) != y)}
    assert errors.keys() == {*LABEL_FREE, "oracle"}
    permuted = permuted_label_errors(outputs(E, None), y, permutations=2)
    assert len(set(permuted.values())) == 1


def test_same_ranking_at_every_temperature_means_same_error():
    """With entropies, too, where they leave the order of the classes alone."""
    E, S, y = arrays()
    given = outputs(E, S)
    alike = np.ptp(given.conditional.argmax(2), axis=0) == 0
    assert 0.2 < alike.mean() < 0.9
    assert np.array_equal(oracle(given, y)[alike].argmax(1), marginal(given)[alike].argmax(1))


def test_permuted_labels_show_the_leak():
    """Two temperatures that prefer classes of their own: the oracle gets two guesses, a prediction one."""
    random = np.random.default_rng(0)
    samples = 20000
    E, S = 8 * random.normal(size=(samples, 10)), np.abs(8 * random.normal(size=(samples, 10)))
    y = random.integers(10, size=samples)
    given = Outputs(E, S, np.array([0.05, 50.0]))
    disagree = np.mean(given.conditional.argmax(2)[0] != given.conditional.argmax(2)[1])
    errors = permuted_label_errors(given, y, 1)
    assert errors == permuted_label_errors(given, y, 1) != permuted_label_errors(given, y, 2)
    spread = 4 * np.sqrt(0.09 / samples)
    for name in LABEL_FREE:
        assert errors[name] == pytest.approx(0.9, abs=spread)
    # the second guess is right for one sample in ten of those where the temperatures disagree
    assert errors["oracle"] == pytest.approx(0.9 - 0.1 * disagree, abs=0.03)
    assert errors["oracle"] < 0.9 - 2 * spread


def test_no_protocol_for_predictions_can_take_a_label():
    for function in (*LABEL_FREE.values(), temperature_posterior):
        assert set(inspect.signature(function).parameters) <= {"outputs", "omega"}
    assert "uses test labels" in inspect.getdoc(oracle)
    assert predictions(outputs(*arrays()[:2])).keys() == LABEL_FREE.keys()


def test_tensors_and_arrays_agree():
    E, S, y = arrays()
    given = Outputs(E, S, T, PRIOR)
    tensors = Outputs(*(torch.tensor(one) for one in (E, S, T, PRIOR)))
    for name, found in predictions(tensors, torch.tensor(y)).items():
        np.testing.assert_allclose(found, predictions(given, y)[name], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(temperature_posterior(tensors), temperature_posterior(given), rtol=1e-10)


def test_single_precision_files_are_computed_with_in_double():
    E, S, _ = arrays()
    E, S = E.astype(np.float32), S.astype(np.float32)
    assert marginal(Outputs(E, S, T.astype(np.float32))).dtype == np.float64


def test_a_confident_mistake_has_a_logarithm():
    E = np.array([[0.0, 5000.0]])
    found = marginal(Outputs(E, None, np.array([1.0, 2.0])))
    expected = np.logaddexp(*(log_softmax(-E / t, axis=1)[0, 1] for t in (1.0, 2.0))) - np.log(2)
    assert found[0, 1] == pytest.approx(expected)
    assert np.exp(found[0, 1]) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperatures": np.array([])}, r"temperatures: found shape \(0,\)"),
        ({"temperatures": np.array([1.0, -2.0])}, "temperatures: found .*-2"),
        ({"energies": np.zeros(3)}, r"energies: found shape \(3,\)"),
        ({"energies": np.full((N, K), np.nan)}, "energies: found NaN"),
        ({"entropies": np.full((N, K), np.inf)}, "entropies: found NaN or infinity"),
        ({"entropies": np.zeros((N, K + 1))}, r"entropies: found shape \(400, 7\)"),
        ({"prior": np.array([0.5, 0.5])}, r"prior: found shape \(2,\), expected \(3,\)"),
        ({"prior": np.array([0.5, 0.6, 0.1])}, "prior: found .*probabilities that sum to 1"),
        ({"prior": np.array([1.5, -0.5, 0.0])}, "prior"),
    ],
)
def test_outputs_that_do_not_fit(change, message):
    E, S, _ = arrays()
    with pytest.raises(InputError, match=message):
        Outputs(**{"energies": E, "entropies": S, "temperatures": T, **change})


def test_labels_that_do_not_fit():
    E, S, y = arrays()
    given = outputs(E, S)
    with pytest.raises(InputError, match=r"labels: found shape \(399,\)"):
        oracle(given, y[1:])
    y[7] = K
    with pytest.raises(InputError, match="labels, sample 7: found 6, expected 0 to 5"):
        oracle(given, y)
    with pytest.raises(InputError, match="omega"):
        temperature_posterior(given, -1.0)


def test_the_module_says_what_the_paper_s_protocol_is():
    assert "uses test labels" in protocols.__doc__
