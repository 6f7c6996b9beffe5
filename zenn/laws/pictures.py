"""Pictures and their index as files: mapped into memory, for they may be tens of gigabytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.csv_table import Column, TextColumn, finite, natural, positive, read_table
from zenn.errors import InputError
from zenn.files import parse_json

PICTURES = "pictures.safetensors"
INDEX = "index.csv"


def _counted(value: float) -> bool:
    """An integer of 0 or more that a computer counts to."""
    return bool(0 <= value < 2**53 and value == np.floor(value))


_COLUMNS = (
    Column("process", _counted, "a number of a process"),
    TextColumn("split"),
    Column("stop", _counted, "a number of a stop"),
    Column("particles", lambda value: natural(value) and _counted(value), "a number of discs"),
    Column("time", finite, "a time"),
    Column("width", positive, "a width above 0"),
    Column("energy", positive, "an energy above 0"),
    Column("work", finite, "a work"),
)
_LARGEST_HEADER = 1 << 24


@dataclass(frozen=True, eq=False)
class Index:
    """What the pictures show (n,): number and split of the process, stop, discs, piston's place, energy."""

    processes: NDArray[np.int64]
    splits: NDArray[np.str_]
    stops: NDArray[np.int64]
    particles: NDArray[np.int64]
    widths: NDArray[np.float64]
    energies: NDArray[np.float64]

    def rows(self, split: str) -> NDArray[np.int64]:
        """The pictures of one split."""
        return np.flatnonzero(self.splits == split)


def open_array(path: Path, name: str = "pictures") -> NDArray[np.uint8]:
    """The array `name` of bytes in a safetensors file, read from the disk where it is used.

    Raises
    ------
    InputError : the file is missing, cut or has no such array.
    """
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            if size > _LARGEST_HEADER:
                raise ValueError(f"a header of {size} bytes")
            said = parse_json(file.read(size))[name]
        shape, (start, end) = tuple(map(int, said["shape"])), said["data_offsets"]
        if said["dtype"] != "U8" or end - start != np.prod(shape) or end == start:
            raise ValueError(f"{said['dtype']} {shape}")
        return np.memmap(path, np.uint8, "r", 8 + size + start, shape)
    except (OSError, struct.error, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(path, f"array {name!r}", error, "a whole file of pictures, bytes") from None


def load_index(path: Path) -> Index:
    """The index of pictures.

    Raises
    ------
    InputError : it cannot be used.
    """
    table = read_table(path, _COLUMNS)
    whole = {name: table.numbers[name].astype(np.int64) for name in ("process", "stop", "particles")}
    return Index(
        whole["process"],
        np.array(table.names["split"]),
        whole["stop"],
        whole["particles"],
        table.numbers["width"],
        table.numbers["energy"],
    )


def load_pictures(folder: Path) -> tuple[NDArray[np.uint8], Index]:
    """Pictures (n, frames, pixels, pixels) that `render` drew, mapped from the disk, and their index.

    Raises
    ------
    InputError : a file cannot be used, or they do not belong together.
    """
    pictures, index = open_array(folder / PICTURES), load_index(folder / INDEX)
    if len(pictures) != len(index.stops):
        found = f"{len(pictures)} pictures"
        raise InputError(folder / PICTURES, "", found, f"the {len(index.stops)} of index.csv beside it")
    return pictures, index
