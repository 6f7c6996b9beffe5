"""Keys: what enters them, what does not, and that every Python computes the same one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.checkout import ROOT
from zenn.pipeline.keys import canonical_json, digest, essence, key_of
from zenn.pipeline.plan import plan_checkout
from zenn.pipeline.tree import Tree

SOURCE = '''"""Module."""

# why
import os  # what


class A:
    """Doc é ü."""; x = 1

    def f(self):
        """Doc
        over lines."""
        return """kept

          # not a comment
        """, f"{self.x} # neither"
'''


def test_essence_drops_remarks_only() -> None:
    text = essence(SOURCE)
    assert "Doc" not in text
    assert "why" not in text
    assert "# what" not in text
    assert '"""kept\n\n          # not a comment\n        """' in text
    assert '# neither"' in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# why", "# because"),
        ("# what", ""),
        ('"""Doc\n        over lines."""', '"""Other."""'),
        ("\n\n\nclass", "\n\nclass"),
        ('"""Module."""\n', ""),
    ],
)
def test_remarks_do_not_count(old: str, new: str) -> None:
    changed = SOURCE.replace(old, new)
    assert changed != SOURCE
    assert essence(changed) == essence(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"), [("x = 1", "x = 2"), ("          # not", "   # not"), ("import os", "")]
)
def test_code_and_strings_count(old: str, new: str) -> None:
    assert essence(SOURCE.replace(old, new)) != essence(SOURCE)


def test_key_depends_on_every_value_and_its_name() -> None:
    spec = {"params": {"a": 1, "b": 2}, "code": {"m": "x"}}
    assert key_of(spec) == key_of({"code": {"m": "x"}, "params": {"b": 2, "a": 1}})
    assert key_of(spec) != key_of({"params": {"a": 2, "b": 1}, "code": {"m": "x"}})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


OTHER_PYTHONS = [p for v in ("3.12", "3.13", "3.14") if (p := shutil.which(f"python{v}"))]


def test_every_python_computes_the_same_essence(tmp_path: Path) -> None:
    """With the Pythons found on this machine; with this one alone it still pins the own interpreter."""
    program = (
        "import sys, hashlib, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from zenn.pipeline.keys import essence, digest\n"
        "files = sorted(pathlib.Path(sys.argv[1], 'zenn').rglob('*.py'))\n"
        "print(digest(''.join(essence(f.read_text(encoding='utf-8')) for f in files)))\n"
    )
    printed = set()
    for python in [sys.executable, *OTHER_PYTHONS]:
        done = subprocess.run(
            [python, "-c", program, str(ROOT)], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        if done.returncode == 0 or python == sys.executable:
            printed.add(done.stdout)
    assert len(printed) == 1
    assert len(printed.pop().strip()) == len(digest(""))


MODULES = sorted({s.module for s in plan_checkout(ROOT).steps})
# Each in a process of its own, that begins with the large packages of others.
IMPORTS = """
import importlib, json, os, sys
import matplotlib.pyplot, numba, papermill, pandas, pydantic, scipy.optimize, sklearn.datasets, torch
assert not [name for name in sys.modules if name.split(".")[0] == "zenn"]
for module in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(module)
        ours = [name for name in sys.modules if name.split(".")[0] == "zenn"]
        print(json.dumps([module, ours]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, module
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str]]:
    """Module -> the modules of this package that its import brings."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *MODULES], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("module", MODULES)
def test_closure_covers_every_module_that_a_step_imports(module: str, imported: dict[str, list[str]]) -> None:
    assert module in imported[module]
    assert {*imported[module]} <= {*Tree(ROOT).code(module)}


def test_notebook_imports_enter_the_key() -> None:
    figures = plan_checkout(ROOT).by_name["materials/figures"]
    assert {"zenn.plots.materials", "zenn.plots.style", "zenn.files"} <= {*figures.code}


def test_plan_is_pure_and_ordered() -> None:
    first, second = plan_checkout(ROOT), plan_checkout(ROOT)
    assert [s.key for s in first.steps] == [s.key for s in second.steps]
    assert len(first.by_key) == len(first.steps) == len(first.by_name)
    for position, step in enumerate(first.steps):
        assert all(source in first.steps[:position] for source in step.inputs.values())


def test_key_chains_from_the_table_to_the_page() -> None:
    plan = plan_checkout(ROOT)
    other = plan_checkout(ROOT, {"materials": {"systems": {"fe3pt": {"debye_scaling": 0.6}}}})
    moved = {s.name for s, t in zip(plan.steps, other.steps, strict=True) if s.key != t.key}
    assert {"materials/fe3pt-critical-point", "materials/figures", "report/ledger", "report/page"} <= moved


def test_only_what_a_scale_changes_has_another_key() -> None:
    small, ci = plan_checkout(ROOT, scale="small"), plan_checkout(ROOT, scale="ci")
    same = {s.name for s in small.steps if s.name in ci.by_name and ci.by_name[s.name].key == s.key}
    made = {f"data/{name}" for name in ("digits", "digits-clean", "digits-imbalanced", "digits-random")}
    made |= {"data/topics4", "data/topics5", "classification/cross-entropy-limit", "laws/design"}
    assert same == made | {"materials/fe3pt-eos-round-trip", "materials/fe3pt-critical-point"}
