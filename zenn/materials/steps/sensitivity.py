"""How the critical point and the negative thermal expansion move with the model's assumptions.

Input: as for phase-diagram. Parameters: `material` and `phase_diagram` as for phase-diagram; `sensitivity`
with the values to try: debye_scalings, grueneisen_xs, atoms, mean_atomic_masses (u), and missing_row with
degeneracy and energies (eV/atom).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from zenn.csv_table import write_columns
from zenn.errors import NotFoundError
from zenn.given import Given
from zenn.materials.isobars import NegativeThermalExpansion
from zenn.materials.sensitivity import variants
from zenn.materials.steps._material import read_material
from zenn.materials.steps.phase_diagram import diagram_of
from zenn.progress import Progress

NAN = float("nan")


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `sensitivity.csv`: a row per variant, empty numbers where it has no such point."""
    material = read_material(params, inputs)
    group, settings = params.group("phase_diagram"), params.group("sensitivity")
    missing = settings.group("missing_row")
    tried = list(
        variants(
            material,
            debye_scalings=settings.numbers("debye_scalings"),
            grueneisen_xs=settings.numbers("grueneisen_xs"),
            atoms=[int(number) for number in settings.numbers("atoms")],
            masses=settings.numbers("mean_atomic_masses"),
            missing_row=(missing.integer("degeneracy"), missing.numbers("energies")),
        )
    )
    pressure = group.numbers("pressures")[0]
    rows = []
    with Progress("variants", len(tried)) as progress:
        for done, variant in enumerate(tried, 1):
            found = diagram_of(variant.material, group)
            try:
                point = found.critical_point()
                solved = (point.temperature, point.pressure, point.volume)
            except NotFoundError:
                solved = (NAN, NAN, NAN)
            window = _window(found.negative_thermal_expansion, pressure)
            rows.append((variant.assumption, variant.value, *solved, *window))
            progress.update(done)
    names = (
        "assumption",
        "value",
        "critical_temperature_K",
        "critical_pressure_GPa",
        "critical_volume_A3_per_atom",
        f"negative_expansion_at_{pressure:g}_GPa_from_K",
        f"negative_expansion_at_{pressure:g}_GPa_to_K",
    )
    write_columns(out / "sensitivity.csv", dict(zip(names, zip(*rows, strict=True), strict=True)))


def _window(windows: Sequence[NegativeThermalExpansion], pressure: float) -> tuple[float, float]:
    """The coldest window at a pressure."""
    found = [window for window in windows if window.pressure == pressure]
    return (found[0].low, found[0].high) if found else (NAN, NAN)
