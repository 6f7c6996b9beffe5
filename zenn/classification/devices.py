"""Where a training runs: one process on a GPU or the CPU, or several processes that share each batch."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

PRECISIONS = ("float32", "bfloat16")


class Devices:
    """The device of this process, and the others that train with it.

    There are others where `torchrun` or `accelerate launch` started several (WORLD_SIZE > 1); accelerate then
    joins them. precision : bfloat16 is used on GPUs that compute with it, elsewhere float32.
    """

    def __init__(self, precision: str = "float32") -> None:
        self.processes = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = 0
        self._accelerator: Any = None
        if self.processes > 1:
            # it has types, but does not say so
            from accelerate import Accelerator  # type: ignore[import-untyped]

            self._accelerator = Accelerator(cpu=not torch.cuda.is_available())
            self.processes, self.rank = self._accelerator.num_processes, self._accelerator.process_index
            self.device: torch.device = self._accelerator.device
        else:
            self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        there = self.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        self._bfloat16 = precision == "bfloat16" and there

    @property
    def precision(self) -> str:
        """What encoders really compute with."""
        return "bfloat16" if self._bfloat16 else "float32"

    def autocast(self) -> AbstractContextManager[object]:
        """Inside, matrix products are in the precision asked for."""
        return torch.autocast(self.device.type, torch.bfloat16) if self._bfloat16 else nullcontext()

    def shared(self, module: nn.Module) -> nn.Module:
        """The module, its gradients averaged over the processes after each backward pass."""
        if self._accelerator is None:
            return module
        prepared: nn.Module = self._accelerator.prepare_model(module)
        return prepared

    def unsynchronised(self, module: nn.Module) -> AbstractContextManager[object]:
        """Inside, the gradients of a shared module stay with their process, to be added up."""
        if self._accelerator is None:
            return nullcontext()
        context: AbstractContextManager[object] = self._accelerator.no_sync(module)
        return context

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Average the gradients of parameters that lie outside a shared module; they are few."""
        if self._accelerator is not None:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad = self._accelerator.reduce(parameter.grad, "mean")

    def total(self, values: Tensor) -> Tensor:
        """The sum of a tensor over the processes."""
        if self._accelerator is None:
            return values
        summed: Tensor = self._accelerator.reduce(values, "sum")
        return summed

    def part(self, indices: Tensor) -> tuple[Tensor, float]:
        """This process's share of a batch and its weight: 0 where it only keeps the others company."""
        if self.processes == 1:
            return indices, 1.0
        share = indices[self.rank :: self.processes]
        return (share, 1.0) if len(share) else (indices[:1], 0.0)

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()
