"""What benchmarks have in common: rows of comparisons, the machine they ran on, and the page about both."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Row:
    """One comparison: medians in seconds, the median ratio theirs / ours, and how well the two agree."""

    task: str
    ours: str
    theirs: str
    ours_s: float
    theirs_s: float | None
    ratio: float | None
    pairs: int
    agreement: dict[str, Any]


def machine(*packages: str) -> dict[str, Any]:
    """What the numbers were measured on and with."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+changes"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores available": len(os.sched_getaffinity(0)),
        "memory": f"{memory:.0f} GiB",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "date": datetime.now(UTC).date().isoformat(),
        "commit": described.stdout.strip() or "unknown",
    }


def page(title: str, introduction: Sequence[str], facts: dict[str, Any], rows: Sequence[Row]) -> str:
    """The page: a table of times, then what each side delivers and how they agree."""
    lines = [
        f"# {title}",
        "",
        *introduction,
        "",
        "| task | ours, s | theirs, s | theirs / ours | pairs |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        peer = ("-", "-") if row.theirs_s is None else (f"{row.theirs_s:.3g}", f"{row.ratio:.3g}")
        lines.append(f"| {row.task} | {row.ours_s:.3g} | {peer[0]} | {peer[1]} | {row.pairs} |")
    for row in rows:
        lines += ["", f"## {row.task}", "", f"* Ours: {row.ours}.", f"* Theirs: {row.theirs}."]
        lines += [f"* {name.replace('_', ' ')}: {spoken(value)}" for name, value in row.agreement.items()]
    return "\n".join([*lines, *measured_on(facts), ""])


def measured_on(facts: dict[str, Any]) -> list[str]:
    """The end of a page."""
    return ["", "## Measured on", "", *(f"* {name}: {value}" for name, value in facts.items())]


def spoken(value: Any) -> str:
    """A number with six digits, a list as a range."""
    if isinstance(value, list):
        return " to ".join(map(spoken, value))
    return f"{value:.6g}"


def write(name: str, text: str, content: dict[str, Any]) -> None:
    """The page and its numbers, in `results`; the page is printed as well."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def as_content(facts: dict[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """Rows for `write`."""
    return {"machine": facts, "rows": [asdict(row) for row in rows]}
