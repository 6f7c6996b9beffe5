"""Notebooks as steps: parameters are checked, a failing cell is named, equal runs leave equal bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from zenn.errors import InputError, ZennError
from zenn.pipeline.notebook import execute

NOTEBOOK = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
a = 1

# %%
2 * a
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "book.py"
    path.write_text(NOTEBOOK)
    return path


def test_equal_runs_leave_equal_bytes(notebook: Path, tmp_path: Path) -> None:
    for name in ("one.ipynb", "two.ipynb"):
        execute(notebook, {"a": 21}, tmp_path / name)
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()
    assert "42" in (tmp_path / "one.ipynb").read_text()
    assert str(tmp_path) not in (tmp_path / "one.ipynb").read_text()


def test_undeclared_files_are_out_of_reach(notebook: Path, tmp_path: Path) -> None:
    notebook.write_text(NOTEBOOK.replace("2 * a", 'open("params.yaml").read()'))
    with pytest.raises(ZennError, match="FileNotFoundError"):
        execute(notebook, {"a": 1}, tmp_path / "out.ipynb")


def test_unknown_parameter_is_refused(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"book\.py, parameters cell: found \['a'\].*\['a', 'b'\]"):
        execute(notebook, {"a": 1, "b": 2}, tmp_path / "out.ipynb")
    notebook.write_text(NOTEBOOK.replace(' tags=["parameters"]', ""))
    with pytest.raises(InputError, match="0 of them, expected exactly one"):
        execute(notebook, {"a": 1}, tmp_path / "out.ipynb")
    assert not (tmp_path / "out.ipynb").exists()


def test_failing_cell_is_named(notebook: Path, tmp_path: Path) -> None:
    notebook.write_text(NOTEBOOK.replace("2 * a", "1 / (a - a)"))
    with pytest.raises(ZennError, match=r"book\.py, cell \d+: found ZeroDivisionError"):
        execute(notebook, {"a": 1}, tmp_path / "out.ipynb")
    assert not (tmp_path / "out.ipynb").exists()
