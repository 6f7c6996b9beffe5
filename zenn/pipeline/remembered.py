"""What earlier processes found out about the same code: a plan and each of its jobs ask it of every module.

Remembered by content and never by time stamps, so that it saves seconds and decides nothing.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import grimp

from zenn.files import read_json, write_json
from zenn.pipeline import keys
from zenn.pipeline.keys import canonical_json, digest

PLACE = Path(".snakemake/zenn-code.json")
_KEPT = 2000  # hashes of texts: a dozen versions of each module


class Remembered:
    """Hashes of texts and import closures, as some process of this checkout left them."""

    def __init__(self, root: Path) -> None:
        self._path = root / PLACE
        by = [digest(Path(keys.__file__).read_bytes()), sys.version, grimp.__version__]
        self._by = digest(canonical_json(by))
        found = self._read()
        self.hashes: dict[str, str] = found["hashes"]
        """Digest of a module's bytes -> hash of its essence."""
        self.state: str = found["state"]
        """Digest of the whole package, to which `closures` belong."""
        self.closures: dict[str, list[str]] = found["closures"]
        """Module -> what its import closure holds."""
        self.new = False
        """Whether it knows more than was left."""

    def closure(self, state: str, module: str) -> frozenset[str] | None:
        """The import closure of a module of the package in `state`, where it is known."""
        return frozenset(self.closures[module]) if state == self.state and module in self.closures else None

    def add_closure(self, state: str, module: str, closure: frozenset[str]) -> None:
        """Remember a closure; those of another state go."""
        if state != self.state:
            self.state, self.closures = state, {}
        self.closures[module] = sorted(closure)
        self.new = True

    def add_hash(self, content: str, essence: str) -> None:
        """Remember the hash of a module's essence by the digest of its bytes."""
        if len(self.hashes) >= _KEPT:
            self.hashes.clear()
        self.hashes[content] = essence
        self.new = True

    def save(self) -> None:
        """Leave it to other processes; where that cannot be, only time is lost."""
        told = {"hashes": self.hashes, "state": self.state, "closures": self.closures}
        with suppress(OSError):
            write_json(self._path, {**told, "by": self._by, "sum": digest(canonical_json(told))})

    def _read(self) -> dict[str, Any]:
        """What was left by this code and is whole; else nothing."""
        try:
            told = dict(read_json(self._path))
            by, written = told.pop("by"), told.pop("sum")
            if by == self._by and written == digest(canonical_json(told)):
                return told
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return {"hashes": {}, "state": "", "closures": {}}
