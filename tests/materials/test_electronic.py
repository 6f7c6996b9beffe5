import dataclasses

import mpmath
import numpy as np
import pytest
from numpy.polynomial.polynomial import polyder, polyval

from tests.materials.test_helmholtz import exact_free_energy
from zenn import taylor
from zenn.errors import InputError
from zenn.materials import electronic, fermi, helmholtz
from zenn.materials.constants import BOLTZMANN
from zenn.materials.electronic import ElectronicDensities, ElectronicTable, Electrons, read_electrons
from zenn.materials.fermi import DensityOfStates, thermal_electrons

ATOMS = 12
NAMES = ("0", "1", "2")
VOLUMES = np.array([12.2, 12.9, 13.4])
TABLE = ",".join(electronic.TABLE_HEADER)
DENSITIES = ",".join(electronic.DENSITIES_HEADER)


def uneven(seed=3, points=9):
    """A density of states of random lines, with a jump at both ends."""
    random = np.random.default_rng(seed)
    return DensityOfStates(np.sort(random.uniform(-4, 3, points)), random.uniform(0, 3, points), 0.37)


def gapped(fermi_energy=0.1):
    """States below -0.3 eV and above 0.9 eV."""
    energies = np.array([-5.0, -1.0, -0.3, 0.9, 1.2, 4.0])
    return DensityOfStates(energies, [0.0, 2.0, 0.0, 0.0, 3.0, 0.0], fermi_energy)


class Mermin:
    """The integrals themselves, by quadrature in as many digits as mpmath works with at the moment."""

    def __init__(self, density):
        self.e = [mpmath.mpf(float(e)) for e in density.energies]
        self.n = [mpmath.mpf(float(n)) for n in density.densities]
        self.fermi = mpmath.mpf(density.fermi_energy)

    def integral(self, weight, edges=()):
        total = mpmath.mpf(0)
        for a, b, n, m in zip(self.e[:-1], self.e[1:], self.n[:-1], self.n[1:], strict=True):
            marks = [a, *(edge for edge in sorted(edges) if a < edge < b), b]
            total += mpmath.quad(
                lambda x, a=a, b=b, n=n, m=m: (n * (b - x) + m * (x - a)) / (b - a) * weight(x), marks
            )
        return total

    def at(self, T):
        """mu, F - E(0) and S = (E - F) / T."""
        kT = mpmath.mpf(BOLTZMANN) * mpmath.mpf(T)
        edges = [self.fermi + k * kT for k in (-60, -25, -9, -3, 0, 3, 9, 25, 60)]
        filled = self.integral(lambda x: mpmath.mpf(x < self.fermi), [self.fermi])
        ground = self.integral(lambda x: x * (x < self.fermi), [self.fermi])

        def occupied(mu):
            return lambda x: 1 / (mpmath.exp((x - mu) / kT) + 1)

        def excess(mu):
            return self.integral(occupied(mu), edges) - filled

        mu = mpmath.findroot(excess, (self.fermi, self.fermi + kT / 9), tol=1e-40)
        omega = -kT * self.integral(lambda x: mpmath.log1p(mpmath.exp((mu - x) / kT)), edges)
        energy = self.integral(lambda x: x * occupied(mu)(x), edges)
        return mu, omega + mu * filled - ground, (energy - omega - mu * filled) / mpmath.mpf(T)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("x", [0.0, 1e-8, 0.3, 1.0, 1.4999, 1.5, 2.0, 9.0, 39.9, 40.1, 600.0])
def test_polylogarithm(order, x):
    with mpmath.workdps(30):
        exact = -mpmath.polylog(order, -mpmath.exp(-mpmath.mpf(x)))
    assert float(fermi.fermi_polylogarithm(order, x)) == pytest.approx(float(exact), rel=2e-15, abs=0)
    assert fermi.fermi_polylogarithm(order, np.inf) == 0


