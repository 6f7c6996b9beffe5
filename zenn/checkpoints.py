"""Arrays and tensors as files of safetensors, never as pickles; among them where a long computation stands.

A checkpoint is kept beside the declared results, so that a killed computation continues, and goes when the
result is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from zenn.errors import InputError
from zenn.files import atomic_file

if TYPE_CHECKING:  # torch takes seconds to load, and not everybody here needs it
    from torch import Tensor

Arrays = dict[str, NDArray[Any]]


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, str]) -> None:
    """Write named arrays and short texts to a safetensors file, which appears whole or not at all."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic_file(path) as temporary:
        save_file(contiguous, temporary, dict(notes))


def write_tensors(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write named tensors of any device and short texts, as `write_arrays`."""
    from safetensors.torch import save_file as save

    # a copy of each: safetensors refuses tensors that share memory
    kept = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    with atomic_file(path) as temporary:
        save(kept, temporary, dict(notes))


def read_arrays(path: Path, expected: str = "a whole safetensors file") -> tuple[Arrays, dict[str, str]]:
    """The arrays and texts of a safetensors file.

    Raises
    ------
    InputError : it cannot be read, or is cut or something else than what is `expected`.
    """
    return _read(path, "numpy", expected)


def read_tensors(path: Path, expected: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors, on the CPU, and texts of a safetensors file; raises what `read_arrays` raises."""
    return _read(path, "pt", expected)


def _read(path: Path, framework: str, expected: str) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        with safe_open(path, framework=framework) as file:
            notes = file.metadata() or {}
            # the file is no mapping: it cannot be iterated over itself
            return {name: file.get_tensor(name) for name in file.keys()}, dict(notes)  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, "", error, expected) from None
