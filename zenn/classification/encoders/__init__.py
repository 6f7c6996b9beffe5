"""Encoders: networks that give every class a number, for images and for texts.

An encoder takes a batch, {"pixels": float32 (B, C, H, W), normalised} or {"input_ids", "attention_mask":
int64 (B, L), padded on the right}, and returns (B, classes).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import nn

from zenn.classification.encoders.mlp import ImagePerceptron, TextPerceptron
from zenn.errors import InputError
from zenn.given import Given

if TYPE_CHECKING:
    from zenn.classification.data import DataSet

KINDS = ("mlp", "vit", "language")


@dataclass(frozen=True)
class Shape:
    """What an encoder has to know of its data: 0 where it does not apply.

    classes : number of classes; height, width, channels : of images; vocabulary : number of tokens; padding :
    the token that fills up texts; maximum_length : tokens of the longest text.
    """

    kind: Literal["images", "texts"]
    classes: int
    height: int = 0
    width: int = 0
    channels: int = 0
    vocabulary: int = 0
    padding: int = 0
    maximum_length: int = 0

    @classmethod
    def of(cls, data: DataSet) -> Shape:
        """The shape of a data set."""
        splits = (data.train, data.validation, data.test)
        if data.kind == "images":
            _, height, width, channels = data.train.inputs["pixels"].shape
            return cls("images", len(data.classes), height, width, channels)
        longest = max(split.inputs["input_ids"].shape[1] for split in splits)
        return cls(
            "texts",
            len(data.classes),
            vocabulary=data.vocabulary,
            padding=data.padding,
            maximum_length=longest,
        )


def build_encoder(given: Given, data: Shape, pretrained: Path | None = None) -> nn.Module:
    """The encoder that the parameters name, with random numbers from torch's own generator.

    given : `kind`, one of mlp, vit and language, and what belongs to it:
        mlp : hidden (sizes), dropout.
    pretrained : weights for models that have published ones.

    Raises
    ------
    InputError : parameters, data and weights do not go together.
    """
    kind = given.choice("kind", KINDS)
    if kind == "mlp":
        _refuse_weights(kind, pretrained)
        return _perceptron(given, data)
    raise NotImplementedError(kind)


def _perceptron(given: Given, data: Shape) -> nn.Module:
    hidden, dropout = given.integers("hidden"), given.number("dropout")
    if data.kind == "images":
        return ImagePerceptron(data.channels * data.height * data.width, hidden, data.classes, dropout)
    return TextPerceptron(data.vocabulary, hidden, data.classes, dropout)


def _refuse_weights(model: str, pretrained: Path | None) -> None:
    if pretrained is not None:
        raise InputError(pretrained, "", f"weights for {model}, which has no published ones", "none")
