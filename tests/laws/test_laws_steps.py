"""From the gas to the summary on a design of seconds: files, what belongs together, bad input."""

import errno
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from scipy.stats import spearmanr, t
from sklearn.metrics import r2_score

from zenn import checkpoints
from zenn.csv_table import Column, TextColumn, read_header, read_table
from zenn.files import read_json
from zenn.laws.saved_network import load_network, save_network
from zenn.laws.steps import train as training_step
from zenn.room import main

GAS = {"length": 40.0, "radius": 1.0, "stiffness": 10000.0, "time_step": 0.001}
DESIGN = {
    "particles": [10, 20],
    "push_speeds": [0.5, 1.0],
    "pull_speeds": [0.5, 1.0],
    "distances": [20, 10],
    "neighbours": 1,
    "stop_time": 5,
    "frame_interval": 1,
    "train": 8,
    "validation": 4,
    "test": 8,
    "seed": 3,
}
DRAWN = {"pixels": 32, "drawn_radius": 2.0}
TRAIN = {"epochs": 4, "learning_rate": 3e-3, "images_per_step": 16, "chunk": 8, "seed": 1, "control": "none"}
RECOMBINE = {"samples": 12, "lambdas": [0.3, 0.6], "relaxation": 5.0, "seed": 1, **DRAWN}
AXIOMS = {
    "seed": 1,
    "scaling_lambdas": [0.5, 0.8],
    "extensivity_lambdas": [0.25, 0.5],
    "extensivity_pairs": 20,
    "epsilons": [0.001, 0.01, 0.1],
    "dust_pairs": 2,
    "dust_states": 20,
    "canonical_states": 10,
    "triples": 1000,
    "bootstrap": 100,
}
EXAMPLES = {
    "epsilon": 0.05,
    "lambda": 0.5,
    "animation_frames": 9,
    "animation_pixels": 40,
    "animation_radius": 1.0,
}
TEXT = (
    "split",
    "run",
    "wall",
    "region",
    "order",
    "cut",
    "metric",
    "control",
    "name",
    "layer",
    "hyperparameter",
)


def columns(path):
    """Numbers and names by column."""
    names = read_header(path)
    kinds = [
        TextColumn(n) if n in (*TEXT, "activation", "output") else Column(n, lambda value: True, "")
        for n in names
    ]
    table = read_table(path, kinds)
    return {
        name: table.numbers[name] if name in table.numbers else np.array(table.names[name]) for name in names
    }


