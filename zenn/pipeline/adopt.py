"""Taking in what another machine computed: checked, filed in data/recorded, and judged for the ledger.

A result made elsewhere says by its key which parameters, code, files and inputs made it. It is taken in when
the plan of this checkout, at some scale, asks for a result of just that key. Its small files are kept below
`data/recorded` with its record; large ones are named there by their hash. Steps that take seconds (a
summary, the figures, the rules of the claims) are then carried out here, and the rows of the ledger that come
of it are kept in `data/recorded/claims.csv`, from where every smaller scale shows them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenn.disk import disk_errors
from zenn.errors import InputError
from zenn.files import atomic_folder, read_json, write_json, write_text
from zenn.pipeline.claims.ledger import FROM_SMALLEST, RECORDED, Row, read_published, read_rows, to_csv
from zenn.pipeline.elsewhere import LEFT_OUT, RUN, copy_small
from zenn.pipeline.intact import HASH
from zenn.pipeline.job import run_order
from zenn.pipeline.keys import file_digest, key_of
from zenn.pipeline.leftovers import remove_half_made
from zenn.pipeline.lifetime import take_checkout
from zenn.pipeline.params import SCALES, Scale
from zenn.pipeline.plan import Plan, plan_checkout
from zenn.pipeline.provenance import RUNS, UNKNOWN
from zenn.pipeline.steps import RECORD, Step

PLACE = "data/recorded"


@dataclass(frozen=True)
class Result:
    """A result that was made elsewhere, with the facts of its run, and the planned step that it is of."""

    folder: Path
    step: Step
    scale: Scale
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Adopted:
    """What was taken in: step names, carried out here, missing for a verdict (by subject), ledger rows."""

    taken: tuple[str, ...]
    made: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    rows: tuple[str, ...]


def adopt(root: Path, folder: Path) -> Adopted:
    """Take the results below `folder` into the checkout `root`.

    Raises
    ------
    InputError
        There is none, one was changed after it was made, or it is not what this checkout plans at any scale:
        names what differs. Nothing is taken in then.
    ZennError : a driver is at work in this checkout.
    """
    take_checkout(root)
    for place in (root / PLACE, *(root / PLACE).glob("*/*")):
        remove_half_made(place)  # of a killed one
    plans = {scale: plan_checkout(root, scale=scale) for scale in SCALES}
    records = sorted(path for path in folder.rglob(RECORD) if not _hidden(path.relative_to(folder)))
    if not records:
        raise InputError(folder, "", f"no {RECORD} in it or below", "results that were made elsewhere")
    order = {name: place for plan in plans.values() for place, name in enumerate(plan.by_name)}
    # in order of the plan: a refusal then names the step that differs, and not one that reads it
    records.sort(key=lambda path: order.get(_step_in(path), -1))
    found = [_checked(path.parent, folder, plans) for path in records]
    with disk_errors([root / PLACE]):
        for result in found:
            _file(result, root)
    made: list[str] = []
    missing: dict[str, tuple[str, ...]] = {}
    rows: list[Row] = []
    for scale in dict.fromkeys(result.scale for result in found):
        for subject in dict.fromkeys(result.step.subject for result in found if result.scale == scale):
            judged = _judge(plans[scale], subject, root)
            made += judged.made
            rows += judged.rows
            if judged.missing:
                missing[f"{subject} at scale {scale}"] = judged.missing
    if rows:
        _write_rows(rows, root)
    taken = tuple(f"{result.step.name} at scale {result.scale}" for result in found)
    return Adopted(taken, tuple(made), missing, tuple(row["id"] for row in rows))


def recorded(step: Step, root: Path) -> Path | None:
    """Where a step's recorded result is, if there is one as it was made."""
    folder = root / PLACE / step.subject / step.run / step.key
    return folder if folder.is_dir() and not damage(folder, step.key) else None


