"""BBC News and AG News in the layouts of their publishers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.classification.published import BBC, ag_news_csv, ag_news_rows, bbc_zip
from zenn.classification.data import check_data_set
from zenn.classification.datasets.news import AG_CLASSES, Tokens, ag_news, bbc, read_ag_news, read_bbc
from zenn.classification.datasets.tokens import word_tokenizer
from zenn.errors import InputError

WORDS = " ".join([*BBC, "About story of A thing number Title", *map(str, range(50))])
TOKENS = Tokens(word_tokenizer([WORDS], 100), "[PAD]", 8)


def test_bbc_is_read_folder_by_folder(tmp_path: Path) -> None:
    path = bbc_zip(tmp_path / "bbc.zip", 20, {"bbc/tech/003.txt": "£5 of tech".encode("latin-1")})
    texts, labels, other = read_bbc(path, 100)
    np.testing.assert_array_equal(labels, np.repeat(np.arange(5), 20))
    assert texts[0] == "About business\n\nstory 0 of business.\n"
    assert texts[83] == "£5 of tech"
    assert other == 1


def test_bbc_is_split_by_class_without_leakage(tmp_path: Path) -> None:
    same = {f"bbc/tech/{i:03}.txt": f"The  SAME {'story' if i % 2 else 'STORY'}\n".encode() for i in range(4)}
    path = bbc_zip(tmp_path / "bbc.zip", 20, same)
    for seed in range(5):
        data = bbc(path, 100, 40, 0.2, seed, TOKENS)
        check_data_set(data, "here")
        assert np.bincount(data.test.labels).tolist() == [8] * 5
        said = data.report["duplicates"]
        removed = said["removed_from_train_as_equal_to_a_test_sample"]
        removed += said["removed_from_train_as_equal_to_a_validation_sample"]
        assert len(data.train) + len(data.validation) == 60 - removed
        repeated = said["test"]["repeated"] + said["train"]["repeated"]
        assert removed + repeated == 3  # of four equal texts one stays, or they are in one part
    assert data.report["split"].startswith("ours")
    assert data.vocabulary == len(set(WORDS.lower().split())) + 2


def test_truncated_texts_are_counted(tmp_path: Path) -> None:
    long = {"bbc/sport/001.txt": b"story " * 30}
    data = bbc(bbc_zip(tmp_path / "bbc.zip", 20, long), 100, 40, 0.2, 0, TOKENS)
    assert sum(data.report["truncated_texts"].values()) == 1
    assert data.train.inputs["input_ids"].shape[1] == 8


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"bbc/weather/001.txt": b"x"}, r"bbc/weather/001.txt: found the class 'weather'"),
        ({"bbc/tech/900.txt": b"x"}, "found 101 texts, expected 100"),
        ({"bbc/../../x.txt": b"x"}, "a path that can lead out"),
    ],
)
def test_what_the_archive_of_bbc_must_not_be(tmp_path: Path, changes: dict[str, bytes], found: str) -> None:
    with pytest.raises(InputError, match=found):
        read_bbc(bbc_zip(tmp_path / "bbc.zip", 20, changes), 100)


def test_ag_news_is_title_and_description(tmp_path: Path) -> None:
    path = ag_news_csv(
        tmp_path / "test.csv", [("3", "Oil, up", 'They say "no"\\to it'), ("1", "é", "line\nfeed")]
    )
    texts, labels = read_ag_news(path, 2)
    assert texts == ['Oil, up They say "no"\\to it', "é line\nfeed"]
    assert [AG_CLASSES[k] for k in labels] == ["Business", "World"]


def test_ag_news_keeps_its_test_and_cleans_training(tmp_path: Path) -> None:
    rows = ag_news_rows(80, "train")
    test = [*ag_news_rows(20, "test"), ("2", "title  5", 'a "TRAIN" thing number 5')]
    train_path, test_path = (
        ag_news_csv(tmp_path / "train.csv", rows),
        ag_news_csv(tmp_path / "test.csv", test),
    )
    data = ag_news(train_path, test_path, (80, 21), 0.25, 0, TOKENS)
    check_data_set(data, "here")
    assert len(data.test) == 21
    assert data.report["duplicates"]["removed_from_train_as_equal_to_a_test_sample"] == 1
    assert len(data.train) + len(data.validation) == 79
    assert set(data.validation.labels) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("rows", "count", "found"),
    [
        ([("5", "a", "b")], 1, "line 1: found class '5', expected 1 to 4"),
        ([("1", "a", "b"), ("x", "a", "b")], 2, "line 2: found class 'x'"),
        ([("1", "a", "b")], 2, "found 1 rows, expected 2"),
    ],
)
def test_what_ag_news_must_not_be(
    tmp_path: Path, rows: list[tuple[str, str, str]], count: int, found: str
) -> None:
    with pytest.raises(InputError, match=found):
        read_ag_news(ag_news_csv(tmp_path / "train.csv", rows), count)


def test_a_cut_csv_and_another_table(tmp_path: Path) -> None:
    path = ag_news_csv(tmp_path / "train.csv", ag_news_rows(10, "x"))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"train\.csv: found unexpected end of data"):
        read_ag_news(path, 10)
    path.write_text("a,b\n")
    with pytest.raises(InputError, match="line 1: found 2 fields"):
        read_ag_news(path, 10)
