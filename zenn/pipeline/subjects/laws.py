"""Steps of the gas of Paper B: dynamics, pictures, trainings by seed and control, axioms, figures, verdicts.

The stages are separate steps: a new network simulates nothing again, a new axiom trains nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from zenn.errors import InputError
from zenn.laws.processes import PAPER, Design, Gas, Process, processes
from zenn.pipeline.claims.ledger import CLAIMS
from zenn.pipeline.params import Params
from zenn.pipeline.params.laws import Laws
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.tree import Tree

NOTEBOOK = "reports/notebooks/laws.py"
PARAMS_FILE = "params.yaml"
FULL = "none"
"""The training that nothing was taken from: its control's name."""

PICTURES = ("pictures.safetensors", "index.csv", "processes.csv", "design.json")
TABLES_OF_SIMULATION = ("design.json", "processes.csv", "snapshots.csv")
RECOMBINED = ("pictures.safetensors", "states.csv")
TRAINED = ("network.safetensors", "history.csv", "representations.csv", "network.csv", "metrics.json")
JUDGED = (
    *("metrics.json", "a1.csv", "a3.csv", "a4.csv", "a5.csv", "a6.csv", "entropy.csv", "affine.csv"),
    *("extensivity.csv", "canonical.csv", "canonical_curve.csv", "difficulty.csv"),
)
EXAMPLES = ("examples.safetensors", "animation.csv", "schedule.csv", "examples.csv")
FIGURES = (
    *(f"laws-fig-{number}" for number in range(1, 9)),
    *("beyond-fig-laws-controls", "beyond-fig-laws-difficulty", "beyond-fig-laws-canonical"),
)
TABLES = ("laws-table-1", "beyond-table-laws-metrics")
ANIMATION = "laws-process.gif"


def steps(params: Params, tree: Tree) -> list[Step]:
    """The steps of the subject.

    Raises
    ------
    InputError : the gas or its processes cannot be simulated; names the parameter.
    """
    return _Steps(params, Planner(tree, "laws", params.scale)).all()


def simulated(section: Laws, design: Design) -> tuple[Process, ...]:
    """The processes of a design, refused here, before anything runs, if they cannot be simulated."""
    gas = Gas(**section.simulation.gas.model_dump())
    try:
        return processes(gas, design)
    except InputError as error:
        where = f"laws.simulation.{error.where}"
        raise InputError(PARAMS_FILE, where, error.found, error.expected, error.hint) from None


