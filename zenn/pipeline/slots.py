"""Slots of GPUs: a count says how many jobs may run, a slot which device each of them has.

One locked file per device, held for the life of the process: the system frees it however the process ends.
All users of the host lock in one folder. A scheduler's own assignment wins: the jobs of one allocation lock
only against one another.

Whoever waits claims the devices that it may get, by a second lock on each, and keeps what becomes free until
it has enough. No other can take them meanwhile, so that a job which wants several is not starved by others
that want one. Claims do not overlap: it waits for jobs at work only, never for another one that waits.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from zenn.errors import InputError
from zenn.pipeline.gpus import VISIBLE, allocation, devices

LOCKS = "ZENN_GPU_LOCKS"
"""Folder of the locks, shared by all users of a host; `FOLDER` if not set."""
FOLDER = Path(
    "/tmp/zenn-gpu-slots"
)  # not where TMPDIR points: that may differ between users, and between jobs

_PAUSES = (0.01, 0.2)  # seconds between two looks: the first, and the longest


class Slots:
    """Devices held by this process until `release`, or until it ends.

    Forked children, such as the workers of a data loader, do not hold them: they give their copy of the locks
    up at once, so that a device is free when the process that took it is gone. Nor does a program that is
    started. One that computes on the devices, such as a launcher of several processes, is to hold them too:
    `subprocess.Popen(..., pass_fds=slots.files)`. They are free when all who hold them have ended.
    """

    def __init__(self, names: Sequence[str] = (), held: Sequence[int] = ()) -> None:
        self.names, self._held = tuple(names), list(held)
        os.register_at_fork(after_in_child=self.release)

    @property
    def files(self) -> tuple[int, ...]:
        """Descriptors of the locks, to be inherited by a program that computes on the devices."""
        return tuple(self._held)

    def release(self) -> None:
        """Give the devices back."""
        while self._held:
            os.close(self._held.pop())


def take(count: int, folder: Path | None = None) -> Slots:
    """Wait until `count` devices can be had, take them, and make them the only visible ones.

    Without a device on the machine nothing is taken, and the work goes to the processor. A job that wants
    none sees none.

    Raises
    ------
    InputError : more devices are asked for than there are, one is named that is not there, or the folder of
        locks cannot be used.
    """
    if count < 1:
        os.environ[VISIBLE] = ""
        return Slots()
    there = devices()
    if not there:
        return Slots()
    if count > len(there):
        raise InputError("resource gpu", "", f"{count} for one job", f"at most the {len(there)} devices here")
    job = allocation()
    slots = _gather(there, count, _shared(folder or Path(os.environ.get(LOCKS) or FOLDER)), job)
    if job is not None and count == len(there):  # obeyed to the letter
        print(f"GPU {os.environ[VISIBLE]}, assigned by the scheduler", flush=True)
        return slots
    os.environ[VISIBLE] = ",".join(slots.names)
    print(f"GPU {', '.join(slots.names)} of {len(there)}", flush=True)
    return slots


def _gather(there: Sequence[str], count: int, folder: Path, job: str | None) -> Slots:
    """Claim, and take what is free of it, until there are `count`."""
    claims: dict[str, int] = {}
    held: dict[str, int] = {}
    pause, longest = _PAUSES
    said = False
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    try:
        while True:
            _add(claims, there, len(there), folder, job, "next")
            if len(claims) >= count:
                _add(held, [*claims], count, folder, job, "lock")
                if len(held) == count:
                    names = [name for name in there if name in held]
                    return Slots(names, [held.pop(name) for name in names])
            else:
                _drop(claims)  # too few to go on with, and maybe those that another one lacks
            if pause == longest and not said:
                print(f"waiting for {count} of {len(there)} GPUs", flush=True)
                said = True
            time.sleep(random.SystemRandom().uniform(pause / 2, pause))  # out of step with the others
            pause = min(2 * pause, longest)
            if signal.SIGTSTP in signal.sigpending():  # Ctrl-Z: it stops without what others would wait for
                _drop(held)
                _drop(claims)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    finally:
        _drop(claims)
        _drop(held)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _add(
    locks: dict[str, int], names: Sequence[str], count: int, folder: Path, job: str | None, kind: str
) -> None:
    """Lock those of `names` that can be locked now, up to `count` in all."""
    for name in names:
        if len(locks) < count and name not in locks:
            of_job = "" if job is None else f"{job}-"
            file = _lock(folder / f"{of_job}{name}.{kind}".replace("/", "_"), lasting=job is None)
            if file is not None:
                locks[name] = file


def _drop(locks: dict[str, int]) -> None:
    while locks:
        os.close(locks.popitem()[1])


def _lock(path: Path, lasting: bool = True) -> int | None:
    """The locked file, or None while another process has it."""
    while True:
        try:
            file = _open(path, lasting)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.utime(file)  # cleaners of temporary folders go by age
                if os.path.samestat(os.fstat(file), os.stat(path, follow_symlinks=False)):
                    return file
            except FileNotFoundError:
                pass  # such a cleaner was there in between: this is not the file that others lock
            except BlockingIOError:
                os.close(file)
                return None
            os.close(file)
        except OSError as error:
            hint = f"{LOCKS} names another folder"
            raise InputError(path, "", error.strerror, f"a file that all may lock; {hint}") from None


def _open(path: Path, lasting: bool) -> int:
    """The file, made if need be; all users may open it, and systemd's cleaner leaves a `lasting` one alone.

    Asked to create what is there already, kernels refuse a file of another user in a folder of all users
    (fs.protected_regular): so it is opened, or made anew, never both in one call.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        with suppress(FileNotFoundError):
            return os.open(path, flags)
        with suppress(FileExistsError), _open_to_all():
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o1666 if lasting else 0o666)


def _shared(folder: Path) -> Path:
    """The folder of locks, made if need be: open to all users, where each may remove only what is his."""
    if not folder.is_absolute():
        raise InputError(f"variable {LOCKS}", "", folder, "an absolute path: one folder for the whole host")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), _open_to_all():
            os.mkdir(folder, 0o1777)
    except OSError as error:
        raise InputError(folder, "", error.strerror, f"a folder for locks; {LOCKS} names another") from None
    return folder


@contextmanager
def _open_to_all() -> Iterator[None]:
    """What is made inside has the rights that are named, at once and whatever the umask of the user."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)
