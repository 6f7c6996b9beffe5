"""Free energy and critical point of a material from a table of its configurations.

Names are imported when they are asked for: `import zenn.materials` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenn.materials.configurations import Configurations, read_configurations
    from zenn.materials.critical import (
        CriticalPoint,
        EquilibriumVolumes,
        critical_point,
        critical_points,
        equilibrium_volumes,
        reference_volume,
        stable_volume,
    )
    from zenn.materials.debye import debye_function, debye_temperature, vibrational_helmholtz_energy
    from zenn.materials.eos import (
        EquationOfState,
        birch_murnaghan_energy,
        birch_murnaghan_pressure,
        fit_birch_murnaghan,
    )
    from zenn.materials.helmholtz import (
        Derivatives,
        bulk_modulus,
        configuration_helmholtz_energies,
        derivatives,
        entropy,
        helmholtz_energy,
        pressure,
        probabilities,
        thermal_expansion,
    )
    from zenn.materials.material import Material

_HOMES = {
    "configurations": ("Configurations", "read_configurations"),
    "critical": (
        "CriticalPoint",
        "EquilibriumVolumes",
        "critical_point",
        "critical_points",
        "equilibrium_volumes",
        "reference_volume",
        "stable_volume",
    ),
    "debye": ("debye_function", "debye_temperature", "vibrational_helmholtz_energy"),
    "eos": ("EquationOfState", "birch_murnaghan_energy", "birch_murnaghan_pressure", "fit_birch_murnaghan"),
    "helmholtz": (
        "Derivatives",
        "bulk_modulus",
        "configuration_helmholtz_energies",
        "derivatives",
        "entropy",
        "helmholtz_energy",
        "pressure",
        "probabilities",
        "thermal_expansion",
    ),
    "material": ("Material",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Configurations",
    "CriticalPoint",
    "Derivatives",
    "EquationOfState",
    "EquilibriumVolumes",
    "Material",
    "birch_murnaghan_energy",
    "birch_murnaghan_pressure",
    "bulk_modulus",
    "configuration_helmholtz_energies",
    "critical_point",
    "critical_points",
    "debye_function",
    "debye_temperature",
    "derivatives",
    "entropy",
    "equilibrium_volumes",
    "fit_birch_murnaghan",
    "helmholtz_energy",
    "pressure",
    "probabilities",
    "read_configurations",
    "reference_volume",
    "stable_volume",
    "thermal_expansion",
    "vibrational_helmholtz_energy",
]


def __getattr__(name: str) -> Any:
    """Import the module that has `name` when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
