"""CIFAR's binary archives: pixel by pixel, and what is wrong with one that is not whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.classification.published import cifar_10_files, cifar_100_files, images, records, tar_gz
from zenn.classification.data import check_data_set
from zenn.classification.datasets.cifar import cifar, pixel_statistics, read_cifar
from zenn.errors import InputError

KINDS = {"cifar-10": (cifar_10_files, 10, 3073), "cifar-100": (cifar_100_files, 100, 3074)}
TRAIN, TEST = 300, 100


def archive(folder: Path, kind: str, changes: dict[str, bytes | None] | None = None) -> Path:
    files = {**KINDS[kind][0](TRAIN, TEST), **(changes or {})}
    return tar_gz(folder / f"{kind}-binary.tar.gz", {name: b for name, b in files.items() if b is not None})


@pytest.mark.parametrize("kind", KINDS)
def test_every_pixel_and_label_is_in_its_place(tmp_path: Path, kind: str) -> None:
    K = KINDS[kind][1]
    read = read_cifar(archive(tmp_path, kind), kind, TRAIN, TEST)
    seeds = (1, 2) if kind == "cifar-10" else (3, 4)
    for got, labels, (pixels, wanted) in (
        (read.train, read.train_labels, images(TRAIN, K, seeds[0])),
        (read.test, read.test_labels, images(TEST, K, seeds[1])),
    ):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, pixels)
        np.testing.assert_array_equal(labels, wanted)
    assert len(read.classes) == K
    assert read.classes[0] == ("airplane" if kind == "cifar-10" else "fine0")


def test_a_record_as_the_publisher_describes_it(tmp_path: Path) -> None:
    """Pixel (row 2, column 5) of green in the second record: at 3073 + 1 + 1024 + 2 * 32 + 5."""
    files = cifar_10_files(TRAIN, TEST)
    content = bytearray(files["cifar-10-batches-bin/test_batch.bin"])
    content[3073], content[3073 + 1 + 1024 + 2 * 32 + 5] = 7, 99
    changes: dict[str, bytes | None] = {"cifar-10-batches-bin/test_batch.bin": bytes(content)}
    read = read_cifar(archive(tmp_path, "cifar-10", changes), "cifar-10", TRAIN, TEST)
    assert read.test[1, 2, 5, 1] == 99
    assert read.test_labels[1] == 7


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_set_has_three_parts_and_the_statistics_of_training(tmp_path: Path, kind: str) -> None:
    share = 0.4
    data = cifar(archive(tmp_path, kind), kind, (TRAIN, TEST), share, seed=0)
    check_data_set(data, "here")
    assert [len(split) for split in data.splits.values()] == [TRAIN - 120, 120, TEST]
    assert (np.bincount(data.validation.labels) == 120 // len(data.classes)).all() or kind == "cifar-100"
    scaled = data.train.inputs["pixels"] / 255
    np.testing.assert_allclose(data.mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(data.std, scaled.std(axis=(0, 1, 2)), rtol=1e-12)
    assert data.report["duplicates"]["removed_from_train_as_equal_to_a_test_sample"] == 0


def test_training_images_that_are_in_the_test_go(tmp_path: Path) -> None:
    pixels, labels = images(TEST, 10, 2)
    pixels[:3] = images(TRAIN, 10, 1)[0][:3]
    changes: dict[str, bytes | None] = {"cifar-10-batches-bin/test_batch.bin": records(pixels, labels, False)}
    data = cifar(archive(tmp_path, "cifar-10", changes), "cifar-10", (TRAIN, TEST), 0.2, seed=0)
    assert data.report["duplicates"]["removed_from_train_as_equal_to_a_test_sample"] == 3
    assert len(data.train) + len(data.validation) == TRAIN - 3
    assert len(data.test) == TEST


Change = Callable[[bytes], bytes | None]


@pytest.mark.parametrize(
    ("kind", "file", "change", "found"),
    [
        ("cifar-10", "data_batch_3.bin", lambda b: None, "no cifar-10-batches-bin/data_batch_3.bin"),
        (
            "cifar-10",
            "data_batch_3.bin",
            lambda b: b[:-1],
            r"data_batch_3.bin: found \d+ bytes, expected 184380",
        ),
        ("cifar-10", "data_batch_3.bin", lambda b: b[:-3073], "for 60 records of 3073"),
        (
            "cifar-10",
            "data_batch_1.bin",
            lambda b: b"\x0a" + b[1:],
            "record 0: found label 10, expected 0 to 9",
        ),
        ("cifar-10", "batches.meta.txt", lambda b: b"one\ntwo\n", "batches.meta.txt: found 2 names"),
        ("cifar-100", "test.bin", lambda b: b + b, "for 100 records of 3074"),
        (
            "cifar-100",
            "test.bin",
            lambda b: b"\x14" + b[1:],
            "record 0: found coarse label 20, expected 0 to 19",
        ),
        ("cifar-100", "test.bin", lambda b: b[:1] + b"\x64" + b[2:], "found label 100, expected 0 to 99"),
        ("cifar-100", "fine_label_names.txt", lambda b: None, "no cifar-100-binary/fine_label_names.txt"),
    ],
)
def test_what_an_archive_must_not_be(
    tmp_path: Path, kind: str, file: str, change: Change, found: str
) -> None:
    folder = "cifar-10-batches-bin" if kind == "cifar-10" else "cifar-100-binary"
    name = f"{folder}/{file}"
    path = archive(tmp_path, kind, {name: change(KINDS[kind][0](TRAIN, TEST)[name])})
    with pytest.raises(InputError, match=found) as caught:
        read_cifar(path, kind, TRAIN, TEST)
    assert str(path) in str(caught.value)


def test_the_archive_of_the_other_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the binary archive of cifar-100"):
        read_cifar(archive(tmp_path, "cifar-10"), "cifar-100", TRAIN, TEST)
    with pytest.raises(InputError, match="a multiple of 5 files"):
        read_cifar(archive(tmp_path, "cifar-10"), "cifar-10", TRAIN + 1, TEST)


def test_a_constant_channel_is_not_divided_by_nothing() -> None:
    mean, std = pixel_statistics(np.full((2, 3, 3, 1), 51, np.uint8))
    np.testing.assert_allclose(mean, [0.2], rtol=1e-15)
    assert std == (1.0,)
