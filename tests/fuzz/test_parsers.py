"""Every reader of files from outside, given damaged ones: accepted or refused, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import arrays, descriptions, tables
from tests.fuzz.harness import Target, fuzz

TARGETS = [*tables.TARGETS, *descriptions.TARGETS, *arrays.TARGETS]

# Their readers are code of trainings: a mend there is a commit of its own, for it makes them again.
OPEN = {
    *("configurations", "energy-volume table", "landscape table", "landscape of two coordinates"),
    *("index of pictures", "list of e-v.dat", "parameters of a room", "zip", "BBC News", "ViT weights"),
    *("weights in parts", "data set", "saved classifier", "predictions", "state of a classifier's training"),
    *("networks", "fitted landscape", "state of a fit", "simulation", "pictures of a gas", "siamese network"),
    "state of a siamese training",
}
EVERY = pytest.mark.parametrize(
    "target",
    [
        pytest.param(each, marks=[pytest.mark.xfail(reason="not mended", strict=False)] * (each.name in OPEN))
        for each in TARGETS
    ],
    ids=[target.name.replace(" ", "-") for target in TARGETS],
)


@EVERY
def test_damaged_files_are_accepted_or_refused(target: Target, tmp_path: Path) -> None:
    fuzz(target, tmp_path, 24)


@pytest.mark.stress
@EVERY
def test_thousands_of_damaged_files_are_accepted_or_refused(target: Target, tmp_path: Path) -> None:
    fuzz(target, tmp_path, 2000)
