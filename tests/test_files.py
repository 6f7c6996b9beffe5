"""Nothing half-written, whatever goes wrong."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from zenn.files import atomic_file, atomic_folder, read_json, write_json


def test_folder_appears_whole_and_replaces(tmp_path: Path) -> None:
    final = tmp_path / "a" / "b"
    for text in ("one", "two"):
        with atomic_folder(final) as out:
            (out / "file").write_text(text)
            assert not final.exists() or (final / "file").read_text() != text
    assert (final / "file").read_text() == "two"
    assert [p.name for p in final.parent.iterdir()] == ["b"]


def test_folder_is_as_before_after_an_error(tmp_path: Path) -> None:
    final = tmp_path / "out"
    with atomic_folder(final) as out:
        (out / "file").write_text("old")

    def fail() -> None:
        with atomic_folder(final) as out:
            (out / "file").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (final / "file").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_file_is_as_before_after_an_error(tmp_path: Path) -> None:
    final = tmp_path / "x.json"
    write_json(final, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(final, {"a": float("nan")})

    def fail() -> None:
        with atomic_file(final) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert read_json(final) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_killed_writer_leaves_nothing_that_looks_complete(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\nfrom zenn.files import atomic_folder\n"
        "with atomic_folder(pathlib.Path(sys.argv[1])) as out:\n"
        "    (out / 'file').write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "out")], check=False)
    assert done.returncode == -9
    assert not (tmp_path / "out").exists()


def test_full_disk_is_noticed_and_leaves_the_old_file(tmp_path: Path) -> None:
    final = tmp_path / "x.json"
    write_json(final, "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            write_json(final, "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_json(final) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
