"""The one list of files that can be fetched, `data/inputs/registry.csv`; its hashes enter the keys."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from zenn.errors import InputError, did_you_mean
from zenn.pipeline.fetching import Entry
from zenn.pipeline.params.base import inside_repository

REGISTRY = "data/inputs/registry.csv"
COLUMNS = ("name", "url", "bytes", "sha256", "md5", "licence", "used_by")


def registered(root: Path, names: Sequence[str]) -> list[Entry]:
    """The entries `names` of a checkout's registry, in that order.

    Raises
    ------
    InputError : the registry cannot be read, an entry is not in it or cannot be used.
    """
    known = read_registry(root / REGISTRY)
    for name in names:
        if name not in known:
            raise InputError(
                REGISTRY, "column name", f"no {name!r}", f"one of {sorted(known)}", did_you_mean(name, known)
            )
    return [known[name] for name in names]


def read_registry(path: Path) -> dict[str, Entry]:
    """Name -> entry.

    Raises
    ------
    InputError : names the line and column that cannot be used.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            header = tuple(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "", error, "a CSV file in UTF-8 that can be read") from error
    if header != COLUMNS:
        raise InputError(path, "line 1", ",".join(header), ",".join(COLUMNS))
    entries: dict[str, Entry] = {}
    for line, row in rows:
        _check(path, line, row)
        if row["name"] in entries:
            raise InputError(path, f"line {line}, column name", f"{row['name']!r} again", "each name once")
        entries[row["name"]] = Entry(row["name"], row["url"], row["sha256"], row["md5"])
    return entries


def read_sizes(path: Path) -> dict[str, int | None]:
    """Name -> bytes, or None where they are not known.

    Raises
    ------
    InputError : as `read_registry`.
    """
    read_registry(path)
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: int(row["bytes"]) if row["bytes"] else None for row in csv.DictReader(file)}


def _check(path: Path, line: int, row: dict[str, str]) -> None:
    if None in row or None in row.values():
        raise InputError(path, f"line {line}", "more or fewer fields", f"{len(COLUMNS)} fields")
    wanted = {
        "url": (r"https?://\S+", "an address that begins with http:// or https://"),
        "bytes": (r"\d*", "a number of bytes, or nothing where it is not known"),
        "sha256": (
            r"([0-9a-f]{64})?",
            "64 hexadecimal digits, small letters, or nothing where none is published",
        ),
        "md5": (r"([0-9a-f]{32})?", "32 hexadecimal digits, small letters, or nothing"),
        "licence": (r".*\S.*", "a licence, or that none is known"),
        "used_by": (r".*\S.*", "what uses the file"),
    }
    for column, (pattern, expected) in wanted.items():
        if not re.fullmatch(pattern, row[column]):
            raise InputError(path, f"line {line}, column {column}", repr(row[column]), expected)
    try:
        inside_repository(row["name"])
    except ValueError:
        expected = "a relative path with forward slashes that stays in the folder of downloads"
        raise InputError(path, f"line {line}, column name", repr(row["name"]), expected) from None
