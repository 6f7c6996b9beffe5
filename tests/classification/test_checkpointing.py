"""Checkpoints: written and read, of another training, cut."""

import numpy as np
import pytest
import torch

from zenn.classification import checkpointing
from zenn.classification.checkpointing import Position, read_checkpoint, write_checkpoint
from zenn.classification.data import DataSet, Split
from zenn.errors import InputError


def test_a_checkpoint_comes_back(tmp_path):
    path = tmp_path / "a b" / "seed-1.safetensors"
    shared = torch.randn(4, 3)
    tensors = {"a": shared, "b": shared[1:].T, "c": torch.tensor(3.0), "d": torch.zeros(0)}
    position = Position(2, 3, 4, 0.1 + 0.2, 64, [{"epoch": 1, "loss": 1 / 3}])
    write_checkpoint(path, "this", position, tensors)
    found, values = read_checkpoint(path, "this")
    assert found == position
    for name, tensor in tensors.items():
        assert torch.equal(values[name], tensor)
    with pytest.raises(InputError, match="the state of another training"):
        read_checkpoint(path, "another")
    whole = path.read_bytes()
    for part in (whole[:-3], whole[:20], b"", b"\x80\x04K\x01."):
        path.write_bytes(part)
        with pytest.raises(InputError, match="a whole safetensors file"):
            read_checkpoint(path, "this")
    assert [*path.parent.iterdir()] == [path]  # no temporary file stays


def test_the_digest_tells_trainings_apart():
    def data(labels):
        split = Split({"pixels": np.zeros((2, 1, 1, 1), np.uint8)}, np.array(labels))
        return DataSet("i", "images", ("a", "b"), split, split, split, (0.0,), (1.0,), 0, 0, (), {})

    def model(seed):
        torch.manual_seed(seed)
        return torch.nn.Linear(1, 2).to(torch.bfloat16)

    found = {
        checkpointing.digest_of(parameters, data(labels), model(seed))
        for parameters in ({"rate": 0.1}, {"rate": 0.2})
        for labels in ([0, 1], [1, 1])
        for seed in (1, 2)
    }
    assert len(found) == 8
    assert checkpointing.digest_of({"rate": 0.1}, data([0, 1]), model(1)) in found
