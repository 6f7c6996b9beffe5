"""`LandscapeModel` on data in any units, in one and two dimensions, and as files."""

import json

import numpy as np
import pytest
import torch

from zenn.errors import InputError, NotFoundError
from zenn.landscape import load_model, save_model
from zenn.landscape.landscapes import bifurcation_derivatives, bifurcation_energy, three_wells
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.model import LandscapeModel
from zenn.landscape.networks import Zenn
from zenn.landscape.reduced import density_temperatures, refuse_units

torch.set_num_threads(1)
X, T = np.linspace(-1.6, 1.6, 33), np.linspace(1.2, 2.8, 9)
F = bifurcation_energy(X, T[:, None])


@pytest.fixture(scope="module")
def fitted():
    return LandscapeModel(2, iterations=150, seed=1).fit(X, T, F)


def test_it_has_the_benchmarks_critical_point(fitted):
    point = fitted.critical_point()
    assert point.temperature == pytest.approx(2, abs=5e-3)
    assert point.x == pytest.approx(0, abs=2e-2)
    (other,) = fitted.zero_eigenvalue_points()  # singular at a pitchfork: T* moves by e^(2/3)
    assert other.temperature == pytest.approx(2, abs=5e-2)
    inside, t = np.linspace(-1.2, 1.2, 25), np.array([1.5, 2.1, 2.5])[:, None]
    np.testing.assert_allclose(fitted.predict(inside, t), bifurcation_energy(inside, t), atol=0.01)
    exact = bifurcation_derivatives(inside, t)
    np.testing.assert_allclose(fitted.derivative(inside, t), exact[0], atol=0.05)
    np.testing.assert_allclose(fitted.derivative(inside, t, 2), exact[1], atol=0.3)
    np.testing.assert_allclose(fitted.gradient(inside, t)[..., 0], fitted.derivative(inside, t), atol=1e-12)
    hessian = fitted.hessian(inside, t)[..., 0, 0]
    np.testing.assert_allclose(hessian, fitted.derivative(inside, t, 2), atol=1e-11)
    assert fitted.result.errors.shape == (9,)
    assert fitted.result.errors.max() < 0.01


def test_units_that_differ_by_powers_of_two_make_no_difference(fitted):
    """Rounding is then the same, so that every step of the fit is."""
    energy, temperature, length = 2.0**-9, 2.0**8, 4.0
    model = LandscapeModel(2, boltzmann_constant=energy / temperature, iterations=150, seed=1)
    model.fit(length * X, temperature * T, energy * F)
    assert torch.equal(model.surface.parameters, fitted.surface.parameters)
    one, other = fitted.critical_point(), model.critical_point()
    assert other.temperature == pytest.approx(temperature * one.temperature, rel=1e-9)
    assert other.x == pytest.approx(length * one.x, abs=1e-8)
    found = model.predict(length * X, temperature * 1.7)
    np.testing.assert_allclose(found, energy * fitted.predict(X, 1.7), rtol=1e-9)


def test_any_units_zero_and_constants_have_the_critical_point():
    """In eV and kelvin, with another x and a constant of its own at each temperature."""
    k, kelvin = 8.617333262e-5, 100.0
    unit, constants = k * kelvin, np.random.default_rng(0).normal(size=(9, 1))
    model = LandscapeModel(2, boltzmann_constant=k, iterations=300)
    model.fit(12.5 + 0.3 * X, kelvin * T, unit * F + constants)
    point = model.critical_point()
    assert point.temperature == pytest.approx(200, abs=0.5)
    assert point.x == pytest.approx(12.5, abs=3e-3)
    found = model.predict(12.5 + 0.3 * X, kelvin * T[:, None]) - constants
    np.testing.assert_allclose(found, unit * F, rtol=0, atol=0.02 * unit)


