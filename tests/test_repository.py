"""Promises that the repository makes about itself."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from zenn.pipeline.check import repository_files

ROOT = Path(__file__).resolve().parents[1]
FILES = [ROOT / name for name in repository_files(ROOT)]
TEXTS = [p for p in FILES if p.suffix in {".py", ".smk", ".md", ".yaml", ".toml", ".cff", ".lock", ".csv"}]

# A machine that has only what the computing rooms need.
BARE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name + " is not on this machine")
sys.meta_path.insert(0, Nothing())
sys.argv = ["zenn.materials", "--help"]
import runpy
runpy.run_module("zenn.materials", run_name="__main__")
"""
PIPELINE_ONLY = {
    "array_api_compat",
    "pydantic",
    "typer",
    "rich",
    "pandas",
    "matplotlib",
    "snakemake",
    "dvc",
    "papermill",
    "yaml",
    "grimp",
}


def test_readme_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted >= 5
    assert result.failed == 0


def test_import_is_light() -> None:
    program = "import zenn, sys; assert not {'torch', 'numpy', 'pandas', 'snakemake'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    program = "import zenn.zentropy, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_rooms_run_on_a_bare_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BARE.format(blocked=PIPELINE_ONLY)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "critical-point" in done.stdout


@pytest.mark.parametrize("verb", ["critical_point", "free_energy", "eos_round_trip"])
def test_verbs_import_on_a_bare_machine(verb: str) -> None:
    program = BARE.format(blocked=PIPELINE_ONLY).split("sys.argv")[0] + f"import zenn.materials.steps.{verb}"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_13_nothing_computed_stops_on_elapsed_time() -> None:
    for path in [ROOT / "zenn" / "zentropy.py", *(ROOT / "zenn" / "materials").rglob("*.py")]:
        assert not re.search(r"^\s*(import time|from time)\b", path.read_text(), re.MULTILINE), path


def test_every_dependency_has_a_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    project = tomllib.loads("\n".join(lines))
    extras = project["project"]["optional-dependencies"]
    named = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *(name for extra in extras.values() for name in extra),
    ]
    for name in named:
        pattern = rf'^\s+"{re.escape(name)}",\s+#\s*\S+'
        assert [line for line in lines if re.match(pattern, line)], f"{name}: no reason beside it"
    locks = ["requirements.lock", *(f"requirements-{extra}.lock" for extra in extras)]
    locked = "".join((ROOT / lock).read_text() for lock in locks)
    for name in named:
        bare = re.split(r"[<>=]", name)[0]
        assert re.search(rf"^{re.escape(bare)}==", locked, re.MULTILINE | re.IGNORECASE), bare
    assert not re.search(r"^(nvidia|cuda|triton)", locked, re.MULTILINE)


def test_no_path_of_a_machine_and_no_host_of_a_registry() -> None:
    # spelt in pieces so that this file does not find itself
    places = "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "fa" + "rm"])
    for path in TEXTS:
        text = path.read_text(encoding="utf-8")
        assert not re.search(rf"(^|[^A-Za-z0-9_.<])/({places})/", text), path
        assert not re.search(
            r"(extra-index|index-url|pypi\.org/simple|find-links)", text.replace("test_repo", "")
        ) or (path == Path(__file__)), path


def test_every_rule_says_what_it_needs() -> None:
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^(?=(?:use )?rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            if "output:" not in rule:
                continue  # a target
            for word in ("message:", "threads:", "resources:"):
                assert word in rule, f"{path.name}: {rule.splitlines()[0]} has no {word}"
            if rule.startswith("rule"):
                assert "log:" in rule
                assert "benchmark:" in rule
    job = (ROOT / "Snakefile").read_text()
    assert all(word in job for word in ("log:", "benchmark:", "message:", "threads:", "resources:"))


def test_every_python_file_is_one_room() -> None:
    long = {p.name: n for p in FILES if p.suffix == ".py" and (n := len(p.read_text().splitlines())) > 500}
    assert long == {}, "split by purpose"


def test_citation_and_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    titles = [reference["title"] for reference in citation["references"]]
    assert any(title.startswith("ZENN: A Thermodynamics-Inspired") for title in titles)
    assert "Deep learning of thermodynamic laws from microscopic dynamics" in titles
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_wrong_python_is_named() -> None:
    program = (
        "import sys, runpy; sys.version_info = (3, 9, 1, 'final', 0); "
        "runpy.run_path('workflow/check_python.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode != 0
    assert "found Python 3.9.1" in done.stderr
    assert "expected Python 3.11 or newer" in done.stderr
