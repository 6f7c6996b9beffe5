"""How far cross-zentropy is from torch's cross-entropy where it has to be it: S = 0, N_T = 1, T = 1.

No inputs. Parameters: `classes`, numbers of classes; `samples`; `seed` of random logits, some above 30.
In double precision, for every reduction and each of the options of `torch.nn.functional.cross_entropy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zenn.classification.loss import cross_zentropy
from zenn.csv_table import write_columns
from zenn.given import Given

_IGNORED = -100
_COLUMNS = ("classes", "entropies", "options", "reduction", "loss_difference", "gradient_difference")
_SPREAD = 10.0  # of the logits


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `differences.csv`: classes, entropies (`none` or `zero`), options, reduction, and the largest
    difference of loss and gradient."""
    columns: dict[str, list[Any]] = {}
    samples, generator = params.integer("samples"), torch.Generator().manual_seed(params.integer("seed"))
    for K in params.integers("classes"):
        logits = _SPREAD * torch.randn(samples, K, generator=generator, dtype=torch.float64)
        for options, target, keywords in _cases(samples, K, generator):
            for reduction in ("none", "mean", "sum"):
                for entropies in ("none", "zero"):
                    found = _differences(logits, target, entropies, {**keywords, "reduction": reduction})
                    values = (K, entropies, options, reduction, *found)
                    for name, value in zip(_COLUMNS, values, strict=True):
                        columns.setdefault(name, []).append(value)
    write_columns(out / "differences.csv", columns)


def _cases(samples: int, K: int, generator: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, Any]]]:
    labels = torch.randint(K, (samples,), generator=generator)
    some = labels.masked_fill(torch.rand(samples, generator=generator) < 0.2, _IGNORED)
    soft = torch.softmax(torch.randn(samples, K, generator=generator, dtype=torch.float64), dim=1)
    weight = 0.5 + torch.rand(K, generator=generator, dtype=torch.float64)
    yield "labels", labels, {}
    yield "labels + weights", labels, {"weight": weight}
    yield "labels + smoothing", labels, {"label_smoothing": 0.1}
    yield "labels + ignored", some, {"ignore_index": _IGNORED}
    yield "labels + all options", some, {"weight": weight, "label_smoothing": 0.1, "ignore_index": _IGNORED}
    yield "probabilities", soft, {}
    yield "probabilities + weights + smoothing", soft, {"weight": weight, "label_smoothing": 0.1}


def _differences(
    logits: Tensor, target: Tensor, entropies: str, keywords: Mapping[str, Any]
) -> tuple[float, float]:
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    S = torch.zeros_like(logits) if entropies == "zero" else None
    loss = cross_zentropy(-ours, S, target, [1.0], **keywords)
    expected = cross_entropy(theirs, target, **keywords)
    (ours_slope,) = torch.autograd.grad(loss.sum(), ours)
    (theirs_slope,) = torch.autograd.grad(expected.sum(), theirs)
    largest = float((loss - expected).abs().max().detach()), float((ours_slope - theirs_slope).abs().max())
    return largest
