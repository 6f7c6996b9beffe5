"""Devices by slots: never one device for two processes, whatever ends them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zenn.errors import InputError
from zenn.pipeline import slots

HOLD = """
import os, sys, time
from pathlib import Path
from zenn.pipeline.slots import take
mine = take(int(sys.argv[1]), Path(sys.argv[2]))
log = Path(sys.argv[3])
for name in mine.names:
    # a device in use has a file; to find one there is an overlap, unless its owner was killed
    place = log / name
    if place.exists():
        owner = Path(f"/proc/{place.read_text()}/stat")
        if owner.exists() and owner.read_text().split()[2] != "Z":
            (log / f"overlap-{os.getpid()}").touch()
    place.write_text(str(os.getpid()))
if len(sys.argv) > 5 and os.fork() == 0:
    time.sleep(60)  # a worker that outlives the job
print("taken", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
time.sleep(float(sys.argv[4]))
for name in mine.names:
    (log / name).unlink(missing_ok=True)
"""


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in slots.SCHEDULED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(slots.VISIBLE, "0,1,2,3,4,5,6,7")


def holder(
    tmp_path: Path, count: int = 1, seconds: float = 30.0, fork: bool = False
) -> subprocess.Popen[str]:
    (tmp_path / "log").mkdir(exist_ok=True)
    arguments = [str(count), str(tmp_path / "locks"), str(tmp_path / "log"), str(seconds), *["fork"] * fork]
    return subprocess.Popen([sys.executable, "-c", HOLD, *arguments], stdout=subprocess.PIPE, text=True)


def device(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line.split()[1] for line in process.stdout if line.startswith("taken"))


@pytest.mark.usefixtures("eight")
def test_each_process_has_a_device_of_its_own(tmp_path: Path) -> None:
    processes = [holder(tmp_path) for _ in range(8)]
    try:
        assert {device(process) for process in processes} == set("01234567")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    free = slots.take(8, tmp_path / "locks")
    assert free.names == tuple("01234567")
    free.release()


@pytest.mark.usefixtures("eight")
def test_a_killed_process_frees_its_device_though_its_worker_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(slots.VISIBLE, "3")
    process = holder(tmp_path, fork=True)
    assert device(process) == "3"
    process.send_signal(signal.SIGKILL)
    process.wait()
    mine = slots.take(1, tmp_path / "locks")  # would wait for ever
    assert mine.names == ("3",)
    mine.release()
    subprocess.run(["pkill", "-f", str(tmp_path / "locks")], check=False)


@pytest.mark.usefixtures("eight")
def test_several_devices_come_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(slots.VISIBLE, "0,1,2")
    first, second = holder(tmp_path, 2, 0.5), holder(tmp_path, 2, 0.5)  # would deadlock with one each
    assert len(device(first).split(",")) == len(device(second).split(",")) == 2
    for process in (first, second):
        assert process.wait(timeout=30) == 0
    assert not [*(tmp_path / "log").glob("overlap-*")]


@pytest.mark.usefixtures("eight")
def test_kills_leave_neither_overlap_nor_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(slots.VISIBLE, "0,1")
    chance, running = random.Random(1), []
    for number in range(12):
        running.append(holder(tmp_path, seconds=0.2))
        if number % 3 == 2:
            time.sleep(0.2)
            victim = chance.choice(running)
            victim.kill()
    for process in running:
        process.wait(timeout=60)
    assert not [*(tmp_path / "log").glob("overlap-*")]
    mine = slots.take(2, tmp_path / "locks")
    assert len(mine.names) == 2
    mine.release()


@pytest.mark.usefixtures("eight")
def test_a_scheduler_s_assignment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_GPUS", "5")
    monkeypatch.setenv(slots.VISIBLE, "5")
    assert slots.take(1, tmp_path / "locks").names == ()
    assert os.environ[slots.VISIBLE] == "5"
    assert not (tmp_path / "locks").exists()


@pytest.mark.usefixtures("eight")
def test_jobs_of_one_allocation_share_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_GPUS", "4,5")
    monkeypatch.setenv(slots.VISIBLE, "4,5")
    processes = [holder(tmp_path) for _ in range(2)]
    try:
        assert {device(process) for process in processes} == {"4", "5"}
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.usefixtures("eight")
def test_a_job_that_wants_no_device_sees_none(tmp_path: Path) -> None:
    assert slots.take(0, tmp_path / "locks").names == ()
    assert os.environ[slots.VISIBLE] == ""


@pytest.mark.usefixtures("eight")
def test_a_device_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho '0, GPU-a'\necho '1, GPU-b'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for said in ("1,0", "GPU-b,0", "GPU-b,GPU-a"):
        monkeypatch.setenv(slots.VISIBLE, said)
        assert slots.devices() == ["GPU-b", "GPU-a"]
    monkeypatch.delenv(slots.VISIBLE)
    assert slots.devices() == ["GPU-a", "GPU-b"]


def test_without_a_device_work_goes_to_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(slots.VISIBLE, "")
    assert slots.take(1, tmp_path / "locks").names == ()


@pytest.mark.usefixtures("eight")
def test_bad_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="9 for one job, expected at most the 8 devices"):
        slots.take(9, tmp_path / "locks")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a folder for locks; ZENN_GPU_LOCKS names another"):
        slots.take(1, tmp_path / "file" / "below")
