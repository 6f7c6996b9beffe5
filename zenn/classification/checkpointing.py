"""Where a training stands, as one safetensors file that appears whole or not at all; never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zenn.checkpoints import read_tensors, write_tensors
from zenn.classification.data import DataSet
from zenn.errors import InputError
from zenn.files import parse_json

Tensors = dict[str, Tensor]
_HINT = "Remove it to begin anew, or give the parameters and data it was begun with"


@dataclass
class Position:
    """How far a training has come.

    Attributes
    ----------
    epoch : the one it is in, from 0.
    batch : batches done of that epoch.
    step : updates done.
    loss, counted : sum of the losses of the epoch's samples so far, and their number.
    history : rows of the epochs that have ended.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    counted: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def write_checkpoint(path: Path, digest: str, position: Position, tensors: Mapping[str, Tensor]) -> None:
    """Write a training's position and tensors (parameters, optimiser, averages)."""
    notes = {"training": digest, "position": json.dumps(vars(position))}
    write_tensors(path, tensors, notes)


def read_checkpoint(path: Path, digest: str) -> tuple[Position, Tensors]:
    """The position and tensors of the training with this digest.

    Raises
    ------
    InputError : the file is cut or something else, or belongs to another training.
    """
    expected = "a whole safetensors file with a training's state"
    tensors, notes = read_tensors(path, expected)
    if notes.get("training") != digest:
        raise InputError(path, "", "the state of another training", "that of this one", _HINT)
    try:
        position = Position(**parse_json(notes["position"]))
        counts = (position.epoch, position.batch, position.step, position.counted)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError(f"the position {counts}")
        float(position.loss), [dict(row) for row in position.history]
        return position, tensors
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(path, "", error, expected, _HINT) from None


def digest_of(parameters: Any, data: DataSet, model: nn.Module) -> str:
    """What tells one training from another: its parameters, its data, and the numbers it starts from."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode())
    for name, split in data.splits.items():
        for key, array in (*sorted(split.inputs.items()), ("labels", split.labels)):
            digest.update(f"{name} {key} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    for name, tensor in model.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
