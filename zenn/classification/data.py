"""A data set for classification as arrays, and as two files: `data.safetensors` and `dataset.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zenn.checkpoints import read_arrays, write_arrays
from zenn.errors import InputError
from zenn.files import read_json, write_json

Integers = NDArray[np.int64]

ARRAYS = "data.safetensors"
DESCRIPTION = "dataset.json"
TOKENIZER = "tokenizer.json"
SPLITS = ("train", "validation", "test")

_INPUTS: dict[str, dict[str, tuple[type, int]]] = {
    "images": {"pixels": (np.uint8, 4)},
    "texts": {"input_ids": (np.int32, 2), "lengths": (np.int32, 1)},
}  # kind -> name -> type and number of axes
_OPTIONAL = ("sources", "original_labels")


@dataclass(frozen=True, eq=False)
class Split:
    """The N samples of one split.

    Attributes
    ----------
    inputs
        Images: `pixels`, uint8 (N, H, W, C). Texts: `input_ids`, int32 (N, L), padded on the right, and
        `lengths`, int32 (N,), of the tokens that are no padding.
    labels
        int64 (N,), 0 ... classes - 1.
    sources
        int64 (N,), where each sample comes from, or None where that is not known.
    original_labels
        int64 (N,), the labels before noise was added, or None where that is not known.
    """

    inputs: dict[str, NDArray[Any]]
    labels: Integers
    sources: Integers | None = None
    original_labels: Integers | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[Any]) -> Split:
        """The samples of `indices` (or of a mask), in that order."""
        return Split(
            {name: array[indices] for name, array in self.inputs.items()},
            self.labels[indices],
            None if self.sources is None else self.sources[indices],
            None if self.original_labels is None else self.original_labels[indices],
        )


@dataclass(frozen=True, eq=False)
class DataSet:
    """Samples in three splits, and what is needed to read them.

    Attributes
    ----------
    mean, std
        Per channel of the training pixels in [0, 1]; empty for texts.
    vocabulary, padding
        Number of tokens and the id of padding; 0 for images.
    sources
        Names of the sources; empty where they are not known.
    report
        Sizes, duplicates found and removed, truncated texts, how the data were made: for the reader.
    """

    name: str
    kind: Literal["images", "texts"]
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    vocabulary: int
    padding: int
    sources: tuple[str, ...]
    report: dict[str, Any]

    @property
    def splits(self) -> dict[str, Split]:
        """Name -> split, in the order train, validation, test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def check_data_set(data: DataSet, source: str | Path) -> None:
    """Refuse a data set that is not what `DataSet` and `Split` say.

    Raises
    ------
    InputError : names `source`, the split and what is wrong in it.
    """
    if data.kind not in _INPUTS:
        raise InputError(source, "kind", repr(data.kind), f"one of {sorted(_INPUTS)}")
    if len(data.classes) < 2 or len(set(data.classes)) < len(data.classes):
        raise InputError(source, "classes", list(data.classes), "two classes or more, each once")
    shapes = set()
    for name, split in data.splits.items():
        shapes.add(_check_inputs(split, data.kind, source, name))
        for array, limit, which in (
            (split.labels, len(data.classes), "labels"),
            (split.original_labels, len(data.classes), "original_labels"),
            (split.sources, len(data.sources), "sources"),
        ):
            if array is not None:
                _check_integers(array, len(split.labels), limit, source, f"{name}.{which}")
        if data.kind == "texts":
            _check_tokens(split, data.vocabulary, source, name)
    if len(shapes) > 1:
        raise InputError(source, "", f"samples of the shapes {sorted(shapes)}", "one shape in all splits")
    if data.kind == "images":
        (channels,) = {shape[-1] for shape in shapes}
        for key, values in (("mean", data.mean), ("std", data.std)):
            if len(values) != channels or not all(np.isfinite(value) for value in values):
                raise InputError(
                    source, key, list(values), f"one finite number for each of {channels} channels"
                )
    elif not 0 <= data.padding < data.vocabulary:
        raise InputError(source, "padding", data.padding, f"a token, 0 to {data.vocabulary - 1}")


