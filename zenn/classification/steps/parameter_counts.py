"""Count what ZENN and cross-entropy learn in the published models (Tables S9-S11).

ZENN has two encoders, for E and S, and N_T - 1 temperatures beside T_1 = 1; cross-entropy has one encoder.
Parameters: `temperatures` (N_T); `fine_tune`, the adapter (method `lora`) of the language models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from zenn.classification.encoders import read_fine_tune
from zenn.classification.encoders.counts import trainable_parameters
from zenn.classification.encoders.lora import Lora
from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.given import Given

IMAGES = ("vit_base_patch32_224", "vit_large_patch16_224", "vit_large_patch32_224")
TEXTS = ("SmolLM2-135M", "SmolLM2-360M")


class Case(NamedTuple):
    """A table of the paper for one number of classes: its models, and how each method fine-tunes them."""

    table: str
    models: tuple[str, ...]
    classes: int
    zenn: Lora | None
    cross_entropy: Lora | None


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `parameters.csv`: table, model, method, classes, parameters, millions (one decimal)."""
    temperatures, lora = params.integer("temperatures"), read_fine_tune(params)
    if temperatures < 1:
        raise InputError("parameters", "temperatures", temperatures, "1 or more")
    if lora is None:
        raise InputError("parameters", "fine_tune.method", "'all'", "lora, which Tables S10 and S11 compare")
    rows = list(count(temperatures, lora))
    columns = ("table", "model", "method", "classes", "parameters", "millions")
    write_columns(
        out / "parameters.csv",
        {name: [row[i] for row in rows] for i, name in enumerate(columns)},
    )


def cases(lora: Lora) -> tuple[Case, ...]:
    """Tables S9 (printed for CIFAR-10; CIFAR-100 beside it), S10 (BBC News) and S11 (AG News)."""
    return (
        Case("S9", IMAGES, 10, None, None),
        Case("S9", IMAGES, 100, None, None),
        Case("S10", TEXTS, 5, lora, lora),
        Case("S11", TEXTS, 4, lora, None),
    )


def count(temperatures: int, lora: Lora) -> Iterator[tuple[str, str, str, int, int, float]]:
    """A row for every table, number of classes, model and method."""
    for case in cases(lora):
        for model in case.models:
            zenn = 2 * trainable_parameters(model, case.classes, case.zenn) + temperatures - 1
            plain = trainable_parameters(model, case.classes, case.cross_entropy)
            for method, number in (("ZENN", zenn), ("CE", plain)):
                yield case.table, model, method, case.classes, number, round(number / 1e6, 1)
