"""Isobars of surfaces whose stable x is known, and windows in which it falls on heating."""

import numpy as np
import pytest
import torch

from tests.materials.conftest import TABLE_S1, made_of
from zenn import taylor, zentropy
from zenn.errors import InputError
from zenn.given import Given
from zenn.landscape import thermal
from zenn.landscape.isobars import expansion_slopes, isobar, negative_expansion
from zenn.landscape.networks import Scaling, Zenn, inputs_along
from zenn.landscape.surface import ExactBifurcation, NetworkSurface, SeriesSurface
from zenn.materials.configurations import read_configurations
from zenn.materials.helmholtz import derivatives
from zenn.materials.steps import helmholtz_grid


def wavy(inputs, height=1.0):
    """(x - g(T))^2 / 2 with g = T^3 / 3 - T, times a height: the stable x falls where |T| < 1."""
    x, T = inputs[:, 0], inputs[:, 1]
    g = height * (taylor.multiply(taylor.multiply(T, T), T) / 3 - T)
    return taylor.multiply(x - g, x - g) / 2


def test_isobar_and_its_turning_points():
    surface, T = SeriesSurface(wavy), np.linspace(0.2, 2.0, 10)
    x = isobar(surface, T, (-1.5, 1.5))
    np.testing.assert_allclose(x, T**3 / 3 - T, atol=1e-14)
    np.testing.assert_allclose(expansion_slopes(surface, x, T), T**2 - 1, atol=1e-13)
    (window,) = negative_expansion(surface, T, x, (-1.5, 1.5))
    assert window.low == 0.2  # where the isobar begins
    assert window.high == pytest.approx(1.0, abs=1e-12)
    assert negative_expansion(surface, T[5:], x[5:], (-1.5, 1.5)) == ()


def test_turning_point_of_an_expansion_near_rounding():
    """Newton's matrix is singular to rounding, as in the cold, where expansion is exponentially small."""
    surface, T = SeriesSurface(lambda inputs: wavy(inputs, 4e-15)), np.linspace(0.2, 2.0, 10)
    (window,) = negative_expansion(surface, T, isobar(surface, T, (-1.5, 1.6)), (-1.5, 1.6))
    assert window.high == pytest.approx(1.0, abs=0.05)  # 2e-16, the rounding of F_xT, over its slope in T


def test_the_lowest_minimum_is_the_stable_one():
    """The benchmark tilted by a pressure: the well on one side is lower; at zero pressure F is symmetric."""
    network = Zenn(Scaling((0.0, 0.0), (1.0, 1.0)), 1, 1.0, 5.0)
    assert NetworkSurface(network, torch.zeros(network.size), 0.0).pressure == 0

    def tilted(inputs):
        return ExactBifurcation().series(inputs) + 0.05 * inputs[:, 0]

    (x,) = isobar(SeriesSurface(tilted), [1.2], (-2.0, 2.0))
    assert x < -0.8
    assert np.isnan(isobar(SeriesSurface(lambda inputs: inputs[:, 0]), [1.0], (0.0, 1.0))).all()


def test_a_jump_is_no_expansion():
    """The tilt changes sign at T = 1, where the stable x jumps; on either side it falls by little."""

    def turning(inputs):
        x, T = inputs[:, 0], inputs[:, 1]
        square = taylor.multiply(x, x)
        wells = taylor.multiply(square, square) / 4 - square / 2
        return wells + 0.1 * taylor.multiply(x, T - torch.tensor([[1.0]] + [[0.0]] * (len(T) - 1)))

    T = np.linspace(0.5, 1.45, 20)
    x = isobar(SeriesSurface(turning), T, (-2.0, 2.0))
    assert x[0] > 0.9
    assert x[-1] < -0.9
    windows = negative_expansion(SeriesSurface(turning), T, x, (-2.0, 2.0))
    assert [window.high - window.low for window in windows] == pytest.approx([0.5, 0.4], abs=0.051)


