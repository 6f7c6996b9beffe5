"""`zenn laws` as a user meets it: from a YAML to axioms, stopped and continued, and with bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.commands.conftest import names
from zenn.commands import laws_run

ROOT = Path(__file__).parents[2]
GROUP = "laws"
EXAMPLE = ROOT / "data" / "inputs" / "gas.yaml"


def tiny():
    """The example as a gas of seconds."""
    said = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    said["gas"]["length"] = 40
    said["design"].update(particles=[10, 20], distances=[20, 10], push_speeds=[0.5], pull_speeds=[0.5, 1.0])
    said["design"].update(stop_time=5, train=8, validation=4, test=4)
    said["training"].update(epochs=2)
    said["recombination"].update(samples=8, relaxation=4.0)
    return said


def write(path, said):
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A gas, its pictures, its network and its axioms."""
    folder = tmp_path_factory.mktemp("laws")
    gas = write(folder / "gas.yaml", tiny())
    laws_run.run_simulate(gas, folder / "gas", 2)
    laws_run.run_render(gas, folder / "gas", folder / "pictures")
    laws_run.run_train(gas, folder / "pictures", folder / "network", "none", "cpu")
    laws_run.run_axioms(gas, folder / "pictures", folder / "network", folder / "axioms", "cpu")
    return folder


def test_the_whole_way(made):
    assert names(made) == {
        "gas.yaml",
        "gas",
        "pictures",
        "network",
        "axioms",
    }  # nothing to go on from is left
    assert names(made / "gas") == {"snapshots", "twins", "metadata.json"}
    assert names(made / "pictures") == {"pictures", "twins", "recombined", "metadata.json"}
    processes = pd.read_csv(made / "gas" / "snapshots" / "processes.csv")
    assert processes["split"].value_counts().to_dict() == {"train": 8, "validation": 4, "test": 4}
    twins = pd.read_csv(made / "gas" / "twins" / "processes.csv")
    assert set(twins["process"]) == set(processes.query("split == 'test'")["process"])
    found = json.loads((made / "axioms" / "metrics.json").read_text())
    assert 0 <= found["accuracy"] <= 1
    assert found["a2_violations"] == 0
    said = json.loads((made / "network" / "metadata.json").read_text())
    assert said["made_by"] == "zenn laws train"
    assert said["parameters"]["gas"]["length"] == 40
    assert said["parameters"]["control"] == "none"


def test_stages_are_printed(made, zenn, tmp_path):
    gas = made / "gas.yaml"
    status, printed, errors = zenn(f"train {gas} {made / 'pictures'} --out network --control frozen")
    assert status == 0, errors
    assert "test: loss" in printed
    assert "results in network" in printed


def test_the_example_is_a_gas_that_every_verb_takes():
    """Every section that the verbs read, and no other."""
    from zenn.commands.laws_inputs import SECTIONS, GasFile

    gas = GasFile(EXAMPLE)
    assert tuple(gas.values()) == SECTIONS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g["design"].update(distances=[15]), "gas.yaml, design.distances: found 15"),
        (lambda g: g["design"].update(particles=[800]), "gas.yaml, design.particles: found 800 discs"),
        (lambda g: g["gas"].update(time_step=0.05), "gas.yaml, gas.time_step: found 0.05"),
        (lambda g: g["gas"].update(length="wide"), "gas.yaml, gas.length: found 'wide'"),
        (lambda g: g["gas"].update(lenght=1), "gas.yaml, gas.lenght: found an unknown parameter"),
        (lambda g: g["design"].update(train=99), "expected 1 to 16 in all"),
        (lambda g: g.update(axiom={}), "gas.yaml, axiom: found an unknown section"),
        (lambda g: g.pop("design"), "gas.yaml, design: found nothing"),
    ],
    ids=["distance", "particles", "time step", "text", "misspelt", "split", "section", "missing"],
)
def test_a_gas_that_cannot_be_simulated_is_refused(zenn, tmp_path, change, said):
    gas = tiny()
    change(gas)
    write(tmp_path / "gas.yaml", gas)
    status, _, errors = zenn("simulate gas.yaml --out gas")
    assert status == 1
    assert said in errors
    assert "Traceback" not in errors
    assert names(tmp_path) == {"gas.yaml"}


