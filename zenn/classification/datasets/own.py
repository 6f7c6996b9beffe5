"""A user's own data: a folder of images per class, or a CSV file of texts (or of images) with labels.

Classes go in alphabetical order. What has no split gets one: seeded, by class, and without equal samples in
two parts (zenn.classification.datasets.splits).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.classification.data import DataSet, Split
from zenn.classification.datasets.cifar import pixel_statistics
from zenn.classification.datasets.splits import Parts, class_counts, image_keys, split_pool, text_keys
from zenn.classification.datasets.tokens import PADDING, Labelled, read_tokenizer, tokenised, word_tokenizer
from zenn.errors import InputError

Integers = NDArray[np.int64]

ENDINGS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Own:
    """How own data are prepared.

    Attributes
    ----------
    test_share, validation_share
        Shares of all samples, and of those that remain.
    tokenizer
        A `tokenizer.json`; without one, the words of the training texts make one of `vocabulary` tokens.
    padding_token
        Of that tokenizer.
    maximum_length
        Of a text, in tokens; a longer one is refused, or cut where `cut`.
    """

    test_share: float = 0.2
    validation_share: float = 0.15
    seed: int = 0
    tokenizer: Path | None = None
    padding_token: str = PADDING
    vocabulary: int = 8000
    maximum_length: int = 512
    cut: bool = False


def own_data(path: Path, how: Own) -> tuple[DataSet, str | None]:
    """The data set in a folder or CSV file, and for texts the JSON of their tokenizer.

    Raises
    ------
    InputError
        Names the file or line that cannot be used: images of mixed size, an empty text or class, a class too
        small for every split, a text that is too long.
    """
    if not path.exists():
        raise InputError(path, "", "nothing", "a folder of images or a CSV file")
    if path.is_dir():
        files, names = _folder(path)
        return _images(path, files, names, how), None
    contents, names, kind = _table(path)
    if kind == "path":
        return _images(path, [path.parent / content for content in contents], names, how), None
    return _texts(path, contents, names, how)


def _folder(path: Path) -> tuple[list[Path], list[str]]:
    files, names = [], []
    for folder in sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith(".")):
        held = sorted(each for each in folder.iterdir() if each.suffix.lower() in ENDINGS)
        if not held:
            raise InputError(folder, "", "no image", f"images of one class, {', '.join(ENDINGS)}")
        files += held
        names += [folder.name] * len(held)
    if not files:
        raise InputError(path, "", "no folder in it", "a folder of images for every class")
    return files, names


def _table(path: Path) -> tuple[list[str], list[str], str]:
    """Contents (texts or paths), labels, and which of both."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or []
            kind = next((name for name in ("text", "path") if name in header), None)
            if kind is None or "label" not in header:
                raise InputError(path, "line 1", ",".join(header), "columns text,label or path,label")
            contents, names = [], []
            for row in reader:
                content, name = row[kind], row["label"]
                if not (content and content.strip() and name and name.strip()):
                    raise InputError(path, f"line {reader.line_num}", f"an empty {kind} or label", "both")
                contents.append(content)
                names.append(name.strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "", error, "a CSV file in UTF-8 that can be read") from None
    if not contents:
        raise InputError(path, "", "no rows", "one for every sample")
    return contents, names, kind


def _labels(path: Path, names: Sequence[str]) -> tuple[tuple[str, ...], Integers]:
    classes = tuple(sorted(set(names)))
    if len(classes) < 2:
        raise InputError(path, "", f"the only class {classes[0]!r}", "two classes or more")
    number = {name: k for k, name in enumerate(classes)}
    return classes, np.array([number[name] for name in names], dtype=np.int64)


def _parts(path: Path, labels: Integers, keys: Sequence[bytes], how: Own, classes: Sequence[str]) -> Parts:
    if not 0 < how.test_share < 1:
        raise InputError("parameters", "test_share", how.test_share, "a share between 0 and 1")
    count = max(round(how.test_share * len(labels)), len(classes))
    return split_pool(labels, keys, count, how.validation_share, how.seed, classes, str(path))


def _images(path: Path, files: Sequence[Path], names: Sequence[str], how: Own) -> DataSet:
    classes, labels = _labels(path, names)
    pixels = _pixels(files)
    parts = _parts(path, labels, image_keys(pixels), how, classes)
    train, validation, test = (
        Split({"pixels": pixels[indices]}, labels[indices])
        for indices in (parts.train, parts.validation, parts.test)
    )
    mean, std = pixel_statistics(train.inputs["pixels"])
    report = {**parts.report, "train_classes": class_counts(train.labels, classes)}
    return DataSet(path.stem, "images", classes, train, validation, test, mean, std, 0, 0, (), report)


def _pixels(files: Sequence[Path]) -> NDArray[np.uint8]:
    """Images (N, H, W, C): grey where all are, else of three colours."""
    from PIL import Image

    grey = True
    read: list[NDArray[np.uint8]] = []
    for file in files:
        try:
            with Image.open(file) as image:
                if image.mode in ("L", "1"):
                    array = np.asarray(image.convert("L"), np.uint8)[..., None]
                else:
                    array, grey = np.asarray(image.convert("RGB"), np.uint8), False
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError(file, "", error, "an image that can be read, png or jpg") from None
        if read and array.shape[:2] != read[0].shape[:2]:
            found = f"{array.shape[1]} x {array.shape[0]} pixels"
            expected = f"{read[0].shape[1]} x {read[0].shape[0]}, as {files[0]}"
            raise InputError(file, "", found, expected, "Bring all images to one size")
        read.append(array)
    if not grey:
        read = [np.repeat(each, 3, axis=2) if each.shape[2] == 1 else each for each in read]
    return np.stack(read)


def _texts(path: Path, texts: Sequence[str], names: Sequence[str], how: Own) -> tuple[DataSet, str]:
    classes, labels = _labels(path, names)
    parts = _parts(path, labels, text_keys(texts), how, classes)
    splits = {
        name: Labelled([texts[i] for i in indices], labels[indices])
        for name, indices in (("train", parts.train), ("validation", parts.validation), ("test", parts.test))
    }
    if how.tokenizer is None:
        tokenizer, padding = word_tokenizer(splits["train"].texts, how.vocabulary), PADDING
    else:
        tokenizer, padding = read_tokenizer(how.tokenizer), how.padding_token
    report = {**parts.report, "train_classes": class_counts(splits["train"].labels, classes)}
    length = how.maximum_length
    data = tokenised(path.stem, classes, splits, tokenizer, padding, length, report=report, cut=how.cut)
    return data, tokenizer
