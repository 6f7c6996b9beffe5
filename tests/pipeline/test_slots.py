"""Devices by slots: never one device for two processes, whatever ends them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pipeline.checkout import wait_for
from zenn.errors import InputError
from zenn.pipeline import gpus, slots

HOLD = """
import os, subprocess, sys, time
from zenn.pipeline.slots import take
count, seconds, other = sys.argv[1:]
if other.isdigit():
    os.setgroups([]), os.setgid(int(other)), os.setuid(int(other)), os.umask(0o077)
mine = take(int(count))
child = 0
if other == "fork":
    child = os.fork()  # a worker that outlives the job
elif other == "start":
    child = subprocess.Popen(["sleep", "60"]).pid
elif other == "share":
    child = subprocess.Popen(["sleep", "60"], pass_fds=mine.files).pid
if other == "fork" and child == 0:
    time.sleep(60)
print("taken", os.environ["CUDA_VISIBLE_DEVICES"], child, flush=True)
time.sleep(float(seconds))
"""
NOBODY = "65534"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users can enter; pytest's cannot."""
    with tempfile.TemporaryDirectory(prefix="zenn-slots-") as name:
        Path(name).chmod(0o1777)
        yield Path(name)


@pytest.fixture
def eight(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight devices, no scheduler, and no nvidia-smi that knows better."""
    for name in gpus.SCHEDULERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(gpus.VISIBLE, "0,1,2,3,4,5,6,7")
    monkeypatch.setenv(slots.LOCKS, str(place / "locks"))
    lists(place, "", monkeypatch, status=9)


def lists(place: Path, printed: str, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> None:
    """A program `nvidia-smi` that prints this."""
    (place / "bin").mkdir(exist_ok=True)
    program = place / "bin" / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


class Holder:
    """A process that takes devices and holds them, longer than any test waits."""

    def __init__(self, count: int = 1, seconds: float = 600.0, other: str = "-") -> None:
        self.printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 (as long as the process)
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(count), str(seconds), other],
            stdout=self.printed,
            process_group=0,
        )

    def line(self, start: str) -> list[str]:
        """The words of its first line that starts so."""
        found: list[str] = []

        def there() -> bool:
            printed = os.pread(self.printed.fileno(), 10_000, 0).decode()
            found.extend(line for line in printed.splitlines(True) if line.startswith(start) and "\n" in line)
            return bool(found)

        wait_for(there, 60)
        return found[0].split()

    def devices(self) -> str:
        """Of `CUDA_VISIBLE_DEVICES`, when it has them."""
        return self.line("taken")[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def holders(*all_of: Holder) -> Iterator[tuple[Holder, ...]]:
    """Processes that end with the test."""
    try:
        yield all_of
    finally:
        for holder in all_of:
            holder.kill()


def can_be_taken(count: int) -> bool:
    """Whether a new process gets so many at once."""
    with holders(Holder(count)) as (holder,):
        first = holder.line("")
    return first[0] == "GPU"


@pytest.mark.usefixtures("eight")
def test_each_process_has_a_device_of_its_own() -> None:
    with holders(*(Holder() for _ in range(8))) as all_of:
        assert {holder.devices() for holder in all_of} == set("01234567")
    free = slots.take(8)
    assert free.names == tuple("01234567")
    free.release()


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize(("other", "keeps"), [("fork", False), ("start", False), ("share", True)])
def test_children_keep_a_killed_process_s_device_only_where_they_are_given_it(
    other: str, keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "3")
    with holders(Holder(other=other)) as (holder,):
        _, devices, child = holder.line("taken")
        holder.kill()
        assert devices == "3"
        assert can_be_taken(1) != keeps
        os.kill(int(child), signal.SIGKILL)  # it was alive until now
    wait_for(lambda: can_be_taken(1))


@pytest.mark.usefixtures("eight")
def test_several_devices_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0,1,2")
    with holders(*(Holder(2, 0.1) for _ in range(4))) as all_of:  # would deadlock with one each
        assert all(len(holder.devices().split(",")) == 2 for holder in all_of)


@pytest.mark.usefixtures("eight")
def test_a_job_that_wants_several_is_not_starved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others that want one come all the time, and never are two devices free at once."""
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    first, second = Holder(), Holder()
    with holders(first, second):
        assert {first.devices(), second.devices()} == {"0", "1"}
        with holders(Holder(2)) as (several,):
            several.line("waiting")
            with holders(Holder(), Holder()) as singles:
                for single in singles:
                    single.line("waiting")
                first.kill()
                wait_for(lambda: not can_be_locked("0.lock") or not can_be_locked("1.lock"))
                second.kill()
                assert several.devices() == "0,1"
                several.kill()
                assert {single.devices() for single in singles} == {"0", "1"}


def can_be_locked(name: str) -> bool:
    file = slots._lock(Path(os.environ[slots.LOCKS]) / name)
    if file is not None:
        os.close(file)
    return file is not None


@pytest.mark.usefixtures("eight")
def test_jobs_wait_for_none_but_those_of_their_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "4,5")
    with holders(Holder(2)) as (working,):
        working.devices()
        with holders(Holder(2)) as (waiting,):
            waiting.line("waiting")
            monkeypatch.setenv(gpus.VISIBLE, "0,1,2,3,4,5,6,7")
            with holders(Holder(6)) as (other,):
                assert other.devices() == "0,1,2,3,6,7"


