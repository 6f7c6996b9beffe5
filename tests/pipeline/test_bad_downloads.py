"""Servers that are slow, send elsewhere, pack, change or never end; and two that want one file at once."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.pipeline.checkout import ROOT, wait_for
from tests.pipeline.server import Server, serving
from tests.pipeline.test_fetching import CONTENT, NAME, entry, kept, unknown
from zenn.errors import InputError
from zenn.pipeline import transfer
from zenn.pipeline.fetching import Entry, fetch

PART = ".data.csv.part"
PAGE = b"<!doctype html><title>Log in</title>"


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.files["/data.csv"] = CONTENT
        yield server


def refused(entry: Entry, folder: Path, found: str) -> str:
    with pytest.raises(InputError) as caught:
        fetch(entry, folder)
    assert found in str(caught.value)
    assert str(folder / NAME) in str(caught.value)
    assert not (folder / NAME).exists()
    return str(caught.value)


# slow servers


@pytest.mark.parametrize("sent", [0, 1000])
def test_a_server_that_stops_sending_is_left_and_what_came_is_kept(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    server.hold_at = sent
    found = "found a server that sent nothing for 0.2 s"
    refused(entry(server), tmp_path, f"{found} (what has come is kept)" if sent else f"{found}, expected")
    assert kept(tmp_path) == ({PART} if sent else set())
    server.hold_at = None
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT
    assert server.asked[1] == ("/data.csv", f"bytes={sent}-" if sent else None)


def test_a_server_that_drips_is_left_too(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 30.0)
    monkeypatch.setattr(transfer, "WINDOW", 0.2)
    server.hold_at, server.drip = len(CONTENT) - 200, True
    # so fast that no machine is: the first window may hold what came at once
    monkeypatch.setattr(transfer, "SLOWEST", 1e12)
    refused(entry(server), tmp_path, "(what has come is kept)")
    part = tmp_path / "set" / PART
    assert part.read_bytes() == CONTENT[: part.stat().st_size]
    assert part.stat().st_size >= 100_000
    server.hold_at = None
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT


def test_a_slow_server_that_gets_on_is_waited_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "WINDOW", 0.0)  # every piece is looked at
    monkeypatch.setattr(transfer, "SLOWEST", 0.001)
    server.hold_at, server.drip = 1000, True
    wanted = entry(server)
    got: list[Path] = []
    waiting = threading.Thread(target=lambda: got.append(fetch(wanted, tmp_path)))
    waiting.start()
    part = tmp_path / "set" / PART
    wait_for(lambda: part.is_file() and part.stat().st_size > 1005)
    server.go_on.set()
    waiting.join(60)
    assert got[0].read_bytes() == CONTENT


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_without_an_end_does_not_fill_the_disk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 100_000)
    server.chunked = chunked
    refused(entry(server), tmp_path, "more than 100000 bytes and no end")
    assert kept(tmp_path) == set()


# redirects


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.redirects = {"/old": "/data.csv"}
    assert fetch(entry(server, path="/old"), tmp_path).read_bytes() == CONTENT


def test_a_redirect_to_a_login_page_is_named_as_one(server: Server, tmp_path: Path) -> None:
    server.redirects, server.files["/login"] = {"/data.csv": "/login"}, PAGE
    for wanted in (entry(server), unknown(server)):
        found = refused(wanted, tmp_path, f"an HTML page of {len(PAGE)} bytes")
        assert f"redirected to {server.url}/login" in found
        assert kept(tmp_path) == set()


def test_a_login_page_does_not_cost_what_has_come(server: Server, tmp_path: Path) -> None:
    server.cut_at = 70_000
    refused(entry(server), tmp_path, "a download that was cut (what has come is kept)")
    server.cut_at, server.redirects, server.files["/login"] = None, {"/data.csv": "/login"}, PAGE
    server.ranges = False
    found = refused(entry(server), tmp_path, "in place of the rest (what has come is kept)")
    assert f"an HTML page from {server.url}/login" in found
    assert (tmp_path / "set" / PART).read_bytes() == CONTENT[:70_000]
    server.redirects, server.ranges = {}, True
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("to", "found"),
    [
        ("/data.csv", "redirects without an end"),
        ("file:///etc/hostname", "a redirect to what is not fetched"),
        ("ftp://127.0.0.1/data.csv", "a redirect to what is not fetched"),
        ("http://[::1", "n"),  # an address that cannot be used, in the words of the library
        ("http://a..b/data.csv", "n"),
        ("http://127.0.0.1:99999999/", "n"),
    ],
)
def test_a_redirect_to_nowhere_is_told(server: Server, tmp_path: Path, to: str, found: str) -> None:
    server.redirects = {"/data.csv": to}
    refused(entry(server), tmp_path, found)
    assert kept(tmp_path) == set()


def test_no_redirect_leads_from_https_to_http(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of the https server is made here: no certificate is needed for it."""
    send = requests.adapters.HTTPAdapter.send

    def answer(self: object, request: requests.PreparedRequest, **options: object) -> requests.Response:
        assert request.url is not None
        if not request.url.startswith("https:"):
            return send(self, request, **options)  # type: ignore[arg-type]
        made = requests.Response()
        made.status_code, made.request, made.url = 302, request, request.url
        made.headers["Location"] = f"{server.url}/data.csv"
        made.raw = requests.packages.urllib3.HTTPResponse(io.BytesIO(), preload_content=False)
        return made

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    refused(
        Entry(NAME, "https://example.org/data.csv", sha256), tmp_path, "a redirect to what is not fetched"
    )
    assert server.asked == []


