"""A run as it is seen: counts by subject, time left, and what failed."""

from __future__ import annotations

import json
import logging
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake_interface_logger_plugins.common import LogEvent

from tests.pipeline.checkout import Checkout, wait_for
from zenn.pipeline import scheduling, watch
from zenn.pipeline.costs import Cost, Costs
from zenn.pipeline.scheduling import SCHEDULE, one_timer_at_a_time
from zenn.pipeline.steps import Step
from zenn.pipeline.watch import AT_WORK, DONE, FAILED, WAITING, Counts, Job, TimeLeft, Watch, line, tail

KIND = "zenn.materials.steps.eos_round_trip"


def jobs() -> dict[int, Job]:
    steps = [Step(subject, str(n), KIND, {"n": n}, ("a",), "ci") for subject in ("a", "b") for n in range(2)]
    return {number: Job(step, 0, 1) for number, step in enumerate(steps)}


def watching(root: Path, counts: Counts, *known: Cost) -> Watch:
    return Watch(root, Path("orders"), TimeLeft(root, counts, Costs(known), 1, 0), counts)


def say(logger: logging.Logger, event: LogEvent, **more: Any) -> None:
    logger.info("text", extra={"event": event, **more})


@pytest.fixture
def logger() -> logging.Logger:
    logger = logging.Logger("test", logging.INFO)
    logger.addHandler(logging.NullHandler())
    return logger


def test_events_are_those_of_snakemake() -> None:
    events = [LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.JOB_ERROR]
    assert [str(event) for event in events] == [watch.STARTED, watch.FINISHED, watch.ERROR]


