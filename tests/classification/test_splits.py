"""Splits: nothing leaks, every class is everywhere, and shares are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from zenn.classification.datasets.splits import image_keys, split_given, split_pool, stratified, text_keys
from zenn.errors import InputError

CLASSES = ("a", "b", "c")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 200), st.integers(5, 400))
def test_no_sample_has_its_equal_in_another_part(seed: int, count: int, contents: int) -> None:
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    keys = [bytes([key % 256, key // 256]) for key in generator.integers(0, contents, count).tolist()]
    test_keys = [bytes([key % 256, key // 256]) for key in generator.integers(0, contents, 12).tolist()]
    try:
        parts = split_given(labels, keys, np.arange(12) % 3, test_keys, 0.2, seed, CLASSES, "here")
    except InputError:  # too few samples without an equal
        assert contents < 3 * count
        return
    train, validation = ({keys[i] for i in part} for part in (parts.train, parts.validation))
    assert not train & validation
    assert not (train | validation) & set(test_keys)
    assert len(validation) == len(parts.validation)
    gone = set(test_keys) | validation
    assert parts.train.tolist() == [i for i, key in enumerate(keys) if key not in gone]
    said = parts.report["duplicates"]
    in_test = sum(key in set(test_keys) for key in keys)
    assert said["removed_from_train_as_equal_to_a_test_sample"] == in_test
    others = count - in_test - len(parts.train) - len(parts.validation)
    assert said["removed_from_train_as_equal_to_a_validation_sample"] == others
    assert said["train"]["repeated"] == len(parts.train) - len(train)
    assert said["test"]["repeated"] == 12 - len(set(test_keys))
    assert set(labels[parts.validation]) == {0, 1, 2}


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_shares_of_the_classes_are_those_of_scikit_learn(share: float) -> None:
    labels = np.repeat([0, 1, 2], [500, 200, 41])
    count = round(share * len(labels))
    own = stratified(labels, count, np.random.default_rng(0), CLASSES, "here")
    _, theirs = train_test_split(np.arange(len(labels)), test_size=count, stratify=labels, random_state=0)
    assert len(own) == len(set(own)) == len(theirs)
    counts = [np.bincount(labels[part], minlength=3) for part in (own, theirs)]
    assert np.abs(counts[0] - counts[1]).max() <= 1


def test_rare_classes_are_on_both_sides() -> None:
    labels = np.repeat([0, 1, 2], [100, 2, 3])
    for count in (3, 10, 102):
        chosen = stratified(labels, count, np.random.default_rng(0), CLASSES, "here")
        assert len(chosen) == count
        assert set(labels[chosen]) == set(np.delete(labels, chosen)) == {0, 1, 2}


def keys(count: int) -> list[bytes]:
    return [i.to_bytes(2, "big") for i in range(count)]


def test_the_seed_decides() -> None:
    labels = np.arange(90) % 3
    one, again, other = (split_pool(labels, keys(90), 30, 0.2, seed, CLASSES, "here") for seed in (1, 1, 2))
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))
    parts = [one.train, one.validation, one.test]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(90))
    assert [len(part) for part in parts] == [48, 12, 30]
    assert one.report["sizes"] == {"train": 48, "validation": 12, "test": 30}


def test_equals_of_a_pool_go_from_training_only() -> None:
    labels = np.arange(60) % 3
    same = [*keys(30), *keys(30)]  # every content twice
    with pytest.raises(InputError, match=r"class .*: found \d samples to divide|one or more of each of 3"):
        split_pool(labels, [b"x"] * 60, 20, 0.2, 0, CLASSES, "here")
    parts = split_pool(labels, same, 30, 0.2, 0, CLASSES, "here")
    assert len(parts.test) == 30
    gone = parts.report["duplicates"]["removed_from_train_as_equal_to_a_test_sample"]
    assert gone > 0
    assert len({same[i] for i in parts.validation}) == len(parts.validation) == round(0.2 * (30 - gone))
    assert len(parts.train) == 30 - gone - 2 * len(parts.validation)


def test_one_content_under_two_labels_is_reported() -> None:
    labels = np.arange(30) % 3
    parts = split_given(labels, [b"x", b"x", *keys(28)], labels, keys(60)[30:], 0.2, 0, CLASSES, "here")
    assert parts.report["duplicates"]["train"] == {"repeated": 1, "with_several_labels": 1}


@pytest.mark.parametrize(
    ("labels", "test_labels", "share", "found"),
    [
        ([0, 0, 1, 1], [0, 1, 2], 0.5, "class c: found no training samples"),
        ([0, 0, 1, 1, 2, 2], [0, 1], 0.5, "class c: found no test samples"),
        ([0, 0, 1, 1, 2], [0, 1, 2], 0.5, "class c: found 1 samples to divide"),
        ([0, 0, 1, 1, 2, 2], [0, 1, 2], 1.0, "validation_share: found 1.0"),
        ([0, 0, 1, 1, 2, 2], [0, 1, 2], 0.0, "validation_share: found 0.0"),
        ([0, 0, 1, 1, 2, 2], [0, 1, 2], 0.9, "found 5 of 6 samples"),
    ],
)
def test_what_cannot_be_split(labels: list[int], test_labels: list[int], share: float, found: str) -> None:
    with pytest.raises(InputError, match=f"here.*{found}|here, {found}"):
        split_given(
            np.array(labels), keys(len(labels)), np.array(test_labels), [b"t"] * len(test_labels), share, 0,
            CLASSES, "here",
        )  # fmt: skip


def test_what_is_equal() -> None:
    pixels = np.zeros((3, 2, 2, 1), np.uint8)
    pixels[2, 0, 0, 0] = 1
    one, two, three = image_keys(pixels)
    assert one == two != three
    assert text_keys(["A b", " a\tB\n"])[0] == text_keys(["a b"])[0] == text_keys([" a\tB\n"])[0]
    assert text_keys(["ab"]) != text_keys(["a b"])