def save_data_set(folder: Path, data: DataSet) -> None:
    """Write `data.safetensors` and `dataset.json` into `folder`; each appears whole or not at all.

    Raises
    ------
    InputError : the data set is not what it has to be.
    """
    check_data_set(data, folder)
    arrays: dict[str, NDArray[Any]] = {}
    for name, split in data.splits.items():
        arrays |= {f"{name}.inputs.{key}": array for key, array in split.inputs.items()}
        arrays[f"{name}.labels"] = split.labels
        for key in _OPTIONAL:
            if getattr(split, key) is not None:
                arrays[f"{name}.{key}"] = getattr(split, key)
    description = {
        "name": data.name,
        "kind": data.kind,
        "classes": list(data.classes),
        "mean": list(data.mean),
        "std": list(data.std),
        "vocabulary": data.vocabulary,
        "padding": data.padding,
        "sources": list(data.sources),
        "report": data.report,
        "arrays": {key: [str(array.dtype), *array.shape] for key, array in arrays.items()},
    }
    write_arrays(folder / ARRAYS, arrays, {"description": _digest(description)})
    write_json(folder / DESCRIPTION, description)


def load_data_set(folder: Path) -> DataSet:
    """The data set that `save_data_set` wrote into `folder`.

    Raises
    ------
    InputError : a file is missing, cut, something else, or does not belong to the other.
    """
    path = folder / DESCRIPTION
    try:
        description = read_json(path)
    except FileNotFoundError:
        raise InputError(folder, "", f"no {DESCRIPTION}", "a folder with a data set") from None
    except (OSError, ValueError) as error:
        raise InputError(path, "", error, "the description of a data set, in JSON") from None
    arrays, notes = read_arrays(folder / ARRAYS)
    try:
        data = _assembled(description, arrays)
        digest = _digest(description)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(
            path, "", found, f"the description of a data set, with what {ARRAYS} holds"
        ) from None
    if notes.get("description") != digest:
        raise InputError(
            folder / ARRAYS, "", "arrays of another data set", f"those that {DESCRIPTION} describes"
        )
    check_data_set(data, path)
    return data


def _assembled(description: Any, arrays: Mapping[str, NDArray[Any]]) -> DataSet:
    splits = {}
    for name in SPLITS:
        begin = f"{name}.inputs."
        splits[name] = Split(
            {key.removeprefix(begin): array for key, array in arrays.items() if key.startswith(begin)},
            arrays[f"{name}.labels"].astype(np.int64, copy=False),
            *(arrays.get(f"{name}.{key}") for key in _OPTIONAL),
        )
    return DataSet(
        name=str(description["name"]),
        kind=description["kind"],
        classes=tuple(description["classes"]),
        mean=tuple(map(float, description["mean"])),
        std=tuple(map(float, description["std"])),
        vocabulary=int(description["vocabulary"]),
        padding=int(description["padding"]),
        sources=tuple(description["sources"]),
        report=dict(description["report"]),
        **splits,
    )


def _digest(description: Any) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _check_inputs(split: Split, kind: str, source: str | Path, name: str) -> tuple[int, ...]:
    """The shape of one sample."""
    wanted = _INPUTS[kind]
    if set(split.inputs) != set(wanted):
        raise InputError(source, f"{name}.inputs", sorted(split.inputs), f"{sorted(wanted)}, for {kind}")
    for key, (dtype, axes) in wanted.items():
        array = split.inputs[key]
        if array.dtype != dtype or array.ndim != axes or len(array) != len(split.labels):
            found = f"{array.dtype} of shape {array.shape}"
            expected = f"{np.dtype(dtype)} with {axes} axes, the first of {len(split.labels)}"
            raise InputError(source, f"{name}.inputs.{key}", found, expected)
    return tuple(split.inputs["pixels" if kind == "images" else "input_ids"].shape[1:])


def _check_integers(array: Integers, length: int, limit: int, source: str | Path, where: str) -> None:
    if array.dtype != np.int64 or array.shape != (length,):
        raise InputError(
            source, where, f"{array.dtype} of shape {array.shape}", f"int64 of shape ({length},)"
        )
    wrong = np.flatnonzero((array < 0) | (array >= limit))
    if len(wrong):
        raise InputError(source, f"{where}, sample {wrong[0]}", array[wrong[0]], f"0 to {limit - 1}")


def _check_tokens(split: Split, vocabulary: int, source: str | Path, name: str) -> None:
    ids, lengths = split.inputs["input_ids"], split.inputs["lengths"]
    if ids.size and not 0 <= ids.min() <= ids.max() < vocabulary:
        found = f"tokens from {ids.min()} to {ids.max()}"
        raise InputError(source, f"{name}.inputs.input_ids", found, f"0 to {vocabulary - 1}")
    if lengths.size and not 1 <= lengths.min() <= lengths.max() <= ids.shape[1]:
        found = f"lengths from {lengths.min()} to {lengths.max()}"
        raise InputError(source, f"{name}.inputs.lengths", found, f"1 to {ids.shape[1]}")
