"""The handwritten digits of scikit-learn, made into data of several sources, each known, without a network.

1797 images of 8 x 8 (the test part of Alpaydin and Kaynak's "Optical Recognition of Handwritten Digits",
1998). Every image comes from one source, drawn at random: its contrast is reduced about mid-grey, normal
noise is added, and a share of its labels is wrong in training and validation (true in test). Options: a
training set in which the most frequent class is `imbalance` times the rarest, in geometric steps; labels at
random in all splits, for the canary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zenn.classification.data import DataSet, Split
from zenn.classification.datasets.cifar import pixel_statistics
from zenn.classification.datasets.mixing import Sources
from zenn.classification.datasets.splits import class_counts, image_keys, split_pool
from zenn.errors import InputError

Integers = NDArray[np.int64]

CLASSES = tuple(str(digit) for digit in range(10))
_LARGEST = 16  # grey levels of the original


@dataclass(frozen=True)
class Digits:
    """How the digits are made.

    Attributes
    ----------
    sources, contrast, noise
        One entry per source: the contrast (1: as it is) and the standard deviation of the noise, on a scale
        where black and white are 0 and 1.
    test_images, validation_share
        Size of the test; share of the remaining images that becomes validation.
    imbalance
        Most frequent over rarest class of the training set; 1: as it is.
    random_labels
        All labels are drawn at random, those of the test too.
    """

    sources: Sources
    contrast: tuple[float, ...]
    noise: tuple[float, ...]
    test_images: int
    validation_share: float
    imbalance: float
    random_labels: bool
    seed: int


def digits(how: Digits) -> DataSet:
    """The data set that `how` describes; `original_labels` are the true ones.

    Raises
    ------
    InputError : a parameter is out of range, or a class would be empty.
    """
    how.sources.check(contrast=how.contrast, noise=how.noise)
    if min(how.contrast) < 0 or min(how.noise) < 0:
        raise InputError("parameters", "sources", "a negative contrast or noise", "0 or more")
    if not 1 <= how.imbalance <= 100:
        raise InputError("parameters", "imbalance", how.imbalance, "1 to 100")
    pixels, labels = _raw()
    keys = image_keys(np.round(pixels * _LARGEST).astype(np.uint8))
    parts = split_pool(
        labels, keys, how.test_images, how.validation_share, how.seed, CLASSES, "the digits of scikit-learn"
    )
    generator = np.random.default_rng([how.seed, 2])  # another stream than that of the split
    train = _imbalanced(parts.train, labels, how.imbalance, generator)
    splits = {
        name: _made(name, pixels[indices], labels[indices], how, generator)
        for name, indices in (("train", train), ("validation", parts.validation), ("test", parts.test))
    }
    mean, std = pixel_statistics(splits["train"].inputs["pixels"])
    return DataSet(
        name="digits",
        kind="images",
        classes=CLASSES,
        **splits,
        mean=mean,
        std=std,
        vocabulary=0,
        padding=0,
        sources=how.sources.names,
        report={
            **parts.report,
            "sizes": {name: len(split) for name, split in splits.items()},
            "train_classes": class_counts(labels[train], CLASSES),
            **described(splits),
        },
    )


def described(splits: dict[str, Split]) -> dict[str, dict[str, object]]:
    """Per split: how many samples come from each source, and how many labels are not the true ones."""
    wrong, held = {}, {}
    for name, split in splits.items():
        assert split.sources is not None
        assert split.original_labels is not None
        wrong[name] = int((split.labels != split.original_labels).sum())
        held[name] = np.bincount(split.sources).tolist()
    return {"wrong_labels": wrong, "samples_of_sources": held}


def _raw() -> tuple[NDArray[np.float64], Integers]:
    """Images (1797, 8, 8, 1) in [0, 1] and labels."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # it has no types

    raw = load_digits()
    return raw.images[..., None] / _LARGEST, raw.target.astype(np.int64)


def _imbalanced(
    indices: Integers, labels: Integers, ratio: float, generator: np.random.Generator
) -> Integers:
    """The samples that stay so that the classes' sizes fall from the first to the last in geometric steps.

    The rarest class holds the smallest one's size over `ratio`, so that none has to be repeated.
    """
    if ratio == 1:
        return indices
    own = labels[indices]
    most = np.bincount(own, minlength=len(CLASSES)).min()
    sizes = np.round(most * ratio ** (-np.arange(len(CLASSES)) / (len(CLASSES) - 1))).astype(int)
    if sizes[-1] < 1:
        raise InputError("parameters", "imbalance", ratio, f"at most {most}, so that no class is empty")
    kept = [indices[generator.permutation(np.flatnonzero(own == k))[:size]] for k, size in enumerate(sizes)]
    return np.sort(np.concatenate(kept))


def _made(
    name: str, pixels: NDArray[np.float64], labels: Integers, how: Digits, generator: np.random.Generator
) -> Split:
    sources = how.sources.assign(len(labels), generator)
    contrast, noise = np.array(how.contrast)[sources], np.array(how.noise)[sources]
    shape = (-1, 1, 1, 1)
    seen = 0.5 + contrast.reshape(shape) * (pixels - 0.5)
    seen = seen + noise.reshape(shape) * generator.standard_normal(pixels.shape)
    stored = np.round(np.clip(seen, 0, 1) * 255).astype(np.uint8)
    given = labels
    if how.random_labels:
        given = generator.integers(0, len(CLASSES), len(labels))
    elif name in how.sources.noisy_splits:
        given = how.sources.noisy(labels, sources, len(CLASSES), generator)
    return Split({"pixels": stored}, given, sources, labels)
