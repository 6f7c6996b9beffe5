"""How a run stands: per subject what is done, at work, failed, and time left; and what failed, why.

Snakemake's logger says which job begins, ends or fails; a handler counts, and a thread shows the counts: as a
table that is rewritten on a terminal, as plain lines elsewhere. Nothing here may disturb the run: the handler
lets no error out, and the thread ends with the driver.
"""

from __future__ import annotations

import logging
import shlex
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from zenn.files import read_json
from zenn.pipeline.costs import Costs, cost_of
from zenn.pipeline.forecast import schedule, spoken_seconds
from zenn.pipeline.provenance import RUNS, run_file
from zenn.pipeline.steps import Step

WAITING, AT_WORK, DONE, FAILED = "waiting", "at work", "done", "failed"
LINES = 20  # of a failed job's log
EVERY, PLAIN_EVERY, PLAIN_AT_LEAST_EVERY = 1.0, 30.0, 600.0  # seconds between two views
LEAST = 5.0  # seconds of finished jobs from which on they tell how fast this machine is
STARTED, FINISHED, ERROR = "job_started", "job_finished", "job_error"  # of Snakemake's log events


@dataclass
class Job:
    """A job of the run: its step, and what its rule gives it."""

    step: Step
    gpus: int
    threads: int
    memory_MiB: float = 0.0
    state: str = WAITING
    began: float = field(default=0.0)

    def command(self, root: Path, orders: Path) -> str:
        """What does this job alone, from anywhere."""
        order = orders / f"{self.step.key}.json"
        called = (sys.executable, "-m", "zenn.pipeline.job", str(order), str(self.gpus), str(self.threads))
        return f"cd {shlex.quote(str(root))} && {shlex.join(called)}"

    @property
    def log(self) -> Path:
        """Its log, relative to the checkout."""
        return RUNS / self.step.name / f"{self.step.key}.log"


class Counts:
    """Where every job stands; told by Snakemake's log events, asked by the view."""

    def __init__(self, jobs: Mapping[int, Job]) -> None:
        self.jobs = jobs
        self.ended: list[tuple[Job, float]] = []  # with the seconds they took
        self._lock = threading.Lock()

    def tell(self, event: str, number: int) -> Job | None:
        """Take an event in; the job that it is about, None when it is not one of the plan's."""
        job, now = self.jobs.get(number), time.monotonic()
        if job is None:
            return None
        with self._lock:
            if event == STARTED:  # also after a failure, where Snakemake tries again
                job.state, job.began = AT_WORK, now
            elif event == FINISHED:
                self.ended.append((job, now - job.began))
                job.state = DONE
            elif event == ERROR:
                job.state = FAILED
        return job

    def of(self, subject: str | None = None) -> dict[str, int]:
        """State -> number of jobs, of one subject or all."""
        with self._lock:
            states = [job.state for job in self.jobs.values() if subject in (None, job.step.subject)]
        return {state: states.count(state) for state in (WAITING, AT_WORK, DONE, FAILED)}

    @property
    def subjects(self) -> list[str]:
        """Subjects of the jobs."""
        return [*dict.fromkeys(job.step.subject for job in self.jobs.values())]

    def in_state(self, *states: str) -> list[Job]:
        """The jobs in one of some states."""
        with self._lock:
            return [job for job in self.jobs.values() if job.state in states]


class TimeLeft:
    """Estimates of what is left, brought up to date by every job that ends."""

    def __init__(self, root: Path, counts: Counts, costs: Costs, cores: int, gpus: int) -> None:
        self._root, self._counts, self._costs = root, counts, costs
        self._cores, self._gpus = cores, gpus
        self._seen = 0
        self._expected = self._took = 0.0
        self._estimates = {job.step.key: costs.estimate(job.step, cores) for job in counts.jobs.values()}

    def by_subject(self) -> dict[str, float | None]:
        """Subject -> seconds until its last job is done; None where no job that is left has an estimate."""
        self._take_in_ended()
        left = self._counts.in_state(WAITING, AT_WORK)
        now = time.monotonic()
        pace = self._took / self._expected if self._expected > LEAST else 1.0
        at_work = {job.step.key: (now - job.began) / pace for job in left if job.state == AT_WORK}
        steps = [job.step for job in left]
        ends = schedule(steps, self._estimates, self._cores, self._gpus, at_work)
        found: dict[str, float | None] = {}
        for step in steps:
            seconds = found.get(step.subject)
            if self._estimates[step.key].seconds is not None:
                seconds = max(seconds or 0.0, ends[step.key] * pace)
            found[step.subject] = seconds
        return found

    def _take_in_ended(self) -> None:
        for job, seconds in self._counts.ended[self._seen :]:
            self._seen += 1
            expected = self._estimates[job.step.key].seconds
            try:
                facts = read_json(run_file(self._root, job.step.name, job.step.key))
                cost = cost_of(job.step.name, facts)
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if expected is not None:
                self._expected, self._took = self._expected + expected, self._took + seconds
            self._costs.add(cost)
            for other in self._counts.in_state(WAITING, AT_WORK):
                if self._estimates[other.step.key].work.kind == cost.kind:
                    self._estimates[other.step.key] = self._costs.estimate(other.step, self._cores)


