"""Two things at once in one checkout: refused with the name of the other, and nothing is harmed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.checkout import HELD, Checkout, wait_for
from tests.pipeline.test_full_disk import FREE_ENERGY, numbers, results
from zenn.pipeline.intact import damage_of
from zenn.pipeline.report.show import show

FREE = "materials/fe3pt-free-energy"
PUBLISH = ("python", "-m", "zenn", "publish")
ADOPT = ("python", "-m", "zenn", "adopt", "results")


def busy(checkout: Checkout, process: subprocess.Popen[str]) -> set[str]:
    """What DVC is told that a process writes."""
    path = checkout.folder / ".dvc" / "tmp" / "rwlock"
    writers = json_of(path).get("write", {})
    return {Path(name).name for name, entry in writers.items() if entry["pid"] == process.pid}


def json_of(path: Path) -> dict[str, dict[str, dict[str, int]]]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def whole(checkout: Checkout) -> bool:
    """Every result of the forward half on disk is as its job left it."""
    folders = [path.parent for path in (checkout.folder / "results" / "materials").glob("*/*/record.json")]
    return bool(folders) and all(damage_of(folder, folder.name) == "" for folder in folders)


def test_beside_a_driver(ready: Checkout) -> None:
    """`dvc repro`, publishing and adopting are refused; a reader of what is replaced reads to the end."""
    ready.hold_free_energy()
    good, published = numbers(ready), results(ready, "reports")
    old = ready.result(FREE, "isotherms.csv")
    with old.open("rb") as being_read:
        first = being_read.read(100)
        driver = ready.start("snakemake", "--cores", "1", *FREE_ENERGY)
        ready.wait_until_held()
        for command in (PUBLISH, ADOPT):
            printed = ready.run(*command, fails=True)
            assert (
                f"process {driver.pid} is already running this pipeline here (snakemake --cores 1" in printed
            )
        printed = ready.run("dvc", "repro", "materials", fails=True)
        assert "results/materials' is busy, it is being blocked by" in " ".join(printed.split())
        assert f"(PID {driver.pid}): snakemake --cores 1" in printed
        ready.release()
        printed, _ = driver.communicate(timeout=600)
        assert driver.returncode == 0, printed
        assert first + being_read.read() == good["isotherms.csv"]
    assert not old.exists()
    assert numbers(ready) == good
    assert results(ready, "reports") == published
    assert whole(ready)
    assert busy(ready, driver) == set()


def test_beside_dvc_repro(ready: Checkout) -> None:
    """Its stage's driver works under its locks; another driver and another `dvc repro` are refused.

    DVC locks nothing when it restores (`dvc checkout`): the job and its result survive that.
    """
    ready.hold_free_energy()
    good, before = numbers(ready), ready.result(FREE, "record.json").parent.name
    first = ready.start("dvc", "repro", "materials", start_new_session=True)
    ready.wait_until_held()
    assert busy(ready, first) == {"materials"}
    printed = ready.run("snakemake", "--cores", "1", "--", "materials", fails=True)
    assert "is already running this pipeline here (snakemake -- materials)" in printed
    assert f"(PID {first.pid})" in ready.run("dvc", "repro", "materials", fails=True)
    ready.run("dvc", "checkout", "--force", "materials")
    for half_made in (ready.folder / "results" / FREE).glob(".*-*"):
        shutil.rmtree(half_made)
    ready.release()
    wait_for(lambda: len([*(ready.folder / "results" / FREE).glob("[0-9a-f]*/record.json")]) == 1)
    wait_for(lambda: numbers(ready) == good and not (ready.folder / "results" / FREE / before).exists())
    os.killpg(first.pid, signal.SIGKILL)  # all of it, as when the machine goes down
    first.communicate()
    assert whole(ready)
    printed = ready.run("snakemake", "--cores", "1", *FREE_ENERGY)  # DVC forgets those who are gone
    assert "materials_free_energy" not in printed


def test_while_dvc_restores(ready: Checkout) -> None:
    """A command of DVC that writes results is not a driver: it is known by its entry among DVC's locks."""
    with subprocess.Popen(["sleep", "600"]) as other:
        entry = {str(ready.folder / "results/materials"): {"pid": other.pid, "cmd": "dvc checkout"}}
        path = ready.folder / ".dvc/tmp/rwlock"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"write": entry, "read": {}}))
        for command in (("snakemake", "--cores", "1", *FREE_ENERGY), PUBLISH):
            printed = ready.run(*command, fails=True)
            assert f"(PID {other.pid}): dvc checkout. Wait for it or stop it first" in printed
            assert "Traceback" not in printed
        other.kill()
    # gone without taking its entry back, and the file cut by a full disk: neither stops anyone
    ready.run("snakemake", "--cores", "1", *FREE_ENERGY)
    path.write_text("")
    ready.run(*PUBLISH)
    assert json_of(path).get("write", {}) == {}


