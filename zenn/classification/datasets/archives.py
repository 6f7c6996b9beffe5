"""Archives of others, read with distrust: no path leaves the target, sizes are bounded, a cut one is told.

Tar (plain or gzip) and zip. Only folders and plain files are accepted: links, devices and sparse files have
no place in a data set. Nothing is written before the whole archive has been read without an error.
"""

from __future__ import annotations

import errno
import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from zenn.errors import InputError
from zenn.files import atomic_folder

PIECE = 1 << 20
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: bytes, unpacked, of one file and of all; and how many members."""

    file_bytes: int = 1 << 30
    total_bytes: int = 4 << 30
    members: int = 100_000


def members(path: Path, limits: Limits = Limits()) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in an archive, in its order.

    Raises
    ------
    InputError
        The archive cannot be read, is cut or damaged, or holds what it must not: a path that leads out of
        it, a link, a device, a name twice, more than `limits`.
    """
    names: set[str] = set()
    total = 0
    with _told(path):
        for found, content in _zip(path, limits) if _is_zip(path) else _tar(path, limits):
            name = _safe(path, found)
            if name in names:
                raise InputError(path, found, "the name twice", "each file once")
            names.add(name)
            total += len(content)
            if total > limits.total_bytes:
                raise _too_much(path, "", f"more than {limits.total_bytes} bytes unpacked")
            yield name, content


def unpack(path: Path, folder: Path, limits: Limits = Limits()) -> None:
    """Unpack an archive into `folder`, which appears (or is replaced) when everything is there.

    Raises
    ------
    InputError : as `members`; `folder` is as it was before.
    """
    with atomic_folder(folder) as temporary:
        for name, content in members(path, limits):
            place = temporary / name
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise InputError(path, name, "a file and a folder of one name", "either") from None
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
                raise InputError(path, repr(name[:80]), "a name that is too long", "a shorter one") from None


def _is_zip(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _tar(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as raw, _unzipped(raw) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for count, member in enumerate(tar, 1):
            _check_count(path, count, limits)
            if member.isdir():
                _safe(path, member.name)
                continue
            if member.type not in _PLAIN:
                kind = "a link" if member.issym() or member.islnk() else "no plain file"
                raise InputError(path, member.name, kind, "folders and plain files")
            if member.size > limits.file_bytes:
                raise _too_much(path, member.name, f"a file of {member.size} bytes")
            handle = tar.extractfile(member)
            assert handle is not None  # it is a plain file
            yield member.name, handle.read()
        while stream.read(PIECE):  # to the end, where gzip keeps its checksum
            pass


@contextmanager
def _unzipped(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if packed:
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream  # type: ignore[misc]  # a GzipFile reads like any other file
    else:
        yield raw


def _zip(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for count, info in enumerate(archive.infolist(), 1):
            _check_count(path, count, limits)
            mode = info.external_attr >> 16  # of Unix; 0 where another system wrote it
            if mode & 0o170000 not in (0, 0o100000, 0o040000):
                kind = "a link" if mode & 0o170000 == 0o120000 else "no plain file"
                raise InputError(path, info.filename, kind, "folders and plain files")
            _safe(path, info.filename)
            if info.is_dir():
                continue
            with archive.open(info) as handle:  # what it says of its size need not be true
                content = handle.read(limits.file_bytes + 1)
            if len(content) > limits.file_bytes:
                raise _too_much(path, info.filename, f"a file of more than {limits.file_bytes} bytes")
            yield info.filename, content


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Every way in which an archive can be broken, as one kind of error."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(
            path, "", f"{type(error).__name__}: {error}", "a whole archive, tar.gz or zip"
        ) from None
    except (NotImplementedError, RuntimeError) as error:  # zipfile: compression unknown, or encrypted
        raise InputError(path, "", error, "an archive without a password, packed by deflate") from None
    except gzip.BadGzipFile as error:
        raise InputError(path, "", error, "a whole archive, tar.gz or zip") from None
    except OSError as error:
        raise InputError(path, "", error.strerror or error, "an archive that can be read") from None


def _safe(path: Path, name: str) -> str:
    """`name` in its simplest form.

    >>> _safe(Path("set.zip"), "./a/b.txt")
    'a/b.txt'
    """
    parts = PurePosixPath(name).parts
    inside = name and "\0" not in name and "\\" not in name and not name.startswith("/") and ".." not in parts
    if not inside or (parts and parts[0].endswith(":")):
        raise InputError(
            path, repr(name), "a path that can lead out of the archive", "relative paths inside it"
        )
    return "/".join(parts)


def _check_count(path: Path, count: int, limits: Limits) -> None:
    if count > limits.members:
        raise _too_much(path, "", f"more than {limits.members} members")


def _too_much(path: Path, where: str, found: str) -> InputError:
    return InputError(path, where, found, "an archive of the size of a data set")
