"""Exponential moving averages of parameters, which predict in place of the parameters themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


class MovingAverage:
    """average <- decay average + (1 - decay) parameters, after every update; starts at the parameters.

    It is the average of `parameters` by name, which are changed in place by whoever trains them.
    """

    def __init__(self, parameters: Mapping[str, Tensor], decay: float) -> None:
        self._parameters = dict(parameters)
        self._decay = decay
        self.average = {name: value.detach().clone() for name, value in parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the present parameters."""
        torch._foreach_lerp_([*self.average.values()], [*self._parameters.values()], 1 - self._decay)

    @torch.no_grad()
    def restore(self, average: Mapping[str, Tensor]) -> None:
        """Take an average that was kept."""
        for name, value in self.average.items():
            value.copy_(average[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the parameters are their average."""
        with torch.no_grad():
            kept = [value.detach().clone() for value in self._parameters.values()]
            torch._foreach_copy_([*self._parameters.values()], [*self.average.values()])
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_([*self._parameters.values()], kept)
