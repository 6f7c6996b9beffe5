"""The whole command line, from a user's files to figures, and what it says of input that it cannot use."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.constants import physical_constants

from tests.commands.conftest import names
from tests.readers.test_vasp import vasprun
from zenn.commands.ranges import read_temperatures
from zenn.materials import read_configurations

INPUTS = Path(__file__).parents[2] / "data" / "inputs"
CUAU, FE3PT = INPUTS / "cuau_emt_energy_volume.csv", INPUTS / "fe3pt_table_s1.csv"
CUAU_WORD, FE3PT_WORD = shlex.quote(str(CUAU)), shlex.quote(str(FE3PT))  # words of a command line
BOLTZMANN = physical_constants["Boltzmann constant in eV/K"][0]
CUAU_MASS = (63.546 + 196.966569) / 2
GROUP = "materials"


def test_cuau_from_points_to_figures(zenn, tmp_path):
    status, said, _ = zenn(f"fit-eos {CUAU_WORD} --out fit")
    assert status == 0
    assert "7 configurations" in said
    assert names("fit") == {"configurations.csv", "fit.csv", "points.csv", "curves.csv", "metadata.json"}
    fit, points = pd.read_csv("fit/fit.csv"), pd.read_csv("fit/points.csv")
    assert fit["points"].tolist() == [9] * 7
    residuals = points.groupby("configuration", sort=False)["residual_meV_per_atom"]
    np.testing.assert_allclose(
        residuals.apply(lambda r: np.sqrt(np.mean(r**2))), fit["rms_residual_meV_per_atom"]
    )

    material = "fit/configurations.csv --atoms 8 --formula CuAu"
    status, said, _ = zenn(f"free-energy {material} --temperatures 0:2000:500 --volumes 13.6:15:8 --out grid")
    assert status == 0
    assert names("grid") == {"properties.csv", "configurations.csv", "metadata.json"}
    grid, each = pd.read_csv("grid/properties.csv"), pd.read_csv("grid/configurations.csv")
    assert len(grid) == 5 * 8
    assert len(each) == 7 * len(grid)
    check_limits(grid, read_configurations("fit/configurations.csv"))
    check_mixture(grid, each)

    status, said, _ = zenn(f"phase-diagram {material} --temperatures 0:600:50 --pressure 0 --out diagram")
    assert status == 0
    for words in (
        "no critical point between 0 and 600 K",
        "no first-order line and no spinodal",
        "no first-order transition at 0 GPa",
        "no negative thermal expansion at 0 GPa",
    ):
        assert words in said
    assert pd.read_csv("diagram/critical_points.csv").empty
    assert (pd.read_csv("diagram/isobars.csv")["thermal_expansion_per_K"].iloc[1:] > 0).all()

    figures = {
        "fit": {"energy_volume"},
        "grid": {"helmholtz_energy", "pressure"},
        # no pressure_temperature: it would be empty
        "diagram": {"volume_temperature", "thermal_expansion", "heat_capacity", "bulk_modulus"}
        | {"probabilities_0_GPa"},
    }
    for folder, drawn in figures.items():
        assert zenn(f"plot {folder}")[0] == 0
        kinds = {f"{name}.{kind}" for name in drawn for kind in ("png", "pdf", "csv")}
        assert names(f"{folder}/figures") == kinds | {"metadata.json"}
        for name in drawn:
            with Image.open(f"{folder}/figures/{name}.png") as picture:
                assert len(picture.convert("L").getcolors(256)) > 5, name
    assert names(tmp_path) == {"fit", "grid", "diagram"}


def check_limits(grid, table):
    """Zero point energy at 0 K; three k_B per atom when it is hot, which mixing cannot lower."""
    cold, hot = grid[grid["temperature_K"] == 0], grid[grid["temperature_K"] == 2000]
    volumes = cold["volume_A3_per_atom"].to_numpy()[:, None]
    V0, E0 = table.equilibrium_volumes, table.equilibrium_energies
    B0, slope = table.bulk_moduli / 160.21766208, table.bulk_modulus_derivatives
    strain = ((V0 / volumes) ** (2 / 3) - 1) / 2
    static = E0 + 4.5 * B0 * V0 * strain**2 * (1 + (slope - 4) * strain)  # Birch-Murnaghan, third order
    theta = 0.617 * debye_constant(V0, B0) * (V0 / volumes) ** ((1 + slope) / 2 - 2 / 3)
    ground = static + 9 / 8 * BOLTZMANN * theta
    np.testing.assert_allclose(cold["helmholtz_eV_per_atom"], ground.min(axis=1), rtol=0, atol=1e-7)
    members = table.degeneracies[ground.argmin(axis=1)]
    np.testing.assert_allclose(cold["entropy_eV_per_K_per_atom"], BOLTZMANN * np.log(members) / 8, rtol=1e-6)
    capacity = hot["isochoric_heat_capacity_eV_per_K_per_atom"] / BOLTZMANN
    assert capacity.between(2.99, 3.2).all()
    assert capacity.min() == pytest.approx(3, abs=0.02)


def debye_constant(V0, B0):
    """(6 pi^2)^(1/3) hbar / k_B sqrt(r B0 / M) with r from V0, K, in SI units."""
    hbar, k = physical_constants["reduced Planck constant"][0], physical_constants["Boltzmann constant"][0]
    mass = CUAU_MASS * physical_constants["atomic mass constant"][0]
    modulus = B0 * 160.21766208e9
    return (6 * np.pi**2) ** (1 / 3) * hbar / k * (V0 * 1e-30) ** (1 / 6) * np.sqrt(modulus / mass)


def check_mixture(grid, each):
    """F = sum p F_k - T S_mix; probabilities sum to one; P is the slope of F."""
    where = ["temperature_K", "volume_A3_per_atom"]
    sums = each.assign(pF=each["probability"] * each["helmholtz_eV_per_atom"]).groupby(where)
    np.testing.assert_allclose(sums["probability"].sum(), 1, rtol=1e-12)
    mixed = (
        grid["helmholtz_eV_per_atom"]
        + grid["temperature_K"] * grid["configurational_entropy_eV_per_K_per_atom"]
    )
    np.testing.assert_allclose(sums["pF"].sum(), mixed, atol=1e-12)
    np.testing.assert_allclose(
        grid["gibbs_eV_per_atom"] - grid["helmholtz_eV_per_atom"],
        grid["pressure_GPa"] * grid["volume_A3_per_atom"] / 160.21766208,
        atol=1e-10,
    )


def test_fe3pt_has_its_critical_point_and_says_what_rounding_leaves(zenn):
    options = "--atoms 12 --formula Fe3Pt --temperatures 20:560:20 --pressure 0 --pressure 7 --samples 40"
    status, said, error = zenn(
        f"phase-diagram {FE3PT_WORD} {options} --volume-window 12.2:13.7 --out deep/diagram"
    )
    assert (status, error) == (0, "")
    for number in ("164.197", "6.4709", "12.62809", "356.59", "452.58"):
        assert number in said
    assert "first-order transitions at 7 GPa" in said
    assert "no first-order transition at 0 GPa" in said
    folder = Path("deep/diagram")
    assert {"samples.csv", "transition_pressures.csv", "uncertainty.json"} < names(folder)
    point = pd.read_csv(folder / "critical_points.csv").iloc[0]
    assert point["temperature_K"] == pytest.approx(164.197, abs=5e-4)
    assert point["pressure_GPa"] == pytest.approx(6.4709, abs=5e-5)
    window = pd.read_csv(folder / "negative_thermal_expansion.csv").iloc[0]
    assert (window["low_K"], window["high_K"]) == pytest.approx((356.59, 452.58), abs=5e-3)
    interval = json.loads((folder / "uncertainty.json").read_text())["critical_point"]["temperature_K"]
    assert interval["low"] < point["temperature_K"] < interval["high"]
    along = pd.read_csv(folder / "isobar_properties.csv")
    np.testing.assert_allclose(along["pressure_GPa"], along["isobar_GPa"], atol=1e-8)

    found = json.loads((folder / "metadata.json").read_text())
    assert found["command"].startswith("zenn materials phase-diagram ")
    assert found["inputs"][0]["sha256"] == sha256(FE3PT.read_bytes()).hexdigest()
    assert found["parameters"]["mean_atomic_mass_u"] == pytest.approx(90.65475)
    assert found["parameters"]["volume_window_A3_per_atom"] == [12.2, 13.7]
    assert set(found["files"]) == names(folder) - {"metadata.json"}
    assert {"numpy", "scipy"} < set(found["libraries"])

    assert zenn(f"plot {folder} --out figures")[0] == 0
    lines = pd.read_csv("figures/volume_temperature.csv")
    assert set(lines["kind"]) == {"isobar", "binodal", "spinodal", "crossover", "critical point"}
    shares = pd.read_csv("figures/probabilities_7_GPa.csv", dtype={"configuration": str})
    assert "all others" in set(shares["configuration"])
    # A transition's temperature stands twice
    states = shares.groupby(shares.groupby("configuration").cumcount())["probability"].sum()
    np.testing.assert_allclose(states, 1, atol=1e-9)


def test_defaults_and_a_mass_instead_of_a_formula(zenn):
    coarse = f"free-energy {FE3PT_WORD} --atoms 12 --temperatures 100,300"
    assert zenn(f"{coarse} --formula Fe3Pt --out one")[0] == 0
    assert zenn(f"{coarse} --mean-atomic-mass 90.65475 --volumes 12.17376:13.91144:51 --out two")[0] == 0
    assert Path("one/properties.csv").read_text().count("\n") == 103
    one, two = (pd.read_csv(f"{folder}/properties.csv") for folder in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)


def test_chunks_make_no_difference(zenn, monkeypatch):
    line = (
        f"free-energy {FE3PT_WORD} --atoms 12 --formula Fe3Pt --temperatures 0:400:100 --volumes 12.5:13.5:3"
    )
    zenn(f"{line} --out one")
    monkeypatch.setattr("zenn.commands.runs.CHUNK", 2 * 3 * 36)
    zenn(f"{line} --out two")
    for name in ("properties.csv", "configurations.csv"):
        one, two = (pd.read_csv(f"{folder}/{name}") for folder in ("one", "two"))
        pd.testing.assert_frame_equal(one, two, rtol=1e-12)


def curve(volume, energy=-7.0):
    """A minimum at 14 Å3 with B = 90 GPa, B' = 5.3."""
    return energy + 0.02 * (volume - 14.0) ** 2 - 0.003 * (volume - 14.0) ** 3


