"""The gas in motion: soft discs (Eq. 3), walls and a piston of the same stiffness, velocity Verlet.

A disc feels a wall where it is nearer than R to it, with the potential (C/2) (R - distance)^2. States are
arrays (4, N) of x, y, v_x, v_y in float64; the container is 0 < x < width, 0 < y < height, and the piston is
the wall at x = width. `zenn.laws._kernels` says how it is computed and why that is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zenn.compiling import compiling
from zenn.errors import InputError
from zenn.laws import _kernels
from zenn.laws.processes import FRAMES, Design, Gas, Process, schedule

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

HEATING_BOUND = 0.1
"""Of the gas's energy: how far energy and work may differ.

At the paper's time step the integrator adds about 1 % in a process, 4 % where pushes heat the gas tenfold.
"""

REACH = 0.25
"""In units of R: how much nearer two discs may come in one window; changes nothing but the time it takes."""

CROWD = 0.25
"""Discs in a cell of the grid on which neighbours are looked up, about; changes nothing but the time."""


class Moved(NamedTuple):
    """What happened while the gas was moved on.

    work : of the piston on the gas. collisions : contacts of two discs that began. speed_use : the largest
    speed of a disc as part of the bound that the computation rests on; at most 1. repeated : windows that
    were computed again because a disc exceeded the first bound.
    """

    work: float
    collisions: int
    speed_use: float
    repeated: int


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What is kept of a process: one entry per stop, the stop before the first push included.

    positions (stops, 5, 2, N): x and y at the five frames. velocities (stops, 2, N): at the last frame.
    times, widths, energies, works (stops,): at the last frame; the energy is kinetic and potential, the work
    that of the piston on the gas since the start. collisions (stops,): since the start.
    """

    positions: Array32
    velocities: Array32
    times: Array
    widths: Array
    energies: Array
    works: Array
    collisions: NDArray[np.int64]
    start_energy: float
    speed_use: float
    repeated: int

    @property
    def heating(self) -> Array:
        """Energy change minus work (stops,): what the integrator added."""
        return np.asarray(self.energies - self.start_energy - self.works)


def random_state(
    gas: Gas, particles: int, seed: np.random.SeedSequence, energy: float | None = None
) -> Array:
    """Discs placed at random without overlap in the open container, velocities from Maxwell's distribution.

    energy : kinetic energy that the velocities are scaled to; as drawn at temperature T_0 if not given.
    """
    rng = np.random.default_rng(seed)
    places = np.empty((particles, 2))
    placed = 0
    while placed < particles:
        place = gas.radius + (gas.length - 2 * gas.radius) * rng.random(2)
        if np.all(((places[:placed] - place) ** 2).sum(axis=1) > (2 * gas.radius) ** 2):
            places[placed] = place
            placed += 1
    velocities = rng.standard_normal((particles, 2))
    if energy is not None:
        velocities *= np.sqrt(energy / (0.5 * (velocities**2).sum()))
    return np.ascontiguousarray(np.concatenate([places.T, velocities.T]))


def initial_state(process: Process, gas: Gas, design: Design, replica: int = 0) -> Array:
    """The state a process begins in; replicas differ in it, but not in energy, volume and number of discs."""
    first = random_state(gas, process.particles, _seed(process, design, 0))
    if replica == 0:
        return first
    energy = 0.5 * float((first[2:] ** 2).sum())
    return random_state(gas, process.particles, _seed(process, design, replica), energy)


def energy(state: Array, gas: Gas, width: float, height: float) -> tuple[float, float]:
    """Kinetic and potential energy."""
    _compile()
    kinetic, potential = _kernels.energy_parts(state, width, height, gas.stiffness, gas.radius)
    return float(kinetic), float(potential)


def advance(
    state: Array,
    gas: Gas,
    width: float,
    height: float,
    steps: int,
    *,
    piston_speed: float = 0.0,
    name: str = "the gas",
) -> Moved:
    """Move `state` (4, N) on in place by `steps` time steps, the piston starting at `width`.

    Raises
    ------
    InputError : a disc left the container, or is too fast for the time step; names the gas by `name`.
    """
    _compile()
    parameters = (gas.stiffness, gas.radius, gas.time_step, steps, REACH, CROWD)
    ended, moved = _kernels.advance(state, width, piston_speed, height, *parameters)
    if ended == _kernels.ESCAPED:
        raise InputError(name, "", "a disc outside of the container", "all discs inside", _SMALLER)
    if ended == _kernels.TOO_FAST:
        fast = f"a disc that moves {REACH / 3:.2g} radii or more in one time step"
        raise InputError(name, "", fast, "slower discs", _SMALLER)
    found = Moved(float(moved[0]), int(moved[1]), float(moved[2]), int(moved[3]))
    assert found.speed_use <= 1, f"{name}: a disc exceeded the speed bound that the computation rests on"
    return found


