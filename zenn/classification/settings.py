"""What a training is told: rates, loss, temperatures, and what goes together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zenn.classification.batches import Augmentation
from zenn.errors import InputError


@dataclass(frozen=True)
class TrainingSettings:
    """How a classifier is trained; it ends after `epochs`, whatever the losses are.

    Attributes
    ----------
    batch_size : samples of one forward pass, over all processes; accumulation : passes of one update.
    learning_rate : of the encoders, by AdamW, with weight_decay on all but biases and norms; it rises
        linearly over warm_up_epochs and then follows `schedule`. temperature_learning_rate and
        prior_learning_rate are constant.
    clipping : largest norm of the encoders' gradient; ema : decay of the moving average that then predicts;
        0 = off.
    loss : "generalised_cross_entropy" is (1 - p^q) / q with q = 0.7. omega, gamma, boltzmann_constant and
        detach_weights : of the cross-zentropy.
    cross_entropy_warm_up : share of the updates in which only T_1 counts; without S that is cross-entropy.
    backbones : 1 for E alone (S = 0), 2 for E and S; entropy : whether S passes through softplus.
    initial_temperatures : T_1, which stays, and the others.
    evaluate_every : epochs between two rows of the history; the last epoch always has one.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    accumulation: int = 1
    temperature_learning_rate: float = 1e-3
    prior_learning_rate: float = 1e-3
    weight_decay: float = 0.0
    warm_up_epochs: float = 0.0
    schedule: Literal["cosine", "constant"] = "cosine"
    clipping: float = 0.0
    ema: float = 0.0
    label_smoothing: float = 0.0
    loss: Literal["cross_entropy", "cross_zentropy", "generalised_cross_entropy"] = "cross_entropy"
    omega: float = 5.0
    gamma: float = 100.0
    boltzmann_constant: float = 1.0
    detach_weights: bool = True
    mode: Literal["joint", "alternating"] = "joint"
    cross_entropy_warm_up: float = 0.0
    prior: Literal["uniform", "learned"] = "uniform"
    backbones: int = 1
    entropy: Literal["positive", "free"] = "positive"
    initial_temperatures: tuple[float, ...] = (1.0,)
    augmentation: Augmentation = field(default_factory=Augmentation)
    precision: str = "float32"
    evaluate_every: int = 1

    def check(self, source: str = "training") -> None:
        """Raise InputError where a number is out of range, or settings contradict each other."""
        for name in ("epochs", "batch_size", "accumulation", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(source, name, getattr(self, name), "1 or more")
        for name in ("learning_rate", "boltzmann_constant", "gamma"):
            if not getattr(self, name) > 0:
                raise InputError(source, name, getattr(self, name), "more than 0")
        rates = ("temperature_learning_rate", "prior_learning_rate", "weight_decay", "warm_up_epochs")
        for name in (*rates, "clipping", "omega"):
            if not getattr(self, name) >= 0:
                raise InputError(source, name, getattr(self, name), "0 or more")
        for name in ("ema", "label_smoothing", "cross_entropy_warm_up"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(source, name, getattr(self, name), "0 or more, less than 1")
        if self.backbones not in (1, 2):
            raise InputError(source, "backbones", self.backbones, "1 (E alone) or 2 (E and S)")
        if self.loss != "cross_zentropy":
            wanted = {"backbones": 1, "initial_temperatures": (1.0,), "prior": "uniform", "mode": "joint"}
            for name, value in wanted.items():
                if getattr(self, name) != value:
                    expected = f"{value!r} with the loss {self.loss}"
                    raise InputError(source, name, repr(getattr(self, name)), expected)
        if self.loss == "generalised_cross_entropy" and self.label_smoothing:
            found = self.label_smoothing
            raise InputError(source, "label_smoothing", found, "0 with the loss generalised_cross_entropy")
