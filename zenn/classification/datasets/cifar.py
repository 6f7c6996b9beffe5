"""CIFAR-10 and CIFAR-100 from their binary archives, which hold no pickles.

A record is the label (CIFAR-100: coarse label, fine label) in a byte each, then 32 x 32 pixels of red, of
green and of blue, row by row. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zenn.classification.data import DataSet, Split
from zenn.classification.datasets.archives import Limits, members
from zenn.classification.datasets.splits import class_counts, image_keys, split_given
from zenn.errors import InputError

Integers = NDArray[np.int64]

SIDE, CHANNELS = 32, 3
_LIMITS = Limits(file_bytes=256 << 20, total_bytes=1 << 30, members=100)


@dataclass(frozen=True)
class _Layout:
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    classes: str
    label_bytes: int  # the last of them is the label
    coarse: int = 0  # number of coarse classes


_LAYOUTS = {
    "cifar-10": _Layout(
        "cifar-10-batches-bin",
        tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        ("test_batch.bin",),
        "batches.meta.txt",
        1,
    ),
    "cifar-100": _Layout("cifar-100-binary", ("train.bin",), ("test.bin",), "fine_label_names.txt", 2, 20),
}
KINDS = tuple(_LAYOUTS)
_CLASSES = {"cifar-10": 10, "cifar-100": 100}


@dataclass(frozen=True, eq=False)
class Published:
    """Images, uint8 (N, 32, 32, 3), and labels (N,) as published: training and test."""

    classes: tuple[str, ...]
    train: NDArray[np.uint8]
    train_labels: Integers
    test: NDArray[np.uint8]
    test_labels: Integers


def read_cifar(
    archive: Path, kind: str, train_records: int = 50_000, test_records: int = 10_000
) -> Published:
    """The content of `cifar-10-binary.tar.gz` or `cifar-100-binary.tar.gz`.

    Raises
    ------
    InputError
        The archive cannot be read or is cut, a file is missing or of a wrong size, a label is out of range.
    """
    layout = _LAYOUTS[kind]
    wanted = {*layout.train, *layout.test, layout.classes}
    files: dict[str, bytes] = {}
    for name, content in members(archive, _LIMITS):
        folder, _, file = name.rpartition("/")
        if folder == layout.folder and file in wanted:
            files[file] = content
    missing = sorted(wanted - set(files))
    if missing:
        raise InputError(archive, "", f"no {layout.folder}/{missing[0]}", f"the binary archive of {kind}")
    names = [line.strip() for line in files[layout.classes].decode("utf-8", "replace").splitlines()]
    classes = tuple(name for name in names if name)
    if len(classes) != _CLASSES[kind]:
        raise InputError(archive, layout.classes, f"{len(classes)} names", f"{_CLASSES[kind]} names")
    train, train_labels = _records(archive, files, layout.train, layout, len(classes), train_records)
    test, test_labels = _records(archive, files, layout.test, layout, len(classes), test_records)
    return Published(classes, train, train_labels, test, test_labels)


def cifar(archive: Path, kind: str, records: tuple[int, int], validation_share: float, seed: int) -> DataSet:
    """The data set: test as published, validation drawn from training, no image of test in the others.

    `records` are the numbers of images in training and test that the archive has to hold.

    Raises
    ------
    InputError : as `read_cifar` and `zenn.classification.datasets.splits.split_given`.
    """
    raw = read_cifar(archive, kind, *records)
    parts = split_given(
        raw.train_labels,
        image_keys(raw.train),
        raw.test_labels,
        image_keys(raw.test),
        validation_share,
        seed,
        raw.classes,
        str(archive),
    )
    train = Split({"pixels": raw.train[parts.train]}, raw.train_labels[parts.train])
    mean, std = pixel_statistics(train.inputs["pixels"])
    return DataSet(
        name=kind,
        kind="images",
        classes=raw.classes,
        train=train,
        validation=Split({"pixels": raw.train[parts.validation]}, raw.train_labels[parts.validation]),
        test=Split({"pixels": raw.test}, raw.test_labels),
        mean=mean,
        std=std,
        vocabulary=0,
        padding=0,
        sources=(),
        report={**parts.report, "train_classes": class_counts(train.labels, raw.classes)},
    )


def pixel_statistics(pixels: NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of pixels (N, H, W, C) in [0, 1]; a constant channel has 1."""
    counts = np.stack([np.bincount(pixels[..., c].ravel(), minlength=256) for c in range(pixels.shape[-1])])
    values = np.arange(256) / 255
    mean = (counts * values).sum(axis=1) / counts.sum(axis=1)
    variance = (counts * (values - mean[:, None]) ** 2).sum(axis=1) / counts.sum(axis=1)
    std = np.where(variance > 0, np.sqrt(variance), 1.0)
    return tuple(mean.tolist()), tuple(std.tolist())


def _records(
    archive: Path,
    files: dict[str, bytes],
    names: tuple[str, ...],
    layout: _Layout,
    classes: int,
    records: int,
) -> tuple[NDArray[np.uint8], Integers]:
    length = layout.label_bytes + CHANNELS * SIDE * SIDE
    each, rest = divmod(records, len(names))
    if rest or each < 1:
        raise InputError("parameters", "records", records, f"a multiple of {len(names)} files, not zero")
    images, labels = [], []
    for name in names:
        content = np.frombuffer(files[name], np.uint8)
        if content.size != each * length:
            expected = f"{each * length}, for {each} records of {length}"
            raise InputError(archive, name, f"{content.size} bytes", expected)
        table = content.reshape(each, length)
        _check(archive, name, table[:, layout.label_bytes - 1], classes, "label")
        if layout.coarse:
            _check(archive, name, table[:, 0], layout.coarse, "coarse label")
        labels.append(table[:, layout.label_bytes - 1].astype(np.int64))
        planes = table[:, layout.label_bytes :].reshape(each, CHANNELS, SIDE, SIDE)
        images.append(planes.transpose(0, 2, 3, 1))
    return np.ascontiguousarray(np.concatenate(images)), np.concatenate(labels)


def _check(archive: Path, name: str, labels: NDArray[Any], limit: int, what: str) -> None:
    wrong = np.flatnonzero(labels >= limit)
    if len(wrong):
        raise InputError(
            archive, f"{name}, record {wrong[0]}", f"{what} {labels[wrong[0]]}", f"0 to {limit - 1}"
        )
