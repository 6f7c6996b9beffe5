"""Copies of the repository in known states, made once and copied for every test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.pipeline.checkout import Checkout

ONE, TWO, THREE = ("uncertainty: {seed: 1}", "uncertainty: {seed: 2}", "uncertainty: {seed: 3}")


@contextmanager
def once(factory: pytest.TempPathFactory, worker: str, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all workers share, and whether what belongs there is still to be made, by one of them."""
    own = factory.getbasetemp()
    folder = (own if worker == "master" else own.parent) / f"shared-{name}"
    finished = folder.with_suffix(".finished")
    with FileLock(folder.with_suffix(".lock")):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # half of it, where making it failed
            folder.mkdir()
        yield folder, not finished.exists()
        finished.touch()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Checkout:
    """A checkout whose CI-scale results are all made and published, committed as 'one'; of all workers."""
    with once(tmp_path_factory, worker_id, "made") as (folder, missing):
        if not missing:
            return Checkout(folder / "zenn")
        checkout = Checkout.copy_of_repository(folder / "zenn")
        checkout.run("dvc", "repro")
        checkout.commit("one")
        return checkout


@pytest.fixture(scope="session")
def made(made_once: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """This worker's copy: tests edit it and take the edit back, which another worker must not see."""
    return _copy(made_once, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def two_versions(made: Checkout, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Checkout:
    """Commits 'one' and 'two', which differ in one parameter; results of both are in DVC's remote."""
    with once(tmp_path_factory, worker_id, "two") as (folder, missing):
        if not missing:
            return Checkout(folder / "zenn")
        checkout = Checkout(shutil.copytree(made.folder, folder / "zenn", symlinks=True))
        checkout.run("dvc", "remote", "add", "--default", "store", "../store")
        checkout.commit("remote")
        checkout.run("git", "tag", "one")
        checkout.run("dvc", "push")
        checkout.edit("params.yaml", ONE, TWO)
        checkout.run("dvc", "repro")
        checkout.commit("two")
        checkout.run("git", "tag", "two")
        checkout.run("dvc", "push")
        return checkout


def _copy(source: Checkout, tmp_path: Path) -> Checkout:
    shutil.copytree(source.folder.parent, tmp_path / "copy", symlinks=True, copy_function=_link_or_copy)
    checkout = Checkout(tmp_path / "copy" / source.folder.name)
    checkout.jobs()
    return checkout


def _link_or_copy(source: str, target: str) -> None:
    """Share what is named by its content, which nobody writes into: DVC's versions and git's."""
    if "/files/md5/" in source or "/.git/objects/" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


@pytest.fixture
def ready(made: Checkout, tmp_path: Path) -> Checkout:
    """A private copy of `made`."""
    return _copy(made, tmp_path)


@pytest.fixture
def versions(two_versions: Checkout, tmp_path: Path) -> Checkout:
    """A private copy of `two_versions`, at 'two'."""
    return _copy(two_versions, tmp_path)
