"""The model that is trained, the loss of a batch, and what the model says of a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from zenn.classification.batches import Samples, in_order
from zenn.classification.devices import Devices
from zenn.classification.loss import cross_zentropy
from zenn.classification.network import ZentropyNetwork
from zenn.classification.settings import TrainingSettings
from zenn.classification.temperatures import TemperatureSet

Array = NDArray[np.float32]

Kind = TypeVar("Kind", bound=ZentropyNetwork)

_PREDICTED = 256  # samples of one forward pass without gradients
_TRUNCATION = 0.7  # q of the generalised cross-entropy (Zhang and Sabuncu, NeurIPS 2018)


@dataclass(frozen=True, eq=False)
class EncoderOutputs:
    """What the encoders say of N samples: energies (N, K), entropies (N, K) or None, in float32."""

    energies: Array
    entropies: Array | None


def build_model(
    build: Callable[[], nn.Module],
    settings: TrainingSettings,
    seed: int,
    device: torch.device,
    kind: type[Kind] = ZentropyNetwork,  # type: ignore[assignment]  # mypy knows no default of a type variable
) -> Kind:
    """A network with encoders from `build`, which draws from torch's own generator, seeded here.

    kind : what is made, e.g. a `ZentropyClassifier`, which also predicts.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoders = [build() for _ in range(settings.backbones)]
    return kind(
        encoders[0],
        encoders[1] if len(encoders) > 1 else None,
        TemperatureSet(settings.initial_temperatures),
        prior=settings.prior,
        entropy=settings.entropy,
        boltzmann_constant=settings.boltzmann_constant,
        gamma=settings.gamma,
    ).to(device)


def loss_of(
    energies: Tensor,
    entropies: Tensor | None,
    labels: Tensor,
    temperatures: Tensor,
    log_prior: Tensor | None,
    settings: TrainingSettings,
    *,
    warming_up: bool = False,
) -> Tensor:
    """The loss of a batch, summed over its samples.

    energies, entropies : (B, K); temperatures, log_prior : (N_T,), the latter None for Eq. (10) as printed.
    """
    energies = energies.float()
    entropies = None if entropies is None else entropies.float()
    k_B, gamma = settings.boltzmann_constant, settings.gamma
    if settings.loss == "cross_entropy":
        smoothing = settings.label_smoothing
        logits = energies * (-1 / k_B)
        return functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")
    if settings.loss == "generalised_cross_entropy":
        log_p = functional.log_softmax(energies * (-1 / k_B), dim=-1).gather(-1, labels[:, None])
        return -(torch.expm1(_TRUNCATION * log_p) / _TRUNCATION).sum()
    if warming_up:
        temperatures, log_prior = temperatures[:1], None
    return cross_zentropy(
        energies,
        entropies,
        labels,
        temperatures,
        boltzmann_constant=k_B,
        gamma=gamma,
        omega=settings.omega,
        log_prior=log_prior,
        detach_weights=settings.detach_weights,
        label_smoothing=settings.label_smoothing,
        reduction="sum",
    )


def outputs_of(model: ZentropyNetwork, samples: Samples, devices: Devices) -> EncoderOutputs:
    """What the encoders say of every sample of a split, without dropout."""
    energies, entropies = [], []
    model.eval()
    with torch.no_grad(), devices.autocast():
        for indices in in_order(len(samples), _PREDICTED):
            E, S = model(samples.take(indices)[0])
            energies.append(E.float())
            if S is not None:
                entropies.append(S.float())
    model.train()
    all_entropies = torch.cat(entropies).cpu().numpy() if entropies else None
    return EncoderOutputs(torch.cat(energies).cpu().numpy(), all_entropies)


def prior_of(model: ZentropyNetwork) -> Tensor:
    """The prior over temperatures, (N_T,)."""
    if model.prior is not None:
        return model.prior.log_probabilities.detach().exp()
    T = model.temperatures.values.detach()
    return torch.full_like(T, 1 / len(T))
