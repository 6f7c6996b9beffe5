"""What a power cut has left of a computation's states goes; what is whole stays."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
import torch
from safetensors.torch import save_file

from zenn.pipeline.leftovers import remove_cut, sweep
from zenn.pipeline.provenance import run_file
from zenn.pipeline.steps import Step


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


def lay(path: Path, text: str = "{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_of_a_made_step_only_its_result_and_facts_stay(tmp_path: Path) -> None:
    made, unmade, working = (
        Step("laws", run, "zenn.laws.steps.design", {"of": run}, ("design.csv",), "ci")
        for run in ("made", "unmade", "working")
    )
    stay = {lay(tmp_path / made.folder / name) for name in ("design.csv", "record.json")}
    stay |= {lay(run_file(tmp_path, made.name, made.key))}
    stay |= {lay(tmp_path / step.folder.with_name("a" * 16) / "record.json") for step in (unmade, working)}
    stay |= {lay(tmp_path / "checkpoints" / unmade.name / unmade.key / "state.safetensors")}
    stay |= {
        lay(tmp_path / "checkpoints" / made.name / ("b" * 16) / "state.safetensors")
    }  # of other parameters
    stay |= {lay(tmp_path / PurePosixPath("logs") / working.name / f".{working.key}.run.json-abcdefgh.json")}
    lay(tmp_path / made.folder.with_name("a" * 16) / "record.json")
    lay(tmp_path / made.folder.with_name(f".{made.key}-abcdefgh") / "design.csv")
    lay(tmp_path / "checkpoints" / made.name / made.key / "state.safetensors")
    lay(tmp_path / "logs" / unmade.name / f".{unmade.key}.run.json-abcdefgh.json")
    lay(tmp_path / ".snakemake" / ".zenn-orders-abcdefgh" / "old" / "order.json")
    lay(tmp_path / ".snakemake" / "incomplete" / "cmVzdWx0cw==")
    lay(tmp_path / "results" / "report" / ".index.html-abcdefgh.html")
    sweep([made, unmade, working], tmp_path, {working.key})
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == stay


def test_facts_that_a_power_cut_has_cut_are_none(tmp_path: Path) -> None:
    step = Step("laws", "design", "zenn.laws.steps.design", {}, ("design.csv",), "ci")
    facts = lay(run_file(tmp_path, step.name, step.key), '{"commit": "ab')
    sweep([step], tmp_path)
    assert not facts.exists()  # the ledger would not be read with them
