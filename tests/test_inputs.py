"""The registers in data/inputs/: complete, unambiguous, and consistent with each other."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

INPUTS = Path(__file__).parents[1] / "data" / "inputs"
PAPERS = {"zenn", "laws"}
BEYOND = "beyond"  # figures and tables that neither paper prints
SUBJECTS = {"materials", "landscape", "classification", "laws"}
SUBJECTS_OF_CLAIM = {  # beginning of a claim's id -> whose artefacts it may cite
    "fe3pt": {"materials", "landscape"},
    "landscape": {"landscape"},
    "laws": {"laws"},
}


def read(name):
    with (INPUTS / name).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        return list(reader.fieldnames), list(reader)


ARTEFACT_COLUMNS, ARTEFACTS = read("artefacts.csv")
CLAIM_COLUMNS, CLAIMS = read("claims.csv")
BY_ID = {row["id"]: row for row in ARTEFACTS}


def cited(claim):
    """The ids of the figures and tables a claim cites: 'Fig S8/S11' cites two, 'Fig 2a/b' one."""
    found = re.findall(r"(Fig|Table) (S?\d+)[a-z]?(?:/(S\d+))?", claim["artefact"])
    numbers = [(kind, number) for kind, *both in found for number in both if number]
    return [f"{claim['paper']}-{kind.lower()}-{number.lower()}" for kind, number in numbers]


def test_every_figure_and_table_of_both_papers_is_listed():
    printed = {
        "zenn": [
            *(f"Fig. {n}" for n in range(1, 5)),
            *(f"Fig. S{n}" for n in range(1, 19)),
            *(f"Table S{n}" for n in range(1, 16)),
        ],
        "laws": [*(f"Fig. {n}" for n in range(1, 9)), "Table I"],
    }
    of_papers = [row for row in ARTEFACTS if row["paper"] != BEYOND]
    assert len(of_papers) == 46
    assert ARTEFACTS[:46] == of_papers  # what goes beyond the papers stands below
    for paper, names in printed.items():
        assert [row["artefact"] for row in of_papers if row["paper"] == paper] == names


def test_the_columns_are_the_expected_ones():
    assert ",".join(ARTEFACT_COLUMNS) == "id,paper,artefact,title,subject,issue,step,part,rtol,atol"
    assert ",".join(CLAIM_COLUMNS) == "id,paper,artefact,claim,paper_value,verdict_rule,runs_on"


@pytest.mark.parametrize("rows", [ARTEFACTS, CLAIMS], ids=["artefacts", "claims"])
def test_ids_are_unique_and_rows_complete(rows):
    assert [name for name, count in Counter(row["id"] for row in rows).items() if count > 1] == []
    for row in rows:
        assert None not in row, f"{row['id']}: more cells than columns"
        assert None not in row.values(), f"{row['id']}: fewer cells than columns"
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["id"])
        assert row["paper"] in (PAPERS | {BEYOND} if rows is ARTEFACTS else PAPERS)
        optional = {"step", "part", "rtol", "atol"}
        assert all(value.strip() for column, value in row.items() if column not in optional), row["id"]


def test_an_artefacts_id_says_paper_kind_and_number():
    for row in ARTEFACTS:
        if row["paper"] == BEYOND:
            assert re.fullmatch(r"beyond-(fig|table)-[a-z0-9]+(-[a-z0-9]+)+", row["id"])
            continue
        kind, number = row["artefact"].lower().replace(".", "").split()
        assert row["id"] == f"{row['paper']}-{kind}-{'1' if number == 'i' else number}"


def test_what_goes_beyond_the_papers_is_made_and_has_a_name_of_its_own():
    beyond = [row for row in ARTEFACTS if row["paper"] == BEYOND]
    assert beyond
    for row in beyond:
        assert row["step"], f"{row['id']}: no paper asks for it, so it is listed once it is made"
        assert not re.match(r"(Fig\.|Table) ", row["artefact"]), row["id"]
    names = [row["artefact"] for row in beyond]
    assert len(names) == len(set(names))


def test_subjects_are_known_and_belong_to_the_paper():
    for row in ARTEFACTS:
        assert row["subject"] in SUBJECTS
        if row["paper"] in PAPERS:
            assert (row["subject"] == "laws") == (row["paper"] == "laws"), row["id"]


def test_what_a_step_makes_has_tolerances_and_nothing_else_has():
    made = {row["id"] for row in ARTEFACTS if row["step"]}
    assert {"zenn-fig-1", "zenn-fig-3", "zenn-fig-4", "zenn-fig-s1", "zenn-fig-s2"} <= made
    assert {"zenn-table-s1", "zenn-table-s2"} <= made
    for row in ARTEFACTS:
        assert bool(row["step"]) == bool(row["rtol"]) == bool(row["atol"]), row["id"]
        if row["step"]:
            assert re.fullmatch(r"[a-z]+/[a-z0-9_-]+", row["step"])
            assert 0 < float(row["rtol"]) < 1e-2
            assert 0 < float(row["atol"]) < 1e-2
        assert int(row["issue"]) in range(2, 7)


def test_claims_cite_artefacts_that_exist_and_fit_their_subject():
    citing = {claim["id"]: cited(claim) for claim in CLAIMS}
    assert sum(map(bool, citing.values())) >= 30
    for claim, names in citing.items():
        allowed = SUBJECTS_OF_CLAIM.get(claim.split("-")[0], {"classification"})
        for name in names:
            assert name in BY_ID, f"{claim} cites {name}"
            assert BY_ID[name]["subject"] in allowed, f"{claim} cites {name}"


def test_claims_name_where_they_run():
    assert {claim["runs_on"] for claim in CLAIMS} <= {"cpu", "gpu", "gpu+download"}
    for claim in CLAIMS:
        assert (claim["id"].split("-")[0] == "laws") == (claim["paper"] == "laws"), claim["id"]


def test_every_input_is_described():
    page = (INPUTS / "README.md").read_text(encoding="utf-8")
    for file in INPUTS.iterdir():
        assert file.name == "README.md" or f"`{file.name}`" in page, (
            f"{file.name} is not in data/inputs/README.md"
        )
