"""`zenn materials plot`: every figure that a folder of results has the tables for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zenn.commands.results import METADATA, check_out, progress, results_folder, write_metadata
from zenn.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    Drawn = tuple[str, Figure, pd.DataFrame]

FIT = ("points", "curves")
GRID = ("properties",)
DIAGRAM = (
    "isobars",
    "binodals",
    "spinodals",
    "critical_points",
    "crossover",
    "isobar_properties",
    "isobar_configurations",
)
ALONG_ISOBARS = {
    "thermal_expansion": "thermal_expansion_per_K",
    "heat_capacity": "isobaric_heat_capacity_eV_per_K_per_atom",
    "bulk_modulus": "bulk_modulus_GPa",
}


def run_plot(folder: Path, out: Path) -> None:
    """Draw the figures of `folder` into `out`.

    Raises
    ------
    InputError : the folder holds no results, or a table of it cannot be read.
    """
    check_out(out)
    if not folder.is_dir():
        raise InputError(folder, "", "no such folder", "a folder of results")
    kinds = (FIT, GRID, DIAGRAM)
    names = next((kind for kind in kinds if all(_file(folder, name).is_file() for name in kind)), None)
    if names is None:
        expected = "what zenn materials fit-eos, free-energy or phase-diagram writes"
        raise InputError(folder, "", "no results that can be drawn", expected)
    with progress("drawing"):
        from zenn.plots.style import save

        tables = {name: _read(_file(folder, name)) for name in names}
        draw = {FIT: _of_fit, GRID: _of_grid, DIAGRAM: _of_diagram}[names]
        try:
            drawn = draw(tables)
        except KeyError as error:
            expected = "the columns that this version of zenn writes"
            raise InputError(folder, "", f"a table without the column {error}", expected) from error
        with results_folder(out) as place:
            for name, figure, numbers in drawn:
                save(figure, numbers, place, name)
            described = folder / METADATA
            files = [_file(folder, name) for name in names] + [described] * described.is_file()
            write_metadata(place, "plot", files, {"folder": str(folder)})
    for name, _, _ in drawn:
        print(out / f"{name}.png")


def _of_fit(tables: dict[str, pd.DataFrame]) -> Sequence[Drawn]:
    from zenn.plots import user_materials as plots

    table = plots.energy_volume_table(tables["points"], tables["curves"])
    return [("energy_volume", plots.energy_volume(table), table)]


def _of_grid(tables: dict[str, pd.DataFrame]) -> Sequence[Drawn]:
    from zenn.plots import user_materials as plots

    table = plots.isotherms_table(tables["properties"])
    columns = {"helmholtz_energy": "helmholtz_eV_per_atom", "pressure": "pressure_GPa"}
    return [(name, plots.isotherms(table, column), table) for name, column in columns.items()]


def _of_diagram(tables: dict[str, pd.DataFrame]) -> Sequence[Drawn]:
    from zenn.plots import user_materials as plots

    drawn: list[Drawn] = []
    for name, column, table in (
        ("volume_temperature", plots.VOLUME, plots.volume_temperature_table(tables)),
        ("pressure_temperature", plots.PRESSURE, plots.pressure_temperature_table(tables)),
    ):
        if len(table):
            drawn.append((name, plots.phase_lines(table, column), table))
    along = plots.along_isobars_table(tables["isobar_properties"])
    for name, column in ALONG_ISOBARS.items():
        drawn.append((name, plots.along_isobars(along, column), along))
    for pressure in tables["isobar_configurations"]["isobar_GPa"].unique():
        table = plots.probabilities_table(tables["isobar_configurations"], pressure)
        drawn.append((f"probabilities_{pressure:.10g}_GPa", plots.probabilities(table), table))
    return drawn


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.csv"


def _read(path: Path) -> pd.DataFrame:
    """A table; names that look like numbers or like 'NA' stay names."""
    import pandas as pd

    try:
        return pd.read_csv(
            path,
            dtype={"configuration": str},
            keep_default_na=False,
            na_values=["nan"],
        )
    except (ValueError, UnicodeDecodeError) as error:  # pandas' own errors of parsing are ValueErrors
        raise InputError(path, "", f"a table that cannot be read ({error})", "a CSV table of zenn") from error
