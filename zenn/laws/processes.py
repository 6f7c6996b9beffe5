"""The adiabatic processes of Sec. III A: how many discs, how fast and how far the piston moves.

The paper gives the sets of values and the total of 448 processes. How these are combined is a
reconstruction: 448 = 4 numbers of discs x 2 speeds of pushing x 2 of pulling x 28 pairs of distances, the
pairs whose places in the list of ten distances differ by at most one. Its split 336 / 56 / 56 is made here
number of discs by number of discs, which the paper does not say.

Units of the paper: energy k_B T_0, length R, time R sqrt(m / (k_B T_0)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np

from zenn.errors import InputError

SplitName = Literal["train", "validation", "test"]

CYCLES = 3
"""Of pushing to half the length and pulling back, in one process."""

FRAMES = 5
"""Snapshots at the end of a stop: they make one microscopic state."""

DENSEST = 0.7
"""Packing fraction at which discs order (Alder's transition): above it this is no gas."""

PLACEABLE = 0.5
"""Packing fraction up to which discs can be placed at random one by one; they jam at 0.547."""

_WHOLE = 1e-6  # how far a number of steps may be from an integer


@dataclass(frozen=True)
class Gas:
    """Discs in a container, and the step they are moved by.

    length : of the container's sides L. radius : of a disc, R. stiffness : C_int of Eq. 3, of the walls too.
    time_step : of velocity Verlet.
    """

    length: float = 300.0
    radius: float = 1.0
    stiffness: float = 10000.0
    time_step: float = 0.001


@dataclass(frozen=True)
class Design:
    """The values that processes combine, and how many processes each split has.

    particles, push_speeds, pull_speeds : every combination occurs. distances : that the piston moves between
    two stops, in pushing and pulling; pairs whose places differ by at most `neighbours` occur.
    stop_time : of every stop, the one before the first push too. frame_interval : between the five
    snapshots, the last of which is taken at the end of a stop. train, validation, test : numbers of
    processes. seed : of the split and of all initial states.
    """

    particles: tuple[int, ...] = (500, 1000, 1500, 2000)
    push_speeds: tuple[float, ...] = (0.1, 0.5)
    pull_speeds: tuple[float, ...] = (0.1, 0.5)
    distances: tuple[float, ...] = (150.0, 75.0, 50.0, 37.5, 30.0, 25.0, 18.75, 15.0, 10.0, 7.5)
    neighbours: int = 1
    stop_time: float = 200.0
    frame_interval: float = 1.0
    train: int = 336
    validation: int = 56
    test: int = 56
    seed: int = 1


PAPER = (Gas(), Design())
"""Sec. III A."""

SMALL = (
    Gas(length=150.0),
    Design(
        particles=(125, 250, 375, 500),
        distances=tuple(distance / 2 for distance in Design.distances),
        train=84,
        validation=28,
        test=56,
    ),
)
"""A quarter of the area at the same densities, for two cores; the pictures have 64 pixels."""


@dataclass(frozen=True)
class Process:
    """One process: its number in the design, its split, and what sets it apart."""

    number: int
    split: SplitName
    particles: int
    push_speed: float
    pull_speed: float
    push_distance: float
    pull_distance: float

    def __str__(self) -> str:
        moves = f"pushed by {self.push_distance:g} at {self.push_speed:g}"
        back = f"pulled by {self.pull_distance:g} at {self.pull_speed:g}"
        return f"process {self.number} ({self.particles} discs, {moves}, {back})"


class Phase(NamedTuple):
    """The piston goes on from `start` at `speed` (0: a stop, below 0: a push) for `steps` time steps."""

    start: float
    speed: float
    steps: int


def processes(gas: Gas, design: Design) -> tuple[Process, ...]:
    """All processes of the three splits, ordered by their number in the design.

    Raises
    ------
    InputError : the gas or the design cannot be simulated; says why.
    """
    check(gas, design)
    combined = combinations(design)
    return tuple(
        Process(number, split, *combined[number]) for number, split in sorted(_splits(design).items())
    )


def combinations(design: Design) -> list[tuple[int, float, float, float, float]]:
    """Discs, speeds and distances (push, pull) of every process of the design; the place is its number."""
    places = range(len(design.distances))
    pairs = [(i, j) for i, j in product(places, places) if abs(i - j) <= design.neighbours]
    return [
        (count, push, pull, design.distances[i], design.distances[j])
        for count, push, pull, (i, j) in product(
            design.particles, design.push_speeds, design.pull_speeds, pairs
        )
    ]


def _splits(design: Design) -> dict[int, SplitName]:
    """Number of a process -> its split.

    The processes of each number of discs are shuffled, then taken in turn, so that every split has as many
    of each as of the others. The training set is taken from the front, the test set from the back: a
    smaller training set leaves the test set as it is.
    """
    total = len(combinations(design))
    rng = np.random.default_rng(np.random.SeedSequence(design.seed))
    each = total // len(design.particles)
    shuffled = [which * each + rng.permutation(each) for which in range(len(design.particles))]
    order = [int(number) for number in np.stack(shuffled, axis=1).ravel()]
    split: dict[int, SplitName] = dict.fromkeys(order[: design.train], "train")
    split |= dict.fromkeys(order[design.train : design.train + design.validation], "validation")
    return split | dict.fromkeys(order[total - design.test :], "test")


def schedule(process: Process, gas: Gas, design: Design) -> list[Phase]:
    """The piston's phases, stops between moves: L -> L/2 -> L, three times (Fig. 1b)."""
    length, step = gas.length, gas.time_step
    stop = round(design.stop_time / step)
    phases = [Phase(length, 0.0, stop)]
    there = (length, -1, process.push_distance, process.push_speed)
    back = (length / 2, 1, process.pull_distance, process.pull_speed)
    for start, sign, distance, speed in (there, back) * CYCLES:
        for done in range(round(length / 2 / distance)):
            phases.append(Phase(start + sign * done * distance, sign * speed, round(distance / speed / step)))
            phases.append(Phase(start + sign * (done + 1) * distance, 0.0, stop))
    return phases


def check(gas: Gas, design: Design) -> None:
    """Refuse a gas or a design that cannot be simulated.

    Raises
    ------
    InputError : names the parameter, what was found and what was expected.
    """
    for name in ("length", "radius", "stiffness", "time_step"):
        _positive(f"gas.{name}", (getattr(gas, name),))
    for name in ("particles", "push_speeds", "pull_speeds", "distances"):
        values = getattr(design, name)
        _positive(f"design.{name}", values)
        if not values or len(set(values)) < len(values):
            raise InputError("parameters", f"design.{name}", list(values), "one value or more, each once")
    _positive("design.stop_time", (design.stop_time,))
    _positive("design.frame_interval", (design.frame_interval,))
    if design.neighbours < 0:
        raise InputError("parameters", "design.neighbours", design.neighbours, "0 or more")
    if design.seed < 0:
        raise InputError("parameters", "design.seed", design.seed, "0 or more")
    _check_time_step(gas)
    _check_moves(gas, design)
    _check_packing(gas, design)
    _check_split(design)


def _positive(name: str, values: Sequence[float]) -> None:
    for value in values:
        if not 0 < value < np.inf:
            raise InputError("parameters", name, value, "a number above 0")


def _check_time_step(gas: Gas) -> None:
    """Two discs in contact swing with sqrt(2 C / m), and velocity Verlet needs dt below 2 / that."""
    limit = 2 / np.sqrt(2 * gas.stiffness)
    if gas.time_step >= limit / 2:
        raise InputError(
            "parameters",
            "gas.time_step",
            gas.time_step,
            f"below {limit / 2:.2g}, half the limit at which two touching discs fly apart",
        )


def _check_moves(gas: Gas, design: Design) -> None:
    """Moves fill the stroke, and every phase and frame is a whole number of steps."""
    for distance in design.distances:
        moves = gas.length / 2 / distance
        if abs(moves - round(moves)) > _WHOLE or round(moves) < 1:
            expected = f"a distance that divides the stroke of {gas.length / 2:g}"
            raise InputError("parameters", "design.distances", distance, expected)
        for speed in (*design.push_speeds, *design.pull_speeds):
            _whole("design.distances", distance, distance / speed, gas, f" at the speed {speed:g}")
    _whole("design.stop_time", design.stop_time, design.stop_time, gas)
    _whole("design.frame_interval", design.frame_interval, design.frame_interval, gas)
    if design.stop_time < (FRAMES - 1) * design.frame_interval:
        expected = f"{FRAMES - 1} intervals of {design.frame_interval:g} or more, for the frames"
        raise InputError("parameters", "design.stop_time", design.stop_time, expected)


def _whole(name: str, value: float, duration: float, gas: Gas, noted: str = "") -> None:
    steps = duration / gas.time_step
    if abs(steps - round(steps)) > _WHOLE * max(1, steps) or round(steps) < 1:
        expected = f"a time of whole steps of {gas.time_step:g}, and not one of {steps:g} steps"
        raise InputError("parameters", name, f"{value:g}{noted}", expected)


def _check_packing(gas: Gas, design: Design) -> None:
    """Discs find room at the start and stay a gas in half of it."""
    area = np.pi * gas.radius**2 * max(design.particles)
    found = f"{max(design.particles)} discs of radius {gas.radius:g} in a side of {gas.length:g}"
    start = area / max(gas.length - 2 * gas.radius, 1e-300) ** 2
    if gas.length <= 2 * gas.radius or start > PLACEABLE:
        expected = f"a packing fraction of at most {PLACEABLE} and not {start:.3g}, to be placed at random"
        raise InputError("parameters", "design.particles", found, expected)
    pushed = area / (gas.length * gas.length / 2)
    if pushed > DENSEST:
        expected = f"a packing fraction of at most {DENSEST} and not {pushed:.3g} in half the container"
        raise InputError("parameters", "design.particles", found, expected)


def _check_split(design: Design) -> None:
    total = len(combinations(design))
    for name in ("train", "validation", "test"):
        if getattr(design, name) < 0:
            raise InputError("parameters", f"design.{name}", getattr(design, name), "0 or more")
    wanted = design.train + design.validation + design.test
    if not 0 < wanted <= total:
        found = f"{design.train} + {design.validation} + {design.test} = {wanted} processes"
        raise InputError(
            "parameters",
            "design.train",
            found,
            f"1 to {total} in all, as many as the design has",
            "Give fewer, or more speeds or distances",
        )