def damage(folder: Path, key: str) -> str:
    """What is wrong with a recorded result, in words; files that it says are left out may be missing."""
    try:
        record = read_json(folder / RECORD)
        hashes: dict[str, str] = record["outputs"]
        told = record["key"] == key_of(record["spec"]) and [*hashes] == record["spec"]["outputs"]
        hashed = all(HASH.fullmatch(value) for value in hashes.values())
    except OSError as error:
        return f"{folder / RECORD}: found {error.strerror}, expected a record"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return f"{folder / RECORD}: found something else, expected the record of a result"
    try:
        left_out = _left_out(folder)
    except (OSError, ValueError, RecursionError):
        return f"{folder / LEFT_OUT}: found something else, expected a list of names of files"
    if not told or not hashed:
        return f"{folder / RECORD}: found a record that was changed, expected the one its job wrote"
    if record["key"] != key:
        return f"{folder / RECORD}: found the key {record['key']}, expected {key}"
    for file, expected in hashes.items():
        path = folder / file
        if path.is_symlink() or (not path.is_file() and file not in left_out):
            return f"{path}: found no such file, expected it, or its name in {LEFT_OUT}"
        if path.is_file() and file_digest(path) != expected:
            return f"{path}: found content {file_digest(path)[:16]}, expected {expected[:16]} as it was made"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    odd = sorted(there - {*hashes, RECORD, LEFT_OUT, RUN})
    return f"{folder}: found {odd}, which the record does not name, expected nothing else" if odd else ""


def _left_out(folder: Path) -> list[str]:
    """Files that a result has and that were not kept; ValueError where it is no list of names."""
    if not (folder / LEFT_OUT).is_file():
        return []
    said = read_json(folder / LEFT_OUT)
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said):
        raise ValueError
    return said


def _hidden(path: Path) -> bool:
    """Half-made, or where a computation stands."""
    return any(part.startswith(".") or part == "checkpoints" for part in path.parts)


