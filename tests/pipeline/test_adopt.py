"""Results of another machine: made there without the pipeline, checked, taken in, shown by the ledger."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.pipeline.checkout import ROOT, Checkout
from zenn.pipeline.adopt import differing
from zenn.pipeline.keys import file_digest

BARE = """
import sys
from importlib.machinery import ModuleSpec
class Nothing:  # torch asks whether some are there, and goes on without them: importing them is what fails
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name.split(".")[0] in {blocked!r} else None
    def create_module(self, spec):
        raise ModuleNotFoundError(spec.name + " is not on this machine", name=spec.name)
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Nothing())
sys.argv = ["elsewhere", *{arguments!r}]
import runpy
runpy.run_module("zenn.pipeline.elsewhere", run_name="__main__")
"""
ELSEWHERE_MISSING = {
    *("pydantic", "typer", "rich", "pandas", "matplotlib", "snakemake", "dvc", "papermill", "yaml", "grimp"),
    *("pymatgen", "requests", "jinja2", "jupytext"),
}


def elsewhere(checkout: Checkout, *arguments: str, fails: bool = False) -> str:
    """The orders carried out on a machine that has only what the computing rooms need."""
    program = BARE.format(blocked=ELSEWHERE_MISSING, arguments=list(arguments))
    return checkout.run(sys.executable, "-c", program, fails=fails)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout at scale ci, and results of the larger scale small, here as small as ci, made elsewhere."""
    checkout = Checkout.copy_of_repository(tmp_path_factory.mktemp("adopt") / "zenn")
    path = checkout.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["laws"]["ci"]["training"].update(seeds=[1], controls=[], epochs=2)
    params["laws"]["small"] = params["laws"]["ci"]
    # at scale ci the same work would have the same keys
    params["laws"]["ci"] = {**params["laws"]["ci"], "pictures": {"pixels": 64, "drawn_radius": 3}}
    path.write_text(yaml.safe_dump(params, sort_keys=False, allow_unicode=True))
    checkout.commit("sizes")
    command = ("plan", "--scale", "small", "--subject", "laws", "--orders", "orders.json")
    checkout.run(sys.executable, "-m", "zenn", *command)
    said = elsewhere(checkout, "orders.json", "--keep", "kept")
    assert "laws/seed1-axioms: done" in said
    return checkout


@pytest.fixture
def here(there: Checkout, tmp_path: Path) -> Checkout:
    """A private copy without results, and the folder that was kept elsewhere beside it."""
    ignore = shutil.ignore_patterns("results", "logs", "checkpoints")
    shutil.copytree(there.folder, tmp_path / "zenn", symlinks=True, ignore=ignore)
    shutil.copytree(there.folder / "kept", tmp_path / "zenn" / "kept", dirs_exist_ok=True)
    return Checkout(tmp_path / "zenn")


def adopt(checkout: Checkout, fails: bool = False) -> str:
    return checkout.run(sys.executable, "-m", "zenn", "adopt", "kept", fails=fails)


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def edited(checkout: Checkout, old: str, new: str) -> None:
    path = checkout.folder / "params.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_is_finished_is_not_done_again(there: Checkout) -> None:
    said = elsewhere(there, "orders.json", "--only", "laws/snapshots", "laws/design")
    assert said.splitlines() == ["laws/snapshots: finished already", "laws/design: finished already"]


def test_a_missing_package_is_named(there: Checkout, tmp_path: Path) -> None:
    program = BARE.format(
        blocked={"numba"}, arguments=["orders.json", "--into", str(tmp_path), "--only", "laws/snapshots"]
    )
    said = there.run(sys.executable, "-c", program, fails=True)
    assert "found no package numba, expected numpy, scipy, torch, numba" in said
    assert "Traceback" not in said


def test_other_code_is_refused_there(there: Checkout, tmp_path: Path) -> None:
    shutil.copytree(there.folder, tmp_path / "zenn", symlinks=True)
    other = Checkout(tmp_path / "zenn")
    other.edit("zenn/laws/rendering.py", "LOBES = 3", "LOBES = 2")
    shutil.rmtree(other.folder / "results" / "laws" / "pictures")
    said = elsewhere(other, "orders.json", fails=True)
    assert "zenn.laws.rendering" in said
    assert "laws/pictures was planned with" in said
    orders = json.loads((other.folder / "orders.json").read_text())
    orders["orders"][0]["spec"]["params"]["replica"] = 7
    (other.folder / "orders.json").write_text(json.dumps(orders))
    assert "an order that was changed" in elsewhere(other, "orders.json", fails=True)


