"""The steps that prepare data sets: from a server or from nothing to files, or to a clear error."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.classification.published import (
    ag_news_csv,
    ag_news_rows,
    bbc_zip,
    cifar_10_files,
    cifar_100_files,
    tar_gz,
)
from tests.pipeline.server import Server, serving
from zenn.classification.data import load_data_set
from zenn.classification.datasets.tokens import word_tokenizer
from zenn.errors import InputError
from zenn.files import atomic_folder
from zenn.pipeline import fetch
from zenn.room import main

SOURCES = {
    "names": ["clean", "other"],
    "shares": [0.5, 0.5],
    "label_noise": [0.0, 0.4],
    "noisy_splits": ["train", "validation"],
}
DIGITS = {
    "sources": {**SOURCES, "contrast": [1.0, 0.5], "noise": [0.0, 0.3]},
    "test_images": 450,
    "validation_share": 0.2,
    "imbalance": 1,
    "labels": "true",
    "seed": 1,
}
CORPUS = {
    "sources": {**SOURCES, "kept": [1.0, 0.5], "replaced": [0.0, 0.3]},
    "classes": 3,
    "topic_words": 10,
    "shared_words": 30,
    "topic_share": 0.3,
    "confusion": 0.1,
    "words": [8, 16],
    "train_texts": 90,
    "validation_texts": 30,
    "test_texts": 30,
    "vocabulary": 100,
    "maximum_length": 16,
    "labels": "true",
    "seed": 1,
}
CIFAR = {
    "data_set": "cifar-10",
    "train_images": 100,
    "test_images": 50,
    "validation_share": 0.2,
    "normalisation": "half",
    "seed": 1,
}
BBC = {
    "data_set": "bbc",
    "documents": 50,
    "test_texts": 20,
    "validation_share": 0.2,
    "padding_token": "[PAD]",
    "maximum_length": 512,
    "seed": 1,
}
AG_NEWS = {**{k: v for k, v in BBC.items() if k != "documents"}, "data_set": "ag-news", "train_texts": 80}


def prepare(folder: Path, verb: str, params: dict[str, Any], **inputs: Path) -> Path:
    """The output of a step, given on the command line of the room."""
    (folder / "params.json").write_text(json.dumps(params))
    given = [f"--input={role}={path}" for role, path in inputs.items()]
    out = folder / "out"
    status = main(
        "zenn.classification", [verb, "--params", str(folder / "params.json"), "--out", str(out), *given]
    )
    assert (status == 0) == out.exists()
    return out


@pytest.mark.parametrize("params", [DIGITS, {**DIGITS, "imbalance": 10}, {**DIGITS, "labels": "random"}])
def test_digits(tmp_path: Path, params: dict[str, Any]) -> None:
    data = load_data_set(prepare(tmp_path, "prepare-digits", params))
    assert data.train.inputs["pixels"].shape[1:] == (8, 8, 1)
    assert data.sources == ("clean", "other")


def test_corpus(tmp_path: Path) -> None:
    out = prepare(tmp_path, "prepare-corpus", CORPUS)
    data = load_data_set(out)
    assert len(data.classes) == 3
    assert {path.name for path in out.iterdir()} == {"data.safetensors", "dataset.json", "tokenizer.json"}


def test_a_misspelt_parameter_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(tmp_path, "prepare-digits", {**DIGITS, "inbalance": 2})
    assert "did you mean 'imbalance'" in capsys.readouterr().err


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ZENN_DOWNLOADS", str(tmp_path / "downloads"))
    with serving() as server:
        yield server


def fetched(server: Server, folder: Path, files: dict[str, bytes], algorithm: str = "md5") -> Path:
    """The folder of a step that fetched `files`, as the pipeline makes it: whole or not at all."""
    entries = []
    for name, content in files.items():
        server.files.setdefault(f"/{name}", content)
        known = {algorithm: hashlib.new(algorithm, content).hexdigest()} if algorithm else {}
        entries.append({"name": f"set/{name}", "url": f"{server.url}/{name}", **known})
    with atomic_folder(folder / "fetched") as out:
        fetch.run({"files": entries}, {}, out)
    return folder / "fetched"


def archive(folder: Path, kind: str) -> bytes:
    files = cifar_10_files(100, 50) if kind == "cifar-10" else cifar_100_files(400, 100)
    return tar_gz(folder / "made.tar.gz", files).read_bytes()


@pytest.mark.parametrize("kind", ["cifar-10", "cifar-100"])
@pytest.mark.parametrize("algorithm", ["md5", "sha256", ""])
def test_cifar_from_a_server(server: Server, tmp_path: Path, kind: str, algorithm: str) -> None:
    content = archive(tmp_path, kind)
    folder = fetched(server, tmp_path, {f"{kind}-binary.tar.gz": content}, algorithm)
    params = CIFAR if kind == "cifar-10" else {
        **CIFAR, "data_set": kind, "train_images": 400, "test_images": 100, "validation_share": 0.25,
        "normalisation": "training",
    }  # fmt: skip
    data = load_data_set(prepare(tmp_path, "prepare-cifar", params, published=folder))
    assert len(data.classes) == int(kind.removeprefix("cifar-"))
    assert len(data.test) == params["test_images"]
    assert (data.mean == (0.5, 0.5, 0.5)) == (kind == "cifar-10")


def test_news_from_a_server(server: Server, tmp_path: Path) -> None:
    made = bbc_zip(tmp_path / "made.zip", 10)
    (tmp_path / "language").mkdir()
    (tmp_path / "language" / "tokenizer.json").write_text(word_tokenizer(["story about things"], 20))
    folder = fetched(server, tmp_path, {"bbc-fulltext.zip": made.read_bytes()}, "sha256")
    inputs = {"published": folder, "tokenizer": tmp_path / "language"}
    data = load_data_set(prepare(tmp_path, "prepare-news", BBC, **inputs))
    assert [len(split) for split in data.splits.values()] == [24, 6, 20]

    files = {"train.csv": ag_news_rows(80, "train"), "test.csv": ag_news_rows(20, "test")}
    contents = {name: ag_news_csv(tmp_path / name, rows).read_bytes() for name, rows in files.items()}
    (tmp_path / "second").mkdir()
    inputs["published"] = fetched(server, tmp_path / "second", contents)
    data = load_data_set(prepare(tmp_path / "second", "prepare-news", AG_NEWS, **inputs))
    assert [len(split) for split in data.splits.values()] == [64, 16, 20]
    assert data.classes == ("World", "Sports", "Business", "Sci/Tech")


def test_a_server_that_fails_in_the_middle_leaves_nothing_but_its_part(
    server: Server, tmp_path: Path
) -> None:
    content = archive(tmp_path, "cifar-10")
    server.cut_at = len(content) // 2
    with pytest.raises(InputError, match="a download that was cut"):
        fetched(server, tmp_path, {"cifar-10-binary.tar.gz": content})
    assert not (tmp_path / "fetched").exists()
    assert [path.name for path in (tmp_path / "downloads" / "set").iterdir()] == [
        ".cifar-10-binary.tar.gz.part"
    ]
    server.cut_at = None
    folder = fetched(server, tmp_path, {"cifar-10-binary.tar.gz": content})
    assert server.asked[-1][1] is not None  # it went on
    assert len(load_data_set(prepare(tmp_path, "prepare-cifar", CIFAR, published=folder)).test) == 50


@pytest.mark.parametrize("case", ["another content", "too short", "too long"])
def test_a_server_that_sends_something_else_leaves_nothing(server: Server, tmp_path: Path, case: str) -> None:
    content = archive(tmp_path, "cifar-10")
    server.files["/cifar-10-binary.tar.gz"] = content + b"more" if case == "another content" else content
    server.lie = {"another content": 0, "too short": -100, "too long": 100}[case]
    with pytest.raises(InputError, match=r"another file of \d+ bytes with md5|a download that was cut"):
        fetched(server, tmp_path, {"cifar-10-binary.tar.gz": content})
    assert not (tmp_path / "fetched").exists()
    assert not (tmp_path / "downloads" / "set" / "cifar-10-binary.tar.gz").exists()


def traversing() -> bytes:
    """An archive of the right files with one that wants to leave, and a link to help it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in {**cifar_10_files(100, 50), "../../escaped": b"x"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("case", ["path", "truncated", "truncated inside", "no archive"])
def test_a_bad_archive_of_the_right_hash_is_told_and_leaves_nothing(
    server: Server, tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = archive(tmp_path, "cifar-10")
    content, said = {
        "path": (traversing(), "a path that can lead out of the archive"),
        "truncated": (whole[: len(whole) // 2], "a whole archive"),
        "truncated inside": (gzip.compress(gzip.decompress(whole)[:300_000]), "a whole archive"),
        "no archive": (b"something else" * 100, "a whole archive"),
    }[case]
    folder = fetched(server, tmp_path, {"cifar-10-binary.tar.gz": content})
    out = prepare(tmp_path, "prepare-cifar", CIFAR, published=folder)
    assert not out.exists()
    error = capsys.readouterr().err
    assert said in error
    assert "cifar-10-binary.tar.gz" in error
    assert not list(tmp_path.rglob("*escaped*"))


def test_what_was_not_fetched_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    prepare(tmp_path, "prepare-cifar", CIFAR, published=tmp_path / "empty")
    assert "cifar-10-binary.tar.gz: found no file" in capsys.readouterr().err
    (tmp_path / "tokenizer.json").write_text(word_tokenizer(["x"], 3))
    (tmp_path / "file").write_text("")
    prepare(
        tmp_path, "prepare-news", AG_NEWS, published=tmp_path / "file", tokenizer=tmp_path / "tokenizer.json"
    )
    assert "a folder with train.csv and test.csv" in capsys.readouterr().err
