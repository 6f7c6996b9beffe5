"""Who may run, and for how long: one driver per checkout; a job ends with its driver."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

from zenn.errors import ZennError
from zenn.pipeline.beside_dvc import claim_results

PR_SET_PDEATHSIG = 1
DRIVER = "ZENN_DRIVER"  # process of the driver, told to its jobs
LOCK = ".snakemake/zenn-driver.lock"
_held: list[int] = []  # the descriptor must live as long as the process


class AlreadyRunningError(ZennError):
    """Another driver works in this checkout."""


def die_with_parent() -> None:
    """Make SIGKILL of the driver end this process too.

    Without it, jobs of a killed driver go on as orphans beside those of its successor. It needs the shell
    command to be `exec python ...`, so that this process is a child of the driver.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    driver = os.environ.get(DRIVER)
    if os.getppid() != parent or (parent == 1 and driver not in (None, "1")):
        os._exit(143)  # it died before the call above


def tell_driver(text: str) -> None:
    """Write to the standard error of the driver that this process is a job of, past the job's own log."""
    driver = os.environ.get(DRIVER)
    if driver != str(os.getppid()):  # on a cluster, a number of another machine
        return
    with contextlib.suppress(OSError), Path(f"/proc/{driver}/fd/2").open("a") as terminal:
        terminal.write(f"{text}\n")


def take_checkout(root: Path) -> None:
    """Become the one driver of a checkout until this process ends, and clear what a killed one left.

    Snakemake's own lock survives `kill -9` and then refuses everyone; this one is the kernel's, so whoever
    holds it knows that Snakemake's is stale.

    Raises
    ------
    AlreadyRunningError : another driver is at work; names its process.
    DvcAtWorkError : a command of DVC is at work on the results.
    """
    path = root / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise ZennError(f"{path}: found {error.strerror}, expected a file that can be locked") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise ZennError(f"{path}: found {error.strerror}, expected a file that can be locked") from None
        other = os.read(descriptor, 20).decode().strip()
        os.close(descriptor)
        raise AlreadyRunningError(
            f"{path}: process {other} is already running this pipeline here{_command(other)}; "
            "wait for it or stop it first"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    _held.append(descriptor)
    os.environ[DRIVER] = str(os.getpid())
    shutil.rmtree(root / ".snakemake" / "locks", ignore_errors=True)
    claim_results(root)


def _command(process: str) -> str:
    """What a process was started with, in brackets; nothing where it cannot be seen, as on another host."""
    try:
        words = Path(f"/proc/{int(process)}/cmdline").read_text(encoding="utf-8").split("\0")[:-1]
    except (OSError, ValueError):
        return ""
    if len(words) > 1 and Path(words[0]).name.startswith("python"):
        words = words[2:] if words[1] == "-m" else [Path(words[1]).name, *words[2:]]
    return f" ({shlex.join(words)})"