def _step_in(path: Path) -> str:
    """The step that a record names; nothing where it is none."""
    try:
        return str(read_json(path)["spec"]["step"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _checked(folder: Path, above: Path, plans: Mapping[Scale, Plan]) -> Result:
    """A result that is whole, and planned here."""
    try:
        record = read_json(folder / RECORD)
        key, spec = str(record["key"]), record["spec"]
        name = str(spec["step"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(folder / RECORD, "", error, "the record of a result") from None
    wrong = damage(folder, key)
    if wrong:
        raise InputError(folder, "", wrong, "a result as its job left it", "Nothing was taken in")
    for scale, plan in plans.items():
        if key in plan.by_key:
            return Result(folder, plan.by_key[key], scale, _facts(folder, above, name, key))
    closest = [plan.by_name[name] for plan in plans.values() if name in plan.by_name]
    if not closest:
        raise InputError(folder, "step", name, "a step that this checkout plans", "Nothing was taken in")
    differences = min((differing(spec, step.spec) for step in closest), key=len)
    raise InputError(
        folder,
        f"key {key} of {name}",
        f"a result of other {', '.join(differences)}",
        "one that this checkout plans at scale " + ", ".join(SCALES),
        "Nothing was taken in; check out the commit it was made with, or make it again",
    )


def differing(made: Mapping[str, Any], planned: Mapping[str, Any]) -> list[str]:
    """What two specifications of a step differ in: parameters, modules, files, inputs by name."""
    found = []
    for part, said in (("params", "parameter"), ("code", "code"), ("files", "file"), ("inputs", "input")):
        old, new = _flat(made.get(part, {})), _flat(planned.get(part, {}))
        found += [f"{said} {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return found or [name for name in planned if made.get(name) != planned[name]]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{path}.{name}" if path else str(name))
    return found


def _facts(folder: Path, above: Path, name: str, key: str) -> dict[str, Any]:
    """The facts of a run: beside the result, or in the logs of the folder that was given or the one above.

    Raises
    ------
    InputError : there are none: the ledger says on which machine a number was made.
    """
    logs = RUNS / name / f"{key}.run.json"
    for path in (folder / RUN, above / logs, above.parent / logs):
        if path.is_file():
            try:
                facts = read_json(path)
            except (OSError, ValueError, RecursionError) as error:
                raise InputError(path, "", error, "the facts of a run") from None
            if isinstance(facts, dict) and facts.get("hardware") and facts.get("commit"):
                return facts
    raise InputError(folder, RUN, "nothing", f"hardware and commit of its run, there or in {above / logs}")


def _file(result: Result, root: Path) -> None:
    """Copy the small files of a result below data/recorded; older ones of the same step go."""
    final = root / PLACE / result.step.subject / result.step.run / result.step.key
    if final.resolve() == result.folder.resolve():
        return
    with atomic_folder(final) as folder:
        large = copy_small(result.folder, folder)
        write_json(folder / LEFT_OUT, sorted({*large, *_left_out(result.folder)}))
        write_json(folder / RUN, dict(result.facts))
    _remove_others(final)


def _remove_others(final: Path) -> None:
    for sibling in final.parent.glob("*"):
        if sibling != final:
            shutil.rmtree(sibling, ignore_errors=True)


@dataclass(frozen=True)
class _Judged:
    made: tuple[str, ...]
    missing: tuple[str, ...]
    rows: tuple[Row, ...]


def _judge(plan: Plan, subject: str, root: Path) -> _Judged:
    """Carry out the light steps of a subject whose inputs are recorded, the rules of its claims last."""
    made = []
    for step in plan.of(subject):
        if not step.light or recorded(step, root) is not None:
            continue
        if all(recorded(source, root) is not None for source in step.inputs.values()):
            run_order(_order(step), root, damage)
            made.append(step.name)
    claims = plan.by_name.get(f"{subject}/claims")
    if claims is None or not claims.light:
        return _Judged(tuple(made), (f"the rules of {subject} do not run from recorded results",), ())
    folder = recorded(claims, root)
    if folder is None:
        return _Judged(tuple(made), tuple(sorted(_missing(claims, root))), ())
    machines, commits = _origins(claims, root)
    rows = [
        {**row, "key": claims.key, "hardware": machines, "commit": commits}
        for row in read_rows(folder / "claims.csv")
    ]
    return _Judged(tuple(made), (), tuple(rows))


def _order(step: Step) -> dict[str, Any]:
    """The order of a step whose inputs are recorded, and whose result is to be."""

    def place(of: Step) -> str:
        return f"{PLACE}/{of.subject}/{of.run}/{of.key}"

    inputs = {role: place(source) for role, source in step.inputs.items()}
    return {**step.order, "folder": place(step), "inputs": inputs}


def _missing(step: Step, root: Path) -> set[str]:
    """Names of the results that have to come from elsewhere before a light step can be carried out."""
    if recorded(step, root) is not None:
        return set()
    if not step.light:
        return {step.name}
    return set().union(*(_missing(source, root) for source in step.inputs.values()))


def _origins(step: Step, root: Path) -> tuple[str, str]:
    """Machines and commits of the recorded results that a light step rests on."""
    facts: list[dict[str, Any]] = []
    todo = [*step.inputs.values()]
    while todo:
        source = todo.pop(0)
        folder = recorded(source, root)
        if folder is not None and (folder / RUN).is_file():
            facts.append(read_json(folder / RUN))
        if source.light:
            todo += source.inputs.values()
    machines, commits = (
        "; ".join(sorted({str(of.get(name, UNKNOWN)) for of in facts})) or UNKNOWN
        for name in ("hardware", "commit")
    )
    return machines, commits


def _write_rows(rows: Iterable[Row], root: Path) -> None:
    """Put rows among the recorded ones, in place of those of the same claim and no larger scale."""
    path = root / RECORDED
    known = {row["id"]: row for row in read_published(path)}
    for row in rows:
        before = known.get(row["id"], row)
        if FROM_SMALLEST.index(before["scale"]) <= FROM_SMALLEST.index(row["scale"]):
            known[row["id"]] = row
    write_text(path, to_csv(known.values()))
