"""Simulate the adiabatic processes of a gas and keep five frames of every stop.

Parameters: `gas` with length, radius, stiffness and time_step; `design` with particles, push_speeds,
pull_speeds, distances, neighbours, stop_time, frame_interval, train, validation, test and seed; `replica`, 0
or, for other initial states of the same energy, 1 and more; `heating_bound`. Finished processes are kept as
they come, so a run that was stopped goes on. Several processes at a time are computed where the environment
variable ZENN_THREADS says how many; the results are the same.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

from zenn.errors import InputError
from zenn.given import Given
from zenn.laws.dynamics import run_process
from zenn.laws.processes import Process, processes, schedule
from zenn.laws.steps._given import read_simulation
from zenn.laws.store import (
    Simulation,
    file_name,
    load_trajectory,
    save_simulation,
    save_trajectory,
    write_tables,
)
from zenn.progress import Progress


def run(params: Given, inputs: Mapping[str, Path], out: Path, checkpoints: Path) -> None:
    """Write `process-NNNN.safetensors`, `design.json`, `processes.csv` and `snapshots.csv`."""
    simulation = read_simulation(params)
    chosen = processes(simulation.gas, simulation.design)
    left = [process for process in chosen if not _finished(process, simulation, checkpoints)]
    if len(left) < len(chosen):
        print(f"{len(chosen) - len(left)} of {len(chosen)} processes are finished already", flush=True)
    effort = {process.number: _effort(process, simulation) for process in chosen}
    unit = sum(effort.values()) / 1000
    done = 1000 * unit - sum(effort[process.number] for process in left)
    with Progress("thousandths of the simulation", 1000) as progress:
        progress.update(int(done / unit))
        for process in _simulate(left, simulation, checkpoints):
            done += effort[process.number]
            progress.update(int(done / unit), f"process {process.number} finished")
    trajectories = {}
    for process in chosen:
        path = checkpoints / file_name(process)
        trajectories[process.number] = load_trajectory(path, simulation, process)
        _take(path, out / path.name)
    save_simulation(out, simulation)
    write_tables(out, chosen, trajectories)


def _finished(process: Process, simulation: Simulation, folder: Path) -> bool:
    """Whether its file is there; one of other parameters is refused."""
    path = folder / file_name(process)
    if path.is_file():
        load_trajectory(path, simulation, process)
    return path.is_file()


def _effort(process: Process, simulation: Simulation) -> int:
    """About how long it takes, in units of no matter: as many collisions as pairs of discs."""
    steps = sum(phase.steps for phase in schedule(process, simulation.gas, simulation.design))
    return process.particles**2 * steps


def _simulate(left: Sequence[Process], simulation: Simulation, folder: Path) -> Iterator[Process]:
    """Every process when it is finished and saved; the long ones first, so that no thread ends alone."""
    queue = sorted(left, key=partial(_effort, simulation=simulation), reverse=True)
    with ThreadPoolExecutor(_threads()) as pool:
        pending: dict[Future[None], Process] = {
            pool.submit(_one, process, simulation, folder): process for process in queue
        }
        try:
            while pending:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    future.result()
                    yield pending.pop(future)
        finally:
            for future in pending:
                future.cancel()


def _one(process: Process, simulation: Simulation, folder: Path) -> None:
    trajectory = run_process(
        process, simulation.gas, simulation.design, simulation.replica, simulation.heating_bound
    )
    save_trajectory(folder / file_name(process), trajectory, simulation, process)


def _threads() -> int:
    said = os.environ.get("ZENN_THREADS", "1")
    if not said.isdecimal() or int(said) < 1:
        raise InputError("environment variable ZENN_THREADS", "", repr(said), "how many processes at a time")
    return int(said)


def _take(path: Path, final: Path) -> None:
    """A second name for a finished file, or a copy where there are none: it stays among the checkpoints."""
    try:
        os.link(path, final)
    except OSError:
        shutil.copyfile(path, final)
