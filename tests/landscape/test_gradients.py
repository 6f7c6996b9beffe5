"""Gradients written out, against torch's of the same loss."""

import numpy as np
import pytest
import torch

from zenn.landscape import gradients
from zenn.landscape.fitting import scaling_of
from zenn.landscape.landscapes import Landscape, bifurcation, three_wells
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.networks import Zenn


def differentiated(objective, parameters):
    theta = torch.tensor(parameters, requires_grad=True)
    loss = objective(theta)
    return float(loss.detach()), torch.autograd.grad(loss, theta)[0].numpy()


def check(network, landscape, weights, stride=2):
    objective = Objective(network, landscape, weights, stride)
    parameters = network.initial(5).numpy()
    for _ in range(2):  # arrays are used again
        value, gradient = objective.value_and_gradient(parameters)
        expected, its_gradient = differentiated(objective, parameters)
        assert value == pytest.approx(expected, rel=1e-12)
        assert np.abs(gradient - its_gradient).max() < 1e-11 * np.abs(its_gradient).max()
        parameters = 1.1 * parameters


@pytest.fixture(scope="module")
def wells():
    plain = bifurcation(11, 7)
    F = plain.free_energies
    return Landscape(
        plain.points, plain.weights, plain.temperatures, F, 0.7, plain.temperatures,
        slopes=plain.slopes, entropies=np.gradient(-F, plain.temperatures, axis=0),
    )  # fmt: skip


TERMS = [
    Weights(),
    Weights(divergence=0.0, convexity=1.0),
    Weights(convexity=0.1),
    Weights(entropy=0.3),
    Weights(slope=0.2, square=0.1),
    Weights(entropy=0.3, slope=0.2, convexity=0.5),
]


@pytest.mark.parametrize("weights", TERMS, ids=str)
def test_every_term(wells, weights):
    check(Zenn(scaling_of(wells), 3, 0.7, 5.0), wells, weights)


@pytest.mark.parametrize("hidden", [(4,), (3, 6), (5, 4, 3)])
@pytest.mark.parametrize("kind", ["positive", "free"])
def test_every_kind_of_network(wells, hidden, kind):
    network = Zenn(scaling_of(wells), 2, 0.7, np.inf if kind == "free" else 5.0, hidden, kind, 2.0, 0.5)
    check(network, wells, Weights(entropy=0.3, convexity=0.5), stride=1)


def test_two_coordinates():
    landscape = three_wells(6)
    slopes = np.random.default_rng(0).normal(size=(1, 36, 2))
    data = Landscape(
        landscape.points, landscape.weights, landscape.temperatures, landscape.free_energies, 1.0,
        landscape.temperatures, slopes=slopes,
    )  # fmt: skip
    check(Zenn(scaling_of(data), 2, 1.0, 5.0), data, Weights(slope=1.0))


def test_configurations_that_are_convex_cost_no_backward_pass(wells):
    """Where all of them are, value and gradient vanish; where one is not, it alone has a gradient."""
    network = Zenn(scaling_of(wells), 3, 0.7, 5.0)
    rows = np.zeros((6, network.size // 6))
    x, T = wells.points[:, 0], wells.temperatures
    points = np.stack([np.tile(x, len(T)), np.repeat(T, len(x))])
    concavity = gradients.Concavity(network, points, np.ones(points.shape[1]))
    assert concavity.value_and_gradient(rows.reshape(-1)) == (0, pytest.approx(np.zeros(network.size)))
    rows[1] = network.initial(1).numpy().reshape(6, -1)[1]
    value, gradient = concavity.value_and_gradient(rows.reshape(-1))
    assert value > 0
    of = np.abs(gradient.reshape(6, -1)).max(axis=1)
    assert of[1] > 0
    assert np.all(of[[0, 2, 3, 5]] == 0)


def test_what_overflows_is_not_finite_and_says_nothing(wells):
    objective = Objective(Zenn(scaling_of(wells), 2, 0.7, 5.0), wells, Weights(convexity=1.0, entropy=1.0))
    value, _ = objective.value_and_gradient(np.full(2 * 2 * 105, 1e200))
    assert not np.isfinite(value)