@pytest.mark.parametrize("T", [3.0, 300.0, 9000.0])
def test_integrals_by_quadrature(T):
    density = uneven()
    found = thermal_electrons(density, T)
    with mpmath.workdps(30):
        mu, F, S = Mermin(density).at(T)
    assert found.chemical_potential == pytest.approx(float(mu), rel=1e-15, abs=0)
    assert found.energy == pytest.approx(float(F), rel=1e-13, abs=0)
    assert found.entropy == pytest.approx(float(S), rel=1e-13, abs=0)


@pytest.mark.parametrize("T", [20.0, 700.0])
def test_entropy_and_heat_capacity_are_derivatives_by_quadrature(T):
    density = uneven(seed=4, points=5)
    found = thermal_electrons(density, T)
    with mpmath.workdps(30):
        exact = Mermin(density)
        step = mpmath.mpf(T) * mpmath.mpf("1e-6")
        (_, F_low, S_low), (_, F_high, S_high) = exact.at(T - step), exact.at(T + step)
        S, C = (F_low - F_high) / (2 * step), T * (S_high - S_low) / (2 * step)
    assert found.entropy == pytest.approx(float(S), rel=1e-10, abs=0)
    assert found.heat_capacity == pytest.approx(float(C), rel=1e-10, abs=0)


def test_flat_density_in_closed_form():
    """Two states per eV from 0 to 3 eV, filled up to 0.7: the number of electrons can be solved for mu."""
    T = np.array([200.0, 900.0, 5000.0, 1e5])
    kT = BOLTZMANN * T
    density = DensityOfStates([0.0, 1.1, 3.0], [2.0, 2.0, 2.0], 0.7)
    exact = kT * (np.log(np.expm1(0.7 / kT)) - np.log(-np.expm1((0.7 - 3.0) / kT)))
    np.testing.assert_allclose(fermi.chemical_potential(density, T), exact, rtol=2e-15)
    assert density.electrons == pytest.approx(1.4, rel=1e-15)
    assert fermi.fermi_energy(density.energies, density.densities, 1.4) == pytest.approx(0.7, rel=1e-15)
    # all states equally likely in the end
    hot = thermal_electrons(density, 1e9)
    f = 0.7 / 3
    mixing = -BOLTZMANN * 6 * (f * np.log(f) + (1 - f) * np.log(1 - f))
    assert hot.entropy == pytest.approx(mixing, rel=1e-9)


def test_sommerfeld_limit():
    """Exact to the T^3 that a curved density adds, and at temperatures that leave 1e-20 eV."""
    density = uneven()
    n = np.interp(0.37, density.energies, density.densities)
    T = np.array([1e-6, 1e-3, 1.0])
    found = thermal_electrons(density, T)
    linear = np.pi**2 / 3 * BOLTZMANN**2 * n * T
    np.testing.assert_allclose(found.heat_capacity, linear, rtol=1e-6)
    np.testing.assert_allclose(found.entropy, linear, rtol=1e-6)
    np.testing.assert_allclose(found.energy, -linear * T / 2, rtol=1e-6)
    np.testing.assert_allclose(found.heat_capacity[:2], linear[:2], rtol=1e-12)


def test_free_electrons():
    """n ~ sqrt(e): the textbook's next terms."""
    energies = 20 * np.linspace(0, 1, 3001) ** 2
    density = DensityOfStates(energies, np.sqrt(energies), 5.0)
    t = np.array([0.01, 0.02])
    found = thermal_electrons(density, 5.0 * t / BOLTZMANN)
    mu = 5 * (1 - np.pi**2 / 12 * t**2 - np.pi**4 / 80 * t**4)
    C = density.electrons * BOLTZMANN * np.pi**2 / 2 * t * (1 - 3 * np.pi**2 / 10 * t**2)
    np.testing.assert_allclose(found.chemical_potential, mu, rtol=1e-7)
    np.testing.assert_allclose(found.heat_capacity, C, rtol=3e-5)
    assert density.electrons == pytest.approx(2 / 3 * 5**1.5, rel=1e-6)


