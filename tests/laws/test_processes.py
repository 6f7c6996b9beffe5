"""The design of Sec. III A and what it refuses."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.laws.processes import PAPER, SMALL, combinations, processes, schedule


def test_the_paper_has_448_processes_split_336_56_56():
    gas, design = PAPER
    found = processes(gas, design)
    assert len(combinations(design)) == len(found) == 448
    assert Counter(process.split for process in found) == {"train": 336, "validation": 56, "test": 56}
    # no density above the 0.14 of Sec. III A
    assert max(p.particles for p in found) * np.pi / (gas.length * gas.length / 2) < 0.14
    for split in ("train", "validation", "test"):
        assert len(set(Counter(p.particles for p in found if p.split == split).values())) == 1


def test_the_small_variant_has_the_same_test_processes():
    small, paper = processes(*SMALL), processes(*PAPER)
    assert Counter(process.split for process in small) == {"train": 84, "validation": 28, "test": 56}
    assert [p.number for p in small if p.split == "test"] == [p.number for p in paper if p.split == "test"]
    assert {p.number for p in small if p.split == "train"} < {p.number for p in paper if p.split == "train"}


@pytest.mark.parametrize("process", processes(*PAPER)[::50], ids=str)
def test_the_piston_goes_three_times_to_half_the_length_and_back(process):
    gas, design = PAPER
    phases = schedule(process, gas, design)
    place = gas.length
    for phase in phases:
        assert phase.start == pytest.approx(place)
        place += phase.speed * phase.steps * gas.time_step
    assert place == pytest.approx(gas.length)
    stops = [phase for phase in phases if phase.speed == 0]
    pushes, pulls = 150 / process.push_distance, 150 / process.pull_distance
    assert len(stops) == 1 + 3 * (pushes + pulls)
    assert all(stop.steps == 200_000 for stop in stops)
    assert sum(stop.start == 150 for stop in stops) == 3
    assert min(stop.start for stop in stops) == 150


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"distances": (7.0,)},
            r"design.distances: found 7.0, expected a distance that divides the stroke of 150",
        ),
        ({"distances": (10.0, 10.0)}, "each once"),
        ({"push_speeds": (0.3,), "distances": (50.0,)}, r"at the speed 0.3, expected a time of whole steps"),
        ({"particles": (16000,)}, r"to be placed at random"),
        ({"particles": (11000,)}, r"in half the container"),
        ({"particles": ()}, "one value or more"),
        ({"train": 337}, "1 to 448 in all"),
        ({"stop_time": 3.0}, "for the frames"),
        ({"seed": -1}, "0 or more"),
        ({"pull_speeds": (0.0,)}, "a number above 0"),
    ],
)
def test_a_design_that_cannot_be_simulated_is_refused(change, said):
    gas, design = PAPER
    with pytest.raises(InputError, match=said):
        processes(gas, dataclasses.replace(design, **change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"time_step": 0.01}, "fly apart"),
        ({"length": 150.5}, "divides the stroke"),
        ({"stiffness": float("nan")}, "above 0"),
    ],
)
def test_a_gas_that_cannot_be_simulated_is_refused(change, said):
    gas, design = PAPER
    with pytest.raises(InputError, match=said):
        processes(dataclasses.replace(gas, **change), design)
