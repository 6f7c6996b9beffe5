"""Cross-zentropy against torch's cross-entropy, the shared zentropy, and the marginal likelihood."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from zenn import zentropy
from zenn.classification.loss import CrossZentropyLoss, conditional_log_probabilities, cross_zentropy
from zenn.classification.temperatures import TemperaturePrior, TemperatureSet
from zenn.errors import InputError

B, K = 12, 7
TEMPERATURES = torch.tensor([1.0, 0.4, 6.0], dtype=torch.float64)


def random_batch(scale=3.0, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    E, S = (torch.randn(B, K, generator=random, dtype=torch.float64) for _ in range(2))
    labels = torch.randint(K, (B,), generator=random)
    return (scale * E).to(dtype), S.abs().to(dtype), labels


def mixup(labels, seed=1):
    random = torch.Generator().manual_seed(seed)
    share = torch.rand(B, 1, generator=random, dtype=torch.float64)
    one_hot = torch.nn.functional.one_hot(labels, K).double()
    return share * one_hot + (1 - share) * one_hot.flip(0)


def gradients(loss, *of):
    return torch.autograd.grad(loss.sum(), of)


OPTIONS = list(
    itertools.product(
        ("labels", "ignored", "distributions"), ("mean", "sum", "none"), (False, True), (0.0, 0.1, 1.0)
    )
)


@pytest.mark.parametrize(("kind", "reduction", "weighted", "smoothing"), OPTIONS)
@pytest.mark.parametrize("as_module", [False, True])
def test_it_is_cross_entropy_without_entropy_at_temperature_one(
    kind, reduction, weighted, smoothing, as_module
):
    E, _, labels = random_batch()
    target = mixup(labels) if kind == "distributions" else labels.clone()
    options = {"reduction": reduction, "label_smoothing": smoothing}
    if kind == "ignored":
        target[[0, 5]] = 3
        options["ignore_index"] = 3
    if weighted:
        options["weight"] = torch.linspace(0.2, 2.0, K, dtype=torch.float64)
    ours, theirs = E.clone().requires_grad_(), E.clone().requires_grad_()
    expected = cross_entropy(-theirs, target, **options)
    for S in (None, torch.zeros_like(E)):
        found = (
            CrossZentropyLoss([1.0], **options)(ours, S, target)
            if as_module
            else cross_zentropy(ours, S, target, [1.0], **options)
        )
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(
            gradients(found, ours), gradients(cross_entropy(-theirs, target, **options), theirs),
            rtol=1e-12, atol=1e-12,
        )  # fmt: skip


def test_all_labels_ignored_is_what_torch_makes_of_it():
    E, _, labels = random_batch()
    target = torch.full_like(labels, -100)
    for reduction in ("mean", "sum", "none"):
        torch.testing.assert_close(
            cross_zentropy(E, None, target, reduction=reduction),
            cross_entropy(-E, target, reduction=reduction),
            equal_nan=True,
        )


@pytest.mark.parametrize("gamma", [0.7, 100.0, float("inf")])
def test_probabilities_are_those_of_zentropy(gamma):
    E, S, _ = random_batch()
    found = conditional_log_probabilities(E, S, TEMPERATURES, 0.3, gamma)
    expected = zentropy.log_probabilities(
        E[None].numpy(), S[None].numpy(), TEMPERATURES[:, None].numpy(), k_B=0.3, gamma=gamma
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", ["labels", "distributions"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_eq_10_written_with_cross_entropy(kind, smoothing):
    """One cross-entropy per temperature, weighted by Eq. (11)."""
    E, S, target = random_batch()
    target = mixup(target) if kind == "distributions" else target
    logits = [S / 0.3 - (S / (2.0 * 0.3)) ** 2 - E / (0.3 * T) for T in TEMPERATURES]
    cz = torch.stack([cross_entropy(z, target, reduction="none", label_smoothing=smoothing) for z in logits])
    q = torch.softmax(-5.0 * cz, dim=0)
    found = cross_zentropy(
        E, S, target, TEMPERATURES, boltzmann_constant=0.3, gamma=2.0, omega=5.0, label_smoothing=smoothing
    )
    torch.testing.assert_close(found, (q * cz).sum(0).mean(), rtol=1e-12, atol=0)


def test_class_weights_count_samples_and_leave_the_posterior():
    E, S, labels = random_batch()
    weight = torch.linspace(0.2, 2.0, K, dtype=torch.float64)
    plain = cross_zentropy(E, S, labels, TEMPERATURES, omega=5.0, reduction="none")
    found = cross_zentropy(E, S, labels, TEMPERATURES, omega=5.0, weight=weight)
    torch.testing.assert_close(found, (weight[labels] * plain).sum() / weight[labels].sum())


def leaves():
    E, S, labels = random_batch()
    tensors = (E, S, TEMPERATURES.clone(), torch.tensor([0.3, -1.0, 0.5], dtype=torch.float64))
    return [one.requires_grad_() for one in tensors], labels


def marginal_nll(E, S, T, logits, labels):
    """-ln sum_i pi_i p(y | x, T_i), from torch's log_softmax alone."""
    z = (S - (S / 100.0) ** 2)[:, None] - E[:, None] / T[:, None]
    of_label = torch.log_softmax(z, -1).gather(-1, labels[:, None, None].expand(-1, len(T), 1))[..., 0]
    return -torch.logsumexp(of_label + torch.log_softmax(logits, 0), dim=-1)


