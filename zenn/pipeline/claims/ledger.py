"""Rows of the claims ledger and how evidence of several scales is put together."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from zenn.errors import InputError, ZennError
from zenn.files import write_json, write_text
from zenn.pipeline import provenance
from zenn.pipeline.provenance import UNKNOWN

CLAIMS = "data/inputs/claims.csv"
PUBLISHED = "reports/claims.csv"
RECORDED = "data/recorded/claims.csv"  # what was measured elsewhere, see zenn.pipeline.adopt
FROM_SMALLEST = ("ci", "small", "paper")
KEYED = ["zenn", "params.yaml", "requirements.lock", "data/inputs", "reports/notebooks"]  # what enters keys
CLAIM_COLUMNS = ("id", "paper", "artefact", "claim", "paper_value")
COLUMNS = (
    *CLAIM_COLUMNS,
    "measured",
    "uncertainty",
    "verdict",
    "why",
    "source",
    "scale",
    "hardware",
    "commit",
    "key",
    "current",
)
SOURCE = re.compile(r"[^/]+/[^/]+/[0-9a-f]{16}/[^/]+")  # subject/run/key/file
Row = dict[str, str]


class Verdict(StrEnum):
    """What can be said of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    ONLY_WITH_TEST_LABELS = "holds only with test labels"
    NOT_RUN = "not run at this scale"
    UNDECIDABLE = "cannot be decided"


@dataclass(frozen=True)
class Finding:
    """What a rule says of one claim.

    Attributes
    ----------
    measured : the measured value with its unit.
    uncertainty : how well it is known, and in which sense.
    verdict : the rule's answer.
    why : one sentence a reader can check.
    source : role of the input the number came from, and the file in it, as `role/file`.
    """

    measured: str
    uncertainty: str
    verdict: Verdict
    why: str
    source: str


Rule = Callable[[Mapping[str, Any]], Finding]


def read_rows(path: Path) -> list[Row]:
    """The rows of a ledger or of the list of claims.

    Raises
    ------
    InputError : a claim's column is missing or an id stands twice.
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(path, "", error, "a CSV file in UTF-8") from None
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        missing = [name for name in CLAIM_COLUMNS if row.get(name) is None]
        if missing:
            raise InputError(path, f"row {number}", f"no value for {missing}", f"columns {CLAIM_COLUMNS}")
        if row["id"] in seen:
            raise InputError(path, f"row {number}, column id", repr(row["id"]), "an id that stands once")
        seen.add(row["id"])
    return rows


def read_published(path: Path) -> list[Row]:
    """The rows of a published ledger; none when there is no such file.

    Raises
    ------
    InputError : it was changed by hand into something that no ledger says.
    """
    if not path.is_file():
        return []
    rows, known = read_rows(path), [verdict.value for verdict in Verdict]
    for number, row in enumerate(rows, start=2):
        where = f"row {number} ({row['id']})"
        if {*row} != {*COLUMNS} or None in row.values():
            raise InputError(path, where, f"the columns {[*row]}", f"exactly {[*COLUMNS]}")
        if row["scale"] not in FROM_SMALLEST:
            raise InputError(path, f"{where}, column scale", row["scale"], f"one of {FROM_SMALLEST}")
        if row["verdict"] not in known:
            raise InputError(
                path, f"{where}, column verdict", row["verdict"], f"one of {[*map(str, Verdict)]}"
            )
        if row["key"] and not SOURCE.fullmatch(row["source"]):
            raise InputError(path, f"{where}, column source", row["source"], "subject/run/key/file")
    return rows


def to_csv(rows: Iterable[Row], columns: tuple[str, ...] = COLUMNS) -> str:
    """The rows as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_evidence(
    rules: Mapping[str, Rule],
    evidence: Mapping[str, Any],
    metrics: Mapping[str, float],
    scale: str,
    inputs: Mapping[str, Path],
    out: Path,
) -> None:
    """Apply a subject's rules to its evidence and write `claims.csv` and `metrics.json` into `out`.

    Raises
    ------
    ZennError : a rule is written for a claim that nobody made.
    """
    claims = {row["id"]: row for row in read_rows(inputs["claims"])}
    unknown = sorted(set(rules) - set(claims))
    if unknown:
        raise ZennError(f"rules for {unknown}: found no such id in {inputs['claims']}")
    rows = []
    for name, rule in rules.items():
        finding = rule(evidence)
        role, file = finding.source.split("/", 1)
        folder = inputs[role]
        rows.append(
            {
                **{column: claims[name][column] for column in CLAIM_COLUMNS},
                "measured": finding.measured,
                "uncertainty": finding.uncertainty,
                "verdict": finding.verdict.value,
                "why": finding.why,
                "source": "/".join((*folder.parts[-3:], file)),  # subject, run and key of the measurement
                "scale": scale,
            }
        )
    write_text(out / "claims.csv", to_csv(rows))
    write_json(out / "metrics.json", dict(metrics))


def decided_above(scale: str, published: Path) -> list[Row]:
    """The published rows decided at a larger scale than `scale`: a smaller run never overwrites them."""
    above = FROM_SMALLEST[FROM_SMALLEST.index(scale) + 1 :]
    return [
        row
        for row in read_published(published)
        if row["scale"] in above and row["verdict"] != Verdict.NOT_RUN.value
    ]


def collect(claims: Iterable[Row], measured: Iterable[Row], above: Iterable[Row], scale: str) -> list[Row]:
    """One row per claim, in the order of the list: what a larger scale decided, else what was measured
    now, else that it was not run."""
    best = {row["id"]: {**row, "current": "yes"} for row in measured}
    best |= {row["id"]: row for row in above}
    return [{**best.get(row["id"], not_run(row, scale)), **_claim(row)} for row in claims]


def not_run(claim: Row, scale: str) -> Row:
    """The row of a claim that nothing measures at this scale: its measured column stays empty."""
    return {
        **_claim(claim),
        "verdict": Verdict.NOT_RUN.value,
        "why": f"no step of the pipeline measures this at scale {scale}",
        "scale": scale,
        "current": "yes",
    }


def stamp(rows: Iterable[Row], root: Path, published: Path) -> list[Row]:
    """Fill in hardware and commit of every measured row.

    A row whose measurement is already published keeps what is written there (the result is the same one,
    and a clone that computes it again changes nothing); otherwise the run's own record says it. Where that
    names changes that were not committed then and are now, the commit is the present one: these rows are of
    the current plan, so its code is what gives their key.
    """
    before = {row["source"]: row for row in read_published(published)}
    head = provenance.commit(root, KEYED)
    return [_stamped(row, before, root, head) if row.get("current") == "yes" else row for row in rows]


def _stamped(row: Row, before: Mapping[str, Row], root: Path, head: str) -> Row:
    if not row.get("key"):
        return row
    subject, run, key, _ = row["source"].split("/", 3)
    made = provenance.read_run(root, f"{subject}/{run}", key)
    known = before.get(row["source"], {})
    said = {
        name: next(
            (s for s in (known.get(name), row.get(name), made.get(name)) if s not in (None, "", UNKNOWN)),
            UNKNOWN,
        )
        for name in ("hardware", "commit")
    }
    if said["commit"].endswith(provenance.CHANGES):
        said["commit"] = head
    return {**row, **said}


def _claim(row: Row) -> Row:
    return {column: row[column] for column in CLAIM_COLUMNS}
