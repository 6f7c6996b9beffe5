"""Perceptrons: the smallest encoder, of images as they are and of texts as bags of words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from zenn.classification.encoders._texts import last_positions


class ImagePerceptron(nn.Module):
    """A perceptron on all pixels of an image.

    inputs : channels * height * width; hidden : neurons of each hidden layer (GELU); outputs : classes.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, dropout: float) -> None:
        super().__init__()
        self.inputs = inputs
        self.layers = _layers((inputs, *hidden, outputs), dropout)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, classes) of `pixels` (B, C, H, W)."""
        values: Tensor = self.layers(batch["pixels"].flatten(1))
        return values


class TextPerceptron(nn.Module):
    """A perceptron on the mean of a text's word vectors, which has as many components as `hidden` first has.

    vocabulary : number of tokens; hidden : neurons of each hidden layer (GELU); outputs : classes.
    """

    def __init__(self, vocabulary: int, hidden: Sequence[int], outputs: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden[0])
        self.layers = _layers((hidden[0], *hidden[1:], outputs), dropout)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, classes) of `input_ids` and `attention_mask` (B, L)."""
        lengths = 1 + last_positions(batch["attention_mask"])
        vectors = self.embedding(batch["input_ids"]) * batch["attention_mask"][..., None]
        mean = vectors.sum(1) / lengths[:, None]
        values: Tensor = self.layers(mean)
        return values


def _layers(sizes: Sequence[int], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.GELU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers[:-2])
