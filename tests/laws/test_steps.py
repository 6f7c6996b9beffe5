"""`simulate` and `render` from files: stopped and continued, with bad input, on several threads."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from zenn.csv_table import Column, TextColumn, finite, read_table
from zenn.laws.rendering import render
from zenn.room import main

PARAMS = {
    "gas": {"length": 40.0, "radius": 1.0, "stiffness": 10000.0, "time_step": 0.001},
    "design": {
        "particles": [10, 20],
        "push_speeds": [0.5],
        "pull_speeds": [0.5, 1.0],
        "distances": [20, 10],
        "neighbours": 1,
        "stop_time": 5,
        "frame_interval": 1,
        "train": 2,
        "validation": 2,
        "test": 4,
        "seed": 3,
    },
    "replica": 0,
    "heating_bound": 0.05,
}
SNAPSHOTS = [
    *(Column(name, finite, "a number") for name in ("process", "stop", "particles")),
    *(Column(name, finite, "a number") for name in ("time", "width", "energy", "work")),
    TextColumn("split"),
]


def simulate(folder, params=PARAMS, name="gas"):
    (folder / "params.json").write_text(json.dumps(params))
    arguments = ["simulate", "--params", str(folder / "params.json"), "--out", str(folder / name)]
    return main("zenn.laws", arguments)


def draw(folder, pixels=32, radius=1.0, source="gas"):
    (folder / "draw.json").write_text(json.dumps({"pixels": pixels, "drawn_radius": radius}))
    arguments = ["render", "--params", str(folder / "draw.json"), "--input", f"snapshots={folder / source}"]
    return main("zenn.laws", [*arguments, "--out", str(folder / "pictures")])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a gas")
    assert simulate(folder) == 0
    return folder


def test_pictures_belong_to_their_rows(simulated):
    assert draw(simulated) == 0
    rows = read_table(simulated / "pictures" / "index.csv", SNAPSHOTS)
    with safe_open(simulated / "pictures" / "pictures.safetensors", framework="numpy") as file:
        pictures = file.get_tensor("pictures")
    assert pictures.shape == (len(rows.lines), 5, 32, 32)
    assert pictures.dtype == np.uint8
    row = len(rows.lines) - 3
    number, stop = int(rows.numbers["process"][row]), int(rows.numbers["stop"][row])
    with safe_open(simulated / "gas" / f"process-{number:04d}.safetensors", framework="numpy") as file:
        positions = file.get_tensor("positions")
    np.testing.assert_array_equal(pictures[row], render(positions[stop], 40.0, 1.0, 32))
    dark = pictures[rows.numbers["width"] == 20]  # the piston halves the container
    assert dark[..., 20:].max() <= 5
    assert dark[..., :16].max() > 200


def test_a_run_that_was_stopped_goes_on_to_the_same_end(simulated, tmp_path, capsys, monkeypatch):
    kept = tmp_path / "gas.checkpoints"
    kept.mkdir()
    for name in sorted(name for name in contents(simulated / "gas") if name.startswith("process-"))[:2]:
        (kept / name).write_bytes((simulated / "gas" / name).read_bytes())
    monkeypatch.setenv("ZENN_THREADS", "2")
    assert simulate(tmp_path) == 0
    assert "2 of 8 processes are finished already" in capsys.readouterr().out
    assert contents(tmp_path / "gas") == contents(simulated / "gas")
    assert not kept.exists()


def test_processes_that_ended_are_kept_when_one_cannot(tmp_path, capsys):
    assert simulate(tmp_path, PARAMS | {"heating_bound": 1e-5}) == 1
    error = capsys.readouterr().err
    assert "error: process " in error
    assert "expected at most 0.001 %" in error
    assert not (tmp_path / "gas").exists()


def test_processes_of_other_parameters_are_refused(simulated, tmp_path, capsys):
    kept = tmp_path / "gas.checkpoints"
    kept.mkdir()
    name = min(name for name in contents(simulated / "gas") if name.startswith("process-"))
    (kept / name).write_bytes((simulated / "gas" / name).read_bytes())
    other = json.loads(json.dumps(PARAMS))
    other["gas"]["stiffness"] = 9000.0
    assert simulate(tmp_path, other) == 1
    assert "found a process of other parameters" in capsys.readouterr().err
    assert (kept / name).exists()
    (kept / name).write_bytes((kept / name).read_bytes()[:-9])
    assert simulate(tmp_path) == 1
    assert "the whole file of a process" in capsys.readouterr().err


def test_a_replica_has_other_states_and_the_same_energy(simulated, tmp_path):
    assert simulate(tmp_path, PARAMS | {"replica": 1}) == 0
    first = read_table(simulated / "gas" / "snapshots.csv", SNAPSHOTS).numbers
    second = read_table(tmp_path / "gas" / "snapshots.csv", SNAPSHOTS).numbers
    start = first["stop"] == 0
    np.testing.assert_allclose(first["energy"][start], second["energy"][start], rtol=5e-3)
    assert not np.allclose(first["energy"][~start], second["energy"][~start], rtol=1e-3)
    np.testing.assert_array_equal(first["width"], second["width"])


@pytest.mark.parametrize(
    ("pixels", "radius", "said"),
    [(33, 1.0, "pixels: found 33, expected a multiple of 32"), (32, 0.0, "drawn_radius: found 0.0")],
)
def test_pictures_that_cannot_be_drawn(simulated, capsys, pixels, radius, said):
    (simulated / "pictures").rename(simulated / "before") if (simulated / "pictures").exists() else None
    assert draw(simulated, pixels, radius) == 1
    assert said in capsys.readouterr().err


def test_a_table_of_other_processes_is_refused(simulated, tmp_path, capsys):
    folder = tmp_path / "gas"
    folder.mkdir()
    for name, content in contents(simulated / "gas").items():
        (folder / name).write_bytes(content)
    lines = (folder / "processes.csv").read_text().splitlines(keepends=True)
    (folder / "processes.csv").write_text("".join(lines[:-1]))
    assert draw(tmp_path) == 1
    assert "processes.csv, column 'process': found 7 processes" in capsys.readouterr().err


@pytest.mark.parametrize("threads", ["0", "two"])
def test_a_number_of_threads_that_is_none(tmp_path, capsys, monkeypatch, threads):
    monkeypatch.setenv("ZENN_THREADS", threads)
    assert simulate(tmp_path) == 1
    assert "ZENN_THREADS" in capsys.readouterr().err
