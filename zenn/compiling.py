"""numba's cache on disk is written by one job at a time: two at once could leave a broken file."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def compiling(room: Path) -> Iterator[None]:
    """Hold the lock of the compiled kernels in `room`, a folder: others wait, then load what was compiled."""
    with _lock_file(room).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed, by a crash too
        yield


def _lock_file(room: Path) -> Path:
    """Beside the cache, which machines may share; where that is read-only, numba does not write there."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen) if chosen else room / "__pycache__"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ".numba.lock"
        path.touch()
    except OSError:
        return Path(tempfile.gettempdir()) / f"zenn-numba-{os.getuid()}.lock"
    return path
