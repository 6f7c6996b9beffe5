"""A user's samples to be judged by a trained classifier: images or texts, with labels or without."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zenn.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMN = {"images": "path", "texts": "text"}
_AT_ONCE = 2000  # texts that are tokenised together


@dataclass(frozen=True)
class Reading:
    """How samples are brought to what a classifier was trained on.

    classes : their names. size : height, width and channels of images. tokenizer : its file. maximum_length :
    of a text in tokens; a longer one is refused, or cut where `cut`.
    """

    kind: str
    classes: tuple[str, ...]
    size: tuple[int, int, int] = (0, 0, 0)
    tokenizer: Path | None = None
    padding: int = 0
    maximum_length: int = 0
    cut: bool = False


class Row(NamedTuple):
    """One sample: where it stands, its path or text, and the name of its class."""

    where: str
    content: str
    label: str


@dataclass(frozen=True, eq=False)
class Given:
    """Samples: where each stands, what an encoder reads, labels if asked for, number of texts cut."""

    places: list[str]
    inputs: dict[str, NDArray[Any]]
    labels: NDArray[np.int64] | None
    cut: int = 0


def read_samples(path: Path, reading: Reading, *, labelled: bool) -> Given:
    """The samples of a folder of images or a CSV file; only if `labelled` is a label looked at.

    Raises
    ------
    InputError : names the file and line: a class that the classifier does not know, an image of another size,
        a text that is too long or empty.
    """
    if not path.exists():
        raise InputError(path, "", "nothing", f"a {_expected(reading.kind)}")
    if path.is_dir():
        if reading.kind == "texts":
            raise InputError(path, "", "a folder", f"a {_expected('texts')}, which the run was trained on")
        rows = list(_labelled_images(path) if labelled else _images(path))
    else:
        rows = list(_table(path, COLUMN[reading.kind], labelled))
    if not rows:
        raise InputError(path, "", "no samples", f"a {_expected(reading.kind)}")
    labels = _labels(path, rows, reading.classes) if labelled else None
    places = [row.where for row in rows]
    if reading.kind == "images":
        above = path if path.is_dir() else path.parent
        files = [above / row.content for row in rows]
        return Given([row.content for row in rows], {"pixels": _pixels(files, reading.size)}, labels)
    inputs, cut = _tokens(path, rows, reading)
    return Given([place.removeprefix("line ") for place in places], inputs, labels, cut)


def digest_of_data(path: Path) -> dict[str, Any]:
    """What tells data from other data: a hash over all files, names included, and how many there are.

    Raises
    ------
    InputError : there is nothing at `path`, or a file that a table names.
    """
    files = _files(path)
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(path).as_posix() if path.is_dir() else ""
        try:
            digest.update(f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
        except OSError as error:
            raise InputError(file, "", error.strerror, "a file that can be read") from None
    return {"path": str(path), "files": len(files), "sha256_of_files": digest.hexdigest()}


def kind_of(path: Path) -> str:
    """Whether labelled data are images or texts.

    Raises
    ------
    InputError : there is nothing at `path`.
    """
    if not path.exists():
        raise InputError(path, "", "nothing", "a folder of images or a CSV file")
    if path.is_dir():
        return "images"
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = next(csv.reader(file), [])
    return "images" if "path" in header and "text" not in header else "texts"


def _files(path: Path) -> list[Path]:
    kind = kind_of(path)
    if path.is_dir():
        return [path / row.content for row in _images(path)]
    if kind == "texts":
        return [path]
    return [path, *(path.parent / row.content for row in _table(path, "path", False))]


def _expected(kind: str) -> str:
    return "folder of images or CSV file with a column path" if kind == "images" else "CSV file of texts"


def _images(path: Path) -> Iterator[Row]:
    """All images in a folder and those below it, whatever these are called."""
    from zenn.classification.datasets.own import ENDINGS

    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in ENDINGS:
            name = file.relative_to(path).as_posix()
            yield Row(name, name, "")


def _labelled_images(path: Path) -> Iterator[Row]:
    from zenn.classification.datasets.own import ENDINGS

    folders = sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    if not folders:
        raise InputError(path, "", "no folder in it", "a folder of images for every class")
    for folder in folders:
        files = sorted(each for each in folder.iterdir() if each.suffix.lower() in ENDINGS)
        if not files:
            raise InputError(folder, "", "no image", f"images of one class, {', '.join(ENDINGS)}")
        for file in files:
            yield Row(f"folder {folder.name}", f"{folder.name}/{file.name}", folder.name)


def _table(path: Path, column: str, labelled: bool) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or []
            wanted = [column, "label"] if labelled else [column]
            missing = [name for name in wanted if name not in header]
            if missing:
                found = f"no column {missing[0]!r} among {', '.join(map(repr, header))}"
                raise InputError(path, "line 1", found, f"columns {','.join(wanted)}")
            for row in reader:
                where, values = f"line {reader.line_num}", [(row[name] or "").strip() for name in wanted]
                if not all(values):
                    empty = wanted[values.index("")]
                    raise InputError(path, where, f"an empty {empty}", f"a {' and a '.join(wanted)}")
                yield Row(where, row[column], values[1] if labelled else "")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "", error, "a CSV file in UTF-8 that can be read") from None


def _labels(path: Path, rows: Sequence[Row], classes: Sequence[str]) -> NDArray[np.int64]:
    import numpy as np

    number = {name: k for k, name in enumerate(classes)}
    for row in rows:
        if row.label not in number:
            shown = ", ".join(classes[:20]) + (", ..." if len(classes) > 20 else "")
            hint = did_you_mean(row.label, classes)
            expected = f"a class of the training: {shown}"
            raise InputError(path, row.where, f"the class {row.label!r}", expected, hint)
    return np.array([number[row.label] for row in rows], dtype=np.int64)


def _pixels(files: Sequence[Path], size: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Images (N, H, W, C) of the size and channels that the classifier was trained on."""
    import numpy as np
    from PIL import Image

    height, width, channels = size
    pixels = np.empty((len(files), *size), np.uint8)
    for place, file in zip(pixels, files, strict=True):
        try:
            with Image.open(file) as image:
                if channels == 1 and image.mode not in ("L", "1"):
                    raise InputError(file, "", f"colours ({image.mode})", "grey, as in training")
                array = np.asarray(image.convert("L" if channels == 1 else "RGB"), np.uint8)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError(file, "", error, "an image that can be read, png or jpg") from None
        if array.shape[:2] != (height, width):
            found = f"{array.shape[1]} x {array.shape[0]} pixels"
            raise InputError(file, "", found, f"{width} x {height}, as in training")
        place[:] = array.reshape(size)
    return pixels


