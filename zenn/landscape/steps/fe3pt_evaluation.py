"""What fits of Fe3Pt's free energy say: critical point, isobars, windows of negative thermal expansion.

Inputs: `table`, the folder with `training.csv` and `test.csv` of zenn.materials helmholtz-grid, and the
folder of a fit for every name in `models`. Parameters: `models`; `units`; `evaluation` with, for every
model, its convexity (lambda) and configurations, `main` (the model whose curves are written), `cold_K` and
`convex_K` (above which errors of F and curvatures of F_k count), pressure_GPa (of Eq. 19 and the transition),
pressures_GPa (isobars), isobar_temperatures_K [low, high, step], isotherm_temperatures_K,
configuration_temperatures_K, volumes (of the curves), critical_window_K.

Energies are per atom. Curves are those of the seed with the median loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.constants import elementary_charge

from zenn.csv_table import write_columns
from zenn.errors import InputError, NotConvergedError, NotFoundError
from zenn.given import Given
from zenn.landscape import thermal
from zenn.landscape.assessment import STARTS, without_constants
from zenn.landscape.branches import equal_depth_temperature, zero_curvature_lines
from zenn.landscape.critical import bifurcation_point, zero_eigenvalue_points
from zenn.landscape.isobars import ExpansionWindow, expansion_slopes, isobar, negative_expansion
from zenn.landscape.networks import Zenn
from zenn.landscape.steps._fits import Fits, Rows, read_fits
from zenn.landscape.steps._given import Grid, read_grid
from zenn.landscape.surface import NetworkSurface

Array = NDArray[np.float64]

_NONE = ExpansionWindow(np.nan, np.nan)
GPA = elementary_charge * 1e21  # of 1 eV/Å3


@dataclass(frozen=True)
class _Units:
    """What 1 stands for: K, eV per atom; and a pressure of 1 GPa in reduced energy per Å3."""

    kelvin: float
    electronvolt: float

    @property
    def gigapascal(self) -> float:
        return float(1 / (GPA * self.electronvolt))


@dataclass(frozen=True, eq=False)
class _Task:
    """What is asked of every fit."""

    units: _Units
    test: Grid
    training: Grid
    given: Given

    @property
    def window(self) -> tuple[float, float]:
        return float(self.test.x[0]), float(self.test.x[-1])

    def kelvin(self, name: str) -> Array:
        """A list of temperatures in reduced units."""
        return np.array(self.given.numbers(name)) / self.units.kelvin

    def isobar_temperatures(self) -> Array:
        low, high, step = self.given.numbers("isobar_temperatures_K")
        return np.arange(low, high + step / 2, step) / self.units.kelvin


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write a row per model and seed into `metrics.csv`, `eq19.csv`, `transitions.csv`, `expansion.csv`, and
    the main model's `isotherms.csv`, `isobars.csv`, `zero_lines.csv`, `configurations.csv`, `totals.csv`."""
    torch.set_num_threads(1)
    fits, given, scale = read_fits(params, inputs), params.group("evaluation"), params.group("units")
    units = _Units(scale.number("temperature_K"), scale.number("energy_eV_per_atom"))
    test = read_grid(inputs["table"] / "test.csv", scale)
    training = read_grid(inputs["table"] / "training.csv", scale, weights=True)
    task = _Task(units, test, training, given)
    described = {"configurations": given.integers("configurations"), "convexity": given.numbers("convexity")}
    for name, values in described.items():
        if len(values) != len(fits):
            found = f"{len(values)} entries"
            raise InputError("parameters", f"evaluation.{name}", found, f"one for each of {len(fits)} models")
    tables = {name: Rows() for name in ("metrics", "eq19", "transitions", "expansion")}
    for i, (name, of) in enumerate(fits.items()):
        for seed in of.seeds:
            labels = {
                "model": name,
                **{key: values[i] for key, values in described.items()},
                **of.described(seed),
            }
            tables["metrics"].add(**labels, **_metrics(of, seed, task))
            _add_fixed_pressure(tables, labels, of, seed, task)
            _add_expansion(tables["expansion"], labels, of, seed, task)
    main = given.choice("main", [*fits])
    for name, rows in {**tables, **_curves(fits[main], fits[main].median_seed, task)}.items():
        write_columns(out / f"{name}.csv", rows.columns)