def test_a_fold_in_two_dimensions():
    """x^3 / 3 - (T - 1) x + (y - x)^2: minimum and saddle meet at T = 1."""
    axis, t = np.linspace(-1.5, 1.5, 11), np.linspace(0.5, 2.0, 7)
    points = np.stack([a.ravel() for a in np.meshgrid(axis, axis, indexing="ij")], axis=1)
    x, y = points.T
    energies = x**3 / 3 - (t[:, None] - 1) * x + (y - x) ** 2
    model = LandscapeModel(2, iterations=250).fit(points, t, energies)
    point = model.critical_point()
    assert point.temperature == pytest.approx(1, abs=5e-3)
    np.testing.assert_allclose(point.x, 0, atol=0.05)
    np.testing.assert_allclose(point.direction, [0.5**0.5] * 2, atol=0.01)
    where = np.array([0.5, -0.25])
    assert model.predict(where, 1.2) == pytest.approx(0.125 / 3 - 0.1 + 0.75**2, abs=0.02)
    np.testing.assert_allclose(model.gradient(where, 1.2), [0.25 - 0.2 + 1.5, -1.5], atol=0.1)
    np.testing.assert_allclose(model.hessian(where, 1.2), [[3, -2], [-2, 2]], atol=0.3)
    assert model.predict(points, t[:, None]).shape == (7, 121)
    with pytest.raises(NotFoundError, match=r"Eq. 19.*x1 = -1.5 to 1.5, x2 = -1.5 to 1.5 and T = 1.6 to 2"):
        model.critical_point(temperature_window=(1.6, 2.0))
    with pytest.raises(InputError, match="one coordinate"):
        model.derivative(where, 1.2)
    with pytest.raises(InputError, match=r"shape \(3,\), expected shape \(\.\.\., 2\)"):
        model.predict(np.zeros(3), 1.0)


def test_derivatives_of_the_data_are_used_where_asked_for(fitted):
    slopes = bifurcation_derivatives(X, T[:, None])[0]
    above = T[:, None] - 2  # of k_B T [(x^2 / 2 + above / 2)^2 + (above^2 - 1)^2 / 2], by hand
    entropies = -F / T[:, None] - T[:, None] * ((X**2 + above) / 2 + 2 * above * (above**2 - 1))
    model = LandscapeModel(2, slope=1.0, entropy=1e-2, iterations=150).fit(
        X, T, F, slopes=slopes, entropies=entropies
    )
    off = [np.abs(one.derivative(X, T[:, None]) - slopes).max() for one in (fitted, model)]
    assert off[1] < off[0]
    t, h = np.array([1.7, 2.2]), 1e-5
    total = model.surface.temperature_derivatives(np.zeros(2), t, 0)[0]
    exact = (bifurcation_energy(0.0, t + h) - bifurcation_energy(0.0, t - h)) / (2 * h)
    mean = float(np.mean(total - exact))  # the entropies are fitted up to one constant
    np.testing.assert_allclose(total - mean, exact, atol=0.05)


def test_it_comes_back_from_a_folder(tmp_path, fitted):
    save_model(tmp_path, fitted)
    found = load_model(tmp_path)
    assert found.get_params() == fitted.get_params()
    assert torch.equal(found.surface.parameters, fitted.surface.parameters)
    np.testing.assert_array_equal(found.predict(X, 1.73), fitted.predict(X, 1.73))
    assert found.critical_point() == fitted.critical_point()
    assert found.result.domain == ((-1.6, 1.6),)
    hot = LandscapeModel(1, gamma=np.inf, iterations=3, seed=np.int64(4)).fit(X, T, F)
    save_model(tmp_path, hot)
    found = load_model(tmp_path)
    assert found.gamma == np.inf
    np.testing.assert_array_equal(found.predict(X, 2.0), hot.predict(X, 2.0))


