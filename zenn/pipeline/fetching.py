"""Files from elsewhere: fetched once, verified against a recorded hash, kept outside the results.

They lie in `downloads/` of the checkout, or in the folder that the environment variable ZENN_DOWNLOADS names.
A file that lies there already, put there by hand or by an earlier run, is used without the network if its
hash is right. A file appears there only whole and verified; what has come of a cut download is kept beside
its place and continued next time, where the server allows that.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pooch
import requests

from zenn.errors import InputError
from zenn.pipeline.keys import file_digest

FOLDER = "downloads"
VARIABLE = "ZENN_DOWNLOADS"
TIMEOUT = 60.0  # seconds without a byte
PIECE = 1 << 16  # bytes; of a cut download the last piece is lost


class Entry(NamedTuple):
    """A file that can be fetched: `name` is its path in the folder of downloads, `sha256` in hexadecimal."""

    name: str
    url: str
    sha256: str


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
    download = _Download(entry, place)
    try:
        pooch.retrieve(entry.url, f"sha256:{entry.sha256}", entry.name, folder, downloader=download)
    except requests.RequestException as error:
        raise download.refusal(_reason(error)) from error
    except OSError as error:
        found = error.strerror or str(error)
        hint = f"Free some space, or name another folder in {VARIABLE}"
        raise InputError(place, "", found, "a place that can be read and written", hint) from error
    return place


class _Download:
    """How pooch gets a file: going on where an earlier attempt was cut, and telling what came instead."""

    def __init__(self, entry: Entry, place: Path) -> None:
        self.entry = entry
        self.place = place
        self.part = place.with_name(f".{place.name}.part")

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        with self._alone():
            self._fill(url)
            found = file_digest(self.part)
            if found != self.entry.sha256:
                described = f"{_kind(self.part)} with sha256 {found}"
                self.part.unlink()
                raise self.refusal(described)
            os.replace(self.part, output_file)

    def refusal(self, found: str) -> InputError:
        """The error for something else than the file."""
        hint = (
            "Get it by other means and put it there by hand, or name a folder that holds "
            f"{self.entry.name} in the environment variable {VARIABLE}; then give the command again"
        )
        if self.place.is_file():
            found += f" (and a file with sha256 {file_digest(self.place)} in its place)"
        expected = f"the file with sha256 {self.entry.sha256}"
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
    with path.open("rb") as handle:
        begin = handle.read(1024).lstrip().lower()
    page = begin.startswith((b"<!doctype html", b"<html"))
    return f"{'an HTML page' if page else 'another file'} of {path.stat().st_size} bytes"


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"the answer {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "a download that was cut (what has come is kept)"
    return f"no answer ({type(error).__name__}: is there a network?)"
