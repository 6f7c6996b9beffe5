"""Texts as tokens, once and for all: a given tokenizer, or one of the words of the training texts.

A tokenizer is a `tokenizer.json` of the library `tokenizers`, which is imported where it is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zenn.classification.data import DataSet, Split
from zenn.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, UNKNOWN = "[PAD]", "[UNK]"
_AT_ONCE = 2000  # texts


@dataclass(frozen=True, eq=False)
class Labelled:
    """Texts of one split with their labels, and where they come from and were labelled before, if known."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    sources: NDArray[np.int64] | None = None
    original_labels: NDArray[np.int64] | None = None


def word_tokenizer(texts: Sequence[str], vocabulary: int) -> str:
    """The JSON of a tokenizer of the `vocabulary` - 2 most frequent words (lower case) and signs of `texts`.

    Token 0 is padding, 1 stands for every other word. Equally frequent words go in alphabetical order, so
    that the same texts give the same tokenizer.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    if vocabulary < 3:
        raise InputError("parameters", "vocabulary", vocabulary, "3 tokens or more")
    normalizer, words = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()]), Counter[str]()
    splitter = pre_tokenizers.Whitespace()
    for text in texts:
        words.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    kept = sorted(words.items(), key=lambda item: (-item[1], item[0]))[: vocabulary - 2]
    numbers = {PADDING: 0, UNKNOWN: 1}
    for word, _ in kept:
        numbers.setdefault(word, len(numbers))
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    return tokenizer.to_str(pretty=True)


def read_tokenizer(path: Path) -> str:
    """The JSON of a tokenizer file.

    Raises
    ------
    InputError : it cannot be read, or is no tokenizer.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "", error, "a tokenizer.json that can be read") from None
    _tokenizer(text, path)
    return text


def tokenised(
    name: str,
    classes: Sequence[str],
    splits: dict[str, Labelled],
    tokenizer: str,
    padding_token: str,
    maximum_length: int,
    sources: Sequence[str] = (),
    report: dict[str, Any] | None = None,
    cut: bool = True,
) -> DataSet:
    """The data set of texts in three splits, padded to the longest of them.

    Texts are cut at `maximum_length` tokens, and that is counted; unless `cut`, a longer one is refused.

    Raises
    ------
    InputError : the tokenizer does not know `padding_token`, a text has no token or too many.
    """
    encoder = _tokenizer(tokenizer, name)
    padding = encoder.token_to_id(padding_token)
    if padding is None:
        raise InputError("parameters", "padding_token", repr(padding_token), "a token of the tokenizer")
    if maximum_length < 1:
        raise InputError("parameters", "maximum_length", maximum_length, "one token or more")
    tokens = {which: _encoded(encoder, split.texts, name, which) for which, split in splits.items()}
    width = min(maximum_length, max(len(ids) for each in tokens.values() for ids in each))
    lengths = {which: np.array([len(ids) for ids in each]) for which, each in tokens.items()}
    if not cut:
        _refuse_long(name, lengths, maximum_length)
    said = {
        "truncated_texts": {which: int((each > maximum_length).sum()) for which, each in lengths.items()},
        "mean_tokens_before_truncation": {which: float(each.mean()) for which, each in lengths.items()},
        "maximum_length": maximum_length,
    }
    made = {}
    for which, split in splits.items():
        ids = np.full((len(split.texts), width), padding, np.int32)
        for row, each in zip(ids, tokens[which], strict=True):
            row[: len(each)] = each[:width]
        inputs = {"input_ids": ids, "lengths": np.minimum(lengths[which], width).astype(np.int32)}
        made[which] = Split(inputs, split.labels, split.sources, split.original_labels)
    return DataSet(
        name=name,
        kind="texts",
        classes=tuple(classes),
        **made,
        mean=(),
        std=(),
        vocabulary=max(encoder.get_vocab(with_added_tokens=True).values()) + 1,
        padding=padding,
        sources=tuple(sources),
        report={**(report or {}), **said},
    )


def _refuse_long(name: str, lengths: dict[str, NDArray[Any]], limit: int) -> None:
    for which, each in lengths.items():
        if (each > limit).any():
            i = int(np.argmax(each))
            hint = "Raise the limit, or ask for longer texts to be cut"
            raise InputError(name, f"{which}, text {i}", f"{each[i]} tokens", f"at most {limit}", hint)


def _tokenizer(text: str, source: str | Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        made = Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing narrower
        raise InputError(source, "", error, "a tokenizer.json") from None
    made.no_truncation()  # what the file says of these must not hide how long the texts are
    made.no_padding()
    return made


def _encoded(encoder: Tokenizer, texts: Sequence[str], name: str, which: str) -> list[NDArray[np.int32]]:
    found: list[NDArray[np.int32]] = []
    for begin in range(0, len(texts), _AT_ONCE):
        batch = encoder.encode_batch(list(texts[begin : begin + _AT_ONCE]))
        found += [np.array(each.ids, np.int32) for each in batch]
    for i, ids in enumerate(found):
        if not len(ids):
            raise InputError(name, f"{which}, text {i}", f"no tokens in {texts[i]!r}", "one token or more")
    return found
