"""Keeping out of DVC's way: while a driver works, no command of DVC may write the results, nor the other way.

DVC locks, in `.dvc/tmp/rwlock`, what a stage reads and writes while it runs, restores or records it. A driver
enters itself there as the writer of all results; one that a stage has started works under that stage's locks.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from zenn.errors import ZennError

FOLDER = Path(".dvc/tmp")
ENTRIES = "rwlock"


class DvcAtWorkError(ZennError):
    """A command of DVC is at work on the results."""


def claim_results(root: Path) -> None:
    """Be the writer of the results for DVC, until this process ends.

    Raises
    ------
    DvcAtWorkError : a command of DVC reads or writes them; names it and its process.
    """
    if not (root / ".dvc").is_dir() or _under_dvc(root):
        return
    from dvc.fs import localfs
    from dvc.lock import LockError
    from dvc.rwlock import RWLockFileCorruptedError, rwlock

    folder = (root / FOLDER).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    results = str((root / "results").resolve())
    held = ExitStack()
    try:
        try:
            held.enter_context(rwlock(str(folder), localfs, command, [], [results], False))
        except RWLockFileCorruptedError:  # cut by a full disk; DVC would refuse everything from now on
            (folder / ENTRIES).unlink()
            held.enter_context(rwlock(str(folder), localfs, command, [], [results], False))
    except LockError as error:
        said = " ".join(str(error).partition("\n\n")[0].split())
        raise DvcAtWorkError(f"{said}. Wait for it or stop it first") from None
    atexit.register(_give_back, held)


def _give_back(held: ExitStack) -> None:
    with suppress(OSError):  # a full disk; DVC forgets who is gone
        held.close()


def _under_dvc(root: Path) -> bool:
    """Whether this process was started by a command of DVC that holds locks of this checkout."""
    try:
        entries = json.loads((root / FOLDER / ENTRIES).read_text(encoding="utf-8"))
        writers = {entry["pid"] for entry in entries.get("write", {}).values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return any(process in writers for process in _ancestors())


def _ancestors() -> Iterator[int]:
    process = os.getpid()
    with suppress(OSError):  # no /proc
        while process > 1:
            status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
            process = int(status.rpartition(")")[2].split()[1])
            yield process