@pytest.mark.parametrize("weighted", [False, True])
def test_one_step_of_em_has_the_gradient_of_the_marginal_likelihood(weighted):
    (E, S, T, logits), labels = leaves()
    weight = torch.linspace(0.2, 2.0, K, dtype=torch.float64) if weighted else None
    found = cross_zentropy(E, S, labels, T, log_prior=logits, weight=weight)
    counts = torch.ones(B) if weight is None else weight[labels]
    exact = (counts * marginal_nll(E, S, T, logits, labels)).sum() / counts.sum()
    for ours, theirs in zip(
        gradients(found, E, S, T, logits), gradients(exact, E, S, T, logits), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-14)


def test_em_bounds_the_marginal_likelihood():
    """Its value is the marginal negative log-likelihood and the entropy of q (Neal and Hinton 1998)."""
    (E, S, T, logits), labels = leaves()
    cz = torch.stack([cross_zentropy(E, S, labels, T[i : i + 1], reduction="none") for i in range(3)])
    q = torch.softmax(torch.log_softmax(logits, 0)[:, None] - cz, dim=0)
    found = cross_zentropy(E, S, labels, T, log_prior=logits, reduction="none")
    entropy = -(q * q.log()).sum(0)
    torch.testing.assert_close(found, marginal_nll(E, S, T, logits, labels) + entropy)


def test_a_uniform_prior_moves_the_value_only():
    (E, S, T, _), labels = leaves()
    plain = cross_zentropy(E, S, labels, T, omega=5.0)
    with_prior = cross_zentropy(E, S, labels, T, omega=5.0, log_prior=torch.zeros(3))
    torch.testing.assert_close(with_prior, plain + np.log(3))
    torch.testing.assert_close(gradients(with_prior, E, T), gradients(plain, E, T))


@pytest.mark.parametrize("detach", [True, False])
def test_gradient_is_the_derivative_of_the_value(detach):
    """Of the value with q held where it is (detached), or of all of it."""
    (E, S, T, logits), labels = leaves()
    options = {"omega": 2.0, "detach_weights": detach}
    if detach:
        cz = torch.stack([cross_zentropy(E, S, labels, T[i : i + 1], reduction="none") for i in range(3)])
        q = torch.softmax(-2.0 * cz, 0).detach()
        found = gradients(cross_zentropy(E, S, labels, T, **options), E, S, T)
        torch.testing.assert_close(found, gradients((q * cz).sum(0).mean(), E, S, T))
    else:
        assert torch.autograd.gradcheck(
            lambda E, S, T, logits: cross_zentropy(E, S, labels, T, log_prior=logits, **options),
            (E, S, T, logits),
        )


@pytest.mark.parametrize("omega", [1.0, 5.0])
@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("temperatures", [[1.0, 2.0, 3.0, 5.0, 8.0], [1.0, 0.1, 0.3, 9.9, 5.0]])
def test_single_precision_at_large_logits(omega, detach, temperatures):
    random = torch.Generator().manual_seed(0)
    E = 50 * torch.randn(64, 100, generator=random)
    S = 5 * torch.randn(64, 100, generator=random).abs()
    labels, T = torch.randint(100, (64,), generator=random), torch.tensor(temperatures)

    def of(dtype):
        inputs = [one.to(dtype).requires_grad_() for one in (E, S, T)]
        E_, S_, T_ = inputs
        return gradients(cross_zentropy(E_, S_, labels, T_, omega=omega, detach_weights=detach), *inputs)

    for single, double in zip(of(torch.float32), of(torch.float64), strict=True):
        assert float((single.double() - double).norm() / double.norm()) < 1e-4
        assert float((single.double() - double).abs().max() / double.abs().max()) < 1e-4


