"""Fetched files: verified, whole, continued where cut, and used from the folder without the network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.checkout import ROOT
from tests.pipeline.server import Server, serving
from zenn.errors import InputError
from zenn.pipeline import fetch as step
from zenn.pipeline.downloaded import downloads
from zenn.pipeline.fetching import Entry, fetch
from zenn.pipeline.registry import REGISTRY, read_registry, registered

CONTENT = b"x,1\n" * 50_000
NAME = "set/data.csv"


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.files["/data.csv"] = CONTENT
        yield server


def entry(server: Server, content: bytes = CONTENT, path: str = "/data.csv") -> Entry:
    return Entry(NAME, server.url + path, hashlib.sha256(content).hexdigest())


def kept(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        assert fetch(entry(server), tmp_path) == tmp_path / NAME
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert server.asked == [("/data.csv", None)]
    assert kept(tmp_path) == {"data.csv"}


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_goes_on(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.cut_at, server.ranges = 70_000, ranges
    with pytest.raises(InputError, match="a download that was cut"):
        fetch(entry(server), tmp_path)
    assert kept(tmp_path) == {".data.csv.part"}
    server.cut_at = None
    fetch(entry(server), tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert server.asked[1] == ("/data.csv", "bytes=70000-")
    assert kept(tmp_path) == {"data.csv"}


@pytest.mark.parametrize("left", [CONTENT, CONTENT + b"more", b"another" * 9])
def test_what_an_earlier_attempt_left_cannot_do_harm(server: Server, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / ".data.csv.part").write_bytes(left)
    try:
        fetch(entry(server), tmp_path)
    except InputError:  # the wrong beginning is gone
        fetch(entry(server), tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert kept(tmp_path) == {"data.csv"}


def refused(entry: Entry, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        fetch(entry, folder)
    text = str(caught.value)
    assert str(folder / NAME) in text
    assert entry.url in text
    assert f"expected the file with sha256 {entry.sha256}" in text
    assert "ZENN_DOWNLOADS" in text
    assert not (folder / NAME).exists()
    return text


def test_another_content_is_refused_with_both_hashes(server: Server, tmp_path: Path) -> None:
    text = refused(entry(server, b"other"), tmp_path)
    found = hashlib.sha256(CONTENT).hexdigest()
    assert f"another file of {len(CONTENT)} bytes with sha256 {found}" in text
    assert kept(tmp_path) == set()


def test_a_page_instead_of_the_file_is_named_as_one(server: Server, tmp_path: Path) -> None:
    server.files["/data.csv"] = b"\n<!DOCTYPE html><title>Log in</title>"
    assert "found an HTML page of 37 bytes" in refused(entry(server), tmp_path)


def test_a_refusal_and_no_network_are_told_apart(server: Server, tmp_path: Path) -> None:
    assert "found the answer 404 Not Found" in refused(entry(server, path="/gone"), tmp_path)
    nobody = Entry(NAME, "http://127.0.0.1:9/data.csv", "0" * 64)
    assert "found no answer (ConnectionError: is there a network?)" in refused(nobody, tmp_path)


def test_a_file_put_there_by_hand_needs_no_network(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENN_DOWNLOADS", str(tmp_path))
    assert downloads() == tmp_path
    (tmp_path / "set").mkdir()
    (tmp_path / NAME).write_bytes(CONTENT)
    fetch(entry(server), downloads())
    assert server.asked == []


def test_a_wrong_file_in_its_place_is_told_or_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / NAME).write_bytes(b"cut")
    with pytest.raises(InputError, match=rf"a file with sha256 {hashlib.sha256(b'cut').hexdigest()} in its"):
        fetch(entry(server, path="/gone"), tmp_path)
    assert (tmp_path / NAME).read_bytes() == b"cut"
    fetch(entry(server), tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/set/data.csv: found .*, expected a place that can be read"):
        fetch(entry(server), tmp_path / "file")


def test_the_step_leaves_the_files_and_a_manifest(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENN_DOWNLOADS", str(tmp_path / "kept"))
    (tmp_path / "out").mkdir()
    wanted = entry(server)
    step.run({"files": [wanted._asdict()]}, {}, tmp_path / "out")
    assert (tmp_path / "out" / "data.csv").read_bytes() == CONTENT
    (said,) = json.loads((tmp_path / "out" / "manifest.json").read_text())
    known = {"bytes": len(CONTENT), "verified_by": "published sha256"}
    assert said == {"file": "data.csv", **wanted._asdict(), **known}


def test_two_files_of_one_name_do_not_replace_each_other(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENN_DOWNLOADS", str(tmp_path / "kept"))
    (tmp_path / "out").mkdir()
    files = [entry(server)._replace(name=name)._asdict() for name in ("a/data.csv", "b/data.csv")]
    with pytest.raises(InputError, match=r"two files called data.csv"):
        step.run({"files": files}, {}, tmp_path / "out")


def published_md5(server: Server, content: bytes = CONTENT) -> Entry:
    return Entry(NAME, f"{server.url}/data.csv", md5=hashlib.md5(content).hexdigest())


def test_a_file_of_which_only_an_md5_is_published(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        fetch(published_md5(server), tmp_path)
    assert len(server.asked) == 1
    assert kept(tmp_path) == {"data.csv"}
    with pytest.raises(InputError) as caught:
        fetch(published_md5(server, b"other"), tmp_path / "elsewhere")
    text = str(caught.value)
    assert f"another file of {len(CONTENT)} bytes with md5 {hashlib.md5(CONTENT).hexdigest()}" in text
    assert f"expected the file with md5 {hashlib.md5(b'other').hexdigest()}" in text
    assert kept(tmp_path / "elsewhere") == set()


def unknown(server: Server) -> Entry:
    return Entry(NAME, f"{server.url}/data.csv")


def test_a_file_of_unknown_hash_is_recorded_and_may_not_change(server: Server, tmp_path: Path) -> None:
    fetch(unknown(server), tmp_path)
    first = hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / f"{NAME}.sha256").read_text() == f"{first}  data.csv\n"
    assert fetch(unknown(server), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 1

    (tmp_path / NAME).unlink()
    server.files["/data.csv"] = b"another"
    with pytest.raises(
        InputError, match=rf"sha256 {first}, recorded at its first download in data.csv.sha256"
    ):
        fetch(unknown(server), tmp_path)
    assert kept(tmp_path) == {"data.csv.sha256"}
    server.files["/data.csv"] = CONTENT
    fetch(unknown(server), tmp_path)

    server.files["/data.csv"] = b"another"
    (tmp_path / NAME).write_bytes(b"changed here")  # by someone, or by a failing disk
    with pytest.raises(InputError, match="recorded at its first download"):
        fetch(unknown(server), tmp_path)


def test_a_file_of_unknown_hash_put_there_by_hand_is_recorded(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / NAME).write_bytes(b"mine")
    fetch(unknown(server), tmp_path)
    assert server.asked == []
    assert (tmp_path / f"{NAME}.sha256").read_text().split() == [
        hashlib.sha256(b"mine").hexdigest(),
        "data.csv",
    ]


@pytest.mark.parametrize("content", [b"", b"<html>Log in</html>"])
def test_what_cannot_be_the_file_is_not_trusted_on_first_use(
    server: Server, tmp_path: Path, content: bytes
) -> None:
    server.files["/data.csv"] = content
    with pytest.raises(InputError, match=r"found (another file of 0|an HTML page of 19) bytes"):
        fetch(unknown(server), tmp_path)
    assert kept(tmp_path) == set()


def test_a_cut_download_is_not_trusted_on_first_use(server: Server, tmp_path: Path) -> None:
    server.cut_at = 70_000
    with pytest.raises(InputError, match="a download that was cut"):
        fetch(unknown(server), tmp_path)
    assert kept(tmp_path) == {".data.csv.part"}
    server.cut_at = None
    assert fetch(unknown(server), tmp_path).read_bytes() == CONTENT


def test_a_record_that_is_none_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for content in (b"", b"\xff\xfe", b"0" * 63):
        (tmp_path / f"{NAME}.sha256").write_bytes(content)
        with pytest.raises(InputError, match=r"data.csv.sha256: found something else, expected the sha256"):
            fetch(unknown(server), tmp_path)


@pytest.mark.parametrize("off", [-1000, 1000])
def test_a_server_that_lies_about_the_length_is_found_out(server: Server, tmp_path: Path, off: int) -> None:
    server.lie = off
    with pytest.raises(InputError, match=r"another file of 199000 bytes|a download that was cut"):
        fetch(entry(server), tmp_path)
    assert kept(tmp_path) <= {".data.csv.part"}
    server.lie = 0
    fetch(entry(server), tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_every_entry_of_the_registry_can_be_used() -> None:
    entries = read_registry(ROOT / REGISTRY)
    assert all(entry.url.startswith("https://") for name, entry in entries.items() if "bbc" not in name)
    # the publisher of these gives no hash, and we have not downloaded them
    assert {name for name, entry in entries.items() if not (entry.sha256 or entry.md5)} == {
        f"vit/ViT-{size}.npz" for size in ("B_32", "L_32", "L_16")
    }


HEADER = "name,url,bytes,sha256,md5,licence,used_by"
GOOD = f"set/a.csv,https://example.org/a.csv,,{'0' * 64},{'1' * 32},CC0,a test"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name,url\n", "line 1: found name,url, expected name,url,bytes"),
        (f"{HEADER}\n{GOOD}\n{GOOD}\n", "line 3, column name: found 'set/a.csv' again"),
        (f"{HEADER}\n{GOOD},more\n", "line 2: found more or fewer fields"),
        (f"{HEADER}\n{GOOD.replace('set/', '../')}\n", "line 2, column name: found '../a.csv'"),
        (f"{HEADER}\n{GOOD.replace('set/', '/')}\n", "line 2, column name: found '/a.csv'"),
        (f"{HEADER}\n{GOOD.replace('000,', '00,')}\n", "line 2, column sha256: found '0{63}', expected 64"),
        (f"{HEADER}\n{GOOD.replace('111,', '11,')}\n", "line 2, column md5: found '1{31}', expected 32"),
        (f"{HEADER}\n{GOOD.replace('https', 'file')}\n", "line 2, column url: found 'file://"),
        (f"{HEADER}\n{GOOD.replace(',,', ',many,')}\n", "line 2, column bytes: found 'many'"),
        (f"{HEADER}\n{GOOD.replace('CC0', '')}\n", "line 2, column licence: found ''"),
    ],
)
def test_a_slip_in_the_registry_is_named(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "registry.csv").write_text(text)
    with pytest.raises(InputError, match=rf"registry.csv, {found}"):
        read_registry(tmp_path / "registry.csv")


def test_an_unknown_entry_is_named(tmp_path: Path) -> None:
    (tmp_path / "data" / "inputs").mkdir(parents=True)
    (tmp_path / "data" / "inputs" / "registry.csv").write_text(f"{HEADER}\n{GOOD}\n")
    assert registered(tmp_path, ["set/a.csv"])[0].url == "https://example.org/a.csv"
    with pytest.raises(InputError, match=r"no 'set/b.csv', expected one of .* did you mean 'set/a.csv'"):
        registered(tmp_path, ["set/b.csv"])
