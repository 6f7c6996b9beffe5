"""How many parameters an encoder learns: counted on the meta device, which has shapes and no numbers."""

from __future__ import annotations

import torch
from torch import nn

from zenn.classification.encoders.language import PUBLISHED as LANGUAGE_MODELS
from zenn.classification.encoders.language import TextTransformer
from zenn.classification.encoders.lora import Lora
from zenn.classification.encoders.vit import PUBLISHED as VISION_TRANSFORMERS
from zenn.classification.encoders.vit import published_vit
from zenn.errors import InputError, did_you_mean


def trainable_parameters(model: str, classes: int, lora: Lora | None = None) -> int:
    """Numbers that a published model with a head for `classes` learns: all, or an adapter's and the head's.

    Raises
    ------
    InputError : the model is unknown, or is a vision transformer and has no adapters.
    """
    if classes < 1:
        raise InputError("argument classes", "", classes, "1 or more")
    with torch.device("meta"):
        if model in VISION_TRANSFORMERS:
            if lora is not None:
                raise InputError("argument lora", "", lora, f"none, since all of {model} is fine-tuned")
            return count_trainable(published_vit(model, classes))
        if model in LANGUAGE_MODELS:
            return count_trainable(TextTransformer(LANGUAGE_MODELS[model], classes, None, lora))
    known = [*VISION_TRANSFORMERS, *LANGUAGE_MODELS]
    raise InputError("argument model", "", repr(model), f"one of {known}", did_you_mean(model, known))


def count_trainable(module: nn.Module) -> int:
    """Numbers that a module learns; one that is used twice (tied) counts once."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
