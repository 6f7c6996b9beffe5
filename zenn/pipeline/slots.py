"""Slots of GPUs: a count says how many jobs may run, a slot which device each of them has.

One locked file per device, held for the life of the process: the system frees it however the process ends.
A scheduler that has assigned as many devices as a job wants is obeyed and nothing is locked; of more, as in
an allocation for several jobs, each takes its own.
"""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from zenn.errors import InputError

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOCKS = "ZENN_GPU_LOCKS"
"""Folder of the locks, shared by all users of a host; a folder of the system's temporary one if not set."""
SCHEDULED = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "GPU_DEVICE_ORDINAL", "PBS_GPUFILE", "SGE_HGR_gpu")

_PAUSE = 0.2  # seconds between two looks at slots that are all taken


def devices() -> list[str]:
    """Names of the devices that this process may use: of `CUDA_VISIBLE_DEVICES`, or all of the machine."""
    said = os.environ.get(VISIBLE)
    names = [] if said is None else [name.strip() for name in said.split(",")]
    wanted = [name for name in names if name not in ("", "-1")]
    if said is not None and not wanted:
        return []
    by_index = _identifiers()
    if said is None:
        return [*by_index.values()]
    return [by_index.get(name, name) for name in wanted]  # one name for a device, or it would have two locks


def _identifiers() -> dict[str, str]:
    """Index -> identifier of the machine's devices."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return {}
    return dict(line.split(", ", 1) for line in listed.stdout.splitlines() if ", " in line)


def _scheduled() -> bool:
    """Whether a scheduler has chosen this process's devices."""
    return VISIBLE in os.environ and any(name in os.environ for name in SCHEDULED)


class Slots:
    """Devices held by this process until `release`, or until it ends.

    Forked children, such as the workers of a data loader, do not hold them: they give their copy of the lock
    up at once, so that a device is free when the process that took it is gone.
    """

    def __init__(self, names: Sequence[str], held: Sequence[int]) -> None:
        self.names, self._held = tuple(names), list(held)
        os.register_at_fork(after_in_child=self.release)

    def release(self) -> None:
        """Give the devices back."""
        while self._held:
            os.close(self._held.pop())


def take(count: int, folder: Path | None = None) -> Slots:
    """Wait until `count` devices are free, take them all at once, and make them the only visible ones.

    Without a device on the machine nothing is taken, and the work goes to the processor. A job that wants
    none sees none.

    Raises
    ------
    InputError : more devices are asked for than there are, or the folder of locks cannot be used.
    """
    if count < 1:
        os.environ[VISIBLE] = ""
        return Slots((), ())
    there = devices()
    if not there:
        return Slots((), ())
    if _scheduled() and len(there) == count:
        print(f"GPU {', '.join(there)}, assigned by the scheduler", flush=True)
        return Slots((), ())
    if count > len(there):
        raise InputError("resource gpu", "", f"{count} for one job", f"at most the {len(there)} devices here")
    folder = folder or Path(os.environ.get(LOCKS) or Path(tempfile.gettempdir()) / "zenn-gpu-slots")
    _make_shared(folder)
    waiting = False
    while (slots := _try(there, count, folder)) is None:
        if not waiting:
            print(f"waiting for {count} of {len(there)} GPUs", flush=True)
            waiting = True
        time.sleep(_PAUSE)
    os.environ[VISIBLE] = ",".join(slots.names)
    print(f"GPU {', '.join(slots.names)} of {len(there)}", flush=True)
    return slots


def _try(there: Sequence[str], count: int, folder: Path) -> Slots | None:
    """`count` devices, or none: a process that held one and waited for the next could wait for ever."""
    names: list[str] = []
    held: list[int] = []
    for name in there:
        lock = _lock(folder / f"{name.replace('/', '_')}.lock")
        if lock is None:
            continue
        names.append(name)
        held.append(lock)
        if len(held) == count:
            return Slots(names, held)
    for lock in held:
        os.close(lock)
    return None


def _lock(path: Path) -> int | None:
    """The locked file, or None while another process has it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise InputError(path, "", error.strerror, f"a file to lock; {LOCKS} names another folder") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    if os.fstat(file).st_uid == os.getuid():
        os.fchmod(file, 0o666)  # whatever the umask: other users lock it too
    return file


def _make_shared(folder: Path) -> None:
    """The folder of locks, open to all users, where each may remove only what is his."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.getuid():
            folder.chmod(stat.S_ISVTX | 0o777)
    except OSError as error:
        raise InputError(folder, "", error.strerror, f"a folder for locks; {LOCKS} names another") from None
