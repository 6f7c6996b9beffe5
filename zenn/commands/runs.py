"""What the verbs of `zenn materials` do with their options: read, compute, write, say what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands import summary
from zenn.commands.given_material import check_volumes, default_window
from zenn.commands.points import Format, read_points
from zenn.commands.ranges import read_temperatures, read_volumes, read_window
from zenn.commands.results import (
    GrowingTable,
    check_out,
    note,
    progress,
    results_folder,
    write_metadata,
)
from zenn.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from zenn.materials import Material, PhaseDiagram

Given = Callable[[], "tuple[Material, list[Path], dict[str, Any]]"]

MOST_ROWS = 10_000_000
"""Of configurations.csv, about one gigabyte."""

MOST_SCANNED = 100_000
"""Temperatures times configurations of a phase diagram, about 6 gigabytes of memory."""

CHUNK = 20_000
"""States times configurations that are computed at once."""

CURVE = 101
"""Volumes of a fitted curve."""

FULL_DIGITS = 9
FEW_SAMPLES = 40
"""So many decimals are not a table rounded for print."""


def run_fit(
    paths: Sequence[Path],
    out: Path,
    atoms: int | None,
    file_format: Format | None,
    name: str | None,
    degeneracy: int | None,
) -> None:
    """`fit-eos`."""
    check_out(out)
    points, files = read_points(paths, file_format, atoms, name, degeneracy)
    import numpy as np

    from zenn.csv_table import write_columns
    from zenn.materials import birch_murnaghan_energy, fit_configurations
    from zenn.materials.energy_volume import write_configurations

    found, qualities = fit_configurations(points)
    fits = np.stack(
        [
            found.equilibrium_volumes,
            found.equilibrium_energies,
            found.bulk_moduli,
            found.bulk_modulus_derivatives,
        ],
        axis=-1,
    )
    fitted = [birch_murnaghan_energy(V, *fit) for V, fit in zip(points.volumes, fits, strict=True)]
    volumes = [np.linspace(V.min(), V.max(), CURVE) for V in points.volumes]
    curves = [birch_murnaghan_energy(V, *fit) for V, fit in zip(volumes, fits, strict=True)]
    energies = np.concatenate(points.energies)
    with results_folder(out) as folder:
        write_configurations(folder / "configurations.csv", found)
        write_columns(
            folder / "fit.csv",
            {
                "configuration": [quality.name for quality in qualities],
                "points": [quality.points for quality in qualities],
                "rms_residual_meV_per_atom": [quality.rms_residual for quality in qualities],
                "largest_residual_meV_per_atom": [quality.largest_residual for quality in qualities],
            },
        )
        write_columns(
            folder / "points.csv",
            {
                "configuration": np.repeat(found.names, [V.size for V in points.volumes]),
                "volume_A3_per_atom": np.concatenate(points.volumes),
                "energy_eV_per_atom": energies,
                "fitted_energy_eV_per_atom": np.concatenate(fitted),
                "residual_meV_per_atom": 1000 * (energies - np.concatenate(fitted)),
            },
        )
        write_columns(
            folder / "curves.csv",
            {
                "configuration": np.repeat(found.names, CURVE),
                "volume_A3_per_atom": np.concatenate(volumes),
                "fitted_energy_eV_per_atom": np.concatenate(curves),
            },
        )
        given = {"atoms": atoms, "format": file_format, "name": name, "degeneracy": degeneracy}
        write_metadata(folder, "fit-eos", files, given)
    summary.show_fit(found, qualities)
    summary.show_folder(out)


def run_grid(given: Given, out: Path, temperatures: str, volumes: str | None, count: int) -> None:
    """`free-energy`; `count` volumes unless told otherwise."""
    check_out(out)
    T = read_temperatures(temperatures)
    grid = read_volumes(volumes) if volumes is not None else None
    material, files, parameters = given()
    low, high, number = grid or (*default_window(material.configurations), count)
    check_volumes("--volumes", low, high, material)
    kinds = len(material.configurations)
    if len(T) * number * kinds > MOST_ROWS:
        found = f"{len(T)} temperatures, {number} volumes and {kinds} configurations: "
        found += f"{len(T) * number * kinds} rows"
        hint = "Take larger steps or fewer volumes"
        raise InputError("arguments --temperatures, --volumes", "", found, f"at most {MOST_ROWS} rows", hint)
    import numpy as np

    from zenn.materials import columns, properties

    V = np.linspace(low, high, number)
    at_once = max(1, CHUNK // (number * kinds))
    with results_folder(out) as folder, progress("temperatures", len(T)) as done:
        mixture = GrowingTable(folder / "properties.csv")
        each = GrowingTable(folder / "configurations.csv")
        for start in range(0, len(T), at_once):
            some = np.array(T[start : start + at_once])
            found_there = properties(material, V, some[:, None])
            mixture.add(columns.property_columns(found_there))
            each.add(columns.configuration_columns(found_there, material.configurations.names))
            done(start + len(some))
        parameters |= {"temperatures_K": temperatures, "volumes_A3_per_atom": [low, high, number]}
        write_metadata(folder, "free-energy", files, parameters)
    print(f"{len(T)} temperatures from {T[0]:g} to {T[-1]:g} K, {number} volumes from {low:g} to {high:g} Å3")
    summary.show_folder(out)


def run_diagram(
    given: Given,
    out: Path,
    temperatures: str,
    volume_window: str | None,
    pressures: Sequence[float],
    samples: int,
    seed: int,
) -> None:
    """`phase-diagram`."""
    check_out(out)
    T = read_temperatures(temperatures)
    if len(T) < 2:
        raise InputError("argument --temperatures", "", repr(temperatures), "two or more temperatures")
    window = read_window(volume_window) if volume_window is not None else None
    if samples < 0 or samples == 1:
        raise InputError("argument --samples", "", samples, "2 or more, or 0 for none")
    if seed < 0:
        raise InputError("argument --seed", "", seed, "an integer of 0 or more")
    material, files, parameters = given()
    window = window or default_window(material.configurations)
    check_volumes("--volume-window", *window, material)
    kinds = len(material.configurations)
    if len(T) * kinds > MOST_SCANNED:
        expected = f"at most {MOST_SCANNED // kinds} for {kinds} configurations"
        hint = "Take larger steps: close to critical points temperatures are added anyway"
        raise InputError("argument --temperatures", "", f"{len(T)} temperatures", expected, hint)
    from zenn.materials.configurations import printed_decimals

    decimals = printed_decimals(files[0]) if samples else ()
    from zenn.materials import phase_diagram
    from zenn.materials.steps.phase_diagram import write_phase_diagram

    if len(material.configurations) == 1:
        note("there is one configuration only: nothing mixes, the diagram is that of one phase")
    parameters |= {
        "temperatures_K": temperatures,
        "volume_window_A3_per_atom": window,
        "pressures_GPa": list(dict.fromkeys(pressures)),
        "samples": samples,
        "seed": seed if samples else None,
    }
    with results_folder(out) as folder:
        try:
            with progress("solving the phase diagram"):
                found = phase_diagram(material, T, window, pressures=parameters["pressures_GPa"])
        except NotFoundError as error:
            hint = "Give a --pressure that is covered, or another --volume-window"
            raise NotFoundError(f"{error}. {hint}") from error
        write_phase_diagram(found, folder)
        _write_along_isobars(material, found, folder)
        sampled = _sample(material, found, decimals, samples, seed, folder) if samples else None
        write_metadata(folder, "phase-diagram", files, parameters, uncertainty=sampled)
    summary.show_diagram(found, (T[0], T[-1]), window)
    if sampled:
        summary.show_uncertainty(out / "uncertainty.json", sampled)
    summary.show_folder(out)


def _write_along_isobars(material: Material, found: PhaseDiagram, folder: Path) -> None:
    """All properties at the stable volumes."""
    import numpy as np

    from zenn.materials import columns, properties

    mixture = GrowingTable(folder / "isobar_properties.csv")
    each = GrowingTable(folder / "isobar_configurations.csv")
    for path in found.isobars:
        along = properties(material, path.volumes, path.temperatures)
        shape = along.probabilities.shape
        mixture.add({"isobar_GPa": np.full(shape[0], path.pressure), **columns.property_columns(along)})
        rows = columns.configuration_columns(along, material.configurations.names)
        each.add({"isobar_GPa": np.full(shape, path.pressure), **rows})


def _sample(
    material: Material,
    found: PhaseDiagram,
    decimals: Sequence[int],
    samples: int,
    seed: int,
    folder: Path,
) -> str:
    """Write the files of the uncertainty; what came of it in words."""
    import numpy as np

    from zenn.materials import monte_carlo
    from zenn.materials.steps.uncertainty import write_uncertainty

    if max(decimals) > FULL_DIGITS:
        note(
            f"--samples: the table has up to {max(decimals)} decimals; what rounding leaves open is then "
            "nothing, and says nothing of the error of the fit"
        )
    if samples < FEW_SAMPLES:
        note(f"--samples: {samples} do not know a 95 % interval; take {FEW_SAMPLES} or more")
    try:
        with progress("samples", samples) as done:
            drawn = monte_carlo(material, found, decimals, samples, seed, done)
        write_uncertainty(drawn, found, decimals, seed, folder)
    except NotFoundError as error:
        return f"not sampled: {error}"
    solved = int(np.isfinite(drawn.critical_points[:, 0]).sum())
    return f"{samples} samples, {solved} of them with a critical point"
