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
import gzip
import hashlib
import os
import re
import shutil
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from zenn.errors import InputError
from zenn.files import atomic_file, write_text
from zenn.pipeline.downloaded import VARIABLE
from zenn.pipeline.keys import file_digest
from zenn.pipeline.transfer import PIECE, PLAIN, Came, TransferError, fill, is_page, version_of


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


def fetch(entry: Entry, folder: Path) -> Path:
    """The verified file `entry` in `folder`, downloaded if it does not lie there.

    Where another process is downloading it, waits for that one, and says so.

    Raises
    ------
    InputError
        It cannot be had: no network, a refusal, another content (an HTML page, say), a folder that cannot
        be written. Names file, URL, what was found and expected, and what to do.
    """
    place = folder / entry.name
    try:
        while not _is_there(entry, place):
            with _alone(place) as part:
                # the one that was waited for may have brought it, or recorded the hash of it
                if part is not None and not _is_there(entry, place):
                    _Download(entry, place, _wanted(entry, place), part).bring()
                    break
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


def _is_there(entry: Entry, place: Path) -> bool:
    """Whether the file lies in its place; one of unknown hash is recorded where it was put by hand."""
    if not place.is_file():
        return False
    wanted = _wanted(entry, place)
    if not wanted.digest:
        _write_record(place, file_digest(place))
        return True
    return wanted.of(place) == wanted.digest


@contextmanager
def _alone(place: Path) -> Iterator[Path | None]:
    """The part of a download, which no other process has; None if it has become the file meanwhile."""
    part = place.with_name(f".{place.name}.part")
    place.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{place}: another process is downloading it; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        # another may have renamed or removed what was opened here
        ours = _is_open(handle, part)
        try:
            yield part if ours else None
        finally:
            if ours and part.is_file() and part.stat().st_size == 0:
                part.unlink()


def _is_open(handle: IO[bytes], path: Path) -> bool:
    """Whether the open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


class _Download:
    """How a file is brought to its place: what has come is looked at before it appears there."""

    def __init__(self, entry: Entry, place: Path, wanted: _Hash, part: Path) -> None:
        self.entry = entry
        self.place = place
        self.wanted = wanted
        self.part = part

    def bring(self) -> None:
        """Go on where an earlier attempt was cut, and put the file in its place if it is the right one."""
        first, came = not self.wanted.digest, None
        if first or self.wanted.of(self.part) != self.wanted.digest:  # else only the last rename is missing
            try:
                came = fill(self.part, self.entry.url, verified=not first)
            except TransferError as error:
                raise self.refusal(str(error)) from error
        found = self.wanted.of(self.part)
        if first:
            accepted = _may_be_it(self.part) and came is not None and came.encoding in PLAIN
        else:
            accepted = found == self.wanted.digest or self._unpacked()
        if not accepted:
            described = f"{_kind(self.part)} with {self.wanted.algorithm} {found}{self._way(came)}"
            self._remove_part()
            raise self.refusal(described)
        if first:  # before the file is in its place: a file without a record would be taken as it is
            _write_record(self.place, found)
        version_of(self.part).unlink(missing_ok=True)
        os.replace(self.part, self.place)

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

    def _unpacked(self) -> bool:
        """Whether the server packed the file though it was asked not to; the part is then unpacked."""
        try:
            with gzip.open(self.part) as packed:
                digest = hashlib.new(self.wanted.algorithm)
                while piece := packed.read(PIECE):
                    digest.update(piece)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            return False
        if digest.hexdigest() != self.wanted.digest:
            return False
        with atomic_file(self.part) as place, place.open("wb") as handle, gzip.open(self.part) as packed:
            shutil.copyfileobj(packed, handle)
        return True

    def _way(self, came: Came | None) -> str:
        """How it came, where that may explain what came."""
        if came is None:
            return ""
        ways = [f"packed by the server ({came.encoding})"] if came.encoding not in PLAIN else []
        ways += [f"redirected to {came.url}"] if came.url != self.entry.url else []
        return f", {' and '.join(ways)}" if ways else ""

    def _remove_part(self) -> None:
        version_of(self.part).unlink(missing_ok=True)
        self.part.unlink()


def _kind(path: Path) -> str:
    """What a file looks like that is not the expected one."""
    return f"{'an HTML page' if _is_page(path) else 'another file'} of {path.stat().st_size} bytes"


def _may_be_it(path: Path) -> bool:
    """Whether a file of which nothing is known can be the one that was asked for."""
    if path.name.removesuffix(".part").endswith((".npz", ".zip")):
        return zipfile.is_zipfile(path)  # its list of contents stands at the end
    return path.stat().st_size > 0 and not _is_page(path)


def _is_page(path: Path) -> bool:
    with path.open("rb") as handle:
        return is_page(handle.read(1024))
