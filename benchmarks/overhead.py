"""What the pipeline itself takes: everything but the jobs' own work.

`python -m benchmarks.overhead [CHECKOUT]` measures a dry run of everything at the papers' scale, and reads
what the last run of a checkout, this one if none is named, has left in its logs. Results are written to
`benchmarks/results/overhead.md` and `.json`.

Processor time is compared: wall time depends on what else a machine does. The work of a job is what its step
would take by itself: to load its packages (torch alone takes seconds) and to compute. Keys, checks, hashes,
records and the start of the job are overhead, as is all that the driver does. The share with the loading of
packages counted as overhead, too, is given beside it.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT, machine, measured_on, write
from zenn.files import read_json

DRY = (
    "snakemake",
    "--config",
    "scale=paper",
    "--cores",
    "8",
    "--resources",
    "gpu=8",
    "--dry-run",
    "--",
    "all",
)
ALLOWED_S, ALLOWED_S_PER_JOB, ALLOWED_SHARE = 3.0, 0.15, 0.1


def dry_run(repeats: int) -> dict[str, Any]:
    """Seconds of the fastest of several dry runs, and how many jobs they show."""
    found = []
    for _ in range(repeats):
        before, clock = _children_cpu(), time.perf_counter()
        shown = subprocess.run(
            [sys.executable, "-m", *DRY], cwd=ROOT, capture_output=True, text=True, check=True
        )
        found.append((_children_cpu() - before, time.perf_counter() - clock))
    jobs = int(re.findall(r"^total +(\d+)", shown.stdout + shown.stderr, flags=re.MULTILINE)[-1])
    cpu_s, wall_s = min(found)
    allowed = ALLOWED_S + ALLOWED_S_PER_JOB * jobs
    return {"jobs": jobs, "cpu_s": cpu_s, "wall_s": wall_s, "allowed_s": allowed, "repeats": repeats}


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def last_run(checkout: Path) -> dict[str, Any] | None:
    """Processor time of a checkout's last run, and how much of it was the jobs' own; None if none ran."""
    if not (checkout / "logs" / "driver.json").is_file():
        return None
    driver = read_json(checkout / "logs" / "driver.json")
    runs = [read_json(path) for path in (checkout / "logs").glob("*/*/*.run.json")]
    runs = [facts for facts in runs if facts["started_unix_s"] >= driver["started_unix_s"]]
    computing, loading = (sum(facts[f"{what}_cpu_time_s"] for facts in runs) for what in ("own", "loading"))
    own = computing + loading
    total = driver["cpu_time_s"] + driver["jobs_cpu_time_s"]
    return {
        "scale": driver["scale"],
        "jobs": len(runs),
        "cpu_s": total,
        "computing_cpu_s": computing,
        "loading_cpu_s": loading,
        "driver_cpu_s": driver["cpu_time_s"],
        "start_and_checks_cpu_s": driver["jobs_cpu_time_s"] - own,
        "overhead_share": (total - own) / total,
        "share_with_loading": (total - computing) / total,
        "wall_s": driver["wall_time_s"],
        "cores": driver["cores"],
        "hardware": driver["hardware"],
    }


def page(dry: dict[str, Any], run: dict[str, Any] | None, facts: dict[str, Any]) -> str:
    """Both as text."""
    lines = ["# What the pipeline itself takes", "", *(__doc__ or "").split("\n\n", 2)[2].splitlines(), ""]
    lines.append(
        f"* Dry run of {dry['jobs']} jobs at scale paper: {dry['cpu_s']:.1f} s of a processor, "
        f"{dry['wall_s']:.1f} s of wall time; allowed are {ALLOWED_S:.0f} s + {ALLOWED_S_PER_JOB} s a job, "
        f"{dry['allowed_s']:.0f} s."
    )
    if run is not None:
        lines.append(
            f"* Run of {run['jobs']} jobs at scale {run['scale']} on {run['cores']} cores: "
            f"{run['cpu_s']:.0f} s of processors, of which {run['computing_cpu_s']:.0f} s computations, "
            f"{run['loading_cpu_s']:.0f} s their packages, {run['driver_cpu_s']:.0f} s the driver and "
            f"{run['start_and_checks_cpu_s']:.0f} s start and checks of jobs: "
            f"{run['overhead_share']:.1%} overhead, {run['share_with_loading']:.1%} with the packages; "
            f"at scale small {ALLOWED_SHARE:.0%} are allowed."
        )
    return "\n".join([*lines, *measured_on(facts), ""])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT, help="where the pipeline has run")
    parser.add_argument("--repeats", type=int, default=3, help="dry runs, of which the fastest counts")
    given = parser.parse_args()
    dry, run = dry_run(given.repeats), last_run(given.checkout)
    facts = machine("snakemake")
    write("overhead", page(dry, run, facts), {"machine": facts, "dry_run": dry, "run": run})


if __name__ == "__main__":
    main()
