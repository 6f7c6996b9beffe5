"""Fine-tuning of the published models as printed: Tables S3-S8."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from zenn.pipeline.params.base import (
    Accepts,
    Count,
    Real,
    Section,
    different,
    parameter,
)

Transform = Literal["RandomHorizontalFlip", "RandomCrop"]
Transforms = Annotated[
    tuple[Transform, ...],
    AfterValidator(different),
    Accepts("a list of different names among: RandomHorizontalFlip, RandomCrop"),
]
ModuleNames = Annotated[
    tuple[str, ...],
    Field(min_length=1),
    AfterValidator(different),
    Accepts("a list of at least one name, each once"),
]


class Training(Section):
    """What every fine-tuning needs."""

    epochs: Count = parameter("passes over the training set", unit="epochs", ge=1, le=100_000)
    batch_size: Count = parameter("samples per step of the optimizer", unit="samples", ge=1, le=1_000_000)
    learning_rate: Real = parameter("initial learning rate of the networks", unit="1", gt=0, lt=1)
    weight_decay: Real = parameter("decoupled weight decay of the networks", unit="1", ge=0, lt=1)
    optimizer: Literal["AdamW"] = parameter("optimizer")


class LearnedTemperatures(Section):
    """What learning the temperatures adds (Eq. 16); cross-entropy has none."""

    temperature_learning_rate: Real = parameter(
        "initial learning rate of the temperatures", unit="1", gt=0, lt=1
    )


class ImageTraining(Training):
    """Fine-tuning of a Vision Transformer."""

    resolution: Count = parameter("side of the square images the network sees", unit="pixels", ge=32, le=4096)
    augmentation: Transforms = parameter("random transforms of the training images")
    pretrained_weights: Literal["ImageNet-21k"] = parameter("what the initial weights were trained on")


class ImageZennTraining(LearnedTemperatures, ImageTraining):
    """Fine-tuning of two Vision Transformers, energy and entropy, with cross-zentropy."""


class LoraFineTune(Section):
    """Low-rank adapters are trained, the pretrained weights are not."""

    method: Literal["lora"] = parameter("low-rank adapters; the alternative is {method: all}")
    rank: Count = parameter("rank r of an adapter", unit="1", ge=1, le=4096)
    alpha: Real = parameter("alpha: an adapter's output is scaled by alpha / r", unit="1", gt=0)
    dropout: Real = parameter("probability of dropping an adapter's input", unit="1", ge=0, lt=1)
    target_modules: ModuleNames = parameter("modules of every layer that get an adapter")


class FullFineTune(Section):
    """Every parameter is trained."""

    method: Literal["all"] = parameter("all parameters; the alternative is {method: lora, ...}")


FineTune = Annotated[LoraFineTune | FullFineTune, Field(discriminator="method")]


class TextTraining(Training):
    """Fine-tuning of a language model."""

    maximum_length: Count = parameter("length to which texts are cut", unit="tokens", ge=1, le=1_000_000)
    fine_tune: FineTune = parameter("which parameters are trained")


class TextZennTraining(LearnedTemperatures, TextTraining):
    """Fine-tuning of two language models, energy and entropy, with cross-zentropy."""


class CifarTraining(Section):
    """CIFAR-10 and CIFAR-100 with ViT-B/32, ViT-L/32 and ViT-L/16."""

    zenn: ImageZennTraining = parameter("cross-zentropy", source="Table S3")
    cross_entropy: ImageTraining = parameter("cross-entropy", source="Table S4")


class BbcNewsTraining(Section):
    """BBC News with SmolLM2-135M and SmolLM2-360M."""

    zenn: TextZennTraining = parameter("cross-zentropy", source="Table S5")
    cross_entropy: TextTraining = parameter("cross-entropy", source="Table S6")


class AgNewsTraining(Section):
    """AG News with SmolLM2-135M and SmolLM2-360M."""

    zenn: TextZennTraining = parameter("cross-zentropy", source="Table S7")
    cross_entropy: TextTraining = parameter("cross-entropy", source="Table S8")


class TrainingByData(Section):
    """The printed settings, one pair per family of data sets."""

    cifar: CifarTraining = parameter("CIFAR-10 and CIFAR-100", source="Tables S3-S4")
    bbc_news: BbcNewsTraining = parameter("BBC News", source="Tables S5-S6")
    ag_news: AgNewsTraining = parameter("AG News", source="Tables S7-S8")
