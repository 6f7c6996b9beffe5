"""Data sets on disk: what was saved comes back; what is cut, mixed up or out of range is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zenn.classification.data import DataSet, Split, check_data_set, load_data_set, save_data_set
from zenn.errors import InputError


def images(count: int, seed: int) -> Split:
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    pixels = generator.integers(0, 256, (count, 4, 5, 1), np.uint8)
    return Split({"pixels": pixels}, labels, labels % 2, labels[::-1].copy())


def texts(count: int, seed: int) -> Split:
    generator = np.random.default_rng(seed)
    inputs = {
        "input_ids": generator.integers(0, 50, (count, 6), np.int32),
        "lengths": generator.integers(1, 7, count, np.int32),
    }
    return Split(inputs, np.arange(count) % 3)


def image_set() -> DataSet:
    splits = (images(9, 1), images(3, 2), images(6, 3))
    return DataSet("small", "images", ("a", "b", "c"), *splits, (0.5,), (0.25,), 0, 0, ("x", "y"), {"n": [1]})


def text_set() -> DataSet:
    splits = (texts(9, 1), texts(3, 2), texts(6, 3))
    return DataSet("words", "texts", ("a", "b", "c"), *splits, (), (), 50, 7, (), {})


@pytest.mark.parametrize("data", [image_set(), text_set()], ids=["images", "texts"])
def test_what_was_saved_comes_back(tmp_path: Path, data: DataSet) -> None:
    save_data_set(tmp_path, data)
    back = load_data_set(tmp_path)
    for name in ("name", "kind", "classes", "mean", "std", "vocabulary", "padding", "sources", "report"):
        assert getattr(back, name) == getattr(data, name)
    for name, split in data.splits.items():
        again = back.splits[name]
        pairs = [(split.inputs[key], again.inputs[key]) for key in split.inputs]
        pairs += [
            (getattr(split, key), getattr(again, key)) for key in ("labels", "sources", "original_labels")
        ]
        for one, two in pairs:
            if one is None:
                assert two is None
            else:
                assert one.dtype == two.dtype
                np.testing.assert_array_equal(one, two)
    assert {path.name for path in tmp_path.iterdir()} == {"data.safetensors", "dataset.json"}


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_data_set(tmp_path / name, image_set())
    for name in ("data.safetensors", "dataset.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("name", ["data.safetensors", "dataset.json"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_cut_file_is_named(tmp_path: Path, name: str, share: float) -> None:
    save_data_set(tmp_path, image_set())
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=name):
        load_data_set(tmp_path)


def test_a_missing_file_and_another_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no dataset\.json"):
        load_data_set(tmp_path)
    save_data_set(tmp_path, image_set())
    (tmp_path / "data.safetensors").rename(tmp_path / "away")
    with pytest.raises(InputError, match=r"data\.safetensors"):
        load_data_set(tmp_path)
    (tmp_path / "away").rename(tmp_path / "data.safetensors")
    for other in ([], {"name": "x"}, {**json.loads((tmp_path / "dataset.json").read_text()), "mean": 3}):
        (tmp_path / "dataset.json").write_text(json.dumps(other))
        with pytest.raises(InputError, match=r"dataset\.json"):
            load_data_set(tmp_path)


def test_files_of_two_data_sets_do_not_go_together(tmp_path: Path) -> None:
    save_data_set(tmp_path / "one", image_set())
    save_data_set(tmp_path / "two", replace(image_set(), name="other"))
    (tmp_path / "two" / "dataset.json").replace(tmp_path / "one" / "dataset.json")
    with pytest.raises(InputError, match="arrays of another data set"):
        load_data_set(tmp_path / "one")


def with_train(data: DataSet, **changes: Any) -> DataSet:
    return replace(data, train=replace(data.train, **changes))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (with_train(image_set(), labels=np.full(9, 3)), r"train.labels, sample 0: found 3, expected 0 to 2"),
        (with_train(image_set(), labels=np.full(9, -1)), r"train.labels, sample 0: found -1"),
        (with_train(image_set(), labels=np.zeros(8, np.int64)), r"train.inputs.pixels: found uint8 of shape"),
        (with_train(image_set(), labels=np.zeros(9)), r"train.labels: found float64"),
        (with_train(image_set(), sources=np.full(9, 2)), r"train.sources, sample 0: found 2"),
        (with_train(image_set(), inputs={}), r"train.inputs: found \[\], expected \['pixels'\]"),
        (
            with_train(image_set(), inputs={"pixels": np.zeros((9, 4, 4, 1), np.uint8)}),
            "one shape in all splits",
        ),
        (with_train(image_set(), inputs={"pixels": np.zeros((9, 4, 5, 1))}), "found float64 of shape"),
        (replace(image_set(), mean=(0.5, 0.5)), "mean: found"),
        (replace(image_set(), classes=("a", "a", "b")), "classes: found"),
        (replace(text_set(), vocabulary=20), r"train.inputs.input_ids: found tokens from 0 to 49"),
        (replace(text_set(), padding=50), "padding: found 50"),
        (replace(text_set(), kind="sounds"), "kind: found 'sounds'"),  # type: ignore[arg-type]  # on purpose
    ],
)
def test_what_a_data_set_must_not_be(data: DataSet, found: str) -> None:
    with pytest.raises(InputError, match=found):
        check_data_set(data, "here")


def test_some_of_a_split() -> None:
    split = images(9, 1)
    some = split.take(np.array([4, 1]))
    assert len(some) == 2
    np.testing.assert_array_equal(some.inputs["pixels"][0], split.inputs["pixels"][4])
    assert some.sources is not None
    np.testing.assert_array_equal(some.labels, [1, 1])