def test_gap():
    """The gap's middle at 0 K, wherever the Fermi energy is said to lie in it; then exp(-gap / 2 k_B T)."""
    T = np.array([0.0, 1e-300, 1e-13, 1.0, 9.0, 100.0, 300.0])
    cold = thermal_electrons(gapped(), T)
    assert cold.chemical_potential[0] == pytest.approx(0.3, abs=1e-15)
    for edge in (-0.3, 0.9):
        np.testing.assert_array_equal(thermal_electrons(gapped(edge), T).energy, cold.energy)
    for values in cold[1:]:
        np.testing.assert_array_equal(values[:4], 0)
        assert np.all(np.isfinite(values))
    # n = 20/7 (-0.3 - e) below the gap and 10 (e - 0.9) above: masses of -2 k_B T pairs of exponentials
    kT = BOLTZMANN * T[5]
    pairs = kT**2 * np.sqrt(20 / 7 * 10) * np.exp(-0.6 / kT)
    assert cold.energy[5] == pytest.approx(-2 * kT * pairs, rel=1e-9)
    assert cold.chemical_potential[5] == pytest.approx(0.3 + kT / 2 * np.log(2 / 7), rel=1e-9)
    with mpmath.workdps(30):
        _, F, S = Mermin(gapped()).at(300.0)
    assert cold.energy[6] == pytest.approx(float(F), rel=1e-11, abs=0)
    assert cold.entropy[6] == pytest.approx(float(S), rel=1e-11, abs=0)
    filled = gapped().electrons
    found = fermi.fermi_energy(gapped().energies, gapped().densities, filled * (1 + 1e-14))
    assert found == pytest.approx(0.3, abs=1e-15)


def test_identities_at_any_temperature():
    T = np.concatenate([[0.0], np.geomspace(1e-12, 1e6, 60)])
    for density in (uneven(), uneven(7, 400), gapped()):
        found = thermal_electrons(density, T.reshape(1, -1))
        assert found.energy.shape == (1, 61)
        for values in found[1:]:
            assert values[0, 0] == 0
        assert np.all(found.energy <= 0)
        assert np.all(np.diff(found.entropy) >= 0)
        assert np.all(found.heat_capacity >= 0)
        assert float(thermal_electrons(density, T[30]).energy) == pytest.approx(
            found.energy[0, 30], rel=1e-12
        )


@pytest.mark.parametrize(
    ("energies", "densities", "energy", "message"),
    [
        ([0, 1, 1], [1, 1, 1], 0.5, "energies: found 1 eV after 1 eV, expected increasing"),
        ([0, np.nan, 1], [1, 1, 1], 0.5, "energies: found nan"),
        ([0, 1], [1, -1], 0.5, "densities: found -1"),
        ([0, 1], [1, np.inf], 0.5, "densities: found inf"),
        ([0, 1], [1, 1, 1], 0.5, r"found shapes \(2,\), \(3,\)"),
        ([0], [1], 0.0, "M of 2 or more"),
        ([0, 1], [1, 1], 1.5, "found a Fermi energy of 1.5 eV, expected an energy on the grid, 0 to 1 eV"),
        ([0, 1], [1, 1], np.nan, "found a Fermi energy of nan"),
        ([0, 1, 2], [1, 0, 0], 1.5, "no states above it"),
        ([0, 1, 2], [0, 0, 1], 0.5, "no states below it"),
    ],
)
def test_unusable_densities(energies, densities, energy, message):
    with pytest.raises(InputError, match=message):
        DensityOfStates(np.array(energies), np.array(densities), energy)


def test_unusable_numbers():
    for electrons in (0.0, -1.0, 2.0, np.nan):
        with pytest.raises(InputError, match="above 0 and below 2"):
            fermi.fermi_energy([0, 1], [2, 2], electrons)
    for T in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match=f"temperature: found {T}"):
            thermal_electrons(uneven(), [3.0, T])
    with pytest.raises(ValueError, match="read-only"):
        uneven().energies[0] = 1


# Symmetric densities n0 + b |e| for |e| < W keep mu at 0: F in closed form, at any number of digits.
SYMMETRIC = {
    "0": [(1.0, 0.5, 1.0), (1.3, 0.2, 1.1), (1.4, 0.9, 1.2)],
    "1": [(2.0, 9.0, 0.9), (1.1, 4.0, 1.1), (1.9, 0.5, 1.0)],
    "2": [(0.1, 30.0, 1.0), (0.2, 25.0, 1.0), (0.4, 20.0, 1.0)],
}