VOLUMES = (13.0, 13.4, 13.8, 14.2, 14.6, 15.0)


def written_runs(folder, name, energy):
    """VASP runs of two atoms in cells of 4 x 4 x c."""
    for volume in VOLUMES:
        run = folder / f"{name}-{volume}"
        run.mkdir(parents=True)
        energies = 2 * curve(volume, energy)
        (run / "vasprun.xml").write_text(vasprun(edges=(4.0, 4.0, volume / 8), energy=energies))


def test_vasp_runs_and_phonopy_files_give_what_a_table_gives(zenn, tmp_path):
    rows = ["configuration,degeneracy,volume_A3_per_atom,energy_eV_per_atom"]
    rows += [f"FM,1,{V},{curve(V)!r}" for V in VOLUMES]
    rows += [f"AFM,3,{V},{curve(V, -6.9)!r}" for V in VOLUMES]
    Path("points.csv").write_text("\n".join(rows) + "\n")
    written_runs(tmp_path / "runs", "fm", -7.0)
    cells = [f"{4 * V} {4 * curve(V, -6.9)!r}" for V in VOLUMES]
    Path("runs/afm.dat").write_text("\n".join(cells) + "\n")
    listed = ["configuration,degeneracy,path", *(f"FM,1,fm-{V}" for V in VOLUMES), "AFM,3,afm.dat"]
    Path("runs/list.csv").write_text("\n".join(listed) + "\n")

    assert zenn("fit-eos points.csv --out one")[0] == 0
    status, _, error = zenn("fit-eos runs/list.csv --out two --atoms 4")
    assert (status, error) == (1, "error: runs/fm-13.0: found 2 atoms, expected 4, as --atoms says\n")
    Path("runs/afm.dat").write_text("\n".join(f"{2 * V} {2 * curve(V, -6.9)!r}" for V in VOLUMES) + "\n")
    assert zenn("fit-eos runs/list.csv --out two --atoms 2")[0] == 0
    assert zenn("fit-eos runs/afm.dat --name AFM --degeneracy 3 --atoms 2 --out three")[0] == 0
    runs = " ".join(f"runs/fm-{V}" for V in VOLUMES)
    assert zenn(f"fit-eos {runs} --name FM --out four")[0] == 0
    one, two, three, four = (
        pd.read_csv(f"{folder}/configurations.csv") for folder in ("one", "two", "three", "four")
    )
    pd.testing.assert_frame_equal(one, two, rtol=1e-5)
    pd.testing.assert_frame_equal(one.iloc[[1]].reset_index(drop=True), three, rtol=1e-8)
    pd.testing.assert_frame_equal(one.iloc[[0]], four, rtol=1e-5)
    inputs = [Path(one["path"]) for one in json.loads(Path("two/metadata.json").read_text())["inputs"]]
    assert inputs[0] == Path("runs/list.csv")
    assert inputs[1] == Path("runs/fm-13.0/vasprun.xml")
    assert len(inputs) == 8

    # one configuration goes all the way, with a word about it
    status, said, error = zenn(
        "phase-diagram three/configurations.csv --atoms 2 --formula Cu --temperatures 0:200:50 --out diagram"
    )
    assert status == 0
    assert "one configuration only: nothing mixes" in error
    assert "no negative thermal expansion" in said
    assert (
        zenn("free-energy three/configurations.csv --atoms 2 --formula Cu --temperatures 300 --out grid")[0]
        == 0
    )
    assert zenn("plot diagram --out figures")[0] == 0
    assert "pressure_temperature.png" not in names("figures")


