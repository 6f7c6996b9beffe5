"""Every reader of files from outside, given damaged ones: accepted or refused, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import arrays, descriptions, tables
from tests.fuzz.harness import Target, fuzz

TARGETS = [*tables.TARGETS, *descriptions.TARGETS, *arrays.TARGETS]
EVERY = pytest.mark.parametrize("target", TARGETS, ids=[target.name.replace(" ", "-") for target in TARGETS])


@EVERY
def test_damaged_files_are_accepted_or_refused(target: Target, tmp_path: Path) -> None:
    fuzz(target, tmp_path, 24)


@pytest.mark.stress
@EVERY
def test_thousands_of_damaged_files_are_accepted_or_refused(target: Target, tmp_path: Path) -> None:
    fuzz(target, tmp_path, 2000)