def _tokens(path: Path, rows: Sequence[Row], how: Reading) -> tuple[dict[str, NDArray[Any]], int]:
    """Ids (N, L) and lengths (N,), and how many texts were cut."""
    import numpy as np
    from tokenizers import Tokenizer

    from zenn.classification.datasets.tokens import read_tokenizer

    assert how.tokenizer is not None
    encoder = Tokenizer.from_str(read_tokenizer(how.tokenizer))
    encoder.no_truncation()
    encoder.no_padding()
    found: list[list[int]] = []
    for begin in range(0, len(rows), _AT_ONCE):
        texts = [row.content for row in rows[begin : begin + _AT_ONCE]]
        found += [each.ids for each in encoder.encode_batch(texts)]
    limit = how.maximum_length
    for row, ids in zip(rows, found, strict=True):
        if not ids:
            raise InputError(path, row.where, f"no tokens in {row.content!r}", "one token or more")
        if len(ids) > limit and not how.cut:
            hint = "Give --cut to cut longer texts there, or a larger --maximum-length"
            raise InputError(path, row.where, f"a text of {len(ids)} tokens", f"at most {limit}", hint)
    lengths = np.array([min(len(ids), limit) for ids in found], np.int32)
    tokens = np.full((len(rows), int(lengths.max())), how.padding, np.int32)
    for place, ids, length in zip(tokens, found, lengths, strict=True):
        place[:length] = ids[:length]
    return {"input_ids": tokens, "lengths": lengths}, sum(len(ids) > limit for ids in found)
