"""The sum of squares that Levenberg and Marquardt's method is given is the loss of the other optimisers."""

import numpy as np
import pytest

from benchmarks.least_squares import Residuals, _step, levenberg_marquardt
from zenn.landscape.fitting import scaling_of
from zenn.landscape.landscapes import bifurcation
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.networks import Zenn


@pytest.fixture(scope="module")
def problem():
    landscape = bifurcation(9, 5)
    network = Zenn(scaling_of(landscape), 2, 1.0, 5.0)
    return landscape, network, network.initial(3).numpy()


def test_squares_and_jacobian_are_those_of_the_loss(problem):
    landscape, network, parameters = problem
    residuals = Residuals(network, landscape)
    value, gradient = Objective(network, landscape, Weights()).value_and_gradient(parameters)
    r, J = residuals.with_jacobian(parameters)
    assert residuals.value(parameters) == pytest.approx(value, rel=1e-12)
    assert r @ r == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(2 * J.T @ r, gradient, rtol=1e-9, atol=1e-14)


def test_both_forms_take_the_same_step(problem):
    landscape, network, parameters = problem
    r, J = Residuals(network, landscape).with_jacobian(parameters)
    small, large = (_step(G, J, r, -(J.T @ r), 1e-2, d) for G, d in ((J @ J.T, True), (J.T @ J, False)))
    assert len(J) < J.shape[1]
    np.testing.assert_allclose(small, large, rtol=1e-8, atol=1e-12)


def test_it_goes_down(problem):
    landscape, network, parameters = problem
    seen = []

    def see(value, _):
        seen.append(value)
        if len(seen) == 12:
            raise StopIteration

    with pytest.raises(StopIteration):
        levenberg_marquardt(Residuals(network, landscape), parameters, see)
    assert np.all(np.diff(seen) < 0)
    assert seen[-1] < 0.1 * seen[0]
