"""Energy-volume points from a CSV table, phonopy's `e-v.dat`, VASP runs or a list of these files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zenn.commands.results import progress
from zenn.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zenn.materials import EnergyVolumePoints

Format = Literal["csv", "phonopy", "vasp"]

PATH = "path"
"""The column of a list of files; its others are `configuration` and `degeneracy`."""


@dataclass(frozen=True)
class _Configuration:
    """One configuration and where its points are."""

    name: str
    degeneracy: float
    paths: tuple[Path, ...]


def read_points(
    paths: Sequence[Path],
    file_format: Format | None,
    atoms: int | None,
    name: str | None,
    degeneracy: int | None,
) -> tuple[EnergyVolumePoints, list[Path]]:
    """The points and every file that was read for them.

    Raises
    ------
    InputError : a file cannot be read or used, its kind is not known, or an option is missing or idle.
    """
    if atoms is not None and atoms < 1:
        raise InputError("argument --atoms", "", atoms, "an integer of 1 or more")
    for path in paths:
        if not path.exists():
            raise InputError(path, "", "no such file or folder", "a file or a folder")
    tables = [path for path in paths if file_format == "csv" or _is_table(path)]
    if not tables:
        return _read_one(paths, file_format, atoms, name, degeneracy)
    if len(paths) > 1:
        found = f"{len(paths)} files, {tables[0]} among them"
        expected = "one CSV table"
        raise InputError("argument POINTS", "", found, expected, "Put all configurations into one table")
    for option, value in (("--name", name), ("--degeneracy", degeneracy)):
        if value is not None:
            expected = f"no {option} beside a CSV table"
            raise InputError(f"argument {option}", "", value, expected, "The table has a column for it")
    return _read_table(paths[0], file_format, atoms)


def _read_table(
    path: Path, file_format: Format | None, atoms: int | None
) -> tuple[EnergyVolumePoints, list[Path]]:
    """The points in a table, or in the files that it lists."""
    from zenn.csv_table import read_header
    from zenn.materials.energy_volume import read_energy_volume

    header = read_header(path)
    if PATH not in header:
        if file_format in ("phonopy", "vasp"):
            expected = f"a table with a column {PATH!r}, beside --format {file_format}"
            raise InputError(path, "", f"the columns {', '.join(header)}", expected)
        return read_energy_volume(path, atoms), [path]
    if file_format == "csv":
        expected = "points in the table itself, as --format csv says"
        raise InputError(path, "", f"a column {PATH!r}", expected, "Leave --format out for a list of files")
    points, files = _read(_listed(path), file_format, atoms, path)
    return points, [path, *files]


def _read_one(
    paths: Sequence[Path],
    file_format: Format | None,
    atoms: int | None,
    name: str | None,
    degeneracy: int | None,
) -> tuple[EnergyVolumePoints, list[Path]]:
    """The points of one configuration that has its name from the command line."""
    for path in paths:
        file_format or _kind(path)  # an unknown file is said before a missing name
    if name is None:
        hint = "For several configurations give a CSV table that lists their files; see --help"
        raise InputError(
            "argument --name", "", "nothing", "the name of the configuration, e.g. --name FM", hint
        )
    source: Path | str = paths[0] if len(paths) == 1 else f"{len(paths)} files"
    one = _Configuration(name, 1 if degeneracy is None else degeneracy, tuple(paths))
    return _read([one], file_format, atoms, source)


def _read(
    configurations: Sequence[_Configuration],
    file_format: Format | None,
    atoms: int | None,
    source: Path | str,
) -> tuple[EnergyVolumePoints, list[Path]]:
    """Read the files of every configuration."""
    import numpy as np

    from zenn.materials import EnergyVolumePoints

    files: list[Path] = []
    volumes, energies, places = [], [], []
    with progress("reading", sum(len(one.paths) for one in configurations)) as done:
        for one in configurations:
            read = []
            for path in one.paths:
                kind = file_format or _kind(path)
                V, E = _phonopy(path, atoms) if kind == "phonopy" else _vasp(path, atoms)
                read.append(
                    (V, E, [f"{path}, point {i + 1}" if len(V) > 1 else str(path) for i in range(len(V))])
                )
                files += [path] if kind == "phonopy" else _files_of_run(path)
                done(len(files))
            volumes.append(np.concatenate([V for V, _, _ in read]))
            energies.append(np.concatenate([E for _, E, _ in read]))
            places.append(tuple(place for _, _, found in read for place in found))
    points = EnergyVolumePoints(
        names=tuple(one.name for one in configurations),
        degeneracies=np.array([one.degeneracy for one in configurations], dtype=float),
        volumes=tuple(volumes),
        energies=tuple(energies),
        source=source,
        places=tuple(places),
    )
    return points, list(dict.fromkeys(files))


def _phonopy(path: Path, atoms: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from zenn.readers.phonopy import read_phonopy_energy_volume

    if atoms is None:
        hint = f"{path} has volumes and energies of a cell and does not say how many atoms it has"
        raise InputError("argument --atoms", "", "nothing", "the number of atoms in the cell", hint)
    return read_phonopy_energy_volume(path, atoms)


def _vasp(path: Path, atoms: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from zenn.readers.vasp import read_vasp

    run = read_vasp([path])
    if atoms is not None and run.atoms != atoms:
        raise InputError(path, "", f"{run.atoms} atoms", f"{atoms}, as --atoms says")
    return run.volumes, run.energies


def _listed(path: Path) -> list[_Configuration]:
    """The configurations of a list of files; relative paths count from where the list is."""
    from zenn.csv_table import TextColumn, read_table
    from zenn.materials.configurations import DEGENERACY, NAME

    table = read_table(path, (NAME, DEGENERACY, TextColumn(PATH)))
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(table.names[NAME.name]):
        rows_of.setdefault(name, []).append(row)
    degeneracies = table.numbers[DEGENERACY.name]
    for rows in rows_of.values():
        for row in rows:
            if degeneracies[row] != degeneracies[rows[0]]:
                found = f"{degeneracies[row]:g}"
                expected = f"{degeneracies[rows[0]]:g}, as on line {table.lines[rows[0]]}"
                raise InputError(path, table.place(row, DEGENERACY.name), found, expected)
            if not (path.parent / table.names[PATH][row]).exists():
                found = f"{table.names[PATH][row]}, which is not there"
                expected = "a file or a folder, counted from the folder of the list"
                raise InputError(path, table.place(row, PATH), found, expected)
    return [
        _Configuration(
            name, float(degeneracies[rows[0]]), tuple(path.parent / table.names[PATH][row] for row in rows)
        )
        for name, rows in rows_of.items()
    ]


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _kind(path: Path) -> Format:
    """What a file is, by its name."""
    name = path.name.lower()
    if path.is_dir() or "vasprun" in name or "oszicar" in name:
        return "vasp"
    if path.suffix.lower() == ".dat":
        return "phonopy"
    expected = "a .csv table, phonopy's e-v.dat, or a VASP run (folder, vasprun.xml or OSZICAR)"
    raise InputError(path, "", f"a file named {path.name!r}", expected, "Say what it is with --format")


def _files_of_run(path: Path) -> list[Path]:
    """The files that a VASP run was read from."""
    from zenn.readers.vasp import PACKED

    def packed(folder: Path, names: Sequence[str]) -> list[Path]:
        files = [folder / f"{name}{end}" for name in names for end in PACKED]
        return [file for file in files if file.is_file() and file.stat().st_size > 0]

    if path.is_dir():
        return packed(path, ["vasprun.xml"])[:1] or packed(path, ["OSZICAR", "CONTCAR", "POSCAR"])
    if "oszicar" in path.name.lower():
        return [path, *packed(path.parent, ["CONTCAR", "POSCAR"])]
    return [path]
