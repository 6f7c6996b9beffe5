"""What a team does with results: one pushes them over SSH, another works on from them, and back."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.checkout import ROOT, Checkout
from tests.pipeline.sshd import Server, missing, ssh_server
from tests.pipeline.test_stale_results import FOLLOWING, pictures

REQUIRED = os.environ.get("ZENN_REQUIRE_SSH") == "1"
RULE = ("6.53, 0.1", "6.53, 0.01")  # of one verdict


@pytest.fixture(scope="session")
def _ssh() -> None:
    """Of the session, so that it is asked before minutes go into a checkout."""
    reason = missing()
    if reason:
        (pytest.fail if REQUIRED else pytest.skip)(f"no SSH: {reason}")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("HOME", str(tmp_path))  # none of the user's own keys and settings
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with ssh_server() as running:
        yield running


def join(checkout: Checkout, server: Server) -> None:
    """As docs/team.md says."""
    checkout.run("dvc", "remote", "add", "--local", "--default", "team", server.url)
    checkout.run("dvc", "remote", "modify", "--local", "team", "keyfile", str(server.key))


def test_the_commands_are_documented() -> None:
    text = (ROOT / "docs" / "team.md").read_text()
    for command in (
        "make team",
        "dvc remote add --local --default team ssh://",
        "dvc remote modify --local team keyfile",
        "dvc push",
        "dvc pull",
        "snakemake -- all",
    ):
        assert command in text


@pytest.mark.usefixtures("_ssh")
def test_results_go_round_over_ssh(versions: Checkout, server: Server) -> None:
    shutil.rmtree(versions.folder.parent / "store")  # the local remote: nothing may come from there
    join(versions, server)
    versions.run("dvc", "push")
    assert versions.run("git", "status", "--porcelain") == ""  # who has the key is nobody else's business

    # A colleague's clone has the report without computing anything.
    clone = Checkout(versions.folder.parent / "clone")
    versions.run("git", "clone", "--quiet", ".", str(clone.folder))
    join(clone, server)
    clone.run("dvc", "pull")
    clone.snakemake()
    assert clone.jobs() == FOLLOWING
    assert pictures(clone) == pictures(versions)
    clone.run("python", "-m", "zenn", "publish")
    assert clone.run("git", "status", "--porcelain") == ""

    # An edit of his computes what it touches, and that comes back with his commit.
    clone.edit("zenn/pipeline/claims/materials.py", *RULE)
    clone.run("dvc", "repro", "materials")
    assert clone.jobs() == {"materials/claims"}
    clone.commit("a narrower rule")
    clone.run("dvc", "push", "materials")
    versions.run("git", "pull", "--quiet", str(clone.folder), "main")
    versions.run("dvc", "pull", "materials")
    versions.jobs()
    versions.snakemake("--", "materials")
    assert versions.jobs() == set()
    decided = versions.result("materials/claims", "claims.csv").read_text()
    assert re.search(r"^fe3pt-dft-pc,.*0\.01", decided, re.MULTILINE), decided
