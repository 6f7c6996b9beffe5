"""Critical points and branches against closed forms, and a network's derivatives against autograd."""

import numpy as np
import pytest
import torch

from zenn import taylor
from zenn.errors import InputError, NotFoundError
from zenn.landscape.branches import (
    count_zero_crossings,
    equal_depth_temperature,
    stationary_branches,
    stationary_points,
    zero_curvature_lines,
    zero_curvature_points,
    zero_curvature_temperatures,
)
from zenn.landscape.critical import (
    bifurcation_point,
    critical_points,
    zero_eigenvalue_point,
    zero_eigenvalue_points,
)
from zenn.landscape.landscapes import bifurcation_derivatives, bifurcation_energy
from zenn.landscape.networks import Scaling, Zenn
from zenn.landscape.surface import ExactBifurcation, NetworkSurface, SeriesSurface

WINDOW, TEMPERATURES = (-1.5, 1.4), (0.9, 3.1)  # not symmetric: x = 0 is on no grid
EXACT = ExactBifurcation()


def multiply(*factors):
    product = factors[0]
    for factor in factors[1:]:
        product = taylor.multiply(product, factor)
    return product


def landau(inputs):
    """T x^2 / 2 - x^4 / 4 + x^6 / 6: folds at T = 1/4, x^2 = 1/2; minima of one depth at T = 3/16."""
    x, T = inputs[:, 0], inputs[:, 1]
    return multiply(T, x, x) / 2 - multiply(x, x, x, x) / 4 + multiply(x, x, x, x, x, x) / 6


def saddle_node(inputs):
    """x^3 / 3 - (T - 1) x + (y - x)^2: stationary at x = y = +-sqrt(T - 1), which meet at T = 1."""
    x, y, T = inputs[:, 0], inputs[:, 1], inputs[:, 2]
    return multiply(x, x, x) / 3 - multiply(T, x) + x + multiply(y - x, y - x)


def van_der_waals(inputs):
    """Reduced: F = -8/3 T ln(3 v - 1) - 3 / v; critical at v = T = P = 1."""
    v, T = inputs[:, 0], inputs[:, 1]
    one = torch.zeros_like(v)
    one[0] = 1
    return -8 / 3 * multiply(T, taylor.logarithm(3 * v - one)) - 3 * taylor.divide(one, v)


@pytest.fixture(scope="module")
def network():
    made = Zenn(Scaling.of(((-2.0, 1.0), (0.5, 3.0))), 3, 1.0, 1.5)
    return NetworkSurface(made, made.initial(4), pressure=0.3)


def test_exact_surface_is_the_benchmark():
    x, T = np.linspace(-1.5, 1.5, 7), np.linspace(1, 3, 7)
    for k in (1.0, 8.6e-5):
        found = ExactBifurcation(k).derivatives(x, T, 4)
        np.testing.assert_allclose(found[0], bifurcation_energy(x, T, k), rtol=1e-13)
        np.testing.assert_allclose(found[1:4], bifurcation_derivatives(x, T, k), atol=1e-13 * k)
        of_T = ExactBifurcation(k).temperature_derivatives(x, T, 3)
        np.testing.assert_allclose(of_T[2], k * (3 * x**2 + 2 * T - 2), atol=1e-13 * k)


def test_network_derivatives_match_autograd(network):
    x, T = np.array([-1.2, 0.1, 0.7]), np.array([0.8, 2.0, 2.7])
    found = network.expansion(x[:, None], T, 3)

    def energy(z):
        return network.series(z[None, :, None])[0, 0]

    for i, z in enumerate(torch.tensor(np.stack([x, T], axis=1))):
        hessian = torch.func.hessian(energy)
        np.testing.assert_allclose(found.free_energy[i], energy(z), atol=1e-14)
        np.testing.assert_allclose(found.gradient[i], torch.func.grad(energy)(z), atol=1e-13)
        np.testing.assert_allclose(found.hessian[i], hessian(z), atol=1e-13)
        np.testing.assert_allclose(found.third[i], torch.func.jacfwd(hessian)(z), atol=1e-13)
    along, of_T = network.derivatives(x, T, 4), network.temperature_derivatives(x, T, 2)
    np.testing.assert_allclose(along[3], found.third[:, 0, 0, 0], atol=1e-13)
    np.testing.assert_allclose(of_T[2], found.third[:, 0, 0, 1], atol=1e-13)
    step = 1e-5
    difference = network.derivatives(x + step, T, 3)[3] - network.derivatives(x - step, T, 3)[3]
    np.testing.assert_allclose(along[4], difference / (2 * step), atol=1e-8)


