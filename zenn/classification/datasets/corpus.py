"""A made corpus of texts of several sources, each known: seeded, without a network, for small runs.

A text is a sequence of made-up words. Each word is, with the probability `topic_share`, one of its class's
topic words; with `confusion`, one of another class; otherwise a word that all classes share. Within a list
the r-th word has the weight 1 / r (Zipf). Sources: a text is cut to a share of its words, some of its words
are replaced by any word, and a share of its labels is wrong in training and validation (true in test).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from zenn.classification.data import DataSet
from zenn.classification.datasets.digits import described
from zenn.classification.datasets.mixing import Sources
from zenn.classification.datasets.splits import class_counts, split_given, text_keys
from zenn.classification.datasets.tokens import PADDING, Labelled, tokenised, word_tokenizer
from zenn.errors import InputError

Integers = NDArray[np.int64]

_ONSETS, _VOWELS = tuple("bdfgklmnprstvz"), tuple("aeiou")


@dataclass(frozen=True)
class Corpus:
    """How the corpus is made.

    Attributes
    ----------
    sources, kept, replaced
        One entry per source: the share of a text's words that is left (from its beginning, one at least),
        and of these that is replaced.
    classes, topic_words, shared_words
        Number of classes, of words of each topic, of words of all.
    topic_share, confusion
        Probabilities of a word of the own topic and of another.
    words
        Shortest and longest text.
    train_texts, validation_texts, test_texts
        Sizes; validation is drawn by class from the sum of the first two.
    vocabulary, maximum_length
        Of the tokenizer, which is made of the training texts.
    random_labels
        All labels are drawn at random, those of the test too.
    """

    sources: Sources
    kept: tuple[float, ...]
    replaced: tuple[float, ...]
    classes: int
    topic_words: int
    shared_words: int
    topic_share: float
    confusion: float
    words: tuple[int, int]
    train_texts: int
    validation_texts: int
    test_texts: int
    vocabulary: int
    maximum_length: int
    random_labels: bool
    seed: int


@dataclass(frozen=True, eq=False)
class _Pool:
    texts: list[str]
    labels: Integers
    sources: Integers

    def of(self, indices: Integers) -> _Pool:
        return _Pool([self.texts[i] for i in indices], self.labels[indices], self.sources[indices])


def corpus(how: Corpus) -> tuple[DataSet, str]:
    """The data set that `how` describes, and the JSON of its tokenizer; `original_labels` are the true ones.

    Raises
    ------
    InputError : a parameter is out of range.
    """
    _check(how)
    generator = np.random.default_rng([how.seed, 3])
    topics, shared = _words(how, generator)
    pool = _written(how, how.train_texts + how.validation_texts, topics, shared, generator)
    test = _written(how, how.test_texts, topics, shared, generator)
    classes = tuple(f"topic {k}" for k in range(how.classes))
    share = how.validation_texts / len(pool.texts)
    parts = split_given(
        pool.labels,
        text_keys(pool.texts),
        test.labels,
        text_keys(test.texts),
        share,
        how.seed,
        classes,
        "the corpus",
    )
    pools = {"train": pool.of(parts.train), "validation": pool.of(parts.validation), "test": test}
    splits = {name: _labelled(name, each, how, generator) for name, each in pools.items()}
    tokenizer = word_tokenizer(splits["train"].texts, how.vocabulary)
    report = {**parts.report, "train_classes": class_counts(pools["train"].labels, classes)}
    data = tokenised(
        "corpus", classes, splits, tokenizer, PADDING, how.maximum_length, how.sources.names, report
    )
    data.report.update(described(data.splits))
    return data, tokenizer


def _check(how: Corpus) -> None:
    how.sources.check(kept=how.kept, replaced=how.replaced)
    for name, values in (("kept", how.kept), ("replaced", how.replaced)):
        if not all(0 <= value <= 1 for value in values):
            raise InputError("parameters", f"sources.{name}", list(values), "shares from 0 to 1")
    if how.classes < 2 or min(how.topic_words, how.shared_words) < 1:
        raise InputError("parameters", "", "an empty list of words or fewer than 2 classes", "more")
    if how.topic_share < 0 or how.confusion < 0 or how.topic_share + how.confusion > 1:
        raise InputError("parameters", "topic_share", "shares of words that sum to more than 1", "less")
    if not 1 <= how.words[0] <= how.words[1]:
        raise InputError("parameters", "words", list(how.words), "shortest and longest, 1 or more")


def _words(how: Corpus, generator: np.random.Generator) -> tuple[list[list[str]], list[str]]:
    """The words of each topic and those of all, no word twice."""
    syllables = ["".join(pair) for pair in product(_ONSETS, _VOWELS)]
    wanted = how.classes * how.topic_words + how.shared_words
    length = 2
    while len(syllables) ** length < 2 * wanted:
        length += 1
    made: dict[str, None] = {}
    while len(made) < wanted:
        made.setdefault("".join(syllables[i] for i in generator.integers(0, len(syllables), length)))
    words = list(made)
    n = how.topic_words
    return [words[k * n : (k + 1) * n] for k in range(how.classes)], words[how.classes * n :]


def _written(
    how: Corpus, count: int, topics: list[list[str]], shared: list[str], generator: np.random.Generator
) -> _Pool:
    labels = generator.permutation(np.arange(count) % how.classes).astype(np.int64)
    sources = how.sources.assign(count, generator)
    every = [word for topic in topics for word in topic] + shared
    texts = []
    for label, source in zip(labels.tolist(), sources.tolist(), strict=True):
        length = int(generator.integers(how.words[0], how.words[1] + 1))
        kinds = generator.random(length)
        other = (label + 1 + int(generator.integers(how.classes - 1))) % how.classes
        words = []
        for kind in kinds[: max(1, round(how.kept[source] * length))]:
            if kind < how.topic_share:
                words.append(_drawn(topics[label], generator))
            elif kind < how.topic_share + how.confusion:
                words.append(_drawn(topics[other], generator))
            else:
                words.append(_drawn(shared, generator))
        for i in np.flatnonzero(generator.random(len(words)) < how.replaced[source]):
            words[i] = every[int(generator.integers(len(every)))]
        texts.append(" ".join(words))
    return _Pool(texts, labels, sources)


def _drawn(words: list[str], generator: np.random.Generator) -> str:
    weights = np.cumsum(1 / np.arange(1, len(words) + 1))
    return words[int(np.searchsorted(weights, generator.random() * weights[-1], side="right"))]


def _labelled(name: str, pool: _Pool, how: Corpus, generator: np.random.Generator) -> Labelled:
    given = pool.labels
    if how.random_labels:
        given = generator.integers(0, how.classes, len(pool.labels))
    elif name in how.sources.noisy_splits:
        given = how.sources.noisy(pool.labels, pool.sources, how.classes, generator)
    return Labelled(pool.texts, given, pool.sources, pool.labels)
