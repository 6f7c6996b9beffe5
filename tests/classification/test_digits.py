"""The digits of several sources, against scikit-learn's own images and the numbers that were asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from zenn.classification.data import DataSet, Split, check_data_set
from zenn.classification.datasets.digits import Digits, digits
from zenn.classification.datasets.mixing import Sources
from zenn.errors import InputError

ONE = Sources(("clean",), (1.0,), (0.0,), ("train", "validation"))
THREE = Sources(("clean", "low_contrast", "noisy"), (0.4, 0.3, 0.3), (0.0, 0.0, 0.4), ("train", "validation"))
CLEAN = Digits(ONE, (1.0,), (0.0,), 450, 0.2, 1.0, False, 7)
MULTI = replace(CLEAN, sources=THREE, contrast=(1.0, 0.3, 1.0), noise=(0.0, 0.05, 0.5))


def original(split: Split) -> np.ndarray[Any, Any]:
    assert split.original_labels is not None
    return split.original_labels


def source(split: Split) -> np.ndarray[Any, Any]:
    assert split.sources is not None
    return split.sources


def test_the_clean_digits_are_those_of_scikit_learn() -> None:
    data = digits(CLEAN)
    check_data_set(data, "here")
    raw = load_digits()
    wanted = sorted(
        (np.round(image * 255 / 16).astype(np.uint8).tobytes(), label)
        for image, label in zip(raw.images, raw.target, strict=True)
    )
    held = [
        (image.tobytes(), label)
        for split in data.splits.values()
        for image, label in zip(split.inputs["pixels"], split.labels, strict=True)
    ]
    assert sorted(held) == wanted  # every image once: none of them has an equal
    assert [len(split) for split in data.splits.values()] == [1078, 269, 450]
    assert data.report["duplicates"]["removed_from_train_as_equal_to_a_test_sample"] == 0
    assert data.report["wrong_labels"] == {"train": 0, "validation": 0, "test": 0}


def test_the_sources_have_what_was_asked_for() -> None:
    data, clean = digits(MULTI), digits(CLEAN)
    check_data_set(data, "here")
    for name, split in data.splits.items():
        own, N = source(split), len(split)
        np.testing.assert_allclose(np.bincount(own) / N, [0.4, 0.3, 0.3], atol=1.5 / N)
        before = clean.splits[name].inputs["pixels"] / 255
        seen = split.inputs["pixels"] / 255
        np.testing.assert_array_equal(seen[own == 0], before[own == 0])
        off = seen[own == 1] - (0.5 + 0.3 * (before[own == 1] - 0.5))  # far from black and white: not clipped
        assert abs(off.mean()) < 2e-3
        assert off.std() == pytest.approx(0.05, rel=0.03)
        inner = (before[own == 2] > 0.4) & (before[own == 2] < 0.6)
        assert abs(np.median(seen[own == 2][inner]) - 0.5) < 0.1
        assert (seen[own == 2] == 0).mean() > 0.2  # strong noise is clipped


def test_labels_are_wrong_where_and_as_often_as_asked_for() -> None:
    data, clean = digits(MULTI), digits(CLEAN)
    for name, split in data.splits.items():
        np.testing.assert_array_equal(original(split), clean.splits[name].labels)
        wrong = split.labels != original(split)
        for k, share in enumerate((0.0, 0.0, 0.4)):
            held = source(split) == k
            expected = 0 if name == "test" else round(share * held.sum())
            assert wrong[held].sum() == expected
        assert data.report["wrong_labels"][name] == wrong.sum()
    train = data.train
    moved = (train.labels - original(train))[train.labels != original(train)] % 10
    assert set(moved) == set(range(1, 10))  # to every other class
    np.testing.assert_array_equal(data.test.labels, original(data.test))


def test_the_parts_do_not_depend_on_what_is_done_to_the_images() -> None:
    one, two = digits(CLEAN), digits(MULTI)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(one.splits[name].labels, original(two.splits[name]))


def test_the_seed_decides() -> None:
    one, again, other = digits(MULTI), digits(MULTI), digits(replace(MULTI, seed=8))
    np.testing.assert_array_equal(one.train.inputs["pixels"], again.train.inputs["pixels"])
    np.testing.assert_array_equal(one.train.labels, again.train.labels)
    assert not np.array_equal(one.train.labels, other.train.labels)


@pytest.mark.parametrize("ratio", [2.0, 10.0, 100.0])
def test_the_imbalance_is_in_training_only(ratio: float) -> None:
    data, balanced = digits(replace(CLEAN, imbalance=ratio)), digits(CLEAN)
    sizes = np.bincount(data.train.labels)
    assert sizes[0] / sizes[-1] == pytest.approx(ratio, rel=0.06)
    steps = np.log(sizes[0]) - np.arange(10) / 9 * np.log(ratio)
    np.testing.assert_allclose(sizes, np.exp(steps), atol=0.51)
    for name in ("validation", "test"):
        np.testing.assert_array_equal(
            data.splits[name].inputs["pixels"], balanced.splits[name].inputs["pixels"]
        )
    assert data.report["sizes"]["train"] == len(data.train)


def fitted(data: DataSet) -> float:
    """Test accuracy of scikit-learn's logistic regression."""
    flat = {name: split.inputs["pixels"].reshape(len(split), -1) / 255 for name, split in data.splits.items()}
    model = LogisticRegression(max_iter=200).fit(flat["train"], data.train.labels)
    return float(model.score(flat["test"], data.test.labels))


def test_random_labels_teach_nothing_and_clean_ones_do() -> None:
    data = digits(replace(MULTI, random_labels=True))
    check_data_set(data, "here")
    chance = 4 * np.sqrt(0.1 * 0.9 / len(data.test))  # four standard errors
    assert abs(fitted(data) - 0.1) < chance
    for split in data.splits.values():
        assert (split.labels == original(split)).mean() < 0.2
    assert fitted(digits(CLEAN)) > 0.93
    assert 0.5 < fitted(digits(MULTI)) < 0.93  # harder, but no noise


@pytest.mark.parametrize(
    ("how", "found"),
    [
        (
            replace(CLEAN, contrast=(1.0, 1.0)),
            "sources.contrast: found 2 numbers, expected one for each of 1",
        ),
        (replace(CLEAN, noise=(-1.0,)), "a negative contrast or noise"),
        (replace(CLEAN, imbalance=0.5), "imbalance: found 0.5"),
        (replace(CLEAN, test_images=5), "found 5 of 1797 samples"),
        (replace(CLEAN, test_images=1795), "found 1795 of 1797 samples"),
        (replace(CLEAN, validation_share=1.5), "validation_share: found 1.5"),
        (replace(CLEAN, sources=replace(ONE, shares=(0.9,))), "positive shares that sum to 1"),
        (replace(CLEAN, sources=replace(ONE, label_noise=(2.0,))), "sources.label_noise"),
        (replace(CLEAN, sources=replace(ONE, noisy_splits=("all",))), "noisy_splits: found all"),
        (replace(MULTI, sources=replace(THREE, names=("a", "a", "b"))), "each name once"),
    ],
)
def test_what_cannot_be_made(how: Digits, found: str) -> None:
    with pytest.raises(InputError, match=found):
        digits(how)
