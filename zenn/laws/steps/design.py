"""List the processes of a design without simulating them.

Parameters: `gas` and `design` as `simulate` has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from zenn.csv_table import write_columns
from zenn.given import Given
from zenn.laws.processes import processes, schedule
from zenn.laws.steps._given import read_simulation


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `processes.csv`, a row per process with the number of its stops and the time it takes."""
    simulation = read_simulation(params)
    gas, design = simulation.gas, simulation.design
    chosen = processes(gas, design)
    phases = [schedule(process, gas, design) for process in chosen]
    rows = [asdict(process) for process in chosen]
    table = {name: [row[name] for row in rows] for name in rows[0]}
    table["stops"] = [sum(phase.speed == 0 for phase in of) for of in phases]
    table["duration"] = [sum(phase.steps for phase in of) * gas.time_step for of in phases]
    write_columns(out / "processes.csv", table)
