"""A checkout some of whose folders lie on a small disk, to be filled, freed and made read-only.

The disk is a tmpfs in a mount namespace of its own: nothing outside sees it, and it is gone with the process
that holds it. Where no namespace can be had, a limit on the size of files does for a full disk, and missing
rights for a read-only one.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.pipeline.checkout import Checkout

MIB = 2**20
TEMPORARY = "../tmp"
EVERYTHING = ("results", "logs", "checkpoints", "downloads", ".snakemake", "reports", TEMPORARY)
WITHOUT_RIGHTS = ("unshare", "--map-root-user", "--mount"), ("--user", "--preserve-credentials")
WAYS = ((("unshare", "--mount"), ()), WITHOUT_RIGHTS)  # of root, of a user where the system lets them
HOLD = ("--propagation", "private", "sh", "-c", "mount -t tmpfs none /mnt && echo held && exec cat")


class SmallDisk:
    """`folders`, with what is in them, on one disk of `size` bytes."""

    full = "No space left on device"
    closed = "Read-only file system"

    def __init__(self, folders: Sequence[Path], size: int = 256 * MIB) -> None:
        self.folders = [folder.resolve() for folder in folders]
        self._holder, self._namespace = _held()
        self._enter("mount", "-t", "tmpfs", "-o", f"size={size}", "none", "/mnt")
        for number, folder in enumerate(self.folders):
            on_disk = f"/mnt/{number}"
            self._enter("mkdir", "-p", folder, on_disk)
            self._enter("cp", "-a", f"{folder}/.", on_disk)
            self._enter("mount", "--bind", on_disk, folder)

    def view(self, path: Path) -> Path:
        """A path inside as one outside reaches it."""
        return Path(f"/proc/{self._holder.pid}/root") / path.resolve().relative_to("/")

    def command(self, command: Sequence[str], folder: Path) -> list[str]:
        """What carries out a command inside, in `folder`, under the number of the process that begins it."""
        script = f"cd {shlex.quote(str(folder))} && exec {shlex.join(command)}"
        return [*self._namespace, "sh", "-c", script]

    def fill(self, leave: int = 0) -> None:
        """Take all room but `leave` bytes."""
        ballast = self.view(Path("/mnt")) / "ballast"
        free = shutil.disk_usage(ballast.parent).free
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - leave)

    def make_room(self) -> None:
        """Give back what `fill` took."""
        (self.view(Path("/mnt")) / "ballast").unlink()

    def close_folders(self) -> None:
        """Let no one write to the folders; root neither."""
        for folder in self.folders:  # on top: what is open for writing would forbid it to what is there
            self._enter("mount", "--bind", folder, folder)
            self._enter("mount", "-o", "remount,bind,ro", folder)

    def open_folders(self) -> None:
        """Undo `close_folders`."""
        for folder in self.folders:
            self._enter("umount", "--lazy", folder)

    def give_up(self) -> None:
        """Give the disk up, with all that is on it."""
        self._holder.communicate()

    def _enter(self, *command: str | Path) -> None:
        subprocess.run([*self._namespace, *map(str, command)], check=True)


class Limits(SmallDisk):
    """The same without a disk: processes that may write no file, or that have no right to."""

    full = "File too large"
    closed = "Permission denied"

    def __init__(self, folders: Sequence[Path], size: int = 0) -> None:
        self.folders = [folder.resolve() for folder in folders]
        for folder in self.folders:
            folder.mkdir(parents=True, exist_ok=True)
        self._is_full = self._is_closed = False

    def view(self, path: Path) -> Path:
        return path

    def command(self, command: Sequence[str], folder: Path) -> list[str]:
        said = f"import os, resource; os.chdir({str(folder)!r})\n"
        if self._is_full:
            said += "resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))\n"
        # root without its privilege, so that what it may not write by its bits it may not write
        humble = (
            ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 and self._is_closed else []
        )
        words = [*humble, *command]
        return [sys.executable, "-c", f"{said}os.execvp({words[0]!r}, {words!r})"]

    def fill(self, leave: int = 0) -> None:
        self._is_full = True
        for process in _processes_in(self.folders[0].parent):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def make_room(self) -> None:
        self._is_full = False

    def close_folders(self) -> None:
        self._is_closed = True
        self._chmod(lambda mode: mode & ~0o222)

    def open_folders(self) -> None:
        self._is_closed = False
        self._chmod(lambda mode: mode | 0o200)

    def give_up(self) -> None:
        pass

    def _chmod(self, change: Any) -> None:
        for folder in self.folders:
            for path in (folder, *folder.rglob("*")):
                if path.is_dir():
                    path.chmod(change(path.stat().st_mode))


class SmallDiskCheckout(Checkout):
    """A checkout of which some folders are on a small disk; `folder` is a view of it."""

    def __init__(self, place: Path, disk: SmallDisk) -> None:
        super().__init__(disk.view(place))
        self.place, self.disk = place.resolve(), disk

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "TMPDIR": str((self.place / TEMPORARY).resolve())}

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        return super().start(*self.disk.command(command, self.place), **options)


@contextlib.contextmanager
def small_disk(folders: Sequence[Path], size: int = 256 * MIB) -> Iterator[SmallDisk]:
    """`folders` on a small disk, or what comes nearest."""
    kind = SmallDisk if _way() else Limits
    disk = kind(folders, size)
    try:
        yield disk
    finally:
        disk.give_up()


@contextlib.contextmanager
def on_small_disk(checkout: Checkout, *names: str) -> Iterator[SmallDiskCheckout]:
    """A checkout with folders on a small disk, all that are written to unless named."""
    place = checkout.folder
    (place / TEMPORARY).mkdir(exist_ok=True)
    with small_disk([place / name for name in names or EVERYTHING]) as disk:
        yield SmallDiskCheckout(place, disk)


def _way() -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """How to get a namespace, if there is a way."""
    if os.environ.get("ZENN_TEST_WITHOUT_MOUNT") or not shutil.which("unshare"):
        return None
    for way in WAYS:
        tried = [*way[0], "sh", "-c", "mount -t tmpfs none /mnt"]
        if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
            return way
    return None


def _held() -> tuple[subprocess.Popen[str], list[str]]:
    """A process that holds a namespace, and what runs a command in it."""
    way = _way()
    assert way is not None
    holder = subprocess.Popen([*way[0], *HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder, ["nsenter", "--target", str(holder.pid), "--mount", *way[1]]


def _processes_in(folder: Path) -> list[int]:
    """Processes that work in a folder or below it."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and Path(os.readlink(entry / "cwd")).is_relative_to(folder):
                found.append(int(entry.name))
    return found
