"""Learning rates against torch's schedulers, moving averages against torch's own."""

import pytest
import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from zenn.classification.ema import MovingAverage
from zenn.classification.schedule import Schedule


@pytest.mark.parametrize(("steps", "warm_up"), [(40, 8), (17, 3)])
def test_the_rates_are_those_of_torchs_schedulers(steps, warm_up):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    linear = lr_scheduler.LinearLR(optimiser, 1 / warm_up, total_iters=warm_up - 1)
    cosine = lr_scheduler.CosineAnnealingLR(optimiser, steps - warm_up)
    scheduler = lr_scheduler.SequentialLR(optimiser, [linear, cosine], [warm_up])
    schedule = Schedule(steps, warm_up, "cosine")
    for step in range(steps):
        assert schedule.factor(step) == pytest.approx(optimiser.param_groups[0]["lr"], abs=1e-12)
        optimiser.step()
        scheduler.step()


def test_a_constant_rate_and_no_warm_up():
    assert {Schedule(9, 0, "constant").factor(step) for step in range(9)} == {1.0}
    assert Schedule(9, 0, "cosine").factor(0) == 1.0
    assert Schedule(3, 3, "cosine").factor(2) == 1.0  # nothing left to fall in


def test_the_moving_average_is_torchs():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    reference = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    reference.update_parameters(model)  # its first call copies
    ours = MovingAverage(dict(model.named_parameters()), 0.9)
    for _ in range(5):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        ours.update()
        reference.update_parameters(model)
    present = model.weight.detach().clone()
    with ours.in_place():
        torch.testing.assert_close(model.weight, reference.module.weight)
        torch.testing.assert_close(model.bias, reference.module.bias)
    torch.testing.assert_close(model.weight, present, rtol=0, atol=0)
    other = MovingAverage(dict(model.named_parameters()), 0.9)
    other.restore(ours.average)
    torch.testing.assert_close(other.average, ours.average, rtol=0, atol=0)
