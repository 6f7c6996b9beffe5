"""Free energy and entropy of every configuration against volume, and probabilities along isobars.

Input: as for phase-diagram. Parameters: `material` as for critical-point; `configuration_properties` with
temperature (K), pressures (GPa), volume_window (Å3/atom), volumes, and probability_temperatures (K,
increasing).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zenn.csv_table import write_columns
from zenn.given import Given
from zenn.materials import columns
from zenn.materials.boundaries import refined_temperatures
from zenn.materials.critical import critical_points
from zenn.materials.isobars import isobar
from zenn.materials.scanning import scan
from zenn.materials.steps._material import read_material
from zenn.materials.thermodynamics import properties


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `configurations.csv`, `mixture.csv` (Fig. 4c), `probabilities.csv` and `properties.csv`."""
    material = read_material(params, inputs)
    settings = params.group("configuration_properties")
    window = settings.pair("volume_window")
    names = material.configurations.names
    volumes = np.linspace(*window, settings.integer("volumes"))
    against_volume = properties(material, volumes, settings.number("temperature"))
    write_columns(out / "configurations.csv", columns.configuration_columns(against_volume, names))
    write_columns(out / "mixture.csv", columns.property_columns(against_volume))

    T = np.array(settings.numbers("probability_temperatures"))
    points = critical_points(material, (max(T[0], 1.0), T[-1]), window)
    found = scan(material, refined_temperatures(T, points), window)
    probabilities: list[columns.Columns] = []
    mixtures: list[columns.Columns] = []
    for pressure in settings.numbers("pressures"):
        path = isobar(found, pressure)
        along = properties(material, path.volumes, path.temperatures)
        rows = columns.configuration_columns(along, names)
        isobaric = {"pressure_GPa": np.full(along.probabilities.shape, pressure)}
        probabilities.append({**isobaric, **rows})
        # The pressure of the isobar, as given, beside the one that each state has.
        mixtures.append(
            {"isobar_GPa": np.full(len(path.volumes), pressure), **columns.property_columns(along)}
        )
    write_columns(out / "probabilities.csv", _stacked(probabilities))
    write_columns(out / "properties.csv", _stacked(mixtures))


def _stacked(tables: list[columns.Columns]) -> columns.Columns:
    """Tables of the same columns, one below the other."""
    return {name: np.concatenate([np.ravel(table[name]) for table in tables]) for name in tables[0]}
