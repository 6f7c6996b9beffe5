"""The step that makes one ledger of all subjects' evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zenn.files import read_json, write_json, write_text
from zenn.pipeline.claims.ledger import collect, read_rows, to_csv
from zenn.pipeline.steps import RECORD


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Write `claims.csv` (every claim once) and `metrics.json` (subject -> its headline numbers)."""
    subjects = {role: folder for role, folder in inputs.items() if role != "claims"}
    measured = [
        {**row, "key": read_json(folder / RECORD)["key"]}  # of the rules and all they rest on
        for folder in subjects.values()
        for row in read_rows(folder / "claims.csv")
    ]
    rows = collect(read_rows(inputs["claims"]), measured, params["decided_above"], params["scale"])
    write_text(out / "claims.csv", to_csv(rows))
    metrics = {subject: read_json(folder / "metrics.json") for subject, folder in subjects.items()}
    write_json(out / "metrics.json", metrics)
