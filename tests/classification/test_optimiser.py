"""Our AdamW against torch's plain one, and stopped and continued."""

import torch

from zenn.classification.optimiser import AdamW


def networks():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()


def groups(model):
    weights = [one for one in model.parameters() if one.ndim > 1]
    biases = [one for one in model.parameters() if one.ndim == 1]
    return [
        {"params": weights, "lr": 0.1, "weight_decay": 0.3},
        {"params": biases, "lr": 0.02, "weight_decay": 0.0},
    ]


def backward(model, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    model(x).square().sum().backward()


def test_it_is_torchs_adamw():
    ours, reference = networks(), networks()
    optimiser = AdamW(groups(ours))
    other = torch.optim.AdamW(groups(reference), foreach=False, fused=False)
    for step in range(20):
        factor = (1 + step) / 7
        for group, rate in zip(other.param_groups, (0.1, 0.02), strict=True):
            group["lr"] = rate * factor
        backward(ours, step)
        backward(reference, step)
        optimiser.step(factor)
        other.step()
        other.zero_grad()
        assert all(one.grad is None for one in ours.parameters())
    for one, expected in zip(ours.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(one, expected, rtol=1e-10, atol=1e-12)


def test_it_goes_on_as_if_it_had_not_stopped():
    whole, stopped = networks(), networks()
    first, optimiser = AdamW(groups(whole)), AdamW(groups(stopped))
    for step in range(9):
        backward(whole, step)
        first.step()
        backward(stopped, step)
        optimiser.step()
        if step == 4:
            names = {value: name for name, value in stopped.named_parameters()}
            kept = {key: value.clone() for key, value in optimiser.state(names).items()}
            optimiser = AdamW(groups(stopped))
            optimiser.restore(names, kept)
    for one, expected in zip(stopped.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, expected)


def test_what_has_no_gradient_stays():
    model = networks()
    before = [one.detach().clone() for one in model.parameters()]
    optimiser = AdamW(groups(model))
    optimiser.step()
    model[0].weight.grad = torch.ones_like(model[0].weight)
    optimiser.step()
    moved = [not torch.equal(one, old) for one, old in zip(model.parameters(), before, strict=True)]
    assert moved == [True, False, False, False]
    # a first step is as long as the learning rate, beside the decay
    expected = before[0] * (1 - 0.1 * 0.3) - 0.1
    torch.testing.assert_close(model[0].weight.detach(), expected)
