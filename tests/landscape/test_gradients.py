"""Compiled kernels and gradients written out, against torch's of the same loss, and numpy's functions."""

import subprocess
import sys

import numba
import numpy as np
import pytest
import torch

from zenn.landscape import gradients
from zenn.landscape.fitting import scaling_of
from zenn.landscape.landscapes import Landscape, bifurcation, three_wells
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.networks import Scaling, Zenn, inputs_along


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


def test_more_points_than_a_block():
    landscape = bifurcation(23, 13)
    assert 2 * gradients.BLOCK < landscape.free_energies.size < 3 * gradients.BLOCK
    check(Zenn(scaling_of(landscape), 3, 1.0, 5.0), landscape, Weights(convexity=0.5), stride=1)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("kind", ["positive", "free"])
@pytest.mark.parametrize("dimensions", [1, 2, 4])
def test_series_of_every_order(order, kind, dimensions):
    random = np.random.default_rng(order)
    scaling = Scaling.of(((-1.0, 2.0),) * dimensions + ((0.5, 2.5),))
    network = Zenn(scaling, 3, 0.7, 5.0, (5, 8), kind, 1.5, 0.5)
    x, T = random.uniform(-1, 2, (150, dimensions)), random.uniform(0.5, 2.5, 150)
    direction = tuple(random.normal(size=dimensions + 1))
    theta = network.initial(2).requires_grad_()
    expected = network.series(theta, inputs_along(torch.tensor(x), torch.tensor(T), direction, order))
    written = gradients.FreeEnergies(network, np.vstack([x.T, T]), direction, order)
    found = written.series(theta.detach().numpy())
    assert np.abs(found - expected.detach().numpy()).max() < 1e-12 * np.abs(found).max()
    upstream = random.normal(size=found.shape)
    (of_torch,) = torch.autograd.grad((torch.tensor(upstream) * expected).sum(), theta)
    assert np.abs(written.gradient(upstream) - of_torch.numpy()).max() < 1e-12 * of_torch.abs().max()


def test_functions_are_exact_to_rounding():
    from zenn.landscape import _kernels

    @numba.njit
    def each(x, tanh, exp, log1p):
        for i in range(x.size):
            tanh[i] = _kernels._tanh(x[i])
            exp[i] = _kernels._exp(-abs(x[i]))
            log1p[i] = _kernels._log1p(min(abs(x[i]), 1.0))

    small = np.logspace(-300, 1.3, 20001)
    x = np.concatenate([np.linspace(-20, 20, 100001), small, -small, [0.0, 600.0, np.inf, -np.inf, np.nan]])
    tanh, exp, log1p = np.empty((3, x.size))
    each(x, tanh, exp, log1p)
    wide = x.astype(np.longdouble)
    np.testing.assert_allclose(tanh, np.tanh(wide).astype(float), rtol=1e-15, atol=0)
    np.testing.assert_allclose(exp[:-3], np.exp(-abs(wide[:-3])).astype(float), rtol=1e-15, atol=0)
    assert np.all(exp[-3:-1] < 1e-300)
    assert np.isnan(exp[-1])
    np.testing.assert_allclose(
        log1p[:-1], np.log1p(np.minimum(abs(wide[:-1]), 1)).astype(float), rtol=1e-15, atol=0
    )


def test_the_penalty_looks_at_every_point_and_beyond_both_ends(wells):
    """A configuration that is concave between every second point would otherwise go unnoticed."""
    network = Zenn(scaling_of(wells), 3, 0.7, 5.0)
    theta = network.initial(1)
    x, w, T = wells.points[:, 0], wells.weights, wells.temperatures
    x = np.array([x[0] - (x[1] - x[0]) / 2, *x, x[-1] + (x[-1] - x[-2]) / 2])
    w = np.array([w[0], *w, w[-1]])
    points, temperatures = torch.tensor(np.tile(x, len(T)))[:, None], torch.tensor(np.repeat(T, len(x)))
    found = network.configuration_series(theta, inputs_along(points, temperatures, order=2))
    curvatures = 2 * (found.energies[2] - temperatures * found.entropies[2])
    concave = torch.relu(-curvatures).sum(dim=0).reshape(len(T), len(x))
    expected = (concave.mean(dim=0).numpy() * w).sum() / w.sum()
    value, _ = Objective(network, wells, Weights(0.0, convexity=1.0)).value_and_gradient(theta.numpy())
    assert value == pytest.approx(expected, rel=1e-12)
    assert value > 0


def test_the_same_numbers_every_time(wells):
    network = Zenn(scaling_of(wells), 3, 0.7, 5.0)
    parameters = network.initial(1).numpy()
    found = [
        Objective(network, wells, Weights(convexity=0.1)).value_and_gradient(parameters) for _ in range(3)
    ]
    assert len({(value, gradient.tobytes()) for value, gradient in found}) == 1


def test_numba_is_imported_for_fits_of_a_zenn_alone():
    said = "import sys, zenn.landscape.steps.fit; print('numba' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


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
