"""The one plan: from parameters to a table of steps. The Snakefile, `zenn plan`, the report and the tests
read it; nothing else decides what has to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from zenn.errors import ZennError
from zenn.pipeline.claims.ledger import FROM_SMALLEST, PUBLISHED, RECORDED, Row, decided_above
from zenn.pipeline.params import Params, load_params, resolve
from zenn.pipeline.steps import Step
from zenn.pipeline.subjects import classification, data, landscape, laws, materials, report
from zenn.pipeline.tree import Tree

PARAMS_FILE = "params.yaml"


@dataclass(frozen=True)
class Plan:
    """All steps at one scale, in an order in which they can run."""

    scale: str
    params: Params
    steps: tuple[Step, ...]

    @cached_property
    def by_key(self) -> dict[str, Step]:
        """Key -> step."""
        return {step.key: step for step in self.steps}

    @cached_property
    def by_name(self) -> dict[str, Step]:
        """`subject/run` -> step."""
        return {step.name: step for step in self.steps}

    def of(self, *subjects: str) -> list[Step]:
        """The steps of some subjects."""
        return [step for step in self.steps if step.subject in subjects]

    def paths(self, subject: str) -> list[str]:
        """Every result file of a subject that Snakemake is told of."""
        return [path for step in self.of(subject) for path in step.asked]


def plan(params: Params, tree: Tree, above: Sequence[Row] = ()) -> Plan:
    """The steps for `params`, with keys chained from the first input to the page.

    `above` are published ledger rows of larger scales, which the ledger keeps.
    """
    subjects = _subjects(params, tree)
    return Plan(params.scale, params, _ordered([*subjects, *report.steps(params, tree, subjects, above)]))


def plan_checkout(root: Path, overrides: Mapping[str, Any] | None = None, scale: str | None = None) -> Plan:
    """The plan of a checkout: its `params.yaml`, with what `snakemake --config` said laid over it.

    Raises
    ------
    InputError : a parameter or an input file cannot be used; nothing has run then.
    """
    raw, tree = _overlaid(load_params(root / PARAMS_FILE), overrides or {}), Tree(root)
    source = f"{PARAMS_FILE} under --config" if overrides else PARAMS_FILE
    params = resolve(raw, source, scale)
    above: dict[str, Row] = {}
    keys_at: dict[str, set[str]] = {}
    for place in (PUBLISHED, RECORDED):  # a recorded row is published with the next ledger: it may be newer
        for row in decided_above(params.scale, root / place):
            larger = row["scale"]
            if larger not in keys_at:
                keys_at[larger] = {step.key for step in _subjects(resolve(raw, PARAMS_FILE, larger), tree)}
            told = {**row, "current": "yes" if row["key"] in keys_at[larger] else "no"}
            above[row["id"]] = max(above.get(row["id"], told), told, key=_weight)
    planned = plan(params, tree, [*above.values()])
    tree.remember()
    return planned


def _weight(row: Row) -> tuple[int, bool]:
    """Of two rows about one claim the heavier one is shown: of a larger scale, then of this code."""
    return FROM_SMALLEST.index(row["scale"]), row["current"] == "yes"


def _subjects(params: Params, tree: Tree) -> list[Step]:
    forward, prepared = materials.steps(params, tree), data.steps(params, tree)
    inverse = landscape.steps(params, tree, forward)
    classified = classification.steps(params, tree, prepared)
    return [*forward, *inverse, *prepared, *classified, *laws.steps(params, tree)]


def _overlaid(raw: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(raw)
    for name, value in overrides.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[name] = _overlaid(below, value)
        else:
            merged[name] = _typed(value)
    return merged


def _typed(value: Any) -> Any:
    """Snakemake hands the inside of a nested `--config` over as texts: read them as the YAML they were."""
    if isinstance(value, str):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value
    if isinstance(value, Mapping):
        return {name: _typed(inner) for name, inner in value.items()}
    return [_typed(inner) for inner in value] if isinstance(value, list) else value


def _ordered(steps: Iterable[Step]) -> tuple[Step, ...]:
    done: dict[str, Step] = {}
    for step in steps:
        missing = [s.name for s in step.inputs.values() if s.name not in done]
        if missing or step.name in done:
            raise ZennError(f"plan: step {step.name} is named twice or comes before {missing}")
        done[step.name] = step
    return tuple(done.values())
