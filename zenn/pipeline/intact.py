"""Is a result on disk still what its job left? Checked before anything is built on it or published."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from zenn.disk import complaint
from zenn.errors import ZennError
from zenn.files import read_json, write_json
from zenn.pipeline.downloaded import downloads
from zenn.pipeline.keys import file_digest, key_of
from zenn.pipeline.steps import RECORD, Step

SEEN = Path(".snakemake/zenn-intact.json")  # what was hashed before, so that large results are hashed once
MADE = "made"
HASH = re.compile(r"[0-9a-f]{64}")
Seen = dict[str, str]


def damage_of(folder: Path, key: str, seen: Seen | None = None) -> str:
    """What is wrong with the result in `folder`, in words; empty when it is as its job left it.

    The record must be the one of `key`, and name every file that is there. `seen` maps a file to its size,
    times and hash when it was last hashed, and is brought up to date.
    """
    if folder.is_symlink():
        return f"{folder}: found a link, expected a folder"
    try:
        record = read_json(folder / RECORD)
        hashes: dict[str, str] = record["outputs"]
        told = record["key"] == key == key_of(record["spec"]) and [*hashes] == record["spec"]["outputs"]
        if not told or not all(HASH.fullmatch(value) for value in hashes.values()):
            return f"{folder / RECORD}: found another record, expected the one of key {key}"
    except OSError as error:
        return f"{folder / RECORD}: found {error.strerror}, expected a record"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return f"{folder / RECORD}: found something else, expected a record"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    if there != {*hashes, RECORD}:
        odd = sorted(there ^ {*hashes, RECORD})
        return f"{folder}: found {odd} too many or missing, expected {sorted(hashes)}"
    for file, expected in hashes.items():
        found = _hash(folder / file, seen)
        if found != expected:
            return f"{folder / file}: found content {found[:16]}, expected {expected[:16]} as it was made"
    return ""


def remove_damaged(steps: Iterable[Step], root: Path) -> list[str]:
    """Remove present results that are not what their job left, so that they are made again; says which."""
    seen = _read_seen(root)
    removed = []
    for step in steps:
        folder = root / step.folder
        # What is remembered may save the hashing of a good result, but never condemns one.
        if _is_there(folder) and damage_of(folder, step.key, seen):
            damage = damage_of(folder, step.key)
            if damage:
                _remove(folder)
                removed.append(f"{damage}; it is made again")
            else:
                seen = {path: state for path, state in seen.items() if not path.startswith(str(folder))}
    write_json(root / SEEN, seen)
    return removed


def refuse_damaged(steps: Iterable[Step], root: Path) -> None:
    """Refuse when any result of a plan is missing or not what its job left.

    Raises
    ------
    ZennError : names the first and counts the others.
    """
    damages = [damage for step in steps if (damage := damage_of(root / step.folder, step.key))]
    if damages:
        raise ZennError(
            f"{damages[0]} ({len(damages) - 1} more). Run `snakemake --cores all -- all` first: it makes "
            "again what is missing or damaged."
        )


def state_of(step: Step, root: Path) -> str:
    """`made`, `damaged` or `to do`."""
    if not _is_there(root / step.folder):
        return "to do"
    return "damaged" if damage_of(root / step.folder, step.key) else MADE


def places(root: Path = Path()) -> list[Path]:
    """Where the runs of a checkout write."""
    folders = ("results", "logs", "checkpoints", ".snakemake")
    return [*(root / folder for folder in folders), downloads(root), Path(tempfile.gettempdir())]


def refuse_unwritable(steps: Iterable[Step], root: Path) -> None:
    """Refuse before anything runs when a result has no place to go.

    Raises
    ------
    ZennError : names the place, what was found there and what is expected.
    """
    missing = [step for step in steps if not _is_there(root / step.folder)]
    if missing and (said := complaint(places(root))):
        raise ZennError(said)
    for step in missing:
        place = root / step.folder
        while not place.exists():
            place = place.parent
        found = "" if place.is_dir() else "a file"
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            found = "a folder that cannot be written to"
        if found:
            raise ZennError(f"{place}: found {found}, expected a writable folder for {step.name}")


def _is_there(folder: Path) -> bool:
    """Something that Snakemake may take for the result; an empty folder is what it makes before a job."""
    return folder.is_symlink() or (folder.is_dir() and any(folder.iterdir()))


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _hash(path: Path, seen: Seen | None) -> str:
    if seen is None:
        return file_digest(path)
    status = path.lstat()
    # the change time is the kernel's: unlike the modification time, nobody can set it back
    state = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} "
    if not seen.get(str(path), "").startswith(state):
        seen[str(path)] = state + file_digest(path)
    return seen[str(path)].rsplit(" ", 1)[1]


def _read_seen(root: Path) -> Seen:
    try:
        known = read_json(root / SEEN)
        return {path: state for path, state in known.items() if HASH.search(state) and Path(path).exists()}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}  # only time is lost
