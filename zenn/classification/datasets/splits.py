"""Training, validation and test without leakage: no sample of one has its equal in another.

Samples are equal where their keys are: of images the pixels, of texts the words without regard to case and
white space. Equals inside one split stay there and are reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Parts:
    """Indices (int64, ascending) of the samples of training, validation and test, and what was found."""

    train: Integers
    validation: Integers
    test: Integers
    report: dict[str, Any]


def image_keys(pixels: NDArray[np.uint8]) -> list[bytes]:
    """A key of every image of (N, H, W, C)."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in pixels]


def text_keys(texts: Sequence[str]) -> list[bytes]:
    """A key of every text; case and white space make no difference.

    >>> text_keys(["One  two\\n"]) == text_keys(["one two"])
    True
    """
    joined = (" ".join(text.casefold().split()) for text in texts)
    return [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in joined]


def stratified(
    labels: Integers, count: int, generator: np.random.Generator, classes: Sequence[str], source: str
) -> Integers:
    """Indices (ascending) of `count` samples drawn so that every class has its share, and one at least.

    Raises
    ------
    InputError : a class has too few samples to give one away, or `count` is not possible.
    """
    K = len(classes)
    held = np.bincount(labels, minlength=K)
    for name, number in zip(classes, held, strict=True):
        if number < 2:
            raise InputError(source, f"class {name}", f"{number} samples to divide", "two or more")
    if not K <= count <= len(labels) - K:
        found = f"{count} of {len(labels)} samples"
        raise InputError(source, "", found, f"one or more of each of {K} classes on both sides")
    exact = held * (count / len(labels))
    taken = np.clip(np.floor(exact).astype(np.int64), 1, held - 1)
    while (missing := count - int(taken.sum())) != 0:  # by the largest remainder, or the largest excess
        step = 1 if missing > 0 else -1
        free = (taken < held - 1) if step > 0 else (taken > 1)
        taken[np.argmax(np.where(free, step * (exact - taken), -np.inf))] += step
    chosen = [
        generator.permutation(np.flatnonzero(labels == k))[:number] for k, number in enumerate(taken.tolist())
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def split_given(
    labels: Integers,
    keys: Sequence[bytes],
    test_labels: Integers,
    test_keys: Sequence[bytes],
    validation_share: float,
    seed: int,
    classes: Sequence[str],
    source: str,
) -> Parts:
    """Parts where test is given: training samples equal to a test sample go, a part becomes validation.

    `test` of the result indexes the test samples, `train` and `validation` the others. Validation has
    `validation_share` of those that remain, no two of them equal; what equals them goes from training.

    Raises
    ------
    InputError : an empty class, a class that cannot be in every part, a share that is none.
    """
    _check_share(validation_share, "validation_share", source)
    _check_classes(labels, "training", classes, source)
    _check_classes(test_labels, "test", classes, source)
    in_test = set(test_keys)
    kept = np.array([i for i, key in enumerate(keys) if key not in in_test], dtype=np.int64)
    first: dict[bytes, int] = {}
    for i in kept.tolist():
        first.setdefault(keys[i], i)
    single = np.array(list(first.values()), dtype=np.int64)
    count = max(round(validation_share * len(kept)), len(classes))
    generator = np.random.default_rng(seed)
    validation = single[stratified(labels[single], count, generator, classes, source)]
    held_out = {keys[i] for i in validation}
    train = np.array([i for i in kept.tolist() if keys[i] not in held_out], dtype=np.int64)
    _check_classes(labels[train], "training", classes, source)
    report = {
        "train": _within([keys[i] for i in train], labels[train]),
        "validation": _within([keys[i] for i in validation], labels[validation]),
        "test": _within(test_keys, test_labels),
        "removed_from_train_as_equal_to_a_test_sample": len(keys) - len(kept),
        "removed_from_train_as_equal_to_a_validation_sample": len(kept) - len(train) - len(validation),
    }
    sizes = {"train": len(train), "validation": len(validation), "test": len(test_labels)}
    found = {"sizes": sizes, "duplicates": report}
    return Parts(train, validation, np.arange(len(test_labels), dtype=np.int64), found)


def split_pool(
    labels: Integers,
    keys: Sequence[bytes],
    test_count: int,
    validation_share: float,
    seed: int,
    classes: Sequence[str],
    source: str,
) -> Parts:
    """Parts of samples that come without a split: `test_count` become test, then as `split_given`.

    Raises
    ------
    InputError : as `split_given`.
    """
    generator = np.random.default_rng([seed, 1])  # another stream than that of validation
    test = stratified(labels, test_count, generator, classes, source)
    rest = np.setdiff1d(np.arange(len(labels)), test)
    parts = split_given(
        labels[rest],
        [keys[i] for i in rest],
        labels[test],
        [keys[i] for i in test],
        validation_share,
        seed,
        classes,
        source,
    )
    return Parts(rest[parts.train], rest[parts.validation], test, parts.report)


def class_counts(labels: Integers, classes: Sequence[str]) -> dict[str, int]:
    """Class -> number of samples."""
    return dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))


def _within(keys: Sequence[bytes], labels: Integers) -> dict[str, int]:
    """How many samples repeat an earlier one, and how many contents stand under several labels."""
    seen: dict[bytes, set[int]] = {}
    for key, label in zip(keys, labels.tolist(), strict=True):
        seen.setdefault(key, set()).add(label)
    return {
        "repeated": len(keys) - len(seen),
        "with_several_labels": sum(len(each) > 1 for each in seen.values()),
    }


def _check_classes(labels: Integers, which: str, classes: Sequence[str], source: str) -> None:
    empty = np.flatnonzero(np.bincount(labels, minlength=len(classes)) == 0)
    if len(empty):
        raise InputError(source, f"class {classes[empty[0]]}", f"no {which} samples", "some of every class")


def _check_share(share: float, name: str, source: str) -> None:
    if not 0 < share < 1:
        raise InputError(source, name, share, "a share between 0 and 1")
