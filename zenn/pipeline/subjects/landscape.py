"""Steps of the inverse half of Paper A: fits of every network to every landscape, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zenn.errors import InputError
from zenn.pipeline.claims.ledger import CLAIMS
from zenn.pipeline.params import Params
from zenn.pipeline.params.landscape import Landscape
from zenn.pipeline.registry import registered
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.subjects.materials import CLAIMED, MATERIAL
from zenn.pipeline.tree import Tree

NOTEBOOK = "reports/notebooks/landscape.py"
FIGURES = (
    "zenn-fig-3",
    "zenn-fig-4",
    "zenn-fig-s1",
    "zenn-fig-s3",
    "zenn-fig-s4",
    "zenn-fig-s5",
    "zenn-fig-s6",
    "beyond-fig-landscape-models",
    "beyond-fig-fe3pt-k",
    "beyond-fig-fe3pt-history",
)
TABLES = (
    "beyond-table-landscape-benchmark",
    "beyond-table-landscape-three-wells",
    "beyond-table-fe3pt-inverse",
)
FITTED = ("network.json", "parameters.safetensors", "fits.csv", "history.csv")
EVALUATED = {
    "benchmark": ("metrics.csv", "profiles.csv", "branches.csv", "zero_lines.csv", "surface.csv"),
    "three_wells": ("metrics.csv", "paired.csv"),
    "fe3pt": (
        *("metrics.csv", "eq19.csv", "transitions.csv", "expansion.csv", "isotherms.csv", "isobars.csv"),
        *("zero_lines.csv", "configurations.csv", "totals.csv"),
    ),
}
FORWARD = ("critical_point", "free_energy", "phase_diagram", "configuration_properties")
AUTHORS = ("fe3pt-authors/V_T.csv", "fe3pt-authors/PP.csv")  # entries of the registry
NO_TERM = {"convexity": 0, "entropy": 0, "slope": 0, "square": 0}


def steps(params: Params, tree: Tree, forward: Sequence[Step]) -> list[Step]:
    """The steps of the three landscapes; `forward` are those of the subject materials, the truth of Fe3Pt."""
    made = _Steps(params, Planner(tree, "landscape", params.scale), forward)
    benchmark, three_wells, fe3pt = made.benchmark(), made.three_wells(), made.fe3pt()
    evaluations = {"benchmark": benchmark[-1], "three_wells": three_wells[-1], "fe3pt": fe3pt[-1]}
    section = params.landscape.fe3pt
    authors = made.authors_grid(tree.root) if section.authors_grid else []
    results = {
        **evaluations,
        "fe3pt_main": made.fits["fe3pt", made.main],
        "fe3pt_data": fe3pt[0],
        **made.truth,
    }
    figures = made.make.step(
        "figures",
        "zenn.pipeline.notebook",
        {
            "scale": params.scale,
            "figures": FIGURES,
            "tables": TABLES,
            "settings": {
                "fe3pt": {
                    "main": made.main,
                    "configurations": section.configurations,
                    "convexity": section.convexity,
                    "pressure_GPa": section.evaluation.pressure_GPa,
                },
                "reference_configurations": params.landscape.three_wells.configurations,
            },
        },
        (
            *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf", "csv")),
            *(f"{name}.csv" for name in TABLES),
            "landscape.ipynb",
        ),
        inputs=results,
        files={"notebook": NOTEBOOK},
        notebook_modules=tree.notebook_imports(NOTEBOOK),
    )
    claims = made.make.step(
        "claims",
        "zenn.pipeline.claims.landscape",
        {
            "scale": params.scale,
            "fe3pt": {
                "main": made.main,
                "configurations": section.configurations,
                "iterations": section.iterations,
                "auto_tolerance": section.auto_tolerance,
            },
            "three_wells": {
                "configurations": params.landscape.three_wells.configurations,
                "sweep_training_points": params.landscape.three_wells.sweep_training_points,
            },
            "neurons": {
                "zenn": 2 * params.landscape.benchmark.configurations * sum(params.landscape.hidden),
                "icnn": params.landscape.icnn.layers * params.landscape.icnn.width,
            },
        },
        ("claims.csv", "metrics.json"),
        inputs={**evaluations, **made.truth, "uncertainty": made.uncertainty},
        files={"claims": CLAIMS},
    )
    return [*benchmark, *three_wells, *fe3pt, *authors, figures, claims]


class _Steps:
    """Makes the steps of one landscape after the other, and remembers the fits by landscape and name."""

    def __init__(self, params: Params, make: Planner, forward: Sequence[Step]) -> None:
        self.params: Landscape = params.landscape
        self.make = make
        self.fits: dict[tuple[str, str], Step] = {}
        self.values = params.landscape.model_dump(mode="json")
        by_run = {step.run: step for step in forward}
        self.uncertainty = by_run[f"{CLAIMED}-uncertainty"]
        self.truth = {role: by_run[f"{CLAIMED}-{role.replace('_', '-')}"] for role in FORWARD}
        self.system = params.materials.systems[CLAIMED].model_dump(mode="json")
        self.main = f"k{self.params.fe3pt.configurations}"
        section = self.params.fe3pt
        _refuse_missing("configuration_sweep", section.configuration_sweep, section.configurations)
        _refuse_missing("convexity_sweep", section.convexity_sweep, section.convexity)

    def benchmark(self) -> list[Step]:
        """The benchmark in one dimension: six networks, and their comparison."""
        section, values = self.params.benchmark, self.values["benchmark"]
        constants = self.values["zentropy"]["benchmark"]
        landscape = {
            "kind": "bifurcation",
            **{name: values[name] for name in ("points", "temperatures", "window", "temperature_window")},
            "boltzmann_constant": constants["boltzmann_constant"],
        }
        networks = self._networks(values, constants)
        networks["icnn_sobolev"] = networks["icnn_printed"]
        for name, network in networks.items():
            loss = {**NO_TERM, "divergence": 1, "slope": 1 if name == "icnn_sobolev" else 0}
            self._fit("benchmark", name, landscape, network, loss, section.iterations)
        evaluation = {
            **values["evaluation"],
            "traced": ["zenn", "icnn_printed"],  # what Figs. 3b and 3c compare
            "boltzmann_constant": constants["boltzmann_constant"],
        }
        return self._with_evaluation("benchmark", {"evaluation": evaluation})

    def three_wells(self) -> list[Step]:
        """The benchmark in two dimensions: networks by training points, and ZENN by K."""
        section, values = self.params.three_wells, self.values["three_wells"]
        constants = self.values["zentropy"]["benchmark"]
        described: list[tuple[str, int, int]] = []
        wanted = [
            (size, name, section.configurations if name == "zenn" else 0, network)
            for size in section.training_points
            for name, network in self._networks(values, constants).items()
        ]
        for K in section.configuration_sweep:
            network = self._zenn(K, constants)
            wanted.append((section.sweep_training_points, "zenn", K, network))
        for size, name, K, network in wanted:
            if (name, size, K) in described:
                continue
            described.append((name, size, K))
            label = f"{name}_k{K}_n{size}" if K else f"{name}_n{size}"
            landscape = {"kind": "three_wells", "points": size}
            self._fit(
                "three_wells", label, landscape, network, {**NO_TERM, "divergence": 1}, section.iterations
            )
        evaluation = {
            "families": [name for name, _, _ in described],
            "training_points": [size for _, size, _ in described],
            "configurations": [K for _, _, K in described],
            "reference": "zenn",
            "reference_configurations": section.configurations,
            "prediction_points": section.prediction_points,
        }
        return self._with_evaluation("three_wells", {"evaluation": evaluation})

    def fe3pt(self) -> list[Step]:
        """Fe3Pt: its free energy as a table, fits by K and by lambda, variants, and what they say."""
        section, values = self.params.fe3pt, self.values["fe3pt"]
        constants = self.values["zentropy"]["fe3pt"]
        files = {"configurations": self.system["configurations"]}
        if self.system["electrons"] is not None:
            files["electrons"] = self.system["electrons"]
        data = self.make.step(
            "fe3pt-data",
            "zenn.materials.steps.helmholtz_grid",
            {"material": {name: self.system[name] for name in MATERIAL}, "helmholtz_grid": values["grid"]},
            ("training.csv", "test.csv"),
            files=files,
        )
        landscape, K, few = self._fe3pt_landscape(), section.configurations, section.variant_seeds
        wanted = [
            (f"k{number}", number, section.convexity, 0.0, "positive", self.params.seeds)
            for number in section.configuration_sweep
        ]
        for convexity in section.convexity_sweep:
            if convexity != section.convexity:
                wanted.append((f"lambda_{convexity:g}", K, convexity, 0.0, "positive", few))
        wanted += [
            (f"{self.main}_free_entropy", K, section.convexity, 0.0, "free", few),
            (f"{self.main}_entropy_term", K, section.convexity, section.entropy_weight, "positive", few),
        ]
        for name, K, convexity, weight, entropy, seeds in wanted:
            loss = {**NO_TERM, "divergence": 1, "convexity": convexity, "entropy": weight}
            network = {**self._zenn(K, constants), "entropy": entropy}
            self._fit(
                "fe3pt", name, landscape, network, loss, section.iterations,
                start="wells", starts=section.starts, seeds=seeds, inputs={"table": data},
            )  # fmt: skip
        asked = self._fe3pt_questions([(K, convexity) for _, K, convexity, *_ in wanted])
        return [data, *self._with_evaluation("fe3pt", asked, {"table": data})]

    def authors_grid(self, root: Path) -> list[Step]:
        """The grid that the authors published: fetched, converted, fitted as the main fit, and evaluated."""
        section, constants = self.params.fe3pt, self.values["zentropy"]["fe3pt"]
        fetched = self.make.step(
            "fe3pt-authors-fetch",
            "zenn.pipeline.fetch",
            {"files": [entry._asdict() for entry in registered(root, AUTHORS)]},
            (*(name.rpartition("/")[2] for name in AUTHORS), "manifest.json"),
        )
        grid = self.make.step(
            "fe3pt-authors-grid",
            "zenn.landscape.steps.authors_grid",
            {},
            ("training.csv", "test.csv", "grid.json"),
            inputs={"published": fetched},
        )
        loss = {**NO_TERM, "divergence": 1, "convexity": section.convexity}
        self._fit(
            "fe3pt_authors", self.main, self._fe3pt_landscape(),
            self._zenn(section.configurations, constants), loss, section.iterations,
            start="wells", starts=section.starts, inputs={"table": grid},
        )  # fmt: skip
        asked = self._fe3pt_questions([(section.configurations, section.convexity)])
        return [fetched, grid, *self._with_evaluation("fe3pt_authors", asked, {"table": grid}, like="fe3pt")]

    def _fe3pt_landscape(self) -> dict[str, Any]:
        return {
            "kind": "table",
            "units": self.values["fe3pt"]["units"],
            "boltzmann_constant": self.values["zentropy"]["fe3pt"]["boltzmann_constant"],
            "density_temperature": self.params.fe3pt.density_temperature,
        }

    def _fe3pt_questions(self, models: Sequence[tuple[int, float]]) -> dict[str, Any]:
        """What is asked of fits of Fe3Pt, with K and lambda of each."""
        values = self.values["fe3pt"]
        evaluation = {
            **values["evaluation"],
            "isotherm_temperatures_K": list(self.truth["free_energy"].params["isotherms"]["temperatures"]),
            "configurations": [K for K, _ in models],
            "convexity": [convexity for _, convexity in models],
            "main": self.main,
        }
        return {"units": values["units"], "evaluation": evaluation}

    def _zenn(self, K: int, constants: Mapping[str, Any]) -> dict[str, Any]:
        network = {"kind": "zenn", "configurations": K, "hidden": self.values["hidden"]}
        return {**network, "entropy": "positive", **constants}

    def _networks(self, values: Mapping[str, Any], constants: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """ZENN and what it is compared with."""
        icnn = {"kind": "convex", **self.values["icnn"]}
        return {
            "zenn": self._zenn(values["configurations"], constants),
            "icnn_printed": {**icnn, "variant": "printed"},
            "icnn_standard": {**icnn, "variant": "standard"},
            "mlp_small": {"kind": "perceptron", "hidden": values["mlp_small"]},
            "mlp_large": {"kind": "perceptron", "hidden": values["mlp_large"]},
        }

    def _fit(
        self,
        where: str,
        name: str,
        landscape: Mapping[str, Any],
        network: Mapping[str, Any],
        loss: Mapping[str, Any],
        iterations: int,
        *,
        start: str = "random",
        starts: int = 1,
        seeds: Sequence[int] | None = None,
        inputs: Mapping[str, Step] | None = None,
    ) -> None:
        optimisation = {
            **self.values["optimisation"],
            "start": start,
            "starts": starts,
            "iterations": iterations,
        }
        self.fits[where, name] = self.make.step(
            f"{where}-{name}-fit".replace("_", "-"),
            "zenn.landscape.steps.fit",
            {
                "landscape": landscape,
                "network": network,
                "loss": loss,
                "optimisation": optimisation,
                "seeds": list(self.params.seeds if seeds is None else seeds),
            },
            FITTED,
            inputs=inputs,
        )

    def _with_evaluation(
        self,
        where: str,
        others: Mapping[str, Any],
        inputs: Mapping[str, Step] | None = None,
        like: str = "",
    ) -> list[Step]:
        """The fits of one landscape, and the step that compares them, as it compares those of `like`."""
        like = like or where
        fits = {name: step for (of, name), step in self.fits.items() if of == where}
        evaluation = self.make.step(
            f"{where}-evaluation".replace("_", "-"),
            f"zenn.landscape.steps.{like}_evaluation",
            {"models": [*fits], **others},
            EVALUATED[like],
            inputs={**fits, **(inputs or {})},
        )
        return [*fits.values(), evaluation]


def _refuse_missing(key: str, values: Sequence[float], wanted: float) -> None:
    """The claims are about one K and one lambda: both belong to their sweep."""
    if wanted not in values:
        expected = f"{wanted:g} among them, which the claims are about"
        raise InputError("params.yaml", f"landscape.fe3pt.{key}", list(values), expected)
