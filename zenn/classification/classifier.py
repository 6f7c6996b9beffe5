"""A classifier with energies and entropies that predicts without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from zenn.classification import protocols
from zenn.classification.network import ZentropyNetwork
from zenn.classification.outputs import Outputs, marginal
from zenn.errors import InputError

Protocol = Literal["marginal", "map", "first"]

_PROTOCOLS: dict[str, Callable[[Outputs], Tensor]] = {
    "marginal": marginal,
    "first": protocols.first_temperature,
}


class ZentropyClassifier(ZentropyNetwork):
    """Energies and entropies of K classes from two networks, and temperatures that are learned with them.

    energy_encoder, entropy_encoder : networks from a batch to (B, K); without the second, S = 0.
    temperatures : those of the mixture. prior : over them. entropy : "positive" passes the encoder's output
    through softplus, as the authors' scripts do, "free" takes it as it is. boltzmann_constant, gamma : of
    Eq. (13).

    A prediction takes no label. In training the loss shares the temperatures and the prior, as below.

    >>> from zenn.classification.loss import CrossZentropyLoss
    >>> from zenn.classification.temperatures import TemperatureSet, parameter_groups
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(64, 2)
    >>> y = (x[:, 0] > x[:, 1]).long()
    >>> model = ZentropyClassifier(nn.Linear(2, 2), nn.Linear(2, 2), TemperatureSet([1.0, 5.0]))
    >>> loss = CrossZentropyLoss(model.temperatures, prior=model.prior, omega=5.0)
    >>> optimiser = torch.optim.AdamW(
    ...     parameter_groups(model, lr=0.1, weight_decay=0.01, temperature_lr=0.01))
    >>> for _ in range(40):
    ...     optimiser.zero_grad()
    ...     loss(*model(x), y).backward()
    ...     optimiser.step()
    >>> float((model.predict(x) == y).float().mean()) > 0.95
    True
    >>> model.predict_proba(x).shape, model.temperature_posterior(x).shape
    (torch.Size([64, 2]), torch.Size([64, 2]))
    """

    def predict_proba(
        self, batch: Any, protocol: Protocol = "marginal", *, omega: float = protocols.TRAINING_OMEGA
    ) -> Tensor:
        """p(k | x), (B, K), without a label; dropout is off.

        protocol : "marginal" over the prior, "map" at the temperature of the largest `temperature_posterior`
        (with `omega`), "first" at T_1.
        """
        if protocol not in ("marginal", "map", "first"):
            raise InputError("argument protocol", "", protocol, "marginal, map or first")
        outputs = self._outputs(batch)
        found: Tensor = (
            protocols.map_temperature(outputs, omega) if protocol == "map" else _PROTOCOLS[protocol](outputs)
        )
        return found.exp()

    def predict(self, batch: Any, protocol: Protocol = "marginal") -> Tensor:
        """The most likely class, (B,)."""
        return self.predict_proba(batch, protocol).argmax(dim=-1)

    def temperature_posterior(self, batch: Any, *, omega: float = protocols.TRAINING_OMEGA) -> Tensor:
        """q_i(x), (B, N_T), without a label: see `zenn.classification.protocols`."""
        found: Tensor = protocols.temperature_posterior(self._outputs(batch), omega)
        return found

    def _outputs(self, batch: Any) -> Outputs:
        with torch.no_grad(), _evaluating(self):
            energies, entropies = self(batch)
            dtype = torch.promote_types(energies.dtype, torch.float32)  # an encoder may answer in bf16
            prior = None if self.prior is None else self.prior.log_probabilities.to(dtype).exp()
            return Outputs(
                energies.to(dtype),
                None if entropies is None else entropies.to(dtype),
                self.temperatures.values.to(dtype),
                prior,
                self.boltzmann_constant,
                self.gamma,
            )


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Every part in evaluation mode, and afterwards as it was: a part may have been frozen on purpose."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
