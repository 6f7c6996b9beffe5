import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from zenn import zentropy
from zenn.errors import InputError

MIXTURE_FUNCTIONS = [
    zentropy.log_weights,
    zentropy.log_partition_function,
    zentropy.log_probabilities,
    zentropy.probabilities,
    zentropy.helmholtz_energy,
]
finite = st.floats(-5, 5, allow_subnormal=False)
positive = st.floats(0.05, 5)


@st.composite
def mixtures(draw):
    """Energies, entropies, temperature and the keyword arguments of a random mixture."""
    size = draw(st.integers(1, 6))
    energies = draw(arrays(float, size, elements=finite))
    entropies = draw(arrays(float, size, elements=st.floats(0, 5, allow_subnormal=False)))
    degeneracies = draw(arrays(float, size, elements=st.integers(1, 24).map(float)))
    gamma = draw(positive | st.just(math.inf))
    return (
        energies,
        entropies,
        draw(positive),
        {"degeneracies": degeneracies, "k_B": draw(positive), "gamma": gamma},
    )


def random_mixture(rng, shape=(7,)):
    return rng.normal(size=shape), rng.uniform(0, 3, size=shape), rng.uniform(0.3, 2, size=shape[:-1])


@given(mixtures())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_free_energy_differs_from_log_Z_by_the_entropy_fluctuation(mixture):
    E, S, T, options = mixture
    k_B, gamma = options["k_B"], options["gamma"]
    F = zentropy.helmholtz_energy(E, S, T, **options)
    p = zentropy.probabilities(E, S, T, **options)
    left = F + k_B * T * zentropy.log_partition_function(E, S, T, **options)
    fluctuation = k_B * T * (S / (gamma * k_B)) ** 2
    scale = 1 + np.abs(E).max() + T * S.max() + fluctuation.max()
    assert left == pytest.approx(-np.sum(p * fluctuation), rel=0, abs=1e-12 * scale)


@given(mixtures())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_free_energy_is_energy_minus_T_entropy(mixture):
    E, S, T, options = mixture
    F = zentropy.helmholtz_energy(E, S, T, **options)
    p = zentropy.probabilities(E, S, T, **options)
    total = zentropy.entropy(p, S, degeneracies=options["degeneracies"], k_B=options["k_B"])
    assert p.sum() == pytest.approx(1, rel=1e-13, abs=0)
    assert zentropy.energy(p, E) - T * total == pytest.approx(F, rel=1e-11, abs=1e-11)