LOSES_ITS_INPUT = """
import pathlib, shutil
from zenn.errors import ZennError
from zenn.pipeline.intact import damage_of
from zenn.pipeline.job import run_order
from zenn.pipeline.plan import plan_checkout

root = pathlib.Path.cwd()
step = plan_checkout(root).by_name["materials/claims"]
seen = []

def damaged(path, key):
    if len(seen) == len(step.inputs):
        return damage_of(path, key)
    seen.append(path)
    if len(seen) == len(step.inputs):
        for each in seen:
            shutil.rmtree(each)
    return ""

try:
    run_order(step.order, root, damaged)
except ZennError as error:
    print(error)
"""


def test_an_input_that_goes_while_it_is_read(ready: Checkout) -> None:
    said = ready.run("python", "-c", LOSES_ITS_INPUT)
    assert (
        "record.json: found No such file or directory, expected a record. It changed while this job" in said
    )
    assert "perhaps by `dvc checkout` or `dvc pull`" in said


def test_an_open_page_stays_readable(tmp_path: Path) -> None:
    page, shown = tmp_path / "index.html", tmp_path / "shown" / "index.html"
    page.write_text("one" * 10_000)
    show(page, shown)
    with shown.open() as being_read:
        begun = being_read.read(3)
        page.write_text("two")
        show(page, shown)
        assert begun + being_read.read() == "one" * 10_000
    assert shown.read_text() == "two"


@pytest.mark.stress
def test_a_notebook_edited_while_it_is_executed(ready: Checkout) -> None:
    ready.edit(
        "zenn/pipeline/notebook.py",
        "    book = jupytext.read(source)",
        f"    book = jupytext.read(source)\n    while Path({HELD!r}).exists():\n"
        "        __import__('time').sleep(0.05)",
    )
    (ready.folder / HELD).touch()
    command = ("snakemake", "--cores", "1", "--until", "materials_figures", "--", "materials")
    driver = ready.start(*command)
    figures = ready.folder / "results" / "materials" / "figures"
    wait_for(lambda: any(figures.glob(".*-*")))
    before = results(ready, "results/materials/figures")
    ready.edit("reports/notebooks/materials.py", "# ## Fig. S2", "# ## Figure S2")
    ready.release()
    printed, _ = driver.communicate(timeout=600)
    assert driver.returncode == 1
    assert "reports/notebooks/materials.py changed since this job was planned" in printed
    assert results(ready, "results/materials/figures") == before
    ready.run(*command)
    (executed,) = figures.glob("*/materials.ipynb")
    assert "## Figure S2" in executed.read_text()


@pytest.mark.stress
def test_checking_beside_a_driver(ready: Checkout) -> None:
    """`zenn check` works in a copy of its own: both come to their end."""
    ready.hold_free_energy()
    driver = ready.start("snakemake", "--cores", "1", *FREE_ENERGY)
    ready.wait_until_held()
    (ready.folder / ".git" / "info" / "exclude").write_text(f"{HELD}\n")  # the copy is not held
    ready.run("python", "-m", "zenn", "check", "--subject", "materials")
    ready.release()
    printed, _ = driver.communicate(timeout=600)
    assert driver.returncode == 0, printed
