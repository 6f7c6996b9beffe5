"""Many jobs on eight fake devices while some are killed: no device is ever shared, and none is lost.

Each job writes down from when to when it uses which devices, by the machine's clock. The times are compared
when all is over: this knows nothing of locks.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pipeline.checkout import ROOT, wait_for
from zenn.pipeline import gpus, slots
from zenn.pipeline.steps import Step

DEVICES, AT_A_TIME, NOBODY = 8, 20, 65534

USE = '''
"""What a job does: use the devices that it sees, for a while, and maybe leave a child that lives on."""
import json, os, subprocess, sys, time

def say(**what):
    line = json.dumps({"pid": os.getpid(), "at": time.monotonic_ns(), **what}) + chr(10)
    with open(os.environ["ZENN_TEST_LOG"], "a") as log:
        log.write(line)

def use(seconds, job):
    devices = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
    say(what="begin", job=job, devices=devices)
    time.sleep(seconds)
    say(what="end", job=job)

def leave(kind, seconds, files):
    if kind == "worker" and (child := os.fork()) == 0:
        time.sleep(600)
    if kind == "worker":
        say(what="worker", child=child)
    if kind == "launcher":  # of processes that use the devices too, and longer
        again = f"import use; use.use({seconds}, {os.getpid()})"
        subprocess.Popen([sys.executable, "-c", again], pass_fds=files)

def run(params, inputs, out):  # as a step of the pipeline
    leave(params["kind"], 0, ())
    use(params["seconds"], os.getpid())
    (out / "done").touch()
'''
TAKE = """
import os, sys
import use
from zenn.pipeline.slots import take
count, seconds, kind, user = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
if user:
    os.setgroups([]), os.setgid(user), os.setuid(user), os.umask(0o077)
mine = take(count)
use.leave(kind, 2 * seconds, mine.files)
use.use(seconds, os.getpid())
"""


class Span(NamedTuple):
    """The time in which a process of a job used a device, in nanoseconds of the machine's clock."""

    begin: int
    end: int
    job: int


