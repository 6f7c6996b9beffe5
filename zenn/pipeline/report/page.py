"""The step that writes the page: everything computed at one scale, in one file that needs nothing else."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from zenn.errors import InputError
from zenn.files import read_json, write_text
from zenn.pipeline import provenance
from zenn.pipeline.claims.ledger import PUBLISHED, Row, Verdict, read_rows, stamp
from zenn.pipeline.provenance import UNKNOWN
from zenn.pipeline.report import formats
from zenn.pipeline.report.exhibits import BEYOND, Exhibits, by_paper, gather

KEY_SHOWN = 8  # of the 16 digits of a key


@dataclass(frozen=True)
class Paper:
    """A paper that is reproduced; `letter` is how the page refers to it."""

    letter: str
    title: str
    authors: str


PAPERS = {
    "zenn": Paper(
        "A",
        "ZENN: A Thermodynamics-Inspired Computational Framework for Heterogeneous Data-Driven Modeling",
        "S. Wang, S.-L. Shang, Z.-K. Liu and W. Hao",
    ),
    "laws": Paper(
        "B", "Deep learning of thermodynamic laws from microscopic dynamics", "H. Kuroyanagi and T. Yuge"
    ),
}
SCALE_NOTES = {
    "ci": "These settings only test that the pipeline works; no verdict below is evidence about the papers "
    "at their own scale.",
    "small": "These are reduced settings that run in minutes on two processor cores. A verdict reached here "
    "is a verdict at this scale and never replaces one reached at paper scale.",
    "paper": "These are the settings of the papers, as far as the papers state them.",
}


@dataclass(frozen=True)
class Badge:
    """How a verdict is shown: a word, a sign and a colour, so that no one of them is needed alone."""

    verdict: Verdict
    sign: str
    style: str


BADGES = (
    Badge(Verdict.HOLDS, "✓", "holds"),
    Badge(Verdict.FAILS, "✗", "fails"),
    Badge(Verdict.ONLY_WITH_TEST_LABELS, "!", "labels"),
    Badge(Verdict.UNDECIDABLE, "?", "undecidable"),
    Badge(Verdict.NOT_RUN, "–", "not-run"),
)


@dataclass(frozen=True)
class RunFacts:
    """What is known of the making of one step's result; unknown facts say so."""

    step: str
    key: str
    seconds: float | None
    wall_time: str
    peak_memory: str
    started: str
    commit: str
    hardware: str
    environment: str


@dataclass(frozen=True)
class Surroundings:
    """Where the page itself was made."""

    commit: str
    hardware: str
    python: str
    packages: Mapping[str, str]


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Write `index.html` from the ledger, the subjects' figures, the list of artefacts and the template.

    Raises
    ------
    InputError : a row names an unknown verdict, or an artefact's files are not what the list says.
    """
    root = Path.cwd()
    page = context(
        params,
        rows=stamp(read_rows(inputs["ledger"] / "claims.csv"), root, root / PUBLISHED),
        metrics=read_json(inputs["ledger"] / "metrics.json"),
        exhibits=gather(inputs["artefacts"], inputs),
        runs={step: provenance.read_run(root, step, key) for step, key in params["steps"].items()},
        surroundings=_surroundings(root),
    )
    write_text(out / "index.html", render(inputs["template"].read_text(encoding="utf-8"), page))


def render(template: str, page: Mapping[str, Any]) -> str:
    """The page's text; everything that enters the template is escaped."""
    # Never a cache or a loader: the template is an input of the step, nothing else is looked up.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(page)


