"""Losses, minimisation and fits: against closed forms, scipy, and the benchmark's exact landscape."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der

from tests.materials.conftest import TABLE_S1, made_of
from zenn import taylor
from zenn.errors import InputError, NotFoundError
from zenn.landscape.fitting import Settings, fit, scaling_of
from zenn.landscape.landscapes import (
    THREE_WELLS_DOMAIN,
    Landscape,
    bifurcation,
    bifurcation_derivatives,
    bifurcation_energy,
    quadrature,
    three_wells,
    three_wells_energy,
)
from zenn.landscape.losses import Objective, Weights, log_density, pointwise_divergence
from zenn.landscape.minimise import begin, self_scaled_bfgs
from zenn.landscape.model import LandscapeModel
from zenn.landscape.networks import Perceptron, Zenn, inputs_along
from zenn.materials.configurations import read_configurations
from zenn.materials.constants import GPA_PER_EV_PER_A3
from zenn.materials.critical import critical_point
from zenn.materials.helmholtz import helmholtz_energy


@pytest.fixture(scope="module")
def fe3pt():
    return made_of(read_configurations(TABLE_S1, atoms=12))


def last(states):
    return list(states)[-1]


def test_the_benchmark_is_the_printed_one():
    assert bifurcation_energy(0.0, 2.0) == pytest.approx(2 * 0.5)
    assert bifurcation_energy([-1.0, 1.0], 1.0) == pytest.approx([0.0, 0.0])  # two wells at T = 1
    x, h = np.linspace(-1.5, 1.5, 7), 1e-4
    F = [bifurcation_energy(x + i * h, 1.3) for i in (-1, 0, 1)]
    slopes = bifurcation_derivatives(x, 1.3)
    np.testing.assert_allclose((F[2] - F[0]) / (2 * h), slopes[0], atol=1e-7)
    np.testing.assert_allclose((F[2] - 2 * F[1] + F[0]) / h**2, slopes[1], atol=1e-6)
    assert bifurcation_derivatives(0.0, 2.0) == pytest.approx([0, 0, 0])
    assert three_wells_energy(1.0, 0.0) == pytest.approx(-3 - 3 * np.exp(-12) - 3 * np.exp(-3 - 6.75))


def test_quadrature_integrates_polynomials():
    nodes, weights = quadrature(5, (1.0, 3.0))
    assert weights @ nodes**9 == pytest.approx((3**10 - 1) / 10, rel=1e-13)
    landscape = three_wells(6)
    area = np.prod([high - low for low, high in THREE_WELLS_DOMAIN])
    assert landscape.weights.sum() == pytest.approx(area)
    assert landscape.dimensions == 2


def test_divergence_against_its_definition():
    """JS = (KL(P|M) + KL(Q|M)) / 2 with M = (P + Q) / 2 (Eqs. 17-18), far from where that cancels."""
    random = np.random.default_rng(0)
    nodes, weights = quadrature(40, (-1.0, 1.0))
    F = torch.tensor(random.normal(size=(2, 40)))
    thermal, w = torch.ones(1, dtype=torch.float64), torch.tensor(weights)
    lp, lq = (log_density(f[None], w, thermal)[0] for f in F)
    p, q = lp.exp(), lq.exp()
    assert float(p @ w) == pytest.approx(1)
    m = (p + q) / 2
    direct = ((p * (lp - m.log()) + q * (lq - m.log())) / 2) @ w
    ours = (p * pointwise_divergence(lq - lp) / 2) @ w
    assert float(ours) == pytest.approx(float(direct), rel=1e-12)
    assert nodes.shape == (40,)


def test_divergence_does_not_cancel():
    delta = torch.tensor([1e-12, -1e-8, 9.99e-4, 1.001e-3, -3.0], dtype=torch.float64)
    found = pointwise_divergence(delta)
    # f' = e^delta (delta / 2 - ln cosh(delta / 2)), whose series makes this one of f
    series = delta**2 / 4 + delta**3 / 8 + delta**4 / 32 + delta**5 / 192 + delta**6 / 1152
    np.testing.assert_allclose(found[:4], series[:4], rtol=5e-12)
    assert torch.all(found >= 0)


def test_a_landscape_that_is_fitted_exactly_has_no_loss():
    """A network's own free energy as data: every term vanishes, with any constant per temperature."""
    landscape = bifurcation(11, 4)
    network = Zenn(scaling_of(landscape), 2, 1.0, 5.0)
    theta = network.initial(1)
    x = torch.tensor(landscape.points).repeat(4, 1)
    T = torch.tensor(landscape.temperatures).repeat_interleave(11)
    along = [
        taylor.derivatives(network.series(theta, inputs_along(x, T, d, 1))) for d in ((1.0, 0.0), (0.0, 1.0))
    ]
    F, slope, entropy = (value.reshape(4, 11).numpy() for value in (along[0][0], along[0][1], -along[1][1]))
    data = Landscape(
        landscape.points, landscape.weights, landscape.temperatures, F + np.arange(4.0)[:, None], 1.0,
        landscape.temperatures, slopes=slope[..., None], entropies=entropy + np.zeros(1),
    )  # fmt: skip
    objective = Objective(network, data, Weights(entropy=1.0, slope=1.0, square=1.0))
    assert objective.value_and_gradient(theta.numpy())[0] == pytest.approx(0, abs=1e-20)


