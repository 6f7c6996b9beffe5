"""Where a long computation stands, kept beside its results so that a killed one continues.

A checkpoint is a folder of its own, outside the declared results: it goes when the result is there. Arrays
are stored with safetensors, never as pickles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from zenn.errors import InputError
from zenn.files import atomic_file

Arrays = dict[str, NDArray[np.float64]]


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.float64]], notes: Mapping[str, str]) -> None:
    """Write named arrays and short texts to a safetensors file, which appears whole or not at all."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic_file(path) as temporary:
        save_file(contiguous, temporary, dict(notes))


def read_arrays(path: Path) -> tuple[Arrays, dict[str, str]]:
    """The arrays and texts of a safetensors file.

    Raises
    ------
    InputError : it cannot be read, or is cut or something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            notes = file.metadata() or {}
            # the file is no mapping: it cannot be iterated over itself
            return {name: file.get_tensor(name) for name in file.keys()}, dict(notes)  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, "", error, "a whole safetensors file") from None
