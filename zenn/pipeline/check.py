"""The real check: make every figure and table again from nothing, and compare the numbers behind each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from zenn.errors import InputError, ZennError
from zenn.files import atomic_folder
from zenn.pipeline.steps import RESULTS
from zenn.pipeline.subjects.report import ARTEFACTS


class CheckFailedError(ZennError):
    """A figure or table could not be made again, or its numbers have moved."""


def check_checkout(
    root: Path, reference: Path, scale: str, record: bool = False, subject: str | None = None
) -> str:
    """Make the figures and tables of a checkout, or of one subject, again and compare them with `reference`.

    Works in a copy that has no results, so nothing of an earlier run can pass for a new one, and nothing of
    the user's is touched. With `record`, the numbers become the reference instead. Returns a sentence that
    says what was done.

    Raises
    ------
    InputError : the subject makes no figure.
    CheckFailedError : names every artefact, column and row at fault.
    """
    if record and subject is not None:
        raise InputError(
            "argument --subject", "", subject, "none with --record, which writes all numbers anew"
        )
    if not record and not (reference / scale).is_dir():
        raise CheckFailedError(f"{reference / scale}: found no such folder, expected one with reference CSVs")
    with tempfile.TemporaryDirectory(prefix="zenn-check-") as scratch:
        copy = Path(scratch) / "checkout"
        copy_without_results(root, copy)
        _refuse_unknown(subject, copy)
        _run(copy, "-m", "snakemake", "--cores", "all", "--config", f"scale={scale}", "--", subject or "all")
        made = made_in(copy, scale, subject)
        if record:
            with atomic_folder(reference / scale) as folder:
                for artefact in made:
                    shutil.copyfile(artefact.numbers, folder / artefact.numbers.name)
            return f"the numbers of {len(made)} figures and tables written to {reference / scale}"
        refuse_problems(made, reference / scale)
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


def refuse_problems(made: Sequence[Made], reference: Path) -> None:
    """Raise CheckFailedError where one is missing or blank, or its numbers are not those in `reference`."""
    problems = [problem for artefact in made for problem in artefact.problems(reference)]
    if problems:
        raise CheckFailedError("\n".join(problems))


def _refuse_unknown(subject: str | None, copy: Path) -> None:
    artefacts = _drawn(copy)
    if subject is not None and subject not in set(artefacts["subject"]):
        raise InputError("argument --subject", "", subject, f"one of {sorted(set(artefacts['subject']))}")


def _drawn(copy: Path) -> pd.DataFrame:
    """The artefacts that a step makes."""
    artefacts = pd.read_csv(copy / ARTEFACTS)
    return artefacts[artefacts["step"].notna()]


def made_in(copy: Path, scale: str, subject: str | None = None) -> list[Made]:
    """The figures and tables among the results of a checkout, of all subjects or one.

    Raises
    ------
    InputError : the table of artefacts names a step that is not in the plan.
    """
    keys = json.loads(_run(copy, "-m", "zenn", "plan", "--scale", scale, "--json"))
    artefacts = _drawn(copy)
    made = []
    for row in artefacts[artefacts["subject"].eq(subject) if subject else slice(None)].itertuples():
        step = str(row.step)
        if step not in keys:
            raise InputError(ARTEFACTS, f"{row.id}, column step", step, f"one of {sorted(keys)}")
        folder = copy / RESULTS / step / keys[step]
        made.append(Made(str(row.id), folder, float(str(row.rtol)), float(str(row.atol))))
    return made


def repository_files(root: Path) -> list[str]:
    """The files of a checkout that git tracks or does not ignore, relative to it.

    Raises
    ------
    CheckFailedError : it is not a git repository.
    """
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        raise CheckFailedError(f"{root}: found no git repository ({listed.stderr.strip()}), expected one")
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def copy_without_results(root: Path, copy: Path) -> None:
    """Copy `repository_files` of a checkout to `copy`."""
    for name in repository_files(root):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, copy / name)


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CheckFailedError(
            f"{' '.join(arguments)}: found exit status {done.returncode}, expected 0\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout


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
            new_text, old_text = (table[column].fillna("").astype(str) for table in (new, old))
            same = (new_text == old_text).to_numpy()  # an empty field is one like any other
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
