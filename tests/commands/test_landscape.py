"""`zenn landscape` as a user meets it: from a table to networks, bifurcations and pictures."""

from __future__ import annotations

import json
import os
import runpy
import shlex
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.commands.conftest import names
from zenn.landscape import load_model, store
from zenn.landscape.landscapes import bifurcation_energy

INPUTS = Path(__file__).parents[2] / "data" / "inputs"
WELL = INPUTS / "double_well.csv"
X, T = np.linspace(-1.6, 1.6, 25), np.linspace(1.2, 2.8, 9)
FIT = {
    "model.json", "network.json", "parameters.safetensors", "constants.csv", "errors.csv", "history.csv",
    "fitted.csv", "curves.csv", "metadata.json",
    *(f"{name}.{kind}" for name in ("free_energy", "curvature") for kind in ("png", "pdf", "csv")),
}  # fmt: skip
CRITICAL = {
    "critical_points.csv", "zero_eigenvalue.csv", "branches.csv", "branch_changes.csv", "zero_lines.csv",
    "transition.csv", "metadata.json", "bifurcation.png", "bifurcation.pdf", "bifurcation.csv",
}  # fmt: skip
GROUP = "landscape"


def table(path, x, t, energy, **more):
    """A table of energy(x, t), both broadcast, and of more columns."""
    t, x = (grid.ravel() for grid in np.meshgrid(t, x, indexing="ij"))
    columns = {name: function(x, t) for name, function in more.items()}
    pd.DataFrame({"x": x, "temperature": t, "free_energy": energy(x, t), **columns}).to_csv(path, index=False)


def test_the_example_from_table_to_bifurcation(zenn, tmp_path):
    labels = "--x-name 'strain $e$' --energy-unit meV --temperature-unit K"
    line = f"fit {shlex.quote(str(WELL))} --k 1 --boltzmann-constant 0.0861733 --iterations 200 --out fit/"
    status, said, _ = zenn(f"{line} {labels}")
    assert status == 0
    assert "1 configuration: loss" in said
    assert names("fit") == FIT
    assert names(tmp_path) == {"fit"}  # no checkpoints are left
    data, fitted = pd.read_csv(WELL, comment="#"), pd.read_csv("fit/fitted.csv")
    np.testing.assert_array_equal(fitted[["temperature", "x", "free_energy"]], data)
    F_x = 2 * (data["temperature"] - 300) * data["x"] + 160 * data["x"] ** 3
    np.testing.assert_allclose(fitted["fitted_free_energy"], data["free_energy"], atol=1.0)
    inside = data["x"].abs() < 0.9
    np.testing.assert_allclose(fitted["slope"][inside], F_x[inside], atol=1.0)
    errors = pd.read_csv("fit/errors.csv")
    off = (fitted["fitted_free_energy"] - fitted["free_energy"]).groupby(fitted["temperature"])
    np.testing.assert_allclose(errors["largest_error"], off.apply(lambda o: o.abs().max()))
    assert errors["free_energy_range"].max() == pytest.approx(100)
    assert len(pd.read_csv("fit/history.csv")) == 200
    found = json.loads(Path("fit/metadata.json").read_text())
    assert found["made_by"] == "zenn landscape fit"
    assert found["inputs"][0]["sha256"] == sha256(WELL.read_bytes()).hexdigest()
    assert found["parameters"]["configurations"] == 1
    assert found["landscape"]["weights"] == "trapezoidal"
    assert {"numpy", "scipy", "torch"} < set(found["libraries"])

    status, said, error = zenn("critical fit --temperatures 13")
    assert (status, error) == (0, "")
    assert names("fit") == FIT | {"critical"}
    folder = Path("fit/critical")
    assert names(folder) == CRITICAL
    point = pd.read_csv(folder / "critical_points.csv").iloc[0]
    assert point["temperature"] == pytest.approx(300, abs=0.5)
    assert point["x"] == pytest.approx(0, abs=0.02)
    assert point["bifurcation"] == 1
    assert abs(point["second_derivative_residual"]) < 1e-9
    assert f"{point['temperature']:.6g}" in said
    assert "equally deep, as far as the fit can tell" in said  # the wells are alike
    assert pd.read_csv(folder / "transition.csv").empty
    branches = pd.read_csv(folder / "branches.csv")
    minima = branches[(branches["stable"] == 1) & (branches["temperature"] < 290)]
    np.testing.assert_allclose(minima["x"] ** 2, 2 * (300 - minima["temperature"]) / 160, atol=0.01)
    lines = pd.read_csv(folder / "zero_lines.csv")
    np.testing.assert_allclose(lines["temperature"], 300 - 240 * lines["x"] ** 2, atol=1.0)
    assert len(pd.read_csv(folder / "zero_eigenvalue.csv")) >= 1
    for picture in ("fit/free_energy.png", "fit/curvature.png", "fit/critical/bifurcation.png"):
        with Image.open(picture) as image:
            assert len(image.convert("L").getcolors(256)) > 5, picture
    model = load_model(Path("fit"))
    assert model.critical_points()[0].temperature == pytest.approx(point["temperature"], rel=1e-12)

    # what is there is not overwritten, and a window without the bifurcation says so
    assert "critical with something in it" in zenn("critical fit")[2]
    status, _, error = zenn("critical fit --out other --temperature-window 310:350 --x-window -0.9:0.9")
    assert status == 1
    assert "x = -0.9 to 0.9 and T = 310 to 350; no solution of Eq. 19 and no transition at P = 0" in error
    assert error.endswith("F_xx is above 0 everywhere: one minimum at all temperatures\n")
    status, _, error = zenn("critical fit --out other --temperature-window 240:260")
    assert "F_xx is below 0 somewhere at every temperature: a bifurcation may lie at others" in error
    status, _, _ = zenn("critical fit --out tilted --pressure 20 --temperatures 7")
    assert status == 0
    tilted = pd.read_csv("tilted/zero_eigenvalue.csv")
    x = (20 / 320) ** (1 / 3)  # F_x + P = F_xx = 0: 2 (T - 300) = -480 x^2, then -320 x^3 + P = 0
    assert tilted["x"].iloc[0] == pytest.approx(x, abs=0.02)
    assert tilted["temperature"].iloc[0] == pytest.approx(300 - 240 * x**2, abs=1.0)
    assert names(tmp_path) == {"fit", "tilted"}


