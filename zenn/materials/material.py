"""A material: its configurations and what turns their equilibrium properties into a free energy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zenn.errors import InputError
from zenn.materials.configurations import Configurations


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that the Helmholtz energy F(V, T) of a mixture of configurations depends on.

    Parameters
    ----------
    configurations : the configurations, per atom.
    atoms : number of atoms n in the cell whose configurations are counted; enters exp(-n F_k / (k_B T)).
    mean_atomic_mass : arithmetic mean, in u.
    debye_scaling : s of the Debye temperature; 0.617 after Moruzzi et al. (see `zenn.materials.debye`).
    grueneisen_x : x in gamma = (1 + B') / 2 - x.

    Raises
    ------
    InputError
        `atoms` is not an integer of 1 or more, or a number is not finite or, except for x, not positive.
    """

    configurations: Configurations
    atoms: int
    mean_atomic_mass: float
    debye_scaling: float
    grueneisen_x: float

    def __post_init__(self) -> None:
        if not (self.atoms >= 1 and self.atoms == int(self.atoms)):
            raise InputError("argument atoms", "", self.atoms, "an integer of 1 or more")
        for name in ("mean_atomic_mass", "debye_scaling"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"argument {name}", "", getattr(self, name), "a finite positive number")
        if not math.isfinite(self.grueneisen_x):
            raise InputError("argument grueneisen_x", "", self.grueneisen_x, "a finite number")