def test_pressure_tilts_the_slope_only(network):
    without = NetworkSurface(network.network, network.parameters)
    change = network.derivatives([0.2], [1.0], 3) - without.derivatives([0.2], [1.0], 3)
    np.testing.assert_allclose(change[:, 0], [0.06, 0.3, 0, 0], atol=1e-15)


def test_derivatives_in_two_dimensions_have_their_places():
    x = np.array([[0.3, -0.4]])
    found = SeriesSurface(saddle_node, 2).expansion(x, [1.7], 3)
    np.testing.assert_allclose(found.gradient[0], [0.09 - 0.7 + 1.4, -1.4, -0.3], atol=1e-14)
    np.testing.assert_allclose(found.hessian[0], [[2.6, -2, -1], [-2, 2, 0], [-1, 0, 0]], atol=1e-13)
    expected = np.zeros((3, 3, 3))
    expected[0, 0, 0] = 2
    np.testing.assert_allclose(found.third[0], expected, atol=1e-13)


@pytest.mark.parametrize("k", [1.0, 8.617333262e-5])
def test_bifurcation_point(k):
    point = bifurcation_point(ExactBifurcation(k), WINDOW, TEMPERATURES)
    assert point.temperature == pytest.approx(2, abs=1e-9)
    assert point.x == pytest.approx(0, abs=1e-9)
    assert point.fourth == pytest.approx(12 * k)
    assert max(map(abs, point.residuals)) < 1e-10


def test_van_der_waals_critical_point_and_its_pressure():
    surface = SeriesSurface(van_der_waals)
    (point,) = critical_points(surface, (0.5, 3.0), (0.8, 1.2))
    assert (point.temperature, point.x, -point.slope) == pytest.approx((1, 1, 1), abs=1e-9)


def test_no_bifurcation_names_the_windows():
    with pytest.raises(NotFoundError, match=r"x = -1.5 to 1.4 and T = 2.3 to 3.1"):
        bifurcation_point(EXACT, WINDOW, (2.3, 3.1))
    with pytest.raises(NotFoundError, match=r"Eq. 19.*T = 2.3 to 3.1"):
        zero_eigenvalue_point(EXACT, [WINDOW], (2.3, 3.1))


def test_eq_19_at_a_pitchfork_is_singular_and_solved():
    (point,) = zero_eigenvalue_points(EXACT, [WINDOW], TEMPERATURES)
    assert point.temperature == pytest.approx(2, abs=1e-6)
    assert point.x[0] == pytest.approx(0, abs=1e-3)
    assert point.singular
    assert point.residual < 1e-12


def test_eq_19_at_folds_is_regular():
    points = zero_eigenvalue_points(SeriesSurface(landau), [(-1.6, 1.5)], (0.1, 0.4))
    assert [p.temperature for p in points] == pytest.approx([0.25, 0.25], abs=1e-10)
    assert sorted(p.x[0] for p in points) == pytest.approx([-(0.5**0.5), 0.5**0.5], abs=1e-10)
    assert not any(p.singular for p in points)


def test_eq_19_in_two_dimensions():
    (point,) = zero_eigenvalue_points(SeriesSurface(saddle_node, 2), [(-1.5, 1.3), (-2, 1)], (0.5, 2.0))
    assert point.temperature == pytest.approx(1, abs=1e-10)
    np.testing.assert_allclose(point.x, 0, atol=1e-10)
    np.testing.assert_allclose(point.direction, [0.5**0.5] * 2, atol=1e-10)
    assert not point.singular
    assert point.iterations < 15


def test_stationary_points_and_stability():
    T = [1.0, 1.5, 1.9999, 2.5]
    for t, found in zip(T, stationary_points(EXACT, T, WINDOW), strict=True):
        expected = [0.0] if t > 2 else [-np.sqrt(2 - t), 0, np.sqrt(2 - t)]
        np.testing.assert_allclose(found.x, expected, atol=1e-10)
        assert found.stable.tolist() == ([True] if t > 2 else [True, False, True])


def test_branches_pass_the_pitchfork():
    branches = stationary_branches(EXACT, np.linspace(1, 3, 21), WINDOW)
    assert len(branches) == 2
    straight, wells = sorted(branches, key=lambda branch: np.ptp(branch.x))
    np.testing.assert_allclose(straight.x, 0, atol=1e-12)
    np.testing.assert_allclose(sorted(straight.temperatures[[0, -1]]), [1, 3])
    away = np.abs(straight.temperatures - 2) > 1e-6
    np.testing.assert_array_equal(straight.stable[away], straight.temperatures[away] > 2)
    np.testing.assert_allclose(straight.changes, [[0, 2]], atol=1e-5)
    np.testing.assert_allclose(wells.temperatures, 2 - wells.x**2, atol=1e-9)
    np.testing.assert_allclose(sorted(wells.x[[0, -1]]), [-1, 1])


