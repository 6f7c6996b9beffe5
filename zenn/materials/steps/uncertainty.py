"""What the rounding of the printed table leaves open: a Monte Carlo of phase diagrams.

Input: as for phase-diagram. Parameters: `material` and `phase_diagram` as for phase-diagram; `uncertainty`
with samples and seed. How many digits are printed is read off the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import write_columns
from zenn.files import write_json
from zenn.given import Given
from zenn.materials.configurations import printed_decimals
from zenn.materials.diagram import PhaseDiagram
from zenn.materials.steps._material import read_material
from zenn.materials.steps.phase_diagram import diagram_of
from zenn.materials.uncertainty import Samples, interval, monte_carlo, turning_points_of
from zenn.progress import Progress

Array = NDArray[np.float64]

FILES = ("samples.csv", "transition_pressures.csv", "uncertainty.json")


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `FILES`.

    Raises
    ------
    NotFoundError : the material has no critical point whose rounding could be propagated.
    """
    material = read_material(params, inputs)
    group, settings = params.group("phase_diagram"), params.group("uncertainty")
    diagram = diagram_of(material, group)
    number, seed = settings.integer("samples"), settings.integer("seed")
    decimals = printed_decimals(inputs["configurations"])
    with Progress("phase diagrams", number) as progress:
        samples = monte_carlo(material, diagram, decimals, number, seed, progress.update)
    write_uncertainty(samples, diagram, decimals, seed, out)


def write_uncertainty(
    samples: Samples, diagram: PhaseDiagram, decimals: Sequence[int], seed: int, out: Path
) -> None:
    """Write `FILES` into a folder: samples of `diagram`, drawn with `seed` for a table of so many decimals.

    Raises
    ------
    NotFoundError : of a number fewer than two samples were solved.
    """
    turns = turning_points_of(diagram)
    names = [f"turning_point_{turn.pressure:.10g}_GPa_near_{turn.temperature:.1f}_K" for turn in turns]
    names_of_point = ("temperature_K", "pressure_GPa", "volume_A3_per_atom")
    critical = dict(zip(names_of_point, samples.critical_points.T, strict=True))
    summary = {
        "samples": len(samples.critical_points),
        "seed": seed,
        "printed_decimals": dict(zip(("V0", "E0", "B0", "B'"), decimals, strict=True)),
        "critical_point": {name: asdict(interval(values)) for name, values in critical.items()},
        "negative_thermal_expansion": [
            {
                "pressure_GPa": turn.pressure,
                "turning_point_K": turn.temperature,
                **_interval_or_none(samples.turning_temperatures[:, i]),
            }
            for i, turn in enumerate(turns)
        ],
    }
    _write_samples(samples, names, out)
    write_json(out / "uncertainty.json", summary)


def _write_samples(samples: Samples, names: list[str], out: Path) -> None:
    """Every sample's critical point and turning points; quantiles of the first-order line."""
    write_columns(
        out / "samples.csv",
        {
            "temperature_K": samples.critical_points[:, 0],
            "pressure_GPa": samples.critical_points[:, 1],
            "volume_A3_per_atom": samples.critical_points[:, 2],
            **{f"{name}_K": samples.turning_temperatures[:, i] for i, name in enumerate(names)},
        },
    )
    enough = samples.temperatures < np.nanmin(samples.critical_points[:, 0])  # above, only some have a line
    enough &= np.isfinite(samples.transition_pressures).sum(axis=0) > 1
    found = [interval(samples.transition_pressures[:, i]) for i in np.flatnonzero(enough)]
    write_columns(
        out / "transition_pressures.csv",
        {
            "temperature_K": samples.temperatures[enough],
            "low_GPa": [x.low for x in found],
            "median_GPa": [x.median for x in found],
            "high_GPa": [x.high for x in found],
            "solved": [x.solved for x in found],
        },
    )


def _interval_or_none(values: Array) -> dict[str, float | int | None]:
    """The interval of the samples that are numbers; nothing but their number where it is below two."""
    solved = int(np.isfinite(values).sum())
    if solved < 2:
        return {"low": None, "median": None, "high": None, "standard_deviation": None, "solved": solved}
    return asdict(interval(values))
