"""What the benchmark of the inverse problem compares with computes the same loss and gradient."""

import numpy as np
import pytest

from benchmarks.straightforward_zenn import Straightforward, Vectorised
from zenn.landscape.fitting import scaling_of
from zenn.landscape.landscapes import Landscape, bifurcation
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.networks import Zenn


@pytest.fixture(scope="module")
def landscape():
    """The benchmark's wells where k_B and the density's temperature are told apart."""
    wells = bifurcation(9, 5, boltzmann_constant=0.4)
    return Landscape(
        wells.points, wells.weights, wells.temperatures, wells.free_energies, 0.4, np.full(5, 1.3)
    )


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("convexity", [0.0, 0.3])
def test_losses_and_gradients_are_the_same(landscape, convexity, stride):
    network = Zenn(scaling_of(landscape), 3, 0.4, 5.0)
    parameters = network.initial(4).numpy()
    objective = Objective(network, landscape, Weights(convexity=convexity), stride, margin=False)
    value, gradient = objective.value_and_gradient(parameters)
    if convexity:  # it is there to be compared
        assert value > 1.01 * Objective(network, landscape, Weights()).value_and_gradient(parameters)[0]
    plain = Straightforward(landscape, 3, 5.0, convexity, stride)
    stacked = Straightforward(landscape, 3, 5.0, convexity, stride, "stacked")
    for one in (plain, stacked):
        one.set_parameters(parameters)
    for other in (plain, stacked, Vectorised(plain)):
        its_value, its_gradient = other.value_and_gradient()
        assert its_value == pytest.approx(value, rel=1e-9)
        assert np.abs(its_gradient - gradient).max() < 1e-9 * np.abs(gradient).max()