def test_branches_pass_folds():
    branches = stationary_branches(SeriesSurface(landau), np.linspace(-0.5, 0.5, 21), (-1.6, 1.5))
    assert len(branches) == 2
    curve = max(branches, key=lambda branch: np.ptp(branch.x))
    np.testing.assert_allclose(curve.temperatures, curve.x**2 - curve.x**4, atol=1e-9)
    np.testing.assert_allclose(np.sort(curve.changes[:, 0])[[0, -1]], [-(0.5**0.5), 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(curve.changes[[0, -1], 1], 0.25, atol=1e-9)


def test_zero_line_of_the_curvature():
    (line,) = zero_curvature_lines(EXACT, np.linspace(1, 3, 21), WINDOW)
    np.testing.assert_allclose(line.temperatures, 2 - 3 * line.x**2, atol=1e-12)
    x = np.array([-0.5, 0.1, 0.4])
    found = zero_curvature_temperatures(EXACT, [*x, 1.2], (1.0, 3.0))
    np.testing.assert_allclose(np.concatenate(found), 2 - 3 * x**2, atol=1e-12)
    (roots,) = zero_curvature_points(EXACT, [2 - 3e-6], WINDOW)  # far closer than the marks
    np.testing.assert_allclose(roots, [-1e-3, 1e-3], rtol=1e-9)


def test_zero_crossings():
    assert count_zero_crossings(EXACT, [1, 1.5, 2.5, 3], WINDOW).tolist() == [2, 2, 0, 0]


def test_equal_depth_within_a_narrow_range_of_temperatures():
    """Two minima coexist over 0.03 in T only, less than a step of the scan: x^4/4 - x^2/10 + 2 (T - T0) x."""
    T0 = 1.013

    def tilted(inputs):
        x, T = inputs[:, 0], inputs[:, 1]
        square = taylor.multiply(x, x)
        shift = torch.zeros_like(T)
        shift[0] = T0
        return taylor.multiply(square, square) / 4 - square / 10 + 2 * taylor.multiply(x, T - shift)

    T, low, high = equal_depth_temperature(SeriesSurface(tilted), (-1.5, 1.5), (0.05, 3.0))
    assert pytest.approx(T0, abs=1e-11) == T
    assert (low, high) == pytest.approx((-np.sqrt(0.2), np.sqrt(0.2)))


def test_equal_depth():
    T, low, high = equal_depth_temperature(SeriesSurface(landau), (-0.5, 1.6), (0.05, 0.24))
    assert (T, low, high) == pytest.approx((3 / 16, 0, 0.75**0.5), abs=1e-12)
    with pytest.raises(NotFoundError, match="equal depth"):
        equal_depth_temperature(EXACT, WINDOW, (1.0, 3.0))


def test_unusable_requests():
    plane = SeriesSurface(saddle_node, 2)
    with pytest.raises(InputError, match="one coordinate"):
        bifurcation_point(plane, WINDOW, TEMPERATURES)
    with pytest.raises(InputError, match="low < high"):
        bifurcation_point(EXACT, (1.0, -1.0), TEMPERATURES)
    with pytest.raises(InputError, match="windows"):
        zero_eigenvalue_points(plane, [WINDOW], TEMPERATURES)
    made = Zenn(Scaling.of(((-2.0, 1.0), (0.5, 3.0))), 3, 1.0, 1.5)
    with pytest.raises(InputError, match="parameters"):
        NetworkSurface(made, torch.zeros(3))


def test_equal_depth_in_any_units():
    """In joule and metre, where the entries of the Jacobian differ by thirty orders of magnitude."""
    energy, length, kelvin = 4e-21, 1e-10, 300.0

    def in_units(inputs):
        x, T = inputs[:, 0] / length, inputs[:, 1] / kelvin
        return energy * landau(torch.stack([x, T], dim=1))

    window, temperatures = (-0.5 * length, 1.6 * length), (0.05 * kelvin, 0.24 * kelvin)
    T, low, high = equal_depth_temperature(SeriesSurface(in_units), window, temperatures)
    assert kelvin * 3 / 16 == pytest.approx(T, rel=1e-12)
    assert (low / length, high / length) == pytest.approx((0, 0.75**0.5), abs=1e-11)