@given(mixtures(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_order_of_configurations_does_not_matter(mixture, random):
    E, S, T, options = mixture
    order = random.sample(range(len(E)), len(E))
    shuffled = {**options, "degeneracies": options["degeneracies"][order]}
    np.testing.assert_allclose(
        zentropy.log_probabilities(E[order], S[order], T, **shuffled),
        zentropy.log_probabilities(E, S, T, **options)[order],
        rtol=1e-12,
        atol=1e-12,
    )


@given(mixtures())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_degenerate_level_equals_its_members(mixture):
    E, S, T, options = mixture
    g = options["degeneracies"].astype(int)
    single = {**options, "degeneracies": None}
    members = np.repeat(E, g), np.repeat(S, g), T
    level = zentropy.probabilities(E, S, T, **options)
    np.testing.assert_allclose(
        zentropy.probabilities(*members, **single), np.repeat(level / g, g), rtol=1e-11
    )
    for function in (zentropy.helmholtz_energy, zentropy.log_partition_function):
        assert function(*members, **single) == pytest.approx(
            function(E, S, T, **options), rel=1e-11, abs=1e-11
        )
    k_B = options["k_B"]
    assert zentropy.configurational_entropy(
        zentropy.probabilities(*members, **single), k_B=k_B
    ) == pytest.approx(zentropy.configurational_entropy(level, degeneracies=g, k_B=k_B), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_eq_6_maximises_the_entropy_of_eq_2(seed):
    rng = np.random.default_rng(seed)
    k_B, gamma = 0.7, 2.5
    E, S, T = random_mixture(rng)
    p = zentropy.probabilities(E, S, T, k_B=k_B, gamma=gamma)
    constraints = np.stack([np.ones_like(E), E, S**2])
    found = minimize(
        lambda q: -zentropy.entropy(q, S, k_B=k_B),
        rng.dirichlet(np.ones_like(E)),
        jac=lambda q: k_B * (np.log(q) + 1) - S,
        method="SLSQP",
        bounds=[(1e-9, 1)] * len(E),
        constraints={
            "type": "eq",
            "fun": lambda q: constraints @ q - constraints @ p,
            "jac": lambda q: constraints,
        },
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert found.success
    np.testing.assert_allclose(found.x, p, atol=2e-6)


def test_low_temperature_limit_is_the_value_at_zero():
    E, S, g = np.array([0.0, 0.0, 1e-3, 4.0]), np.array([0.5, 2.0, 9.0, 0.1]), np.array([3, 1, 5, 7])
    options = {"degeneracies": g, "k_B": 2.0, "gamma": 1.5}
    share = g[:2] * np.exp(S[:2] / 2 - (S[:2] / 3) ** 2)
    expected = np.append(share / share.sum(), [0, 0])
    for T in (0.0, 1e-320, 1e-200, 1e-100, 1e-7):
        np.testing.assert_allclose(zentropy.probabilities(E, S, T, **options), expected, rtol=1e-14)
    assert zentropy.helmholtz_energy(E + 3, S, 0.0, **options) == 3
    assert zentropy.log_partition_function(E, S, 0.0, **options) == pytest.approx(np.log(share.sum()))
    assert zentropy.log_partition_function(E + 3, S, 0.0, **options) == -np.inf
    assert zentropy.log_partition_function(E - 3, S, 0.0, **options) == np.inf


def test_high_temperature_limit_forgets_the_energies():
    E, S, g = np.array([0.0, 50.0, -7.0]), np.array([0.5, 2.0, 1.0]), np.array([3, 1, 5])
    weights = g * np.exp(S - (S / 2) ** 2)
    p = zentropy.probabilities(E, S, 1e15, degeneracies=g, gamma=2.0)
    np.testing.assert_allclose(p, weights / weights.sum(), rtol=1e-12)


def test_large_gamma_gives_minus_kT_log_Z():
    E, S, T = random_mixture(np.random.default_rng(0))
    limit = zentropy.helmholtz_energy(E, S, T)
    assert limit == pytest.approx(-T * zentropy.log_partition_function(E, S, T), rel=1e-13, abs=0)
    assert zentropy.helmholtz_energy(E, S, T, gamma=1e9) == pytest.approx(limit, rel=1e-14, abs=0)


def test_probabilities_are_the_exponentials_of_eq_6():
    rng = np.random.default_rng(1)
    E, S, T = random_mixture(rng)
    F = zentropy.configuration_helmholtz_energy(E, S, T)
    weights = np.exp(-F / (0.6 * T) - (S / (3 * 0.6)) ** 2)
    options = {"k_B": 0.6, "gamma": 3.0}
    np.testing.assert_allclose(
        zentropy.probabilities(E, S, T, **options), weights / weights.sum(), rtol=1e-13
    )
    np.testing.assert_allclose(zentropy.log_weights(E, S, T, **options), np.log(weights), rtol=1e-13)
    assert zentropy.log_partition_function(E, S, T, **options) == pytest.approx(np.log(weights.sum()))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("function", MIXTURE_FUNCTIONS)
def test_torch_equals_numpy(function, dtype):
    E, S, T = random_mixture(np.random.default_rng(2), (5, 4))
    options = {"degeneracies": [1, 2, 3, 4], "k_B": 0.5, "gamma": 3.0}
    tensors = [torch.tensor(x, dtype=dtype) for x in (E, S, T)]
    result = function(*tensors, **options)
    assert result.dtype == dtype
    tolerance = 1e-13 if dtype == torch.float64 else 2e-5
    np.testing.assert_allclose(result.numpy(), function(E, S, T, **options), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("namespace", [np.asarray, torch.asarray])
def test_configurations_may_lie_on_any_axis(axis, namespace):
    E, S, T = random_mixture(np.random.default_rng(3), (2, 3, 4))
    moved = [namespace(np.moveaxis(x, -1, axis)) for x in (E, S)]
    for function in MIXTURE_FUNCTIONS:
        expected = function(E, S, T, degeneracies=[1, 2, 3, 4], gamma=2.0)
        result = function(*moved, namespace(T), degeneracies=[1, 2, 3, 4], gamma=2.0, axis=axis)
        if expected.ndim == 3:
            expected = np.moveaxis(expected, -1, axis)
        np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-13)
    p = zentropy.probabilities(E, S, T)
    moved_p = namespace(np.moveaxis(p, -1, axis))
    options = {"degeneracies": [1, 2, 3, 4]}
    np.testing.assert_allclose(
        np.asarray(zentropy.entropy(moved_p, moved[1], axis=axis, **options)),
        zentropy.entropy(p, S, **options),
        rtol=1e-13,
    )


def test_batch_axes_broadcast():
    E, S, _ = random_mixture(np.random.default_rng(4), (3, 4))
    T = np.array([[0.5], [1.0]])
    together = zentropy.probabilities(E, S, T)
    assert together.shape == (2, 3, 4)
    np.testing.assert_array_equal(together[1, 2], zentropy.probabilities(E[2], S[2], 1.0))
    assert zentropy.probabilities(E.T, S.T, T, axis=0).shape == (4, 2, 3)
    assert zentropy.helmholtz_energy(E, 0.0, 1).shape == (3,)


@pytest.mark.parametrize("function", [*MIXTURE_FUNCTIONS, zentropy.configuration_helmholtz_energy])
def test_gradients(function):
    rng = np.random.default_rng(5)
    E, S, T = (torch.tensor(x, requires_grad=True) for x in random_mixture(rng, (2, 3)))
    options = {}
    if function is not zentropy.configuration_helmholtz_energy:
        options = {"degeneracies": [1, 2, 6], "k_B": 0.8, "gamma": 2.0}
    assert torch.autograd.gradcheck(lambda *x: function(*x, **options), (E, S, T))
    assert torch.autograd.gradgradcheck(lambda *x: function(*x, **options), (E, S, T))


@pytest.mark.parametrize("temperature", [0.0, 1e-310, 1e-160, 1e-150, 1e-30, 1e-3, 1.0, 1e10])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_gradients_are_finite_when_cold_and_with_an_absent_configuration(temperature, dtype):
    E = torch.tensor([0.0, 0.3, math.inf, 2.0], dtype=dtype, requires_grad=True)
    S = torch.tensor([0.4, 0.1, 0.7, 0.0], dtype=dtype, requires_grad=True)
    T = torch.tensor(temperature, dtype=dtype, requires_grad=True)
    options = {"degeneracies": [1, 2, 3, 4], "gamma": 3.0}
    p = zentropy.probabilities(E, S, T, **options)
    F = zentropy.helmholtz_energy(E, S, T, **options)
    total = zentropy.entropy(p, S, degeneracies=options["degeneracies"])
    log_p = zentropy.log_probabilities(E, S, T, **options)
    for value in (F, total, zentropy.energy(p, E), p[1], log_p[0]):
        gradients = torch.autograd.grad(value, (E, S, T), retain_graph=True, allow_unused=True)
        assert torch.isfinite(value)
        assert all(torch.isfinite(g).all() for g in gradients if g is not None)
    assert p[2] == 0


def test_vmap_and_function_transforms():
    E, S, T = (torch.tensor(x) for x in random_mixture(np.random.default_rng(6), (5, 3)))
    mapped = torch.vmap(zentropy.helmholtz_energy)(E, S, T)
    torch.testing.assert_close(mapped, zentropy.helmholtz_energy(E, S, T))
    entropy = -torch.vmap(torch.func.grad(zentropy.helmholtz_energy, argnums=2))(E, S, T)
    torch.testing.assert_close(entropy, zentropy.entropy(zentropy.probabilities(E, S, T), S))


@pytest.mark.parametrize("namespace", [np.asarray, torch.asarray])
@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"energies": [0.0, math.nan]}, "energies"),
        ({"energies": [0.0, -math.inf]}, "energies"),
        ({"energies": [math.inf, math.inf]}, "energies"),
        ({"entropies": [0.0, math.nan]}, "entropies"),
        ({"entropies": [0.0, math.inf]}, "entropies"),
        ({"entropies": [0.0, 0.0, 0.0]}, r"entropies \(3,\)"),
        ({"degeneracies": [1, 0]}, "degeneracies"),
        ({"degeneracies": [1, math.nan]}, "degeneracies"),
        ({"degeneracies": [1, 2, 3]}, r"degeneracies \(3,\)"),
        ({"k_B": 0.0}, "k_B"),
        ({"k_B": math.inf}, "k_B"),
        ({"k_B": math.nan}, "k_B"),
        ({"gamma": 0.0}, "gamma"),
        ({"gamma": -1.0}, "gamma"),
    ],
)
def test_unusable_arguments(change, name, namespace):
    good = {"energies": [0.0, 1.0], "entropies": [0.0, 1.0], "temperature": 1.0}
    given_arguments = {**good, **change}
    for key in ("energies", "entropies"):
        given_arguments[key] = namespace(given_arguments[key])
    for function in MIXTURE_FUNCTIONS:
        with pytest.raises(InputError, match=name):
            function(**given_arguments)


def test_arrays_of_two_libraries_are_refused():
    with pytest.raises(InputError, match="not both"):
        zentropy.probabilities(np.zeros(2), torch.zeros(2), 1.0)
    with pytest.raises(InputError, match="probabilities"):
        zentropy.entropy(np.array([1.5, -0.5]), np.zeros(2))


def test_integers_are_taken_as_numbers():
    expected = zentropy.probabilities(np.array([0.0, 1.0]), np.zeros(2), 2.0)
    np.testing.assert_array_equal(zentropy.probabilities(np.array([0, 1]), np.array([0, 0]), 2), expected)
    result = zentropy.probabilities(torch.tensor([0, 1]), torch.tensor([0, 0]), 2)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-15)


def test_importing_the_room_does_not_import_torch():
    command = "import sys, zenn.zentropy; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