def _metrics(of: Fits, seed: str, task: _Task) -> dict[str, float]:
    """Critical point, errors of F and S, curvatures of the configurations; NaN where there is none."""
    units, test, surface = task.units, task.test, of.surface(seed)
    M, N = len(test.temperatures), len(test.x)
    x, T = np.tile(test.x, M), np.repeat(test.temperatures, N)
    off = without_constants(surface.derivatives(x, T, 0)[0].reshape(M, N) - test.values["F"])
    largest = np.abs(off).max(axis=1) * units.electronvolt
    kelvin = test.temperatures * units.kelvin
    warm = kelvin >= task.given.number("cold_K")
    constant = _constants(surface, task)
    entropy = thermal.entropy(surface, constant, x, T).reshape(M, N)
    own = _configurations(of, seed, x, T)
    lowest = own.curvatures.min(axis=0).reshape(M, N).min(axis=1) * units.electronvolt
    per_atom = units.electronvolt / units.kelvin
    low, high = (np.array(task.given.pair("critical_window_K")) / units.kelvin).tolist()
    try:
        point = bifurcation_point(surface, task.window, (low, high))
        where = point.temperature * units.kelvin, -point.slope / units.gigapascal, point.x
    except (NotFoundError, NotConvergedError):
        where = (np.nan,) * 3
    return {
        "temperature_K": where[0],
        "pressure_GPa": where[1],
        "volume_A3_per_atom": where[2],
        "largest_F_error_eV_per_atom": float(largest[warm].max()),
        "largest_F_error_at_coldest_eV_per_atom": float(largest[0]),
        "coldest_K": float(kelvin[0]),
        "largest_S_error_eV_per_K_per_atom": float(np.abs(entropy - test.values["S"])[warm].max() * per_atom),
        "largest_eq1_S_error_eV_per_K_per_atom": float(
            np.abs(own.total_entropy.reshape(M, N) - test.values["S"])[warm].max() * per_atom
        ),
        "lowest_curvature_eV_per_A6": float(lowest[kelvin >= task.given.number("convex_K")].min()),
        "lowest_curvature_at_coldest_eV_per_A6": float(lowest[0]),
    }


def _constants(surface: NetworkSurface, task: _Task) -> Any:
    data = task.training
    assert data.weights is not None
    return thermal.constants(surface, data.x, data.weights, data.temperatures, data.values["F"])


def _configurations(of: Fits, seed: str, x: Array, T: Array) -> thermal.ConfigurationValues:
    assert isinstance(of.network, Zenn)
    return thermal.ConfigurationValues(of.network, of.parameters[seed], x, T)


def _add_fixed_pressure(
    tables: Mapping[str, Rows], labels: Mapping[str, Any], of: Fits, seed: str, task: _Task
) -> None:
    """Roots of Eq. 19 and the first-order transition at one pressure: no critical point of either kind."""
    units, pressure = task.units, task.given.number("pressure_GPa")
    surface = of.surface(seed, pressure * units.gigapascal)
    low, high = (np.array(task.given.pair("critical_window_K")) / units.kelvin).tolist()
    roots = zero_eigenvalue_points(surface, [task.window], (low, high), starts=STARTS)
    solved = [(root.temperature * units.kelvin, float(root.x[0]), root.residual) for root in roots]
    for temperature, volume, residual in solved or [(np.nan,) * 3]:
        tables["eq19"].add(
            **labels,
            pressure_GPa=pressure,
            temperature_K=temperature,
            volume_A3_per_atom=volume,
            residual=residual,
        )
    try:
        T, small, large = equal_depth_temperature(surface, task.window, (low, high))
    except NotFoundError:
        T, small, large = (np.nan,) * 3
    tables["transitions"].add(
        **labels,
        pressure_GPa=pressure,
        temperature_K=T * units.kelvin,
        small_volume_A3_per_atom=small,
        large_volume_A3_per_atom=large,
    )