def run_process(
    process: Process,
    gas: Gas,
    design: Design,
    replica: int = 0,
    heating_bound: float = HEATING_BOUND,
    progress: Callable[[int], None] = lambda steps: None,
) -> Trajectory:
    """Simulate a process from its initial state; `progress` is told of every stop how many steps were done.

    Raises
    ------
    InputError
        Names the process: discs overlap at the start, one left the container, or energy and work came to
        differ by more than `heating_bound` of the energy.
    """
    name = str(process)
    state = initial_state(process, gas, design, replica)
    check_start(state, gas, name)
    kept = _Kept(gas, sum(energy(state, gas, gas.length, gas.length)))
    every = round(design.frame_interval / gas.time_step)
    for phase in schedule(process, gas, design):
        frames = 0 if phase.speed else FRAMES - 1
        kept.move(state, phase.start, phase.speed, phase.steps - frames * every, name)
        if phase.speed:
            continue
        positions = [state[:2].astype(np.float32)]
        for _ in range(frames):
            kept.move(state, phase.start, 0.0, every, name)
            positions.append(state[:2].astype(np.float32))
        kept.keep(state, phase.start, positions)
        _check_heating(kept, heating_bound, name)
        progress(kept.steps)
    return kept.trajectory()


def check_start(state: Array, gas: Gas, name: str) -> None:
    """Refuse discs that overlap each other or a wall of the open container.

    Raises
    ------
    InputError : names the gas by `name`.
    """
    if energy(state, gas, gas.length, gas.length)[1] > 0:
        overlap = "discs that overlap each other or a wall at the start"
        raise InputError(name, "", overlap, "discs apart from each other and from the walls")


@dataclass(eq=False)
class _Kept:
    """A trajectory while it grows."""

    gas: Gas
    start_energy: float
    steps: int = 0
    work: float = 0.0
    contacts: int = 0
    speed_use: float = 0.0
    repeated: int = 0
    positions: list[Array32] = field(default_factory=list)
    velocities: list[Array32] = field(default_factory=list)
    numbers: list[tuple[float, float, float, float]] = field(default_factory=list)
    collisions: list[int] = field(default_factory=list)

    def move(self, state: Array, width: float, speed: float, steps: int, name: str) -> None:
        moved = advance(state, self.gas, width, self.gas.length, steps, piston_speed=speed, name=name)
        self.steps += steps
        self.work += moved.work
        self.contacts += moved.collisions
        self.speed_use = max(self.speed_use, moved.speed_use)
        self.repeated += moved.repeated

    def keep(self, state: Array, width: float, positions: list[Array32]) -> None:
        self.positions.append(np.stack(positions))
        self.velocities.append(state[2:].astype(np.float32))
        total = sum(energy(state, self.gas, width, self.gas.length))
        self.numbers.append((self.steps * self.gas.time_step, width, total, self.work))
        self.collisions.append(self.contacts)

    def heating(self) -> float:
        _, _, total, work = self.numbers[-1]
        return total - self.start_energy - work

    def trajectory(self) -> Trajectory:
        times, widths, energies, works = np.array(self.numbers).T
        return Trajectory(
            np.stack(self.positions),
            np.stack(self.velocities),
            times,
            widths,
            energies,
            works,
            np.array(self.collisions),
            self.start_energy,
            self.speed_use,
            self.repeated,
        )


def _check_heating(kept: _Kept, bound: float, name: str) -> None:
    part = kept.heating() / kept.numbers[-1][2]
    if not abs(part) <= bound:
        time = kept.steps * kept.gas.time_step
        raise InputError(
            name,
            f"time step {kept.gas.time_step:g}",
            f"{100 * part:+.3g} % of the energy from nowhere but the time step, at time {time:g}",
            f"at most {100 * bound:.3g} %",
            _SMALLER,
        )


_SMALLER = "The time step is too long for this stiffness: give a smaller one"


def _seed(process: Process, design: Design, replica: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(design.seed, spawn_key=(process.number, replica))


@cache
def _compile() -> None:
    """Compile the kernels, or load them, while no other job does."""
    state = np.array([[2.0, 8.0], [5.0, 5.0], [0.0, 0.0], [0.0, 0.0]])
    with compiling(Path(__file__).parent):
        _kernels.energy_parts(state, 10.0, 10.0, 1.0, 1.0)
        _kernels.advance(state, 10.0, 0.0, 10.0, 1.0, 1.0, 1e-3, 1, REACH, CROWD)
