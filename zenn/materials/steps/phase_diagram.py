"""Solve the phase diagram: critical points, spinodals, binodals, isobars and negative thermal expansion.

Input: `configurations`, a table of configurations (CSV), and, if there is one, `electrons`. Parameters:
`material` as for critical-point; `phase_diagram` with temperatures (K, increasing), volume_window (Å3/atom),
pressures of the isobars (GPa), tolerance and max_iterations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from zenn.csv_table import write_columns
from zenn.files import write_json
from zenn.given import Given
from zenn.materials import columns
from zenn.materials.boundaries import PhaseBoundary
from zenn.materials.diagram import PhaseDiagram, phase_diagram
from zenn.materials.material import Material
from zenn.materials.steps._material import read_material

FILES = (
    "critical_points.csv",
    "binodals.csv",
    "spinodals.csv",
    "isobars.csv",
    "transitions.csv",
    "negative_thermal_expansion.csv",
    "crossover.csv",
    "phase_diagram.json",
)


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `FILES`.

    Raises
    ------
    NotFoundError : no stable volume in the window at one of the pressures.
    """
    material = read_material(params, inputs)
    write_phase_diagram(diagram_of(material, params.group("phase_diagram")), out)


def diagram_of(material: Material, settings: Given) -> PhaseDiagram:
    """The phase diagram that the parameters ask for."""
    return phase_diagram(
        material,
        settings.numbers("temperatures"),
        settings.pair("volume_window"),
        pressures=settings.numbers("pressures"),
        tolerance=settings.number("tolerance"),
        max_iterations=settings.integer("max_iterations"),
    )


def write_phase_diagram(found: PhaseDiagram, out: Path) -> None:
    """Write `FILES` into a folder."""
    write_columns(out / "critical_points.csv", columns.critical_point_columns(found.critical_points))
    write_columns(out / "binodals.csv", columns.boundary_columns(found.binodals))
    write_columns(out / "spinodals.csv", columns.boundary_columns(found.spinodals))
    write_columns(out / "isobars.csv", columns.isobar_columns(found.isobars))
    write_columns(out / "transitions.csv", columns.transition_columns(found.isobars))
    windows = columns.negative_thermal_expansion_columns(found.negative_thermal_expansion)
    write_columns(out / "negative_thermal_expansion.csv", windows)
    write_columns(out / "crossover.csv", columns.crossover_columns(found.crossover))
    line = found.crossover
    write_json(
        out / "phase_diagram.json",
        {
            "critical_points": len(found.critical_points),
            "binodals": len(found.binodals),
            "spinodals": len(found.spinodals),
            "largest_binodal_residual": _largest(found.binodals),
            "largest_spinodal_residual": _largest(found.spinodals),
            "crossover": line and {"configuration": line.configuration, "probability": line.level},
        },
    )


def _largest(lines: Sequence[PhaseBoundary]) -> float | None:
    """The largest residual on any line."""
    return max((float(line.residuals.max()) for line in lines), default=None)