def test_minimisation_of_a_quadratic_and_of_rosenbrock():
    random = np.random.default_rng(2)
    A = random.normal(size=(30, 30))
    A = A @ A.T + 0.01 * np.eye(30)
    b = random.normal(size=30)
    found = last(
        self_scaled_bfgs(q := lambda x: (x @ A @ x / 2 - b @ x, A @ x - b), begin(q, np.zeros(30)), 500, 1e-9)
    )
    assert found.reason in ("gradient tolerance", "no descent")  # rounding ends it too
    np.testing.assert_allclose(found.parameters, np.linalg.solve(A, b), rtol=1e-5)

    def rosenbrock(x):
        return float(rosen(x)), np.asarray(rosen_der(x))

    found = last(self_scaled_bfgs(rosenbrock, begin(rosenbrock, np.full(6, -1.2)), 2000, 1e-9))
    np.testing.assert_allclose(found.parameters, 1, rtol=1e-7)


def test_a_fit_goes_on_where_it_stopped():
    landscape = bifurcation(15, 7)
    network = Zenn(scaling_of(landscape), 2, 1.0, 5.0)
    settings = Settings(adam_steps=20, iterations=40)
    whole = last(fit(network, landscape, Weights(), settings, 3))
    part = last(fit(network, landscape, Weights(), Settings(adam_steps=20, iterations=17), 3))
    resumed = last(fit(network, landscape, Weights(), settings, 3, replace(part, reason="")))
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)
    assert resumed.iteration == whole.iteration == 40
    assert resumed.evaluations == whole.evaluations


def test_the_best_of_several_starts_goes_on():
    landscape = bifurcation(11, 5)
    network = Zenn(scaling_of(landscape), 2, 1.0, 5.0)
    few = Settings(adam_steps=5, iterations=12, trial_iterations=12)
    single = last(fit(network, landscape, Weights(), few, 3))
    several = last(fit(network, landscape, Weights(), replace(few, starts=4), 3))
    assert several.value <= single.value
    begun = next(fit(network, landscape, Weights(), replace(few, starts=4, iterations=20), 3))
    assert begun.iteration == 13
    assert begun.value <= several.value


