"""Publishing: the only thing that writes `reports/`, and only what the current plan names."""

from __future__ import annotations

import shutil
from pathlib import Path

from zenn.disk import disk_errors
from zenn.files import atomic_file, atomic_folder, read_json, write_json, write_text
from zenn.pipeline.claims.ledger import PUBLISHED, read_rows, stamp, to_csv
from zenn.pipeline.intact import refuse_damaged
from zenn.pipeline.leftovers import remove_half_made
from zenn.pipeline.lifetime import take_checkout
from zenn.pipeline.plan import Plan, plan_checkout

FIGURES, TABLES, METRICS = "reports/figures", "reports/tables", "reports/metrics.json"


def publish(root: Path) -> list[str]:
    """Copy ledger, metrics, figures and tables of the current plan into `reports/`.

    Raises
    ------
    ZennError : a result of the plan is missing or damaged, the published ledger is unreadable, or a driver
        is at work; nothing is changed then.
    """
    take_checkout(root)
    plan = plan_checkout(root)
    refuse_damaged(plan.steps, root)
    ledger = root / plan.by_name["report/ledger"].folder
    rows = stamp(read_rows(ledger / "claims.csv"), root, root / PUBLISHED)
    remove_half_made(root / "reports")  # of a killed one
    reports = [root / "reports"]
    # all is written before the first of it takes its place
    with (
        disk_errors(reports),
        atomic_folder(root / FIGURES) as figures,
        atomic_folder(root / TABLES) as tables,
        atomic_file(root / METRICS) as metrics,
        atomic_file(root / PUBLISHED) as published,
        disk_errors(reports),
    ):
        write_text(published, to_csv(rows))
        write_json(metrics, {"scale": plan.scale, **read_json(ledger / "metrics.json")})
        for source in _drawn(plan, root):
            is_table = "-table-" in source.name
            shutil.copyfile(source, (tables if is_table else figures) / source.name)
    return [FIGURES, TABLES, PUBLISHED, METRICS]


def _drawn(plan: Plan, root: Path) -> list[Path]:
    return [
        root / path
        for step in plan.steps
        if step.run == "figures"
        for path in step.paths
        if Path(path).suffix in {".png", ".pdf", ".csv"}
    ]
