"""The step `train` as a process of its own: killed, continued, refused, on two processes."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.classification._trainings import PARAMETERS, SETTINGS, data_set
from zenn.checkpoints import read_arrays
from zenn.classification.data import save_data_set

TRAIN = "zenn.classification", "train"
LONG = {**SETTINGS, "epochs": 150, "prior": "learned", "ema": 0.9, "cross_entropy_warm_up": 0.2}


@pytest.fixture
def folder(tmp_path):
    save_data_set(tmp_path / "data", data_set())
    return tmp_path


def command(folder, out, parameters, *launcher):
    path = folder / f"{out}.json"
    path.write_text(json.dumps(parameters))
    return [
        sys.executable,
        "-m",
        *launcher,
        *TRAIN,
        "--params",
        str(path),
        "--input",
        f"data={folder / 'data'}",
        "--out",
        str(folder / out),
    ]


def run(arguments, **environment):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(arguments, capture_output=True, text=True, env=environment, timeout=300)


def test_killed_again_and_again_it_ends_at_the_same_bytes(folder):
    augmented = {"augmentation": ["horizontal_flip", "random_crop"], "crop_padding": 1}
    parameters = {
        **PARAMETERS,
        "training": {**LONG, **augmented},
        "save_every_s": 0.0,
        "save_model": True,
    }
    whole = run(command(folder, "whole", {**parameters, "save_every_s": 1e6}))
    assert whole.returncode == 0, whole.stderr
    assert not (folder / "whole.checkpoints").exists()
    kept = folder / "killed.checkpoints"
    kills = 0
    for wanted in (1, 25, 60):
        process = subprocess.Popen(
            command(folder, "killed", parameters), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seen, last = 0, None
        while process.poll() is None and seen < wanted:
            files = sorted(path.stat().st_mtime_ns for path in kept.glob("seed-*.safetensors"))
            seen, last = seen + (files != last and bool(files)), files
            time.sleep(0.002)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        assert not (folder / "killed").exists() or process.returncode == 0
    assert kills == 3
    ended = run(command(folder, "killed", parameters))
    assert ended.returncode == 0, ended.stderr
    assert not kept.exists()
    names = ["history.csv", "metrics.json", "model.json", "model.safetensors", "predictions.safetensors"]
    assert sorted(path.name for path in (folder / "killed").iterdir()) == names
    for name in names:
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name


def test_a_small_training_does_not_wait_for_imports(folder):
    arguments = command(folder, "out", PARAMETERS)[3:]
    code = f"""
import sys
from zenn.room import main
assert main({TRAIN[0]!r}, {arguments!r}) == 0
slow = ("torch._dynamo", "scipy.stats", "sklearn", "timm", "transformers", "peft", "accelerate")
assert not [name for name in slow if name in sys.modules], sys.modules
"""
    found = run([sys.executable, "-c", code])
    assert found.returncode == 0, found.stderr


def test_two_processes_train_what_one_does(folder):
    # of 72 samples the second batch has one, so that the second process only keeps the first company
    parameters = {
        **PARAMETERS,
        "encoder": {**PARAMETERS["encoder"], "dropout": 0.0},
        "training": {**SETTINGS, "batch_size": 71, "mode": "alternating"},
        "seeds": [4],
    }
    one = run(command(folder, "one", parameters))
    assert one.returncode == 0, one.stderr
    launcher = "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"
    two = run(command(folder, "two", parameters, *launcher))
    assert two.returncode == 0, two.stderr
    assert "2 x cpu" in two.stdout
    expected, _ = read_arrays(folder / "one" / "predictions.safetensors")
    found, _ = read_arrays(folder / "two" / "predictions.safetensors")
    assert sorted(found) == sorted(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"training": {**SETTINGS, "initial_temperatures": [1.0, 1.0]}}, "1 twice"),
        ({"training": {**SETTINGS, "epoch": 3}}, "epoch: found an unknown parameter"),
        ({"training": {**SETTINGS, "detach_weights": "no"}}, "expected true or false"),
        ({"seeds": [1, 1]}, "each once"),
    ],
)
def test_parameters_that_cannot_be(folder, change, told, capsys):
    from zenn.room import main

    found = main(TRAIN[0], command(folder, "out", {**PARAMETERS, **change})[3:])
    assert found == 1
    assert told in capsys.readouterr().err
    assert not (folder / "out").exists()
