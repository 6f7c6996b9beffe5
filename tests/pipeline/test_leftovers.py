"""What a power cut has left of a computation's states goes; what is whole stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from zenn.pipeline.leftovers import remove_cut


@pytest.fixture
def states(tmp_path: Path) -> dict[str, Path]:
    """Three states of a training, one in numbers that numpy does not have, and one text."""
    paths = {name: tmp_path / f"{name}.safetensors" for name in ("cut", "whole", "other")}
    for path in paths.values():
        save_file({"weights": torch.ones(100, dtype=torch.bfloat16)}, path)
    paths["speed"] = tmp_path / "deeper" / "measured.json"
    paths["speed"].parent.mkdir()
    paths["speed"].write_text('{"seed-1": {"samples_per_s": 5.0}}\n')
    return paths


def test_whole_states_stay(states: dict[str, Path], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in states.values()}
    assert remove_cut(tmp_path) == []
    assert {path: path.read_bytes() for path in states.values()} == before


@pytest.mark.parametrize("length", [0, 7, 60, 150])
@pytest.mark.parametrize("name", ["cut", "speed"])
def test_a_cut_state_goes_alone(states: dict[str, Path], tmp_path: Path, name: str, length: int) -> None:
    os.truncate(states[name], min(length, states[name].stat().st_size - 2))
    (said,) = remove_cut(tmp_path)
    assert said.startswith(states[name].name)
    assert {path for path in states.values() if path.exists()} == {*states.values()} - {states[name]}


def test_nothing_was_kept(tmp_path: Path) -> None:
    assert remove_cut(tmp_path / "none") == []