def test_folders_that_are_none(tmp_path, fitted):
    with pytest.raises(InputError, match="a call of fit before"):
        save_model(tmp_path, LandscapeModel())
    with pytest.raises(InputError, match=r"found no model\.json"):
        load_model(tmp_path)
    save_model(tmp_path, fitted)
    written = json.loads((tmp_path / "model.json").read_text())
    for change, message in (
        ({"domain": written["domain"] * 2}, "found 2 windows, expected 1"),
        ({"domain": "?"}, "expected parameters and domain of a fitted landscape"),
        ({"parameters": {"gamma": "5", "gama": 1}}, "did you mean 'gamma'"),
    ):
        (tmp_path / "model.json").write_text(json.dumps(written | change))
        with pytest.raises(InputError, match=message) as refused:
            load_model(tmp_path)
        assert refused.value.source == str(tmp_path / "model.json")
    (tmp_path / "model.json").write_text(json.dumps(written))
    (tmp_path / "constants.csv").write_text("temperature,constant,rms_error\n2,0,0\n1,0,0\n")
    with pytest.raises(InputError, match="expected increasing temperatures"):
        load_model(tmp_path)
    network = json.loads((tmp_path / "network.json").read_text())
    for change, message in (
        ({"kind": "zen"}, r"network\.json, kind: found zen, expected one of zenn"),
        ({"gamma": -1}, r"network\.json, gamma: found -1.0, expected a positive number"),
    ):
        (tmp_path / "network.json").write_text(json.dumps(network | change))
        with pytest.raises(InputError, match=message):
            load_model(tmp_path)


def test_parameters_by_name():
    model = LandscapeModel(3, gamma=2.0)
    again = LandscapeModel(**model.get_params())
    assert again.get_params() == model.get_params()
    assert again.set_params(seed=7, start="random") is again
    assert (again.seed, again.start, model.seed) == (7, "random", 0)
    with pytest.raises(InputError, match="did you mean 'convexity'"):
        model.set_params(convexit=1.0)


def test_windows_that_are_none(fitted):
    for window in ((0, 3), (-1, 3), (float("nan"), 3)):
        with pytest.raises(InputError, match=r"temperature_window: found .*expected temperatures above 0"):
            fitted.zero_eigenvalue_points(temperature_window=window)
    with pytest.raises(InputError, match=r"x_window: found shape \(3,\), expected \(low, high\)"):
        fitted.critical_point((1, 2, 3))
    cold = LandscapeModel(1, iterations=3).fit(X, T[:1], F[:1])
    with pytest.raises(NotFoundError, match=r"no critical point at the one temperature 1\.2"):
        cold.critical_point(temperature_window=(1, 3))  # whatever is asked for


def test_the_density_is_the_physical_one_unless_that_is_blind():
    np.testing.assert_array_equal(density_temperatures(F[:3], T[:3], 1.0), T[:3])
    deep = 1000 * F[:3]
    np.testing.assert_allclose(density_temperatures(deep, T[:3], 1.0), np.ptp(deep, axis=1) / 5)


@pytest.mark.parametrize(("k", "found"), [(8.617e-5, r"3\.09e\+04 k_B T"), (1e4, "0.000266 k_B T")])
def test_units_that_disagree(k, found):
    refuse_units(F, T, 200.0)  # flat, but not beside k_B T
    with pytest.raises(InputError, match=rf"boltzmann_constant: found .*{found}.*It is 8\.617e-5 eV/K"):
        LandscapeModel(2, boltzmann_constant=k).fit(X, T, F)
    LandscapeModel(1, boltzmann_constant=k, unit_check=False, iterations=1).fit(X, T, F)