def test_the_example_is_what_its_script_makes():
    script = runpy.run_path(str(INPUTS / "double_well.py"))
    lines = WELL.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == script["rows"]()


def test_k_is_found_and_a_killed_search_goes_on(zenn, tmp_path, monkeypatch):
    table("t.csv", X, T, lambda x, t: bifurcation_energy(x, t) + 40 * np.sin(t))
    line = "fit t.csv --k auto --iterations 30 --tolerance 0.5 --k-most 4 --out deep/fit"
    whole, asked, fits = store.run_fit, [], iter([None, None, KeyboardInterrupt])

    def sometimes(network, *arguments):
        asked.append(network.configurations)
        stop = next(fits, None)
        if stop:
            raise stop
        return whole(network, *arguments)

    monkeypatch.setattr("zenn.landscape.store.run_fit", sometimes)
    status, _, error = zenn(line)
    assert status == 130
    assert "the same command goes on from deep/fit.checkpoints" in error
    assert names("deep") == {"fit.checkpoints"}
    assert "the state of another fit" in zenn(line.replace("--tolerance 0.5", "--seed 3"))[2]
    status, said, _ = zenn(line)
    assert status == 0
    scores = pd.read_csv("deep/fit/selection.csv")
    K = json.loads(Path("deep/fit/network.json").read_text())["configurations"]
    assert asked == [1, 2, 3, *range(3, len(scores) + 1), K]
    assert "held out: 2 of 9 temperatures" in said
    assert f"K = {K}: " in said
    assert scores["held_out_rms_error"].between(0, 1).all()
    assert names("deep") == {"fit"}
    # the constants of the data come back
    fitted = pd.read_csv("deep/fit/fitted.csv")
    np.testing.assert_allclose(fitted["fitted_free_energy"], fitted["free_energy"], atol=1.5)


def test_noise_is_not_followed(zenn):
    table("t.csv", X, T, bifurcation_energy)
    frame = pd.read_csv("t.csv")
    frame["free_energy"] += 0.07 * np.random.default_rng(3).normal(
        size=len(frame)
    )  # a hundredth of the range
    frame.to_csv("t.csv", index=False)
    status, said, _ = zenn("fit t.csv --k 1 --hold-out --iterations 250 --out fit")
    assert status == 0
    score = pd.read_csv("fit/selection.csv").iloc[0]
    assert 10 < score["iterations"] < 250
    assert len(pd.read_csv("fit/history.csv")) == score["iterations"]
    assert f"after {score['iterations']:g} steps" in said
    point = load_model(Path("fit")).critical_point()
    assert point.temperature == pytest.approx(2, abs=0.2)


