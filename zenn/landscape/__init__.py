"""Networks that recover energies, entropies and critical points from an energy landscape.

Names are imported when they are asked for: `import zenn.landscape` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenn.landscape.branches import (
        Curve,
        StationaryPoints,
        equal_depth_temperature,
        stationary_branches,
        stationary_points,
        zero_curvature_lines,
    )
    from zenn.landscape.critical import (
        CriticalPoint,
        ZeroEigenvaluePoint,
        bifurcation_point,
        critical_points,
        zero_eigenvalue_point,
        zero_eigenvalue_points,
    )
    from zenn.landscape.fitting import (
        Settings,
        fit,
    )
    from zenn.landscape.grids import (
        grid_weights,
    )
    from zenn.landscape.landscapes import (
        Landscape,
        bifurcation_energy,
        quadrature,
        three_wells_energy,
    )
    from zenn.landscape.losses import (
        Weights,
    )
    from zenn.landscape.model import (
        FittedLandscape,
        LandscapeModel,
    )
    from zenn.landscape.networks import (
        ConvexNetwork,
        Perceptron,
        Zenn,
    )
    from zenn.landscape.reduced import (
        density_temperatures,
    )
    from zenn.landscape.saved_model import (
        load_model,
        save_model,
    )
    from zenn.landscape.selection import (
        Selection,
        select,
    )
    from zenn.landscape.surface import (
        NetworkSurface,
        SeriesSurface,
        Surface,
    )
    from zenn.landscape.table import (
        LandscapeTable,
        read_landscape,
    )

_HOMES = {
    "branches": (
        "Curve",
        "StationaryPoints",
        "equal_depth_temperature",
        "stationary_branches",
        "stationary_points",
        "zero_curvature_lines",
    ),
    "critical": (
        "CriticalPoint",
        "ZeroEigenvaluePoint",
        "bifurcation_point",
        "critical_points",
        "zero_eigenvalue_point",
        "zero_eigenvalue_points",
    ),
    "fitting": (
        "Settings",
        "fit",
    ),
    "grids": ("grid_weights",),
    "landscapes": (
        "Landscape",
        "bifurcation_energy",
        "quadrature",
        "three_wells_energy",
    ),
    "losses": ("Weights",),
    "model": (
        "FittedLandscape",
        "LandscapeModel",
    ),
    "networks": (
        "ConvexNetwork",
        "Perceptron",
        "Zenn",
    ),
    "reduced": ("density_temperatures",),
    "saved_model": (
        "load_model",
        "save_model",
    ),
    "selection": (
        "Selection",
        "select",
    ),
    "surface": (
        "NetworkSurface",
        "SeriesSurface",
        "Surface",
    ),
    "table": (
        "LandscapeTable",
        "read_landscape",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ConvexNetwork",
    "CriticalPoint",
    "Curve",
    "FittedLandscape",
    "Landscape",
    "LandscapeModel",
    "LandscapeTable",
    "NetworkSurface",
    "Perceptron",
    "Selection",
    "SeriesSurface",
    "Settings",
    "StationaryPoints",
    "Surface",
    "Weights",
    "Zenn",
    "ZeroEigenvaluePoint",
    "bifurcation_energy",
    "bifurcation_point",
    "critical_points",
    "density_temperatures",
    "equal_depth_temperature",
    "fit",
    "grid_weights",
    "load_model",
    "quadrature",
    "read_landscape",
    "save_model",
    "select",
    "stationary_branches",
    "stationary_points",
    "three_wells_energy",
    "zero_curvature_lines",
    "zero_eigenvalue_point",
    "zero_eigenvalue_points",
]


def __getattr__(name: str) -> Any:
    """Import the module that has `name` when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
