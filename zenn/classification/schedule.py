"""The learning rate as a function of the step alone: a training that goes on needs nothing to be restored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up over `warm_up` of `steps` updates, then a half cosine to 0 or a constant rate."""

    steps: int
    warm_up: int
    shape: Literal["cosine", "constant"]

    def factor(self, step: int) -> float:
        """The share of the full learning rate at update `step` = 0, 1, ...; the first is not 0.

        >>> [Schedule(6, 2, "cosine").factor(step) for step in (0, 1, 2, 4)]
        [0.5, 1.0, 1.0, 0.5]
        """
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        if self.shape == "constant":
            return 1.0
        done = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return round(0.5 * (1 + math.cos(math.pi * min(done, 1.0))), 15)
