"""BBC News and AG News, as published by those who collected them.

BBC News: Greene and Cunningham, "Practical Solutions to the Problem of Diagonal Dominance in Kernel Document
Clustering" (2006), a zip with a folder of texts per class. AG News: Zhang, Zhao, LeCun, "Character-level
Convolutional Networks for Text Classification" (2015), a CSV each of training and test.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zenn.classification.data import DataSet
from zenn.classification.datasets.archives import Limits, members
from zenn.classification.datasets.splits import Parts, class_counts, split_given, split_pool, text_keys
from zenn.classification.datasets.tokens import Labelled, tokenised
from zenn.errors import InputError

Integers = NDArray[np.int64]

BBC_CLASSES = ("business", "entertainment", "politics", "sport", "tech")
AG_CLASSES = ("World", "Sports", "Business", "Sci/Tech")
_LIMITS = Limits(file_bytes=1 << 20, total_bytes=64 << 20, members=10_000)

BBC_SPLIT = "ours, drawn at random by class; that of the paper (SetFit/bbc-news, 1225 / 1000) is another"


@dataclass(frozen=True)
class Tokens:
    """How texts become tokens: the JSON of a tokenizer, its token for padding, and the longest text."""

    tokenizer: str
    padding_token: str
    maximum_length: int


def read_bbc(archive: Path, documents: int = 2225) -> tuple[list[str], Integers, int]:
    """Texts and labels (by `BBC_CLASSES`) of `bbc-fulltext.zip`, and how many texts were not in UTF-8.

    Those are read as Latin-1. Texts come in the order of their paths.

    Raises
    ------
    InputError : the archive cannot be read, a folder is no class, the number of texts is another.
    """
    found: dict[tuple[int, str], str] = {}
    other = 0
    for name, content in members(archive, _LIMITS):
        folder, _, file = name.rpartition("/")
        if not file.endswith(".txt") or not folder.startswith("bbc/"):
            continue  # README.TXT lies beside the folders
        kind = folder.removeprefix("bbc/")
        if kind not in BBC_CLASSES:
            raise InputError(archive, name, f"the class {kind!r}", f"one of {list(BBC_CLASSES)}")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text, other = content.decode("latin-1"), other + 1
        found[BBC_CLASSES.index(kind), file] = text
    if len(found) != documents:
        raise InputError(archive, "", f"{len(found)} texts", f"{documents}, each as bbc/<class>/<number>.txt")
    order = sorted(found)
    return [found[key] for key in order], np.array([label for label, _ in order], dtype=np.int64), other


def bbc(
    archive: Path, documents: int, test_texts: int, validation_share: float, seed: int, tokens: Tokens
) -> DataSet:
    """BBC News with a split of ours: seeded, by class; `test_texts` for the test.

    Raises
    ------
    InputError : as `read_bbc`, `split_pool` and `tokenised`.
    """
    texts, labels, other = read_bbc(archive, documents)
    parts = split_pool(
        labels, text_keys(texts), test_texts, validation_share, seed, BBC_CLASSES, str(archive)
    )
    splits = {
        name: Labelled([texts[i] for i in indices], labels[indices])
        for name, indices in (("train", parts.train), ("validation", parts.validation), ("test", parts.test))
    }
    return _made(
        "bbc-news", BBC_CLASSES, splits, parts, tokens, {"texts_in_latin_1": other, "split": BBC_SPLIT}
    )


def read_ag_news(path: Path, rows: int) -> tuple[list[str], Integers]:
    """Texts (title, a space, description) and labels (by `AG_CLASSES`) of `train.csv` or `test.csv`.

    Raises
    ------
    InputError : names the line that cannot be used; the number of rows is another.
    """
    texts, labels = [], []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if len(row) != 3:
                    raise InputError(
                        path, f"line {reader.line_num}", f"{len(row)} fields", "class,title,description"
                    )
                if row[0] not in {"1", "2", "3", "4"}:
                    raise InputError(path, f"line {reader.line_num}", f"class {row[0]!r}", "1 to 4")
                texts.append(f"{row[1]} {row[2]}")
                labels.append(int(row[0]) - 1)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "", error, "a CSV file in UTF-8 that can be read") from None
    if len(texts) != rows:
        raise InputError(path, "", f"{len(texts)} rows", f"{rows}")
    return texts, np.array(labels, dtype=np.int64)


def ag_news(
    train: Path, test: Path, rows: tuple[int, int], validation_share: float, seed: int, tokens: Tokens
) -> DataSet:
    """AG News: test as published, validation drawn from training, no text of test in the others.

    Raises
    ------
    InputError : as `read_ag_news`, `split_given` and `tokenised`.
    """
    texts, labels = read_ag_news(train, rows[0])
    test_texts, test_labels = read_ag_news(test, rows[1])
    parts = split_given(
        labels,
        text_keys(texts),
        test_labels,
        text_keys(test_texts),
        validation_share,
        seed,
        AG_CLASSES,
        str(train),
    )
    splits = {
        "train": Labelled([texts[i] for i in parts.train], labels[parts.train]),
        "validation": Labelled([texts[i] for i in parts.validation], labels[parts.validation]),
        "test": Labelled(test_texts, test_labels),
    }
    return _made("ag-news", AG_CLASSES, splits, parts, tokens, {"split": "test as published"})


def _made(
    name: str,
    classes: Sequence[str],
    splits: dict[str, Labelled],
    parts: Parts,
    tokens: Tokens,
    said: dict[str, Any],
) -> DataSet:
    report = {**parts.report, **said, "train_classes": class_counts(splits["train"].labels, classes)}
    how = (tokens.tokenizer, tokens.padding_token, tokens.maximum_length)
    return tokenised(name, classes, splits, *how, report=report)
