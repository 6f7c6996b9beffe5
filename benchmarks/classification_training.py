"""How fast the published encoders train: cross-zentropy with two beside cross-entropy with one, and both
beside the same step written plainly.

`python -m benchmarks.classification_training` on a machine with a GPU writes
`benchmarks/results/classification_training.md` and `.json`; `--models scaled-vit scaled-language` tries it
out anywhere. Data are random, of the published shapes: what is measured is time, and nothing is learned.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.report import machine, measured_on, write
from benchmarks.straightforward_cross_zentropy import loss_of_a_batch
from zenn.classification.batches import Samples
from zenn.classification.data import DataSet, Split
from zenn.classification.devices import Devices
from zenn.classification.encoders import Shape, build_encoder
from zenn.classification.model import build_model
from zenn.classification.network import ZentropyNetwork
from zenn.classification.settings import TrainingSettings
from zenn.classification.training import train
from zenn.given import Given

WINDOW = 50
"""Batches between two looks at the losses in our training: the first of them are the warm-up."""

PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}
"""Dense bfloat16 operations per second, from the makers' data sheets."""

TOKENS = 256
"""Of a text, as in `params.yaml` for BBC News."""


@dataclass(frozen=True)
class Case:
    """An encoder, the samples of a batch, and what the data look like."""

    encoder: dict[str, Any]
    kind: str
    batch: int
    classes: int
    vocabulary: int = 0


def _vit(name: str, batch: int) -> Case:
    encoder = {"kind": "vit", "model": name, "weights": "random", "drop_path": 0.1, "dropout": 0.0}
    return Case(encoder, "images", batch, 10)


def _language(name: str, batch: int) -> Case:
    encoder = {"kind": "language", "model": name, "weights": "random", "fine_tune": {"method": "all"}}
    return Case(encoder, "texts", batch, 5, 49152)


_SIZES = {"width": 32, "depth": 2, "heads": 4}
CASES = {
    "vit_base_patch32_224": _vit("vit_base_patch32_224", 256),
    "vit_large_patch32_224": _vit("vit_large_patch32_224", 256),
    "vit_large_patch16_224": _vit("vit_large_patch16_224", 64),
    "SmolLM2-135M": _language("SmolLM2-135M", 32),
    "SmolLM2-360M": _language("SmolLM2-360M", 16),
    "scaled-vit": Case(
        {"kind": "vit", "model": "scaled", "patch": 8, **_SIZES, "drop_path": 0.0, "dropout": 0.0},
        "images",
        8,
        10,
    ),
    "scaled-language": Case(
        {
            "kind": "language",
            "model": "scaled",
            **_SIZES,
            "key_value_heads": 2,
            "intermediate": 64,
            "fine_tune": {"method": "all"},
        },
        "texts",
        8,
        5,
        100,
    ),
}

CROSS_ENTROPY = TrainingSettings(
    epochs=1, batch_size=1, learning_rate=1e-5, weight_decay=0.05, clipping=1.0, precision="bfloat16"
)
JOINT = replace(
    CROSS_ENTROPY, loss="cross_zentropy", backbones=2, initial_temperatures=(1.0, 5.0), mode="joint"
)
ALTERNATING = replace(JOINT, mode="alternating")
OURS = {
    "cross-entropy, one encoder": CROSS_ENTROPY,
    "cross-zentropy, two encoders": JOINT,
    "cross-zentropy, two encoders, Algorithm 1": ALTERNATING,
}


def random_data(case: Case, samples: int) -> DataSet:
    """A data set of the case's shape; validation and test have one batch of two, for form's sake."""
    generator = np.random.default_rng(0)

    def split(number: int) -> Split:
        labels = generator.integers(case.classes, size=number)
        if case.kind == "images":
            return Split(
                {"pixels": generator.integers(256, size=(number, 32, 32, 3), dtype=np.uint8)}, labels
            )
        ids = generator.integers(1, case.vocabulary, (number, TOKENS)).astype(np.int32)
        return Split({"input_ids": ids, "lengths": np.full(number, TOKENS, np.int32)}, labels)

    half = (0.5,) * 3 if case.kind == "images" else ()
    return DataSet(
        name="random",
        kind="images" if case.kind == "images" else "texts",
        classes=tuple(map(str, range(case.classes))),
        train=split(samples),
        validation=split(2),
        test=split(2),
        mean=half,
        std=half,
        vocabulary=case.vocabulary,
        padding=0,
        sources=(),
        report={},
    )


def network(case: Case, settings: TrainingSettings, shape: Shape, device: torch.device) -> ZentropyNetwork:
    """With random weights."""
    return build_model(
        lambda: build_encoder(Given(case.encoder, "benchmark", "encoder"), shape), settings, 0, device
    )


def ours(case: Case, settings: TrainingSettings, updates: int) -> float:
    """Samples per second of our training, after its first window."""
    data, devices = random_data(case, case.batch * (WINDOW + updates)), Devices(settings.precision)
    model = network(case, settings, Shape.of(data), devices.device)
    seen: list[tuple[int, float]] = []
    train(
        model,
        data,
        replace(settings, batch_size=case.batch),
        0,
        devices,
        watch=lambda now: seen.append((now.step, time.perf_counter())),
    )
    (first, began), (last, ended) = seen[0], seen[-1]
    return (last - first) * case.batch / (ended - began)


