"""What a killed process or a power cut leaves behind, and who takes it away."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from zenn.files import read_json
from zenn.pipeline.provenance import run_file

if TYPE_CHECKING:  # what plans steps is not on a computing machine
    from zenn.pipeline.steps import Step

CHECKPOINTS = "checkpoints"  # <subject>/<run>/<key>: of a computation that has not ended
INCOMPLETE = ".snakemake/incomplete"
HALF_MADE = ".*-*"  # as `zenn.files` names what it has not finished


def remove_siblings(folder: Path) -> None:
    """One result, and one checkpoint, per step on disk: history is DVC's."""
    for sibling in folder.parent.glob("*"):
        if sibling != folder:
            shutil.rmtree(sibling, ignore_errors=True)


def remove_cut(checkpoints: Path) -> list[str]:
    """Remove states of a computation that a power cut has cut, so that it goes on from others or begins anew.

    Says which. Without this the step would refuse them, each time it is started again.
    """
    removed = []
    for path in sorted(path for path in checkpoints.rglob("*") if path.suffix in (".safetensors", ".json")):
        if reason := _cut(path):
            path.unlink(missing_ok=True)
            removed.append(f"{path.name} is cut ({reason}); what it held is computed again")
    return removed


def _cut(path: Path) -> str:
    """Why a file is not what was written; empty when it is."""
    try:
        if path.suffix == ".json":
            read_json(path)
        else:
            with safe_open(path, framework="numpy"):  # compares the length with what the header tells
                pass
    except (SafetensorError, OSError, ValueError) as error:
        return str(error)
    return ""


def sweep(steps: Iterable[Step], root: Path, working: Collection[str | None] = ()) -> None:
    """Remove what no job will: of steps whose result is there, and of what the driver itself was writing.

    Only for the one driver of a checkout. `working` are keys of jobs that an earlier one has left at work.
    """
    for step in steps:
        if step.key in working:
            continue
        remove_half_made(root / "logs" / step.name)
        folder = root / step.folder
        if (root / step.asked[-1]).is_file():  # its record: nothing starts its job again
            remove_siblings(folder)
            shutil.rmtree(root / CHECKPOINTS / step.name / step.key, ignore_errors=True)
        facts = run_file(root, step.name, step.key)
        if facts.is_file() and _cut(facts):  # by a power cut; the ledger says then that they are not recorded
            facts.unlink()
    for place in (".snakemake", "results/report"):  # orders and what was hashed; the shown page
        remove_half_made(root / place)
    # Snakemake's marks of jobs that it did not see end. What is there was checked by hash; a result that is
    # whole and marked it would make again and, as others read it as `ancient`, leave out all the rest.
    for mark in (root / INCOMPLETE).rglob("*"):
        if not mark.is_dir():
            mark.unlink(missing_ok=True)


def remove_half_made(folder: Path) -> None:
    """Remove files and folders that were not finished when their process was killed."""
    for leftover in folder.glob(HALF_MADE):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