def test_results_are_filed_and_judged(here: Checkout) -> None:
    said = adopt(here)
    assert "taken in: laws/seed1-axioms at scale small" in said
    assert "made from them: laws/claims" in said
    place = here.folder / "data" / "recorded"
    (record,) = (place / "laws" / "seed1-train").glob("*/record.json")
    found = json.loads(record.read_text())
    assert found["key"] == record.parent.name
    for name, sha in found["outputs"].items():
        assert file_digest(record.parent / name) == sha
    ledger = rows(place / "claims.csv")
    assert ledger["laws-process-count"]["verdict"] == "holds"
    a1 = ledger["laws-a1"]
    assert a1["scale"] == "small"
    assert a1["measured"]
    facts = json.loads((record.parent / "run.json").read_text())
    assert a1["hardware"] == facts["hardware"]
    assert a1["commit"] == facts["commit"] == here.run("git", "rev-parse", "--short=12", "HEAD").strip()
    assert (place / "laws" / "figures").is_dir()
    again = adopt(here)
    assert "made from them" not in again  # it is there already


def test_the_ledger_of_a_smaller_scale_shows_them(here: Checkout) -> None:
    adopt(here)
    program = (
        "import json; from pathlib import Path; from zenn.pipeline.plan import plan_checkout; "
        "step = plan_checkout(Path.cwd()).by_name['report/ledger']; print(json.dumps(step.params))"
    )

    def shown() -> dict[str, dict[str, str]]:
        params = json.loads(here.run(sys.executable, "-c", program).splitlines()[-1])
        return {row["id"]: row for row in params["decided_above"]}

    # only what was decided: the others were measured with another gas than the paper's
    assert set(shown()) == {"laws-process-count", "laws-a2"}
    assert shown()["laws-a2"]["current"] == "yes"
    edited(here, "epochs: 2", "epochs: 5")
    assert shown()["laws-a2"]["current"] == "no"


def test_a_result_of_other_parameters_or_code_is_refused_and_named(here: Checkout) -> None:
    edited(here, "epochs: 2", "epochs: 5")
    said = adopt(here, fails=True)
    assert "parameter epochs" in said
    assert "Nothing was taken in" in said
    edited(here, "epochs: 5", "epochs: 2")
    here.edit("zenn/laws/network.py", "DROPOUT = 0.25", "DROPOUT = 0.5")
    assert "code zenn.laws.network" in adopt(here, fails=True)
    assert not (here.folder / "data" / "recorded" / "laws").exists()


@pytest.mark.parametrize("harm", ["content", "record", "missing", "more", "facts"])
def test_a_result_that_was_changed_is_refused(here: Checkout, harm: str) -> None:
    (folder,) = (here.folder / "kept" / "results" / "laws" / "seed1-axioms").glob("*")
    if harm == "content":
        metrics = json.loads((folder / "metrics.json").read_text())
        (folder / "metrics.json").write_text(json.dumps({**metrics, "a1_r2": 1.0}))
    elif harm == "record":
        record = json.loads((folder / "record.json").read_text())
        record["spec"]["params"]["seed"] = 9
        (folder / "record.json").write_text(json.dumps(record))
    elif harm == "missing":
        (folder / "a1.csv").unlink()
    elif harm == "more":
        (folder / "extra.csv").write_text("1")
    else:
        shutil.rmtree(here.folder / "kept" / "logs" / "laws" / "seed1-axioms")
    said = adopt(here, fails=True)
    wanted = {
        "content": "metrics.json: found content",
        "record": "a record that was changed",
        "missing": "a1.csv: found no such file",
        "more": "extra.csv",
        "facts": "hardware and commit",
    }
    assert wanted[harm] in said
    assert "Traceback" not in said
    assert not (here.folder / "data" / "recorded" / "laws").exists()


def test_without_a_training_there_is_no_verdict_yet(here: Checkout) -> None:
    for run in ("seed1-axioms", "summary"):
        shutil.rmtree(here.folder / "kept" / "results" / "laws" / run)
    said = adopt(here)
    assert "no verdict yet for laws at scale small: laws/seed1-axioms" in said
    assert not (here.folder / "data" / "recorded" / "claims.csv").exists()


def test_a_folder_without_results_is_refused(here: Checkout, tmp_path: Path) -> None:
    shutil.rmtree(here.folder / "kept")
    (here.folder / "kept").mkdir()
    assert "no record.json in it or below" in adopt(here, fails=True)


def test_large_files_are_named_and_not_kept(tmp_path: Path) -> None:
    from zenn.pipeline.elsewhere import LARGE, copy_small

    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / "weights.safetensors").write_bytes(bytes(LARGE + 1))
    (tmp_path / "from" / "metrics.json").write_text("{}")
    assert copy_small(tmp_path / "from", tmp_path / "to") == ["weights.safetensors"]
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["metrics.json"]


def test_differences_are_named() -> None:
    made = {"params": {"a": {"b": 1, "c": 2}}, "code": {"m": "x"}, "files": {}, "inputs": {"i": "1"}}
    planned = {"params": {"a": {"b": 1, "c": 3}}, "code": {"m": "y"}, "files": {}, "inputs": {"i": "1"}}
    assert differing(made, planned) == ["parameter a.c", "code m"]


def test_the_runner_is_documented_by_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zenn.pipeline.elsewhere", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert "zenn adopt" in done.stdout
