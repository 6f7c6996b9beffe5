"""Simulated processes as files: one of safetensors for each, and tables of all; never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from zenn.checkpoints import read_arrays, write_arrays
from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.files import read_json, write_json
from zenn.laws.dynamics import Trajectory
from zenn.laws.processes import Design, Gas, Process, processes

DESIGN = "design.json"
PROCESSES = "processes.csv"
SNAPSHOTS = "snapshots.csv"

_NUMBERS = ("times", "widths", "energies", "works", "collisions")
_ARRAYS = ("positions", "velocities", *_NUMBERS, "totals")


@dataclass(frozen=True)
class Simulation:
    """What was asked for: enough to tell one set of trajectories from another."""

    gas: Gas
    design: Design
    replica: int
    heating_bound: float


def file_name(process: Process) -> str:
    """Of the file of a process."""
    return f"process-{process.number:04d}.safetensors"


def save_trajectory(path: Path, trajectory: Trajectory, simulation: Simulation, process: Process) -> None:
    """Write a trajectory to `path`, which appears whole or not at all.

    Raises
    ------
    InputError : there is no room for it.
    """
    arrays: dict[str, NDArray[Any]] = {name: getattr(trajectory, name) for name in _ARRAYS[:-1]}
    arrays["totals"] = np.array([trajectory.start_energy, trajectory.speed_use, float(trajectory.repeated)])
    try:
        write_arrays(path, arrays, {"simulation": _digest(simulation, process)})
    except (SafetensorError, OSError) as error:
        hint = "What is finished is kept: make room and give the command again"
        raise InputError(path, "", error, "room for the file of a process", hint) from None


def load_trajectory(path: Path, simulation: Simulation, process: Process) -> Trajectory:
    """The trajectory of `process` in the file `path`.

    Raises
    ------
    InputError : the file cannot be read, or is of another process or of other parameters.
    """
    expected = "the whole file of a process"
    arrays, notes = read_arrays(path, expected)
    if notes.get("simulation") != _digest(simulation, process):
        hint = "Remove it to simulate anew, or give the parameters that it was made with"
        raise InputError(path, "", "a process of other parameters", str(process), hint)
    try:
        start_energy, speed_use, repeated = map(float, arrays.pop("totals"))
        return Trajectory(**arrays, start_energy=start_energy, speed_use=speed_use, repeated=int(repeated))
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise InputError(path, "", error, expected) from None


def save_simulation(folder: Path, simulation: Simulation) -> None:
    """Write `design.json`, from which the processes can be listed again."""
    write_json(folder / DESIGN, asdict(simulation))


def load_simulation(folder: Path) -> tuple[Simulation, tuple[Process, ...]]:
    """What the trajectories in `folder` were made with, and its processes.

    Raises
    ------
    InputError : `design.json` is missing or cannot be used.
    """
    path = folder / DESIGN
    try:
        said = read_json(path)
        design = said.pop("design").items()
        lists: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in design}
        simulation = Simulation(Gas(**said.pop("gas")), Design(**lists), **said)
        return simulation, processes(simulation.gas, simulation.design)
    except OSError as error:
        raise InputError(path, "", error.strerror, "what `simulate` wrote") from None
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise InputError(path, "", error, "the parameters of simulated processes") from None


def write_tables(folder: Path, chosen: Sequence[Process], trajectories: Mapping[int, Trajectory]) -> None:
    """Write `processes.csv`, a row per process, and `snapshots.csv`, a row per stop, in order of processes.

    Energies in k_B T_0, lengths in R, times in R sqrt(m / (k_B T_0)). `heating` is the energy change minus
    the work of the piston: what the integrator added.
    """
    ends = [trajectories[process.number] for process in chosen]
    columns: dict[str, list[Any]] = {
        "process": [process.number for process in chosen],
        "split": [process.split for process in chosen],
        "particles": [process.particles for process in chosen],
        "push_speed": [process.push_speed for process in chosen],
        "pull_speed": [process.pull_speed for process in chosen],
        "push_distance": [process.push_distance for process in chosen],
        "pull_distance": [process.pull_distance for process in chosen],
        "stops": [len(end.times) for end in ends],
        "start_energy": [end.start_energy for end in ends],
        "end_energy": [float(end.energies[-1]) for end in ends],
        "work": [float(end.works[-1]) for end in ends],
        "heating": [float(end.heating[-1]) for end in ends],
        "largest_heating_per_energy": [float(np.max(np.abs(end.heating / end.energies))) for end in ends],
        "speed_bound_use": [end.speed_use for end in ends],
        "windows_repeated": [end.repeated for end in ends],
        "collisions": [int(end.collisions[-1]) for end in ends],
    }
    write_columns(folder / PROCESSES, columns)
    pairs = zip(chosen, ends, strict=True)
    stops = [(process, end, stop) for process, end in pairs for stop in range(len(end.times))]
    rows: dict[str, list[Any]] = {
        "process": [process.number for process, _, _ in stops],
        "split": [process.split for process, _, _ in stops],
        "stop": [stop for _, _, stop in stops],
        "particles": [process.particles for process, _, _ in stops],
        "time": [float(end.times[stop]) for _, end, stop in stops],
        "width": [float(end.widths[stop]) for _, end, stop in stops],
        "energy": [float(end.energies[stop]) for _, end, stop in stops],
        "work": [float(end.works[stop]) for _, end, stop in stops],
    }
    write_columns(folder / SNAPSHOTS, rows)


def _digest(simulation: Simulation, process: Process) -> str:
    """Of all that a trajectory depends on: not of the other processes, nor of their splits."""
    design = simulation.design
    said = [
        asdict(simulation.gas),
        [design.stop_time, design.frame_interval, design.seed, simulation.replica, simulation.heating_bound],
        [process.number, process.particles, process.push_speed, process.pull_speed],
        [process.push_distance, process.pull_distance],
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