def symmetric_electrons():
    terms = {}
    for name, rows in SYMMETRIC.items():
        densities = (DensityOfStates([7 - W, 7, 7 + W], [n + b * W, n, n + b * W], 7.0) for n, b, W in rows)
        terms[name] = ElectronicDensities(VOLUMES, tuple(densities))
    return Electrons(terms)


def exact_symmetric(name, V, T):
    """F_el by Lagrange's formula from the closed form at the volumes."""
    kT = BOLTZMANN * T
    total = 0
    for i, (n, b, W) in enumerate(SYMMETRIC[name]):
        middle, top, bottom = mpmath.mpf(-1), -mpmath.exp(W / kT), -mpmath.exp(-W / kT)
        kinks = b * (2 * mpmath.polylog(3, middle) - mpmath.polylog(3, top) - mpmath.polylog(3, bottom))
        jumps = (n + b * W) * (mpmath.polylog(2, top) - mpmath.polylog(2, bottom))
        value = mpmath.re(kT**3 * kinks + kT**2 * jumps)
        value += mpmath.mpf(W) ** 2 * (mpmath.mpf(n) / 2 + b * mpmath.mpf(W) / 3)
        for j, other in enumerate(VOLUMES):
            if i != j:
                value *= (V - other) / (VOLUMES[i] - other)
        total += value
    return total


@pytest.mark.parametrize(("V", "T"), [(12.62, 164.0), (13.3, 600.0)])
def test_mixture_with_electrons_against_thirty_digits(of_table, table_s1, V, T):
    table = table_s1[[0, 1, 22]]
    material = dataclasses.replace(of_table(table), electrons=symmetric_electrons())
    found = helmholtz.derivatives(material, V, T)

    def exact(v, t):
        total = 0
        for name, row in zip(NAMES, table, strict=True):
            F = exact_free_energy([[1, *row[1:]]], v, t) + exact_symmetric(name, v, t)
            total += row[0] * mpmath.exp(-ATOMS * F / (BOLTZMANN * t))
        return -BOLTZMANN * t / ATOMS * mpmath.log(total)

    with mpmath.workdps(30):
        for j in range(5):
            value = float(mpmath.re(mpmath.diff(exact, (V, T), (j, 0))))
            assert found.in_volume[j] == pytest.approx(value, rel=2e-9, abs=0), j
        for j in range(4):
            value = float(mpmath.re(mpmath.diff(exact, (V, T), (j, 1))))
            assert found.in_temperature[j] == pytest.approx(value, rel=2e-9, abs=0), j
        curvature = mpmath.re(mpmath.diff(exact, (V, T), (0, 2)))
        assert float(found.F_TT) == pytest.approx(float(curvature), rel=2e-9, abs=0)


