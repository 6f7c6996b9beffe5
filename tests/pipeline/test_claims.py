"""The ledger: every claim once, verdicts by rule, nothing copied from the paper into what was measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.checkout import ROOT, Checkout
from zenn.errors import InputError, ZennError
from zenn.files import write_json
from zenn.pipeline.claims import classification, landscape, laws, materials
from zenn.pipeline.claims.ledger import (
    COLUMNS,
    FROM_SMALLEST,
    Verdict,
    collect,
    decided_above,
    read_published,
    read_rows,
    stamp,
    to_csv,
    write_evidence,
)
from zenn.pipeline.params import SCALES

CLAIMS = ROOT / "data" / "inputs" / "claims.csv"
RULES = {**materials.RULES, **landscape.RULES, **classification.RULES, **laws.RULES}
ELSEWHERE = {row["id"] for row in read_rows(CLAIMS) if row["runs_on"] == "gpu+download"}
MEASURED = {*RULES} - ELSEWHERE  # without the published data
TOO_FEW = {"fe3pt-lambda"}  # measured, but from too few seeds at this scale
TOO_SMALL = {*laws.RULES} - {"laws-process-count", "laws-a2"}  # measured, but with another gas


def evidence(**changes: object) -> dict[str, object]:
    table = pd.DataFrame({"degeneracy": [2, 6], "largest_relative_deviation": [1e-12, 2e-12]})
    curvature = pd.DataFrame(
        {"temperature_K": [160.0, 160.0, 165.0, 165.0], "helmholtz_VV_eV_per_A6": [-1e-3, 2e-3, 1e-3, 2e-3]}
    )
    point = {"temperature_K": 164.0, "pressure_GPa": 6.5}
    interval = {"low": 1.0, "high": 2.0, "solved": 10}
    return {
        "equation_of_state": table,
        "second_derivative": curvature,
        "critical_point": point,
        "uncertainty": {"critical_point": {"temperature_K": interval, "pressure_GPa": interval}},
        **changes,
    }


@pytest.mark.parametrize(
    ("rule", "changes", "verdict"),
    [
        ("fe3pt-table-rows", {}, Verdict.FAILS),
        (
            "fe3pt-table-rows",
            {"equation_of_state": pd.DataFrame({"degeneracy": [12] * 36 + [80]})},
            Verdict.HOLDS,
        ),
        ("fe3pt-eos-fit", {}, Verdict.UNDECIDABLE),
        ("fe3pt-dft-tc", {}, Verdict.HOLDS),
        ("fe3pt-dft-tc", {"critical_point": {"temperature_K": 159.99}}, Verdict.FAILS),
        ("fe3pt-dft-tc", {"critical_point": {"temperature_K": 165.01}}, Verdict.FAILS),
        ("fe3pt-dft-pc", {}, Verdict.HOLDS),
        ("fe3pt-dft-pc", {"critical_point": {"pressure_GPa": 6.64}}, Verdict.FAILS),
        ("fe3pt-dft-pc", {"critical_point": {"pressure_GPa": 6.42}}, Verdict.FAILS),
        ("fe3pt-d2f-160", {}, Verdict.HOLDS),
        (
            "fe3pt-d2f-160",
            {
                "second_derivative": pd.DataFrame(
                    {"temperature_K": [160.0, 165.0], "helmholtz_VV_eV_per_A6": [1e-6, 1.0]}
                )
            },
            Verdict.FAILS,
        ),
        (
            "fe3pt-d2f-160",
            {
                "second_derivative": pd.DataFrame(
                    {"temperature_K": [150.0, 165.0], "helmholtz_VV_eV_per_A6": [-1.0, 1.0]}
                )
            },
            Verdict.NOT_RUN,
        ),
    ],
)
def test_rules(rule: str, changes: dict[str, object], verdict: Verdict) -> None:
    assert materials.RULES[rule](evidence(**changes)).verdict is verdict


def test_every_claim_has_one_row(made: Checkout) -> None:
    rows = read_rows(made.folder / "reports" / "claims.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == [row["id"] for row in read_rows(CLAIMS)]
    assert {row["verdict"] for row in rows} <= {v.value for v in Verdict}
    measured = {row["id"] for row in rows if row["measured"]}
    assert measured == MEASURED
    for row in rows:
        assert row["why"], row["id"]
        if row["id"] in MEASURED:
            (subject,) = (
                of.__name__.rpartition(".")[2]
                for of in (materials, landscape, classification, laws)
                if row["id"] in of.RULES
            )
            assert all(row[name] for name in COLUMNS), row
            assert (made.folder / "results" / row["source"]).is_file()
            assert (made.folder / "results" / subject / "claims" / row["key"]).is_dir()
        if row["id"] not in MEASURED or row["id"] in TOO_FEW | TOO_SMALL:
            assert row["verdict"] == "not run at this scale"


def test_larger_scale_wins_and_smaller_does_not(tmp_path: Path) -> None:
    claims = read_rows(CLAIMS)[:2]
    here = {**claims[0], "measured": "1", "verdict": "holds", "scale": "small", "key": "a"}
    published = tmp_path / "claims.csv"
    published.write_text(
        to_csv(
            [
                {**here, "measured": "2", "scale": "paper", "key": "b", "source": f"a/b/{'0' * 16}/c"},
                {**claims[1], "verdict": Verdict.NOT_RUN.value, "scale": "paper"},
            ]
        )
    )
    above = decided_above("small", published)
    assert [row["key"] for row in above] == ["b"]  # 'not run' decides nothing
    assert [row.get("measured", "") for row in collect(claims, [here], above, "small")] == ["2", ""]
    assert decided_above("paper", published) == []
    now = collect(claims, [{**here, "scale": "paper"}], [], "paper")
    assert [row.get("measured", "") for row in now] == ["1", ""]
    assert decided_above("small", tmp_path / "none.csv") == []


def test_stamp_keeps_what_is_published_for_the_same_measurement(tmp_path: Path) -> None:
    row = {**read_rows(CLAIMS)[0], "key": "k", "measured": "1", "current": "yes"}
    row |= {"source": "materials/run/0123456789abcdef/file", "verdict": "holds", "scale": "ci"}
    published, facts = tmp_path / "claims.csv", tmp_path / "logs/materials/run/0123456789abcdef.run.json"
    assert stamp([row], tmp_path, published)[0]["commit"] == "not recorded"
    write_json(facts, {"commit": "c1", "hardware": "h1"})
    (first,) = stamp([row], tmp_path, published)
    assert (first["commit"], first["hardware"]) == ("c1", "h1")
    published.write_text(to_csv([first]))
    write_json(facts, {"commit": "c2", "hardware": "h2"})
    assert stamp([row], tmp_path, published) == [first]
    other = {**row, "source": "materials/run/fedcba9876543210/file"}
    assert stamp([other], tmp_path, published)[0]["commit"] == "not recorded"


def test_stamp_names_the_commit_that_holds_the_code(ready: Checkout) -> None:
    """Run first, commit later: the ledger must not name a commit without the code for ever."""
    ready.edit("params.yaml", "tolerance: 1.0e-10", "tolerance: 1.0e-11")  # of the critical point
    ready.snakemake()
    ready.run("python", "-m", "zenn", "publish")  # with the line above what the stage `publish` does
    head = ready.run("git", "rev-parse", "--short=12", "HEAD").strip()

    def commits() -> set[str]:
        rows = read_rows(ready.folder / "reports" / "claims.csv")
        return {row["commit"] for row in rows if row["id"] == "fe3pt-dft-tc"}

    assert commits() == {f"{head}+changes"}
    ready.commit("the edit")
    ready.run("python", "-m", "zenn", "publish")
    assert commits() == {ready.run("git", "rev-parse", "--short=12", "HEAD^{commit}").strip()}


def test_rules_in_code_are_those_of_the_list() -> None:
    """Tolerances stand in the list of claims and in code: they are the same."""
    said = {row["id"]: row["verdict_rule"] for row in read_rows(CLAIMS)}
    assert "[{:g},{:g}]".format(*materials.TC_RANGE_K) in said["fe3pt-dft-tc"]
    assert f"|P* - {materials.PC_GPA}| <= {materials.PC_TOLERANCE_GPA} GPa" in said["fe3pt-dft-pc"]
    stated = {row["id"]: row["paper_value"] for row in read_rows(CLAIMS)}
    assert f"{materials.ROWS} rows; sum {materials.DEGENERACIES}" == stated["fe3pt-table-rows"]
    assert f"<0 at {materials.BELOW_K:g} K and >0 at {materials.ABOVE_K:g} K" in said["fe3pt-d2f-160"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scale": "huge"}, "column scale: found huge"),
        ({"verdict": "maybe"}, "column verdict: found maybe"),
        ({"source": "broken"}, "column source: found broken"),
    ],
)
def test_a_published_ledger_changed_by_hand_is_refused(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    row = {
        **read_rows(CLAIMS)[0],
        **{"verdict": "holds", "scale": "paper", "key": "k", "source": f"a/b/{'0' * 16}/c", "current": "yes"},
    }
    published = tmp_path / "claims.csv"
    published.write_text(to_csv([row]))
    assert len(read_published(published)) == 1
    published.write_text(to_csv([{**row, **change}]))
    with pytest.raises(InputError, match=said):
        read_published(published)
    published.write_text(to_csv([row], COLUMNS[:-1]))
    with pytest.raises(InputError, match="expected exactly"):
        read_published(published)
    published.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="expected a CSV file in UTF-8"):
        read_published(published)


def test_rule_without_a_claim_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ZennError, match="invented"):
        write_evidence({"invented": materials.table_rows}, {}, {}, "ci", {"claims": CLAIMS}, tmp_path)


def test_bad_list_of_claims(tmp_path: Path) -> None:
    bad = tmp_path / "claims.csv"
    shutil.copyfile(CLAIMS, bad)
    bad.write_text(bad.read_text() + bad.read_text().splitlines()[1] + "\n")
    with pytest.raises(InputError, match=r"row 55, column id: found 'fe3pt-table-rows'"):
        read_rows(bad)
    bad.write_text("id,claim\na,b\n")
    with pytest.raises(InputError, match=r"row 2: found no value for \['paper'"):
        read_rows(bad)


def test_scales_are_ranked_completely() -> None:
    assert {*FROM_SMALLEST} == {*SCALES}