def step(folder, verb, params, out, **inputs):
    (folder / f"{out}.json").write_text(json.dumps(params))
    given = [
        part for role, path in inputs.items() for part in ("--input", f"{role.replace('_', '-')}={path}")
    ]
    return main(
        "zenn.laws", [verb, "--params", str(folder / f"{out}.json"), "--out", str(folder / out), *given]
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every step once, two seeds and both controls."""
    at = tmp_path_factory.mktemp("all steps")
    common = {"gas": GAS, "heating_bound": 0.05}
    assert step(at, "simulate", common | {"design": DESIGN, "replica": 0}, "gas") == 0
    tests_only = DESIGN | {"train": 0, "validation": 0}
    assert step(at, "simulate", common | {"design": tests_only, "replica": 1}, "twin-gas") == 0
    assert step(at, "render", DRAWN, "pictures", snapshots=at / "gas") == 0
    assert step(at, "render", DRAWN, "twins", snapshots=at / "twin-gas") == 0
    assert step(at, "recombine", RECOMBINE, "recombined", snapshots=at / "gas") == 0
    for seed in (1, 2):
        assert step(at, "train", TRAIN | {"seed": seed}, f"train-{seed}", pictures=at / "pictures") == 0
        assert axioms(at, f"axioms-{seed}", network=at / f"train-{seed}") == 0
    for control in ("frozen", "shuffled", "permuted"):
        assert step(at, "train", TRAIN | {"control": control}, control, pictures=at / "pictures") == 0
    return at


def axioms(at, out, params=AXIOMS, **other):
    inputs = {"pictures": at / "pictures", "twins": at / "twins", "recombined": at / "recombined"}
    inputs |= {"network": at / "train-1"}
    return step(at, "axioms", params, out, **inputs | other)


def test_training_writes_what_belongs_together(made):
    folder = made / "train-1"
    metrics = read_json(folder / "metrics.json")
    history = columns(folder / "history.csv")
    assert history["epoch"].tolist() == [0, 1, 2, 3]
    best = int(np.argmin(history["validation_loss"]))
    assert metrics["best_epoch"] == best
    assert metrics["validation_accuracy"] == history["validation_accuracy"][best]
    found = columns(folder / "representations.csv")
    index = columns(made / "pictures" / "index.csv")
    np.testing.assert_array_equal(found["process"], index["process"])
    np.testing.assert_array_equal(found["stop"], index["stop"])
    right = []
    for process in np.unique(found["process"][found["split"] == "test"]):
        s = found["s"][found["process"] == process]
        right += [s[i] < s[j] for j in range(len(s)) for i in range(j)]
    assert metrics["test_pairs"] == len(right)
    assert metrics["test_accuracy"] == pytest.approx(np.mean(right))
    assert metrics["parameters"] == columns(folder / "network.csv")["parameters"].sum()


def test_the_tables_and_the_metrics_say_the_same(made):
    folder = made / "axioms-1"
    metrics = read_json(folder / "metrics.json")
    a1, a5, a6 = (columns(folder / f"{name}.csv") for name in ("a1", "a5", "a6"))
    assert metrics["a1_identity_r2"] == pytest.approx(r2_score(a1["s_twin"], a1["s"]))
    assert metrics["a1_r2"] == pytest.approx(np.corrcoef(a1["s"], a1["s_twin"])[0, 1] ** 2)
    start = a1["stop"] == 0
    np.testing.assert_allclose(a1["energy"][start], a1["energy_twin"][start], rtol=1e-2)
    assert metrics["a5_split_r2"] == pytest.approx(np.corrcoef(a5["s"], a5["s_split"])[0, 1] ** 2)
    assert metrics["a5_recombined_identity_r2"] == pytest.approx(r2_score(a5["s_split"], a5["s_recombined"]))
    means = [a6["agreement"][a6["epsilon"] == e].mean() for e in AXIOMS["epsilons"]]
    if np.ptp(means):
        assert metrics["a6_trend"] == pytest.approx(-spearmanr(AXIOMS["epsilons"], means).statistic)
    assert metrics["a6_small_agreement"] == pytest.approx(means[0])
    extensive = columns(folder / "extensivity.csv")
    assert metrics["extensivity_identity_r2"] == pytest.approx(
        r2_score(extensive["s_compound"], extensive["s_parts"])
    )
    assert set(extensive["cut"]) == {"rows", "columns"}
    assert metrics["accuracy"] == pytest.approx(read_json(made / "train-1" / "metrics.json")["test_accuracy"])
    assert metrics["a2_violations"] == 0
    assert 0.5 < metrics["ceiling_accuracy"] <= 1
    assert metrics["heat_capacity_low"] <= metrics["heat_capacity_high"]


def test_the_entropy_is_that_of_equation_4(made):
    table = columns(made / "axioms-1" / "entropy.csv")
    n, index = table["particles"], columns(made / "pictures" / "index.csv")
    expected = n * np.log(table["energy"] / n * (40 * table["width"] / n - 2 * np.pi))
    np.testing.assert_allclose(table["log_term"], expected)
    np.testing.assert_array_equal(table["energy"], index["energy"][index["split"] == "test"])
    affine = columns(made / "axioms-1" / "affine.csv")
    for row, count in enumerate(affine["particles"]):
        own = n == count
        slope, intercept = np.polyfit(table["log_term"][own], table["s"][own], 1)
        assert affine["slope"][row] == pytest.approx(slope, rel=1e-6)
        np.testing.assert_allclose(
            table["s_hat"][own], (table["s"][own] - intercept) / slope, rtol=1e-5, atol=1e-6
        )


def test_states_with_a_wall_are_evenly_spread_test_states(made):
    states = columns(made / "recombined" / "states.csv")
    index = columns(made / "pictures" / "index.csv")
    test = index["split"] == "test"
    rows = [
        np.flatnonzero((index["process"] == p) & (index["stop"] == k))[0]
        for p, k in zip(states["process"], states["stop"], strict=True)
    ]
    assert test[rows].all()
    assert np.ptp(np.diff(np.searchsorted(np.flatnonzero(test), rows))) <= 1
    arrays = load_file(made / "recombined" / "pictures.safetensors")
    with safe_open(made / "pictures" / "pictures.safetensors", framework="numpy") as file:
        np.testing.assert_array_equal(arrays["original"], file.get_tensor("pictures")[rows])
    assert set(zip(states["wall"], states["lambda"], strict=True)) == {
        (wall, part) for wall in "xy" for part in (0.3, 0.6)
    }
    assert not (arrays["split"] == arrays["recombined"]).all()


def test_a_summary_is_students(made):
    inputs = {f"{kind}_{seed}": made / f"{kind}-{seed}" for kind in ("train", "axioms") for seed in (1, 2)}
    runs = {
        "gas": {f"s{k}": {"seed": k, "inputs": [f"train-{k}", f"axioms-{k}"]} for k in (1, 2)},
        "frozen": {"s1": {"seed": 1, "inputs": ["frozen"]}},
    }
    assert step(made, "summary", {"runs": runs}, "summary", **inputs, frozen=made / "frozen") == 0
    table = columns(made / "summary" / "metrics.csv")
    rows = list(zip(table["run"].tolist(), table["metric"].tolist(), strict=True))
    row = rows.index(("gas", "a1_r2"))
    values = [read_json(made / f"axioms-{seed}" / "metrics.json")["a1_r2"] for seed in (1, 2)]
    low, high = t.interval(0.95, 1, np.mean(values), np.std(values, ddof=1) / np.sqrt(2))
    assert table["mean"][row] == pytest.approx(np.mean(values))
    assert (table["low"][row], table["high"][row]) == pytest.approx((low, high))
    assert (table["lowest"][row], table["highest"][row]) == (min(values), max(values))
    alone = rows.index(("frozen", "test_accuracy"))
    assert table["mean"][alone] == read_json(made / "frozen" / "metrics.json")["test_accuracy"]
    assert np.isnan(table["low"][alone])


def test_examples_show_what_the_axioms_use(made):
    inputs = {name: made / path for name, path in (("snapshots", "gas"), ("pictures", "pictures"))}
    assert step(made, "examples", EXAMPLES, "examples", recombined=made / "recombined", **inputs) == 0
    arrays = load_file(made / "examples" / "examples.safetensors")
    np.testing.assert_array_equal(arrays["composed"][:, :16], arrays["composed_first"][:, :16])
    np.testing.assert_array_equal(arrays["composed"][:, 16:], arrays["composed_second"][:, :16])
    assert not arrays["masked"][16:].any()
    assert arrays["animation"].shape == (9, 40, 40)
    frames, piston = (columns(made / "examples" / f"{name}.csv") for name in ("animation", "schedule"))
    for picture, width in zip(arrays["animation"], frames["width"], strict=True):
        assert picture[:, int(width) + 3 :].max(initial=0) <= 5
    np.testing.assert_allclose(
        frames["width"], np.interp(frames["time"], piston["time"], piston["width"]), atol=21
    )
    assert piston["width"].min() == 20
    assert (piston["width"][0], piston["width"][-1]) == (40, 40)
    # a snapshot ends a stop: the piston is where it was
    stops = np.flatnonzero(piston["snapshot"])
    np.testing.assert_array_equal(piston["width"][stops], piston["width"][stops - 1])


def test_a_training_that_was_stopped_ends_the_same(made, tmp_path, monkeypatch):
    writes = []
    real = training_step.train

    def stopped(*given):
        progress = given[4]

        def see(epoch):
            progress(epoch)
            writes.append(epoch)
            if len(writes) == 2:
                raise KeyboardInterrupt

        return real(*given[:4], see, *given[5:])

    monkeypatch.setattr(training_step, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        step(tmp_path, "train", TRAIN, "train", pictures=made / "pictures")
    assert (tmp_path / "train.checkpoints" / "state.safetensors").is_file()
    monkeypatch.setattr(training_step, "train", real)
    assert step(tmp_path, "train", TRAIN, "train", pictures=made / "pictures") == 0
    for path in (made / "train-1").iterdir():
        assert path.read_bytes() == (tmp_path / "train" / path.name).read_bytes()


def refused(capsys, status):
    assert status == 1
    return capsys.readouterr().err


def test_networks_that_cannot_be_used(made, tmp_path, capsys):
    shutil.copytree(made / "train-1", tmp_path / "cut")
    path = tmp_path / "cut" / "network.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "expected a whole network that `train` wrote" in refused(
        capsys, axioms(made, "x", network=tmp_path / "cut")
    )
    assert "network.safetensors" in refused(capsys, axioms(made, "x", network=made / "gas"))
    blind = load_network(made / "train-1" / "network.safetensors")
    with torch.no_grad():
        blind.layers[-1].weight.zero_()
    save_network(path, blind)
    error = refused(capsys, axioms(made, "x", network=tmp_path / "cut"))
    assert "the same S~ for every test state" in error
    larger = DRAWN | {"pixels": 64}
    assert step(tmp_path, "render", larger, "large", snapshots=made / "gas") == 0
    error = refused(capsys, axioms(made, "x", pictures=tmp_path / "large"))
    assert "5 x 64 x 64, expected 5 frames of 32 x 32" in error


def test_twins_and_recombined_states_of_others(made, tmp_path, capsys):
    other = {"gas": GAS, "heating_bound": 0.05, "replica": 0, "design": DESIGN | {"train": 8, "test": 4}}
    assert step(tmp_path, "simulate", other, "gas") == 0
    assert step(tmp_path, "render", DRAWN, "pictures", snapshots=tmp_path / "gas") == 0
    error = refused(capsys, axioms(made, "x", twins=tmp_path / "pictures"))
    assert "the stops of the same test processes" in error
    error = refused(capsys, axioms(made, "x", pictures=tmp_path / "pictures", twins=tmp_path / "pictures"))
    assert "states of other processes" in error


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epsilons": [0.1, 1.5]}, "epsilons: found 1.5"),
        ({"bootstrap": 3}, "bootstrap: found 3, expected 100 or more"),
        ({"dust_pairs": 500}, "dust_pairs: found 500, expected at most"),
        ({"lambdas": [0.5]}, "lambdas"),
    ],
)
def test_parameters_of_the_axioms(made, capsys, change, said):
    assert said in refused(capsys, axioms(made, "x", AXIOMS | change))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"epochs": 0}, "epochs: found 0"), ({"control": "warm"}, "one of"), ({"learning_rate": 0}, "above 0")],
)
def test_parameters_of_a_training(made, tmp_path, capsys, change, said):
    assert said in refused(capsys, step(tmp_path, "train", TRAIN | change, "x", pictures=made / "pictures"))


def test_pictures_that_are_cut(made, tmp_path, capsys):
    shutil.copytree(made / "pictures", tmp_path / "pictures")
    path = tmp_path / "pictures" / "pictures.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    error = refused(capsys, step(tmp_path, "train", TRAIN, "x", pictures=tmp_path / "pictures"))
    assert "expected a whole file of pictures" in error


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"samples": 1000}, "samples: found 1000, expected at most"),
        ({"lambdas": [0.01]}, "a wall that leaves room"),
        ({"relaxation": 1.0}, "for the frames"),
        ({"pixels": 40}, "a multiple of 32"),
    ],
)
def test_parameters_of_recombining(made, tmp_path, capsys, change, said):
    assert said in refused(
        capsys, step(tmp_path, "recombine", RECOMBINE | change, "x", snapshots=made / "gas")
    )


def test_a_disk_that_fills_up_keeps_what_is_finished(made, tmp_path, capsys, monkeypatch):
    params = {"gas": GAS, "heating_bound": 0.05, "design": DESIGN, "replica": 0}
    real = checkpoints.save_file
    written = []

    def save(*given):
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(given[1])
        real(*given)

    monkeypatch.setattr(checkpoints, "save_file", save)
    error = refused(capsys, step(tmp_path, "simulate", params, "gas"))
    assert "No space left on device, expected room for the file of a process" in error
    kept = sorted(path.name for path in (tmp_path / "gas.checkpoints").iterdir())
    assert len(kept) == 3
    monkeypatch.undo()
    assert step(tmp_path, "simulate", params, "gas") == 0
    assert "3 of 20 processes are finished already" in capsys.readouterr().out
    for path in (made / "gas").iterdir():
        assert path.read_bytes() == (tmp_path / "gas" / path.name).read_bytes()


def test_a_metric_that_two_folders_of_a_seed_have(made, tmp_path, capsys):
    runs = {"gas": {"s1": {"seed": 1, "inputs": ["train-1", "frozen"]}}}
    inputs = {"train_1": made / "train-1", "frozen": made / "frozen"}
    error = refused(capsys, step(tmp_path, "summary", {"runs": runs}, "x", **inputs))
    assert "a metric that another folder of this seed has" in error
