"""Energies, volumes and densities of states of VASP runs, read by pymatgen; everything per atom.

Energies are VASP's `E0`, extrapolated to a smearing of zero ("energy without entropy", sigma -> 0):
Kresse, Furthmueller, Comput. Mater. Sci. 6, 15 (1996), doi:10.1016/0927-0256(96)00008-0. Files may end in
.gz, .bz2 or .xz.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError

Array = NDArray[np.float64]
Result = TypeVar("Result")

PACKED = ("", ".gz", ".bz2", ".xz")


class VaspCurve(NamedTuple):
    """Runs of one configuration.

    volumes in Å3 per atom and energies in eV per atom, shape (N,); atoms in the cell.
    """

    volumes: Array
    energies: Array
    atoms: int


class VaspDensityOfStates(NamedTuple):
    """Electronic density of states of one run.

    volume in Å3 per atom; fermi_energy in eV; energies in eV on VASP's own scale, shape (M,); states per eV
    and atom, both spins together, shape (M,).
    """

    volume: float
    fermi_energy: float
    energies: Array
    states: Array


def read_vasp(paths: Sequence[Path | str]) -> VaspCurve:
    """Volumes and energies of the VASP runs of one configuration, in the order given.

    Parameters
    ----------
    paths : for each run its folder, its `vasprun.xml`, or its `OSZICAR` with `CONTCAR` or `POSCAR` beside it.
        A folder's `vasprun.xml` is preferred: an `OSZICAR` does not say after how many steps VASP gave up, so
        whether that run is converged is not checked.

    Raises
    ------
    InputError
        A file is missing, cut or of another kind, a run is not converged, or runs differ in their number of
        atoms; names the file.
    """
    if not paths:
        raise InputError("argument paths", "", "no paths", "the folders or files of one run or more")
    runs = [_run(Path(path)) for path in paths]
    atoms = runs[0][2]
    for path, run in zip(paths, runs, strict=True):
        if run[2] != atoms:
            raise InputError(path, "", f"{run[2]} atoms", f"{atoms}, as in the first run, {paths[0]}")
    volumes, energies = np.array([run[:2] for run in runs]).T
    return VaspCurve(volumes / atoms, energies / atoms, atoms)


def read_vasp_density_of_states(path: Path | str) -> VaspDensityOfStates:
    """Density of states of a VASP run.

    Parameters
    ----------
    path : its folder or its `vasprun.xml`.

    Raises
    ------
    InputError : the file is missing or cut, the run is not converged, or it has no density of states.
    """
    file = Path(path)
    if file.is_dir():
        file = _first_of(file, ["vasprun.xml"], "vasprun.xml")
    run = _vasprun(file, density_of_states=True)
    if getattr(run, "dos_has_errors", True):
        raise InputError(file, "", "no density of states that can be read", "the element <dos> of a run")
    atoms = len(run.final_structure)
    energies = np.array(run.tdos.energies, dtype=np.float64)
    states = np.array(list(run.tdos.densities.values()), dtype=np.float64).sum(axis=0) / atoms
    if not np.isfinite([run.efermi, energies.sum(), states.sum()]).all():
        raise InputError(file, "density of states", "a number that is not finite", "finite numbers")
    return VaspDensityOfStates(run.final_structure.volume / atoms, float(run.efermi), energies, states)


def _run(path: Path) -> tuple[float, float, int]:
    """Volume (Å3) and energy (eV) of the cell and its number of atoms."""
    if path.is_dir():
        path = _first_of(path, ["vasprun.xml", "OSZICAR"], "a vasprun.xml or an OSZICAR")
    name = path.name.lower()
    if "oszicar" in name:
        return _from_oszicar(path)
    if "vasprun" in name or ".xml" in name:
        run = _vasprun(path, density_of_states=False)
        return run.final_structure.volume, _energy(path, run.final_energy), len(run.final_structure)
    raise InputError(path, "", f"a file named {path.name!r}", "a folder, a vasprun.xml or an OSZICAR")


def _vasprun(path: Path, *, density_of_states: bool) -> Any:
    """The parsed file of a converged run."""

    def parse() -> Any:
        from pymatgen.io.vasp import Vasprun

        run = Vasprun(path, parse_dos=density_of_states, parse_eigen=False, parse_potcar_file=False)
        return run, run.converged_electronic, run.converged_ionic

    run, electronic, ionic = _parsed(path, parse, "a whole vasprun.xml")
    for converged, kind in ((electronic, "NELM electronic"), (ionic, "NSW ionic")):
        if not converged:
            found = f"a run that stopped after {kind} steps without being converged"
            raise InputError(path, "", found, "a converged run", "Continue it, or raise the limit")
    return run


def _from_oszicar(path: Path) -> tuple[float, float, int]:
    """Energy from the last ionic step of an OSZICAR, volume and atoms from the structure beside it."""

    def parse() -> tuple[int, int, dict[str, float]]:
        from pymatgen.io.vasp import Oszicar

        steps = Oszicar(path)
        return len(steps.electronic_steps), len(steps.ionic_steps), steps.ionic_steps[-1]

    begun, ended, last = _parsed(path, parse, "an OSZICAR with one ionic step or more")
    # What VASP writes behind E0 says that E0 itself is whole: dE, in molecular dynamics EK.
    if begun != ended or "E0" not in last or not {"dE", "EK"} & set(last):
        found = f"{begun} ionic steps begun, the last one not ended"
        raise InputError(path, "", found, "a run that came to its end", "Is the file cut?")
    file = _first_of(path.parent, ["CONTCAR", "POSCAR"], f"a CONTCAR or POSCAR beside {path.name}")

    def parse_structure() -> tuple[float, int]:
        from pymatgen.io.vasp import Poscar

        structure = Poscar.from_file(file, check_for_potcar=False).structure
        return structure.volume, len(structure)

    volume, atoms = _parsed(file, parse_structure, "a structure as VASP writes it")
    return volume, _energy(path, last["E0"]), atoms


def _parsed(path: Path, parse: Callable[[], Result], expected: str) -> Result:
    """What pymatgen makes of a file; whatever it stumbles over becomes one message that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parse()
    except ImportError:
        raise
    except OSError as error:
        raise InputError(path, "", error.strerror or error, f"{expected} that can be read") from error
    except Exception as error:  # its parsers raise whatever the broken place leads to
        found = f"what could not be read ({type(error).__name__}: {error})"
        raise InputError(path, "", found, expected, "Is the file cut, or the run still going on?") from error


def _energy(path: Path, energy: float) -> float:
    """The energy, if it is a number."""
    if not math.isfinite(energy):
        raise InputError(path, "", f"the energy {energy}", "a finite energy")
    return float(energy)


def _first_of(folder: Path, names: Sequence[str], expected: str) -> Path:
    """The first of these files in a folder that is there and not empty, packed or not."""
    for name in names:
        for end in PACKED:
            file = folder / f"{name}{end}"
            # VASP makes an empty CONTCAR when it starts.
            if file.is_file() and file.stat().st_size > 0:
                return file
    raise InputError(folder, "", "none", expected)
