"""Encoders: networks that give every class a number, for images and for texts.

An encoder takes a batch, {"pixels": float32 (B, C, H, W), normalised} or {"input_ids", "attention_mask":
int64 (B, L), padded on the right}, and returns (B, classes).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from zenn.classification.encoders.mlp import ImagePerceptron, TextPerceptron
from zenn.errors import InputError
from zenn.given import Given

if TYPE_CHECKING:
    from zenn.classification.data import DataSet
    from zenn.classification.encoders.lora import Lora

KINDS = ("mlp", "vit", "language", "timm", "transformers")
SCALED = "scaled"
"""The name of a model of one's own sizes."""


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
    """The encoder that the parameters name; what is random in it comes from torch's own generator.

    given : `kind` and what belongs to it.
        mlp : hidden (a list of sizes), dropout; for images and texts.
        vit : model, drop_path, dropout; for images. With model `scaled` also patch, width, depth, heads; with
            one of `vit.PUBLISHED` also weights (`published` or `random`).
        language : model, fine_tune (method `all`, or `lora` with rank, alpha, dropout, target_modules); for
            texts. With model `scaled` also width, depth, heads, key_value_heads, intermediate; with one of
            `language.PUBLISHED` also weights (`published` or `random`).
        timm : model (timm's name), size (height and width that it sees), options (of timm.create_model, such
            as drop_path_rate), weights; for images of three channels.
        transformers : configuration (as in config.json), fine_tune as above, weights; for texts.
    pretrained : the published weights, where they are asked for: an .npz file for vit, a folder with
        model.safetensors for language, such a file or folder for timm and transformers.

    Raises
    ------
    InputError : parameters, data and weights do not go together.
    """
    kind = given.choice("kind", KINDS)
    if kind == "mlp":
        _refuse_weights(pretrained)
        return _perceptron(given, data)
    made = {"vit": _vit, "language": _language, "timm": _timm, "transformers": _transformers}
    return made[kind](given, data, pretrained)


def _perceptron(given: Given, data: Shape) -> nn.Module:
    hidden, dropout = given.integers("hidden"), _fraction(given, "dropout")
    if min(hidden) < 1:
        raise InputError("encoder", "hidden", list(hidden), "sizes of 1 or more")
    if data.kind == "images":
        return ImagePerceptron(data.channels * data.height * data.width, hidden, data.classes, dropout)
    return TextPerceptron(data.vocabulary, hidden, data.classes, dropout)


def _vit(given: Given, data: Shape, pretrained: Path | None) -> nn.Module:
    from zenn.classification.encoders.vit import PUBLISHED, ImageTransformer, ViTSizes, published_vit

    _require(data, "images")
    model = given.choice("model", (SCALED, *PUBLISHED))
    dropout, drop_path = _fraction(given, "dropout"), _fraction(given, "drop_path")
    if model != SCALED:
        weights = _asked_weights(given, pretrained)
        return published_vit(
            model, data.classes, weights, channels=data.channels, dropout=dropout, drop_path=drop_path
        )
    _refuse_weights(pretrained)
    names = ("patch", "width", "depth", "heads")
    sizes = ViTSizes(*(given.integer(name) for name in names))
    size = (data.height, data.width)
    return ImageTransformer(sizes, size, data.channels, data.classes, dropout=dropout, drop_path=drop_path)


