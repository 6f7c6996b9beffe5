"""Checkpoints: written and read, of another training, cut; optimisers flattened and given back."""

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


@pytest.mark.parametrize("fused", [False, True])
def test_an_optimiser_goes_on_as_if_it_had_not_stopped(fused):
    def start():
        torch.manual_seed(1)
        model = torch.nn.Linear(3, 2)
        optimiser = torch.optim.AdamW(model.parameters(), 0.1, fused=fused)
        return model, optimiser, {value: name for name, value in model.named_parameters()}

    def step(model, optimiser, times):
        for _ in range(times):
            optimiser.zero_grad()
            model(torch.ones(5, 3)).square().sum().backward()
            optimiser.step()

    model, optimiser, names = start()
    step(model, optimiser, 3)
    kept = {key: value.clone() for key, value in checkpointing.flatten(optimiser, names).items()}
    weights = {name: value.detach().clone() for name, value in model.named_parameters()}
    assert sorted(kept) == sorted(
        f"{name}/{key}" for name in weights for key in ("exp_avg", "exp_avg_sq", "step")
    )
    step(model, optimiser, 4)
    other, again, its_names = start()
    other.load_state_dict(weights)
    checkpointing.unflatten(again, its_names, kept)
    step(other, again, 4)
    assert torch.equal(other.weight, model.weight)


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
