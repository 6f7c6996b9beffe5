"""The example of a second material: made again, and held against ASE, symmetry and measured CuAu."""

import itertools
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.build import make_supercell
from ase.calculators.emt import EMT
from ase.lattice.compounds import L1_0
from ase.spacegroup import crystal

from zenn.materials.configurations import read_configurations
from zenn.materials.energy_volume import fit_configurations, read_energy_volume, write_configurations

INPUTS = Path(__file__).parents[2] / "data" / "inputs"
DEGENERACIES = {"I41amd": 4, "P42mmc": 8, "L1_0": 6, "Pmm2": 32, "P4nmm": 8, "P4mmm": 8, "Z2": 4}


@pytest.fixture(scope="module")
def points():
    return read_energy_volume(INPUTS / "cuau_emt_energy_volume.csv")


@pytest.fixture(scope="module")
def script():
    """What the script defines; run_path leaves no compiled file beside it."""
    return runpy.run_path(str(INPUTS / "cuau_emt.py"))


def layered(edge):
    return L1_0(symbol=("Cu", "Au"), latticeconstant={"a": edge, "c/a": 1})


def nbp(edge):
    """Space group 141 with c = 2a: the cell of I41amd, from the International Tables."""
    cell = [edge, edge, 2 * edge, 90, 90, 90]
    return crystal(["Au", "Cu"], [(0, 0, 0), (0, 0, 0.5)], spacegroup=141, cellpar=cell)


@pytest.mark.parametrize(("name", "build"), [("L1_0", layered), ("I41amd", nbp)])
def test_energies_are_those_of_ase_in_other_cells(points, name, build):
    k = points.names.index(name)
    for volume, energy in zip(points.volumes[k], points.energies[k], strict=True):
        atoms = make_supercell(build((4 * volume) ** (1 / 3)), np.diag([2, 1, 1]))
        atoms.calc = EMT()
        assert atoms.get_volume() / len(atoms) == pytest.approx(volume, rel=1e-12)
        assert atoms.get_potential_energy() / len(atoms) == pytest.approx(energy, rel=0, abs=1e-8)


def test_the_script_makes_the_file(points, script, tmp_path):
    path = tmp_path / "again.csv"
    path.write_text(script["table"](), encoding="utf-8")
    again = read_energy_volume(path)
    assert again.names == points.names
    np.testing.assert_array_equal(again.degeneracies, points.degeneracies)
    np.testing.assert_allclose(again.volumes, points.volumes, atol=2e-3)
    for here, there in zip(fit_configurations(again)[0].equilibrium_energies, points.energies, strict=True):
        assert here == pytest.approx(there.min(), abs=1e-3)


def test_configurations_are_the_classes_of_the_lattices_symmetry(points, script):
    """All 48 rotations and 32 translations of the fcc lattice, on 2 x 2 x 2 cells, in which all 70 repeat."""
    assert dict(zip(points.names, points.degeneracies, strict=True)) == DEGENERACIES
    assert points.degeneracies.sum() == 70
    lattice = [site for site in itertools.product(range(4), repeat=3) if sum(site) % 2 == 0]
    index = {site: i for i, site in enumerate(lattice)}
    small = [tuple(map(round, position)) for position in script["cell"](2.0).positions]
    folded = [small.index((x % 2, y % 2, z)) for x, y, z in lattice]
    operations = np.array(
        [
            [index[tuple(site)] for site in (np.array(lattice)[:, axes] * signs + shift) % 4]
            for axes in itertools.permutations(range(3))
            for signs in itertools.product((1, -1), repeat=3)
            for shift in lattice
        ]
    )

    def image(gold):
        return max(map(bytes, np.isin(folded, gold)[operations]))

    counts = Counter(image(gold) for gold in itertools.combinations(range(8), 4))
    found = {name: counts[image(gold)] for name, (_, gold) in script["MEMBERS"].items()}
    assert found == DEGENERACIES
    assert len({image(gold) for _, gold in script["MEMBERS"].values()}) == len(counts) == 7


def test_every_configuration_is_fitted(points, tmp_path):
    rows, qualities = fit_configurations(points)
    assert [(quality.name, quality.points) for quality in qualities] == [(n, 9) for n in DEGENERACIES]
    assert max(quality.largest_residual for quality in qualities) < 0.1
    for minimum, volumes in zip(rows.equilibrium_volumes, points.volumes, strict=True):
        assert np.mean(volumes) == pytest.approx(minimum, rel=2e-3)
    k = rows.names.index("L1_0")
    # Measured: a = 3.96 Å, c = 3.67 Å, 14.4 Å3 per atom; copper has 137 GPa, gold 173 GPa
    assert (4 * rows.equilibrium_volumes[k]) ** (1 / 3) == pytest.approx(
        (3.96**2 * 3.67) ** (1 / 3), rel=0.02
    )
    assert 120 < rows.bulk_moduli[k] < 190
    write_configurations(tmp_path / "fitted.csv", rows)
    assert read_configurations(tmp_path / "fitted.csv").names == rows.names
