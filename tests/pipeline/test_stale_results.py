"""Trap 3 and its relatives on the repository's own Snakefile and dvc.yaml: no way to a stale result."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import time
from fnmatch import fnmatch

import pytest

from tests.pipeline.checkout import ROOT, Checkout
from tests.pipeline.conftest import ONE, THREE, TWO
from zenn.pipeline.intact import SEEN, damage_of, remove_damaged, state_of
from zenn.pipeline.plan import plan_checkout
from zenn.pipeline.steps import Step

# What depends on the seed of the uncertainties, and nothing else.
AFFECTED = {"materials/fe3pt-uncertainty", "materials/figures", "materials/claims"}
DECIDED = {"landscape/claims"}  # with these uncertainties
COMPARED = {"landscape/figures"} | DECIDED  # they show the inverse problem beside the forward one
FOLLOWING = {"report/ledger", "report/page"}


def reference(checkout: Checkout) -> tuple[object, str]:
    """The parameter as a result file says it, and the column of the published figure that follows it."""
    return seed(checkout), checkout.text("reports/figures/beyond-fig-fe3pt-critical-point.csv")


def seed(checkout: Checkout) -> object:
    """The parameter as the record of the result says it."""
    record = json.loads(checkout.result("materials/fe3pt-uncertainty", "record.json").read_text())
    return record["spec"]["params"]["uncertainty"]["seed"]


def pictures(checkout: Checkout) -> list[str]:
    """What the page shows, as it lies in it."""
    found = re.findall(r"data:image/[^\"]+", checkout.text("results/report/index.html"))
    assert len(found) > 5
    return found


def at(checkout: Checkout, tag: str) -> None:
    checkout.run("git", "checkout", "--quiet", "--force", tag)
    checkout.run("dvc", "checkout")
    checkout.jobs()


def test_3a_back_to_one_then_the_value_of_two(versions: Checkout) -> None:
    two, lock = reference(versions), versions.text("dvc.lock")
    at(versions, "one")
    assert reference(versions)[0] == 1
    assert reference(versions)[1] != two[1]
    versions.edit("params.yaml", ONE, TWO)
    versions.run("dvc", "repro")
    # ledger and page of 'two' are still there: DVC does not version them, their keys say what they are
    assert versions.jobs() == AFFECTED | DECIDED
    assert reference(versions) == two
    assert versions.text("dvc.lock") == lock


def test_3a_with_snakemake_alone(versions: Checkout) -> None:
    at(versions, "one")
    versions.edit("params.yaml", ONE, TWO)
    versions.snakemake("--", "materials")
    assert versions.jobs() == AFFECTED
    assert seed(versions) == 2


def test_3b_clean_clone_pull_and_edit(versions: Checkout) -> None:
    clone = Checkout(versions.folder.parent / "clone")
    versions.run("git", "clone", "--quiet", ".", str(clone.folder))
    clone.run("dvc", "pull")
    assert "up to date" in clone.run("dvc", "status")
    assert any((clone.folder / "results" / "data").rglob("data.safetensors"))
    # 3d: a pull leaves files with arbitrary times
    for path in (clone.folder / "results").rglob("*"):
        moment = time.time() - random.Random(path.name).uniform(0, 1e6)
        os.utime(path, (moment, moment))
    clone.snakemake()
    assert clone.jobs() == FOLLOWING  # the report, which DVC does not version; nothing is computed
    assert pictures(clone) == pictures(versions)
    clone.edit("params.yaml", TWO, THREE)
    clone.run("dvc", "repro")
    assert clone.jobs() == AFFECTED | DECIDED | FOLLOWING
    assert reference(clone)[0] == 3
    assert "up to date" in clone.run("dvc", "status")


def test_3c_git_restores_outputs(versions: Checkout) -> None:
    two = reference(versions)
    versions.run("git", "checkout", "--quiet", "one", "--", "reports")
    assert reference(versions)[1] != two[1]
    versions.run("dvc", "repro")
    assert reference(versions) == two
    # a result committed by force and restored by git over newer parameters
    versions.run("git", "add", "--force", "results")
    versions.run("git", "commit", "--quiet", "--message", "forced")
    versions.edit("params.yaml", TWO, THREE)
    target = versions.target("materials/fe3pt-uncertainty")
    versions.snakemake("--", target)
    versions.run("git", "checkout", "--quiet", "--", "results")
    versions.jobs()
    versions.snakemake("--", target)
    records = (versions.folder / "results" / "materials" / "fe3pt-uncertainty").rglob("record.json")
    assert any(json.loads(p.read_text())["spec"]["params"]["uncertainty"]["seed"] == 3 for p in records)


def test_3f_lost_snakemake_folder(versions: Checkout) -> None:
    at(versions, "one")
    one = reference(versions)
    at(versions, "two")
    shutil.rmtree(versions.folder / ".snakemake")
    versions.snakemake("--", "materials")
    assert versions.jobs() == set()
    versions.edit("params.yaml", TWO, ONE)
    shutil.rmtree(versions.folder / ".snakemake")
    versions.run("dvc", "repro")
    assert reference(versions) == one


def test_3e_an_edit_during_a_run_is_refused(ready: Checkout) -> None:
    ready.hold_free_energy()
    driver = ready.start("snakemake", "--cores", "2", "--", "materials")
    ready.wait_until_held()
    ready.edit("zenn/materials/eos.py", "Array = NDArray[np.float64]", "Array = NDArray[np.float64]\nNEW = 1")
    ready.release()
    printed, _ = driver.communicate(timeout=120)
    assert driver.returncode != 0
    assert "zenn.materials.eos changed since this job was planned" in printed
    left = [*(ready.folder / "results/materials/fe3pt-free-energy").iterdir()]
    assert all(not path.name.startswith(".") for path in left)
    before = {path.name for path in left}
    ready.snakemake("--", ready.target("materials/fe3pt-free-energy"))
    after = {path.name for path in (ready.folder / "results/materials/fe3pt-free-energy").iterdir()}
    assert not after & before


def test_damaged_results_are_made_again(ready: Checkout) -> None:
    """Edited by hand, cut, or lost: nothing of it is published or built upon."""
    good = {
        path: path.read_bytes()
        for path in (
            ready.result("materials/fe3pt-critical-point", "critical_point.json"),
            ready.result("materials/fe3pt-eos-round-trip", "record.json"),
            ready.result("materials/figures", "zenn-fig-s2.csv"),
            ready.result("materials/figures", "beyond-fig-fe3pt-isotherms.png"),
        )
    }
    edited, cut, moved, lost = good
    edited.write_text(edited.read_text().replace("164.", "161."))
    cut.write_bytes(good[cut][:-30])
    moved.write_text(moved.read_text().replace(".", ".1"))
    lost.unlink()
    refused = ready.run("python", "-m", "zenn", "publish", fails=True)
    assert "fe3pt-eos-round-trip" in refused
    assert "(2 more)" in refused
    printed = ready.run("dvc", "repro")
    assert "critical_point.json: found content" in printed
    assert {path: path.read_bytes() for path in good} == good
    assert ready.text("reports/figures/zenn-fig-s2.csv").encode() == good[moved]
    # what follows them may run again too: Snakemake cannot know that the same will come out
    assert ready.jobs() >= CRITICAL | ROUND_TRIP | FIGURES


def test_only_the_affected_jobs_rerun(ready: Checkout) -> None:
    ready.edit("zenn/plots/materials.py", "CLOSE = 0.05", "CLOSE = 0.04")
    ready.edit("zenn/materials/eos.py", "from __future__", "# a remark\nfrom __future__")
    ready.snakemake("--", "materials")
    assert ready.jobs() == {"materials/figures"}


REMARK = ("from __future__ import annotations\n", "from __future__ import annotations\n\n# a remark\n")
NEW = ("from __future__ import annotations\n", "from __future__ import annotations\n\nNEW = 1\n")
CRITICAL = {"materials/fe3pt-critical-point"}
ROUND_TRIP = {"materials/fe3pt-eos-round-trip"}
FREE_ENERGY = {"materials/fe3pt-free-energy"}
UNCERTAINTY = {"materials/fe3pt-uncertainty"}
DIAGRAMS = {"materials/fe3pt-phase-diagram", "materials/fe3pt-sensitivity"} | UNCERTAINTY
EACH = {"materials/fe3pt-configuration-properties"}
FIGURES, CLAIMS = {"materials/figures"}, {"materials/claims"}
SHOWN = {"landscape/figures"}
FE3PT = {"landscape/fe3pt-*"}  # its data, every fit of them and what they say
SOLVED = CRITICAL | DIAGRAMS | FIGURES | CLAIMS | COMPARED
EVERYTHING = CRITICAL | ROUND_TRIP | FREE_ENERGY | DIAGRAMS | EACH | FIGURES | CLAIMS | FE3PT | COMPARED


@pytest.fixture(scope="module")
def keys(made: Checkout) -> dict[str, str]:
    """Those before an edit."""
    return made.keys()


@pytest.mark.parametrize(
    ("name", "change", "moved"),
    [
        ("zenn/materials/eos.py", REMARK, set()),
        ("zenn/materials/steps/free_energy.py", ('"""Helmholtz energy along', '"""The energy along'), set()),
        ("params.yaml", ("scale: ci", "# a remark\nscale: ci"), set()),
        ("workflow/rules/materials.smk", ("kernels=1", "kernels=2"), set()),
        ("zenn/pipeline/job.py", NEW, set()),
        ("params.yaml", ("tolerance: 1.0e-10", "tolerance: 1.0e-9"), SOLVED),
        (
            "params.yaml",
            ("uncertainty: {seed: 1}", "uncertainty: {seed: 2}"),
            UNCERTAINTY | FIGURES | CLAIMS | DECIDED,
        ),
        ("params.yaml", ("strain: 0.05", "strain: 0.04"), ROUND_TRIP | FIGURES | CLAIMS),
        ("zenn/materials/critical.py", NEW, FREE_ENERGY | EACH | SOLVED),
        ("zenn/materials/eos.py", NEW, EVERYTHING),
        ("zenn/plots/style.py", NEW, FIGURES | SHOWN | {"classification/figures", "laws/figures"}),
        ("zenn/landscape/isobars.py", NEW, {"landscape/fe3pt-evaluation"} | COMPARED),
        ("zenn/pipeline/claims/landscape.py", ("161.0, 3.0", "161.0, 2.0"), DECIDED),
        ("reports/notebooks/materials.py", ("# ## Fig. S2", "# ## Figure S2"), FIGURES),
        ("reports/notebooks/materials.py", ('scale = "small"', 'scale = "small"  # a remark'), set()),
        ("zenn/pipeline/claims/materials.py", ("6.53, 0.1", "6.53, 0.01"), CLAIMS),
        (
            "data/inputs/fe3pt_table_s1.csv",
            ("13.124", "13.125"),
            EVERYTHING,
        ),
    ],
)
def test_exactly_the_affected_keys_move(
    made: Checkout, keys: dict[str, str], name: str, change: tuple[str, str], moved: set[str]
) -> None:
    before, text = keys, made.text(name)
    try:
        made.edit(name, *change)
        after = made.keys()
    finally:
        (made.folder / name).write_text(text)
    expected = {step for step in before if any(fnmatch(step, pattern) for pattern in moved)}
    assert {step for step in before if before[step] != after[step]} - FOLLOWING == expected
    assert all(any(fnmatch(step, pattern) for step in expected) for pattern in moved)
    assert all((before[step] != after[step]) == bool(moved) for step in ("report/page",))


def test_4_swapped_values_are_noticed(ready: Checkout) -> None:
    text = ready.text("params.yaml")
    text = text.replace("debye_scaling: 0.617", "debye_scaling: X").replace(
        "grueneisen_x: 0.6666666666666666", "grueneisen_x: 0.617"
    )
    (ready.folder / "params.yaml").write_text(text.replace("X", "0.6666666666666666"))
    ready.snakemake("--", ready.target("materials/fe3pt-critical-point"))
    assert "materials/fe3pt-critical-point" in ready.jobs()


def test_records_that_lie_are_not_believed(ready: Checkout) -> None:
    record = ready.result("materials/fe3pt-critical-point", "record.json")
    value = record.with_name("critical_point.json")
    good_record, good_value = record.read_bytes(), value.read_bytes()
    told = json.loads(good_record)
    lies: list[bytes] = [
        json.dumps({**told, "outputs": {}}).encode(),
        json.dumps({**told, "outputs": []}).encode(),
        json.dumps({**told, "outputs": {"critical_point.json": None}}).encode(),
        json.dumps({**told, "spec": {**told["spec"], "params": {"x": 1}}}).encode(),
        json.dumps({"key": told["key"]}).encode(),
        b"[]",
        b"\xff\xfe",
        b"",
    ]
    step, root = next(s for s in planned(ready) if s.name.endswith("critical-point")), ready.folder
    assert damage_of(root / step.folder, step.key) == ""
    for lie in lies:
        record.write_bytes(lie)
        assert "found" in damage_of(root / step.folder, step.key), lie
    record.write_bytes(good_record)
    (record.parent / "extra.csv").write_text("a")
    assert "extra.csv" in damage_of(root / step.folder, step.key)
    (record.parent / "extra.csv").unlink()
    # edited in place with size and time as before
    times = value.stat()
    assert remove_damaged([step], root) == []
    value.write_bytes(good_value.replace(b"164.19", b"161.19"))
    os.utime(value, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert state_of(step, root) == "damaged"
    (removed,) = remove_damaged([step], root)
    assert "critical_point.json: found content" in removed
    assert state_of(step, root) == "to do"


def test_a_bad_cache_of_hashes_condemns_nothing(ready: Checkout) -> None:
    steps, cache = planned(ready), ready.folder / SEEN
    assert remove_damaged(steps, ready.folder) == []
    good = json.loads(cache.read_text())
    wrong = {path: " ".join([*state.split()[:-1], "0" * 64]) for path, state in good.items()}
    for content in (json.dumps(wrong), "[]", "null", "{", '{"a": 3}', ""):
        cache.write_text(content)
        assert remove_damaged(steps, ready.folder) == []
    assert all(state_of(step, ready.folder) == "made" for step in steps)


def test_a_link_in_place_of_a_result_is_replaced(ready: Checkout) -> None:
    folder = ready.result("materials/fe3pt-critical-point", "record.json").parent
    folder.rename(ready.folder / "elsewhere")
    folder.symlink_to(ready.folder / "elsewhere")
    printed = ready.snakemake("--", ready.target("materials/fe3pt-critical-point"))
    assert "found a link" in printed
    assert folder.is_dir()
    assert not folder.is_symlink()
    assert (ready.folder / "elsewhere" / "record.json").exists()


def planned(checkout: Checkout) -> list[Step]:
    """The steps of the copy; its code is this repository's, so the keys are the same."""
    return plan_checkout(ROOT, scale="ci").of("materials")


def test_overrides_on_the_command_line_carry_numbers(made: Checkout) -> None:
    nested = 'materials={"critical_point": {"max_iterations": 40, "tolerance": 1.0e-9}}'
    assert "materials_critical_point" in made.snakemake("--dry-run", "--config", nested, "--", "materials")
    wrong = 'materials={"critical_point": {"max_iterations": many}}'
    printed = made.snakemake("--dry-run", "--config", wrong, "--", "materials", fails=True)
    assert "params.yaml under --config, materials.critical_point.max_iterations: found" in printed


def test_commands_that_only_look_change_nothing(ready: Checkout) -> None:
    path = ready.result("materials/fe3pt-critical-point", "critical_point.json")
    path.write_text("damaged")
    for option in ("--summary", "--dag", "--list"):
        ready.run("snakemake", option)
    assert path.read_text() == "damaged"
    assert "damaged" in ready.run("python", "-m", "zenn", "plan")
