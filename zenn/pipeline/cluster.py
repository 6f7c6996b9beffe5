"""Slurm jobs that outlive their driver: the next driver takes them over, so that none is submitted twice.

On one machine a job ends with its driver; on a cluster it goes on, or waits in the queue. Snakemake's plugin
knows only the jobs of its own run, which all have that run's identifier for a name, and would submit the
rest again. So a new driver asks Slurm what is left of earlier ones in this checkout, cancels what the plan no
longer wants, and lets the plugin call this module in place of `sbatch`: a job that is left gets the name of
the new run and its number is the answer, as if it had just been submitted; anything else goes to `sbatch`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zenn.errors import ZennError
from zenn.files import read_json, write_json

EXECUTOR = "slurm"  # Snakemake's name of the plugin
FOLDER = Path(".snakemake/zenn-slurm")  # there since a run on Slurm: `sbatch` and what it may take over
LEFT = "left.json"

_NAME = re.compile(r"([\w-]+_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # of the plugin's jobs: a run
_KEY = re.compile(r"rule_\w+_wildcards_.+_([0-9a-f]{16})")  # their comment: rule and wildcards, the key last
_ENDING = "COMPLETING"
_PATIENCE = 120.0  # seconds for a cancelled job to be gone; Slurm itself waits 30 before it kills
_PAUSE = 0.5


@dataclass(frozen=True)
class LeftJob:
    """A job in Slurm's queue, or at work, that an earlier driver of this checkout submitted."""

    number: str
    state: str
    comment: str

    @property
    def key(self) -> str | None:
        """Key of the step that it carries out; None where the comment does not tell, as in a job array."""
        found = _KEY.fullmatch(self.comment)
        return found[1] if found and self.number.isdigit() else None


def left_jobs(root: Path) -> list[LeftJob]:
    """What Slurm still has of the drivers that worked in `root`; nothing where none worked with Slurm.

    Raises
    ------
    ZennError : Slurm does not answer.
    """
    if not (root / FOLDER).is_dir():
        return []
    asked = ["squeue", "--me", "--noheader", "--format=%i|%T|%j|%k|%Z"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip()
        raise ZennError(
            f"squeue: {said}. It must tell what an earlier run has left at work. Run where Slurm is; "
            f"or, when nothing can be left, remove {FOLDER}."
        ) from None
    here = root.resolve()
    rows = [line.split("|", 4) for line in answer.stdout.splitlines() if line.count("|") >= 4]
    return [
        LeftJob(number, state, comment)
        for number, state, name, comment, folder in rows
        if _NAME.fullmatch(name) and Path(folder).resolve() == here
    ]


def clear(root: Path, wanted: Iterable[str], made: Iterable[str] = ()) -> dict[str, LeftJob]:
    """The jobs left in `root` whose key is wanted, by key, when all others are gone.

    Those whose result is made are at their last lines, and are waited for; the rest is cancelled.

    Raises
    ------
    ZennError : Slurm does not answer, or a job does not end.
    """
    wanted, made, deadline = {*wanted}, {*made}, time.monotonic() + _PATIENCE
    cancelled: set[str] = set()
    while True:
        left = left_jobs(root)
        kept = {job.key: job for job in left if job.key in wanted and job.state != _ENDING}
        others = [job for job in left if job not in kept.values()]
        if not others:
            return {key: job for key, job in kept.items() if key is not None}
        if time.monotonic() > deadline:
            numbers = ", ".join(job.number for job in others)
            raise ZennError(f"Slurm jobs {numbers} of an earlier run do not end; see squeue --me")
        useless = {job.number.split("_")[0] for job in others if job.key not in made and job.state != _ENDING}
        if useless - cancelled:
            subprocess.run(["scancel", *sorted(useless - cancelled)], capture_output=True, check=False)
            cancelled |= useless
        time.sleep(_PAUSE)


def check_python(path: str) -> None:
    """Refuse a Python that no job of Slurm could start: Snakemake writes its path into them as it is.

    Raises
    ------
    ZennError : names it.
    """
    if shlex.quote(path) != path:
        raise ZennError(
            f"{path}: found a space or a sign of the shell's in the path of Python, expected none on Slurm, "
            "to which Snakemake hands it unquoted. Move the checkout, and give `make setup slurm` again there"
        )


def take_over(root: Path, left: Mapping[str, LeftJob], executor: str) -> None:
    """Let the run that begins have the jobs that are left.

    Raises
    ------
    ZennError : it is not one on Slurm, and would do beside them what they do.
    """
    numbers = " ".join(sorted((job.number for job in left.values()), key=int))
    if executor != EXECUTOR and left:
        raise ZennError(
            f"Slurm jobs of an earlier run are at work in this checkout: {numbers}. "
            "Go on with --workflow-profile profiles/slurm, or end them: scancel " + numbers
        )
    folder = root / FOLDER
    if executor != EXECUTOR:
        shutil.rmtree(folder, ignore_errors=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if left:
        write_json(folder / LEFT, {job.comment: job.number for job in left.values()})
        called = shlex.join([sys.executable, "-m", "zenn.pipeline.cluster", str(folder)])
        (folder / "sbatch").write_text(f'#!/bin/sh\nexec {called} "$@"\n')
        (folder / "sbatch").chmod(0o755)
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
        print(f"note: Slurm jobs of an earlier run are taken over: {numbers}", file=sys.stderr)


def main(argv: Sequence[str]) -> int:
    """`FOLDER SBATCH'S ARGUMENTS`: take over the job that does what is asked for, or submit it."""
    folder, arguments = Path(argv[0]), list(argv[1:])
    path = os.environ["PATH"].split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(one for one in path if Path(one) != folder)  # the job's path, too
    number = read_json(folder / LEFT).get(_value(arguments, "--comment"))
    try:
        if number is not None and _renamed(number, _value(arguments, "--job-name"), folder.parents[1]):
            print(number)
            return 0
    except ZennError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    os.execvp("sbatch", ["sbatch", *arguments])


def _value(arguments: Sequence[str], option: str) -> str:
    return arguments[arguments.index(option) + 1] if option in arguments else ""


def _renamed(number: str, name: str, root: Path) -> bool:
    """Give a job the name of another run; False when it has ended.

    Raises
    ------
    ZennError : it is still there, and keeps its name.
    """
    asked = ["scontrol", "update", f"JobId={number}", f"JobName={name}"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return True
    if any(job.number == number for job in left_jobs(root)):
        raise ZennError(
            f"{shlex.join(asked)}: {answer.stderr.strip()}. `scancel {number}` lets it begin anew."
        )
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
