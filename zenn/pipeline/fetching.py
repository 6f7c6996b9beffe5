"""Files from elsewhere: fetched once, verified against a published hash, kept outside the results.

They lie in `downloads/` of the checkout, or in the folder that the environment variable ZENN_DOWNLOADS names.
A file that lies there already, put there by hand or by an earlier run, is used without the network if its
hash is right. A file appears there only whole and verified; what has come of a cut download is kept beside
its place and continued next time, where the server allows that.

The hash is the sha256 of the registry, or the md5 where only that is published. Where nothing is, the sha256
of what came first is recorded beside the file, in `<name>.sha256` as `sha256sum` writes it, and from then on
asked of it: a later change is refused, and the record can be shared and put there before the first download.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pooch
import requests

from zenn.errors import InputError
from zenn.files import write_text
from zenn.pipeline.keys import file_digest

FOLDER = "downloads"
VARIABLE = "ZENN_DOWNLOADS"
TIMEOUT = 60.0  # seconds without a byte
PIECE = 1 << 16  # bytes; of a cut download the last piece is lost


class Entry(NamedTuple):
    """A file that can be fetched: `name` is its path in the folder of downloads, hashes are in hexadecimal.

    Both hashes may be empty: then the first download is trusted, and recorded.
    """

    name: str
    url: str
    sha256: str = ""
    md5: str = ""


class _Hash(NamedTuple):
    """What a file has to have; `digest` is empty as long as nothing is known."""

    algorithm: str
    digest: str

    def of(self, path: Path) -> str:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, self.algorithm).hexdigest()

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest}"


def downloads() -> Path:
    """The folder of fetched files."""
    return Path(os.environ.get(VARIABLE) or FOLDER).expanduser().resolve()


def fetch(entry: Entry, folder: Path) -> Path:
    """The verified file `entry` in `folder`, downloaded if it does not lie there.

    Raises
    ------
    InputError
        It cannot be had: no network, a refusal, another content (an HTML page, say), a folder that cannot
        be written. Names file, URL, what was found and expected, and what to do.
    """
    place = folder / entry.name
    download = None
    try:
        wanted = _wanted(entry, place)
        download = _Download(entry, place, wanted)
        known = ":".join(wanted) if wanted.digest else None
        pooch.retrieve(entry.url, known, entry.name, folder, downloader=download)
        if not wanted.digest and not record(place).exists():  # it was put there by hand
            _write_record(place, file_digest(place))
    except requests.RequestException as error:
        assert download is not None
        raise download.refusal(_reason(error)) from error
    except OSError as error:
        found = error.strerror or str(error)
        hint = f"Free some space, or name another folder in {VARIABLE}"
        raise InputError(place, "", found, "a place that can be read and written", hint) from error
    return place


def verified_by(entry: Entry) -> str:
    """What vouches for an entry's content, in words."""
    published = [name for name in ("sha256", "md5") if getattr(entry, name)]
    return f"published {published[0]}" if published else "first download"


def record(place: Path) -> Path:
    """Where the hash of a file is recorded for which none is published."""
    return place.with_name(f"{place.name}.sha256")


def _wanted(entry: Entry, place: Path) -> _Hash:
    if entry.sha256 or entry.md5:
        return _Hash("sha256", entry.sha256) if entry.sha256 else _Hash("md5", entry.md5)
    path = record(place)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _Hash("sha256", "")
    except UnicodeDecodeError:
        text = ""
    if not (found := re.match(r"[0-9a-f]{64}(?=\s|$)", text)):
        expected = "the sha256 of the file beside it, as sha256sum writes it"
        raise InputError(path, "", "something else", expected, "Remove it if you trust that file")
    return _Hash("sha256", found[0])


def _write_record(place: Path, digest: str) -> None:
    write_text(record(place), f"{digest}  {place.name}\n")


class _Download:
    """How pooch gets a file: going on where an earlier attempt was cut, and telling what came instead."""

    def __init__(self, entry: Entry, place: Path, wanted: _Hash) -> None:
        self.entry = entry
        self.place = place
        self.wanted = wanted
        self.part = place.with_name(f".{place.name}.part")

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        with self._alone():
            self._fill(url)
            found = self.wanted.of(self.part)
            first = not self.wanted.digest
            if found != self.wanted.digest and not (first and _may_be_it(self.part)):
                described = f"{_kind(self.part)} with {self.wanted.algorithm} {found}"
                self.part.unlink()
                raise self.refusal(described)
            if first:  # before the file is in its place: a file without a record would be taken as it is
                _write_record(self.place, found)
            os.replace(self.part, output_file)

    def refusal(self, found: str) -> InputError:
        """The error for something else than the file."""
        hint = (
            "Get it by other means and put it there by hand, or name a folder that holds "
            f"{self.entry.name} in the environment variable {VARIABLE}; then give the command again"
        )
        if self.place.is_file():
            found += f" (and a file with {self.wanted.algorithm} {self.wanted.of(self.place)} in its place)"
        expected = f"the file with {self.wanted}" if self.wanted.digest else "a file"
        if self.wanted.digest and not (self.entry.sha256 or self.entry.md5):
            expected += f", recorded at its first download in {record(self.place).name}"
        return InputError(self.place, f"from {self.entry.url}", found, expected, hint)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self.part.open("ab") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found = "another process that is downloading it"
                raise InputError(self.place, "", found, "to be alone", "Wait for it") from None
            yield

    def _fill(self, url: str) -> None:
        """Append to the part what is missing, or begin anew where the server does not go on."""
        have = self.part.stat().st_size
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
                os.truncate(self.part, 0)
                return self._fill(url)
            answer.raise_for_status()
            goes_on = answer.status_code == requests.codes.partial_content
            with self.part.open("ab" if goes_on else "wb") as handle:
                for piece in answer.iter_content(PIECE):
                    handle.write(piece)


def _kind(path: Path) -> str:
    """What a file looks like that is not the expected one."""
    return f"{'an HTML page' if _is_page(path) else 'another file'} of {path.stat().st_size} bytes"


def _may_be_it(path: Path) -> bool:
    """Whether a file of which nothing is known can be the one that was asked for."""
    return path.stat().st_size > 0 and not _is_page(path)


def _is_page(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(1024).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"the answer {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "a download that was cut (what has come is kept)"
    return f"no answer ({type(error).__name__}: is there a network?)"
