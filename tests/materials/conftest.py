from pathlib import Path

import numpy as np
import pytest

from zenn.materials.configurations import Configurations, read_configurations
from zenn.materials.material import Material

TABLE_S1 = Path(__file__).parents[2] / "data" / "inputs" / "fe3pt_table_s1.csv"


def made_of(rows: Configurations, atoms: int = 12) -> Material:
    """Fe3Pt's parameters with other configurations."""
    return Material(rows, atoms=atoms, mean_atomic_mass=90.65475, debye_scaling=0.617, grueneisen_x=2 / 3)


def configurations(table: np.ndarray) -> Configurations:
    """Configurations from rows of degeneracy, V0, E0, B0 and B'."""
    return Configurations(tuple(map(str, range(len(table)))), *np.asarray(table, dtype=float).T)


@pytest.fixture(scope="session")
def table_s1_path() -> Path:
    return TABLE_S1


@pytest.fixture(scope="session")
def table_s1() -> np.ndarray:
    """Degeneracy, V0, E0, B0 and B' of the 36 rows."""
    rows = read_configurations(TABLE_S1)
    return np.stack(
        [
            rows.degeneracies,
            rows.equilibrium_volumes,
            rows.equilibrium_energies,
            rows.bulk_moduli,
            rows.bulk_modulus_derivatives,
        ],
        axis=1,
    )


@pytest.fixture(scope="session")
def fe3pt() -> Material:
    return made_of(read_configurations(TABLE_S1, atoms=12))


@pytest.fixture(scope="session")
def of_table():
    """A material from rows of a table."""
    return lambda table, atoms=12: made_of(configurations(table), atoms)