def test_autocast_changes_nothing():
    E, S, labels = random_batch(dtype=torch.float32)
    temperatures = TemperatureSet([1.0, 5.0])
    loss = CrossZentropyLoss(temperatures, omega=5.0, label_smoothing=0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(E, S, labels)
        soft = cross_zentropy(E, S, mixup(labels).float(), temperatures.values, weight=torch.ones(K))
        halves = cross_zentropy(E.bfloat16(), S.bfloat16(), labels, [1.0, 5.0])
    assert inside.dtype == soft.dtype == halves.dtype == torch.float32
    assert inside == loss(E, S, labels)
    assert soft == cross_zentropy(E, S, mixup(labels).float(), temperatures.values, weight=torch.ones(K))
    assert halves == cross_zentropy(E.bfloat16().float(), S.bfloat16().float(), labels, [1.0, 5.0])


def test_shapes_alone_are_enough():
    """On the meta device there are no values to look at."""
    E = torch.empty(4, 3, device="meta")
    found = cross_zentropy(E, E, torch.empty(4, dtype=torch.int64, device="meta"), [1.0, 5.0])
    assert found.shape == ()


def test_it_compiles_to_one_graph_and_maps():
    E, S, labels = random_batch()
    loss = CrossZentropyLoss(TemperatureSet([1.0, 5.0]), prior=TemperaturePrior(2), omega=5.0)
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(E, S, labels), loss(E, S, labels))
    many = torch.stack([E, 2 * E])
    found = torch.func.vmap(lambda one: loss(one, S, labels))(many)
    torch.testing.assert_close(found, torch.stack([loss(one, S, labels) for one in many]))


def test_module_is_the_function():
    (E, S, _, _), labels = leaves()
    temperatures, prior = TemperatureSet([1.0, 0.4, 6.0]).double(), TemperaturePrior(3).double()
    options = {"omega": 5.0, "gamma": 3.0, "boltzmann_constant": 0.7, "reduction": "sum", "ignore_index": 2}
    loss = CrossZentropyLoss(temperatures, prior=prior, **options)
    expected = cross_zentropy(E, S, labels, temperatures.values, log_prior=prior.log_probabilities, **options)
    assert loss(E, S, labels) == expected
    expected = cross_zentropy(E, S, labels, TEMPERATURES, log_prior=prior.log_probabilities, **options)
    assert loss(E, S, labels, TEMPERATURES) == expected
    assert dict(loss.named_parameters()).keys() == {"learned.log_learned", "prior.logits"}
    assert CrossZentropyLoss(reduction="sum", ignore_index=2)(E, S, labels, [1.0, 5.0]) == cross_zentropy(
        E, S, labels, [1.0, 5.0], reduction="sum", ignore_index=2
    )


def test_weights_and_temperatures_move_with_the_module():
    loss = CrossZentropyLoss([1.0, 5.0], weight=torch.ones(K))
    assert {name for name, _ in loss.named_buffers()} == {"weight", "fixed"}
    assert loss.double().state_dict()["fixed"].dtype == torch.float64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": torch.tensor([0, 9, -4] + [1] * (B - 3))}, r"target, sample 1: found 9, expected 0 to 6"),
        ({"target": torch.tensor([0, 1, -4] + [1] * (B - 3))}, r"target, sample 2: found -4"),
        ({"target": torch.zeros(B - 1, dtype=torch.int64)}, r"target: found torch.int64 of shape \(11,\)"),
        ({"target": torch.zeros(B, dtype=torch.bool)}, r"target: found torch.bool"),
        ({"target": torch.zeros(B)}, r"target: found probabilities \(12,\), expected \(12, 7\)"),
        ({"target": torch.zeros(B, K), "ignore_index": 1}, r"ignore_index: found 1"),
        ({"temperatures": []}, r"temperatures: found shape \(0,\)"),
        ({"temperatures": torch.tensor(1.0)}, r"temperatures: found shape \(\)"),
        ({"temperatures": [1.0, 0.0]}, r"temperatures, T_2: found 0, expected more than 0"),
        ({"temperatures": [-1.0, 1.0]}, r"temperatures, T_1: found -1"),
        ({"temperatures": [1.0, float("nan")]}, r"temperatures, T_2: found nan"),
        ({"energies": torch.zeros(K)}, r"energies: found torch.float32 of shape \(7,\)"),
        ({"energies": torch.zeros(B, K, dtype=torch.int64)}, r"energies: found torch.int64"),
        ({"entropies": torch.zeros(B, K - 1)}, r"entropies: found shape \(12, 6\)"),
        ({"weight": torch.ones(K + 1)}, r"weight: found shape \(8,\)"),
        ({"log_prior": torch.zeros(3)}, r"log_prior: found shape \(3,\), expected \(2,\)"),
        ({"omega": -1.0}, "omega: found -1"),
        ({"gamma": 0.0}, "gamma: found 0"),
        ({"boltzmann_constant": float("inf")}, "boltzmann_constant: found inf"),
        ({"label_smoothing": 1.5}, "label_smoothing: found 1.5"),
        ({"reduction": "average"}, "reduction: found average, expected none, mean or sum"),
    ],
)
def test_what_cannot_be_used_is_named(change, message):
    E, S, labels = random_batch()
    given = {"energies": E, "entropies": S, "target": labels, "temperatures": [1.0, 5.0], **change}
    with pytest.raises(InputError, match=message):
        cross_zentropy(**given)


def test_a_module_without_temperatures_asks_for_them():
    E, S, labels = random_batch()
    with pytest.raises(InputError, match="temperatures"):
        CrossZentropyLoss()(E, S, labels)
    with pytest.raises(InputError, match="reduction"):
        CrossZentropyLoss([1.0], reduction="average")