class Field:
    """Where jobs meet: fake devices, the lock folder, the log of their use, and a small pipeline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.log.chmod(0o666)
        shutil.copytree(ROOT / "zenn", folder / "zenn", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "use.py").write_text(USE)
        (folder / "zenn" / "pipeline" / "use.py").write_text("from use import run as run\n")
        (folder / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
        (folder / "nvidia-smi").chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in gpus.SCHEDULERS},
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ZENN_TEST_LOG": str(self.log),
            gpus.VISIBLE: ",".join(map(str, range(DEVICES))),
            slots.LOCKS: str(folder / "locks"),
        }
        show = (
            "import json, pathlib, zenn.pipeline.tree as tree; "
            "print(json.dumps(tree.Tree(pathlib.Path.cwd()).code('zenn.pipeline.use')))"
        )
        shown = subprocess.check_output([sys.executable, "-c", show], cwd=folder, env=self.environment)
        self.code = json.loads(shown)
        self.killed: dict[int, int] = {}  # process -> the last moment at which it surely lived

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )

    def job(self, number: int, count: int, seconds: float, kind: str) -> subprocess.Popen[bytes]:
        """A job as the Snakefile starts it."""
        given = {"kind": kind, "seconds": seconds}
        name, module = f"run-{number}", "zenn.pipeline.use"
        order = Step("materials", name, module, given, ("done",), "ci", code=self.code).order
        path = self.folder / f"{number}.json"
        path.write_text(json.dumps(order))
        return self.start("-m", "zenn.pipeline.job", str(path), str(count), "1")

    def kill(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it had not ended before."""
        self.killed[process.pid] = time.monotonic_ns()
        process.kill()
        return process.wait() == -signal.SIGKILL

    def said(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def at_work(self) -> set[int]:
        """Processes that have devices now."""
        lines = self.said()
        return {line["pid"] for line in lines if line["what"] == "begin"} - {
            line["pid"] for line in lines if line["what"] == "end"
        }

    def workers(self) -> list[int]:
        return [line["child"] for line in self.said() if line["what"] == "worker"]

    def spans(self) -> dict[str, list[Span]]:
        """Device -> when it was used."""
        lines = self.said()
        ends = {line["pid"]: line["at"] for line in lines if line["what"] == "end"}
        found = defaultdict(list)
        for line in lines:
            if line["what"] == "begin":
                end = min(ends.get(line["pid"], sys.maxsize), self.killed.get(line["pid"], sys.maxsize))
                for device in line["devices"]:
                    found[device].append(Span(line["at"], end, line["job"]))
        return found


@pytest.fixture
def field() -> Iterator[Field]:
    with tempfile.TemporaryDirectory(prefix="zenn-slots-") as name:  # pytest's is closed to other users
        Path(name).chmod(0o1777)
        made = Field(Path(name))
        yield made
        for worker in made.workers():
            os.kill(worker, signal.SIGKILL)


def test_an_overlap_would_be_seen(field: Field) -> None:
    """Two jobs that lock in different folders use the same devices."""
    for place in ("here", "there"):
        field.environment[slots.LOCKS] = str(field.folder / place)
        field.job(len(place), DEVICES, 600.0, "alone")
    wait_for(lambda: len(field.at_work()) == 2)
    for line in field.said():
        os.kill(line["pid"], signal.SIGKILL)
    assert set(overlaps(field.spans())) == set("01234567")


def overlaps(spans: dict[str, list[Span]]) -> dict[str, list[tuple[Span, Span]]]:
    """Device -> uses of two jobs at one time."""
    found = defaultdict(list)
    for device, of_device in spans.items():
        jobs: dict[int, Span] = {}
        for span in of_device:  # the processes of one job use its devices together
            known = jobs.get(span.job, span)
            jobs[span.job] = Span(min(known.begin, span.begin), max(known.end, span.end), span.job)
        for one, two in pairwise(sorted(jobs.values())):
            if two.begin < one.end:
                found[device].append((one, two))
    return found


@pytest.mark.parametrize(
    ("jobs", "kills"), [(40, 10), pytest.param(220, 44, marks=pytest.mark.stress)], ids=["ci", "stress"]
)
def test_kills_leave_neither_overlap_nor_leak(field: Field, jobs: int, kills: int) -> None:
    chance = random.Random(1)
    two_users = os.getuid() == 0
    victims = {*chance.sample(range(5, jobs), kills)}
    started: list[subprocess.Popen[bytes]] = []

    def running() -> list[subprocess.Popen[bytes]]:
        return [process for process in started if process.poll() is None]

    def working() -> list[subprocess.Popen[bytes]]:
        now = field.at_work()
        return [process for process in running() if process.pid in now]

    began = time.monotonic()
    for number in range(jobs):
        wait_for(lambda: len(running()) < AT_A_TIME)
        count, seconds = (2 if number % 4 == 0 else 1), chance.uniform(0.05, 0.4)
        kind = ("alone", "worker", "launcher")[number % 3]
        if number % 5 == 1 and kind != "launcher":
            started.append(field.job(number, count, seconds, kind))
        else:
            user = NOBODY if two_users and number % 2 and kind != "launcher" else 0
            started.append(field.start("-c", TAKE, str(count), str(seconds), kind, str(user)))
        if number in victims:
            if number % 3:
                wait_for(lambda: working() and field.kill(chance.choice(working())))
            else:  # at any moment of starting and waiting
                wait_for(lambda: running() and field.kill(chance.choice(running())))
    wait_for(lambda: not running())

    ended = [process for process in started if process.pid not in field.killed]
    assert {process.returncode for process in ended} == {0}
    wait_for(lambda: not field.at_work() - set(field.killed), 60)  # what launchers have started
    spans = field.spans()
    assert not overlaps(spans)
    assert set(spans) == set("01234567")
    dead = {process.pid for process in started if process.returncode == -signal.SIGKILL}
    assert len(dead) == kills
    at_work = dead & {span.job for of_device in spans.values() for span in of_device}
    workers = field.workers()
    assert all(Path(f"/proc/{worker}").exists() for worker in workers)
    everything = field.start("-c", TAKE, str(DEVICES), "0", "alone", "0")
    assert everything.wait(timeout=60) == 0, "a device is lost"
    users = "two users" if two_users else "one user (a second one needs root)"
    print(
        f"{jobs} jobs of {users} in {time.monotonic() - began:.0f} s, {len(dead)} killed, of these "
        f"{len(at_work)} with devices; {len(workers)} workers lived on; no overlap, no leak"
    )
