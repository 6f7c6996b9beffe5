"""What is said of a surface: nothing wrong with the exact one, the size of a known error otherwise."""

import numpy as np
import pytest
from scipy import stats

from zenn import taylor
from zenn.errors import InputError
from zenn.landscape.assessment import (
    benchmark_errors,
    density,
    exact_crossings,
    paired_difference,
    prediction_grid,
    three_wells_density,
)
from zenn.landscape.fitting import scaling_of
from zenn.landscape.landscapes import THREE_WELLS_DOMAIN, bifurcation
from zenn.landscape.networks import Perceptron
from zenn.landscape.surface import ExactBifurcation, NetworkSurface, SeriesSurface

WINDOWS = (-1.5, 1.5), (1.0, 3.0)
CROSSINGS, X = (1.0, 1.5, 2.5, 3.0), (-0.5, -0.1, 0.3)


def test_the_exact_surface_has_no_errors():
    found = benchmark_errors(ExactBifurcation(), *WINDOWS, CROSSINGS, X)
    assert found.temperature == pytest.approx(2, abs=1e-9)
    assert found.eq19_temperature == pytest.approx(2, abs=1e-6)
    assert found.crossings == (2, 2, 0, 0) == tuple(exact_crossings(T, WINDOWS[0]) for T in CROSSINGS)
    assert exact_crossings(1.0, (0.0, 1.5)) == 1
    assert exact_crossings(1.0, (-0.5, 0.5)) == 0
    errors = [
        found.largest_F_xx,
        found.rms_F,
        found.rms_F_x,
        found.rms_F_xx,
        found.rms_F_at_2,
        found.zero_line,
    ]
    assert max(errors) < 1e-12


def test_a_known_error_is_measured():
    """F too large by x^2 / 100 and a constant per temperature, which does not count."""

    def off(inputs):
        x, T = inputs[:, 0], inputs[:, 1]
        return ExactBifurcation().series(inputs) + taylor.multiply(x, x) / 100 + taylor.multiply(T, T)

    found = benchmark_errors(SeriesSurface(off), *WINDOWS, CROSSINGS, X)
    assert found.largest_F_xx == pytest.approx(0.02)
    assert found.rms_F_xx == pytest.approx(0.02)
    x = np.linspace(-1.5, 1.5, 121)
    assert found.rms_F_x == pytest.approx(np.sqrt(np.mean((x / 50) ** 2)))
    assert found.rms_F == pytest.approx(np.std(x**2 / 100))
    assert found.rms_F_at_2 == pytest.approx(np.std(x**2 / 100) / 2)
    assert found.temperature == pytest.approx(1 + np.sqrt(1 - 0.02))  # T (T - 2) + 0.02 = 0
    assert found.zero_line == pytest.approx(max(abs(2 - 3 * a**2 - _line(a)) for a in X), rel=1e-6)


def _line(x):
    """T of T (3 x^2 + T - 2) + 0.02 = 0, the upper root."""
    b = 3 * x**2 - 2
    return (-b + np.sqrt(b**2 - 0.08)) / 2


def test_a_surface_without_a_bifurcation():
    flat = SeriesSurface(lambda inputs: taylor.multiply(inputs[:, 0], inputs[:, 0]))
    found = benchmark_errors(flat, *WINDOWS, CROSSINGS, X)
    assert np.isnan(found.temperature)
    assert np.isnan(found.eq19_temperature)
    assert np.isnan(found.zero_line)
    assert found.crossings == (0, 0, 0, 0)


def test_densities_integrate_to_one():
    grid = prediction_grid(201)
    axes = [np.linspace(*window, 201) for window in THREE_WELLS_DOMAIN]
    network = Perceptron(scaling_of(bifurcation()), (3,))
    two = Perceptron(type(network.scaling)((0.0, 0.5, 1.0), (2.0, 2.0, 1.0)), (3,))
    for p in (
        three_wells_density(grid[:, 0], grid[:, 1]),
        density(NetworkSurface(two, two.initial(0)), grid),
    ):
        total = np.trapezoid(np.trapezoid(p.reshape(201, 201), axes[1], axis=1), axes[0])
        assert total == pytest.approx(1, abs=2e-4)


def test_paired_differences_against_scipy():
    a, b = np.array([2.0, 3.0, 10.0, 1.5]), np.array([1.0, 1.1, 0.9, 1.2])
    found = paired_difference(a, b)
    known = stats.ttest_1samp(np.log10(a / b), 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    assert np.isnan(paired_difference([2.0], [1.0]).low)
    with pytest.raises(InputError, match="errors above 0"):
        paired_difference([0.0], [1.0])
    with pytest.raises(InputError, match="two vectors of one length"):
        paired_difference([1.0, 2.0], [1.0])
