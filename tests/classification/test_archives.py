"""Archives that lie, lead out of their folder, or are cut: nothing of them is left behind."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.classification.published import tar_gz
from zenn.classification.datasets.archives import Limits, members, unpack
from zenn.errors import InputError

FILES = {"set/a.txt": b"a" * 70_000, "set/deep/b.bin": os.urandom(90_000), "c": b""}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


USUAL = Limits()
KINDS = pytest.mark.parametrize("make", [tar_gz, zipped], ids=["tar", "zip"])
Make = Callable[[Path, dict[str, bytes]], Path]


def refused(path: Path, folder: Path, found: str, limits: Limits = USUAL) -> None:
    outside = sorted(folder.parent.rglob("*"))
    with pytest.raises(InputError, match=found) as caught:
        unpack(path, folder, limits)
    assert str(path) in str(caught.value)
    assert sorted(folder.parent.rglob("*")) == outside  # nothing half-written, here or elsewhere


@KINDS
def test_an_archive_is_unpacked_as_by_python(tmp_path: Path, make: Make) -> None:
    path = make(tmp_path / "archive", FILES)
    unpack(path, tmp_path / "out")
    if make is tar_gz:
        with tarfile.open(path) as tar:
            tar.extractall(tmp_path / "python", filter="data")
    else:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "python")
    for name in FILES:
        assert (
            (tmp_path / "out" / name).read_bytes() == (tmp_path / "python" / name).read_bytes() == FILES[name]
        )
    assert dict(members(path)) == FILES


def test_folders_and_a_tar_without_gzip(tmp_path: Path) -> None:
    path = tmp_path / "plain.tar"
    (tmp_path / "set" / "empty").mkdir(parents=True)
    (tmp_path / "set" / "x").write_bytes(b"x")
    with tarfile.open(path, "w") as tar:
        tar.add(tmp_path / "set", "./set")
    assert dict(members(path)) == {"set/x": b"x"}


@KINDS
@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/tmp/zenn-out.txt", "..", "a\\..\\b", "C:/out", "a/../b"]
)
def test_no_path_leaves_the_folder(tmp_path: Path, make: Make, name: str) -> None:
    path = make(tmp_path / "archive", {"fine": b"1", name: b"2"})
    refused(path, tmp_path / "target" / "out", "can lead out of the archive")
    assert not Path("/tmp/zenn-out.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "archive"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("way")
        member.type, member.linkname = kind, "/etc"
        tar.addfile(member)
        through = tarfile.TarInfo("way/passwd")
        through.size = 1
        tar.addfile(through, io.BytesIO(b"x"))
    refused(path, tmp_path / "out", "found (a link|no plain file)")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("way")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    refused(path, tmp_path / "out", "way: found a link")


@KINDS
def test_sizes_are_bounded(tmp_path: Path, make: Make) -> None:
    path = make(tmp_path / "archive", {"bomb": bytes(5_000_000), "more": bytes(5_000_000)})
    assert path.stat().st_size < 50_000
    refused(path, tmp_path / "out", "bomb: found a file of", Limits(file_bytes=1_000_000))
    refused(path, tmp_path / "out", "more than 6000000 bytes unpacked", Limits(total_bytes=6_000_000))
    refused(path, tmp_path / "out", "more than 1 members", Limits(members=1))


@KINDS
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_cut_archive_is_told(tmp_path: Path, make: Make, share: float) -> None:
    path = make(tmp_path / "archive", FILES)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, tmp_path / "out", "a whole archive")


@KINDS
def test_a_damaged_archive_is_told(tmp_path: Path, make: Make) -> None:
    path = make(tmp_path / "archive", FILES)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    refused(path, tmp_path / "out", "a whole archive")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_and_a_file_that_is_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("./a", "2")
    refused(path, tmp_path / "out", "the name twice")
    zipped(path, {"a": b"1", "a/b": b"2"})
    refused(path, tmp_path / "out", "a file and a folder of one name")


def test_something_else_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html>Log in</html>" * 100)
    refused(tmp_path / "page", tmp_path / "out", "a whole archive")
    refused(tmp_path / "gone", tmp_path / "out", "No such file")
    refused(tmp_path, tmp_path / "out" / "x", "Is a directory")


def test_a_folder_that_was_there_stays_when_the_archive_is_bad(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("kept")
    refused(tar_gz(tmp_path / "archive", {"a": b"", "../b": b""}), tmp_path / "out", "lead out")
    assert (tmp_path / "out" / "kept").read_text() == "kept"