def line(subject: str, counts: Mapping[str, int], left: float | None) -> str:
    """A subject's line of the plain view."""
    total = sum(counts.values())
    said = [f"{counts[DONE]} of {total} done", f"{counts[AT_WORK]} running"]
    said += [f"{counts[FAILED]} failed"] if counts[FAILED] else []
    if counts[WAITING] or counts[AT_WORK]:
        said.append(f"about {spoken_seconds(left)} left" if left is not None else "time left not known")
    return f"{subject}: {', '.join(said)}"


class Watch:
    """The view of one run, from `start` to `stop`."""

    def __init__(self, root: Path, orders: Path, left: TimeLeft, counts: Counts) -> None:
        self.root, self.orders, self.counts = root, orders, counts
        self._left = left
        self._handler = _Handler(self)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._view, daemon=True)
        self._console = Console(stderr=True, soft_wrap=True)  # a command must not be cut into lines

    def start(self, logger: logging.Logger) -> None:
        """Listen to Snakemake's logger, and show."""
        self._logger = logger
        logger.addHandler(self._handler)
        self._thread.start()

    def stop(self) -> None:
        """End the view; the last one stays."""
        self._over.set()
        self._thread.join(5.0)
        self._logger.removeHandler(self._handler)

    @property
    def alive(self) -> bool:
        """Whether it still shows."""
        return self._thread.is_alive()

    def told(self, event: str, numbers: Iterable[int]) -> None:
        """An event of Snakemake's log; a failure is shown at once."""
        for number in numbers:
            job = self.counts.tell(event, number)
            if job is not None and event == ERROR:
                print("\n".join(self.failure(job)), file=sys.stderr, flush=True)

    def failure(self, job: Job, lines: int = LINES) -> list[str]:
        """What failed, the end of its log, and the command that does it alone."""
        found = [f"failed: {job.step.name}, see {job.log}"]
        if lines:
            found += [f"  | {text}" for text in tail(self.root / job.log, lines)]
        return [*found, f"  alone: {job.command(self.root, self.orders)}"]

    def summary(self) -> list[str]:
        """What failed, at the end of a run."""
        return [text for job in self.counts.in_state(FAILED) for text in self.failure(job, 0)]

    def _view(self) -> None:
        try:
            if self._console.is_terminal:
                self._rewritten()
            else:
                self._plain()
        except Exception as error:  # whatever it is: a run must not end because nobody can watch it
            logging.getLogger(__name__).debug("the view ended: %s", error)

    def _rewritten(self) -> None:
        """A table at the end of the terminal; what Snakemake says passes above it."""
        streams = [one for one in self._logger.handlers if getattr(one, "stream", None) is sys.stderr]
        with Live(self._table(), console=self._console, auto_refresh=False) as live:
            for handler in streams:
                handler.stream = sys.stderr  # type: ignore[attr-defined]  # Live's, which keeps the table below
            while not self._over.wait(EVERY):
                live.update(self._table(), refresh=True)
            live.update(self._table(), refresh=True)
        for handler in streams:
            handler.stream = sys.stderr  # type: ignore[attr-defined]

    def _table(self) -> Table:
        table = Table("", "done", "running", "failed", "of", "time left", box=None)
        left = self._left.by_subject()
        for subject in self.counts.subjects:
            counts = self.counts.of(subject)
            seconds = left.get(subject)
            spoken = (
                "" if subject not in left else "not known" if seconds is None else spoken_seconds(seconds)
            )
            numbers = (counts[DONE], counts[AT_WORK], counts[FAILED] or "", sum(counts.values()))
            table.add_row(subject, *map(str, numbers), spoken)
        return table

    def _plain(self) -> None:
        said = {subject: self.counts.of(subject) for subject in self.counts.subjects}
        last = time.monotonic()
        while not self._over.wait(EVERY):
            since = time.monotonic() - last
            now = {subject: self.counts.of(subject) for subject in said}
            changed = [subject for subject in now if now[subject] != said[subject]]
            if (changed and since > PLAIN_EVERY) or since > PLAIN_AT_LEAST_EVERY:
                left, said, last = self._left.by_subject(), now, time.monotonic()
                shown = changed or [*left]
                self._say(line(subject, now[subject], left.get(subject)) for subject in shown)
        self._say(line(subject, self.counts.of(subject), None) for subject in said)

    def _say(self, lines: Iterable[str]) -> None:
        sys.stderr.write("".join(f"{text}\n" for text in lines))
        sys.stderr.flush()


class _Handler(logging.Handler):
    """Hears Snakemake's events."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = str(getattr(record, "event", ""))
            if event in (STARTED, FINISHED, ERROR):
                self._watch.told(event, _numbers(record))
        except Exception:
            self.handleError(record)


def _numbers(record: Any) -> list[int]:
    """Numbers of the jobs that an event is about."""
    return [*getattr(record, "jobs", ())] or [getattr(record, "job_id", getattr(record, "jobid", -1))]


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a text file, read from its end; one that says so where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 1000 * lines, 0))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError as error:
        return [f"({error.strerror})"]
