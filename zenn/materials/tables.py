"""Result tables as CSV text, written without pandas, which a bare machine may lack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from zenn.files import write_text


def write_columns(path: Path, columns: Mapping[str, ArrayLike]) -> None:
    """Write equally long columns to `path`; numbers in the shortest form that reads back the same."""
    lists = [np.asarray(column).ravel().tolist() for column in columns.values()]
    lines = [",".join(columns), *(",".join(map(_text, row)) for row in zip(*lists, strict=True))]
    write_text(path, "\n".join(lines) + "\n")


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
