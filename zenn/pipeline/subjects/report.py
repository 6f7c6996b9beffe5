"""Steps that put the subjects together: the ledger of claims and the page."""

from __future__ import annotations

from collections.abc import Sequence

from zenn.pipeline.claims.ledger import CLAIMS, Row
from zenn.pipeline.params import Params
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.tree import Tree

ARTEFACTS = "data/inputs/artefacts.csv"
PAGE_TEMPLATE = "zenn/pipeline/report/page.html.j2"


def steps(params: Params, tree: Tree, subjects: Sequence[Step], decided_above: Sequence[Row]) -> list[Step]:
    """The ledger of all subjects' claims, and the page of ledger, figures, tables and parameters."""
    make = Planner(tree, "report", params.scale)
    claims = {step.subject: step for step in subjects if step.run == "claims"}
    figures = {f"{step.subject}_figures": step for step in subjects if step.run == "figures"}
    ledger = make.step(
        "ledger",
        "zenn.pipeline.claims.collect",
        {"scale": params.scale, "decided_above": list(decided_above)},
        ("claims.csv", "metrics.json"),
        inputs=claims,
        files={"claims": CLAIMS},
    )
    page = make.step(
        "page",
        "zenn.pipeline.report.page",
        {
            "scale": params.scale,
            "parameters": params.model_dump(mode="json"),
            "steps": {step.name: step.key for step in [*subjects, ledger]},
        },
        ("index.html",),
        inputs={"ledger": ledger, **figures},
        files={"artefacts": ARTEFACTS, "template": PAGE_TEMPLATE},
    )
    return [ledger, page]
