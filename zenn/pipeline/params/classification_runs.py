"""What is trained: presets, small data sets and models that need no download, the published ones."""

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
from zenn.pipeline.params.classification_tables import FineTune, ModuleNames

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Shares = Annotated[
    tuple[Share, ...], Field(min_length=1), Accepts("a list of at least one number >= 0 and <= 1")
]
Sizes = Annotated[
    tuple[Annotated[Count, Field(gt=0)], ...],
    Field(min_length=1),
    Accepts("a list of at least one integer > 0"),
]
Names = ModuleNames


def _with_two(counts: tuple[int, ...]) -> tuple[int, ...]:
    """The ledger, and every comparison with the recommended preset, is made at two temperatures."""
    if 2 not in counts:
        raise ValueError("2 among them")
    return counts


Counts = Annotated[
    tuple[Annotated[Count, Field(gt=0)], ...],
    Field(min_length=1),
    AfterValidator(different),
    AfterValidator(_with_two),
    Accepts("a list of integers > 0, each once, 2 among them"),
]
Seeds = Annotated[
    tuple[Annotated[Count, Field(ge=0)], ...],
    Field(min_length=1),
    AfterValidator(different),
    Accepts("a list of at least one integer >= 0, each once"),
]


class Preset(Section):
    """How a cross-zentropy is trained."""

    backbones: Count = parameter(
        "encoders: 1 for E alone (S = 0), 2 for E and S", unit="encoders", ge=1, le=2
    )
    mode: Literal["alternating", "joint"] = parameter(
        "encoders and temperatures by turns (Algorithm 1), or from one gradient"
    )
    prior: Literal["uniform", "learned"] = parameter("probabilities of the temperatures before a sample")
    omega: Real = parameter("omega of Eq. 11 in training", unit="1", ge=0, le=100)
    cross_entropy_warm_up: Real = parameter(
        "share of the updates in which only T_1 counts", unit="1", ge=0, lt=1
    )
    detach_weights: bool = parameter("whether the weights of Eq. 11 pass no gradient")
    temperature_learning_rate: Real = parameter("learning rate of the temperatures", unit="1", gt=0, lt=1)


class Presets(Section):
    """The printed way, and a simpler one made to be used without test labels."""

    paper: Preset = parameter("as Paper A describes it", source="Algorithm 1, Eqs. 10-16, Tables S3-S7")
    recommended: Preset = parameter("one encoder, two temperatures, a learned prior", source="choice")


class DigitSources(Section):
    """Where the images of the digits come from; one entry per source in every list."""

    names: Names = parameter("names of the sources")
    shares: Shares = parameter("share of the images", unit="1")
    contrast: Shares = parameter("contrast about mid-grey; 1 leaves it", unit="1")
    noise: Shares = parameter("standard deviation of the noise; black and white are 0 and 1", unit="1")
    label_noise: Shares = parameter("share of wrong labels", unit="1")
    noisy_splits: Names = parameter("splits in which labels are wrong")


class Digits(Section):
    """scikit-learn's digits as data of several sources: stands in for CIFAR where nothing is fetched."""

    sources: DigitSources = parameter("sources of the images")
    test_images: Count = parameter("images of the test", unit="images", ge=10, le=1500)
    validation_share: Real = parameter("share of the other images for validation", unit="1", gt=0, lt=1)
    imbalance: Real = parameter(
        "most frequent over rarest class in the training set of the imbalanced variant", unit="1", gt=1, le=50
    )
    seed: Count = parameter("seed of the data", unit="1", ge=0)


class CorpusSources(Section):
    """Where the texts of a made corpus come from; one entry per source in every list."""

    names: Names = parameter("names of the sources")
    shares: Shares = parameter("share of the texts", unit="1")
    kept: Shares = parameter("share of a text's words that is left", unit="1")
    replaced: Shares = parameter("share of the words that is replaced by any", unit="1")
    label_noise: Shares = parameter("share of wrong labels", unit="1")
    noisy_splits: Names = parameter("splits in which labels are wrong")


class Corpus(Section):
    """A made corpus of several sources: stands in for a news corpus where nothing is fetched."""

    sources: CorpusSources = parameter("sources of the texts")
    classes: Count = parameter("topics", unit="classes", ge=2, le=1000)
    topic_words: Count = parameter("words of each topic", unit="words", ge=1, le=10_000)
    shared_words: Count = parameter("words of all", unit="words", ge=1, le=10_000)
    topic_share: Share = parameter("probability of a word of the own topic", unit="1")
    confusion: Share = parameter("probability of a word of another topic", unit="1")
    words: Sizes = parameter("shortest and longest text", unit="words")
    train_texts: Count = parameter("texts for training", unit="texts", ge=10, le=1_000_000)
    validation_texts: Count = parameter("texts for validation", unit="texts", ge=10, le=1_000_000)
    test_texts: Count = parameter("texts of the test", unit="texts", ge=10, le=1_000_000)
    vocabulary: Count = parameter("tokens of the tokenizer", unit="tokens", ge=3, le=1_000_000)
    maximum_length: Count = parameter("tokens of a text at most", unit="tokens", ge=1, le=100_000)
    seed: Count = parameter("seed of the data", unit="1", ge=0)