def test_kill_9_and_the_same_command_end_at_the_same_bits(zenn, tmp_path):
    table("t.csv", X, T, bifurcation_energy)
    line = "fit t.csv --k 2 --hold-out --iterations 100 --out"
    assert zenn(f"{line} whole")[0] == 0
    program = "from zenn.landscape import store; store.SAVE_EVERY = 0.1; from zenn.cli import main; main()"
    running = subprocess.Popen(
        [sys.executable, "-c", program, "landscape", *line.split(), "killed"],
        env={**os.environ, "PYTHONPATH": str(INPUTS.parents[1])},
        stderr=subprocess.DEVNULL,
    )
    state = tmp_path / "killed.checkpoints" / "k2.safetensors"
    for _ in range(6000):
        if state.is_file():
            break
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert names(tmp_path) == {"t.csv", "whole", "killed.checkpoints"}
    assert state.is_file()
    assert zenn(f"{line} killed")[0] == 0
    one, other = (load_file(tmp_path / out / "parameters.safetensors")["fit"] for out in ("whole", "killed"))
    np.testing.assert_array_equal(one, other)
    for name in ("history.csv", "fitted.csv", "constants.csv", "selection.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()
    assert names(tmp_path) == {"t.csv", "whole", "killed"}


def test_two_coordinates(zenn):
    axis, t = np.linspace(-1.5, 1.5, 9), np.linspace(0.5, 2.0, 6)
    grid = [a.ravel() for a in np.meshgrid(t, axis, axis, indexing="ij")]
    frame = pd.DataFrame({"temperature": grid[0], "x1": grid[1], "x2": grid[2]})
    x, y = frame["x1"], frame["x2"]
    frame["free_energy"] = x**3 / 3 - (frame["temperature"] - 1) * x + (y - x) ** 2  # a fold at T = 1
    frame.to_csv("t.csv", index=False)
    assert zenn("fit t.csv --k 2 --iterations 200 --out fit")[0] == 0
    drawn = {f"{name}.{kind}" for name in ("free_energy", "curvature") for kind in ("png", "pdf", "csv")}
    assert names("fit") == FIT - drawn - {"curves.csv"}
    fitted = pd.read_csv("fit/fitted.csv")
    np.testing.assert_allclose(fitted["slope2"], 2 * (y - x), atol=0.5)
    assert zenn("critical fit --out found")[0] == 0
    assert names("found") == {"zero_eigenvalue.csv", "metadata.json"}
    point = pd.read_csv("found/zero_eigenvalue.csv").iloc[0]
    assert point["temperature"] == pytest.approx(1, abs=0.02)
    assert (point["direction_x1"], point["direction_x2"]) == pytest.approx((0.5**0.5, 0.5**0.5), abs=0.02)
    for line, message in (
        ("critical fit --pressure 1 --out x", "--pressure: found 1.0, expected 0 with 2 coordinates"),
        ("critical fit --x-window -1:1 --out x", "found 1 windows, expected 2, one for each coordinate"),
        ("critical fit --temperature-window 1.7:2 --out x", "no stationary point with a zero eigenvalue"),
        ("fit t.csv --k 1 --start wells --out x", "--start wells: found 2 coordinates"),
        ("fit t.csv --k 1 --convexity 1 --out x", "--convexity: found 2 coordinates"),
    ):
        status, _, error = zenn(line)
        assert status == 1
        assert message in error
    assert not Path("x").exists()


def test_first_order_and_derivatives_in_the_table(zenn):
    """Two wells change places at T = 2, by the term a x (T - 2).

    One of them ends in a fold where a |T - 2| is 2 / 27^(1/2), the largest slope between them.
    """
    t, a = np.linspace(1.0, 3.0, 9), 0.6

    def energy(x, t):
        return 0.25 * (x**2 - 1) ** 2 + a * x * (t - 2)

    columns = {
        "slope": lambda x, t: x * (x**2 - 1) + a * (t - 2),
        "entropy": lambda x, t: -a * x,
        "weight": lambda x, t: 1 + x**2,
    }
    table("t.csv", X, t, energy, **columns)
    status, _, error = zenn("fit t.csv --k 1 --iterations 5 --out plain")
    assert status == 0
    assert "the column slope is not used without --slope-weight" in error
    assert "the column entropy is not used without --entropy-weight" in error
    assert json.loads(Path("plain/metadata.json").read_text())["landscape"]["weights"] == "of the table"
    line = "fit t.csv --k 1 --iterations 150 --slope-weight 0.1 --entropy-weight 0.01 --gamma inf --out fit"
    status, _, error = zenn(line)
    assert (status, "note" in error) == (0, False)
    fitted = pd.read_csv("fit/fitted.csv")
    exact = columns["slope"](fitted["x"], fitted["temperature"])
    np.testing.assert_allclose(fitted["slope"], exact, atol=0.1)
    Path("fit/metadata.json").unlink()  # only the labels of the figure are missed
    status, said, _ = zenn("critical fit --temperatures 9")
    assert status == 0
    folds = pd.read_csv("fit/critical/zero_eigenvalue.csv").sort_values("temperature")
    np.testing.assert_allclose(folds["temperature"], 2 + np.array([-1, 1]) * 2 / 27**0.5 / a, atol=0.02)
    np.testing.assert_allclose(folds["x"], [-(3**-0.5), 3**-0.5], atol=0.02)
    assert not folds["singular"].any()
    found = pd.read_csv("fit/critical/transition.csv").iloc[0]
    assert found["temperature"] == pytest.approx(2, abs=0.01)
    assert (found["low_x"], found["high_x"]) == pytest.approx((-1, 1), abs=0.01)
    assert found["entropy_change"] == pytest.approx(-2 * a, abs=0.05)
    assert f"equally deep at T = {found['temperature']:.6g}; the entropy changes by -1." in said


def test_nothing_to_be_found_is_said_and_leaves_nothing(zenn, tmp_path):
    table("convex.csv", X, T, lambda x, t: t * x**2)
    table("one.csv", X, T[:1], bifurcation_energy)
    for name, steps in (("convex", 150), ("one", 5)):
        assert zenn(f"fit {name}.csv --k 1 --iterations {steps} --out {name}")[0] == 0
    before = names(tmp_path), names("convex"), names("one")
    status, said, error = zenn("critical convex")
    assert (status, said) == (1, "")
    assert "error: no bifurcation point (F_xx = F_xxx = 0 < F_xxxx) within x = -1.6 to 1.6" in error
    assert "F_xx is above 0 everywhere: one minimum at all temperatures" in error
    status, _, error = zenn("critical one --out found")
    assert status == 1
    assert "no critical point at the one temperature 1.2 of the table" in error
    assert (names(tmp_path), names("convex"), names("one")) == before
    assert "6 of 25 points" in zenn("fit one.csv --k auto --k-most 1 --iterations 5 --out auto")[1]


GOOD = "fit good.csv --k 1 --out out --iterations 2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GOOD.replace("--k 1", "--k 0"), "--k: found '0', expected an integer of 1 or more, or auto"),
        (GOOD.replace("--k 1", "--k -2"), "--k: found '-2'"),
        (GOOD.replace("--k 1", "--k many"), "--k: found 'many'"),
        (f"{GOOD} --iterations 0", "--iterations: found 0"),
        (f"{GOOD} --gamma 0", "--gamma: found 0.0"),
        (f"{GOOD} --gamma nan", "--gamma: found nan"),
        (f"{GOOD} --convexity -1", "--convexity: found -1.0"),
        (f"{GOOD} --seed -1", "--seed: found -1"),
        (f"{GOOD} --tolerance 1", "--tolerance: found 1.0, expected a number between 0 and 1"),
        (f"{GOOD} --k-most 0", "--k-most: found 0"),
        (f"{GOOD} --slope-weight 1", "--slope-weight: found 1.0, expected 0: the table has no column slope"),
        (f"{GOOD} --entropy-weight 1", "expected 0: the table has no column entropy"),
        (f"{GOOD} --density-temperature cold", "--density-temperature: found 'cold', expected a temperature"),
        (f"{GOOD} --density-temperature 0", "--density-temperature: found '0'"),
        (f"{GOOD} --boltzmann-constant 0", "--boltzmann-constant: found 0.0"),
        (
            f"{GOOD} --boltzmann-constant 8.617e-5",  # eV/K, where energies are of the order of k_B T
            "argument --boltzmann-constant: found 8.617e-05, for which F varies over x by 7.45, 3.09e+04 "
            "k_B T, at temperature 2.8, expected k_B in the units of F over those of T, 0.01 to 1000 k_B T",
        ),
        (f"{GOOD} --boltzmann-constant 1e4", "--no-unit-check fits it all the same"),
        ("fit none.csv --k 1 --out out", "none.csv: found No such file"),
        ("fit empty.csv --k 1 --out out", "empty.csv: found no table"),
        (
            "fit nan.csv --k 1 --out out",
            "nan.csv, line 9, column 'free_energy': found nan, expected a finite",
        ),
        ("fit twice.csv --k 1 --out out", "at temperature 1.2, also on line 2, expected each point once"),
        (
            "fit gap.csv --k 1 --out out",
            "column 'x': found temperature 1.2 without x = -1.6, expected the 25",
        ),
        (
            "fit unequal.csv --k 1 --out out",
            "found x = 9.0 at temperature 1.2, a point of 1 of 9 temperatures",
        ),
        ("fit flat.csv --k 1 --out out", "flat.csv, column 'free_energy': found the same F at every x"),
        (
            "fit few.csv --k auto --out out",
            "few.csv: found 4 points, expected enough to hold every fourth of them out. Give a number --k",
        ),
        (GOOD.replace("--out out", "--out full"), "full with something in it"),
        (GOOD.replace("--out out", "--out ."), "a link or this folder"),
        ("critical none", "none: found no such folder, expected what zenn landscape fit wrote"),
        ("critical full", "full: found no model.json, expected a folder with a fitted landscape"),
        ("critical full --temperatures 1", "--temperatures: found 1, expected an integer between 2"),
        ("critical full --pressure nan", "--pressure: found nan"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(zenn, tmp_path, line, message):
    Path("full").mkdir()
    Path("full/of").touch()
    Path("empty.csv").touch()
    table("good.csv", X, T, bifurcation_energy)
    table("flat.csv", X, T, lambda x, t: t)
    table("few.csv", X[:4], T[:1], bifurcation_energy)
    head, first, *rest = Path("good.csv").read_text().splitlines()
    lines = {
        "twice": [head, first, *rest, first],
        "gap": [head, *rest],
        "unequal": [head, "9.0," + first.split(",", 1)[1], *rest],
        "nan": [head, first, *rest[:6], rest[6].rsplit(",", 1)[0] + ",nan", *rest[7:]],
    }
    for name, text in lines.items():
        Path(f"{name}.csv").write_text("\n".join(text) + "\n")
    before = names(tmp_path)
    status, _, error = zenn(line)
    assert status == 1
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in error
    assert names(tmp_path) == before


def test_windows_that_are_none(zenn):
    table("t.csv", X, T, bifurcation_energy)
    assert zenn("fit t.csv --k 1 --iterations 1 --out fit")[0] == 0
    for option, message in (
        ("--x-window 1", "--x-window: found '1', expected LOW:HIGH, two numbers"),
        ("--x-window 1:-1", "HIGH has to be above LOW"),
        ("--temperature-window 2:2", "HIGH has to be above LOW"),
        ("--temperature-window 2:inf", "expected finite numbers"),
        ("--temperature-window 0:3", "found '0:3', expected LOW:HIGH, two temperatures above 0"),
        ("--temperature-window=-1:3", "found '-1:3', expected LOW:HIGH, two temperatures above 0"),
    ):
        status, _, error = zenn(f"critical fit {option}")
        assert status == 1
        assert message in error
    _, _, error = zenn("critical fit --temperature-window 2.5:4 --x-window=-1:1")
    assert "--temperature-window reaches beyond the table, 1.2 to 2.8: what is found there is ex" in error
    assert "--x-window reaches" not in error
    table("one.csv", X, T[:1], bifurcation_energy)
    assert zenn("fit one.csv --k 1 --iterations 1 --out one")[0] == 0
    for option in ("", "--temperature-window 1:3"):
        status, _, error = zenn(f"critical one {option}")
        assert status == 1
        assert "no critical point at the one temperature 1.2 of the table" in error


def test_a_fit_that_fails_says_what_to_change(zenn, tmp_path):
    table("t.csv", X, T, bifurcation_energy)
    line = "fit t.csv --k 1 --iterations 5 --out fit"
    status, _, error = zenn(f"{line} --no-unit-check --boltzmann-constant 1e-200")
    assert status == 1
    assert "the loss is nan where the quasi-Newton phase begins. The last good parameters are in" in error
    assert "Look at --boltzmann-constant, or give another --start or --seed or a higher" in error
    assert names(tmp_path) == {"t.csv", "fit.checkpoints"}
    assert names("fit.checkpoints/fit-last-good") == {"network.json", "parameters.safetensors"}
    status, _, error = zenn(f"{line} --density-temperature 2")
    assert status == 1
    assert "fit.checkpoints: found the state of another fit, expected that of this one. Remove it" in error
    status, _, error = zenn(f"{line.replace('fit t', 'fit ./t')}2 --density-temperature 1e-300")
    assert status == 0
    assert "the fit came to rest with errors of" in error
