"""What a plan will take: jobs, hours of processors and GPUs, disk, downloads, and time on a machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from zenn.pipeline.costs import ASSUMED, ASSUMPTION, MEASURED, SCALED, UNKNOWN, Costs, Estimate, missing
from zenn.pipeline.steps import Step
from zenn.pipeline.work import wants_gpu

SHOWN = 3  # names in a remark


@dataclass(frozen=True)
class Forecast:
    """What is left to do of a plan, and what it will cost on `cores` and `gpus`."""

    steps: Sequence[Step]
    estimates: Mapping[str, Estimate]  # by key
    cores: int
    gpus: int
    costs: Costs

    @classmethod
    def of(cls, root: Path, steps: Iterable[Step], cores: int, gpus: int) -> Forecast:
        """The forecast of steps that are to be done in a checkout."""
        steps, costs = list(steps), Costs.of_checkout(root)
        estimates = {step.key: costs.estimate(step, cores) for step in steps}
        return cls(steps, estimates, cores, gpus, costs)

    def with_source(self, *sources: str, gpu: bool | None = None) -> list[Step]:
        """The steps whose seconds rest on one of `sources`; of those that want a GPU, or want none."""
        return [
            step
            for step in self.steps
            if self.estimates[step.key].source in sources
            and gpu in (None, bool(self.estimates[step.key].work.gpus))
        ]

    def total(self, of: str, subject: str | None = None) -> float:
        """The sum of what is known, e.g. of `cpu_s`, of all or of one subject."""
        values = (
            getattr(self.estimates[step.key], of) for step in self.steps if subject in (None, step.subject)
        )
        return float(sum(value for value in values if value is not None))

    @cached_property
    def finished(self) -> dict[str, float]:
        """Key -> seconds from now until a step is done; see `schedule`."""
        return schedule(self.steps, self.estimates, self.cores, self.gpus)

    @property
    def seconds(self) -> float:
        """Until everything is done, as far as it is known."""
        return max(self.finished.values(), default=0.0)

    @property
    def downloads(self) -> float:
        """Bytes that have to be fetched, of files whose size is known."""
        return sum(self.costs.size(entry.name) or 0 for entry in missing(self.steps))

    @property
    def unknown_downloads(self) -> list[str]:
        """Names of the files that have to be fetched and whose size nobody knows before."""
        return [entry.name for entry in missing(self.steps) if not self.costs.size(entry.name)]

    @property
    def scratch(self) -> float:
        """Bytes of checkpoints that lie beside the results while the largest trainings are at work."""
        sizes = sorted((self.estimates[step.key].work.scratch for step in self.steps), reverse=True)
        return sum(sizes[: max(self.gpus, 1)])

    def sentence(self) -> str:
        """The forecast in one line."""
        known = "" if not self.with_source(UNKNOWN) else ", as far as they have been measured"
        on = spoken_number(self.cores, "core")
        on += f" and {spoken_number(self.gpus, 'GPU')}" if any(map(wants_gpu, self.steps)) else ""
        work = f"{spoken_number(len(self.steps), 'job')}, about {spoken_seconds(self.seconds)} on {on}"
        return f"{work}, {spoken_bytes(self.total('bytes'))} of results{known}"

    def rows(self) -> list[tuple[str, ...]]:
        """Subject, jobs, hours of processors, of GPUs, disk, and time; the last row is of all."""
        subjects = [*dict.fromkeys(step.subject for step in self.steps)]
        return [self._row(subject) for subject in subjects] + [self._row(None)]

    def _row(self, subject: str | None) -> tuple[str, ...]:
        steps = [step for step in self.steps if subject in (None, step.subject)]
        gpu = any(wants_gpu(step) for step in steps)
        unknown = any(self.estimates[step.key].seconds is None for step in steps)
        ends = max((self.finished[step.key] for step in steps), default=0.0)
        return (
            subject or "all",
            str(len(steps)),
            f"{self.total('cpu_s', subject) / 3600:.2f}",
            f"{self.total('gpu_s', subject) / 3600:.1f}" if gpu else "",
            spoken_bytes(self.total("bytes", subject)),
            ("at least " if unknown else "") + spoken_seconds(ends),
        )

    def remarks(self) -> list[str]:
        """What the numbers rest on, and what they leave out."""
        found = [f"time on {spoken_number(self.cores, 'core')} and {spoken_number(self.gpus, 'GPU')}"]
        if self.downloads or self.unknown_downloads:
            unknown = len(self.unknown_downloads)
            more = f" and {unknown} files whose size is not known" if unknown else ""
            found.append(f"downloads: {spoken_bytes(self.downloads)}{more}")
        if self.scratch:
            found.append(f"checkpoints while it runs: up to {spoken_bytes(self.scratch)}")
        counts = {source: len(self.with_source(source)) for source in (MEASURED, SCALED, ASSUMED, UNKNOWN)}
        known = ", ".join(f"{number} {source}" for source, number in counts.items() if number)
        found.append(f"seconds of the jobs: {known}")
        if counts[SCALED]:
            found.append(f"{SCALED}: from a measured job of the same kind and another size, in proportion")
        if counts[ASSUMED]:
            found.append(f"{ASSUMED}: from floating-point operations, {ASSUMPTION}")
        if names := [step.name for step in self.with_source(UNKNOWN)]:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            found.append(f"{UNKNOWN}, and in no sum: {', '.join(names[:SHOWN])}{more}")
        return found


def spoken_number(number: int, of: str) -> str:
    """A number of things.

    >>> spoken_number(1, "job"), spoken_number(0, "GPU")
    ('1 job', '0 GPUs')
    """
    return f"{number} {of}" if number == 1 else f"{number} {of}s"


def spoken_seconds(seconds: float) -> str:
    """A time as people say it.

    >>> [spoken_seconds(s) for s in (4, 75, 4000, 200_000)]
    ['4 s', '1 min', '1.1 h', '2.3 days']
    """
    for size, unit, digits in ((86400.0, "days", 1), (3600.0, "h", 1), (60.0, "min", 0)):
        if seconds >= size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def spoken_bytes(number: float) -> str:
    """A size as people say it.

    >>> [spoken_bytes(n) for n in (0, 2_000, 5_250_000, 3e12)]
    ['0 kB', '2 kB', '5 MB', '3.0 TB']
    """
    for size, unit, digits in ((1e12, "TB", 1), (1e9, "GB", 1), (1e6, "MB", 0)):
        if number >= size:
            return f"{number / size:.{digits}f} {unit}"
    return f"{number / 1e3:.0f} kB"


def schedule(
    steps: Sequence[Step],
    estimates: Mapping[str, Estimate],
    cores: int,
    gpus: int,
    running: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Key -> seconds until each step is done, if all begin as soon as inputs, cores and a GPU are there.

    running : key -> seconds that a step has been at work; it is taken to need at least a tenth more. Inputs
    that are not among `steps` are made. A step of unknown seconds takes none.
    """
    running = running or {}
    free, free_gpus = max(cores, 1), max(gpus, 1)
    keys = {step.key for step in steps}
    waits = {step.key: keys & {source.key for source in step.inputs.values()} for step in steps}
    readers: dict[str, list[Step]] = {}
    for step in steps:
        for key in waits[step.key]:
            readers.setdefault(key, []).append(step)
    ready: dict[bool, deque[Step]] = {True: deque(), False: deque()}  # wants a GPU, or none
    for step in sorted(steps, key=lambda step: step.key not in running):
        if not waits[step.key]:
            ready[wants_gpu(step)].append(step)
    now, done, at_work = 0.0, dict[str, float](), list[tuple[float, int, Step, int]]()
    number = count()  # of two that end together the one that began first
    while at_work or any(ready.values()):
        for gpu, queue in ready.items():
            while queue and (not gpu or free_gpus) and free >= _threads(estimates[queue[0].key], cores):
                step = queue.popleft()
                threads, seconds = _threads(estimates[step.key], cores), estimates[step.key].seconds or 0.0
                if step.key in running:
                    seconds = max(seconds - running[step.key], 0.1 * seconds)
                heappush(at_work, (now + seconds, next(number), step, threads))
                free, free_gpus = free - threads, free_gpus - gpu
        now, _, step, threads = heappop(at_work)
        done[step.key] = now
        free, free_gpus = free + threads, free_gpus + wants_gpu(step)
        for reader in readers.get(step.key, ()):
            waits[reader.key].discard(step.key)
            if not waits[reader.key]:
                ready[wants_gpu(reader)].append(reader)
    return done


def _threads(estimate: Estimate, cores: int) -> int:
    return min(estimate.work.threads, max(cores, 1))
