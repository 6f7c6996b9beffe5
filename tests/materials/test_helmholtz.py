import mpmath
import numpy as np
import pytest

from zenn import zentropy
from zenn.errors import InputError
from zenn.materials import debye, eos, helmholtz, thermodynamics
from zenn.materials.constants import BOLTZMANN, GPA_PER_EV_PER_A3

ATOMS = 12
STATES = [(12.62, 164.0), (12.9, 40.0), (13.3, 600.0)]


def exact_free_energy(table, V, T):
    """F in mpmath from the power form of Eq. (S2) and the Debye function in polylogarithms."""
    hbar_over_k, u = mpmath.mpf(1.054571817e-34) / mpmath.mpf(1.380649e-23), mpmath.mpf(1.66053906660e-27)
    total = 0
    for g, V0, E0, B0, slope in table:
        a = eos.birch_murnaghan_coefficients(V0, E0, B0, slope)
        static = sum(mpmath.mpf(float(c)) * V ** (-mpmath.mpf(2 * i) / 3) for i, c in enumerate(a))
        theta = 0.617 * mpmath.cbrt(6 * mpmath.pi**2) * hbar_over_k * mpmath.root(V0 * 1e-30, 6)
        theta *= mpmath.sqrt(B0 * 1e9 / (90.65475 * u)) * (V0 / V) ** ((1 + slope) / 2 - mpmath.mpf(2) / 3)
        x = theta / T
        decay = mpmath.exp(-x)
        tail = (
            3 * x**2 * mpmath.polylog(2, decay)
            + 6 * x * mpmath.polylog(3, decay)
            + 6 * mpmath.polylog(4, decay)
        )
        D = 3 / x**3 * (mpmath.pi**4 / 15 + x**3 * mpmath.log(1 - decay) - tail)
        F = static + BOLTZMANN * T * (9 * x / 8 + 3 * mpmath.log(1 - decay) - D)
        total += g * mpmath.exp(-ATOMS * F / (BOLTZMANN * T))
    return -BOLTZMANN * T / ATOMS * mpmath.log(total)


@pytest.mark.parametrize(("V", "T"), STATES)
def test_derivatives_against_thirty_digits(of_table, table_s1, V, T):
    table = table_s1[[0, 1, 22]]
    found = helmholtz.derivatives(of_table(table), V, T)
    with mpmath.workdps(30):
        for orders, value in {
            (0, 0): found.F,
            (1, 0): found.F_V,
            (2, 0): found.F_VV,
            (3, 0): found.F_VVV,
            (4, 0): found.F_VVVV,
            (0, 1): found.F_T,
            (1, 1): found.F_VT,
            (2, 1): found.F_VVT,
            (3, 1): found.F_VVVT,
            (0, 2): found.F_TT,
        }.items():
            exact = mpmath.diff(lambda v, t: exact_free_energy(table, v, t), (V, T), orders)
            assert value == pytest.approx(float(exact), rel=2e-9, abs=0), orders


def test_free_energy_is_that_of_zentropy(fe3pt):
    V, T = np.linspace(12, 13.5, 7), np.array([[1.0], [50.0], [300.0]])
    F_k = helmholtz.configuration_helmholtz_energies(fe3pt, V, T)
    rows = fe3pt.configurations
    theta = debye.debye_temperature(
        V[:, None],
        rows.equilibrium_volumes,
        rows.bulk_moduli,
        rows.bulk_modulus_derivatives,
        mean_atomic_mass=fe3pt.mean_atomic_mass,
        debye_scaling=fe3pt.debye_scaling,
        grueneisen_x=fe3pt.grueneisen_x,
    )
    S_k = debye.vibrational_entropy(theta, T[..., None])
    options = {"degeneracies": rows.degeneracies, "k_B": BOLTZMANN / ATOMS}
    T = np.broadcast_to(T, (3, 7))
    # U_k and S_k apart, or S_k folded into F_k: the same at infinite gamma
    energies = F_k + T[..., None] * S_k
    p = zentropy.probabilities(energies, S_k, T, **options)
    np.testing.assert_allclose(helmholtz.probabilities(fe3pt, V, T), p, rtol=1e-9, atol=1e-300)
    F = helmholtz.helmholtz_energy(fe3pt, V, T)
    np.testing.assert_allclose(
        F, zentropy.helmholtz_energy(energies, S_k, T, **options), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        F, -BOLTZMANN / ATOMS * T * zentropy.log_partition_function(F_k, 0, T, **options)
    )
    np.testing.assert_allclose(
        thermodynamics.entropy(fe3pt, V, T), zentropy.entropy(p, S_k, **options), rtol=1e-12
    )


def test_identities_of_the_mixture(fe3pt):
    """P = sum p P_k; C_V = T dS/dT is that of Eq. (1); F_VT by Maxwell is dS/dV."""
    V, T = 12.62, 164.0
    p = helmholtz.probabilities(fe3pt, V, T)
    step = 1e-4
    F_k = helmholtz.configuration_helmholtz_energies(fe3pt, V + step * np.array([-1, 1]), T)
    mean = -np.sum(p * (F_k[1] - F_k[0]) / (2 * step)) * GPA_PER_EV_PER_A3
    assert thermodynamics.pressure(fe3pt, V, T) == pytest.approx(mean, rel=1e-6, abs=0)
    found = helmholtz.derivatives(fe3pt, V, T)
    S = thermodynamics.entropy(fe3pt, V, T + step * np.array([-1, 1]))
    minus_F_TT = -found.F_TT
    assert minus_F_TT == pytest.approx((S[1] - S[0]) / (2 * step), rel=1e-6, abs=0)
    assert thermodynamics.bulk_modulus(fe3pt, V, T) == pytest.approx(V * found.F_VV * GPA_PER_EV_PER_A3)
    assert thermodynamics.thermal_expansion(fe3pt, V, T) == pytest.approx(-found.F_VT / (V * found.F_VV))


