"""A material: its configurations and what turns their equilibrium properties into a free energy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zenn.errors import InputError
from zenn.materials.configurations import Configurations

if TYPE_CHECKING:  # no import: the spline's costs more than a material without electrons should pay
    from zenn.materials.electronic import Electrons


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
    electrons : thermal electrons of every configuration (see `zenn.materials.electronic`), or None.

    Raises
    ------
    InputError
        `atoms` is not an integer of 1 or more, a number is not finite or, except for x, not positive, or
        `electrons` lack a configuration.
    """

    configurations: Configurations
    atoms: int
    mean_atomic_mass: float
    debye_scaling: float
    grueneisen_x: float
    electrons: Electrons | None = None

    def __post_init__(self) -> None:
        if not (self.atoms >= 1 and self.atoms == int(self.atoms)):
            raise InputError("argument atoms", "", self.atoms, "an integer of 1 or more")
        for name in ("mean_atomic_mass", "debye_scaling"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"argument {name}", "", getattr(self, name), "a finite positive number")
        if not math.isfinite(self.grueneisen_x):
            raise InputError("argument grueneisen_x", "", self.grueneisen_x, "a finite number")
        if self.electrons is not None:
            self.electrons.require(self.configurations.names)
