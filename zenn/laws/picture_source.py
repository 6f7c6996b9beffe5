"""Pictures for a network: on its device or in memory where they fit, else read from the disk as needed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zenn.laws.training import Pictures

Integers = NDArray[np.int64]

IN_MEMORY = 2**32
"""Bytes of pictures that are read at once on a CPU."""

_BLOCK = 256  # pictures that are copied at a time
_GPU_PART = 0.6  # of the free memory of a GPU that pictures may take


class FromDisk:
    """Some pictures of a mapped file; `sources` (n, frames) say whence each frame is."""

    def __init__(
        self, pictures: NDArray[np.uint8], rows: Integers, sources: tuple[Integers, Integers] | None = None
    ) -> None:
        self._pictures, self._rows, self._sources = pictures, rows, sources

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, frames, pixels, pixels)."""
        return (len(self._rows), *self._pictures.shape[1:])

    def __getitem__(self, images: Integers, /) -> Tensor:
        rows = self._rows[images]
        if self._sources is None:
            return torch.from_numpy(np.asarray(self._pictures[rows]))
        which, frames = self._sources
        return torch.from_numpy(np.asarray(self._pictures[which[rows], frames[rows]]))


def nearest(source: FromDisk, device: str) -> Pictures | Tensor:
    """The pictures as a tensor on `device` if there is room; else as they are."""
    size = int(np.prod(source.shape))
    room = _GPU_PART * torch.cuda.mem_get_info()[0] if device == "cuda" else IN_MEMORY
    if size > room:
        return source
    held = torch.empty(source.shape, dtype=torch.uint8, device=device, memory_format=torch.channels_last)
    for start in range(0, source.shape[0], _BLOCK):
        some = np.arange(start, min(start + _BLOCK, source.shape[0]))
        held[start : start + len(some)] = source[some].to(device)
    return held
