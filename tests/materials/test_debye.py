import mpmath
import numpy as np
import pytest

from zenn.materials import debye
from zenn.materials.constants import BOLTZMANN


def polylogarithmic_debye_function(x):
    """Closed form with polylogarithms, in as many digits as mpmath works with at the moment."""
    decay = mpmath.exp(-x)
    terms = [
        3 * x**2 * mpmath.polylog(2, decay),
        6 * x * mpmath.polylog(3, decay),
        6 * mpmath.polylog(4, decay),
    ]
    return 3 / x**3 * (mpmath.pi**4 / 15 + x**3 * mpmath.log(1 - decay) - sum(terms))


def exact_debye_function(x):
    with mpmath.workdps(40):
        return polylogarithmic_debye_function(mpmath.mpf(x))


@pytest.mark.parametrize(
    "x", [1e-3, 0.03, 0.3, 1.0, 2.0, 2.4999, 2.5, 2.6, 4.0, 7.0, 20.0, 100.0, 800.0, 1e4]
)
def test_debye_function(x):
    assert float(debye.debye_function(x)) == pytest.approx(float(exact_debye_function(x)), rel=1e-14, abs=0)


def test_closed_form_is_the_integral():
    with mpmath.workdps(20):
        integral = mpmath.quad(lambda t: t**3 / mpmath.expm1(t), [0, 1.7])
        assert float(3 / mpmath.mpf(1.7) ** 3 * integral) == pytest.approx(
            float(exact_debye_function(1.7)), rel=1e-15, abs=0
        )


def test_ends_of_the_debye_function():
    tiny = np.array([0.0, 1e-300, 1e-12])
    np.testing.assert_allclose(debye.debye_function(tiny), 1 - 0.375 * tiny, rtol=1e-16)
    far = np.array([1e5, 1e100])
    np.testing.assert_allclose(debye.debye_function(far), np.pi**4 / 5 / far**3, rtol=1e-15)
    assert debye.debye_function(np.inf) == 0


def test_debye_temperature_in_si_units():
    hbar, k, u = 1.054571817e-34, 1.380649e-23, 1.66053906660e-27
    expected = (
        (6 * np.pi**2) ** (1 / 3) * hbar / k * (13.124e-30) ** (1 / 6) * (177.01e9 / (90.65475 * u)) ** 0.5
    )
    options = {"mean_atomic_mass": 90.65475, "debye_scaling": 0.617, "grueneisen_x": 2 / 3}
    theta = debye.debye_temperature(np.array([13.124, 12.5]), 13.124, 177.01, 3.447, **options)
    assert theta[0] == pytest.approx(0.617 * expected, rel=1e-8, abs=0)
    assert np.log(theta[1] / theta[0]) / np.log(13.124 / 12.5) == pytest.approx(
        4.447 / 2 - 2 / 3, rel=1e-13, abs=0
    )


def test_classical_and_quantum_limits():
    theta = 300.0
    assert debye.vibrational_helmholtz_energy(theta, 0) == pytest.approx(9 / 8 * BOLTZMANN * theta)
    assert debye.vibrational_entropy(theta, 0) == 0
    assert debye.vibrational_heat_capacity(theta, 0) == 0
    assert debye.vibrational_heat_capacity(theta, 1e6) == pytest.approx(3 * BOLTZMANN, rel=1e-8, abs=0)
    cubic = 12 * np.pi**4 / 5 * BOLTZMANN * (0.5 / theta) ** 3
    assert debye.vibrational_heat_capacity(theta, 0.5) == pytest.approx(cubic, rel=1e-12, abs=0)
    assert debye.vibrational_entropy(theta, 0.5) == pytest.approx(cubic / 3, rel=1e-12, abs=0)


@pytest.mark.parametrize("temperature", [3.0, 60.0, 130.0, 500.0])
def test_series_against_forty_digits(temperature):
    theta, gamma, volume = 310.0, 1.9, 12.7

    def energy(V, T):
        x = theta * (volume / V) ** mpmath.mpf(gamma) / T
        thermal = 3 * mpmath.log(1 - mpmath.exp(-x)) - polylogarithmic_debye_function(x)
        return BOLTZMANN * T * (9 * x / 8 + thermal)

    arrays = (np.array(value) for value in (volume, theta, gamma, temperature))
    found = debye.vibrational_series(*arrays, order=4)
    with mpmath.workdps(40):
        for order in range(5):
            exact = mpmath.diff(energy, (volume, temperature), (order, 0)) / mpmath.factorial(order)
            assert found.energy[order] == pytest.approx(float(exact), rel=2e-13, abs=1e-17)
        for order in range(4):
            exact = -mpmath.diff(energy, (volume, temperature), (order, 1)) / mpmath.factorial(order)
            assert found.entropy[order] == pytest.approx(float(exact), rel=1e-12, abs=1e-18)
        exact = -temperature * mpmath.diff(energy, (volume, temperature), (0, 2))
        assert found.heat_capacity == pytest.approx(float(exact), rel=1e-12, abs=1e-18)
