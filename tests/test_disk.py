"""A full disk is told whatever library met it, and the place that is named is the one that is full."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.small_disk import MIB, SmallDisk, small_disk
from zenn.disk import DiskError, complaint, disk_errors, trouble

BESIDE = "beside"  # a folder on another disk
WRITERS = {
    "a text": "with atomic_file(place / 'x') as file: file.write_text('x' * 4_000_000)",
    "arrays": "write_arrays(place / 'x', {'a': np.zeros(500_000)}, {})",
    "tensors": "save_file({'a': torch.zeros(1_000_000)}, place / 'x')",
    "an array": "np.zeros(500_000).tofile(place / 'x')",
    "a copy": "shutil.copyfile(Path('source'), place / 'x')",
    "a figure": "figure(20).savefig(place / 'x.png', dpi=3000)",
}
PROGRAM = """
import shutil, sys
from pathlib import Path
import numpy as np
import torch
from matplotlib.figure import Figure
from safetensors.torch import save_file
from zenn.checkpoints import write_arrays
from zenn.disk import disk_errors
from zenn.files import atomic_file

def figure(inches):
    drawn = Figure(figsize=(inches, 1))
    drawn.figimage(np.random.default_rng(1).random((3000, 3000)))
    return drawn

place = Path(sys.argv[1])
place.mkdir(exist_ok=True)
for line in sys.stdin.read().splitlines():
    try:
        with disk_errors([Path('beside'), place]):
            exec(line)
        print('no error')
    except Exception as error:
        print(type(error).__name__, error)
    for left in place.glob('*'):
        left.unlink()
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    (tmp_path / BESIDE).mkdir()
    with small_disk([tmp_path / "small"], 2 * MIB) as disk:
        yield disk


def test_every_way_of_writing_is_understood(disk: SmallDisk, tmp_path: Path) -> None:
    disk.fill(leave=MIB)
    (tmp_path / "source").write_bytes(bytes(4_000_000))
    command = disk.command([sys.executable, "-c", PROGRAM, str(tmp_path / "small")], tmp_path)
    done = subprocess.run(
        command, input="\n".join(WRITERS.values()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = dict(zip(WRITERS, done.stdout.splitlines(), strict=True))
    place = "small" if type(disk) is SmallDisk else BESIDE  # a limit on files is one on all of them
    expected = f"DiskError {place}: found '{disk.full}', expected room for what is written there. Make room, "
    assert {name: text[: len(expected)] for name, text in said.items()} == dict.fromkeys(WRITERS, expected)


def test_the_place_that_refuses_is_named(disk: SmallDisk, tmp_path: Path) -> None:
    script = "import zenn.disk, pathlib; print(zenn.disk.complaint(map(pathlib.Path, ['beside', 'small'])))"

    def said() -> str:
        command = disk.command([sys.executable, "-c", script], tmp_path)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert said() == ""
    disk.fill()
    assert disk.full in said()
    disk.make_room()
    assert said() == ""
    disk.close_folders()
    assert said().startswith(f"small: found '{disk.closed}', expected a place that can be written")
    disk.open_folders()
    assert said() == ""


def test_a_place_that_is_not_there_yet_is_that_above_it(tmp_path: Path) -> None:
    assert complaint([tmp_path / "a" / "b"]) == ""
    assert complaint([Path("/proc/zenn/a")]).startswith("/proc/zenn/a: found ")
    assert not [*tmp_path.iterdir()]


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    assert trouble(ValueError("no number"), [tmp_path]) == ""
    with pytest.raises(FileNotFoundError), disk_errors([tmp_path]):
        (tmp_path / "gone").read_text()
    with pytest.raises(ZeroDivisionError), disk_errors([Path("/proc/zenn")]):  # refuses, but said nothing
        print(1 // 0)


def test_what_may_not_be_read_is_no_full_disk(tmp_path: Path) -> None:
    error = PermissionError(13, "Permission denied", str(tmp_path / "theirs"))
    assert (
        trouble(error, [tmp_path])
        == f"{tmp_path}/theirs: found 'Permission denied', expected to read or write it"
    )


def test_what_stands_behind_an_error_counts(tmp_path: Path) -> None:
    def fail() -> None:
        with disk_errors([tmp_path]):
            try:
                raise OSError(28, "No space left on device", str(tmp_path / "data"))
            except OSError as error:
                raise RuntimeError("the writer gave up") from error

    with pytest.raises(DiskError, match="No space left on device"):
        fail()
