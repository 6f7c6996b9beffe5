"""Archives and files in the layouts in which the data sets are published, small and made of noise."""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BBC = ("business", "entertainment", "politics", "sport", "tech")


def tar_gz(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def images(count: int, classes: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (count, 32, 32, 3) of noise and labels that take turns."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, 32, 32, 3), np.uint8), np.arange(count) % classes


def records(pixels: NDArray[np.uint8], labels: NDArray[np.int64], coarse: bool) -> bytes:
    """Byte by byte as the publisher says: label(s), then the planes red, green, blue, row by row."""
    out = bytearray()
    for image, label in zip(pixels, labels, strict=True):
        if coarse:
            out.append(int(label) % 20)
        out.append(int(label))
        for colour in range(3):
            for row in range(32):
                out += bytes(image[row, :, colour])
    return bytes(out)


def cifar_10_files(train: int, test: int) -> dict[str, bytes]:
    folder = "cifar-10-batches-bin"
    pixels, labels = images(train, 10, 1)
    each = train // 5
    batches = {
        f"{folder}/data_batch_{i + 1}.bin": records(
            *(a[i * each : (i + 1) * each] for a in (pixels, labels)), False
        )
        for i in range(5)
    }
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()  # noqa: SIM905  # as printed
    return {
        f"{folder}/batches.meta.txt": ("\n".join(names) + "\n\n").encode(),
        **batches,
        f"{folder}/readme.html": b"<html></html>",
        f"{folder}/test_batch.bin": records(*images(test, 10, 2), False),
    }


def cifar_100_files(train: int, test: int) -> dict[str, bytes]:
    folder = "cifar-100-binary"
    return {
        f"{folder}/coarse_label_names.txt": "".join(f"coarse{i}\n" for i in range(20)).encode(),
        f"{folder}/fine_label_names.txt": "".join(f"fine{i}\n" for i in range(100)).encode(),
        f"{folder}/train.bin": records(*images(train, 100, 3), True),
        f"{folder}/test.bin": records(*images(test, 100, 4), True),
    }


def bbc_zip(path: Path, each: int, changes: dict[str, bytes] | None = None) -> Path:
    """`each` texts of every class; `changes` replaces or adds files."""
    files: dict[str, bytes] = {"bbc/": b"", "bbc/README.TXT": b"About"}
    for kind in BBC:
        files |= {
            f"bbc/{kind}/{i:03}.txt": f"About {kind}\n\nstory {i} of {kind}.\n".encode() for i in range(each)
        }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, **(changes or {})}.items():
            archive.writestr(name, content)
    return path


def ag_news_csv(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    return path


def ag_news_rows(count: int, what: str) -> list[tuple[str, str, str]]:
    return [(str(i % 4 + 1), f"Title {i}", f'A "{what}" thing number {i}') for i in range(count)]
