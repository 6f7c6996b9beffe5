"""A user's own images and texts, and what can be wrong with them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zenn.classification.data import check_data_set, load_data_set, save_data_set
from zenn.classification.datasets.own import Own, own_data
from zenn.classification.datasets.tokens import word_tokenizer
from zenn.errors import InputError

HOW = Own(test_share=0.25, validation_share=0.2, seed=3)


def image(path: Path, value: int, size: tuple[int, int] = (6, 5), colour: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Image.new("RGB" if colour else "L", size, (value, value // 2, 7) if colour else value)
    made.putpixel((1, 2), (9, 8, 7) if colour else 9)
    made.save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k, name in enumerate(("dogs", "cats")):
        for i in range(20):
            image(tmp_path / "pets" / name / f"{i}.png", 20 + 100 * k + 2 * i, colour=True)
    return tmp_path / "pets"


def table(path: Path, rows: list[tuple[str, str]], header: tuple[str, str] = ("text", "label")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_a_folder_of_images_per_class(folder: Path, tmp_path: Path) -> None:
    data, tokenizer = own_data(folder, HOW)
    check_data_set(data, "here")
    assert tokenizer is None
    assert (data.name, data.classes) == ("pets", ("cats", "dogs"))
    assert [len(split) for split in data.splits.values()] == [24, 6, 10]
    for split in data.splits.values():
        assert split.inputs["pixels"].shape[1:] == (5, 6, 3)  # rows, columns, colours
        np.testing.assert_array_equal(split.inputs["pixels"][:, 2, 1], np.tile([9, 8, 7], (len(split), 1)))
        np.testing.assert_array_equal(split.inputs["pixels"][:, 0, 0, 0] < 100, split.labels == 1)
    save_data_set(tmp_path / "saved", data)
    assert load_data_set(tmp_path / "saved").classes == data.classes


def test_grey_images_stay_grey_and_mixed_ones_get_colours(folder: Path, tmp_path: Path) -> None:
    for k, name in enumerate(("a", "b")):
        for i in range(10):
            image(tmp_path / "grey" / name / f"{i}.png", 20 + 100 * k + 2 * i)
    assert own_data(tmp_path / "grey", HOW)[0].train.inputs["pixels"].shape[1:] == (5, 6, 1)
    image(folder / "cats" / "grey.png", 55)
    data, _ = own_data(folder, HOW)
    pixels = np.concatenate([split.inputs["pixels"] for split in data.splits.values()])
    assert (pixels[:, 0, 0] == 55).all(axis=1).sum() == 1


def test_images_listed_in_a_table(folder: Path) -> None:
    rows = [
        (f"pets/{path.parent.name}/{path.name}", path.parent.name) for path in sorted(folder.rglob("*.png"))
    ]
    path = table(folder.parent / "list.csv", rows, ("path", "label"))
    one, two = own_data(path, HOW)[0], own_data(folder, HOW)[0]
    np.testing.assert_array_equal(one.train.inputs["pixels"], two.train.inputs["pixels"])
    table(path, [*rows, ("pets/cats/gone.png", "cats")], ("path", "label"))
    with pytest.raises(InputError, match=r"gone\.png: found .*No such file"):
        own_data(path, HOW)


def test_an_image_of_another_size_is_named(folder: Path) -> None:
    image(folder / "dogs" / "wide.png", 3, size=(8, 5))
    with pytest.raises(InputError, match=r"wide\.png: found 8 x 5 pixels, expected 6 x 5, as .*cats.0\.png"):
        own_data(folder, HOW)


def test_a_cut_image_is_named(folder: Path) -> None:
    path = folder / "dogs" / "cut.png"
    image(path, 3)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 30])  # the end of the file, and some of the pixels
    with pytest.raises(InputError, match=r"cut\.png: found .* expected an image"):
        own_data(folder, HOW)


def test_folders_that_hold_no_classes(folder: Path, tmp_path: Path) -> None:
    (folder / "birds").mkdir()
    with pytest.raises(InputError, match="birds: found no image"):
        own_data(folder, HOW)
    image(folder / "birds" / "one.png", 1)
    with pytest.raises(InputError, match="class birds: found 1 samples to divide"):
        own_data(folder, HOW)
    with pytest.raises(InputError, match="found no folder in it"):
        own_data(folder / "cats", HOW)
    with pytest.raises(InputError, match="gone: found nothing"):
        own_data(tmp_path / "gone", HOW)


ROWS = [(f"{'good' if i % 2 else 'bad'} thing {i}", "yes" if i % 2 else "no") for i in range(40)]


def test_texts_in_a_table_with_words_of_their_own(tmp_path: Path) -> None:
    data, tokenizer = own_data(table(tmp_path / "opinions.csv", ROWS), HOW)
    check_data_set(data, "here")
    assert tokenizer is not None
    assert data.classes == ("no", "yes")
    assert (
        data.vocabulary == 24 + 3 + 2
    )  # numbers of the training texts; good, bad, thing; padding and unknown
    np.testing.assert_array_equal(data.train.inputs["lengths"], 3)


def test_texts_with_a_tokenizer_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(word_tokenizer(["good thing bad"], 10))
    how = replace(HOW, tokenizer=tmp_path / "tokenizer.json", maximum_length=3)
    data, tokenizer = own_data(table(tmp_path / "opinions.csv", ROWS), how)
    assert tokenizer == (tmp_path / "tokenizer.json").read_text()
    assert data.vocabulary == 5
    with pytest.raises(InputError, match=r"found 3 tokens, expected at most 2\. Raise the limit"):
        own_data(tmp_path / "opinions.csv", replace(how, maximum_length=2))
    cut, _ = own_data(tmp_path / "opinions.csv", replace(how, maximum_length=2, cut=True))
    assert cut.train.inputs["input_ids"].shape[1] == 2
    with pytest.raises(InputError, match="padding_token"):
        own_data(tmp_path / "opinions.csv", replace(how, padding_token="<pad>"))
    with pytest.raises(InputError, match=r"gone\.json: found .*No such file"):
        own_data(tmp_path / "opinions.csv", replace(how, tokenizer=tmp_path / "gone.json"))


@pytest.mark.parametrize(
    ("rows", "header", "found"),
    [
        (ROWS, ("words", "label"), "line 1: found words,label, expected columns text,label or path,label"),
        ([*ROWS, ("", "yes")], ("text", "label"), "line 42: found an empty text or label"),
        ([*ROWS, ("x", " ")], ("text", "label"), "line 42: found an empty text or label"),
        ([], ("text", "label"), "found no rows"),
        ([("a", "x"), ("b", "x")], ("text", "label"), "found the only class 'x'"),
        ([*ROWS, ("rare", "maybe")], ("text", "label"), "class maybe: found 1 samples to divide"),
    ],
)
def test_what_a_table_must_not_be(
    tmp_path: Path, rows: list[tuple[str, str]], header: tuple[str, str], found: str
) -> None:
    with pytest.raises(InputError, match=found):
        own_data(table(tmp_path / "own.csv", rows, header), HOW)


@pytest.mark.parametrize("name", ["test_share", "validation_share"])
@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_shares_are_shares(tmp_path: Path, name: str, share: float) -> None:
    with pytest.raises(InputError, match=f"{name}: found {share}"):
        # by name: mypy cannot tell which field it is
        own_data(table(tmp_path / "own.csv", ROWS), replace(HOW, **{name: share}))  # type: ignore[arg-type]
