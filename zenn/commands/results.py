"""The folder a verb writes: whole or not at all, with a `metadata.json` that says how it came about."""

from __future__ import annotations

import csv
import hashlib
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zenn
from zenn.disk import disk_errors
from zenn.errors import InputError
from zenn.files import atomic_folder, write_json

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

METADATA = "metadata.json"
UNITS = (
    "Units end the names of the columns: K; GPa; A3, cubic angstrom; eV; meV; per_K, 1/K. Energies, "
    "entropies, heat capacities and volumes are per atom. Columns without a unit have none. A degeneracy "
    "counts the members of a configuration; a probability is that of all its members together."
)


def check_out(out: Path) -> None:
    """Refuse a place where results cannot appear, before anything is computed.

    Raises
    ------
    InputError : it is a link, this folder, a file, a folder with something in it, or cannot be written.
    """
    if out.is_symlink() or out.resolve() == Path.cwd():
        raise InputError("argument --out", "", f"{out}, a link or this folder", "a new folder")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        found = f"{out} with something in it" if out.is_dir() else f"{out}, a file"
        raise InputError("argument --out", "", found, "a new or empty folder")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        found = f"{out} in {above}, {'which cannot be written' if above.is_dir() else 'a file'}"
        raise InputError("argument --out", "", found, "a new folder in one that can be written")


@contextmanager
def results_folder(out: Path) -> Iterator[Path]:
    """A temporary folder that becomes `out`; after an error or Ctrl-C nothing is left, no folder above it."""
    check_out(out)
    made = [folder for folder in out.absolute().parents if not folder.exists()]
    try:
        with atomic_folder(out) as folder, disk_errors([out]):
            yield folder
    except BaseException:
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def write_metadata(
    folder: Path,
    verb: str,
    inputs: Sequence[Path],
    parameters: Mapping[str, Any],
    subject: str = "materials",
    units: str = UNITS,
    libraries: Sequence[str] = ("numpy", "scipy"),
    **more: Any,
) -> None:
    """Write `metadata.json`: which program, command, files and parameters made the results."""
    write_json(
        folder / METADATA,
        {
            "made_by": f"zenn {subject} {verb}",
            "zenn_version": zenn.__version__,
            "command": shlex.join(["zenn", *sys.argv[1:]]),
            "folder": str(Path.cwd()),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": [_described(path) for path in inputs],
            "parameters": parameters,
            "units": units,
            "files": sorted(path.name for path in folder.iterdir()),
            "libraries": {
                "python": platform.python_version(),
                **{name: version(name) for name in libraries},
            },
            **more,
        },
    )


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, gone when done; what it yields is told how much of `total` is done, if known."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = Console(stderr=True)
    shown = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if total is not None:
        shown += [MofNCompleteColumn(), TextColumn("left"), Remaining()]
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.update(task, completed=done)


def note(text: str) -> None:
    """Say something on standard error that is no error."""
    print(f"note: {text}", file=sys.stderr)


class GrowingTable:
    """A CSV file that grows by equally long columns, for tables too long to be held."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = False

    def add(self, columns: Mapping[str, ArrayLike]) -> None:
        """Append rows; numbers in the shortest form that reads back the same."""
        import numpy as np

        lists = [np.asarray(column).ravel().tolist() for column in columns.values()]
        with self._path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if not self._begun:
                writer.writerow(columns)
            writer.writerows(zip(*lists, strict=True))
        self._begun = True


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "sha256": digest, "bytes": path.stat().st_size}
