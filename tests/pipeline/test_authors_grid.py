"""The authors' grid in the plan, and from a server to the evaluation of its fit."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.landscape import authors_files
from tests.pipeline.checkout import ROOT, Checkout
from tests.pipeline.server import serving
from zenn.pipeline.plan import Plan, plan_checkout
from zenn.pipeline.registry import REGISTRY, read_registry

ON = {"landscape": {"fe3pt": {"authors_grid": True}}}


def planned(**landscape: Any) -> Plan:
    return plan_checkout(ROOT, landscape and {"landscape": landscape}, scale="ci")


def test_it_is_planned_where_asked_for_and_changes_nothing_else() -> None:
    without, with_it = planned(), planned(fe3pt={"authors_grid": True})
    names = set(with_it.by_name) - set(without.by_name)
    runs = ("fetch", "grid", "k3-fit", "evaluation")
    assert names == {f"landscape/fe3pt-authors-{run}" for run in runs}
    moved = {name for name, step in without.by_name.items() if with_it.by_name[name].key != step.key}
    assert moved <= {"report/page"}  # which shows the parameters


def test_it_is_fitted_and_asked_as_the_main_fit() -> None:
    steps = planned(fe3pt={"authors_grid": True}).by_name
    fit, main = steps["landscape/fe3pt-authors-k3-fit"], steps["landscape/fe3pt-k3-fit"]
    assert fit.params == main.params
    assert fit.module == main.module
    evaluation = steps["landscape/fe3pt-authors-evaluation"]
    assert evaluation.inputs["k3"] is fit
    assert evaluation.inputs["table"] is fit.inputs["table"] is steps["landscape/fe3pt-authors-grid"]


def test_the_key_holds_the_registered_hash_and_nothing_of_the_download() -> None:
    fetch = planned(fe3pt={"authors_grid": True}).by_name["landscape/fe3pt-authors-fetch"]
    registry = read_registry(ROOT / REGISTRY)
    assert [file["sha256"] for file in fetch.params["files"]] == [
        registry[f"fe3pt-authors/{name}"].sha256 for name in ("V_T.csv", "PP.csv")
    ]
    assert not fetch.files
    assert not fetch.inputs


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout that fits one seed and wants the authors' grid."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("ZENN_DOWNLOADS", raising=False)
    copy = Checkout.copy_of_repository(tmp_path / "zenn")
    copy.edit("params.yaml", "authors_grid: false", "authors_grid: true")
    seeds = "  ci:\n    seeds: "
    copy.edit("params.yaml", f"{seeds}[1, 2, 3]", f"{seeds}[1]")
    return copy


def register(checkout: Checkout, url: str, folder: Path) -> None:
    """Let the registry name what `folder` holds."""
    path = checkout.folder / REGISTRY
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        name = Path(row["name"]).name
        if (folder / name).exists():
            row["url"], row["sha256"] = (
                f"{url}/{name}",
                hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            )
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def asked_for(checkout: Checkout) -> list[str]:
    """The evaluation: the rest of the subject is not needed."""
    return ["--", checkout.target("landscape/fe3pt-authors-evaluation")]


# Every Python process of the run has this as its `sitecustomize`.
NO_NETWORK = """
import socket
def refuse(*_, **__):
    open({told!r}, "a").close()
    raise OSError(101, "Network is unreachable")
connect = socket.socket.connect
def local(self, *address):
    return connect(self, *address) if self.family == socket.AF_UNIX else refuse()
socket.socket.connect, socket.getaddrinfo = local, refuse
"""


def test_from_the_server_to_the_evaluation_and_again_without_it(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = authors_files.write(tmp_path / "served", "%.12g")
    with serving() as server:
        server.files = {f"/{name}": (files / name).read_bytes() for name in ("V_T.csv", "PP.csv")}
        register(checkout, server.url, files)
        target = asked_for(checkout)
        checkout.snakemake(*target)
        assert len(server.asked) == 2
    runs = ("fetch", "grid", "k3-fit", "evaluation")
    made = {f"landscape/fe3pt-authors-{run}" for run in runs}
    assert checkout.jobs() == made
    metrics = pd.read_csv(checkout.result("landscape/fe3pt-authors-evaluation", "metrics.csv"))
    assert list(metrics["model"].unique()) == ["k3"]
    assert (metrics["largest_F_error_eV_per_atom"] < 0.05).all()
    manifest = json.loads(checkout.result("landscape/fe3pt-authors-fetch", "manifest.json").read_text())
    assert [file["file"] for file in manifest] == ["V_T.csv", "PP.csv"]
    assert checkout.run("git", "status", "--porcelain", "downloads") == ""

    fetched = checkout.result("landscape/fe3pt-authors-fetch", "V_T.csv")
    fetched.unlink()  # lost, and there is no network any more
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK.format(told=str(tmp_path / "asked")))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    checkout.snakemake("--", str(fetched.relative_to(checkout.folder)))
    assert fetched.is_file()
    assert checkout.jobs() == {"landscape/fe3pt-authors-fetch"}
    assert not (tmp_path / "asked").exists()  # nobody tried

    fetched.unlink()
    shutil.rmtree(checkout.folder / "downloads")
    printed = checkout.snakemake("--", str(fetched.relative_to(checkout.folder)), fails=True)
    assert "error: " in printed
    assert "found no answer (ConnectionError: is there a network?), expected the file with sha256" in printed
    assert "put it there by hand" in printed
    assert "Traceback" not in printed
    assert (tmp_path / "asked").exists()
