"""What steps cost: from what was measured here, else from the recorded table, else from stated assumptions.

`logs/<subject>/<run>/<key>.run.json` says of every job of this checkout how long it took; the table
`benchmarks/results/costs.csv` says it of a whole run, so that a first plan has numbers too. A
cost of another amount of work of the same kind is scaled, and says so. What nobody has measured and nothing
bounds is unknown, and says so as well.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenn.errors import InputError
from zenn.files import read_json
from zenn.pipeline.downloaded import downloads
from zenn.pipeline.fetching import Entry
from zenn.pipeline.provenance import RUNS
from zenn.pipeline.registry import REGISTRY, read_sizes
from zenn.pipeline.steps import Step
from zenn.pipeline.work import FETCH, Work, work_of

TABLE = Path("benchmarks/results/costs.csv")
COLUMNS = (
    *("step", "kind", "amount", "size", "cpu_s", "wall_s", "peak_memory_MiB", "bytes"),
    *("hardware", "commit"),
)
MEASURED, SCALED, ASSUMED, UNKNOWN = "measured", "scaled", "assumed", "not measured"
ALIKE = 1.5  # ratio of amounts up to which a cost of the same kind counts as measured
START = 1.5  # seconds of every job that no amount of work changes: Python and its packages
SUSTAINED = 100e12
"""Operations per second that a GPU is assumed to sustain where no training of its kind was measured."""
ASSUMPTION = (
    f"assuming that a GPU sustains {SUSTAINED / 1e12:.0f} TFLOP/s, a third of the bfloat16 peak of an A100 "
    "and a tenth of an H100's, and that all texts are at their longest"
)


@dataclass(frozen=True)
class Cost:
    """What one job has cost."""

    step: str
    kind: str
    amount: float
    size: float
    cpu_s: float
    wall_s: float
    peak_memory_MiB: float
    bytes: float | None
    hardware: str


@dataclass(frozen=True)
class Estimate:
    """What a step will cost: seconds with all its threads, MiB of memory, bytes of its result.

    None : unknown. `source` says what the seconds rest on.
    """

    seconds: float | None
    source: str
    work: Work
    cpu_s: float | None = None
    peak_memory_MiB: float | None = None
    bytes: float | None = None
    bytes_certain: bool = False

    @property
    def gpu_s(self) -> float | None:
        """Seconds of GPUs; 0 for a step that wants none."""
        if not self.work.gpus:
            return 0.0
        return None if self.seconds is None else self.seconds * self.work.gpus


class Costs:
    """Costs by kind of work, and estimates from them."""

    def __init__(self, costs: Iterable[Cost], sizes: Mapping[str, int | None] | None = None) -> None:
        self._of: dict[str, list[Cost]] = {}
        self._sizes = sizes or {}
        for cost in costs:
            self._of.setdefault(cost.kind, []).append(cost)

    @classmethod
    def of_checkout(cls, root: Path) -> Costs:
        """Those measured in a checkout, before those of the table that lies in it."""
        return cls([*read_runs(root), *read_table(root / TABLE)], read_sizes(root / REGISTRY))

    def add(self, cost: Cost) -> None:
        """One more, to be preferred to what was known."""
        self._of.setdefault(cost.kind, []).insert(0, cost)

    def estimate(self, step: Step, cores: int = 1) -> Estimate:
        """What a step will cost on a machine with so many cores."""
        work = work_of(step)
        size = work.bytes
        if step.module == FETCH:  # a copy of the downloads
            size = float(sum(self.size(entry.name) or 0 for entry in fetched_by(step)))
        certain = size is not None
        known = self._nearest(work, step.name)
        if known is None:
            seconds = None if work.operations is None else work.operations / SUSTAINED
            return Estimate(
                seconds, UNKNOWN if seconds is None else ASSUMED, work, bytes=size, bytes_certain=certain
            )
        ratio = work.amount / known.amount
        cpu = known.cpu_s + max(known.cpu_s - START, 0.0) * (ratio - 1)
        wall = known.wall_s + max(known.wall_s - START, 0.0) * (ratio - 1)
        seconds = wall if work.gpus or work.kind == FETCH else cpu / max(min(work.threads, cores), 1)
        if size is None and known.bytes is not None:
            size = known.bytes * work.size / known.size
        near = 1 / ALIKE <= ratio <= ALIKE
        source = MEASURED if near else SCALED
        return Estimate(seconds, source, work, cpu, known.peak_memory_MiB, size, certain or near)

    def size(self, name: str) -> int | None:
        """Bytes of a file of the registry, where it says so."""
        return self._sizes.get(name)

    def _nearest(self, work: Work, name: str) -> Cost | None:
        """Of costs of its kind that of the nearest amount; of equally near ones that of the same step."""
        known = self._of.get(work.kind, [])
        if not known:
            return None
        return min(known, key=lambda one: (abs(math.log(work.amount / one.amount)), one.step != name))


def fetched_by(step: Step) -> list[Entry]:
    """The files that a step fetches."""
    return [Entry(**values) for values in step.params["files"]] if step.module == FETCH else []


def missing(steps: Iterable[Step]) -> list[Entry]:
    """The files that steps fetch and that do not lie in the folder of downloads."""
    folder = downloads()
    return [entry for step in steps for entry in fetched_by(step) if not (folder / entry.name).is_file()]


def read_runs(root: Path) -> list[Cost]:
    """What the jobs of a checkout cost, the latest first; one that says not how much it did is left out."""
    found: list[tuple[float, Cost]] = []
    for path in (root / RUNS).glob("*/*/*.run.json"):
        try:
            facts = read_json(path)
            cost = cost_of(f"{path.parts[-3]}/{path.parts[-2]}", facts)
            found.append((float(facts["started_unix_s"]), cost))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of an earlier version of this program, or cut: only an estimate is lost
    return [cost for _, cost in sorted(found, key=lambda pair: -pair[0])]


def cost_of(step: str, facts: Mapping[str, Any]) -> Cost:
    """The cost that the facts of a run tell.

    Raises
    ------
    KeyError, TypeError, ValueError : they do not tell it.
    """
    work = facts["work"]
    size = facts.get("result_bytes")
    return Cost(
        step,
        str(work["kind"]),
        _positive(work["amount"]),
        _positive(work["size"]),
        _positive(facts["cpu_time_s"]),
        _positive(facts["wall_time_s"]),
        float(facts["peak_memory_MiB"]),
        None if size is None else float(size),
        str(facts["hardware"]),
    )


def read_table(path: Path) -> list[Cost]:
    """The recorded table; nothing where there is none.

    Raises
    ------
    InputError : it is something else.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise InputError(path, "line 1", ",".join(reader.fieldnames or ()), ",".join(COLUMNS))
            return [_row(row) for row in reader]
    except (ValueError, TypeError) as error:
        raise InputError(path, "", error, "numbers, as `python -m benchmarks.costs` writes them") from None


def _row(row: Mapping[str, str]) -> Cost:
    amount, size, cpu_s, wall_s, memory = (_positive(row[name]) for name in COLUMNS[2:7])
    return Cost(
        row["step"], row["kind"], amount, size, cpu_s, wall_s, memory, float(row["bytes"]), row["hardware"]
    )


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"found {value}, expected a positive number")
    return number
