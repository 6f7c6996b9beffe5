"""A made corpus of texts of several sources: `data.safetensors`, `dataset.json` and `tokenizer.json`.

No inputs. Parameters: `sources` with one entry per source in the lists names, shares, kept (share of a text's
words that is left), replaced (share of these that is any word), label_noise (share of wrong labels), and
noisy_splits (in which labels are wrong); classes; topic_words and shared_words (numbers of words);
topic_share and confusion (probabilities of a word of the own topic and of another); words [shortest, longest
text]; train_texts, validation_texts, test_texts; vocabulary; maximum_length; labels,
`true` or `random`; seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zenn.classification.data import TOKENIZER, save_data_set
from zenn.classification.datasets.corpus import Corpus, corpus
from zenn.classification.steps._data import read_sources
from zenn.errors import InputError
from zenn.files import write_text
from zenn.given import Given


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the data set and its tokenizer into `out`."""
    sources, words = params.group("sources"), params.integers("words")
    if len(words) != 2:
        raise InputError("parameters", "words", list(words), "the shortest and the longest text")
    how = Corpus(
        sources=read_sources(sources),
        kept=sources.numbers("kept"),
        replaced=sources.numbers("replaced"),
        classes=params.integer("classes"),
        topic_words=params.integer("topic_words"),
        shared_words=params.integer("shared_words"),
        topic_share=params.number("topic_share"),
        confusion=params.number("confusion"),
        words=(words[0], words[1]),
        train_texts=params.integer("train_texts"),
        validation_texts=params.integer("validation_texts"),
        test_texts=params.integer("test_texts"),
        vocabulary=params.integer("vocabulary"),
        maximum_length=params.integer("maximum_length"),
        random_labels=params.choice("labels", ("true", "random")) == "random",
        seed=params.integer("seed"),
    )
    data, tokenizer = corpus(how)
    write_text(out / TOKENIZER, tokenizer)
    save_data_set(out, data)
