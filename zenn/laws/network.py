"""The network of Table I, its siamese pairing, and its training on all pairs of a process.

Two copies of one subnetwork give S~ of two microscopic images; sigmoid(S~(X_1) - S~(X_0)) is the probability
that X_1 is the later one (Sec. III B). As both copies share their parameters, one pass over the images of a
process serves all its pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from zenn.errors import InputError
from zenn.laws.processes import FRAMES

CHANNELS = (16, 32, 64, 64, 128)
DENSE = (128, 64)
DROPOUT = 0.25


class Row(NamedTuple):
    """A row of Table I, read from the module: layer, hyperparameter, activation, shape of its output."""

    layer: str
    hyperparameter: str
    activation: str
    output: tuple[int, ...]
    parameters: int


class Subnetwork(nn.Module):
    """S~ (B,) of images (B, frames, pixels, pixels) in 0...1: Table I.

    Raises
    ------
    InputError : `pixels` is no multiple of 32.
    """

    def __init__(self, pixels: int, frames: int = FRAMES) -> None:
        super().__init__()
        halvings = 2 ** len(CHANNELS)
        if pixels < halvings or pixels % halvings:
            raise InputError(
                "parameters", "pixels", pixels, f"a multiple of {halvings}, which convolutions halve"
            )
        self.pixels, self.frames = pixels, frames
        layers: list[nn.Module] = []
        for before, after in zip((frames, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(before, after, kernel_size=2, stride=2), nn.ReLU()]
        layers += [nn.Flatten(), nn.Dropout(DROPOUT)]
        width = CHANNELS[-1] * (pixels // halvings) ** 2
        for units in DENSE:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))
        self._flatten = 2 * len(CHANNELS)
        # half the time of a step on a CPU: the channels of a pixel side by side suit small filters
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types

    def forward(self, images: Tensor) -> Tensor:
        """The representation S~."""
        seen: Tensor = self.layers[: self._flatten](images.contiguous(memory_format=torch.channels_last))
        # S~ in the hundreds and differences of 1 decide: no 16-bit numbers here, whoever asks for them above
        with torch.autocast(images.device.type, enabled=False):
            found: Tensor = self.layers[self._flatten :](seen.float())
        return found.squeeze(-1)


def later(network: Subnetwork, first: Tensor, second: Tensor) -> Tensor:
    """Probability (B,) that each image of `second` is later than that of `first`."""
    return torch.sigmoid(network(second) - network(first))


def table(network: Subnetwork) -> list[Row]:
    """Table I as the module has it."""
    rows: list[Row] = []
    device = next(network.parameters()).device
    data = torch.zeros(1, network.frames, network.pixels, network.pixels, device=device)
    training = network.training
    network.eval()
    with torch.no_grad():
        for layer in network.layers:
            data = layer(data)
            size = sum(parameter.numel() for parameter in layer.parameters())
            shape = tuple(data.shape[1:])
            if isinstance(layer, nn.ReLU):
                rows[-1] = rows[-1]._replace(activation="ReLU")
            elif isinstance(layer, nn.Conv2d):
                side, stride = layer.kernel_size[0], layer.stride[0]
                said = f"Output channels: {layer.out_channels}; {side} x {side}; stride {stride}"
                rows.append(Row("Convolutional", said, "", shape, size))
            elif isinstance(layer, nn.Linear):
                rows.append(Row("Dense", f"Output units: {layer.out_features}", "Linear", shape, size))
            elif isinstance(layer, nn.Dropout):
                rows.append(Row("Dropout", f"Rate: {layer.p:g}", "-", shape, size))
            else:
                rows.append(Row(type(layer).__name__, "-", "-", shape, size))
    network.train(training)
    return rows


def pair_loss(representations: Tensor, sizes: Sequence[int]) -> Tensor:
    """Mean cross-entropy of all pairs i < j within each run of `sizes` images in order of time."""
    total = representations.new_zeros(())
    pairs = 0
    for part in torch.split(representations, list(sizes)):
        i, j = torch.triu_indices(len(part), len(part), 1, device=part.device)
        total = total + functional.softplus(part[i] - part[j]).sum()
        pairs += len(i)
    return total / max(pairs, 1)


def augmented(images: Tensor, symmetry: int, *, reversed_time: bool) -> Tensor:
    """Images (..., frames, pixels, pixels) turned by `symmetry` % 4 right angles, flipped from 4 on.

    reversed_time : the five frames in the other order. No axis of time between images is changed.
    """
    turned = torch.rot90(images, symmetry % 4, (-2, -1))
    if symmetry >= 4:
        turned = turned.flip(-1)
    return turned.flip(-3) if reversed_time else turned
