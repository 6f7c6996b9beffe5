"""BBC News or AG News as tokens: `data.safetensors`, `dataset.json` and `tokenizer.json`.

Inputs: `published`, a folder with bbc-fulltext.zip, or with train.csv and test.csv; `tokenizer`, a
tokenizer.json or a folder with it. Parameters: data_set, `bbc` or `ag-news`; for BBC documents (which the
archive has to hold) and test_texts (how many of them become the test), for AG News train_texts and test_texts
(which the files have to hold); validation_share (of the training texts); padding_token; maximum_length, at
which texts are cut; seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zenn.classification.data import TOKENIZER, save_data_set
from zenn.classification.datasets.news import Tokens, ag_news, bbc
from zenn.classification.datasets.tokens import read_tokenizer
from zenn.classification.steps._data import file_of
from zenn.errors import InputError
from zenn.files import write_text
from zenn.given import Given


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the data set and the tokenizer into `out`."""
    tokenizer = read_tokenizer(file_of(inputs["tokenizer"], TOKENIZER))
    tokens = Tokens(tokenizer, params.text("padding_token"), params.integer("maximum_length"))
    share, seed, test_texts = (
        params.number("validation_share"),
        params.integer("seed"),
        params.integer("test_texts"),
    )
    published = inputs["published"]
    if params.choice("data_set", ("bbc", "ag-news")) == "bbc":
        documents, archive = params.integer("documents"), file_of(published, "bbc-fulltext.zip")
        data = bbc(archive, documents, test_texts, share, seed, tokens)
    else:
        if not published.is_dir():
            raise InputError(published, "", "a file", "a folder with train.csv and test.csv")
        rows = params.integer("train_texts"), test_texts
        train, test = file_of(published, "train.csv"), file_of(published, "test.csv")
        data = ag_news(train, test, rows, share, seed, tokens)
    write_text(out / TOKENIZER, tokenizer)
    save_data_set(out, data)