def test_what_is_refused():
    model = LandscapeModel(2, iterations=3)
    plane = three_wells(5)
    for arguments, message in (
        ((plane.points[[0, 0, 1, 2, 3]], [1.0], np.ones((1, 5))), "four or more different points"),
        ((plane.points[:3], [1.0], np.ones((1, 3))), "four or more different points"),
        ((X, T, np.ones_like(F)), "k_B T, at temperature 1.2"),
        ((X, T, F[:, :-1]), r"free_energies: found shape \(9, 32\)"),
        ((X, 1.5, F[0]), r"temperatures: found shape \(\), expected a list of one or more"),
        ((X, [], np.empty((0, 33))), r"temperatures: found shape \(0,\)"),
        ((np.stack([X, 1 + 0 * X], axis=1), T, F), "x: found 1 for all of one coordinate"),
    ):
        with pytest.raises(InputError, match=message):
            model.fit(*arguments)
    with pytest.raises(InputError, match="F that depends on x"):
        LandscapeModel(2, unit_check=False).fit(X, T, np.ones_like(F))
    with pytest.raises(InputError, match=r"density_temperature: found shape \(3,\), expected shape \(9,\)"):
        model.fit(X, T, F, density_temperature=np.ones(3))
    for parameters, message in (
        ({"configurations": 0}, "configurations: found 0"),
        ({"configurations": 2.5}, "configurations: found 2.5, expected an integer, 1 or more"),
        ({"configurations": "2"}, "configurations: found 2, expected an integer"),
        ({"seed": -1}, "seed: found -1, expected an integer, 0 or more"),
        ({"start": "well"}, r"start: found 'well', .*did you mean 'wells'"),
        ({"convexity": -1.0}, "convexity: found -1"),
        ({"slope": 1.0}, "slope: found 1"),
        ({"iterations": 0}, "iterations: found 0"),
        ({"gamma": 0.0}, "gamma: found 0"),
        ({"boltzmann_constant": -1.0}, "boltzmann_constant: found -1"),
    ):
        with pytest.raises(InputError, match=message):
            LandscapeModel(**parameters).fit(X, T, F)
    with pytest.raises(InputError, match="start: found wells"):
        LandscapeModel(2, start="wells").fit(plane.points, [1.0], plane.free_energies)


def test_a_convex_landscape_has_no_bifurcation():
    model = LandscapeModel(1, iterations=60).fit(X, T, T[:, None] * X**2)
    with pytest.raises(NotFoundError, match=r"no bifurcation point .* x = -1.6 to 1.6 and T = 1.2 to 2.8"):
        model.critical_point()


def test_a_density_far_from_the_networks_does_not_overflow(monkeypatch):
    """ln(q / p) of thousands, where e^delta has no number: the other form of p f(delta) is taken."""
    x, t = np.linspace(-1, 1, 15), np.array([1.0, 2.0])
    given = LandscapeModel(2, start="random", unit_check=False).problem(
        x, t, 4000 * x**4 * np.ones((2, 1)), None, None, None, t
    )
    objective = Objective(given.network, given.landscape, Weights())
    parameters = given.network.initial(0).numpy()
    value, gradient = objective.value_and_gradient(parameters)
    assert 0 < value < np.log(2)  # the most that a divergence of Jensen and Shannon can be
    assert np.all(np.isfinite(gradient))
    # where both forms have numbers they agree
    near = LandscapeModel(2, start="random").problem(x, t, 40 * x**4 * np.ones((2, 1)), None, None, None, t)
    objective = Objective(near.network, near.landscape, Weights())
    plain = objective.value_and_gradient(parameters)
    monkeypatch.setattr("zenn.landscape.losses._FAR", 18.0)
    other = objective.value_and_gradient(parameters)
    assert other[0] == pytest.approx(plain[0], rel=1e-7)
    np.testing.assert_allclose(other[1], plain[1], atol=1e-7 * np.abs(plain[1]).max())


def test_the_network_is_that_of_the_datas_units(fitted):
    network = fitted.surface.network
    assert isinstance(network, Zenn)
    assert network.boltzmann_constant == 1.0
    assert network.energy_scale == pytest.approx(np.ptp(F, axis=1).max())
    assert network.entropy_scale == pytest.approx(network.energy_scale / 2.8)
