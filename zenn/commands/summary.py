"""What a verb says of its results on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from zenn.files import read_json

if TYPE_CHECKING:
    from zenn.materials import Configurations, FitQuality, Isobar, NegativeThermalExpansion, PhaseDiagram


def show_folder(out: Path) -> None:
    """Where the results are."""
    print(f"results in {out}")


def show_fit(found: Configurations, qualities: Sequence[FitQuality]) -> None:
    """A row per configuration."""
    rows = [
        (
            quality.name,
            f"{found.degeneracies[i]:g}",
            f"{found.equilibrium_volumes[i]:.4f}",
            f"{found.equilibrium_energies[i]:.5f}",
            f"{found.bulk_moduli[i]:.2f}",
            f"{found.bulk_modulus_derivatives[i]:.2f}",
            f"{quality.rms_residual:.2g}",
        )
        for i, quality in enumerate(qualities)
    ]
    names = ("configuration", "g", "V0 Å3/atom", "E0 eV/atom", "B0 GPa", "B'", "rms meV/atom")
    show_table(f"{len(rows)} configurations", names, rows)


def show_diagram(found: PhaseDiagram, temperatures: tuple[float, float], window: tuple[float, float]) -> None:
    """Critical points, lines, transitions and negative thermal expansion; in words where there is none."""
    (cold, hot), (low, high) = temperatures, window
    where = f"between {cold:g} and {hot:g} K, {low:.4g} and {high:.4g} Å3 per atom"
    if found.critical_points:
        rows = [
            (f"{point.temperature:.3f}", f"{point.pressure:.4f}", f"{point.volume:.5f}")
            for point in found.critical_points
        ]
        show_table("critical points", ("T K", "P GPa", "V Å3/atom"), rows)
    else:
        print(f"no critical point {where}")
    if found.binodals or found.spinodals:
        print(f"first-order lines (binodals): {len(found.binodals)}, spinodals: {len(found.spinodals)}")
    else:
        print("no first-order line and no spinodal there")
    if found.crossover:
        line = found.crossover
        print(
            f"the ground state {line.configuration!r} has the probability {line.level:g} on a line from "
            f"{line.temperatures[0]:g} to {line.temperatures[-1]:g} K (no phase transition)"
        )
    for path in found.isobars:
        _show_isobar(path, found.negative_thermal_expansion)


def _show_isobar(path: Isobar, expansion: Sequence[NegativeThermalExpansion]) -> None:
    """Transitions and negative thermal expansion at one pressure."""
    pressure, T, V = f"{path.pressure:g} GPa", path.temperatures, path.volumes
    print(f"at {pressure}: {V[0]:.4f} Å3 per atom at {T[0]:g} K, {V[-1]:.4f} Å3 per atom at {T[-1]:g} K")
    if path.transitions:
        rows: list[tuple[str, ...]] = [
            (
                f"{one.temperature:.3f}",
                f"{one.volume_below:.5f}",
                f"{one.volume_above:.5f}",
                f"{1000 * one.latent_heat:.4g}",
            )
            for one in path.transitions
        ]
        jump = ("T K", "V below Å3/atom", "V above Å3/atom", "latent heat meV/atom")
        show_table(f"first-order transitions at {pressure}", jump, rows)
    else:
        print(f"no first-order transition at {pressure}")
    windows = [
        (
            f"{one.low:.2f}",
            f"{one.high:.2f}",
            f"{one.strongest:.3g}",
            f"{one.strongest_temperature:g}",
            one.low_end if one.low_end == one.high_end else f"{one.low_end}, {one.high_end}",
        )
        for one in expansion
        if one.pressure == path.pressure
    ]
    if windows:
        names = ("from K", "to K", "strongest 1/K", "at K", "ends")
        show_table(f"negative thermal expansion at {pressure}", names, windows)
    else:
        print(f"no negative thermal expansion at {pressure}")


def show_uncertainty(path: Path, said: str) -> None:
    """The central 95 % of the critical point and of the turning points."""
    if not path.exists():
        print(f"rounding {said}")
        return
    found = read_json(path)
    rows = [
        (label, *(_number(values[name]) for name in ("low", "median", "high")), str(values["solved"]))
        for label, values in (
            ("critical T K", found["critical_point"]["temperature_K"]),
            ("critical P GPa", found["critical_point"]["pressure_GPa"]),
            ("critical V Å3/atom", found["critical_point"]["volume_A3_per_atom"]),
            *(
                (f"volume turns at {turn['pressure_GPa']:g} GPa, T K", turn)
                for turn in found["negative_thermal_expansion"]
            ),
        )
    ]
    title = f"what rounding leaves open, {found['samples']} samples"
    show_table(title, ("quantity", "2.5 %", "median", "97.5 %", "samples that have it"), rows)


def _number(value: float | None) -> str:
    """Five digits, or a dash for what too few samples have."""
    return "-" if value is None else f"{value:.5g}"


def show_table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of texts, numbers to the right."""
    table = Table(title=title, title_justify="left", highlight=False)
    for name in names:
        text = name in ("configuration", "quantity", "ends", "Jacobian", "one minimum becomes two")
        table.add_column(name, justify="left" if text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    Console().print(table)
