"""Traps 1, 2, 5 and 7: how the pipeline is started, stopped and started again."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
import yaml

from tests.pipeline.checkout import ROOT, Checkout, wait_for


def job_processes(checkout: Checkout) -> list[int]:
    """Processes that carry out a job of this checkout."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                folder = os.readlink(entry / "cwd")
            except OSError:
                continue
            if b"zenn.pipeline.job" in arguments and folder == str(checkout.folder.resolve()):
                found.append(int(entry.name))
    return found


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return {str(p): p.read_bytes() for p in files}


def test_1_documented_commands_parse(made: Checkout) -> None:
    readme = (ROOT / "README.md").read_text()
    lines = re.findall(r"^snakemake .*$", readme, flags=re.MULTILINE)
    commands = [line.split("#")[0].strip() for line in lines]
    assert "snakemake --cores 8 --resources gpu=8 -- all" in commands
    for command in commands:
        made.run("snakemake", "--dry-run", *command.split()[1:])


def test_everything_is_made_when_nothing_is_named(made: Checkout) -> None:
    assert "Nothing to be done" in made.run("snakemake", "--dry-run")


def test_1_resources_swallow_a_bare_target(made: Checkout) -> None:
    # The form that people try first; when Snakemake learns it, the README may say so.
    printed = made.run("snakemake", "--cores", "2", "--resources", "gpu=8", "all", fails=True)
    assert "gpu" in printed or "all" in printed


def test_2_gpu_is_limited_without_being_asked(ready: Checkout) -> None:
    profile = yaml.safe_load(ready.text("profiles/default/config.yaml"))
    assert [r for r in profile["resources"] if r.startswith("gpu=")]
    ready.edit("zenn/pipeline/claims/materials.py", "6.53, 0.1", "6.53, 0.01")  # a job of a second
    printed = ready.snakemake("--", "materials")
    assert re.search(r"Provided resources:.*gpu", printed)


def test_5_jobs_run_by_interpreter_path_and_exec() -> None:
    snakefile = (ROOT / "Snakefile").read_text()
    assert "exec {params.python:q} -m zenn.pipeline.job" in snakefile
    for rules in (ROOT / "workflow" / "rules").glob("*.smk"):
        assert "script:" not in rules.read_text()


def test_7_killed_driver_leaves_no_orphans_and_continues(ready: Checkout) -> None:
    ready.hold_free_energy()
    driver = ready.start("snakemake", "--cores", "2", "--", "materials", start_new_session=True)
    ready.wait_until_held()
    printed = ready.snakemake("--", "materials", fails=True)
    assert f"process {driver.pid} is already running this pipeline here" in printed
    assert "This was a dry-run" in ready.snakemake("--dry-run", "--", "materials")
    assert job_processes(ready)
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    wait_for(lambda: not job_processes(ready), 20)
    ready.release()
    ready.jobs()
    ready.snakemake("--", "materials")
    assert "materials/fe3pt-free-energy" in ready.jobs()
    runs = [path.name for path in (ready.folder / "results/materials/fe3pt-free-energy").iterdir()]
    assert len(runs) == 1
    assert re.fullmatch("[0-9a-f]{16}", runs[0])


@pytest.mark.parametrize("lost", ["results/report/index.html", "results/materials/figures"])
def test_what_is_lost_is_made_again(ready: Checkout, lost: str) -> None:
    path = ready.folder / lost
    before = contents(path)
    ready.run("rm", "-r", str(path))
    ready.snakemake()
    assert contents(path) == before  # figures are byte-stable
