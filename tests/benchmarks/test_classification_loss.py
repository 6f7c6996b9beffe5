"""What the benchmark of the loss compares with computes the same, or says that it does not."""

import pytest
import torch

from benchmarks.classification_loss import (
    TEMPERATURES,
    WEIGHTED,
    batch,
    gradients,
    of_torch,
    one_by_one,
    with_entropy,
    without_entropy,
)


@pytest.mark.parametrize("soft", [False, True])
def test_the_loop_over_temperatures_is_the_loss(soft):
    E, S, target = (one.double() if one.is_floating_point() else one for one in batch())
    target = torch.softmax(E.flip(0), 1) if soft else target
    inputs = (E, S, torch.tensor(TEMPERATURES, dtype=torch.float64))
    torch.testing.assert_close(with_entropy(*inputs, target), one_by_one(*inputs, target))
    ours, theirs = (
        gradients(lambda *of, loss=loss: loss(*of, target), inputs) for loss in (with_entropy, one_by_one)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("options", [{}, WEIGHTED])
def test_cross_entropy_is_the_limit(options):
    E, _, target = batch()
    torch.testing.assert_close(without_entropy(E, target, **options), of_torch(E, target, **options))
