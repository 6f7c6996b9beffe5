"""The real check: delete every figure and table, make them again, and compare the numbers behind each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from zenn.errors import ZennError
from zenn.files import atomic_folder
from zenn.pipeline.plan import plan_checkout

ARTEFACTS = "data/inputs/artefacts.csv"


class CheckFailedError(ZennError):
    """A figure or table could not be made again, or its numbers have moved."""


def check_checkout(root: Path, reference: Path, scale: str, record: bool = False) -> str:
    """Remake all figures and tables of the checkout `root` and compare them with `reference`.

    With `record`, their numbers become the reference instead. Returns a sentence that says what was done.

    Raises
    ------
    CheckFailedError : names every artefact, column and row at fault.
    """
    plan = plan_checkout(root, scale=scale)
    artefacts = pd.read_csv(root / ARTEFACTS)
    made = [
        Made(
            str(row.id), root / plan.by_name[str(row.step)].folder, float(str(row.rtol)), float(str(row.atol))
        )
        for row in artefacts[artefacts["step"].notna()].itertuples()
    ]
    for folder in {artefact.folder for artefact in made}:
        shutil.rmtree(folder, ignore_errors=True)
    _run_pipeline(root, scale)
    if record:
        with atomic_folder(reference / scale) as folder:
            for artefact in made:
                shutil.copyfile(artefact.numbers, folder / artefact.numbers.name)
        return f"the numbers of {len(made)} figures and tables written to {reference / scale}"
    problems = [problem for artefact in made for problem in artefact.problems(reference / scale)]
    if problems:
        raise CheckFailedError("\n".join(problems))
    return f"{len(made)} figures and tables made again; their numbers agree with {reference / scale}"


@dataclass(frozen=True)
class Made:
    """A figure or table that the pipeline makes, and how closely its numbers must agree."""

    name: str
    folder: Path
    rtol: float
    atol: float

    @property
    def numbers(self) -> Path:
        """The table of what it shows."""
        return self.folder / f"{self.name}.csv"

    def problems(self, reference: Path) -> list[str]:
        """What is wrong with it, beside the table of the same name in the folder `reference`."""
        found = compare_tables(self.name, self.numbers, reference / self.numbers.name, self.rtol, self.atol)
        if "-fig-" in self.name:
            found += blank_picture(self.folder / f"{self.name}.png")
            found += empty_pdf(self.folder / f"{self.name}.pdf")
        return found


def _run_pipeline(root: Path, scale: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--config", f"scale={scale}", "--", "all"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CheckFailedError(
            f"{' '.join(command[2:])}: found exit status {done.returncode}, expected 0\n"
            f"{done.stdout}{done.stderr}"
        )


def compare_tables(name: str, made: Path, reference: Path, rtol: float, atol: float) -> list[str]:
    """What differs between two tables: columns, rows, texts, or numbers beyond the tolerances."""
    for path in (made, reference):
        if not path.is_file():
            return [f"{name}: found no {path}, expected it"]
    new, old = pd.read_csv(made), pd.read_csv(reference)
    if list(new.columns) != list(old.columns):
        return [f"{name}: found columns {list(new.columns)}, expected {list(old.columns)}"]
    if len(new) != len(old):
        return [f"{name}: found {len(new)} rows, expected {len(old)}"]
    problems = []
    for column in old.columns:
        if pd.api.types.is_numeric_dtype(old[column]) and pd.api.types.is_numeric_dtype(new[column]):
            same = np.isclose(new[column], old[column], rtol=rtol, atol=atol, equal_nan=True)
        else:
            same = (new[column].astype(str) == old[column].astype(str)).to_numpy()
        if not same.all():
            row = int(np.argmin(same))
            problems.append(
                f"{name}, column {column}: {int((~same).sum())} values have moved, first in row {row + 2}: "
                f"found {new[column].iloc[row]}, expected {old[column].iloc[row]} "
                f"(rtol {rtol:g}, atol {atol:g})"
            )
    return problems


def blank_picture(path: Path) -> list[str]:
    """A complaint when a PNG is missing, unreadable or of one colour."""
    try:
        with Image.open(path) as picture:
            extrema = picture.convert("L").getextrema()
    except (OSError, UnidentifiedImageError) as error:
        return [f"{path.name}: found {error}, expected a readable picture"]
    return [] if extrema[0] != extrema[1] else [f"{path.name}: found one colour only, expected a drawing"]


def empty_pdf(path: Path) -> list[str]:
    """A complaint when a file is not a complete PDF."""
    content = path.read_bytes() if path.is_file() else b""
    complete = content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
    return [] if complete else [f"{path.name}: found {len(content)} bytes, expected a complete PDF"]
