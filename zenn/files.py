"""Files appear whole or not at all: everything is written beside its place and moved there by one rename."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_folder(final: Path) -> Iterator[Path]:
    """A temporary folder that becomes `final` (replacing it) when the block ends without an error.

    Whatever goes wrong inside the block, including a full disk, `final` is as it was before.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if final.exists():
            replaced = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
            try:
                os.replace(final, replaced / "old")
                try:
                    os.replace(temporary, final)
                except OSError:
                    os.replace(replaced / "old", final)
                    raise
            finally:
                shutil.rmtree(replaced, ignore_errors=True)
        else:
            os.replace(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def atomic_file(final: Path) -> Iterator[Path]:
    """A temporary path that becomes `final` when the block ends without an error, its content on the disk."""
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{final.name}-", suffix=final.suffix, dir=final.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        flush(temporary)
        os.replace(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have a file on the disk before what comes next: in a power cut a rename may outlive the content."""
    with path.open("rb") as file:
        os.fsync(file)


def write_text(final: Path, text: str) -> None:
    """Write `text` to `final` atomically, in UTF-8 with line feeds."""
    with atomic_file(final) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(final: Path, value: Any) -> None:
    """Write `value` to `final` atomically as sorted, indented JSON; NaN and infinity are refused."""
    write_text(final, json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The value stored in the JSON file `path`."""
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON document; ValueError for what is none, as for one nested beyond all reason."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
