"""One file over HTTP, continued where an earlier attempt was cut; whether it is the right one, others decide.

What comes is written as the server sends it, byte by byte as it comes: of a cut download nothing is lost. A
server may be slow, but has to get on; it may send elsewhere, but not from https to http.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests
import urllib3

TIMEOUT = 60.0  # seconds without a byte
WINDOW, SLOWEST = 600.0, 1024.0  # over so many seconds, at least so many bytes a second
LARGEST = 1 << 36  # bytes; an answer without an end would fill the disk
PIECE = 1 << 16  # bytes
KEPT = "(what has come is kept)"
PLAIN = ("", "identity")
"""Of `Came.encoding`: as the file is."""


class TransferError(Exception):
    """What was found instead of the file, in words."""


class Came(NamedTuple):
    """About a whole answer: where it came from in the end, and how the server says that it packed it."""

    url: str
    encoding: str


def fill(part: Path, url: str, *, verified: bool) -> Came:
    """Append to `part` what is missing, or begin anew where the server does not go on.

    Where nobody can verify the whole afterwards, two versions of a file must not become one: a part is then
    only continued where the server says, by ETag or date, that it is still the same file.

    Raises
    ------
    TransferError : it did not come, or not to its end; the part holds what has come.
    OSError : the part cannot be written.
    """
    with _told(part), requests.Session() as session:
        if url.startswith("https:"):
            del session.adapters["http://"]  # a redirect there is refused before anything is sent
        return _fill(session, part, url, verified)


def version_of(part: Path) -> Path:
    """Where the ETag or date of the file is kept of which there is a part."""
    return part.with_name(f"{part.name}.version")


def is_page(begin: bytes) -> bool:
    """Whether a file that begins so is an HTML page."""
    return begin.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _fill(session: requests.Session, part: Path, url: str, verified: bool) -> Came:
    have = part.stat().st_size
    headers = {"Accept-Encoding": "identity"}
    version = "" if verified else _read(version_of(part))
    if have and (verified or version):
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": version} if version else {})
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        goes_on = answer.status_code == requests.codes.partial_content
        if "Range" in headers and (
            answer.status_code == requests.codes.requested_range_not_satisfiable
            or (goes_on and not _is_the_rest(answer, have, version))
        ):
            os.truncate(part, 0)
            return _fill(session, part, url, verified)
        answer.raise_for_status()
        if answer.status_code != requests.codes.ok and not (goes_on and "Range" in headers):
            raise requests.HTTPError(response=answer)
        pieces = _pieces(answer)
        first = next(pieces, b"")
        if have and not goes_on and is_page(first):
            raise TransferError(f"an HTML page{_from(answer, url)} in place of the rest {KEPT}")
        if not goes_on:
            _keep_version(part, "" if verified else _version(answer))
            os.truncate(part, 0)
        _append(part, first, pieces)
    return Came(answer.url, answer.headers.get("Content-Encoding", "").strip().lower())


def _is_the_rest(answer: requests.Response, have: int, version: str) -> bool:
    """Whether a partial answer begins where the part ends, and is of the same file."""
    said = re.match(r"bytes\s+(\d+)-", answer.headers.get("Content-Range", ""), re.ASCII)
    return said is not None and said[1] == str(have) and (not version or _version(answer) == version)


def _version(answer: requests.Response) -> str:
    """What tells this version of a file from others; empty where the server does not say."""
    etag = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")


def _keep_version(part: Path, version: str) -> None:
    if version:
        version_of(part).write_text(version, encoding="latin-1")
    else:
        version_of(part).unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="latin-1")
    except FileNotFoundError:
        return ""
    return text if text.isprintable() and len(text) < 1000 else ""


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    """The content as it comes, as it is packed. (requests would wait for whole pieces, and unpack.)"""
    while piece := answer.raw.read1(PIECE, decode_content=False):
        yield piece


def _append(part: Path, first: bytes, pieces: Iterator[bytes]) -> None:
    """Write what comes, as long as it comes fast enough and ends."""
    since, began = 0, time.monotonic()
    with part.open("ab", buffering=0) as handle:
        handle.write(first)
        for piece in pieces:
            handle.write(piece)
            if handle.tell() > LARGEST:
                os.truncate(part, 0)
                raise TransferError(f"more than {LARGEST} bytes and no end")
            since += len(piece)
            past = time.monotonic() - began
            if past >= WINDOW:
                if since < SLOWEST * past:
                    raise TransferError(f"a server that sent {since} bytes in {past:.0f} s {KEPT}")
                since, began = 0, time.monotonic()


@contextmanager
def _told(part: Path) -> Iterator[None]:
    """What requests and urllib3 raise, in words."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
        kept = f" {KEPT}" if part.stat().st_size else ""
        raise TransferError(f"a server that sent nothing for {TIMEOUT:g} s{kept}") from None
    except (urllib3.exceptions.HTTPError, requests.exceptions.ChunkedEncodingError):
        raise TransferError(f"a download that was cut {KEPT}") from None
    except requests.TooManyRedirects:
        raise TransferError("redirects without an end") from None
    except (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema) as error:
        raise TransferError(f"a redirect to what is not fetched ({error})") from None
    except requests.RequestException as error:
        if error.response is not None:
            found = f"the answer {error.response.status_code} {error.response.reason}"
        else:
            found = f"no answer ({type(error).__name__}: is there a network?)"
        raise TransferError(found) from None
    except ValueError as error:  # an address that is none: requests lets some errors about it through
        raise TransferError(f"an address that cannot be used ({error})") from None


def _from(answer: requests.Response, url: str) -> str:
    return f" from {answer.url}" if answer.url != url else ""
