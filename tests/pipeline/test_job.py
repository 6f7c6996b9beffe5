"""A job with bad input, a full or read-only disk: a clear error, exit status not 0, nothing half-made."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.checkout import ROOT, Checkout

TABLE = ROOT / "data" / "inputs" / "fe3pt_table_s1.csv"
PARAMS = {
    "material": {
        "atoms_in_cell": 12,
        "mean_atomic_mass": 90.65475,
        "debye_scaling": 0.617,
        "grueneisen_x": 2 / 3,
    },
    "critical_point": {
        "temperature_window": [100, 200],
        "volume_window": [12.4, 12.9],
        "tolerance": 1e-10,
        "max_iterations": 50,
    },
}


def critical_point(
    tmp_path: Path, table: Path, params: object = PARAMS, out: Path | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """`python -m zenn.materials critical-point` as a user gives it."""
    (tmp_path / "params.json").write_text(json.dumps(params))
    return subprocess.run(
        [
            *(sys.executable, "-m", "zenn.materials", "critical-point"),
            *("--params", str(tmp_path / "params.json")),
            *("--input", f"configurations={table}"),
            *("--out", str(out or tmp_path / "out" / "run")),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        **options,
    )


def test_good_input(tmp_path: Path) -> None:
    done = critical_point(tmp_path, TABLE)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out" / "run" / "critical_point.json").read_text())
    assert found["temperature_K"] == pytest.approx(164.197, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace("bulk_modulus_GPa", "bulk_modulus"), ["bulk_modulus_GPa"]),
        (lambda t: t.replace("177.01", "-177.01"), ["column 'bulk_modulus_GPa'", "-177.01"]),
        (lambda t: t.replace("1,2,13.124", "1,0,13.124"), ["column 'degeneracy'", "found 0"]),
        (lambda t: t.replace("177.01", "nan"), ["column 'bulk_modulus_GPa'", "nan"]),
        (lambda t: t.replace("\n2,6,", "\n1,6,"), ["column 'configuration'"]),
        (lambda t: t.replace("13.124", "157.488"), ["157.488", "per cell", "13.12"]),
        (lambda t: t[: len(t) - 30], ["fe3pt.csv"]),
        (lambda _: "", ["fe3pt.csv"]),
    ],
    ids=["column", "negative", "degeneracy", "nan", "duplicate", "per-cell", "truncated", "empty"],
)
def test_bad_table(tmp_path: Path, change: Callable[[str], str], said: list[str]) -> None:
    table = tmp_path / "fe3pt.csv"
    table.write_text(change(TABLE.read_text()))
    done = critical_point(tmp_path, table)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for text in ["error: ", "fe3pt.csv", "found", "expected", *said]:
        assert text in done.stderr
    assert not [*(tmp_path / "out").rglob("*")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"critical_point": None}, ["critical_point: found None, expected a mapping"]),
        ({"critical_pointt": {}}, ["critical_pointt: found an unknown parameter", "did you mean"]),
        ({"material": {}}, ["material.atoms_in_cell: found nothing, expected a value"]),
        (
            {"material": {**PARAMS["material"], "atoms_in_cell": "twelve"}},
            ["found 'twelve', expected an integer"],
        ),
        (
            {"material": {**PARAMS["material"], "debye_scaling": True}},
            ["found True, expected a finite number"],
        ),
        (
            {"critical_point": {**PARAMS["critical_point"], "volume_window": [12.0]}},
            ["critical_point.volume_window: found [12.0], expected a list of two numbers"],
        ),
        (
            {"critical_point": {**PARAMS["critical_point"], "tolerence": 1}},
            ["critical_point.tolerence", "did you mean 'tolerance'?"],
        ),
    ],
)
def test_bad_parameters(tmp_path: Path, change: dict[str, object], said: list[str]) -> None:
    done = critical_point(tmp_path, TABLE, {**PARAMS, **change})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for text in ("params.json", *said):
        assert text in done.stderr
    assert not [*(tmp_path / "out").rglob("*")]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    done = critical_point(tmp_path, TABLE, out=tmp_path / "mine")
    assert done.returncode == 1
    assert "expected a new or empty folder" in done.stderr
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "confgurations=x"], "found confgurations, expected one of ['configurations']"),
        (["--input", "configurations=x"], "found it twice"),
        (["--out", "."], "a link or this folder"),
    ],
)
def test_slips_on_the_command_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "params.json").write_text(json.dumps(PARAMS))
    command = [sys.executable, "-m", "zenn.materials", "critical-point"]
    given = ["--params", str(tmp_path / "params.json"), "--input", f"configurations={TABLE}"]
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, *given, *out, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1, "a": 2}', "a: found the name twice"),
        ("{}".encode("utf-16"), "expected JSON in UTF-8"),
        (b"{", "params.json, line 1"),
    ],
)
def test_bad_parameter_file(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "params.json").write_bytes(content)
    command = [sys.executable, "-m", "zenn.materials", "critical-point", "--out", str(tmp_path / "out")]
    given = ["--params", str(tmp_path / "params.json"), "--input", f"configurations={TABLE}"]
    done = subprocess.run([*command, *given], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_table_cut_between_two_rows(tmp_path: Path) -> None:
    table = tmp_path / "fe3pt.csv"
    table.write_text("".join(TABLE.read_text().splitlines(keepends=True)[:25]))
    done = critical_point(tmp_path, table)
    assert done.returncode == 1
    assert "rows, expected the 36 that its line" in done.stderr


def test_no_critical_point_in_the_window(tmp_path: Path) -> None:
    windows = {**PARAMS["critical_point"], "temperature_window": [300, 400]}
    done = critical_point(tmp_path, TABLE, {**PARAMS, "critical_point": windows})
    assert done.returncode == 1
    assert "300" in done.stderr
    assert "400" in done.stderr


def full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))


def test_full_disk(tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text("{}")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = critical_point(tmp_path, TABLE, preexec_fn=full_disk, env=environment)
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not [*(tmp_path / "out").rglob("*")]


def test_read_only_folder(tmp_path: Path) -> None:
    """/proc takes no folders from anyone, root included."""
    done = critical_point(tmp_path, TABLE, out=Path("/proc/zenn/run"))
    assert done.returncode == 1
    assert "/proc/zenn" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_table_through_the_pipeline(ready: Checkout) -> None:
    ready.edit("data/inputs/fe3pt_table_s1.csv", "177.01", "-177.01")
    printed = ready.snakemake(fails=True)
    for text in ("fe3pt_table_s1.csv", "column 'bulk_modulus_GPa'", "found -177.01", "expected"):
        assert text in printed
    kept = {path.name for path in (ready.folder / "results/materials/fe3pt-critical-point").iterdir()}
    assert len(kept) == 1  # the result of the good table is still there
    ready.edit("data/inputs/fe3pt_table_s1.csv", "-177.01", "177.01")
    ready.jobs()
    ready.snakemake()
    assert ready.jobs() == set()


def test_unwritable_results_through_the_pipeline(ready: Checkout) -> None:
    ready.edit("params.yaml", "tolerance: 1.0e-10", "tolerance: 1.0e-9")
    run = ready.folder / "results" / "materials" / "fe3pt-critical-point"
    ready.run("rm", "-r", str(run))
    run.write_text("a file where the folder should be")
    printed = ready.snakemake("--", "materials", fails=True)
    assert "fe3pt-critical-point: found a file, expected a writable folder" in printed
    assert ready.jobs() == set()
    run.unlink()
    ready.snakemake("--", ready.target("materials/fe3pt-critical-point"))


def test_unknown_parameter_stops_before_anything_runs(ready: Checkout) -> None:
    ready.edit("params.yaml", "debye_scaling:", "debye_scalng:")
    printed = ready.snakemake(fails=True)
    assert "materials.systems.fe3pt.debye_scalng" in printed
    assert "did you mean 'debye_scaling'?" in printed
    assert "Traceback" not in printed
    assert ready.jobs() == set()
    ready.edit("params.yaml", "debye_scalng:", "debye_scaling:")
    printed = ready.snakemake("--config", "scale=huge", "--", "all", fails=True)
    assert "huge" in printed
    assert "small, paper" in printed or "'small', 'paper'" in printed