def context(
    params: Mapping[str, Any],
    rows: Sequence[Row],
    metrics: Mapping[str, Mapping[str, Any]],
    exhibits: Exhibits,
    runs: Mapping[str, Mapping[str, Any]],
    surroundings: Surroundings,
) -> dict[str, Any]:
    """Everything the template shows, without reading a file."""
    _refuse_unknown_verdicts(rows)
    facts = [run_facts(step, key, runs.get(step, {}), surroundings) for step, key in params["steps"].items()]
    of_verdict = {b.verdict: [row for row in rows if row["verdict"] == b.verdict.value] for b in BADGES}
    # A claim of which a part was measured is evidence, though its verdict is still to come.
    nothing = [row for row in of_verdict[Verdict.NOT_RUN] if not row["measured"]]
    return {
        "scale": params["scale"],
        "scale_note": SCALE_NOTES.get(params["scale"], ""),
        "papers": PAPERS,
        "claims": len(rows),
        "examined": len(rows) - len(nothing),
        "badges": {badge.verdict.value: badge for badge in BADGES},
        "counts": [
            (badge, sum(row["current"] != "no" for row in of_verdict[badge.verdict])) for badge in BADGES
        ],
        "outdated": sum(row["current"] == "no" for row in rows),
        "decided": [
            (badge, shown)
            for badge in BADGES
            if (shown := [row for row in of_verdict[badge.verdict] if row not in nothing])
        ],
        "not_run": _by_reason(nothing),
        "other_scales": sum(row["scale"] != params["scale"] for row in rows),
        "headline": [
            (
                subject,
                [(*formats.split_unit(name), formats.quantity(value)) for name, value in values.items()],
            )
            for subject, values in metrics.items()
        ],
        "exhibits": exhibits,
        "figures_by_paper": by_paper(exhibits.figures),
        "tables_by_paper": by_paper(exhibits.tables),
        "beyond": BEYOND,
        "made": sum(bool(artefact.step) for artefact in exhibits.of_papers),
        "parameters": _sections(params["parameters"], params["steps"]),
        "surroundings": surroundings,
        "facts": facts,
        "total_time": total_time([fact.seconds for fact in facts]),
        "key_shown": KEY_SHOWN,
        "not_recorded": UNKNOWN,
    }


def run_facts(step: str, key: str, run: Mapping[str, Any], surroundings: Surroundings) -> RunFacts:
    """The facts of one run (empty when the result was made elsewhere) in words."""
    seconds = run.get("wall_time_s")
    started = run.get("started_unix_s")
    memory = run.get("peak_memory_MiB")
    return RunFacts(
        step=step,
        key=key,
        seconds=seconds,
        wall_time=UNKNOWN if seconds is None else duration(seconds),
        peak_memory=UNKNOWN if memory is None else f"{memory:.0f} MiB",
        started=UNKNOWN
        if started is None
        else datetime.fromtimestamp(started, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        commit=str(run.get("commit", UNKNOWN)),
        hardware=str(run.get("hardware", UNKNOWN)),
        environment=_environment(run, surroundings),
    )


def duration(seconds: float) -> str:
    """A wall time for reading.

    >>> duration(3.26), duration(251.0), duration(7325.0)
    ('3.3 s', '4 min 11 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def total_time(seconds: Sequence[float | None]) -> str:
    """The sum over the steps whose time is known, and how many those are."""
    known = [value for value in seconds if value is not None]
    if not known:
        return UNKNOWN
    total = duration(sum(known))
    return total if len(known) == len(seconds) else f"{total} for {len(known)} of {len(seconds)} steps"


def flatten(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested parameters as (dotted name, value) pairs.

    >>> list(flatten({"a": {"b": [1, 2]}, "c": None}))
    [('a.b', '1, 2'), ('c', 'none')]
    """
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flatten(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for index, item in enumerate(value):
            yield from flatten(item, f"{name}[{index}]")
    else:
        yield name, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, Mapping | list | tuple):
        return ", ".join(map(_plain, value)) or "empty"
    return str(value)


def _sections(
    parameters: Mapping[str, Any], steps: Iterable[str]
) -> list[tuple[str, bool, list[tuple[str, str]]]]:
    """(section, whether one of its steps is on the page, its values); values outside sections come first."""
    running = {step.split("/", 1)[0] for step in steps}
    general = {name: value for name, value in parameters.items() if not isinstance(value, Mapping)}
    sections = {name: value for name, value in parameters.items() if isinstance(value, Mapping)}
    return [
        ("general", True, list(flatten(general))),
        *((name, name in running, list(flatten(values))) for name, values in sections.items()),
    ]


def _by_reason(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Rows that share a reason are shown under it once."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["why"], []).append(row)
    return list(groups.items())


def _refuse_unknown_verdicts(rows: Iterable[Row]) -> None:
    known = [verdict.value for verdict in Verdict]
    for row in rows:
        if row["verdict"] not in known:
            raise InputError(
                "ledger claims.csv",
                f"id {row['id']}, column verdict",
                repr(row["verdict"]),
                f"one of {known}",
            )


def _environment(run: Mapping[str, Any], surroundings: Surroundings) -> str:
    """Which versions a run had that the page's own environment has not: a mixed report must say so."""
    if not run.get("packages") or not run.get("python"):
        return UNKNOWN
    here = {"Python": surroundings.python, **surroundings.packages}
    there = {"Python": run["python"], **run["packages"]}
    other = [f"{name} {version}" for name, version in there.items() if here.get(name) != version]
    return ", ".join(other) if other else "as listed"


def _surroundings(root: Path) -> Surroundings:
    return Surroundings(
        provenance.commit(root), provenance.hardware(), platform.python_version(), provenance.versions()
    )
