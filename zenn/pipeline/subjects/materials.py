"""Steps of the forward half of Paper A: from a table of configurations to figures and verdicts."""

from __future__ import annotations

from zenn.errors import InputError, did_you_mean
from zenn.pipeline.claims.ledger import CLAIMS
from zenn.pipeline.params import Params
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.tree import Tree

NOTEBOOK = "reports/notebooks/materials.py"
FIGURES = ("zenn-fig-4", "zenn-fig-s1", "zenn-fig-s2")
TABLES = ("zenn-table-s1",)
CLAIMED = "fe3pt"  # the system that the paper's claims are about


def steps(params: Params, tree: Tree) -> list[Step]:
    """EOS round trip, free energy and critical point of every system; figures and claims of Fe3Pt."""
    make = Planner(tree, "materials", params.scale)
    section = params.materials.model_dump(mode="json")
    shared = {name: value for name, value in section.items() if name != "systems"}
    if CLAIMED not in section["systems"]:
        raise InputError(
            "params.yaml",
            "materials.systems",
            sorted(section["systems"]),
            f"'{CLAIMED}' among them, which the figures and claims of Paper A are about",
            did_you_mean(CLAIMED, section["systems"]),
        )
    made: list[Step] = []
    for name, system in section["systems"].items():
        files = {"configurations": system["configurations"]}
        material = {key: value for key, value in system.items() if key != "configurations"}
        round_trip = make.step(
            f"{name}-eos-round-trip",
            "zenn.materials.steps.eos_round_trip",
            {"material": material, **_pick(shared, "eos_round_trip")},
            ("equation_of_state.csv",),
            files=files,
        )
        critical_point = make.step(
            f"{name}-critical-point",
            "zenn.materials.steps.critical_point",
            {"material": material, **_pick(shared, "critical_point")},
            ("critical_point.json",),
            files=files,
        )
        free_energy = make.step(
            f"{name}-free-energy",
            "zenn.materials.steps.free_energy",
            {"material": material, **_pick(shared, "isotherms", "second_derivative", "reference_state")},
            ("isotherms.csv", "second_derivative.csv", "reference_state.json"),
            files=files,
        )
        made += [round_trip, critical_point, free_energy]
    by_run = {step.run: step for step in made}
    results = {
        role: by_run[f"{CLAIMED}-{role.replace('_', '-')}"]
        for role in ("eos_round_trip", "critical_point", "free_energy")
    }
    figures = make.step(
        "figures",
        "zenn.pipeline.notebook",
        {"scale": params.scale, "figures": FIGURES, "tables": TABLES},
        (
            *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf", "csv")),
            *(f"{name}.csv" for name in TABLES),
            "materials.ipynb",
        ),
        inputs=results,
        files={"notebook": NOTEBOOK},
        notebook_modules=tree.notebook_imports(NOTEBOOK),
    )
    claims = make.step(
        "claims",
        "zenn.pipeline.claims.materials",
        {"scale": params.scale},
        ("claims.csv", "metrics.json"),
        inputs=results,
        files={"claims": CLAIMS},
    )
    return [*made, figures, claims]


def _pick(values: dict[str, object], *names: str) -> dict[str, object]:
    return {name: values[name] for name in names}
