"""The made corpus and its tokenizer, against scikit-learn's naive Bayes and the library of tokenizers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import MultinomialNB
from tokenizers import Tokenizer

from zenn.classification.data import DataSet, Split, check_data_set
from zenn.classification.datasets.corpus import Corpus, corpus
from zenn.classification.datasets.mixing import Sources
from zenn.classification.datasets.tokens import Labelled, tokenised, word_tokenizer
from zenn.errors import InputError

SOURCES = Sources(("clean", "short", "replaced"), (0.4, 0.3, 0.3), (0.0, 0.0, 0.4), ("train", "validation"))
HOW = Corpus(
    SOURCES,
    (1.0, 0.25, 1.0),
    (0.0, 0.0, 0.5),
    4,
    20,
    60,
    0.25,
    0.1,
    (16, 32),
    600,
    150,
    300,
    200,
    32,
    False,
    5,
)


def true(split: Split) -> np.ndarray[Any, Any]:
    assert split.original_labels is not None
    return split.original_labels


def source(split: Split) -> np.ndarray[Any, Any]:
    assert split.sources is not None
    return split.sources


def test_sizes_lengths_and_sources() -> None:
    data, _ = corpus(HOW)
    check_data_set(data, "here")
    assert [len(split) for split in data.splits.values()] == [600, 150, 300]
    assert data.classes == ("topic 0", "topic 1", "topic 2", "topic 3")
    for name, split in data.splits.items():
        lengths, own = split.inputs["lengths"], source(split)
        whole = lengths[own != 1]
        assert (whole.min(), whole.max()) == (16, 32)
        assert (lengths[own == 1].min(), lengths[own == 1].max()) == (4, 8)
        ids = split.inputs["input_ids"]
        after = np.arange(ids.shape[1]) >= lengths[:, None]
        assert (ids[after] == data.padding).all()
        assert (ids[~after] != data.padding).all()
        wrong = split.labels != true(split)
        assert not wrong[own != 2].any()
        expected = 0 if name == "test" else round(0.4 * (own == 2).sum())
        assert wrong.sum() == data.report["wrong_labels"][name] == expected


def bags(data: DataSet, split: Split) -> np.ndarray[Any, Any]:
    counts = np.zeros((len(split), data.vocabulary), int)
    for row, ids, length in zip(counts, split.inputs["input_ids"], split.inputs["lengths"], strict=True):
        np.add.at(row, ids[:length], 1)
    return counts


def test_the_topic_can_be_told_and_best_from_clean_texts() -> None:
    data, _ = corpus(HOW)
    model = MultinomialNB().fit(bags(data, data.train), data.train.labels)
    right = model.predict(bags(data, data.test)) == data.test.labels
    own = source(data.test)
    by_source = [right[own == k].mean() for k in range(3)]
    assert by_source[0] > 0.8
    assert 0.35 < by_source[1] < by_source[0]  # chance is 0.25
    assert 0.35 < by_source[2] < by_source[0]


def test_random_labels_teach_nothing() -> None:
    data, _ = corpus(replace(HOW, random_labels=True))
    model = MultinomialNB().fit(bags(data, data.train), data.train.labels)
    assert model.score(bags(data, data.test), data.test.labels) < 0.25 + 4 * np.sqrt(0.25 * 0.75 / 300)


def test_the_tokenizer_gives_back_the_tokens() -> None:
    data, text = corpus(HOW)
    tokenizer = Tokenizer.from_str(text)
    assert tokenizer.get_vocab_size() == data.vocabulary <= 200
    assert tokenizer.token_to_id("[PAD]") == data.padding == 0
    ids, lengths = data.test.inputs["input_ids"], data.test.inputs["lengths"]
    for row, length in zip(ids[:50], lengths[:50], strict=True):
        words = [tokenizer.id_to_token(int(i)) for i in row[:length]]
        if "[UNK]" not in words:
            assert tokenizer.encode(" ".join(words)).ids == row[:length].tolist()


def test_another_process_makes_the_same_corpus() -> None:
    program = (
        "import hashlib, sys; sys.path.insert(0, '.')\n"
        "from tests.classification.test_corpus import HOW, corpus\n"
        "data, text = corpus(HOW)\n"
        "print(hashlib.sha256(data.train.inputs['input_ids'].tobytes() + text.encode()).hexdigest())\n"
    )
    said = {
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"kept": (1.0,)}, "sources.kept: found 1 numbers"),
        ({"replaced": (0.0, 0.0, 1.5)}, "sources.replaced"),
        ({"classes": 1}, "fewer than 2 classes"),
        ({"topic_share": 0.95}, "sum to more than 1"),
        ({"words": (8, 4)}, r"words: found \[8, 4\]"),
        ({"vocabulary": 2}, "vocabulary: found 2"),
        ({"maximum_length": 0}, "maximum_length: found 0"),
        ({"validation_texts": 0}, "validation_share: found 0.0"),
        ({"test_texts": 2}, "class topic .: found no test samples"),
    ],
)
def test_what_cannot_be_made(change: dict[str, Any], found: str) -> None:
    with pytest.raises(InputError, match=found):
        corpus(replace(HOW, **change))


TEXTS = ["One two two.", "two three!", "ONE four"]


def labelled(texts: list[str]) -> dict[str, Labelled]:
    return {name: Labelled(texts, np.arange(len(texts)) % 2) for name in ("train", "validation", "test")}


def test_words_by_frequency_then_alphabet() -> None:
    tokenizer = Tokenizer.from_str(word_tokenizer(TEXTS, 6))
    assert [tokenizer.id_to_token(i) for i in range(6)] == ["[PAD]", "[UNK]", "two", "one", "!", "."]
    assert tokenizer.encode("TWO unheard one").ids == [2, 1, 3]


def test_long_texts_are_cut_and_counted_or_refused() -> None:
    tokenizer = word_tokenizer(TEXTS, 20)
    data = tokenised("mine", ("a", "b"), labelled(TEXTS), tokenizer, "[PAD]", 3)
    assert data.train.inputs["input_ids"].shape == (3, 3)
    np.testing.assert_array_equal(data.train.inputs["lengths"], [3, 3, 2])
    assert data.report["truncated_texts"] == {"train": 1, "validation": 1, "test": 1}
    with pytest.raises(InputError, match="mine, train, text 0: found 4 tokens, expected at most 3"):
        tokenised("mine", ("a", "b"), labelled(TEXTS), tokenizer, "[PAD]", 3, cut=False)


def test_what_a_file_says_of_padding_and_length_is_not_followed() -> None:
    made = Tokenizer.from_str(word_tokenizer(TEXTS, 20))
    made.enable_truncation(2)
    made.enable_padding(length=9)
    data = tokenised("mine", ("a", "b"), labelled(TEXTS), made.to_str(), "[PAD]", 512)
    np.testing.assert_array_equal(data.train.inputs["lengths"], [4, 3, 2])


def test_a_text_without_words_an_unknown_padding_and_no_tokenizer() -> None:
    tokenizer = word_tokenizer(TEXTS, 20)
    with pytest.raises(InputError, match="train, text 1: found no tokens in ' '"):
        tokenised("mine", ("a", "b"), labelled(["one", " "]), tokenizer, "[PAD]", 3)
    with pytest.raises(InputError, match="padding_token: found '<pad>'"):
        tokenised("mine", ("a", "b"), labelled(TEXTS), tokenizer, "<pad>", 3)
    with pytest.raises(InputError, match=r"expected a tokenizer\.json"):
        tokenised("mine", ("a", "b"), labelled(TEXTS), "{}", "[PAD]", 3)