def test_a_time_step_that_heats_is_refused_and_names_the_process(zenn, tmp_path):
    gas = tiny()
    gas["gas"]["time_step"] = 0.005
    gas["heating_bound"] = 0.001
    write(tmp_path / "gas.yaml", gas)
    status, _, errors = zenn("simulate gas.yaml --out gas")
    assert status == 1
    assert "process" in errors
    assert "time step 0.005" in errors
    assert "gas" not in names(tmp_path)


@pytest.mark.parametrize(
    ("verb", "change", "said"),
    [
        (
            "render",
            lambda g: g["pictures"].update(pixels=40),
            "pictures.pixels: found 40, expected a multiple of 32",
        ),
        (
            "render",
            lambda g: g["recombination"].update(samples=10**6),
            "recombination.samples: found 1000000",
        ),
        ("train", lambda g: g["training"].update(epochs=0), "training.epochs: found 0, expected 1 or more"),
        ("train", lambda g: g["training"].update(control="none"), "training.control: found 'none'"),
        ("axioms", lambda g: g["axioms"].update(triples="many"), "axioms.triples: found 'many'"),
    ],
)
def test_bad_sections_are_named(made, zenn, tmp_path, verb, change, said):
    gas = tiny()
    change(gas)
    write(tmp_path / "other.yaml", gas)
    pictures, network = made / "pictures", made / "network"
    given = {"render": f"{made / 'gas'}", "train": f"{pictures}", "axioms": f"{pictures} {network}"}[verb]
    status, _, errors = zenn(f"{verb} other.yaml {given} --out out")
    assert status == 1
    assert f"other.yaml, {said}" in errors
    assert names(tmp_path) == {"other.yaml"}


def test_folders_of_another_verb_are_named(made, zenn):
    gas = made / "gas.yaml"
    _, _, errors = zenn(f"train {gas} {made / 'gas'} --out out")
    assert "found no folder pictures in it, expected what `zenn laws render` wrote" in errors
    _, _, errors = zenn(f"axioms {gas} {made / 'pictures'} {made / 'gas'} --out out")
    assert "network.safetensors" in errors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gas: [1, 2\n", "gas.yaml, line"),
        ("gas: {}\ngas: {}\n", "'gas' a second time"),
        ("", "found nothing"),
    ],
)
def test_a_file_that_is_no_gas(zenn, tmp_path, text, said):
    (tmp_path / "gas.yaml").write_text(text)
    status, _, errors = zenn("simulate gas.yaml --out gas")
    assert status == 1
    assert said in errors


def test_a_simulation_that_is_killed_goes_on(tmp_path):
    said = tiny()
    said["design"].update(stop_time=200)  # long enough to be killed in
    write(tmp_path / "gas.yaml", said)
    command = [sys.executable, "-m", "zenn", "laws", "simulate", "gas.yaml", "--out", "gas", "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
    kept = tmp_path / "gas.checkpoints" / "snapshots"
    deadline = time.monotonic() + 120
    while len(list(kept.glob("process-*"))) < 2 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "gas").exists()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "processes are finished already" in done.stdout
    assert names(tmp_path) >= {"gas.yaml", "gas"}
    assert not kept.exists()


def test_what_is_kept_of_another_gas_is_refused(made, zenn, tmp_path):
    kept = tmp_path / "gas.checkpoints" / "snapshots"
    kept.mkdir(parents=True)
    for path in (made / "gas" / "snapshots").glob("process-*"):
        (kept / path.name).write_bytes(path.read_bytes())
    gas = tiny()
    gas["gas"]["stiffness"] = 9000.0
    write(tmp_path / "gas.yaml", gas)
    status, _, errors = zenn("simulate gas.yaml --out gas")
    assert status == 1
    assert "a process of other parameters" in errors
    assert any(kept.iterdir())  # not thrown away
