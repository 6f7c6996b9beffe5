"""Two encoders, temperatures, and a prior over them: what is trained, and depends on no way to predict."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from zenn.classification.temperatures import TemperaturePrior, TemperatureSet
from zenn.errors import InputError


class ZentropyNetwork(nn.Module):
    """Energies and entropies of K classes: see `zenn.classification.ZentropyClassifier`, which predicts."""

    def __init__(
        self,
        energy_encoder: nn.Module,
        entropy_encoder: nn.Module | None,
        temperatures: TemperatureSet,
        *,
        prior: Literal["uniform", "learned"] = "uniform",
        entropy: Literal["positive", "free"] = "positive",
        boltzmann_constant: float = 1.0,
        gamma: float = 100.0,
    ) -> None:
        super().__init__()
        if prior not in ("uniform", "learned"):
            raise InputError("argument prior", "", prior, "uniform or learned")
        if entropy not in ("positive", "free"):
            raise InputError("argument entropy", "", entropy, "positive or free")
        if entropy_encoder is energy_encoder:
            raise InputError(
                "argument entropy_encoder", "", "the energy encoder", "a network of its own or None"
            )
        self.energy_encoder, self.entropy_encoder = energy_encoder, entropy_encoder
        self.temperatures = temperatures
        self.prior = TemperaturePrior(len(temperatures)) if prior == "learned" else None
        self.entropy = entropy
        self.boltzmann_constant, self.gamma = boltzmann_constant, gamma

    def forward(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        """Energies and entropies, (B, K) each; None for S = 0."""
        energies: Tensor = self.energy_encoder(batch)
        if self.entropy_encoder is None:
            return energies, None
        entropies: Tensor = self.entropy_encoder(batch)
        return energies, nn.functional.softplus(entropies) if self.entropy == "positive" else entropies
