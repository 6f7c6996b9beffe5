"""Free energy, properties and phase diagram of a material from its configurations.

Names are imported when they are asked for: `import zenn.materials` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenn.materials.boundaries import (
        PhaseBoundary,
        binodals,
        refined_temperatures,
        spinodals,
    )
    from zenn.materials.configurations import (
        Configurations,
        read_configurations,
    )
    from zenn.materials.critical import (
        CriticalPoint,
        EquilibriumVolumes,
        critical_point,
        critical_points,
        equilibrium_volumes,
        reference_volume,
        stable_volume,
    )
    from zenn.materials.debye import (
        debye_function,
        debye_temperature,
        vibrational_helmholtz_energy,
    )
    from zenn.materials.diagram import (
        Crossover,
        PhaseDiagram,
        crossover,
        phase_diagram,
    )
    from zenn.materials.electronic import (
        Electrons,
        read_electrons,
    )
    from zenn.materials.energy_volume import (
        EnergyVolumePoints,
        FitQuality,
        fit_configurations,
        read_energy_volume,
    )
    from zenn.materials.eos import (
        EquationOfState,
        birch_murnaghan_energy,
        birch_murnaghan_pressure,
        fit_birch_murnaghan,
    )
    from zenn.materials.helmholtz import (
        Derivatives,
        configuration_helmholtz_energies,
        derivatives,
        helmholtz_energy,
        probabilities,
    )
    from zenn.materials.isobars import (
        Isobar,
        NegativeThermalExpansion,
        Transition,
        isobar,
        negative_thermal_expansion,
    )
    from zenn.materials.material import (
        Material,
    )
    from zenn.materials.scanning import (
        Scan,
        scan,
    )
    from zenn.materials.sensitivity import (
        Variant,
        variants,
    )
    from zenn.materials.thermodynamics import (
        Properties,
        bulk_modulus,
        configuration_entropies,
        configurational_entropy,
        entropy,
        gibbs_energy,
        grueneisen_parameter,
        internal_energy,
        isobaric_heat_capacity,
        isochoric_heat_capacity,
        log_partition_function,
        pressure,
        properties,
        thermal_expansion,
    )
    from zenn.materials.uncertainty import (
        Interval,
        Samples,
        interval,
        monte_carlo,
        perturbed,
    )

_HOMES = {
    "boundaries": (
        "PhaseBoundary",
        "binodals",
        "refined_temperatures",
        "spinodals",
    ),
    "configurations": (
        "Configurations",
        "read_configurations",
    ),
    "critical": (
        "CriticalPoint",
        "EquilibriumVolumes",
        "critical_point",
        "critical_points",
        "equilibrium_volumes",
        "reference_volume",
        "stable_volume",
    ),
    "debye": (
        "debye_function",
        "debye_temperature",
        "vibrational_helmholtz_energy",
    ),
    "electronic": (
        "Electrons",
        "read_electrons",
    ),
    "energy_volume": (
        "EnergyVolumePoints",
        "FitQuality",
        "fit_configurations",
        "read_energy_volume",
    ),
    "eos": (
        "EquationOfState",
        "birch_murnaghan_energy",
        "birch_murnaghan_pressure",
        "fit_birch_murnaghan",
    ),
    "helmholtz": (
        "Derivatives",
        "configuration_helmholtz_energies",
        "derivatives",
        "helmholtz_energy",
        "probabilities",
    ),
    "isobars": (
        "Isobar",
        "NegativeThermalExpansion",
        "Transition",
        "isobar",
        "negative_thermal_expansion",
    ),
    "material": ("Material",),
    "diagram": (
        "Crossover",
        "PhaseDiagram",
        "crossover",
        "phase_diagram",
    ),
    "thermodynamics": (
        "Properties",
        "bulk_modulus",
        "configuration_entropies",
        "configurational_entropy",
        "entropy",
        "gibbs_energy",
        "grueneisen_parameter",
        "internal_energy",
        "isobaric_heat_capacity",
        "isochoric_heat_capacity",
        "log_partition_function",
        "pressure",
        "properties",
        "thermal_expansion",
    ),
    "scanning": (
        "Scan",
        "scan",
    ),
    "sensitivity": (
        "Variant",
        "variants",
    ),
    "uncertainty": (
        "Interval",
        "Samples",
        "interval",
        "monte_carlo",
        "perturbed",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Configurations",
    "CriticalPoint",
    "Crossover",
    "Derivatives",
    "Electrons",
    "EnergyVolumePoints",
    "EquationOfState",
    "EquilibriumVolumes",
    "FitQuality",
    "Interval",
    "Isobar",
    "Material",
    "NegativeThermalExpansion",
    "PhaseBoundary",
    "PhaseDiagram",
    "Properties",
    "Samples",
    "Scan",
    "Transition",
    "Variant",
    "binodals",
    "birch_murnaghan_energy",
    "birch_murnaghan_pressure",
    "bulk_modulus",
    "configuration_entropies",
    "configuration_helmholtz_energies",
    "configurational_entropy",
    "critical_point",
    "critical_points",
    "crossover",
    "debye_function",
    "debye_temperature",
    "derivatives",
    "entropy",
    "equilibrium_volumes",
    "fit_birch_murnaghan",
    "fit_configurations",
    "gibbs_energy",
    "grueneisen_parameter",
    "helmholtz_energy",
    "internal_energy",
    "interval",
    "isobar",
    "isobaric_heat_capacity",
    "isochoric_heat_capacity",
    "log_partition_function",
    "monte_carlo",
    "negative_thermal_expansion",
    "perturbed",
    "phase_diagram",
    "pressure",
    "probabilities",
    "properties",
    "read_configurations",
    "read_electrons",
    "read_energy_volume",
    "reference_volume",
    "refined_temperatures",
    "scan",
    "spinodals",
    "stable_volume",
    "thermal_expansion",
    "variants",
    "vibrational_helmholtz_energy",
]


def __getattr__(name: str) -> Any:
    """Import the module that has `name` when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