def test_the_benchmark_is_recovered():
    """A short fit: the bifurcation at T = 2, the right number of zero crossings, F_xx to a few percent."""
    landscape = bifurcation(41, 17)
    model = LandscapeModel(configurations=6, iterations=350, start="random", seed=0)
    model.fit(
        landscape.points[:, 0], landscape.temperatures, landscape.free_energies, weights=landscape.weights
    )
    point = model.critical_point((-1.5, 1.5), (1.2, 2.8))
    assert point.temperature == pytest.approx(2, abs=5e-3)
    assert point.x == pytest.approx(0, abs=2e-2)
    x = np.linspace(-1.5, 1.5, 61)
    for T, crossings in ((1.0, 2), (1.5, 2), (2.5, 0), (3.0, 0)):
        curvature = model.derivative(x, T, order=2)
        assert np.count_nonzero(np.diff(np.sign(curvature))) == crossings
        np.testing.assert_allclose(curvature, bifurcation_derivatives(x, T)[1], atol=0.3)
        np.testing.assert_allclose(model.predict(x, T), bifurcation_energy(x, T), atol=0.02)


def test_fe3pt_is_inverted(fe3pt):
    """Four configurations, fitted to the free energy of 36, have its critical point.

    Units of 1000 K and 0.0718111 eV, in which k_B = 0.1 is that of twelve atoms; no derivative is given.
    """
    unit = 0.0718111
    V, weights = quadrature(28, (12.2, 13.7))
    T = np.linspace(0.02, 0.6, 20)
    F = helmholtz_energy(fe3pt, V, 1000 * T[:, None]) / unit
    model = LandscapeModel(4, boltzmann_constant=0.1, iterations=900)
    model.fit(V, T, F, weights=weights, density_temperature=np.ones(20))
    off = (model.predict(V, T[:, None]) - F) * unit * 1e6
    inside = (V > 12.3) & (V < 13.6)  # a fit is worst at its edges
    assert np.abs(off[:, inside]).max() < 40  # µeV per atom
    point, exact = model.critical_point(), critical_point(fe3pt, (20, 400), (12.2, 13.4))
    assert 1000 * point.temperature == pytest.approx(exact.temperature, abs=3.0)
    assert point.x == pytest.approx(exact.volume, abs=0.02)
    assert -point.slope * unit * GPA_PER_EV_PER_A3 == pytest.approx(exact.pressure, abs=0.06)


def test_what_cannot_be_fitted():
    flat = three_wells(5)
    network = Zenn(scaling_of(flat), 2, 1.0, 5.0)
    with pytest.raises(InputError, match="start: found wells"):
        fit(network, flat, Weights(), Settings("wells"), 0)
    with pytest.raises(InputError, match=r"convexity: found 1\.0"):
        Objective(network, flat, Weights(convexity=1.0))
    with pytest.raises(InputError, match="the data do not have it"):
        Objective(network, flat, Weights(entropy=1.0))
    model = LandscapeModel(2, iterations=5)
    with pytest.raises(InputError, match="a call of fit before"):
        model.predict(0.0, 1.0)
    x, T = np.linspace(-1, 1, 9), np.array([1.0, 2.0])
    good = bifurcation_energy(x, T[:, None])
    with pytest.raises(InputError, match="increasing points"):
        model.fit(x[::-1], T, good)
    with pytest.raises(InputError, match=r"free_energies: found shape \(9, 2\)"):
        model.fit(x, T, good.T)
    with pytest.raises(InputError, match="not finite"):
        model.fit(x, T, good * np.nan)
    with pytest.raises(InputError, match="increasing temperatures"):
        model.fit(x, T[::-1], good)
    one = model.fit(x, T[:1], good[:1])
    assert np.all(np.isfinite(one.predict(x, 1.0)))
    with pytest.raises(NotFoundError, match="the one temperature 1"):
        one.critical_point()


def test_a_network_too_large_for_the_optimiser_is_refused():
    landscape = bifurcation()
    network = Perceptron(scaling_of(landscape), (200, 200, 200))
    with pytest.raises(InputError, match="GiB: fewer configurations or neurons"):
        next(fit(network, landscape, Weights(), Settings(), seed=1))
