"""Steps of the forward half of Paper A: from a table of configurations to figures and verdicts."""

from __future__ import annotations

from typing import Any

from zenn.errors import InputError, did_you_mean
from zenn.pipeline.claims.ledger import CLAIMS
from zenn.pipeline.params import Params
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.tree import Tree

NOTEBOOK = "reports/notebooks/materials.py"
FIGURES = (
    "zenn-fig-1",
    "beyond-fig-fe3pt-phase-diagram",
    "beyond-fig-fe3pt-isotherms",
    "zenn-fig-s2",
    "beyond-fig-fe3pt-probabilities",
    "beyond-fig-fe3pt-pt-diagram",
    "beyond-fig-fe3pt-critical-point",
    "beyond-fig-fe3pt-properties",
)
TABLES = ("zenn-table-s1", "zenn-table-s2", "beyond-table-fe3pt-sensitivity", "beyond-table-fe3pt-nte")
ARTEFACTS = "data/inputs/artefacts.csv"
# Paper A prints no units beside k_B = 0.1 of its Table S2; in these it is the physical constant of 12 atoms.
REDUCED_UNITS = {"temperature_K": 1000.0, "energy_eV_per_atom": 0.0718111}
CLAIMED = "fe3pt"  # the system that the paper's claims are about
ROLES = (
    "eos_round_trip",
    "critical_point",
    "free_energy",
    "phase_diagram",
    "configuration_properties",
    "uncertainty",
    "sensitivity",
)
MATERIAL = ("atoms_in_cell", "mean_atomic_mass", "debye_scaling", "grueneisen_x")
PHASE_DIAGRAM_FILES = (
    "critical_points.csv",
    "binodals.csv",
    "spinodals.csv",
    "isobars.csv",
    "transitions.csv",
    "negative_thermal_expansion.csv",
    "crossover.csv",
    "phase_diagram.json",
)


def steps(params: Params, tree: Tree) -> list[Step]:
    """The steps of every system; figures and claims of Fe3Pt."""
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
        made += _system_steps(make, name, system, shared)
    by_run = {step.run: step for step in made}
    results = {role: by_run[f"{CLAIMED}-{role.replace('_', '-')}"] for role in ROLES}
    figures = make.step(
        "figures",
        "zenn.pipeline.notebook",
        {"scale": params.scale, "figures": FIGURES, "tables": TABLES, **_stated(params)},
        (
            *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf", "csv")),
            *(f"{name}.csv" for name in TABLES),
            "materials.ipynb",
        ),
        inputs=results,
        files={"notebook": NOTEBOOK, "claims": CLAIMS, "artefacts": ARTEFACTS},
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


def _system_steps(make: Planner, name: str, system: dict[str, Any], shared: dict[str, Any]) -> list[Step]:
    """The steps of one solid."""
    files = {"configurations": system["configurations"]}
    if system["electrons"] is not None:
        files["electrons"] = system["electrons"]
    material = {"material": _pick(system, *MATERIAL)}
    volumes = {"volume_window": system["volume_window"]}
    search = {**volumes, **shared["critical_point"]}
    highest, step = system["temperature_window"][1], shared["phase_diagram"]["temperature_step"]
    temperatures = [i * step for i in range(int(highest / step) + 1)]
    diagram = {"temperatures": temperatures, "pressures": shared["phase_diagram"]["pressures"], **search}
    isotherms = {**shared["isotherms"], **volumes}
    each = {
        **volumes,
        **shared["configuration_properties"],
        "volumes": shared["isotherms"]["volumes"],
        "probability_temperatures": temperatures,
    }
    window = {"temperature_window": system["temperature_window"]}
    makes: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "eos_round_trip": (_pick(shared, "eos_round_trip"), ("equation_of_state.csv",)),
        "critical_point": ({"critical_point": {**window, **search}}, ("critical_point.json",)),
        "free_energy": (
            {"isotherms": isotherms, **_pick(shared, "second_derivative", "reference_state")},
            ("isotherms.csv", "second_derivative.csv", "reference_state.json"),
        ),
        "phase_diagram": ({"phase_diagram": diagram}, PHASE_DIAGRAM_FILES),
        "configuration_properties": (
            {"configuration_properties": each},
            ("configurations.csv", "mixture.csv", "probabilities.csv", "properties.csv"),
        ),
        "uncertainty": (
            {"phase_diagram": diagram, **_pick(shared, "uncertainty")},
            ("samples.csv", "transition_pressures.csv", "uncertainty.json"),
        ),
        "sensitivity": ({"phase_diagram": diagram, **_pick(shared, "sensitivity")}, ("sensitivity.csv",)),
    }
    return [
        make.step(
            f"{name}-{role.replace('_', '-')}",
            f"zenn.materials.steps.{role}",
            {**material, **makes[role][0]},
            makes[role][1],
            files=files,
        )
        for role in ROLES
    ]


def _stated(params: Params) -> dict[str, Any]:
    """What the schematic and Table S2 say of all of Paper A: printed constants, data sets, units."""
    landscape, classification = params.landscape.zentropy, params.classification
    constants = {
        "classification": classification.zentropy,
        "landscape": landscape.benchmark,
        "materials": landscape.fe3pt,
    }
    data_sets = type(classification.training).model_fields
    return {
        "constants": {name: values.model_dump(mode="json") for name, values in constants.items()},
        "data_sets": [str(field.description) for field in data_sets.values()],
        "reduced_units": {**REDUCED_UNITS, "atoms": params.materials.systems[CLAIMED].atoms_in_cell},
    }


def _pick(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names}
