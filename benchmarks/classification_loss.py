"""How fast cross-zentropy is beside torch's cross-entropy, and what float32 costs it.

`python -m benchmarks.classification_loss` writes `benchmarks/results/classification_loss.md` and `.json`.
Forward and backward of one batch on one core; ours and theirs take turns in one process, and a ratio is the
median over these pairs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.report import Row, as_content, machine, page, write
from benchmarks.straightforward_cross_zentropy import GAMMA, OMEGA, loss_of_a_batch
from zenn.classification.loss import cross_zentropy

BATCH, CLASSES = 64, 100
TEMPERATURES = (1.0, 2.0, 3.0, 5.0, 8.0)
SCALE = 50.0  # of the logits at which float32 is looked at

WEIGHTED = {"weight": torch.linspace(0.5, 2.0, CLASSES), "label_smoothing": 0.1}
WARM_UP = 20

Loss = Callable[..., Tensor]


def batch(scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Energies and entropies, (B, K), and labels, (B,)."""
    random = torch.Generator().manual_seed(0)
    energies = scale * torch.randn(BATCH, CLASSES, generator=random)
    entropies = torch.randn(BATCH, CLASSES, generator=random).abs()
    return energies, entropies, torch.randint(CLASSES, (BATCH,), generator=random)


def with_entropy(E: Tensor, S: Tensor, T: Tensor, target: Tensor) -> Tensor:
    """Ours at all temperatures."""
    return cross_zentropy(E, S, target, T, omega=OMEGA, gamma=GAMMA)


def one_by_one(E: Tensor, S: Tensor, T: Tensor, target: Tensor) -> Tensor:
    """The same, Eq. (10) as it reads: one cross-entropy per temperature."""
    return loss_of_a_batch(E, S, target, T)


def without_entropy(E: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Ours where it is cross-entropy."""
    return cross_zentropy(E, None, target, **options)


def of_torch(E: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The same of torch."""
    return cross_entropy(-E, target, **options)


def gradients(loss: Loss, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Of the loss with respect to its inputs."""
    leaves = [one.detach().requires_grad_() for one in inputs]
    return torch.autograd.grad(loss(*leaves), leaves)


def compare(task: str, ours: tuple[str, Loss], theirs: tuple[str, Loss], inputs: int, pairs: int) -> Row:
    """A row. Both losses take the first `inputs` of E, S and T; for 0, ours takes all and theirs E alone."""
    E, S, _ = batch()
    given = (E, S, torch.tensor(TEMPERATURES))
    sides = ((ours[1], given[: inputs or 3]), (theirs[1], given[: inputs or 1]))
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(pairs + WARM_UP):
        for side, of in zip(sides, seconds, strict=True):
            started = time.perf_counter()
            gradients(*side)
            of.append(time.perf_counter() - started)
    mine, others = (of[WARM_UP:] for of in seconds)
    agreement = {}
    if inputs:
        both = zip(*(gradients(*side) for side in sides), strict=True)
        largest = max(float((one - two).abs().max()) for one, two in both)
        agreement["largest_difference_of_gradients"] = largest
    return Row(
        task,
        ours[0],
        theirs[0],
        median(mine),
        median(others),
        median(two / one for one, two in zip(mine, others, strict=True)),
        pairs,
        agreement,
    )


def precision() -> dict[str, float]:
    """Relative errors of the float32 gradients, logits scaled by `SCALE`, against float64."""
    E, S, y = batch(SCALE)
    inputs = (E, S, torch.tensor(TEMPERATURES))
    single, double = (
        gradients(partial(with_entropy, target=y), [one.to(dtype) for one in inputs])
        for dtype in (torch.float32, torch.float64)
    )
    return {
        f"relative_error_of_the_gradient_in_{name},_logits_scaled_by_{SCALE:g}": float(
            (one.double() - two).norm() / two.norm()
        )
        for name, one, two in zip(("E", "S", "T"), single, double, strict=True)
    }


def compare_all(pairs: int) -> list[Row]:
    """All rows."""
    _, _, y = batch()
    soft = torch.softmax(torch.randn(BATCH, CLASSES, generator=torch.Generator().manual_seed(1)), dim=1)
    rows = []
    for name, target, options in (
        ("labels", y, {}),
        ("labels, class weights, smoothing", y, WEIGHTED),
        ("soft targets", soft, {}),
    ):
        rows.append(
            compare(
                f"{name}; S = 0, one temperature",
                ("cross_zentropy", partial(without_entropy, target=target, **options)),
                ("torch's cross_entropy", partial(of_torch, target=target, **options)),
                1,
                pairs,
            )
        )
    for name, target in (("labels", y), ("soft targets", soft)):
        rows.append(
            compare(
                f"{name}; {len(TEMPERATURES)} temperatures",
                ("cross_zentropy", partial(with_entropy, target=target)),
                ("torch's cross_entropy at each temperature", partial(one_by_one, target=target)),
                3,
                pairs,
            )
        )
        rows.append(
            compare(
                f"{name}; {len(TEMPERATURES)} temperatures beside one cross-entropy",
                ("cross_zentropy", partial(with_entropy, target=target)),
                ("torch's cross_entropy: another loss, for the price", partial(of_torch, target=target)),
                0,
                pairs,
            )
        )
    rows[3].agreement.update(precision())
    return rows


def main() -> None:
    """Run all comparisons and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000, help="of losses and gradients in turn, per row")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = compare_all(chosen.pairs)
    facts = machine("torch")
    introduction = (
        f"Loss and gradient of a batch of {BATCH} samples, {CLASSES} classes, float32, one core. Medians of",
        "wall time; a ratio is the median over pairs run in turn: on a shared machine times vary, ratios",
        "less.",
    )
    write(
        "classification_loss",
        page("Cross-zentropy beside torch's cross-entropy", introduction, facts, rows),
        as_content(facts, rows),
    )


if __name__ == "__main__":
    main()
