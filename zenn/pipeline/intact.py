"""Is a result on disk still what its job left? Checked before anything is built on it or published."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from zenn.errors import ZennError
from zenn.files import read_json, write_json
from zenn.pipeline.keys import file_digest
from zenn.pipeline.steps import RECORD, Step

SEEN = Path(".snakemake/zenn-intact.json")  # what was hashed before, so that large results are hashed once


def damage_of(folder: Path, key: str, seen: dict[str, str] | None = None) -> str:
    """What is wrong with the result in `folder`, in words; empty when it is as its job left it.

    `seen` maps a file to its size, time and hash when it was last hashed, and is brought up to date.
    """
    try:
        record = read_json(folder / RECORD)
        if record["key"] != key:
            return f"{folder / RECORD}: found key {record['key']}, expected {key}"
        for file, expected in record["outputs"].items():
            found = _hash(folder / file, seen)
            if found != expected:
                return f"{folder / file}: found content {found[:16]}, expected {expected[:16]} as it was made"
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        return f"{folder}: found {error}, expected a complete result with its {RECORD}"
    return ""


def remove_damaged(steps: Iterable[Step], root: Path) -> list[str]:
    """Remove present results that are not what their job left, so that they are made again; says which."""
    seen = _read_seen(root)
    removed = []
    for step in steps:
        folder = root / step.folder
        if not (folder / RECORD).exists():
            continue
        damage = damage_of(folder, step.key, seen)
        if damage:
            shutil.rmtree(folder)
            removed.append(f"{damage}; it is made again")
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


def refuse_unwritable(steps: Iterable[Step], root: Path) -> None:
    """Refuse before anything runs when a result has no place to go.

    Raises
    ------
    ZennError : names the place, what was found there and what is expected.
    """
    for step in steps:
        place = root / step.folder
        if (place / RECORD).exists():
            continue
        while not place.exists():
            place = place.parent
        found = "" if place.is_dir() else "a file"
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            found = "a folder that cannot be written to"
        if found:
            raise ZennError(f"{place}: found {found}, expected a writable folder for {step.name}")


def _hash(path: Path, seen: dict[str, str] | None) -> str:
    if seen is None:
        return file_digest(path)
    status = path.stat()
    state = f"{status.st_size} {status.st_mtime_ns} {status.st_ino} "
    known = seen.get(str(path), "")
    if not known.startswith(state):
        seen[str(path)] = state + file_digest(path)
    return seen[str(path)].rsplit(" ", 1)[1]


def _read_seen(root: Path) -> dict[str, str]:
    try:
        known = read_json(root / SEEN)
    except (OSError, json.JSONDecodeError):
        return {}
    return {path: state for path, state in known.items() if Path(path).exists()}
