"""Temperatures, the prior over them, and what an optimiser is told of both."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from zenn.classification.initial_temperatures import geometric_temperatures
from zenn.classification.loss import CrossZentropyLoss, cross_zentropy
from zenn.classification.temperatures import (
    TemperaturePrior,
    TemperatureSet,
    parameter_groups,
    published_temperatures,
)
from zenn.errors import InputError


def test_the_first_is_fixed_and_the_others_are_learned():
    temperatures = TemperatureSet([1.0, 5.0, 0.3])
    torch.testing.assert_close(temperatures.values, torch.tensor([1.0, 5.0, 0.3]))
    optimiser = torch.optim.SGD(temperatures.parameters(), lr=0.1)
    temperatures.values.sum().backward()
    optimiser.step()
    # d/d(ln T) of T is T
    expected = torch.tensor([1.0, 5.0 * math.exp(-0.5), 0.3 * math.exp(-0.03)])
    torch.testing.assert_close(temperatures.values, expected)
    torch.testing.assert_close(temperatures.initial, torch.tensor([1.0, 5.0, 0.3]))
    assert len(temperatures) == 3


def test_one_may_have_nothing_to_learn_or_learn_all():
    assert list(TemperatureSet().parameters()) == []
    assert TemperatureSet().values.tolist() == [1.0]
    free = TemperatureSet([2.0], fixed_first=False)
    assert [p.numel() for p in free.parameters()] == [1]
    torch.testing.assert_close(free.values, torch.tensor([2.0]))


def test_a_temperature_stays_positive():
    temperatures = TemperatureSet([1.0, 5.0])
    optimiser = torch.optim.SGD(temperatures.parameters(), lr=2.0)
    for _ in range(50):
        optimiser.zero_grad()
        temperatures.values.sum().backward()
        optimiser.step()
    assert 0 < float(temperatures.values.detach()[1]) < 0.1


def test_initial_values_are_kept_with_the_state():
    saved, loaded = TemperatureSet([1.0, 5.0]), TemperatureSet([1.0, 2.0])
    with torch.no_grad():
        saved.log_learned.add_(0.1)
    loaded.load_state_dict(saved.state_dict())
    assert loaded.initial.tolist() == [1.0, 5.0]
    assert torch.equal(loaded.values, saved.values)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([], "N_T = 0"),
        ([1.0, 5.0, 5.0], "found 5 twice, expected temperatures that differ"),
        ([1.0, 1.0], "found 1 twice"),
        ([1.0, 1.0 + 1e-9], "found 1 twice"),
        ([1.0, 0.0], "T_2: found 0"),
        ([-1.0], "T_1: found -1"),
        ([1.0, float("inf")], "T_2: found inf"),
        ([1.0, float("nan")], "T_2: found nan"),
    ],
)
def test_refused(initial, message):
    with pytest.raises(InputError, match=message):
        TemperatureSet(initial)


def test_equal_temperatures_would_never_separate():
    """Why they are refused: their gradients are the same number."""
    random = torch.Generator().manual_seed(0)
    E, S = torch.randn(8, 3, generator=random), torch.rand(8, 3, generator=random)
    T = torch.tensor([1.0, 5.0, 5.0], requires_grad=True)
    cross_zentropy(E, S, torch.randint(3, (8,), generator=random), T, omega=5.0).backward()
    assert T.grad[1] == T.grad[2] != 0


def test_prior_is_learned_to_be_the_most_likely_one():
    """Labels drawn at T = 1 for 30 % of the samples, and at T = 8 for the others."""
    random = torch.Generator().manual_seed(0)
    E = 3 * torch.randn(4000, 4, generator=random)
    T = torch.where(torch.rand(4000, 1, generator=random) < 0.3, 1.0, 8.0)
    labels = torch.multinomial(torch.softmax(-E / T, -1), 1, generator=random)[:, 0]
    prior = TemperaturePrior(2)
    loss = CrossZentropyLoss([1.0, 8.0], prior=prior)
    optimiser = torch.optim.SGD(prior.parameters(), lr=4.0)
    for _ in range(150):
        optimiser.zero_grad()
        loss(E, None, labels).backward()
        optimiser.step()
    found = float(prior.log_probabilities.detach().exp()[0])
    of_label = [torch.softmax(-E / t, -1)[torch.arange(4000), labels].numpy() for t in (1.0, 8.0)]
    likeliest = minimize_scalar(
        lambda pi: -np.log(pi * of_label[0] + (1 - pi) * of_label[1]).mean(), bounds=(0, 1), method="bounded"
    ).x
    assert found == pytest.approx(likeliest, abs=1e-3)
    assert found == pytest.approx(0.3, abs=0.05)


def test_groups():
    model = nn.ModuleDict(
        {
            "net": nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)),
            "temperatures": TemperatureSet([1.0, 5.0]),
            "prior": TemperaturePrior(2),
        }
    )
    model["net"][0].weight.requires_grad_(False)
    loss = CrossZentropyLoss(model["temperatures"], prior=model["prior"])
    groups = parameter_groups(
        model, loss, lr=1e-3, weight_decay=0.05, temperature_lr=1e-2, prior_lr=0.1, decay_vectors=False
    )
    by_name = {group["name"]: group for group in groups}
    assert [(name, g["lr"], g["weight_decay"]) for name, g in by_name.items()] == [
        ("weights", 1e-3, 0.05),
        ("vectors", 1e-3, 0.0),
        ("temperatures", 1e-2, 0.0),
        ("prior", 0.1, 0.0),
    ]
    assert by_name["weights"]["params"] == [model["net"][2].weight]
    assert len(by_name["vectors"]["params"]) == 4
    assert by_name["temperatures"]["params"] == [model["temperatures"].log_learned]
    found = [id(p) for group in groups for p in group["params"]]
    assert sorted(found) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    torch.optim.AdamW(groups)  # accepts them


def test_default_keeps_the_decay_of_vectors():
    (group,) = parameter_groups(nn.Linear(3, 4), lr=1e-3, weight_decay=0.05, temperature_lr=1e-2)
    assert len(group["params"]) == 2
    assert group["weight_decay"] == 0.05


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_default_initial_values(number):
    values = geometric_temperatures(number, 2.0, 10.0)
    assert len(values) == len(TemperatureSet(values)) == number
    others = values[1:]
    ratios = [b / a for a, b in pairwise(others)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios) if ratios else [])
    if number == 2:
        assert others == (2.0,)
    if number > 2:
        assert (others[0], others[-1]) == pytest.approx((2.0, 10.0))


def test_published_initial_values():
    values = published_temperatures(400, seed=3)
    assert values == published_temperatures(400, seed=3) != published_temperatures(400, seed=4)
    assert values[0] == 1.0
    normal = torch.logit((torch.tensor(values[1:], dtype=torch.float64) - 0.1) / 9.9)
    assert abs(float(normal.mean())) < 4 / math.sqrt(399)
    assert abs(float(normal.std()) - 1) < 4 / math.sqrt(2 * 399)


@pytest.mark.parametrize("make", [geometric_temperatures, lambda n: published_temperatures(n, 0)])
def test_no_default_for_no_temperature(make):
    with pytest.raises(InputError, match="number: found 0"):
        make(0)


def test_bounds_and_sizes_are_checked():
    with pytest.raises(InputError, match="lowest"):
        geometric_temperatures(3, 5.0, 2.0)
    with pytest.raises(InputError, match="temperatures: found 0"):
        TemperaturePrior(0)