@pytest.mark.usefixtures("eight")
def test_a_stopped_job_that_waits_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0")
    with holders(Holder()) as (working,):
        working.devices()
        with holders(Holder()) as (waiting,):
            waiting.line("waiting")
            waiting.process.send_signal(signal.SIGTSTP)  # Ctrl-Z
            state = Path(f"/proc/{waiting.process.pid}/stat")
            wait_for(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
            working.kill()
            assert can_be_taken(1)
            waiting.process.send_signal(signal.SIGCONT)
            assert waiting.devices() == "0"


@pytest.mark.usefixtures("eight")
def test_other_users_lock_too_whatever_their_umask(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    before = os.umask(0o077)
    try:
        slots.take(2).release()
    finally:
        os.umask(before)
    made = [place / "locks", *(place / "locks").iterdir()]
    rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made}
    files = dict.fromkeys(("0.lock", "0.next", "1.lock", "1.next"), 0o1666)
    assert rights == {"locks": 0o1777, **files}
    if os.getuid() == 0:  # else there is one user
        with holders(Holder(other=NOBODY), Holder()) as both:
            assert {holder.devices() for holder in both} == {"0", "1"}


@pytest.mark.usefixtures("eight")
def test_files_of_other_users_are_not_asked_to_be_created(monkeypatch: pytest.MonkeyPatch) -> None:
    """As kernels do with fs.protected_regular, which may be off here."""
    really = os.open

    def protected(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and not flags & os.O_EXCL and Path(path).exists():
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, flags, mode)

    monkeypatch.setattr(slots.os, "open", protected)
    slots.take(8).release()
    slots.take(8).release()


@pytest.mark.usefixtures("eight")
def test_a_lock_file_that_was_removed_locks_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cleaner comes between opening and locking: the next process would lock another file."""
    slots.take(1).release()
    really, path = slots.fcntl.flock, place / "locks" / "0.lock"

    def after_a_cleaner(file: int, how: int) -> None:
        monkeypatch.setattr(slots.fcntl, "flock", really)
        path.unlink()
        really(file, how)

    monkeypatch.setattr(slots.fcntl, "flock", after_a_cleaner)
    file = slots._lock(path)
    assert file is not None
    assert os.path.samestat(os.fstat(file), path.stat())
    os.close(file)


@pytest.mark.usefixtures("eight")
def test_a_scheduler_s_assignment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others hold does not count; the jobs of one allocation share nothing all the same."""
    monkeypatch.setenv(gpus.VISIBLE, "5")
    with holders(Holder()) as (unscheduled,):
        assert unscheduled.devices() == "5"
        monkeypatch.setenv("SLURM_JOB_GPUS", "5")
        monkeypatch.setenv("SLURM_JOB_ID", "17")
        with holders(Holder()) as (scheduled,):
            assert " ".join(scheduled.line("GPU")) == "GPU 5, assigned by the scheduler"
            assert scheduled.devices() == "5"
            assert not can_be_taken(1)  # by the next job of a driver in an allocation of one device
            monkeypatch.setenv("SLURM_JOB_ID", "18")  # Slurm may give parts of a device to several
            assert can_be_taken(1)


@pytest.mark.usefixtures("eight")
def test_jobs_of_one_allocation_share_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_GPUS", "4,5")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv(gpus.VISIBLE, "4,5")
    with holders(Holder(), Holder()) as both:
        assert {holder.devices() for holder in both} == {"4", "5"}


@pytest.mark.usefixtures("eight")
def test_a_job_that_wants_no_device_sees_none() -> None:
    assert slots.take(0).names == ()
    assert os.environ[gpus.VISIBLE] == ""


TWO = "GPU 0: NVIDIA H200 (UUID: GPU-a7)\nGPU 1: NVIDIA H200 (UUID: GPU-b8)"
CUT = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef)
  MIG 3g.20gb     Device  1: (UUID: MIG-cba663e8)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-69cfa8a0)"""


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize(
    ("listed", "said", "found"),
    [
        (TWO, None, ["GPU-a7", "GPU-b8"]),
        (TWO, "1,0", ["GPU-b8", "GPU-a7"]),
        (TWO, "GPU-b8, 0", ["GPU-b8", "GPU-a7"]),
        (TWO, "GPU-b,0", ["GPU-b8", "GPU-a7"]),  # cut short
        (TWO, "1,GPU-b8,1", ["GPU-b8"]),  # named twice: one device
        (TWO, "1,-1,0", ["GPU-b8"]),  # CUDA reads no further
        (TWO, "", []),
        (TWO, "-1", []),
        (TWO, "NoDevFiles", []),
        (CUT, None, ["MIG-c6d4f1ef", "MIG-cba663e8", "GPU-69cfa8a0"]),
        (CUT, "MIG-cba663e8,1", ["MIG-cba663e8", "GPU-69cfa8a0"]),
        (CUT, "0", ["MIG-c6d4f1ef", "MIG-cba663e8"]),
        (CUT, "MIG-GPU-5d5ba0d6/1/0", ["MIG-GPU-5d5ba0d6/1/0"]),
    ],
)
def test_a_device_has_one_name(
    place: Path, listed: str, said: str | None, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(place, listed, monkeypatch)
    monkeypatch.delenv(gpus.VISIBLE) if said is None else monkeypatch.setenv(gpus.VISIBLE, said)
    assert gpus.devices() == found


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize("said", ["7", "GPU-c", "GPU-", "MIG-x", "gpu0"])
def test_a_device_that_is_not_there_is_refused(
    place: Path, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA would do without, and the training would take weeks on the processor."""
    lists(place, TWO, monkeypatch)
    monkeypatch.setenv(gpus.VISIBLE, said)
    with pytest.raises(InputError, match=f"CUDA_VISIBLE_DEVICES: found '{said}', expected .*GPU-b8"):
        slots.take(1)


@pytest.mark.usefixtures("eight")
def test_without_a_device_work_goes_to_the_processor(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "")
    assert slots.take(1).names == ()
    monkeypatch.delenv(gpus.VISIBLE)
    assert slots.take(1).names == ()
    assert "no GPUs listed: " in capfd.readouterr().err  # its nvidia-smi fails


@pytest.mark.usefixtures("eight")
def test_bad_requests_are_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="9 for one job, expected at most the 8 devices"):
        slots.take(9)
    (place / "file").touch()
    with pytest.raises(InputError, match="expected a folder for locks; ZENN_GPU_LOCKS names another"):
        slots.take(1, place / "file" / "below")
    (place / "linked").mkdir()
    (place / "linked" / "0.next").symlink_to(place / "file")
    with pytest.raises(InputError, match=r"0\.next: .*expected a file that all may lock"):
        slots.take(1, place / "linked")
    monkeypatch.setenv(slots.LOCKS, "here")
    with pytest.raises(InputError, match="ZENN_GPU_LOCKS: found here, expected an absolute path"):
        slots.take(1)