def test_rounding_of_a_table_without_critical_point(zenn):
    status, said, _ = zenn(
        f"phase-diagram {FE3PT_WORD} --atoms 12 --formula Fe3Pt --temperatures 200:400:50 "
        "--samples 3 --out out"
    )
    assert status == 0
    assert "rounding not sampled: no critical point" in said
    assert not {"samples.csv", "uncertainty.json"} & names("out")


GRID = f"free-energy {FE3PT_WORD} --out out --atoms 12"
DIAGRAM = f"phase-diagram {FE3PT_WORD} --out out --atoms 12 --formula Fe3Pt"
FIT = f"fit-eos {CUAU_WORD} --out out"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GRID, "--formula, --mean-atomic-mass: found neither"),
        (f"{GRID} --formula Fe3Pt --mean-atomic-mass 90", "--formula, --mean-atomic-mass: found both"),
        (f"{GRID} --formula fe3pt", "--formula: found 'fe3pt', expected a chemical formula"),
        (f"{GRID} --formula Qq2", "--formula: found 'Qq2', expected a chemical formula"),
        (f"{GRID} --formula ''", "--formula: found '', expected a chemical formula"),
        (f"{GRID} --mean-atomic-mass 1088", "--mean-atomic-mass: found 1088.0, expected the mean mass"),
        (f"{GRID} --formula Fe --debye-scaling 0", "--debye-scaling: found 0.0, expected"),
        (f"{GRID} --formula Fe --temperatures 0:600", "'0:600', expected START:STOP:STEP"),
        (f"{GRID} --formula Fe --temperatures 600:0:10", "STOP has to be above START"),
        (f"{GRID} --formula Fe --temperatures 600:0:-10", "STOP has to be above START"),
        (f"{GRID} --formula Fe --temperatures 300,200", "'300,200', expected START:STOP:STEP"),
        (f"{GRID} --formula Fe --temperatures=-10:20:10", "expected temperatures of 0 K or more"),
        (f"{GRID} --formula Fe --temperatures 0:1e9:1e-3", "1e+12 steps, expected at most"),
        (f"{GRID} --formula Fe --temperatures 0:nan:1", "expected finite numbers"),
        (f"{GRID} --formula Fe --volumes 12:14", "--volumes: found '12:14', expected LOW:HIGH:COUNT"),
        (f"{GRID} --formula Fe --volumes 14:12:5", "HIGH has to be above LOW"),
        (f"{GRID} --formula Fe --volumes 12:14:1", "COUNT 1, expected an integer between 2"),
        (f"{GRID} --formula Fe --volumes 14:15:5", "expected a range that holds the equilibrium volume"),
        (f"{GRID} --formula Fe --volumes 146:160:5", "divided by 12 atoms it is 12.1667 Å3 per atom"),
        (
            f"{GRID} --formula Fe --volumes 12:14:9999 --temperatures 0:9999:1",
            "rows, expected at most 10000000",
        ),
        (f"{GRID} --formula Fe --electrons no.csv", "no.csv: found No such file"),
        (f"{GRID} --formula Fe --electrons electrons.csv", "the electronic table covers 0-50 K"),
        ("free-energy no.csv --out out --atoms 12 --formula Fe", "no.csv: found No such file"),
        (f"free-energy {CUAU_WORD} --out out --atoms 8 --formula CuAu", "no column 'bulk_modulus_GPa'"),
        (f"free-energy {FE3PT_WORD} --out out --atoms 0 --formula Fe", "--atoms: found 0"),
        (f"{DIAGRAM} --volume-window 12:14:3", "'12:14:3', expected LOW:HIGH"),
        (f"{DIAGRAM} --volume-window 11:12", "expected a range that holds the equilibrium volume"),
        (f"{DIAGRAM} --temperatures 0:600:0.1", "found 6001 temperatures, expected at most 2777"),
        (f"{DIAGRAM} --pressure nan", "pressure: found nan, expected a finite pressure"),
        (f"{DIAGRAM} --temperatures 300", "expected two or more temperatures"),
        (f"{DIAGRAM} --pressure 90 --temperatures 0:300:50", "which cover -8.8"),
        (f"{DIAGRAM} --samples 1", "--samples: found 1, expected 2 or more"),
        (f"{DIAGRAM} --samples 9 --seed -1", "--seed: found -1"),
        (f"{FIT} --name FM", "--name: found FM, expected no --name beside a CSV table"),
        (f"{FIT} --format vasp", "expected a table with a column 'path', beside --format vasp"),
        (f"fit-eos {CUAU_WORD} {CUAU_WORD} --out out", "POINTS: found 2 files"),
        ("fit-eos no.csv --out out", "no.csv: found no such file or folder"),
        ("fit-eos e-v.xlsx --out out", "a file named 'e-v.xlsx', expected a .csv table"),
        ("fit-eos e-v.dat --out out --atoms 2", "--name: found nothing"),
        ("fit-eos e-v.dat --out out --name FM", "--atoms: found nothing"),
        ("fit-eos e-v.dat --out out --name FM --atoms 0", "--atoms: found 0"),
        ("fit-eos e-v.dat --out out --name FM --atoms 2 --degeneracy 0", "degeneracy: found 0"),
        ("fit-eos list.csv --out out", "line 2, column 'path': found runs/fm, which is not there"),
        ("plot .", "found no results that can be drawn"),
        ("plot nowhere", "nowhere: found no such folder"),
        (GRID.replace("--out out", "--out full") + " --formula Fe", "full with something in it"),
        (GRID.replace("--out out", "--out e-v.dat") + " --formula Fe", "e-v.dat, a file"),
        (GRID.replace("--out out", "--out e-v.dat/x") + " --formula Fe", "e-v.dat, a file"),
        (GRID.replace("--out out", "--out .") + " --formula Fe", "a link or this folder"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(zenn, tmp_path, line, message):
    Path("full").mkdir()
    Path("full/of").touch()
    Path("e-v.dat").write_text("28 -14\n29 -14.1\n")
    Path("e-v.xlsx").touch()
    Path("list.csv").write_text("configuration,degeneracy,path\nFM,1,runs/fm\n")
    if "electrons.csv" in line:
        write_electrons("electrons.csv")
    before = names(tmp_path)
    status, _, error = zenn(line)
    assert status == 1
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in error
    assert names(tmp_path) == before


def write_electrons(path):
    rows = ["configuration,volume_A3_per_atom,temperature_K,electronic_helmholtz_eV_per_atom"]
    for name in read_configurations(FE3PT).names:
        rows += [f"{name},13,{T},{-1e-8 * T**2:.9f}" for T in range(0, 60, 10)]
    Path(path).write_text("\n".join(rows) + "\n")


def test_electrons_lower_the_free_energy(zenn):
    write_electrons("electrons.csv")
    line = f"free-energy {FE3PT_WORD} --atoms 12 --formula Fe3Pt --temperatures 0,50 --volumes 12.5:13.5:2"
    assert zenn(f"{line} --out without")[0] == 0
    assert zenn(f"{line} --electrons electrons.csv --out with")[0] == 0
    F = [pd.read_csv(f"{folder}/properties.csv")["helmholtz_eV_per_atom"] for folder in ("with", "without")]
    np.testing.assert_allclose(F[0] - F[1], [0, 0, -2.5e-5, -2.5e-5], atol=1e-9)
    inputs = json.loads(Path("with/metadata.json").read_text())["inputs"]
    assert [one["path"] for one in inputs] == [str(FE3PT), "electrons.csv"]


def test_a_cell_that_does_not_hold_the_formula_is_pointed_out(zenn):
    line = f"free-energy {FE3PT_WORD} --formula Fe3Pt --temperatures 300 --volumes 12.5:13.5:2"
    assert zenn(f"{line} --atoms 12 --out one")[2] == ""
    assert (
        "a cell of 10 atoms does not hold a whole number of Fe3Pt" in zenn(f"{line} --atoms 10 --out two")[2]
    )


def test_temperatures_are_the_decimals_that_were_typed():
    assert read_temperatures("0:1:0.1") == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert read_temperatures("5:12:3") == [5, 8, 11]
    assert read_temperatures("300") == [300]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_place_that_cannot_be_written(zenn):
    Path("closed").mkdir(mode=0o555)
    status, _, error = zenn(f"fit-eos {CUAU_WORD} --out closed/fit")
    assert status == 1
    assert "which cannot be written" in error


def test_as_a_program_and_interrupted(tmp_path):
    line = [sys.executable, "-m", "zenn", "materials"]
    root = {**os.environ, "PYTHONPATH": str(INPUTS.parents[1])}
    done = subprocess.run(
        [*line, "fit-eos", str(CUAU), "--out", "fit"], cwd=tmp_path, env=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "L1_0" in done.stdout
    command = json.loads((tmp_path / "fit" / "metadata.json").read_text())["command"]
    assert command == shlex.join(["zenn", "materials", "fit-eos", str(CUAU), "--out", "fit"])

    grid = ["--atoms", "12", "--formula", "Fe3Pt", "--temperatures", "0:5000:1", "--volumes", "12.5:13:50"]
    running = subprocess.Popen(
        [*line, "free-energy", str(FE3PT), "--out", "above/grid", *grid],
        cwd=tmp_path,
        env=root,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # may be ignored here
        text=True,
    )
    for _ in range(3000):
        if list(tmp_path.glob("above/.grid-*/properties.csv")):
            break
        try:
            running.wait(0.01)
        except subprocess.TimeoutExpired:
            continue
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=20)
    assert running.returncode != 0
    assert "Traceback" not in error
    assert names(tmp_path) == {"fit"}
