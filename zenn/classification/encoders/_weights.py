"""Published weights against the model that is to take them: every name and every shape."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from zenn.errors import InputError
from zenn.files import read_json

Shapes = dict[str, tuple[int, ...]]

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
"""Of published weights: all in one file, or where each of them is among several."""

SHOWN = 4  # differences in a message; a file of another model has hundreds


def refuse_differences(path: Path, found: Shapes, needed: Shapes) -> None:
    """Raise InputError unless a file has the arrays that a model needs, no other, and in the same shapes."""
    missing = [f"no {name}" for name in needed if name not in found]
    surplus = [f"{name}, which the model lacks" for name in sorted(found) if name not in needed]
    misshapen = [
        f"{name} of shape {found[name]} for {shape}"
        for name, shape in needed.items()
        if name in found and tuple(found[name]) != shape
    ]
    differences = [*misshapen, *missing, *surplus]
    if differences:
        more = f"; and {len(differences) - SHOWN} more differences" if len(differences) > SHOWN else ""
        expected = f"the {len(needed)} arrays of this model, in its shapes"
        hint = "These are the weights of another architecture"
        raise InputError(path, "", "; ".join(differences[:SHOWN]) + more, expected, hint)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The arrays of a safetensors file, or of a folder with `model.safetensors`, whole or in parts.

    Raises
    ------
    InputError : there is no such file, or it is cut or something else; files of another kind, which may be
        pickles, are never opened.
    """
    files = _files(path)
    tensors: dict[str, Tensor] = {}
    for file in files:
        if file.suffix != ".safetensors":
            raise InputError(file, "", "something else", "a .safetensors file", "No other kind is opened")
        try:
            tensors |= load_file(file)
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(file, "", error, "a whole safetensors file") from None
    return tensors


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    index = path / INDEX
    if (path / WEIGHTS).is_file() or not index.is_file():
        return [path / WEIGHTS]
    try:
        parts = sorted(set(read_json(index)["weight_map"].values()))
        return [path / Path(part).name for part in parts]  # beside the index, and nowhere else
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(index, "", error, "the names of the parts of the weights") from None