def test_counts_follow_the_log(
    tmp_path: Path, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = Counts(jobs())
    view = watching(tmp_path, counts)
    log = tmp_path / counts.jobs[3].log
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    view.start(logger)
    say(logger, LogEvent.JOB_STARTED, jobs=[0, 3, 77])  # 77 is a target, and no step
    assert counts.of("a") == {WAITING: 1, AT_WORK: 1, DONE: 0, FAILED: 0}
    say(logger, LogEvent.JOB_FINISHED, job_id=0)
    say(logger, LogEvent.JOB_ERROR, jobid=3)
    assert counts.of() == {WAITING: 2, AT_WORK: 0, DONE: 1, FAILED: 1}
    printed = capsys.readouterr().err
    assert "line 99\n" in printed
    assert "line 80\n" in printed
    assert "line 79\n" not in printed
    say(logger, LogEvent.JOB_STARTED, jobs=[3])  # Snakemake tries again
    assert counts.of("b") == {WAITING: 1, AT_WORK: 1, DONE: 0, FAILED: 0}
    assert view.summary() == []
    say(logger, LogEvent.JOB_ERROR, jobid=3)
    view.stop()
    assert "b/1" in view.summary()[0]
    assert "b: 0 of 2 done, 0 running, 1 failed" in capsys.readouterr().err
    handlers = len(logger.handlers)
    say(logger, LogEvent.JOB_FINISHED, job_id=1)
    assert (handlers, counts.of("a")[DONE]) == (1, 1)  # nobody listens any more


def test_nothing_that_goes_wrong_in_the_view_reaches_the_run(
    tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(logging, "raiseExceptions", False)
    counts = Counts(jobs())
    view = watching(tmp_path, counts)
    monkeypatch.setattr(TimeLeft, "by_subject", broken)
    monkeypatch.setattr(watch, "EVERY", 0.01)
    monkeypatch.setattr(watch, "PLAIN_AT_LEAST_EVERY", 0.0)
    view.start(logger)
    wait_for(lambda: not view.alive)
    monkeypatch.setattr(Counts, "tell", broken)
    say(logger, LogEvent.JOB_STARTED, jobs=[0])
    view.stop()


def test_time_left_is_of_what_is_left_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    counts = Counts(jobs())
    left = TimeLeft(tmp_path, counts, Costs([Cost("a/0", KIND, 1, 1, 10.0, 10.0, 9.0, 9.0, "m")]), 1, 0)
    assert left.by_subject() == {"a": 20.0, "b": 40.0}  # one core: a first
    counts.tell(watch.STARTED, 0)
    clock[0] += 4
    assert left.by_subject() == {"a": 16.0, "b": 36.0}
    clock[0] += 16  # it took twice as long, in seconds of wall
    counts.tell(watch.FINISHED, 0)
    step = counts.jobs[0].step
    facts = {"work": {"kind": KIND, "amount": 1, "size": 1}, "cpu_time_s": 10.0, "wall_time_s": 20.0}
    facts |= {"peak_memory_MiB": 9.0, "hardware": "m"}
    path = tmp_path / "logs" / step.name / f"{step.key}.run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(facts))
    assert left.by_subject() == {"a": 20.0, "b": 60.0}
    unknown = TimeLeft(tmp_path, counts, Costs([]), 1, 0)
    counts.tell(watch.STARTED, 1)
    assert unknown.by_subject()["a"] is not None  # what ended has told it
    assert TimeLeft(tmp_path, Counts(jobs()), Costs([]), 1, 0).by_subject() == {"a": None, "b": None}


def test_lines() -> None:
    counts = {WAITING: 3, AT_WORK: 1, DONE: 2, FAILED: 0}
    assert line("laws", counts, 90.0) == "laws: 2 of 6 done, 1 running, about 2 min left"
    assert line("laws", counts, None) == "laws: 2 of 6 done, 1 running, time left not known"
    ended = {WAITING: 0, AT_WORK: 0, DONE: 5, FAILED: 1}
    assert line("laws", ended, None) == "laws: 5 of 6 done, 0 running, 1 failed"


def test_the_end_of_a_log_is_read_from_its_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 10**6 + b"\nlast but one\n\xff last\n")
    assert tail(tmp_path / "log", 2) == ["last but one", "\ufffd last"]
    assert tail(tmp_path / "none", 2) == ["(No such file or directory)"]


def test_the_scheduler_starts_one_timer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(getattr(JobScheduler, SCHEDULE))  # an update that renames it is noticed here

    class Scheduler:
        def __init__(self) -> None:
            self.started: list[float] = []

        def _schedule_reevalutation(self, delay: float) -> None:
            self.started.append(clock[0] + delay)

    clock = [10.0]
    monkeypatch.setattr(scheduling.time, "monotonic", lambda: clock[0])
    scheduler = Scheduler()
    one_timer_at_a_time(scheduler)
    for now in (10.0, 10.2, 10.9, 11.0, 11.5, 12.5):
        clock[0] = now
        scheduler._schedule_reevalutation(1)
    assert scheduler.started == [11.0, 12.0, 13.5]
    one_timer_at_a_time(object())


def test_a_failed_job_is_shown_with_the_command_that_does_it_alone(ready: Checkout) -> None:
    ready.edit(
        "zenn/materials/steps/free_energy.py",
        "    material = read_material(params, inputs)",
        "    if Path('fail').exists():\n        raise OSError('the disk is on fire')\n"
        "    material = read_material(params, inputs)",
    )
    (ready.folder / "fail").touch()
    key = json.loads(ready.run("python", "-m", "zenn", "plan", "--json"))["materials/fe3pt-free-energy"]
    target = f"results/materials/fe3pt-free-energy/{key}/record.json"
    printed = ready.snakemake("--", target, fails=True)
    assert "note: 1 job, about " in printed  # measured here before
    assert printed.count("OSError: the disk is on fire") == 1
    assert "materials: 0 of 1 done, 0 running, 1 failed" in printed
    commands = re.findall(r"^  alone: (.*)$", printed, flags=re.MULTILINE)
    assert len(commands) == 2  # at once, and at the end
    (command,) = {*commands}
    assert shlex.split(command)[-4:] == ["zenn.pipeline.job", f".snakemake/zenn-orders/{key}.json", "0", "1"]
    (ready.folder / "fail").unlink()
    ready.jobs()
    subprocess.run(["bash", "-c", command], cwd="/", check=True, env=ready.environment, capture_output=True)
    assert ready.jobs() == {"materials/fe3pt-free-energy"}
    assert "Nothing to be done" in ready.snakemake("--", target)
    driver = json.loads(ready.text("logs/driver.json"))
    assert (driver["jobs"], driver["scale"]) == (1, "ci")
