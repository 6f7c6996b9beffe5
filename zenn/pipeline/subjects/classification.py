"""Steps of the classification of Paper A: trainings by model and N_T, evaluations, figures, verdicts.

Two families of trainings. The stand-ins, small networks on data that need no download, run at every scale and
decide what can be decided without the published data. The published ones, `classification.published.train`,
want a GPU for each training: one job per data set, model, loss, N_T and seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zenn.classification.initial_temperatures import geometric_temperatures
from zenn.pipeline.claims.ledger import CLAIMS
from zenn.pipeline.params import Params
from zenn.pipeline.params.classification_runs import Preset
from zenn.pipeline.params.classification_tables import AgNewsTraining, BbcNewsTraining
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.subjects.data import weights_step
from zenn.pipeline.tree import Tree

NOTEBOOK = "reports/notebooks/classification.py"
TRAINED = ("predictions.safetensors", "metrics.json", "history.csv")
EVALUATED = (
    *("metrics.csv", "paired.csv", "posteriors.csv", "temperatures.csv"),
    *("history.csv", "temperature_history.csv"),
)
FIGURES = (
    *("zenn-fig-2", *(f"zenn-fig-s{number}" for number in range(7, 19))),
    *("beyond-fig-classification-oracle", "beyond-fig-classification-gain"),
)
TABLES = (
    *(f"zenn-table-s{number}" for number in range(3, 16)),
    *("beyond-table-classification-runs", "beyond-table-classification-paired"),
)
ALIKE = ("label_smoothing", "generalised_cross_entropy", "zenn1")  # controls beside cross-entropy
PERMUTATIONS = 20
CONTROLS = ("cross_entropy", "label_smoothing", "generalised_cross_entropy")
RECOMMENDED_TEMPERATURES = 2
SAVE_EVERY_S, GPU_SAVE_EVERY_S = 120.0, 900.0  # two large Vision Transformers take 7 GB with their moments
WARM_UP_SHARE = 0.2  # of the epochs at most: AG News has six
TRANSFORMS = {"RandomHorizontalFlip": "horizontal_flip", "RandomCrop": "random_crop"}
NO_AUGMENTATION: Mapping[str, Any] = {"augmentation": [], "crop_padding": 0}


@dataclass(frozen=True)
class Variant:
    """One way to train a model; those of a family differ in N_T alone."""

    name: str
    family: str
    temperatures: int
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """One job: the step, and what tables call it."""

    model: str
    variant: Variant
    step: Step


def steps(params: Params, tree: Tree, data: Sequence[Step]) -> list[Step]:
    """The steps of the subject; `data` are those of the subject data."""
    return _Steps(params, Planner(tree, "classification", params.scale), data).all()


class _Variants:
    """The ways to train that are compared."""

    def __init__(self, params: Params) -> None:
        self._section = params.classification

    @property
    def some(self) -> list[Variant]:
        """Cross-entropy, the printed cross-zentropy by N_T (1: two encoders alone), the recommended one."""
        return [self.control("cross_entropy"), *self.printed(), self.recommended()]

    @property
    def all(self) -> list[Variant]:
        """The same with all controls."""
        controls = [self.control(name) for name in CONTROLS]
        return [*controls, *self.printed(), self.recommended()]

    def control(self, name: str) -> Variant:
        """A loss that knows no temperature."""
        loss = "cross_entropy" if name == "label_smoothing" else name
        smoothing = self._section.label_smoothing if name == "label_smoothing" else 0.0
        return Variant(name, name, 1, {"loss": loss, "label_smoothing": smoothing})

    def printed(self) -> Iterator[Variant]:
        """Cross-zentropy as Paper A trains it, by N_T."""
        for count in self._section.temperature_counts:
            yield self._zentropy(f"zenn{count}", "zenn", self._section.presets.paper, count)

    def recommended(self) -> Variant:
        """What needs no label to predict: one encoder, two temperatures, a learned prior."""
        preset = self._section.presets.recommended
        return self._zentropy("recommended", "recommended", preset, RECOMMENDED_TEMPERATURES)

    def _zentropy(self, name: str, family: str, preset: Preset, count: int) -> Variant:
        settings = {
            "loss": "cross_zentropy",
            **preset.model_dump(mode="json"),
            "initial_temperatures": [*geometric_temperatures(count, *self._section.initial_temperatures)],
        }
        return Variant(name, family, count, settings)

    def common(self) -> dict[str, Any]:
        """What every training is told where its variant says nothing else."""
        presets = self._section.presets
        return {
            "accumulation": 1,
            "temperature_learning_rate": presets.paper.temperature_learning_rate,
            "prior_learning_rate": presets.recommended.temperature_learning_rate,
            "schedule": "cosine",
            "ema": 0.0,
            "label_smoothing": 0.0,
            "omega": presets.paper.omega,
            "detach_weights": True,
            "mode": "joint",
            "cross_entropy_warm_up": 0.0,
            "prior": "uniform",
            "backbones": 1,
            "entropy": "positive",
            "initial_temperatures": [1.0],
            "precision": "float32",
            **NO_AUGMENTATION,
            **self._section.zentropy.model_dump(mode="json"),
        }


class _Steps:
    """Makes the steps, and remembers the trainings by data set."""

    def __init__(self, params: Params, make: Planner, data: Sequence[Step]) -> None:
        self.params, self.make, self.section = params, make, params.classification
        self.variants = _Variants(params)
        self.common = self.variants.common()
        self.data = {step.run: step for step in data}
        self.trainings: dict[str, dict[str, Training]] = {}

    def all(self) -> list[Step]:
        """Every step, in an order in which they can run."""
        self._stand_ins()
        if self.section.published.train:
            self._published_images()
            self._published_texts()
        evaluations = self._evaluations()
        trainings = [one.step for of in self.trainings.values() for one in of.values()]
        adapter = self.section.training.bbc_news.zenn.fine_tune.model_dump(mode="json")
        counts = self.make.step(
            "parameter-counts",
            "zenn.classification.steps.parameter_counts",
            {"temperatures": max(self.section.temperature_counts), "fine_tune": adapter},
            ("parameters.csv",),
        )
        limit = self.make.step(
            "cross-entropy-limit",
            "zenn.classification.steps.cross_entropy_limit",
            {"classes": [2, 10, 100], "samples": 64, "seed": 1},
            ("differences.csv",),
        )
        figures = self._figures(evaluations, counts, limit)
        claims = self._claims(evaluations, counts, limit)
        return [*trainings, *evaluations.values(), counts, limit, figures, claims]

    def _stand_ins(self) -> None:
        """All seeds of a training in one job: to start a job takes longer than such a training."""
        stand_ins, variants = self.section.stand_ins, self.variants
        first, *others = stand_ins.image_models
        wanted = [("digits", first, variants.all), ("digits-imbalanced", first, variants.all)]
        wanted += [("digits-clean", first, variants.some), ("digits-random", first, variants.some)]
        for model in others:
            wanted += [("digits", model, variants.some), ("digits-imbalanced", model, variants.some)]
        first, *others = stand_ins.text_models
        for data in stand_ins.corpora:
            wanted += [(data, first, variants.all), *((data, model, variants.some) for model in others)]
        small = {**stand_ins.image_models, **stand_ins.text_models}
        for data, model, several in wanted:
            numbers = small[model].model_dump(mode="json", exclude={"network"})
            encoder = small[model].network.model_dump(mode="json")
            for variant in several:
                self._train(data, model, variant, encoder, {**self.common, **numbers, **variant.settings})

    def _published_images(self) -> None:
        section, tables = self.section.published, self.section.training.cifar
        augmentation = [TRANSFORMS[name] for name in tables.zenn.augmentation]
        for data in ("cifar-10", "cifar-100"):
            for model in section.image_models:
                encoder = {
                    "kind": "vit",
                    "model": model,
                    "weights": "published",
                    "dropout": 0.0,
                    "drop_path": section.drop_path,
                }
                for variant in self.variants.all:
                    table = tables.zenn if variant.family == "zenn" else tables.cross_entropy
                    numbers = {
                        **self._numbers(table.model_dump(mode="json")),
                        "augmentation": augmentation,
                        "crop_padding": section.padding_pixels,
                    }
                    self._by_seed(data, model, variant, encoder, numbers)

    def _published_texts(self) -> None:
        tables: dict[str, BbcNewsTraining | AgNewsTraining] = {
            "bbc": self.section.training.bbc_news,
            "ag-news": self.section.training.ag_news,
        }
        for data, table in tables.items():
            adapter = table.zenn.fine_tune.model_dump(mode="json")
            for model in self.section.published.text_models:
                for variant in self.variants.all:
                    own = table.zenn if variant.family == "zenn" else table.cross_entropy
                    numbers = self._numbers(own.model_dump(mode="json"))
                    tuned = own.fine_tune.model_dump(mode="json")
                    encoder = {
                        "kind": "language",
                        "model": model,
                        "weights": "published",
                        "fine_tune": tuned,
                    }
                    self._by_seed(data, model, variant, encoder, numbers)
                    if variant.name == "cross_entropy" and tuned != adapter:
                        # beside the printed comparison of adapters with whole networks, one of like with like
                        control = Variant("cross_entropy_lora", "cross_entropy_lora", 1, variant.settings)
                        numbers = self._numbers(table.zenn.model_dump(mode="json"))
                        self._by_seed(data, model, control, {**encoder, "fine_tune": adapter}, numbers)

    def _numbers(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """What a table of the paper says of a training, and what the paper leaves open."""
        section = self.section.published
        said = ("epochs", "batch_size", "learning_rate", "weight_decay", "temperature_learning_rate")
        return {
            **{name: table[name] for name in said if name in table},
            "warm_up_epochs": min(section.warm_up_epochs, WARM_UP_SHARE * table["epochs"]),
            "clipping": section.clipping,
            "precision": section.precision,
            "evaluate_every": 1,
        }

    def _by_seed(
        self,
        data: str,
        model: str,
        variant: Variant,
        encoder: Mapping[str, Any],
        numbers: Mapping[str, Any],
    ) -> None:
        weights = self.data[weights_step(model).removeprefix("data/")]
        settings = {**self.common, **variant.settings, **numbers}
        for seed in self.section.seeds:
            self._train(data, model, variant, encoder, settings, seed=seed, weights=weights)

    def _train(
        self,
        data: str,
        model: str,
        variant: Variant,
        encoder: Mapping[str, Any],
        settings: Mapping[str, Any],
        *,
        seed: int | None = None,
        weights: Step | None = None,
    ) -> None:
        name = f"{model}-{variant.name}" + ("" if seed is None else f"-seed{seed}")
        name = name.replace("_", "-").lower()
        step = self.make.step(
            f"{data}-{name}-{'train' if weights is None else 'gpu-train'}",
            "zenn.classification.steps.train",
            {
                "encoder": dict(encoder),
                "training": dict(settings),
                "seeds": list(self.section.seeds) if seed is None else [seed],
                "save_model": False,
                "save_every_s": SAVE_EVERY_S if weights is None else GPU_SAVE_EVERY_S,
            },
            TRAINED,
            inputs={"data": self.data[data], **({"weights": weights} if weights else {})},
        )
        self.trainings.setdefault(data, {})[name] = Training(model, variant, step)

    def _evaluations(self) -> dict[str, Step]:
        """All protocols on the stored outputs, by data set and model."""
        return {
            f"{data}_{model}": self._evaluation(
                data, model, [one for one in trainings.values() if one.model == model]
            )
            for data, trainings in self.trainings.items()
            for model in dict.fromkeys(one.model for one in trainings.values())
        }

    def _evaluation(self, data: str, model: str, trainings: Sequence[Training]) -> Step:
        several: dict[str, list[Step]] = {}
        for one in trainings:
            several.setdefault(one.variant.name, []).append(one.step)
        # of a run with a job per seed, each job is an input of its own
        inputs = {
            name if len(steps) == 1 else f"{name}.{number}": step
            for name, steps in several.items()
            for number, step in enumerate(steps, 1)
        }
        controls = [name for name in several if name.startswith("cross_entropy") or name in ALIKE]
        return self.make.step(
            f"{data}-{model}-evaluation".replace("_", "-").lower(),
            "zenn.classification.steps.evaluate",
            {
                "runs": [name for name in several if name not in controls],
                "controls": controls,
                "ensemble_of": "cross_entropy",
                "permutations": PERMUTATIONS,
            },
            EVALUATED,
            inputs=inputs,
        )

    def _figures(self, evaluations: Mapping[str, Step], counts: Step, limit: Step) -> Step:
        return self.make.step(
            "figures",
            "zenn.pipeline.notebook",
            {
                "scale": self.params.scale,
                "figures": FIGURES,
                "tables": TABLES,
                "settings": {
                    **self._panels(evaluations),
                    "training": self.section.training.model_dump(mode="json"),
                },
            },
            (
                *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf", "csv")),
                *(f"{name}.csv" for name in TABLES),
                "classification.ipynb",
            ),
            inputs={**evaluations, "parameter_counts": counts, "cross_entropy_limit": limit},
            files={"notebook": NOTEBOOK},
            notebook_modules=self.make.tree.notebook_imports(NOTEBOOK),
        )

    def _panels(self, evaluations: Mapping[str, Step]) -> dict[str, Any]:
        """Which evaluations stand where in the paper's figures, and which are beyond them."""
        stand_ins = self.section.stand_ins
        corpora = [*stand_ins.corpora]
        if self.section.published.train:
            place = {name: (name, False) for name in ("cifar-10", "cifar-100", "bbc", "ag-news")}
        else:
            place = {
                "cifar-10": ("digits", True),
                "cifar-100": ("digits-imbalanced", True),
                "bbc": (corpora[0], True),
                "ag-news": (corpora[-1], True),
            }
        classes = {"cifar-10": 10, "cifar-100": 100, "bbc": 5, "ag-news": 4}
        classes |= {name: corpus.classes for name, corpus in stand_ins.corpora.items()}
        panels = {
            panel: self._panel(data, stand_in, classes.get(data, 10))
            for panel, (data, stand_in) in place.items()
        }
        shown = {panel["data"] for panel in panels.values()}
        extra = {
            data: self._panel(data, True, classes.get(data, 10))
            for data in self.trainings
            if data not in shown
        }
        return {"panels": panels, "extra": extra}

    def _panel(self, data: str, stand_in: bool, classes: int) -> dict[str, Any]:
        models = dict.fromkeys(one.model for one in self.trainings[data].values())
        roles = {model: f"{data}_{model}" for model in models}
        return {"data": data, "stand_in": stand_in, "classes": classes, "roles": roles}

    def _claims(self, evaluations: Mapping[str, Step], counts: Step, limit: Step) -> Step:
        return self.make.step(
            "claims",
            "zenn.pipeline.claims.classification",
            {"scale": self.params.scale, **self._panels(evaluations)},
            ("claims.csv", "metrics.json"),
            inputs={**evaluations, "parameter_counts": counts, "cross_entropy_limit": limit},
            files={"claims": CLAIMS},
        )
