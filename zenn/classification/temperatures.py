"""Temperatures that a classifier learns, the prior over them, and how an optimiser should treat both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from zenn.errors import InputError

_DISTINCT = 1e-6  # relative; closer ones are the same number in float32 after a logarithm


class TemperatureSet(nn.Module):
    """Temperatures T_1 ... T_N of a mixture: the first fixed, the others learned through their logarithms.

    initial : (N_T,), where each begins; T_1 = 1 sets the scale of the energies. Equal temperatures have equal
    gradients and never separate, and one that is learned often ends near where it began: `initial` stays with
    the state, so that it can be reported. fixed_first : False learns T_1 as well.

    Raises
    ------
    InputError : no temperature, one that is not positive, two that are equal.

    >>> TemperatureSet([1.0, 5.0]).values
    tensor([1., 5.], grad_fn=<CatBackward0>)
    """

    initial: Tensor
    log_learned: Tensor | None

    def __init__(self, initial: Sequence[float] = (1.0,), *, fixed_first: bool = True) -> None:
        super().__init__()
        values = [float(value) for value in initial]
        _check(values)
        self.register_buffer("initial", torch.tensor(values, dtype=torch.float32))
        self._fixed = 1 if fixed_first else 0
        learned = torch.tensor([math.log(value) for value in values[self._fixed :]], dtype=torch.float32)
        # an empty parameter would never have a gradient, of which data-parallel training complains
        self.register_parameter("log_learned", nn.Parameter(learned) if len(learned) else None)

    def __len__(self) -> int:
        return len(self.initial)

    @property
    def values(self) -> Tensor:
        """The temperatures, (N_T,)."""
        if self.log_learned is None:
            return self.initial
        return torch.cat([self.initial[: self._fixed], torch.exp(self.log_learned)])

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"initial={[round(float(value), 6) for value in self.initial]}"


class TemperaturePrior(nn.Module):
    """A prior pi over N_T temperatures, learned as a softmax of logits; uniform where it begins.

    >>> TemperaturePrior(2).log_probabilities.exp()
    tensor([0.5000, 0.5000], grad_fn=<ExpBackward0>)
    """

    def __init__(self, temperatures: int) -> None:
        super().__init__()
        if temperatures < 1:
            raise InputError("argument temperatures", "", temperatures, "1 or more")
        self.logits = nn.Parameter(torch.zeros(temperatures))

    @property
    def log_probabilities(self) -> Tensor:
        """ln pi, (N_T,)."""
        return torch.log_softmax(self.logits, dim=0)


def published_temperatures(number: int, seed: int) -> tuple[float, ...]:
    """T_1 = 1 and number - 1 drawn as 0.1 + 9.9 sigmoid(normal): what the authors' scripts begin with.

    >>> len(published_temperatures(3, seed=0))
    3
    """
    if number < 1:
        raise InputError("argument number", "", number, "1 temperature or more")
    random = torch.Generator().manual_seed(seed)
    drawn = 0.1 + 9.9 * torch.sigmoid(torch.randn(number - 1, generator=random, dtype=torch.float64))
    return (1.0, *drawn.tolist())


def parameter_groups(
    *modules: nn.Module,
    lr: float,
    weight_decay: float,
    temperature_lr: float,
    prior_lr: float | None = None,
    decay_vectors: bool = True,
) -> list[dict[str, Any]]:
    """Groups for an optimiser: temperatures and prior without weight decay, at learning rates of their own.

    modules : the model, and a loss or a temperature set if the model does not contain it; what several
    contain counts once, what needs no gradient not at all. prior_lr : that of the temperatures if None.
    decay_vectors : False spares biases and norms (parameters of one dimension or none) the decay as well.
    Each group has a `name`: weights, vectors, temperatures or prior; empty groups are left out.

    >>> groups = parameter_groups(nn.Linear(2, 2), TemperatureSet([1, 5]), lr=0.1, weight_decay=0.05,
    ...                           temperature_lr=0.01)
    >>> [(group["name"], group["lr"], group["weight_decay"]) for group in groups]
    [('weights', 0.1, 0.05), ('temperatures', 0.01, 0.0)]
    """
    found: dict[str, list[nn.Parameter]] = {"weights": [], "vectors": [], "temperatures": [], "prior": []}
    for kind, parameter in _kinds(modules):
        spared = kind == "weights" and not decay_vectors and parameter.ndim <= 1
        found["vectors" if spared else kind].append(parameter)
    rates = {
        "weights": (lr, weight_decay),
        "vectors": (lr, 0.0),
        "temperatures": (temperature_lr, 0.0),
        "prior": (temperature_lr if prior_lr is None else prior_lr, 0.0),
    }
    return [
        {"name": name, "params": parameters, "lr": rates[name][0], "weight_decay": rates[name][1]}
        for name, parameters in found.items()
        if parameters
    ]


def _kinds(modules: Sequence[nn.Module]) -> Iterator[tuple[str, nn.Parameter]]:
    """Each parameter to be learned, once, with the group it belongs to."""
    inside = [one for module in modules for one in module.modules()]
    kinds = {TemperatureSet: "temperatures", TemperaturePrior: "prior"}
    own = {
        id(parameter): name
        for one in inside
        for type_, name in kinds.items()
        if isinstance(one, type_)
        for parameter in one.parameters()
    }
    seen: set[int] = set()
    for module in modules:
        for parameter in module.parameters():
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                yield own.get(id(parameter), "weights"), parameter


def _check(values: list[float]) -> None:
    if not values:
        raise InputError("argument initial", "", "no temperature (N_T = 0)", "one or more")
    for number, value in enumerate(values, 1):
        if not 0 < value < math.inf:
            raise InputError("argument initial", f"T_{number}", value, "a positive temperature")
    ordered = sorted(values)
    for low, high in pairwise(ordered):
        if high - low <= _DISTINCT * high:
            hint = "Equal temperatures have equal gradients and never separate."
            raise InputError("argument initial", "", f"{low:g} twice", "temperatures that differ", hint)
