"""Batches of a split by index, with seeded order and augmentation, from arrays that stay on the device.

Everything random about an epoch follows from (seed, epoch) alone, so that a training that goes on in the
middle of an epoch meets the very batches it would have met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zenn.classification.data import DataSet, Split
from zenn.errors import InputError

Batch = dict[str, Tensor]

AUGMENTATIONS = ("horizontal_flip", "random_crop")
_FLOATS = 2**28  # numbers that are normalised once and kept as float32 (1 GiB); above, batch by batch


@dataclass(frozen=True)
class Augmentation:
    """What is done at random to training images.

    flip : mirror every second one, left to right.
    padding : black pixels put around an image, of which a part of the image's own size is then cut out.
    """

    flip: bool = False
    padding: int = 0


def seeded(seed: int, *which: int) -> torch.Generator:
    """A generator of its own for each list of numbers, e.g. (seed, epoch)."""
    (state,) = np.random.SeedSequence([seed, *which]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state) >> 1)


@dataclass(frozen=True, eq=False)
class Epoch:
    """What chance decides about one epoch over N samples: their order, flips (N,) and offsets (N, 2)."""

    order: Tensor
    flips: Tensor | None
    offsets: Tensor | None

    @classmethod
    def of(cls, samples: int, augmentation: Augmentation, seed: int, epoch: int) -> Epoch:
        """The epoch number `epoch` of a training with this seed."""
        generator = seeded(seed, epoch)
        order = torch.randperm(samples, generator=generator)
        flips = torch.rand(samples, generator=generator) < 0.5
        highest = 2 * augmentation.padding + 1
        offsets = torch.randint(highest, (samples, 2), generator=generator)
        return cls(order, flips if augmentation.flip else None, offsets if augmentation.padding else None)


class Samples:
    """The samples of one split on a device, taken in batches as an encoder wants them.

    augmentation : for training images; batches that are taken without an `Epoch` are not changed by it.
    """

    def __init__(
        self, split: Split, data: DataSet, device: torch.device, augmentation: Augmentation | None = None
    ) -> None:
        self.labels = torch.from_numpy(split.labels).to(device)
        self.padding = augmentation.padding if augmentation is not None else 0
        self._kind = data.kind
        self._device = device
        if data.kind == "texts":
            if augmentation not in (None, Augmentation()):
                raise InputError("parameters", "augmentation", augmentation, "none, for texts")
            self._ids = torch.from_numpy(split.inputs["input_ids"]).to(device)
            self._lengths = torch.from_numpy(split.inputs["lengths"]).to(device)
            self._longest = split.inputs["lengths"]  # beside the device: asking it would stop it
            self._positions = torch.arange(self._ids.shape[1], device=device)
            return
        pixels = torch.from_numpy(split.inputs["pixels"]).permute(0, 3, 1, 2).contiguous().to(device)
        mean, std = (torch.tensor(one, device=device).view(1, -1, 1, 1) for one in (data.mean, data.std))
        self._scale, self._shift = 1 / (255 * std), -mean / std
        self.height, self.width = pixels.shape[2:]
        p = self.padding
        self._pixels = torch.nn.functional.pad(pixels, (p, p, p, p)) if p else pixels
        if self._pixels.numel() <= _FLOATS:
            self._pixels = self._normalised(self._pixels)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor, epoch: Epoch | None = None) -> tuple[Batch, Tensor]:
        """Inputs and labels of the samples `indices` (B,), int64 on the CPU; augmented as `epoch` says."""
        there = indices.to(self._device, non_blocking=True)
        labels = self.labels[there]
        if self._kind == "texts":
            length = int(self._longest[indices.numpy()].max())
            ids = self._ids[there, :length].long()
            mask = (self._positions[:length] < self._lengths[there, None]).long()
            return {"input_ids": ids, "attention_mask": mask}, labels
        flips = None if epoch is None or epoch.flips is None else epoch.flips[indices]
        offsets = None if epoch is None or epoch.offsets is None else epoch.offsets[indices]
        pixels = self._cut(there, flips, offsets)
        if pixels.dtype == torch.uint8:
            pixels = self._normalised(pixels)
        return {"pixels": pixels}, labels

    def _cut(self, there: Tensor, flips: Tensor | None, offsets: Tensor | None) -> Tensor:
        """(B, C, H, W) out of the padded images."""
        if flips is None and offsets is None:
            p = self.padding
            images = self._pixels[there]
            return images[:, :, p : p + self.height, p : p + self.width] if p else images
        rows = torch.arange(self.height).expand(len(there), -1)
        columns = torch.arange(self.width).expand(len(there), -1)
        if flips is not None:
            columns = torch.where(flips[:, None], columns.flip(1), columns)
        if offsets is None:
            rows, columns = rows + self.padding, columns + self.padding
        else:
            rows, columns = rows + offsets[:, :1], columns + offsets[:, 1:]
        rows, columns = rows.to(self._device), columns.to(self._device)
        channels = torch.arange(self._pixels.shape[1], device=self._device)
        return self._pixels[
            there[:, None, None, None],
            channels[None, :, None, None],
            rows[:, None, :, None],
            columns[:, None, None, :],
        ]

    def _normalised(self, pixels: Tensor) -> Tensor:
        return torch.addcmul(self._shift, pixels.float(), self._scale)


def in_order(samples: int, size: int) -> Iterator[Tensor]:
    """The indices 0 ... samples - 1 in batches of `size`."""
    indices = torch.arange(samples)
    return (indices[start : start + size] for start in range(0, samples, size))


def augmentation_of(names: Sequence[str], padding: int, source: str = "parameters") -> Augmentation:
    """The augmentation of a list of names; `padding` is that of random_crop.

    Raises
    ------
    InputError : an unknown name, or a padding that does not go with the names.
    """
    for name in names:
        if name not in AUGMENTATIONS:
            raise InputError(source, "augmentation", repr(name), f"some of {list(AUGMENTATIONS)}")
    if padding < 0 or ("random_crop" in names) != (padding > 0):
        raise InputError(source, "crop_padding", padding, "1 or more with augmentation random_crop, else 0")
    return Augmentation("horizontal_flip" in names, padding)
