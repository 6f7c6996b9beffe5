"""How much a step has to do, from its parameters alone: what recorded costs of its kind are scaled by.

Nothing here is in seconds. `amount` is proportional to the time of steps of one kind, `size` to the bytes of
their results; both are 1 where a kind is as large at every scale. Only floating-point operations of the
published models are absolute, so that their time can be guessed before anybody has measured it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from zenn.pipeline.steps import Step

GPU = ("-gpu-train", "-gpu-axioms")  # ends of the runs whose rules ask for a GPU
THREADED = {"zenn.laws.steps.simulate": 16}  # modules that use more than one core, and at most how many
FETCH = "zenn.pipeline.fetch"
LORA = 2 / 3  # of the operations of a training of everything: no gradients of frozen weights
TRAIN = 3.0  # passes forward that a pass forward and back costs


class Model(NamedTuple):
    """A published encoder: parameters of its blocks, blocks, width, tokens of a sample (0: the data's)."""

    parameters: float
    depth: int
    width: int
    tokens: int = 0

    def operations(self, tokens: int) -> float:
        """Floating-point operations of one sample, forward: weights, and attention between all tokens."""
        tokens = self.tokens or tokens
        return 2 * self.parameters * tokens + 4 * self.depth * tokens**2 * self.width


MODELS = {  # as in zenn.classification.encoders, which needs torch; embeddings are looked up, not multiplied
    "vit_base_patch32_224": Model(85.1e6, 12, 768, 50),
    "vit_large_patch32_224": Model(302.3e6, 24, 1024, 50),
    "vit_large_patch16_224": Model(302.3e6, 24, 1024, 197),
    "SmolLM2-135M": Model(106.2e6, 30, 576),
    "SmolLM2-360M": Model(314.6e6, 32, 960),
}


@dataclass(frozen=True)
class Work:
    """What kind of work a step is, and how much.

    bytes : of the result, where the parameters tell it without a measurement.
    scratch : bytes of checkpoints that lie beside the results while it runs.
    """

    kind: str
    amount: float = 1.0
    size: float = 1.0
    threads: int = 1
    gpus: int = 0
    operations: float | None = None
    bytes: float | None = None
    scratch: float = 0.0

    @property
    def told(self) -> dict[str, Any]:
        """What is kept beside the facts of a run, so that others can be estimated from it."""
        return {"kind": self.kind, "amount": self.amount, "size": self.size}


def work_of(step: Step) -> Work:
    """The work of a planned step."""
    if step.module in _KNOWN:
        return _KNOWN[step.module](step)
    return Work(step.module if step.run != "figures" else f"{step.module} {step.subject}")


def wants_gpu(step: Step) -> bool:
    """Whether its rule asks for a GPU."""
    return step.run.endswith(GPU)


def _fit(step: Step) -> Work:
    params, network = step.params, step.params["network"]
    steps = params["optimisation"]
    tries = len(params["seeds"]) * steps["starts"]
    configurations = max(network.get("configurations", 1), 1)
    return Work(
        f"{step.module} {params['landscape']['kind']} {network['kind']}",
        tries * (steps["iterations"] + steps["adam_steps"]) * configurations,
        len(params["seeds"]),
    )


def _training(step: Step) -> Work:
    params, training = step.params, step.params["training"]
    seeds, temperatures = len(params["seeds"]), len(training["initial_temperatures"])
    encoder = params["encoder"]
    model, data = encoder.get("model", encoder["kind"]), step.inputs["data"]
    if not wants_gpu(step):
        kind = encoder["kind"] if encoder["kind"] == "mlp" else f"{encoder['kind']} {model}"
        amount = seeds * training["epochs"] * training["backbones"]
        return Work(f"{step.module} {kind} {data.run}", amount, seeds * temperatures)
    shapes, of = _published(data.params), MODELS[model]
    lora = encoder.get("fine_tune", {}).get("method") == "lora"
    once = of.operations(data.params.get("maximum_length", 0))
    passes = TRAIN * (LORA if lora else 1) * shapes["train"] + shapes["looked_at"]
    operations = once * passes * training["epochs"] * training["backbones"] * seeds
    return Work(
        f"{step.module} gpu {model}",
        operations,
        gpus=1,
        operations=operations,
        # energies and entropies of the validation and test samples, in float32
        bytes=8.0 * shapes["looked_at"] * 100 * seeds,
        # weights and two moments in float32, and the next checkpoint beside the last
        scratch=2 * 12 * of.parameters * training["backbones"] * (0.02 if lora else 1),
    )


def _published(data: Mapping[str, Any]) -> dict[str, float]:
    """How many samples of a published data set are trained on and looked at in every epoch."""
    test = data.get("test_images") or data["test_texts"]
    labelled = data.get("train_images") or data.get("train_texts") or data["documents"] - test
    validation = data["validation_share"] * labelled
    return {"train": labelled - validation, "looked_at": validation + test}


def _simulation(step: Step) -> Work:
    gas, design = step.params["gas"], step.params["design"]
    processes = sum(name.startswith("process-") for name in step.outputs)
    particles = processes * sum(design["particles"]) / len(design["particles"])
    amount = particles * design["stop_time"] / gas["time_step"]
    size = particles * design["stop_time"] / design["frame_interval"]
    return Work(step.module, amount, size, threads=THREADED[step.module])


def _frames(snapshots: Step) -> float:
    """Pictures that the snapshots of a simulation give."""
    design = snapshots.params["design"]
    processes = sum(name.startswith("process-") for name in snapshots.outputs)
    return float(processes * design["stop_time"] / design["frame_interval"])


def _pictures(step: Step) -> Work:
    pixels = _frames(step.inputs["snapshots"]) * step.params["pixels"] ** 2
    return Work(step.module, pixels, pixels)


def _recombination(step: Step) -> Work:
    params, design = step.params, step.inputs["snapshots"].params["design"]
    states = params["samples"] * len(params["lambdas"])
    particles = states * sum(design["particles"]) / len(design["particles"])
    return Work(step.module, particles * params["relaxation"], states * params["pixels"] ** 2)


def _siamese(step: Step) -> Work:
    pictures = step.inputs["pictures"]
    seen = _frames(pictures.inputs["snapshots"]) * pictures.params["pixels"] ** 2
    seen *= step.params.get("epochs", 1)
    side = pictures.params["pixels"]
    if wants_gpu(step):
        return Work(f"{step.module} gpu", seen, side**2, gpus=1)
    return Work(step.module, seen, side**2)


def _uncertainty(step: Step) -> Work:
    samples = step.params["uncertainty"]["samples"]
    return Work(step.module, samples, samples)


def _evaluation(step: Step) -> Work:
    return Work(f"{step.module} {step.run.partition('-')[0]}", len(step.inputs), len(step.inputs))


def _comparison(step: Step) -> Work:
    return Work(step.module, len(step.inputs), len(step.inputs))


def _prepared(step: Step) -> Work:
    return Work(f"{step.module} {step.run}")


def _cifar(step: Step) -> Work:
    images = step.params["train_images"] + step.params["test_images"]
    return Work(step.module, images, images, bytes=3072.0 * images)


def _news(step: Step) -> Work:
    params = step.params
    texts = params.get("documents") or params["train_texts"] + params["test_texts"]
    return Work(step.module, texts, texts, bytes=4.0 * texts * params["maximum_length"])


def _fetch(step: Step) -> Work:
    return Work(step.module)  # network's pace; the registry knows the bytes


_KNOWN: Mapping[str, Callable[[Step], Work]] = {
    "zenn.landscape.steps.fit": _fit,
    "zenn.landscape.steps.benchmark_evaluation": _comparison,
    "zenn.landscape.steps.three_wells_evaluation": _comparison,
    "zenn.landscape.steps.fe3pt_evaluation": _comparison,
    "zenn.materials.steps.uncertainty": _uncertainty,
    "zenn.classification.steps.train": _training,
    "zenn.classification.steps.evaluate": _evaluation,
    "zenn.classification.steps.prepare_digits": _prepared,
    "zenn.classification.steps.prepare_corpus": _prepared,
    "zenn.classification.steps.prepare_cifar": _cifar,
    "zenn.classification.steps.prepare_news": _news,
    "zenn.laws.steps.simulate": _simulation,
    "zenn.laws.steps.render": _pictures,
    "zenn.laws.steps.recombine": _recombination,
    "zenn.laws.steps.train": _siamese,
    "zenn.laws.steps.axioms": _siamese,
    FETCH: _fetch,
}
