"""The real check: every figure and table is deleted, made again and compared; and it can fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.checkout import ROOT, Checkout
from zenn.pipeline import check as zenn_check
from zenn.pipeline.check import (
    CheckFailedError,
    blank_picture,
    compare_tables,
    copy_without_results,
    empty_pdf,
    made_in,
    refuse_problems,
)

Change = Callable[[pd.DataFrame], pd.DataFrame]
REFERENCE = str(ROOT / "tests" / "reference")


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    return Checkout.copy_of_repository(tmp_path / "zenn")


def check(checkout: Checkout, *arguments: str, fails: bool = False) -> str:
    return checkout.run("python", "-m", "zenn", "check", "--reference", REFERENCE, *arguments, fails=fails)


@pytest.fixture
def check_drawn(made: Checkout, monkeypatch: pytest.MonkeyPatch) -> Callable[[Checkout], str]:
    """What is said of figures that are wrong: the check finds one subject made already, but for its figures.

    Whether it is that of this code and these parameters is for the keys to say.
    """

    def copy_with_results(root: Path, copy: Path) -> None:
        copy_without_results(root, copy)
        source, ignore = made.folder / "results" / "materials", shutil.ignore_patterns("figures")
        shutil.copytree(source, copy / "results" / "materials", ignore=ignore)

    def said(checkout: Checkout) -> str:
        with pytest.raises(CheckFailedError) as caught:
            zenn_check.check_checkout(checkout.folder, Path(REFERENCE), "ci", subject="materials")
        return str(caught.value)

    monkeypatch.setattr(zenn_check, "copy_without_results", copy_with_results)
    return said


def test_all_figures_and_tables_are_made_again_and_agree(made: Checkout) -> None:
    """`made` has all results of this code, from nothing: what `zenn check` would make once more."""
    found = made_in(made.folder, "ci")
    drawn = pd.read_csv(ROOT / "data" / "inputs" / "artefacts.csv")["step"].notna()
    assert len(found) == drawn.sum() >= 55
    refuse_problems(found, ROOT / "tests" / "reference" / "ci")


def test_a_subject_is_made_again_and_agrees(fresh: Checkout) -> None:
    assert "figures and tables made again; their numbers agree" in check(fresh, "--subject", "materials")
    assert not (fresh.folder / "results").exists()  # the user's results are left alone


def test_a_broken_notebook_is_seen(fresh: Checkout, check_drawn: Callable[[Checkout], str]) -> None:
    fresh.edit("reports/notebooks/materials.py", 'save(figure, curvature, out, "zenn-fig-s2")', "1 / 0")
    printed = check_drawn(fresh)
    assert "reports/notebooks/materials.py, cell" in printed
    assert "ZeroDivisionError" in printed


def test_a_notebook_that_forgets_a_figure_is_seen(
    fresh: Checkout, check_drawn: Callable[[Checkout], str]
) -> None:
    fresh.edit("reports/notebooks/materials.py", 'save(figure, curvature, out, "zenn-fig-s2")', "pass")
    assert "materials/figures: found the files" in check_drawn(fresh)


def test_a_broken_rule_is_seen(fresh: Checkout, check_drawn: Callable[[Checkout], str]) -> None:
    outputs = 'RUN.outputs("materials", "figures")'
    fresh.edit(
        "workflow/rules/materials.smk", outputs, f"[*{outputs}, 'results/{{subject}}/{{run}}/{{key}}/no.png']"
    )
    assert "no.png" in check_drawn(fresh)


def test_a_wrong_picture_is_seen(fresh: Checkout, check_drawn: Callable[[Checkout], str]) -> None:
    fresh.edit("zenn/plots/materials.py", "curve[column], color=colour", "1 + curve[column], color=colour")
    assert (
        "beyond-fig-fe3pt-phase-diagram, panel 0, curve '5 K': found y values that no column"
        in check_drawn(fresh)
    )


def test_moved_numbers_are_seen(fresh: Checkout) -> None:
    fresh.edit("params.yaml", "debye_scaling: 0.617", "debye_scaling: 0.61701")
    printed = check(fresh, "--subject", "materials", fails=True)
    assert "beyond-fig-fe3pt-isotherms, column helmholtz_eV_per_atom" in printed
    assert "values have moved" in printed


def test_a_subject_without_figures_is_refused(fresh: Checkout) -> None:
    printed = check(fresh, "--subject", "minerals", fails=True)
    assert (
        "argument --subject: found minerals, expected one of ['classification', 'landscape', 'laws'"
        in printed
    )
    assert "expected none with --record" in check(fresh, "--record", "--subject", "materials", fails=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(y=t["y"] * (1 + 2e-6)), "column y: 3 values have moved"),
        (lambda t: t.assign(name=["a", "b", "x"]), "column name: 1 values have moved"),
        (lambda t: t.rename(columns={"y": "z"}), "found columns"),
        (lambda t: t.iloc[:2], "found 2 rows, expected 3"),
        (lambda t: t.assign(y=[1.0, float("nan"), 3.0]), "column y: 1 values have moved"),
    ],
)
def test_what_counts_as_moved(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    old = pd.DataFrame({"name": ["a", "b", "c"], "y": [1.0, 2.0, 3.0]})
    old.to_csv(tmp_path / "old.csv", index=False)
    change(old).to_csv(tmp_path / "new.csv", index=False)
    (problem,) = compare_tables("t", tmp_path / "new.csv", tmp_path / "old.csv", 1e-6, 1e-9)
    assert said in problem
    within = old.assign(y=old["y"] * (1 + 1e-7))
    within.to_csv(tmp_path / "new.csv", index=False)
    assert compare_tables("t", tmp_path / "new.csv", tmp_path / "old.csv", 1e-6, 1e-9) == []


def test_missing_blank_and_truncated_pictures_are_seen(tmp_path: Path, made: Checkout) -> None:
    from PIL import Image

    Image.new("RGB", (9, 9), "white").save(tmp_path / "blank.png")
    assert "one colour only" in blank_picture(tmp_path / "blank.png")[0]
    assert blank_picture(tmp_path / "none.png")
    good = made.result("materials/figures", "zenn-fig-s2.pdf")
    assert empty_pdf(good) == []
    (tmp_path / "cut.pdf").write_bytes(good.read_bytes()[:500])
    assert empty_pdf(tmp_path / "cut.pdf")
    shutil.copyfile(made.result("materials/figures", "zenn-fig-s2.png"), tmp_path / "good.png")
    assert blank_picture(tmp_path / "good.png") == []