def test_material_without_electrons_is_as_before(of_table, table_s1):
    bare = of_table(table_s1[:3])
    assert bare.electrons is None
    nothing = ElectronicTable([12.7], np.linspace(0, 1000, 6), np.zeros((1, 6)))
    material = dataclasses.replace(bare, electrons=Electrons(dict.fromkeys(NAMES, nothing)))
    V, T = np.linspace(12, 13.5, 5), np.array([[0.0], [1e-13], [20.0], [900.0]])
    one, two = (helmholtz.derivatives(m, V, T) for m in (bare, material))
    for name in ("in_volume", "in_temperature", "F_TT"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_electrons_add_up(of_table, table_s1):
    """One configuration: its F, S and C grow by those of the electrons; shapes broadcast."""
    bare = of_table(table_s1[:1])
    material = dataclasses.replace(bare, electrons=symmetric_electrons())
    V, T = np.linspace(12.2, 13.4, 4), np.array([[0.0], [300.0], [300.0]])
    one, two = (helmholtz.derivatives(m, V, T) for m in (bare, material))
    series = material.electrons.series(("0",), V, T, 4)
    assert series.energy.shape == (5, 3, 4, 1)
    assert series.entropy.shape == (4, 3, 4, 1)
    assert series.heat_capacity.shape == (3, 4, 1)
    energy, entropy = (taylor.derivatives(part[..., 0]) for part in (series.energy, series.entropy))
    np.testing.assert_allclose(two.in_volume - one.in_volume, energy, rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(one.in_temperature - two.in_temperature, entropy, rtol=1e-8, atol=1e-16)
    np.testing.assert_allclose((one.F_TT - two.F_TT) * T, series.heat_capacity[..., 0], rtol=1e-8, atol=1e-18)
    np.testing.assert_array_equal(series.energy[:, 0], 0)
    empty = material.electrons.series(("0",), np.empty(0), 300.0, 2)
    assert empty.energy.shape == (3, 0, 1)
    assert material.electrons.series(("0",), 12.5, np.empty(0), 2).heat_capacity.shape == (0, 1)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_polynomial_in_volume(count):
    """Exact for what is a polynomial of the degree that the number of volumes allows."""
    volumes = np.linspace(12, 13.5, count)
    coefficients = np.array([1.0, -0.3, 0.05, 0.2, -0.1])[:count]

    def factor(V):
        return polyval(V - 12.5, coefficients)

    T = np.linspace(0, 1000, 6)
    table = ElectronicTable(volumes, T, -factor(volumes)[:, None] * 1e-8 * T**2)
    V = np.array([12.0, 12.34, 13.6]) if count > 1 else np.array([3.0, 12.34, 90.0])
    found = Electrons({"a": table}).series(("a",), V, 400.0, 4)
    for j in range(5):
        exact = polyval(V - 12.5, polyder(coefficients, j)) / np.prod(np.arange(1, j + 1))
        np.testing.assert_allclose(found.energy[j, :, 0], -1e-8 * 400**2 * exact, rtol=1e-9, atol=1e-15)
        if j < 4:
            np.testing.assert_allclose(found.entropy[j, :, 0], 2e-8 * 400 * exact, rtol=1e-9, atol=1e-17)
    np.testing.assert_allclose(found.heat_capacity[:, 0], 2e-8 * 400 * factor(V), rtol=1e-9)


def test_a_table_of_densities_gives_what_they_give():
    of_densities = symmetric_electrons()
    T = np.linspace(0, 1000, 101)
    tables = {}
    for name in NAMES:
        energies = np.array([thermal_electrons(n, T).energy for n in of_densities.terms[name].densities])
        tables[name] = ElectronicTable(VOLUMES, T, energies)
    V, asked = np.linspace(12.1, 13.5, 3), np.array([[0.0], [4.0], [123.4], [997.0]])
    exact, found = (e.series(NAMES, V, asked, 4) for e in (of_densities, Electrons(tables)))
    np.testing.assert_allclose(found.energy[0], exact.energy[0], atol=2e-9)
    np.testing.assert_allclose(found.entropy[0], exact.entropy[0], atol=2e-9)
    np.testing.assert_allclose(found.heat_capacity, exact.heat_capacity, rtol=1e-2, atol=1e-8)
    np.testing.assert_allclose(found.energy[:, 2:], exact.energy[:, 2:], rtol=1e-4, atol=1e-8)
    np.testing.assert_array_equal(found.entropy[:, 0], 0)


def test_entropy_and_heat_capacity_of_a_table_are_derivatives():
    T = np.linspace(50, 1000, 12)
    electrons = Electrons({"a": ElectronicTable(VOLUMES, T, -1e-8 * VOLUMES[:, None] * T**2.3)})
    step = 1e-2
    low, here, high = (electrons.series(("a",), 12.5, 333.3 + k * step, 3) for k in (-1, 0, 1))
    np.testing.assert_allclose(
        here.entropy, -(high.energy - low.energy)[:3] / (2 * step), rtol=1e-6, atol=1e-12
    )
    slope = (high.entropy - low.entropy)[0] / (2 * step)
    np.testing.assert_allclose(here.heat_capacity, 333.3 * slope, rtol=1e-6)


def test_outside_of_what_is_given(of_table, table_s1):
    electrons = symmetric_electrons()
    message = r"electrons, configuration '1': found a volume of 13\.6 Å3.*12\.08 to 13\.52 Å3"
    with pytest.raises(InputError, match=message):
        electrons.series(("1",), [12.2, 13.6], 100.0, 1)
    message = r"configuration '0', 12\.2 Å3: found 1161 K, and 1\.5 states per eV"
    with pytest.raises(InputError, match=message):
        electrons.series(NAMES, 12.5, [10.0, 1161.0], 1)
    tables = Electrons({"a": ElectronicTable([12.0], np.linspace(10, 1000, 8), np.zeros((1, 8)))}, "f.csv")
    for T in (0.0, 9.0, 1001.0):
        message = rf"f\.csv, configuration 'a'.*: found {T:g} K, .*the electronic table covers 10-1000 K"
        with pytest.raises(InputError, match=message):
            tables.series(("a",), 12.0, [100.0, T], 1)
    with pytest.raises(InputError, match="found no configuration '3', expected electrons for every"):
        dataclasses.replace(of_table(table_s1[:4]), electrons=electrons)
    misspelt = Electrons({"fm-up": electrons.terms["0"]}, "f.csv")
    with pytest.raises(InputError, match=r"f\.csv: found no configuration 'FM-up'.*did you mean 'fm-up'"):
        misspelt.require(("FM-up",))


@pytest.mark.parametrize(
    ("volumes", "temperatures", "energies", "message"),
    [
        ([12.0], [0, 1, 2, 3, 4], np.zeros((1, 5)), "found 5 temperatures, expected 6"),
        ([12.0], [0, 1, 2, 3, 4, 4], np.zeros((1, 6)), "increasing temperatures"),
        ([12.0], [-1, 1, 2, 3, 4, 5], np.zeros((1, 6)), "found -1, expected a temperature"),
        ([12.0], [0, 1, 2, 3, 4, 5], np.zeros((6, 1)), r"found shape \(6, 1\)"),
        ([12.0], [0, 1, 2, 3, 4, 5], np.full((1, 6), np.nan), "found nan"),
        ([12.0], [0, 1, 2, 3, 4, 5], np.ones((1, 6)), "found 1, expected .*is this E_el"),
        ([12.0], [0, 1, 2, 3, 4, 5], -np.ones((1, 6)), "12 Å3 and 0 K: found -1 eV, expected 0 eV"),
        ([12.0, 12.0], [0, 1, 2, 3, 4, 5], np.zeros((2, 6)), "all different"),
        ([], [0, 1, 2, 3, 4, 5], np.zeros((0, 6)), "one or more volumes"),
        ([150.0], [0, 1, 2, 3, 4, 5], np.zeros((1, 6)), "volume per cell"),
    ],
)
def test_unusable_tables(volumes, temperatures, energies, message):
    with pytest.raises(InputError, match=message):
        ElectronicTable(np.array(volumes), np.array(temperatures), energies)
    with pytest.raises(InputError, match="found 1 densities of states, expected one for each of 3"):
        ElectronicDensities(VOLUMES, (uneven(),))


def written(tmp_path, lines):
    path = tmp_path / "electrons.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def table_lines():
    grid = [(V, T) for V in (12.5, 12.0) for T in range(0, 700, 100)]
    rows = [f"{name},{V},{T},{-1e-8 * V * T**2!r}" for name in ("fm", "afm") for V, T in grid]
    return ["# F_el", TABLE, *rows]


def density_lines():
    points = [(V, e, n) for V in (12, 12.5) for e, n in ((-2, 0), (-0.5, V / 10), (1.5, 2.25), (3, 0))]
    rows = [f"{name},{V},0.5,{e},{n}" for name in ("fm", "afm") for V, e, n in points]
    return [DENSITIES, *rows]


def test_read_both_kinds(tmp_path):
    lines = table_lines()
    electrons = read_electrons(written(tmp_path, [*lines[:2], *reversed(lines[2:])]), ("fm", "afm"))
    assert set(electrons.names) == {"fm", "afm"}
    found = electrons.series(("fm", "afm"), 12.2, 250.0, 1)
    np.testing.assert_allclose(found.energy[0], -1e-8 * 12.2 * 250**2, rtol=1e-12)
    electrons = read_electrons(written(tmp_path, density_lines()))
    term = electrons.terms["fm"]
    np.testing.assert_array_equal(term.volumes, [12.0, 12.5])
    expected = DensityOfStates([-2, -0.5, 1.5, 3], [0, 1.25, 2.25, 0], 0.5)
    found = term.at(np.array([300.0]))[:, 1, 0]
    np.testing.assert_array_equal(found, np.stack(thermal_electrons(expected, 300.0)[1:]))


@pytest.mark.parametrize(
    ("line", "new", "message"),
    [
        (3, None, "configuration 'fm': found no row for 12.5 Å3 and 0 K, expected a row for each"),
        (9, "fm,12.5,650,-1e-2", "no row for 12 Å3 and 650 K, nor for 1 others"),
        (4, "fm,12.5,0,0.0", "line 4, configuration 'fm': found 12.5 Å3 and 0 K once more"),
        (
            4,
            "fm,12.5,100,0.1",
            "line 4, column 'electronic_helmholtz_eV_per_atom': found 0.1, .*is this E_el",
        ),
        (3, "fm,12.5,0,-0.1", "configuration 'fm', 12.5 Å3 and 0 K: found -0.1 eV, expected 0 eV"),
        (3, "fm,12.5,-5,0", "line 3, column 'temperature_K': found -5"),
        (3, "fm,150,0,0", "line 3, column 'volume_A3_per_atom': found 150, .*volume per cell"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, line, new, message):
    lines = table_lines()
    lines[line - 1 : line] = [] if new is None else [new]
    path = written(tmp_path, lines)
    with pytest.raises(InputError, match=message) as error:
        read_electrons(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("line", "new", "message"),
    [
        (3, "fm,12,0.5,-2,1", "line 3, column 'energy_eV', configuration 'fm' at 12 Å3: found -2 after -2"),
        (3, "fm,12,0.5,-0.5,-1", "line 3, column 'density_of_states_per_eV_per_atom': found -1"),
        (
            3,
            "fm,12,0.6,-0.5,1",
            "line 3, column 'fermi_energy_eV', .*: found 0.6 after 0.5, expected one Fermi",
        ),
        (2, "fm,12.1,0.5,-2,0", "line 2, configuration 'fm' at 12.1 Å3: found shapes"),
        (2, "fm,12,x,-2,0", "line 2, column 'fermi_energy_eV': found 'x'"),
    ],
)
def test_densities_that_cannot_be_used(tmp_path, line, new, message):
    lines = density_lines()
    lines[line - 1] = new
    path = written(tmp_path, lines)
    with pytest.raises(InputError, match=message) as error:
        read_electrons(path)
    assert str(path) in str(error.value)


def test_names_and_columns_of_a_file(tmp_path):
    path = written(tmp_path, table_lines())
    with pytest.raises(
        InputError, match=r"line 17, column 'configuration': found 'afm', expected one of.*'fm'"
    ):
        read_electrons(path, ("fm", "afm2"))
    with pytest.raises(InputError, match="no configuration 'flip', expected electrons for every"):
        read_electrons(path, ("fm", "afm", "flip"))
    path = written(tmp_path, [line.replace(",0.5,", ",9,") for line in density_lines()])
    with pytest.raises(InputError, match="line 2, configuration 'fm' at 12 Å3: found a Fermi energy of 9 eV"):
        read_electrons(path)
    path = written(tmp_path, [line.replace("temperature_K", "temperature") for line in table_lines()])
    with pytest.raises(InputError, match="did you mean 'temperature'"):
        read_electrons(path)
    path = written(tmp_path, ["a,b", "1,2"])
    with pytest.raises(
        InputError, match=r"the columns a, b, expected the columns configuration.*, or config"
    ):
        read_electrons(path)