class _Steps:
    """Makes the steps one after the other."""

    def __init__(self, params: Params, make: Planner) -> None:
        self.params, self.make, self.section = params, make, params.laws
        self.design = Design(**self.section.simulation.design.model_dump())

    def all(self) -> list[Step]:
        """Every step, in an order in which they can run."""
        section = self.section
        twins_only = {**self.section.simulation.design.model_dump(), "train": 0, "validation": 0}
        snapshots = self._simulate("snapshots", self.design, replica=0)
        twins = self._simulate("twins", Design(**twins_only), replica=1)
        pictures, twin_pictures = self._render("pictures", snapshots), self._render("twin-pictures", twins)
        recombined = self.make.step(
            "recombined",
            "zenn.laws.steps.recombine",
            {**section.recombination.model_dump(mode="json"), **section.pictures.model_dump(mode="json")},
            RECOMBINED,
            inputs={"snapshots": snapshots},
        )
        trainings = {FULL: {seed: self._train(FULL, seed, pictures) for seed in section.training.seeds}}
        for control in section.training.controls:
            trainings[control] = {
                seed: self._train(control, seed, pictures) for seed in section.training.control_seeds
            }
        judged = {
            seed: self._axioms(seed, training, pictures, twin_pictures, recombined)
            for seed, training in trainings[FULL].items()
        }
        examples = self.make.step(
            "examples",
            "zenn.laws.steps.examples",
            {
                **section.examples.model_dump(mode="json", exclude={"share"}),
                "lambda": section.examples.share,
            },
            EXAMPLES,
            inputs={"snapshots": snapshots, "pictures": pictures, "recombined": recombined},
        )
        design = self._paper_design()
        summary = self._summary(trainings, judged)
        first = section.training.seeds[0]
        figures = self._figures(summary, examples, trainings[FULL][first], judged[first], snapshots)
        claims = self._claims(summary, design)
        return [
            *(snapshots, twins, pictures, twin_pictures, recombined),
            *(step for of in trainings.values() for step in of.values()),
            *judged.values(),
            *(examples, summary, design, figures, claims),
        ]

    def _simulate(self, run: str, design: Design, replica: int) -> Step:
        simulation = self.section.simulation
        chosen = simulated(self.section, design)
        said = simulation.design.model_dump(mode="json")
        said |= {"train": design.train, "validation": design.validation}
        files = (f"process-{process.number:04d}.safetensors" for process in chosen)
        return self.make.step(
            run,
            "zenn.laws.steps.simulate",
            {
                "gas": simulation.gas.model_dump(mode="json"),
                "design": said,
                "replica": replica,
                "heating_bound": simulation.heating_bound,
            },
            (*files, *TABLES_OF_SIMULATION),
        )

    def _render(self, run: str, snapshots: Step) -> Step:
        said = self.section.pictures.model_dump(mode="json")
        return self.make.step(run, "zenn.laws.steps.render", said, PICTURES, inputs={"snapshots": snapshots})

    @property
    def _gpu(self) -> str:
        return "gpu-" if self.section.training.gpu else ""

    def _train(self, control: str, seed: int, pictures: Step) -> Step:
        named = "" if control == FULL else f"{control}-"
        training = self.section.training
        numbers = training.model_dump(mode="json", exclude={"seeds", "controls", "control_seeds", "gpu"})
        return self.make.step(
            f"{named}seed{seed}-{self._gpu}train",
            "zenn.laws.steps.train",
            {**numbers, "seed": seed, "control": control},
            TRAINED,
            inputs={"pictures": pictures},
        )

    def _axioms(self, seed: int, network: Step, pictures: Step, twins: Step, recombined: Step) -> Step:
        return self.make.step(
            f"seed{seed}-{self._gpu}axioms",
            "zenn.laws.steps.axioms",
            self.section.axioms.model_dump(mode="json"),
            JUDGED,
            inputs={"pictures": pictures, "twins": twins, "recombined": recombined, "network": network},
        )

    def _summary(self, trainings: Mapping[str, Mapping[int, Step]], judged: Mapping[int, Step]) -> Step:
        inputs: dict[str, Step] = {}
        runs: dict[str, Any] = {}
        for name, of in trainings.items():
            for seed, training in of.items():
                roles = {f"{name}-{seed}-train": training}
                if name == FULL:
                    roles[f"{name}-{seed}-axioms"] = judged[seed]
                runs.setdefault(name, {})[f"seed{seed}"] = {"seed": seed, "inputs": [*roles]}
                inputs |= roles
        return self.make.step(
            "summary",
            "zenn.laws.steps.summary",
            {"runs": runs},
            ("values.csv", "metrics.csv"),
            inputs=inputs,
            light=True,
        )

    def _paper_design(self) -> Step:
        """The paper's processes, listed at every scale: how many there are needs no simulation."""
        gas, design = PAPER
        said = {"gas": asdict(gas), "design": asdict(design), "replica": 0, "heating_bound": 0.1}
        return self.make.step("design", "zenn.laws.steps.design", said, ("processes.csv",), light=True)

    def _figures(self, summary: Step, examples: Step, training: Step, judged: Step, snapshots: Step) -> Step:
        """Figures show the first seed's network, tables and error bars all of them."""
        return self.make.step(
            "figures",
            "zenn.pipeline.notebook",
            {
                "scale": self.params.scale,
                "figures": FIGURES,
                "tables": TABLES,
                "settings": {
                    **self._described(),
                    "share": self.section.examples.share,
                    "epsilon": self.section.examples.epsilon,
                    "seed": self.section.training.seeds[0],
                },
            },
            (
                *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf", "csv")),
                *(f"{name}.csv" for name in TABLES),
                *(ANIMATION, "laws.ipynb"),
            ),
            inputs={
                "summary": summary,
                "examples": examples,
                "training": training,
                "axioms": judged,
                "snapshots": snapshots,
            },
            files={"notebook": NOTEBOOK, "claims": CLAIMS},
            notebook_modules=self.make.tree.notebook_imports(NOTEBOOK),
            light=True,
        )

    def _described(self) -> dict[str, Any]:
        """What figures and verdicts say of the gas that they show."""
        design = self.design
        return {
            "gas": self.section.simulation.gas.model_dump(mode="json"),
            "particles": list(design.particles),
            "pixels": self.section.pictures.pixels,
            "processes": {"train": design.train, "validation": design.validation, "test": design.test},
        }

    def _claims(self, summary: Step, design: Step) -> Step:
        """Verdicts rest on the summary and the design alone: these are small, and can be taken elsewhere."""
        return self.make.step(
            "claims",
            "zenn.pipeline.claims.laws",
            {"scale": self.params.scale, **self._described()},
            ("claims.csv", "metrics.json"),
            inputs={"summary": summary, "design": design},
            files={"claims": CLAIMS},
            light=True,
        )
