"""What a plan remembers of the code for its jobs: it saves time, and decides nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.checkout import ROOT
from zenn.pipeline import remembered, tree
from zenn.pipeline.tree import Tree

MODULE = "zenn.materials.steps.critical_point"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is remembered in this test: nothing yet."""
    monkeypatch.setattr(remembered, "PLACE", tmp_path / "folder" / "code.json")
    return tmp_path / "folder" / "code.json"


def code() -> dict[str, str]:
    found = Tree(ROOT)
    hashes = found.code(MODULE)
    found.remember()
    return hashes


def test_code_is_read_and_not_worked_out_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = code()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was known")

    monkeypatch.setattr(tree, "essence", refuse)
    monkeypatch.setattr(tree.grimp, "build_graph", refuse)
    assert code() == first
    place.unlink()
    with pytest.raises(AssertionError, match="it was known"):
        code()


def test_what_is_damaged_or_of_other_code_is_not_believed(place: Path) -> None:
    first = code()
    good = place.read_text()
    told = json.loads(good)
    wrong = {**told, "hashes": dict.fromkeys(told["hashes"], "0" * 16)}
    fewer = {**told, "closures": {MODULE: [MODULE]}}
    for content in (json.dumps(wrong), json.dumps(fewer), good[:-20], "[]", "null", ""):
        place.write_text(content)
        assert code() == first
        assert json.loads(place.read_text()) == told
    believed = {**fewer, "by": "0" * 64}
    believed["sum"] = remembered.digest(
        remembered.canonical_json({name: fewer[name] for name in ("hashes", "state", "closures")})
    )
    place.write_text(json.dumps(believed))
    assert code() == first
    place.write_text(json.dumps({**believed, "by": told["by"]}))  # so the other lines are what refuse
    assert set(code()) == {MODULE}


def test_an_edit_makes_closures_unknown_and_only_its_own_hash(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = code()
    edited = {**tree._read_sources(ROOT), "zenn/materials/eos.py": b"NEW = 1\n"}
    monkeypatch.setattr(tree, "_read_sources", lambda _: edited)
    built = []
    graph = tree.grimp.build_graph
    monkeypatch.setattr(tree.grimp, "build_graph", lambda *a, **k: (built.append(a), graph(*a, **k))[1])
    after = code()
    assert built
    assert {name for name in first if first[name] != after[name]} == {"zenn.materials.eos"}


def test_code_that_changes_meanwhile_is_not_remembered(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree._read_sources(ROOT)
    states = iter([before, {**before, "zenn/materials/eos.py": b"NEW = 1\n"}])
    monkeypatch.setattr(tree, "_read_sources", lambda _: next(states))
    code()
    assert not place.exists()


def test_a_place_that_cannot_be_written_costs_time_only(place: Path) -> None:
    place.parent.write_text("a file")
    assert code() == code()