def _add_expansion(rows: Rows, labels: Mapping[str, Any], of: Fits, seed: str, task: _Task) -> None:
    """Windows of negative thermal expansion on every isobar, with the lowest expansion on it."""
    units, T = task.units, task.isobar_temperatures()
    for pressure in task.given.numbers("pressures_GPa"):
        surface = of.surface(seed, pressure * units.gigapascal)
        volumes = isobar(surface, T, task.window)
        known = np.isfinite(volumes)
        slopes = expansion_slopes(surface, volumes[known], T[known]) / volumes[known] / units.kelvin
        try:
            windows = negative_expansion(surface, T, volumes, task.window) or (_NONE,)
        except NotConvergedError:  # a poor fit; its row says that there is none
            windows = (_NONE,)
        for low, high in windows:
            rows.add(
                **labels,
                pressure_GPa=pressure,
                low_K=low * units.kelvin,
                high_K=high * units.kelvin,
                lowest_expansion_per_K=float(slopes.min()) if len(slopes) else np.nan,
            )


def _curves(of: Fits, seed: str, task: _Task) -> dict[str, Rows]:
    """Everything that is drawn of one fit."""
    units, given = task.units, task.given
    surface, constant = of.surface(seed), _constants(of.surface(seed), task)
    V = np.linspace(*task.window, given.integer("volumes"))
    rows = {name: Rows() for name in ("isotherms", "isobars", "configurations", "totals")}
    rows["zero_lines"] = Rows("line", "temperature_K", "volume_A3_per_atom")  # there may be none
    fixed = given.number("pressure_GPa") * units.gigapascal
    for T in task.kelvin("isotherm_temperatures_K"):
        F = surface.derivatives(V, T, 0)[0] + constant(T)
        rows["isotherms"].add_many(
            temperature_K=T * units.kelvin,
            volume_A3_per_atom=V,
            helmholtz_eV_per_atom=F * units.electronvolt,
            helmholtz_plus_PV_eV_per_atom=(F + fixed * V) * units.electronvolt,
        )
    T = task.isobar_temperatures()
    for pressure in given.numbers("pressures_GPa"):
        volumes = isobar(of.surface(seed, pressure * units.gigapascal), T, task.window)
        rows["isobars"].add_many(
            pressure_GPa=pressure, temperature_K=T * units.kelvin, volume_A3_per_atom=volumes
        )
    for i, line in enumerate(zero_curvature_lines(surface, T, task.window)):
        rows["zero_lines"].add_many(
            line=i, temperature_K=line.temperatures * units.kelvin, volume_A3_per_atom=line.x
        )
    per_kelvin = units.electronvolt / units.kelvin
    for T in task.kelvin("configuration_temperatures_K"):
        own, F = _configurations(of, seed, V, T), surface.derivatives(V, T, 0)[0] + constant(T)
        for k in range(len(own.energies)):
            rows["configurations"].add_many(
                temperature_K=T * units.kelvin,
                configuration=k + 1,
                volume_A3_per_atom=V,
                helmholtz_eV_per_atom=(own.free_energies[k] + constant(T)) * units.electronvolt,
                entropy_eV_per_K_per_atom=own.entropies[k] * per_kelvin,
                probability=own.probabilities[k],
            )
        rows["totals"].add_many(
            temperature_K=T * units.kelvin,
            volume_A3_per_atom=V,
            helmholtz_eV_per_atom=F * units.electronvolt,
            entropy_eV_per_K_per_atom=thermal.entropy(surface, constant, V, T) * per_kelvin,
            eq1_entropy_eV_per_K_per_atom=own.total_entropy * per_kelvin,
        )
    return rows
