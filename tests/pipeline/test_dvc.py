"""What DVC is used for, on the repository's own dvc.yaml."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import yaml

from tests.pipeline.checkout import ROOT, Checkout
from tests.pipeline.conftest import ONE, TWO
from zenn.pipeline.check import compare_tables
from zenn.pipeline.claims import materials
from zenn.pipeline.claims.ledger import Row, read_published, read_rows


def test_6_settings_that_keep_results_safe() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name, stage in stages.items():
        for out in stage["outs"]:
            ((path, options),) = out.items()
            assert options["persist"], f"{name}: DVC would delete {path} before running"
        assert "--cores" not in stage["cmd"]
    config = (ROOT / ".dvc" / "config").read_text()
    assert "analytics = false" in config
    assert "check_update = false" in config
    assert "type" not in config  # of links: reflink or copy only
    assert "__pycache__" in (ROOT / ".dvcignore").read_text()
    assert [p for p in ROOT.rglob("dvc.yaml") if "results" not in p.parts] == [ROOT / "dvc.yaml"]


def test_imports_do_not_change_the_stages(made: Checkout) -> None:
    made.run("python", "-c", "import zenn.pipeline.plan, zenn.materials.critical")
    assert "up to date" in made.run("dvc", "status")


def test_comparing_an_edit_and_an_experiment(ready: Checkout) -> None:
    """Of a seed: a critical temperature that moves would move every fit of Fe3Pt."""
    ready.edit("params.yaml", ONE, TWO)
    assert "materials.uncertainty.seed" in ready.run("dvc", "params", "diff")
    assert "params.yaml" in ready.run("dvc", "status")
    ready.run("dvc", "repro", "materials")
    assert {"materials/fe3pt-uncertainty", "materials/claims"} <= ready.jobs()
    assert "publish" in ready.run("dvc", "status")
    # all stages, as `dvc repro`
    ready.run("dvc", "exp", "run", "--set-param", "materials.uncertainty.seed=31415")
    assert "materials/fe3pt-uncertainty" in ready.jobs()
    record = json.loads(ready.result("materials/fe3pt-uncertainty", "record.json").read_text())
    assert record["spec"]["params"]["uncertainty"]["seed"] == 31415
    assert "31415" in ready.run("dvc", "exp", "show", "--csv")
    shown = json.loads(ready.run("dvc", "metrics", "show", "--json"))
    now = shown[""]["data"]["reports/metrics.json"]["data"]["materials"]["critical_temperature_rounding_K"]
    assert abs(now - 0.32197) > 1e-3
    difference = ready.run("dvc", "metrics", "diff")
    assert "critical_temperature_rounding_K" in difference
    assert "0.3219" in difference
    ready.run("dvc", "plots", "show")
    page = (ready.folder / "dvc_plots" / "index.html").read_text()
    assert "helmholtz_VV_eV_per_A6" in page
    assert "up to date" in ready.run("dvc", "status")


def decided(checkout: Checkout) -> list[Row]:
    """The published rows that have a verdict."""
    rows = read_published(checkout.folder / "reports" / "claims.csv")
    return [row for row in rows if row["measured"] and row["verdict"] != "not run at this scale"]


def test_a_smaller_scale_keeps_what_a_larger_one_decided(ready: Checkout) -> None:
    """Run at small, publish, come back to ci: the rows decided at small stay."""
    ready.size_small_as_ci()
    ready.edit("params.yaml", "scale: ci", "scale: small")
    ready.run("dvc", "repro")
    small = decided(ready)
    assert {row["scale"] for row in small} == {"small"}
    of_materials = {row["id"] for row in small} & set(materials.RULES)
    assert "fe3pt-dft-pc" in of_materials
    assert len(of_materials) < len(small)
    ready.edit("params.yaml", "scale: small", "scale: ci")
    ready.run("dvc", "repro")
    again = decided(ready)
    head = ready.run("git", "rev-parse", "--short=12", "HEAD").strip()
    # where the edit of the scale was named as a change: it is gone, so the commit as it is gives that row
    healed = {row["id"]: row["commit"].replace(f"{head}+changes", head) for row in small}
    assert again == [{**row, "commit": healed[row["id"]]} for row in small]
    assert {row["current"] for row in again} == {"yes"}
    ready.jobs()
    ready.run("dvc", "repro")
    assert ready.jobs() == set()  # publishing its own rows sets nothing in motion

    # after a change of the rule the verdict of the larger scale stands, and says that it is an old one
    ready.edit("zenn/pipeline/claims/materials.py", "6.53, 0.1", "6.53, 0.01")
    ready.run("dvc", "repro")
    rows = {row["id"]: row for row in read_rows(ready.folder / "reports" / "claims.csv")}
    assert rows["fe3pt-dft-pc"]["verdict"] == "holds"
    assert (rows["fe3pt-dft-pc"]["scale"], rows["fe3pt-dft-pc"]["current"]) == ("small", "no")
    shown = (ready.folder / "results" / "report" / "index.html").read_text()
    assert f"no longer current {len(of_materials)}" in shown


def test_the_committed_lock_agrees_with_the_committed_code() -> None:
    """Without results (a clean clone): every dependency and every published file is the recorded one."""
    stages = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    done = subprocess.run(["dvc", "status", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    for stage, entries in json.loads(done.stdout).items():
        for entry in entries:
            assert isinstance(entry, dict), f"dvc.lock, {stage}: {entry}; run `dvc repro` and commit"
            for kind, what in entry.items():
                missing = set(what) <= {f"results/{name}" for name in stages}
                missing = missing and set(what.values()) <= {"deleted", "not in cache"}
                assert missing, f"dvc.lock, {stage}, {kind}: {what}; run `dvc repro` and commit"
    for used in stages["publish"]["deps"]:
        name = used["path"].removeprefix("results/")
        if name in stages:
            (made,) = stages[name]["outs"]
            assert used["md5"] == made["md5"], name


def test_what_is_published_is_what_this_code_makes(tmp_path: Path) -> None:
    """The reports of the forward half, at their scale, against a run from nothing.

    The other subjects take minutes at the published scale. Theirs are held by dvc.lock to this code, whose
    numbers `tests/pipeline/test_check.py` compares at the scale of CI.
    """
    scale = json.loads((ROOT / "reports" / "metrics.json").read_text())["scale"]
    fresh = Checkout.copy_of_repository(tmp_path / "zenn", scale=scale)
    fresh.snakemake("--", "materials")
    artefacts = {row["id"]: row for row in csv.DictReader((ROOT / "data/inputs/artefacts.csv").open())}
    published = [*(ROOT / "reports/figures").glob("*.csv"), *(ROOT / "reports/tables").glob("*.csv")]
    assert len(published) == sum(bool(row["step"]) for row in artefacts.values())
    forward = [table for table in published if artefacts[table.stem]["step"] == "materials/figures"]
    assert forward
    for table in forward:
        rtol, atol = (float(artefacts[table.stem][name]) for name in ("rtol", "atol"))
        made = fresh.result("materials/figures", table.name)
        assert compare_tables(table.stem, made, table, rtol, atol) == []
    new = read_rows(fresh.result("materials/claims", "claims.csv"))
    old = {row["id"]: row for row in read_rows(ROOT / "reports" / "claims.csv")}
    for row in new:
        for name in ("measured", "verdict", "why", "scale"):
            assert row[name] == old[row["id"]][name], (row["id"], name)
