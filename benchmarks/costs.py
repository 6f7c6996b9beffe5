"""What the steps of a whole run cost, for the estimates of `zenn plan` where nothing has run yet.

`python -m benchmarks.costs [CHECKOUT ...]` reads the logs of checkouts in which the pipeline has run, and
writes `benchmarks/results/costs.csv`: one row a step, of those steps whose jobs say how much work they did.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS
from zenn.files import atomic_file, read_json
from zenn.pipeline.costs import COLUMNS, cost_of
from zenn.pipeline.provenance import RUNS


def rows(checkout: Path) -> list[dict[str, Any]]:
    """A row for every job of a checkout that says what it cost."""
    found = []
    for path in sorted((checkout / RUNS).glob("*/*/*.run.json")):
        facts = read_json(path)
        step = f"{path.parts[-3]}/{path.parts[-2]}"
        if "work" not in facts:
            print(f"left out, of an earlier version: {path}")
            continue
        cost = cost_of(step, facts)
        found.append(
            {
                "step": step,
                "kind": cost.kind,
                "amount": f"{cost.amount:.6g}",
                "size": f"{cost.size:.6g}",
                "cpu_s": f"{cost.cpu_s:.3g}",
                "wall_s": f"{cost.wall_s:.3g}",
                "peak_memory_MiB": f"{cost.peak_memory_MiB:.0f}",
                "bytes": f"{cost.bytes or 0:.0f}",
                "hardware": cost.hardware,
                "commit": facts["commit"],
            }
        )
    return found


def write(found: list[dict[str, Any]], path: Path) -> None:
    """The table; of a step that several checkouts made, the first one's row."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in found:
        first.setdefault((row["step"], row["amount"]), row)
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(first[name] for name in sorted(first))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument(
        "checkouts", nargs="*", type=Path, default=[Path()], help="where the pipeline has run"
    )
    parser.add_argument("--into", type=Path, default=RESULTS / "costs.csv", help="the table")
    given = parser.parse_args()
    found = [row for checkout in given.checkouts for row in rows(checkout)]
    write(found, given.into)
    print(f"{len(found)} jobs read, table written to {given.into}")


if __name__ == "__main__":
    main()