def test_bad_isobars():
    with pytest.raises(InputError, match="two vectors of one length"):
        negative_expansion(SeriesSurface(wavy), [1.0, 2.0], [0.0], (-1, 1))
    with pytest.raises(InputError, match="low < high"):
        isobar(SeriesSurface(wavy), [1.0], (1.0, -1.0))


def test_constants_and_entropy_of_data_with_any_constant_per_temperature():
    """The surface lacks c(T) of the data; -dF/dT of data and of surface with c(T) agree."""
    surface, x, T = ExactBifurcation(), np.linspace(-1, 1, 9), np.linspace(1, 3, 12)
    of = surface.derivatives(np.tile(x, 12), np.repeat(T, 9), 0)[0].reshape(12, 9)
    c = thermal.constants(surface, x, np.ones(9), T, of + 0.3 * T[:, None] ** 3 - T[:, None])
    at = np.linspace(1.1, 2.9, 7)
    np.testing.assert_allclose(c(at), 0.3 * at**3 - at, atol=1e-12)
    h = 1e-5
    F = [surface.derivatives(0.4, at + s * h, 0)[0] + 0.3 * (at + s * h) ** 3 - (at + s * h) for s in (-1, 1)]
    np.testing.assert_allclose(thermal.entropy(surface, c, 0.4, at), (F[0] - F[1]) / (2 * h), atol=1e-8)


def test_configurations_against_zentropy():
    network = Zenn(Scaling((0.0, 2.0), (1.0, 1.0)), 3, 0.5, 4.0)
    theta, x, T = network.initial(3).numpy(), np.linspace(-1, 1, 5), 1.7
    found = thermal.ConfigurationValues(network, theta, x, T)
    p = zentropy.probabilities(found.energies, found.entropies, T, k_B=0.5, gamma=4.0, axis=0)
    np.testing.assert_allclose(found.probabilities, p, atol=1e-14)
    S = zentropy.entropy(found.probabilities, found.entropies, k_B=0.5, axis=0)
    np.testing.assert_allclose(found.total_entropy, S, atol=1e-13)
    h = 1e-4
    near = [thermal.ConfigurationValues(network, theta, x + s * h, T).free_energies for s in (-1, 0, 1)]
    np.testing.assert_allclose(found.curvatures, (near[0] - 2 * near[1] + near[2]) / h**2, atol=1e-6)
    inputs = inputs_along(torch.tensor(x)[:, None], torch.full((5,), T))
    F = network.series(torch.tensor(theta), inputs)[0].numpy()
    np.testing.assert_allclose(
        F, (p * found.free_energies).sum(0) + 0.5 * T * (p * np.log(p)).sum(0), atol=1e-13
    )


def test_the_table_of_fe3pt(tmp_path):
    params = {
        "material": {
            "atoms_in_cell": 12, "mean_atomic_mass": 90.65475, "debye_scaling": 0.617, "grueneisen_x": 2 / 3,
        },
        "helmholtz_grid": {
            "volume_window": [12.2, 13.7], "temperature_window": [5, 600], "volumes": 9, "temperatures": 4,
            "test_volumes": 8, "test_temperatures": 3,
        },
    }  # fmt: skip
    helmholtz_grid.run(Given(params), {"configurations": TABLE_S1}, tmp_path)
    table = np.genfromtxt(tmp_path / "training.csv", delimiter=",", names=True)
    assert len(table) == 36
    assert table["weight_A3_per_atom"][:9].sum() == pytest.approx(1.5)
    row = table[20]
    V, T = row["volume_A3_per_atom"], row["temperature_K"]
    material, h = made_of(read_configurations(TABLE_S1, atoms=12)), 1e-3
    F = [derivatives(material, V, T + s * h, order=2).F for s in (-1, 1)]
    assert row["entropy_eV_per_K_per_atom"] == pytest.approx((F[0] - F[1]) / (2 * h), rel=1e-6)
    F = [derivatives(material, V + s * h, T, order=2).F for s in (-1, 1)]
    assert row["helmholtz_V_eV_per_A3"] == pytest.approx((F[1] - F[0]) / (2 * h), rel=1e-4)
