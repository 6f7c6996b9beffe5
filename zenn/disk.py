"""Disks that take no more: full, over a quota, read-only. Which one it is, and what the user is told.

Libraries say it in many ways: an OSError with or without a file, a SafetensorError with the system's words,
an array of which only a part was written. And the file they name is not always where room is missing. So the
places that are written to are tried, and the one that refuses is named.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zenn.errors import ZennError

UNWRITABLE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID = re.compile(
    "|".join(
        [*(re.escape(os.strerror(code)) for code in (*_FULL, errno.EROFS)), r"\d+ requested and \d+ written"]
    )
)
_TRIED = 64 * 1024  # bytes: more than the rest of a block, which may be left on a full disk


class DiskError(ZennError):
    """A place takes no more writes."""


def refused(place: Path) -> OSError | None:
    """Why a small file cannot be written in `place`, or in what there is above it; None when it can."""
    try:
        with tempfile.TemporaryFile(dir=_existing(place)) as file:
            file.write(bytes(_TRIED))
    except OSError as error:
        return error
    return None


def complaint(places: Iterable[Path]) -> str:
    """What is to be said of the first of `places` that takes no small file; nothing when all do."""
    found = ((place, refused(place)) for place in places)
    return next((_text(place, error.strerror or str(error)) for place, error in found if error), "")


def sign(text: str) -> str:
    """The system's words for a disk that takes no more, where a text has them."""
    found = _SAID.search(text)
    if not found:
        return ""
    return os.strerror(errno.ENOSPC) if "requested" in found[0] else found[0]


def trouble(error: BaseException, places: Iterable[Path]) -> str:
    """What is to be said of an error that came of a disk, probably that of one of `places`; or nothing."""
    chain = [error]
    while (before := chain[-1].__cause__ or chain[-1].__context__) and before not in chain:
        chain.append(before)
    reason = next((said for one in chain if (said := _reason(one))), "")
    if not reason:
        return ""
    places, named = [*places], [Path(os.fsdecode(file)) for one in chain for file in _files(one)]
    if said := complaint([*places, *(path.parent for path in named)]):
        return said
    if reason in map(os.strerror, _FULL):  # there is room again, as what was half-written is gone
        return _text(_fullest(places or named), reason)
    return f"{named[0]}: found '{reason}', expected to read or write it" if named else ""


@contextmanager
def disk_errors(places: Iterable[Path]) -> Iterator[None]:
    """Raise what came of a disk as DiskError.

    While what was half-written still takes its room: afterwards nobody can tell which disk was full.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DiskError) or not (said := trouble(error, places)):
            raise
        raise DiskError(said) from error


def _reason(error: BaseException) -> str:
    """The system's words, where an error is one of writing."""
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return error.strerror or os.strerror(error.errno)
    return sign(str(error))


def _files(error: BaseException) -> list[str | bytes]:
    if not isinstance(error, OSError):
        return []
    return [file for file in (error.filename2, error.filename) if isinstance(file, str | bytes)]


def _fullest(places: list[Path]) -> Path:
    return min(places, key=lambda place: os.statvfs(_existing(place)).f_bavail, default=Path())


def _existing(place: Path) -> Path:
    """A place, or what there is above it."""
    return next(one for one in (place, *place.absolute().parents) if one.is_dir())


def _text(place: Path, reason: str) -> str:
    if reason in map(os.strerror, _FULL):
        expected, hint = "room for what is written there", "Make room"
    else:
        expected, hint = "a place that can be written", "Let it be written to"
    with contextlib.suppress(ValueError):
        place = place.relative_to(Path.cwd())
    return (
        f"{place}: found '{reason}', expected {expected}. {hint}, then give the command again: "
        "what was finished is kept, and nothing is left half-written."
    )
