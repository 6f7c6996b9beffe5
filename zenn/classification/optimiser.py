"""AdamW (Loshchilov and Hutter, ICLR 2019) through torch's fused kernel, without torch.optim around it.

The update is that of torch.optim.AdamW. Its wrappers cost a small network as much time as its gradient, and
its first use imports torch's compiler, which takes longer than many of our trainings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class AdamW:
    """AdamW over groups of parameters, each with its `lr` and `weight_decay`.

    A group counts the updates in which it took part; parameters without a gradient are left as they are.
    """

    def __init__(self, groups: Sequence[Mapping[str, Any]]) -> None:
        self._groups = [_Group(group) for group in groups]

    @torch.no_grad()
    def step(self, factor: float = 1.0) -> None:
        """Update from the gradients, with `factor` times the learning rates, and clear them."""
        for group in self._groups:
            group.step(factor)

    def state(self, names: Mapping[Tensor, str]) -> dict[str, Tensor]:
        """All that changes, by the names of the parameters; tensors that are changed in place later on."""
        found = {}
        for group in self._groups:
            for i, parameter in enumerate(group.parameters):
                name = names[parameter]
                found[f"{name}/first"], found[f"{name}/second"] = group.first[i], group.second[i]
                found[f"{name}/updates"] = group.updates
        return found

    @torch.no_grad()
    def restore(self, names: Mapping[Tensor, str], state: Mapping[str, Tensor]) -> None:
        """Take what `state` gave of one like it."""
        for key, value in self.state(names).items():
            value.copy_(state[key])


class _Group:
    def __init__(self, group: Mapping[str, Any]) -> None:
        self.parameters: list[Tensor] = list(group["params"])
        self._rate, self._decay = float(group["lr"]), float(group["weight_decay"])
        self.first = [torch.zeros_like(one, memory_format=torch.preserve_format) for one in self.parameters]
        self.second = [torch.zeros_like(one, memory_format=torch.preserve_format) for one in self.parameters]
        self.updates = torch.zeros((), dtype=torch.float32, device=self.parameters[0].device)

    def step(self, factor: float) -> None:
        has = [i for i, one in enumerate(self.parameters) if one.grad is not None]
        if not has:
            return
        self.updates += 1
        torch._fused_adamw_(
            [self.parameters[i] for i in has],
            [self.parameters[i].grad for i in has],  # type: ignore[misc]  # has: none is None
            [self.first[i] for i in has],
            [self.second[i] for i in has],
            [],
            [self.updates] * len(has),
            lr=self._rate * factor,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self._decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )
        for i in has:
            self.parameters[i].grad = None