def plain(case: Case, settings: TrainingSettings, updates: int) -> float:
    """Samples per second of the same updates in float32 with torch's own optimiser, one loss at a time."""
    data, devices = random_data(case, case.batch * (updates + 2)), Devices()
    model = network(case, settings, Shape.of(data), devices.device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.05)
    samples = Samples(data.train, data, devices.device)
    began = 0.0
    for number in range(updates + 2):
        if number == 2:
            began = _now(devices.device)
        inputs, labels = samples.take(torch.arange(number * case.batch, (number + 1) * case.batch))
        optimiser.zero_grad()
        loss_of_a_batch(*model(inputs), labels, model.temperatures.values).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return updates * case.batch / (_now(devices.device) - began)


def operations(case: Case) -> float:
    """Floating-point operations of one sample's forward and backward pass through one encoder."""
    data = random_data(case, 2)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = network(case, CROSS_ENTROPY, Shape.of(data), device)
    inputs, _ = Samples(data.train, data, device).take(torch.arange(2))
    counter = FlopCounterMode(display=False)
    with counter:
        energies: Tensor = model(inputs)[0]
        energies.sum().backward()
    return counter.get_total_flops() / 2


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def measure(name: str, updates: int, plain_updates: int) -> dict[str, Any]:
    """All that is measured of one encoder; samples per second."""
    case = CASES[name]
    speeds = {how: _freed(lambda of=of: ours(case, of, updates)) for how, of in OURS.items()}
    plainly = {
        how: _freed(lambda of=of: plain(case, of, plain_updates)) for how, of in list(OURS.items())[:2]
    }
    reference, two = speeds["cross-entropy, one encoder"], speeds["cross-zentropy, two encoders"]
    needed = operations(case)
    peak = next((value for key, value in PEAKS.items() if key in _device()), None)
    return {
        "encoder": name,
        "batch": case.batch,
        "samples_per_s": speeds,
        "plain_samples_per_s": plainly,
        "cost_of_two_encoders": reference / two,
        "cost_of_algorithm_1": reference / speeds["cross-zentropy, two encoders, Algorithm 1"],
        "times_plain": two / plainly["cross-zentropy, two encoders"],
        "operations_per_sample": needed,
        "operations_per_s": {how: speeds[how] * needed * of.backbones for how, of in list(OURS.items())[:2]},
        "utilisation": None if peak is None else {
            how: speeds[how] * needed * of.backbones / peak for how, of in list(OURS.items())[:2]
        },
    }  # fmt: skip


def _freed(measured: Callable[[], float]) -> float:
    found = measured()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return found


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """The page."""
    yield "# Training throughput of the published encoders"
    yield ""
    yield "Samples per second of whole updates (forward, backward, clipping, AdamW), random data, after a"
    yield f"warm-up of {WINDOW} batches. Plain: the same update in float32, the loss one temperature at a"
    yield "time, torch's own AdamW. Cost: how many times as long as cross-entropy with one encoder takes."
    yield "Utilisation: operations of the encoders' products per second over the device's bfloat16 peak."
    yield ""
    yield (
        "| encoder | batch | CE, 1 encoder | CZ, 2 encoders | cost | Algorithm 1, cost | plain CZ "
        "| ours / plain | utilisation CE, CZ |"
    )
    table = (
        "| {encoder} | {batch} | {ce:.4g} | {cz:.4g} | {cost_of_two_encoders:.3g} "
        "| {cost_of_algorithm_1:.3g} | {plain:.4g} | {times_plain:.3g} | {share} |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in found:
        shares = row["utilisation"]
        yield table.format(
            ce=row["samples_per_s"]["cross-entropy, one encoder"],
            cz=row["samples_per_s"]["cross-zentropy, two encoders"],
            plain=row["plain_samples_per_s"]["cross-zentropy, two encoders"],
            share="peak unknown" if shares is None else ", ".join(f"{x:.1%}" for x in shares.values()),
            **{key: row[key] for key in ("encoder", "batch", "cost_of_two_encoders")},
            **{key: row[key] for key in ("cost_of_algorithm_1", "times_plain")},
        )


def main() -> None:
    """Measure the encoders asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=CASES, default=[*CASES][:5])
    parser.add_argument("--updates", type=int, default=2 * WINDOW, help="that are timed")
    parser.add_argument("--plain-updates", type=int, default=20, help="of the plain step")
    parser.add_argument("--name", default="classification_training", help="of the files written")
    chosen = parser.parse_args()
    found = []
    for name in chosen.models:
        found.append(measure(name, chosen.updates, chosen.plain_updates))
        print(found[-1], flush=True)
    facts = {"device": _device(), **machine("torch", "timm", "transformers")}
    text = "\n".join([*lines(found), *measured_on(facts), ""])
    write(chosen.name, text, {"machine": facts, "rows": found})


if __name__ == "__main__":
    main()
