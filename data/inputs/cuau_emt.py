"""Makes `cuau_emt_energy_volume.csv`: `python data/inputs/cuau_emt.py [file]`.

All 70 ways to put 4 Au and 4 Cu on the sites of a face-centred cubic cell of 8 atoms (1 x 1 x 2 conventional
cells), their energies by effective medium theory: Jacobsen, Stoltze, Norskov, Surf. Sci. 366, 394 (1996),
doi:10.1016/0039-6028(96)00816-3, in the ASE package: Larsen et al., J. Phys.: Condens. Matter 29, 273002
(2017), doi:10.1088/1361-648X/aa680e.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import ase
import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from scipy.optimize import minimize_scalar

# One member of each configuration, in the order of their energies: space group and sites of Au.
MEMBERS = {
    "I41amd": ("I4_1/amd", (0, 1, 6, 7)),
    "P42mmc": ("P4_2/mmc", (0, 1, 4, 6)),
    "L1_0": ("P4/mmm", (0, 1, 4, 5)),
    "Pmm2": ("Pmm2", (0, 1, 2, 5)),
    "P4nmm": ("P4/nmm", (0, 1, 2, 7)),
    "P4mmm": ("P4/mmm", (0, 1, 2, 4)),
    "Z2": ("P4/nmm", (0, 1, 2, 3)),
}
PROBES = np.linspace(12.0, 17.0, 6)  # Å3 per atom: energies at these tell configurations apart
SAME = 1e-6  # eV per atom
STRAINS = np.linspace(-0.06, 0.06, 9)  # of the volume, about the minimum

HEADER = """\
# Energies of CuAu over the volume: an example of a second material, from points instead of fitted properties.
# Source: made by data/inputs/cuau_emt.py with ASE {version}, calculator EMT (effective medium theory).
#   Jacobsen, Stoltze, Norskov, Surf. Sci. 366, 394 (1996), doi:10.1016/0039-6028(96)00816-3;
#   ASE: Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017), doi:10.1088/1361-648X/aa680e.
# Method: all 70 ways to put 4 Au and 4 Cu on 8 fcc sites (1 x 1 x 2 conventional cells, periodic); those
#   with one energy-volume curve are one configuration. Ideal positions, cubic scaling of the cell: nothing
#   is relaxed. 9 volumes from -6 to +6 % about the minimum of each configuration.
# It shows order and disorder of an alloy in a small cell. It is no prediction: EMT is a simple potential, in
#   which L1_0, CuAu's ground state in nature, lies 0.6 meV per atom above the lowest configuration.
# Configurations, with their space group in the unrelaxed lattice and the sites of Au in one member, in units
#   of half the cubic lattice parameter. L1_0 has layers Cu, Au along a cubic axis, Z2 layers Cu, Cu, Au, Au;
#   the others are named by their space groups.
{members}
# Volumes in Å3 per atom, energies in eV per atom; EMT's zero is the separate fcc metals.
# rows: {rows}
"""


def cell(edge: float) -> ase.Atoms:
    """The 8 sites at a lattice parameter in Å, all with Cu."""
    return bulk("Cu", "fcc", a=edge, cubic=True).repeat((1, 1, 2))


def energy(gold: tuple[int, ...], volume: float) -> float:
    """Energy in eV per atom with Au on these sites, at a volume in Å3 per atom."""
    atoms = cell((4 * volume) ** (1 / 3))
    atoms.symbols[list(gold)] = "Au"
    atoms.calc = EMT()
    return float(atoms.get_potential_energy()) / len(atoms)


def degeneracies() -> dict[str, int]:
    """How many of the 70 arrangements have the energies of each member."""
    curves = {name: np.array([energy(gold, v) for v in PROBES]) for name, (_, gold) in MEMBERS.items()}
    counts = dict.fromkeys(MEMBERS, 0)
    for gold in itertools.combinations(range(8), 4):
        curve = np.array([energy(gold, v) for v in PROBES])
        (name,) = [name for name, other in curves.items() if np.abs(other - curve).max() < SAME]
        counts[name] += 1
    return counts


def _sites(gold: tuple[int, ...]) -> str:
    """Positions of Au in units of half the lattice parameter."""
    return ", ".join("{:.0f} {:.0f} {:.0f}".format(*position) for position in cell(2.0).positions[list(gold)])


def table() -> str:
    """The whole file."""
    counts = degeneracies()
    rows = []
    for name, (_, gold) in MEMBERS.items():
        found = minimize_scalar(lambda v, gold=gold: energy(gold, v), bounds=(12, 17), method="bounded")
        for strain in STRAINS:
            volume = round(float(found.x) * (1 + strain), 3)
            rows.append(f"{name},{counts[name]},{volume:.3f},{energy(gold, volume):.8f}")
    columns = "configuration,degeneracy,volume_A3_per_atom,energy_eV_per_atom"
    members = "\n".join(f"#   {name:6}  {group:8}  {_sites(gold)}" for name, (group, gold) in MEMBERS.items())
    header = HEADER.format(version=ase.__version__, members=members, rows=len(rows))
    return "\n".join([header + columns, *rows]) + "\n"


if __name__ == "__main__":
    here = Path(__file__).resolve().parent / "cuau_emt_energy_volume.csv"
    Path(sys.argv[1] if sys.argv[1:] else here).write_text(table(), encoding="utf-8")