def _language(given: Given, data: Shape, pretrained: Path | None) -> nn.Module:
    from zenn.classification.encoders.language import PUBLISHED, LlamaSizes, TextTransformer

    _require(data, "texts")
    model = given.choice("model", (SCALED, *PUBLISHED))
    lora = read_fine_tune(given)
    if model == SCALED:
        _refuse_weights(pretrained)
        names = ("width", "depth", "heads", "key_value_heads", "intermediate")
        numbers = {name: given.integer(name) for name in names}
        tokens = {"vocabulary": data.vocabulary, "padding": data.padding}
        sizes = LlamaSizes(**numbers, **tokens, maximum_length=data.maximum_length)
        return TextTransformer(sizes, data.classes, None, lora)
    sizes = PUBLISHED[model]
    if data.vocabulary > sizes.vocabulary or data.padding != sizes.padding:
        found = f"a vocabulary of {data.vocabulary} with padding {data.padding}"
        expected = f"{model}'s own tokens, {sizes.vocabulary} with padding {sizes.padding}"
        raise InputError("texts", "vocabulary", found, expected)
    if data.maximum_length > sizes.maximum_length:
        found = f"a text of {data.maximum_length} tokens"
        raise InputError("texts", "maximum_length", found, f"at most {sizes.maximum_length}")
    return TextTransformer(sizes, data.classes, _asked_weights(given, pretrained), lora)


def _timm(given: Given, data: Shape, pretrained: Path | None) -> nn.Module:
    from zenn.classification.encoders.timm_model import TimmClassifier

    _require(data, "images")
    name, size, options = given.text("model"), given.integers("size"), _mapping(given, "options")
    if len(size) != 2:
        raise InputError("encoder", "size", list(size), "a height and a width")
    if data.channels != 3:
        raise InputError("images", "channels", data.channels, f"3, which {name} was made for")
    return TimmClassifier(name, (size[0], size[1]), data.classes, options, _asked_weights(given, pretrained))


def _transformers(given: Given, data: Shape, pretrained: Path | None) -> nn.Module:
    from zenn.classification.encoders.transformers_model import TransformersClassifier

    _require(data, "texts")
    configuration, lora = _mapping(given, "configuration"), read_fine_tune(given)
    weights = _asked_weights(given, pretrained)
    made = TransformersClassifier(configuration, data.classes, data.padding, weights, lora)
    if data.vocabulary > made.vocabulary:
        expected = f"at most {made.vocabulary} tokens, which the model has"
        raise InputError("texts", "vocabulary", data.vocabulary, expected, "Give the model's own tokenizer")
    if made.longest is not None and data.maximum_length > made.longest:
        found = f"a text of {data.maximum_length} tokens"
        raise InputError("texts", "maximum_length", found, f"at most {made.longest}")
    return made


def _mapping(given: Given, name: str) -> dict[str, Any]:
    """A mapping of another library: all of it is handed on, whatever it holds."""
    inner = given.group(name)
    for key in inner.values:
        with suppress(InputError):
            inner.text(key)  # it counts as asked for, text or not
    return inner.values


def read_fine_tune(given: Given) -> Lora | None:
    """The adapter of the group `fine_tune`, or None for method `all`."""
    from zenn.classification.encoders.lora import Lora

    inner = given.group("fine_tune")
    if inner.choice("method", ("all", "lora")) == "all":
        return None
    targets = inner.texts("target_modules")
    return Lora(inner.integer("rank"), inner.number("alpha"), _fraction(inner, "dropout"), targets)


def _require(data: Shape, kind: str) -> None:
    if data.kind != kind:
        raise InputError("encoder", "kind", f"an encoder of {kind}", f"one of {data.kind}, as the data are")


def _fraction(given: Given, name: str) -> float:
    value = given.number(name)
    if not 0 <= value < 1:
        raise InputError("encoder", name, value, "a number from 0 to below 1")
    return value


def _asked_weights(given: Given, pretrained: Path | None) -> Path | None:
    """The weights of a published model; whoever wants random ones has to say so."""
    if given.choice("weights", ("published", "random")) == "random":
        _refuse_weights(pretrained)
        return None
    if pretrained is None:
        hint = "Give the published weights, or ask for random ones"
        raise InputError("encoder", "weights", "no file", "the file or folder of the weights", hint)
    return pretrained


def _refuse_weights(pretrained: Path | None) -> None:
    if pretrained is not None:
        raise InputError(pretrained, "", "weights", "none, for an encoder that begins with random ones")
