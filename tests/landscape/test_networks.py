"""Networks against torch's own modules, zentropy, and what convexity means."""

import numpy as np
import pytest
import torch

from zenn import taylor, zentropy
from zenn.errors import InputError
from zenn.landscape.landscapes import bifurcation
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.networks import (
    ConvexNetwork,
    Perceptron,
    Scaling,
    Zenn,
    from_specification,
    inputs_along,
    log_probabilities,
    specification,
)

SCALING = Scaling.of(((-2.0, 2.0), (0.9, 3.1)))
ZENN = Zenn(SCALING, 3, 0.7, 5.0)
PRINTED, STANDARD = ConvexNetwork(SCALING, "printed"), ConvexNetwork(SCALING, "standard")
NETWORKS = [
    ZENN,
    Zenn(SCALING, 2, 1.0, float("inf"), entropy="free"),
    PRINTED,
    STANDARD,
    Perceptron(SCALING, (21, 52)),
]


def states(number=7):
    random = torch.Generator().manual_seed(3)
    x = 4 * torch.rand(number, 1, generator=random, dtype=torch.float64) - 2
    return x, 0.9 + 2.2 * torch.rand(number, generator=random, dtype=torch.float64)


def test_sizes_are_those_of_the_paper():
    """ZENN with K = 6 and 2 x 8 neurons, and ICNN with 4 x 48, of 192 neurons each."""
    assert Zenn(SCALING, 6, 1.0, 5.0).size == 1260
    assert PRINTED.size == STANDARD.size == 7536
    assert Perceptron(SCALING, (21, 52)).size == 1260


def test_a_mixture_is_that_of_zentropy():
    x, T = states()
    theta, inputs = ZENN.initial(1), inputs_along(x, T)
    found = ZENN.configuration_series(theta, inputs)
    E, S = found.energies[0].numpy(), found.entropies[0].numpy()
    assert np.all(S >= 0)
    options = {"k_B": 0.7, "gamma": 5.0, "axis": 0}
    F = zentropy.helmholtz_energy(E, S, T.numpy(), **options)
    np.testing.assert_allclose(ZENN.series(theta, inputs)[0], F, rtol=1e-12)
    p = log_probabilities(found, inputs[:, -1], 0.7, 5.0).exp()
    np.testing.assert_allclose(p, zentropy.probabilities(E, S, T.numpy(), **options), rtol=1e-12)


def test_configurations_are_plain_tanh_networks():
    x, T = states()
    theta = ZENN.initial(2)
    outputs = ZENN.outputs(theta, inputs_along(x, T))[0]
    scaled = torch.stack([x[:, 0] / 2, (T - 2) / 1.1], dim=1)
    for k, row in enumerate(theta.reshape(6, -1)):
        layers = torch.nn.Sequential(
            torch.nn.Linear(2, 8),
            torch.nn.Tanh(),
            torch.nn.Linear(8, 8),
            torch.nn.Tanh(),
            torch.nn.Linear(8, 1),
        ).double()
        torch.nn.utils.vector_to_parameters(row, layers.parameters())
        np.testing.assert_allclose(outputs[k], layers(scaled)[:, 0].detach(), rtol=1e-12)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
def test_derivatives_against_autograd(network):
    x, T = states()
    theta = network.initial(4)
    found = taylor.derivatives(network.series(theta, inputs_along(x, T, order=3)))
    along = x.clone().requires_grad_()
    value = network.series(theta, inputs_along(along, T))[0]
    for order in range(4):
        np.testing.assert_allclose(found[order], value.detach(), rtol=1e-9, atol=1e-12)
        if order < 3:
            (grad,) = torch.autograd.grad(value.sum(), along, create_graph=True)
            value = grad[:, 0]


def test_the_standard_network_is_convex_and_the_printed_one_is_not():
    x = torch.linspace(-2, 2, 201, dtype=torch.float64)[:, None]
    T = torch.full((201,), 2.0, dtype=torch.float64)
    lowest = {
        network.variant: min(
            float(network.series(network.initial(seed) * 3, inputs_along(x, T, order=2))[2].min())
            for seed in range(8)
        )
        for network in (PRINTED, STANDARD)
    }
    assert lowest["standard"] >= 0
    assert lowest["printed"] < -1e-3


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
def test_a_network_comes_back_from_its_specification(network):
    assert from_specification(specification(network)) == network


def test_unusable_networks():
    with pytest.raises(InputError, match="configurations: found 0"):
        Zenn(SCALING, 0, 1.0, 5.0)
    with pytest.raises(InputError, match="did you mean 'printed'"):
        ConvexNetwork(SCALING, "print")
    with pytest.raises(InputError, match="kind: found icnn, expected one of zenn"):
        from_specification({"kind": "icnn"})


@pytest.mark.parametrize(
    "weights",
    [
        Weights(),
        Weights(0, convexity=1.0),
        Weights(0, slope=1.0),
        Weights(0, square=1.0),
        Weights(1, 0.1, 0, 0.1, 0.1),
    ],
)
def test_gradients_against_differences(weights):
    landscape = bifurcation(9, 5)
    objective = Objective(ZENN, landscape, weights)
    theta = ZENN.initial(5).numpy()
    _, gradient = objective.value_and_gradient(theta)
    direction = np.random.default_rng(1).normal(size=len(theta))
    h = 1e-4
    values = [objective.value_and_gradient(theta + i * h * direction)[0] for i in (-2, -1, 1, 2)]
    slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    assert gradient @ direction == pytest.approx(slope, rel=1e-6)