@pytest.mark.parametrize("status", [202, 204, 206, 300])
def test_only_an_answer_that_brings_the_file_is_one(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    refused(entry(server), tmp_path, f"the answer {status}")


# what a server may do to a file on its way


def test_a_file_that_the_server_packs_unasked_is_unpacked(server: Server, tmp_path: Path) -> None:
    server.files["/data.csv"] = gzip.compress(CONTENT)
    server.headers["Content-Encoding"] = "gzip"
    server.cut_at = 150
    refused(entry(server), tmp_path, "cut")
    server.cut_at = None
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT
    assert server.said[0]["Accept-Encoding"] == "identity"
    assert server.asked[1] == ("/data.csv", "bytes=150-")
    assert kept(tmp_path) == {"data.csv"}


def test_an_archive_that_is_said_to_be_packed_stays_one(server: Server, tmp_path: Path) -> None:
    """Servers say so of .tar.gz."""
    packed = server.files["/data.csv"] = gzip.compress(CONTENT)
    server.headers["Content-Encoding"] = "x-gzip"
    assert fetch(entry(server, packed), tmp_path).read_bytes() == packed


def test_what_is_packed_otherwise_is_refused(server: Server, tmp_path: Path) -> None:
    server.headers["Content-Encoding"] = "br"
    refused(entry(server, b"other"), tmp_path, "packed by the server (br)")
    refused(unknown(server), tmp_path, "packed by the server (br)")  # nobody knows which is meant
    assert kept(tmp_path) == set()


@pytest.mark.parametrize("shift", [-5, 5])
def test_a_partial_answer_that_begins_elsewhere_is_not_appended(
    server: Server, tmp_path: Path, shift: int
) -> None:
    server.cut_at, server.shift = 70_000, shift
    refused(entry(server), tmp_path, "cut")
    server.cut_at = None
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=70000-", None]


def test_a_cut_download_of_unknown_length_is_noticed_and_goes_on(server: Server, tmp_path: Path) -> None:
    server.chunked, server.cut_at = True, 70_000
    for wanted in (entry(server), unknown(server)):
        refused(wanted, tmp_path, "a download that was cut (what has come is kept)")
    server.cut_at = None
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT


def test_a_whole_download_that_was_not_put_in_its_place_needs_no_network(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / PART).write_bytes(CONTENT)  # killed before the rename
    assert fetch(entry(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("obeys", [True, False])
def test_two_versions_of_an_unknown_file_do_not_become_one(
    server: Server, tmp_path: Path, obeys: bool
) -> None:
    server.headers["ETag"], server.cut_at = '"one"', 70_000
    refused(unknown(server), tmp_path, "cut")
    changed = server.files["/data.csv"] = b"y,2\n" * 50_000
    server.headers["ETag"], server.cut_at = '"two"', None
    server.if_range = obeys
    assert fetch(unknown(server), tmp_path).read_bytes() == changed
    assert kept(tmp_path) == {"data.csv", "data.csv.sha256"}


def test_an_unknown_file_goes_on_where_the_server_says_that_it_is_the_same(
    server: Server, tmp_path: Path
) -> None:
    server.headers["ETag"], server.cut_at = '"one"', 70_000
    refused(unknown(server), tmp_path, "cut")
    server.cut_at = None
    assert fetch(unknown(server), tmp_path).read_bytes() == CONTENT
    assert server.asked[1] == ("/data.csv", "bytes=70000-")
    assert server.said[1]["If-Range"] == '"one"'
    assert kept(tmp_path) == {"data.csv", "data.csv.sha256"}


def test_an_unknown_file_of_no_version_begins_anew(server: Server, tmp_path: Path) -> None:
    server.cut_at = 70_000
    refused(unknown(server), tmp_path, "cut")
    server.cut_at, server.files["/data.csv"] = None, b"y,2\n" * 50_000
    assert fetch(unknown(server), tmp_path).read_bytes() == server.files["/data.csv"]
    assert [asked for _, asked in server.asked] == [None, None]


@pytest.mark.parametrize("short", [True, False])
def test_a_partial_archive_is_not_trusted_on_first_use(server: Server, tmp_path: Path, short: bool) -> None:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr("a", os.urandom(5000))
    whole = (tmp_path / "made.zip").read_bytes()
    server.files["/w.npz"] = whole[:-100] if short else whole  # the server itself has no more of it
    wanted = Entry("set/w.npz", f"{server.url}/w.npz")
    if short:
        with pytest.raises(InputError, match="found another file of"):
            fetch(wanted, tmp_path / "kept")
        assert kept(tmp_path / "kept") == set()
    else:
        assert fetch(wanted, tmp_path / "kept").read_bytes() == whole


# two at once

PROGRAM = """
import sys
from pathlib import Path
from zenn.pipeline.fetching import Entry, fetch
print(fetch(Entry(*sys.argv[2:]), Path(sys.argv[1])), flush=True)
"""


def other_process(folder: Path, wanted: Entry) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", PROGRAM, str(folder), *wanted]
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("hashed", [True, False])
def test_the_second_of_two_waits_and_uses_the_file(server: Server, tmp_path: Path, hashed: bool) -> None:
    server.hold_at = 100_000
    wanted = entry(server) if hashed else unknown(server)
    first = other_process(tmp_path, wanted)
    server.held.wait(60)
    second = other_process(tmp_path, wanted)
    assert second.stderr is not None
    assert second.stderr.readline() == (
        f"{tmp_path / NAME}: another process is downloading it; waiting for it\n"
    )
    server.go_on.set()
    for each in (first, second):
        printed, said = each.communicate(timeout=60)
        assert (printed, said) == (f"{tmp_path / NAME}\n", "")
    assert len(server.asked) == 1
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert PART not in kept(tmp_path)


def test_the_second_goes_on_where_the_first_was_killed(server: Server, tmp_path: Path) -> None:
    server.hold_at = 100_000
    first = other_process(tmp_path, entry(server))
    part = tmp_path / "set" / PART
    wait_for(lambda: part.is_file() and part.stat().st_size == 100_000)
    second = other_process(tmp_path, entry(server))
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    server.hold_at = None
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    printed, _ = second.communicate(timeout=60)
    assert printed == f"{tmp_path / NAME}\n"
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert server.asked[1] == ("/data.csv", "bytes=100000-")


def test_the_second_asks_itself_where_the_first_was_refused(server: Server, tmp_path: Path) -> None:
    server.hold_at, server.files["/data.csv"] = 10, b"other" * 100
    first = other_process(tmp_path, entry(server))
    server.held.wait(60)
    second = other_process(tmp_path, entry(server))
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    server.files["/data.csv"], server.hold_at = CONTENT, None
    server.go_on.set()
    _, said = first.communicate(timeout=60)
    assert "found another file of 500 bytes" in said
    assert second.communicate(timeout=60)[0] == f"{tmp_path / NAME}\n"
    assert kept(tmp_path) == {"data.csv"}


def test_many_at_once_ask_once(server: Server, tmp_path: Path) -> None:
    wanted, got = entry(server), []
    threads = [threading.Thread(target=lambda: got.append(fetch(wanted, tmp_path))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == [tmp_path / NAME] * 12
    assert server.asked == [("/data.csv", None)]
    assert kept(tmp_path) == {"data.csv"}