class PerceptronNetwork(Section):
    """A plain network of the pixels, or of the mean of the tokens' vectors."""

    kind: Literal["mlp"] = parameter("plain layers")
    hidden: Sizes = parameter("neurons of the hidden layers", unit="neurons")
    dropout: Real = parameter("probability of dropping a neuron", unit="1", ge=0, lt=1)


class ScaledVit(Section):
    """A Vision Transformer of the published kind, scaled down."""

    kind: Literal["vit"] = parameter("Vision Transformer")
    model: Literal["scaled"] = parameter("sizes of one's own")
    patch: Count = parameter("side of a patch", unit="pixels", ge=1, le=64)
    width: Count = parameter("width of the layers", unit="1", ge=8, le=4096)
    depth: Count = parameter("layers", unit="layers", ge=1, le=100)
    heads: Count = parameter("heads of the attention", unit="heads", ge=1, le=64)
    drop_path: Real = parameter("probability of dropping a residual path", unit="1", ge=0, lt=1)
    dropout: Real = parameter("probability of dropping a neuron", unit="1", ge=0, lt=1)


class ScaledLanguage(Section):
    """A language model of the published kind, scaled down and not pretrained."""

    kind: Literal["language"] = parameter("language model")
    model: Literal["scaled"] = parameter("sizes of one's own")
    width: Count = parameter("width of the layers", unit="1", ge=8, le=8192)
    depth: Count = parameter("layers", unit="layers", ge=1, le=100)
    heads: Count = parameter("heads of the attention", unit="heads", ge=1, le=64)
    key_value_heads: Count = parameter("heads of keys and values", unit="heads", ge=1, le=64)
    intermediate: Count = parameter("width within a layer", unit="1", ge=8, le=32768)
    fine_tune: FineTune = parameter("which parameters are trained")


Network = Annotated[PerceptronNetwork | ScaledVit | ScaledLanguage, Field(discriminator="kind")]


class SmallModel(Section):
    """A network for the small data sets, and how it is trained."""

    network: Network = parameter("the network, once for E and, where there is one, once for S")
    epochs: Count = parameter("passes over the training set", unit="epochs", ge=1, le=100_000)
    batch_size: Count = parameter("samples per step of the optimizer", unit="samples", ge=1, le=1_000_000)
    learning_rate: Real = parameter("largest learning rate of the networks", unit="1", gt=0, lt=1)
    weight_decay: Real = parameter("decoupled weight decay of the networks", unit="1", ge=0, lt=1)
    warm_up_epochs: Real = parameter("epochs in which the learning rate rises", unit="epochs", ge=0, le=1000)
    clipping: Real = parameter("largest norm of the gradient; 0 for any", unit="1", ge=0)
    evaluate_every: Count = parameter("epochs between two evaluations", unit="epochs", ge=1)


class StandIns(Section):
    """Data sets and models that need neither download nor GPU; they are trained at every scale."""

    digits: Digits = parameter("images; beside CIFAR")
    corpora: dict[str, Corpus] = parameter("texts; beside BBC News and AG News")
    image_models: dict[str, SmallModel] = parameter(
        "models of the digits; the first is trained on every variant"
    )
    text_models: dict[str, SmallModel] = parameter("models of the corpora")


class Published(Section):
    """The data sets and models of the paper: fetched, and trained on a GPU."""

    train: bool = parameter("whether they are trained at this scale")
    image_models: Names = parameter("Vision Transformers", source="Table S9")
    text_models: Names = parameter("language models", source="Table S10")
    validation_share: Real = parameter("share of the training samples for validation", unit="1", gt=0, lt=1)
    warm_up_epochs: Real = parameter("epochs in which the learning rate rises", unit="epochs", ge=0, le=1000)
    clipping: Real = parameter("largest norm of the gradient; 0 for any", unit="1", ge=0)
    drop_path: Real = parameter("probability of dropping a residual path of a ViT", unit="1", ge=0, lt=1)
    padding_pixels: Count = parameter("padding of the random crop", unit="pixels", ge=0, le=64)
    precision: Literal["bfloat16", "float32"] = parameter("of the products, where the device has it")
    data_seed: Count = parameter("seed of the splits", unit="1", ge=0)