def test_zero_temperature_is_the_limit(fe3pt):
    for V in (12.4, 12.7, 13.1):
        zero, cold = (helmholtz.derivatives(fe3pt, V, T) for T in (0.0, 1e-7))
        ground = np.argmax(helmholtz.probabilities(fe3pt, V, 0.0))
        static = helmholtz.configuration_helmholtz_energies(fe3pt, V, 0.0)
        assert ground == np.argmin(static)
        assert float(zero.F) == static[ground]
        np.testing.assert_allclose(cold.in_volume, zero.in_volume, rtol=1e-10)
        np.testing.assert_allclose(cold.in_temperature, zero.in_temperature, rtol=1e-9, atol=1e-18)
        # third law but for the degeneracy of the ground state
        g = fe3pt.configurations.degeneracies[ground]
        entropy = thermodynamics.entropy(fe3pt, V, 0.0)
        assert entropy == pytest.approx(BOLTZMANN / ATOMS * np.log(g), abs=1e-20)
        assert zero.F_TT == 0


@pytest.mark.parametrize("T", [0.0, 1e-300, 1e-13, 1e-11, 1e-3, 1.0, 1e5])
def test_nothing_overflows(fe3pt, T):
    found = helmholtz.derivatives(fe3pt, np.linspace(9, 20, 30), T)
    for array in (found.in_volume, found.in_temperature, found.F_TT):
        assert np.all(np.isfinite(array))


def changed_tables(table):
    """Tables that describe the same material."""
    distant = np.array([[5, 12.7, 5.0, 160, 4.2]])
    split = np.repeat(table, 2, axis=0)
    split[:, 0] /= 2
    split = split[split[:, 0] >= 1]
    members = np.repeat(table, table[:, 0].astype(int), axis=0)
    members[:, 0] = 1
    return {
        "a high-energy row": np.vstack([table, distant]),
        "another order": table[np.random.default_rng(0).permutation(len(table))],
        "levels split in two": split,
        "every member by itself": members,
    }


@pytest.mark.parametrize(
    "change", ["a high-energy row", "another order", "levels split in two", "every member by itself"]
)
def test_the_same_material_in_other_words(fe3pt, of_table, table_s1, change):
    other = of_table(changed_tables(table_s1)[change])
    V, T = np.linspace(12, 13.5, 5), np.array([[1e-13], [1.0], [164.0], [600.0]])
    for order in (0, 4):
        one, two = (helmholtz.derivatives(material, V, T, order) for material in (fe3pt, other))
        np.testing.assert_allclose(two.in_volume, one.in_volume, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(two.in_temperature, one.in_temperature, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(two.F_TT, one.F_TT, rtol=1e-9, atol=1e-20)


def test_more_atoms_leave_less_mixing(of_table, table_s1):
    large = of_table(table_s1, atoms=10**7)
    lowest = helmholtz.configuration_helmholtz_energies(large, 12.9, 100.0).min()
    assert helmholtz.helmholtz_energy(large, 12.9, 100.0) == pytest.approx(lowest, abs=1e-8)


def test_shapes_and_orders(fe3pt):
    V, T = np.linspace(12, 13, 3), np.array([[1.0], [300.0]])
    found = helmholtz.derivatives(fe3pt, V, T)
    assert found.in_volume.shape == (5, 2, 3)
    assert found.in_temperature.shape == (4, 2, 3)
    assert found.F_TT.shape == (2, 3)
    assert helmholtz.probabilities(fe3pt, V, T).shape == (2, 3, 36)
    assert helmholtz.probabilities(fe3pt, V[:, None], T.T).shape == (3, 2, 36)
    for order in range(5):
        less = helmholtz.derivatives(fe3pt, V, T, order)
        np.testing.assert_allclose(less.in_volume, found.in_volume[: order + 1], rtol=1e-14)
        np.testing.assert_allclose(less.in_temperature, found.in_temperature[:order], rtol=1e-14)
    scalar = helmholtz.derivatives(fe3pt, 12.5, 300)
    assert scalar.in_volume.shape == (5,)
    np.testing.assert_allclose(scalar.in_volume, found.in_volume[:, 1, 1], rtol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        found.in_volume[0] = 0


def test_unusable_arguments(fe3pt):
    for V in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match=f"volume: found {V}"):
            helmholtz.helmholtz_energy(fe3pt, [13.0, V], 100)
    for T in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match=f"temperature: found {T}"):
            helmholtz.helmholtz_energy(fe3pt, 13, [100.0, T])
    with pytest.raises(InputError, match="broadcast"):
        helmholtz.helmholtz_energy(fe3pt, np.full(3, 13.0), np.ones(2))
    with pytest.raises(InputError, match="argument order: found 5"):
        helmholtz.derivatives(fe3pt, 13, 100, order=5)
    low = helmholtz.derivatives(fe3pt, 13, 100, order=2)
    with pytest.raises(InputError, match="found 2, expected 3 or more"):
        _ = low.F_VVV
    with pytest.raises(InputError, match="found 2, expected 3 or more"):
        _ = low.F_VVT
