"""Split states of the test processes by a wall, and recombine them (A5): pictures before, with it and after.

Input: `snapshots`, a folder that `simulate` wrote. Parameters: `samples`, how many states; they lie evenly
among the stops of all test processes, in order of process and stop, and each gets one wall, parallel to x or
y, at one of `lambdas`: every combination about equally often, in an order drawn from `seed`. `relaxation` :
time that the gas is given with the wall, and again without it. `pixels`, `drawn_radius` : as for `render`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np

from zenn.checkpoints import write_arrays
from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.given import Given
from zenn.laws.recombination import Wall, split_and_recombine
from zenn.laws.rendering import render
from zenn.laws.steps.render import PICTURES, check_pixels
from zenn.laws.store import file_name, load_simulation, load_trajectory
from zenn.progress import Progress

STATES = "states.csv"
WALLS: tuple[Wall, ...] = get_args(Wall)


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `pictures.safetensors` (arrays original, split, recombined) and `states.csv`."""
    samples, lambdas, relaxation = _given(params)
    pixels, radius = params.integer("pixels"), params.number("drawn_radius")
    rng = np.random.default_rng(params.integer("seed"))
    params.refuse_unused()
    check_pixels(pixels)
    folder = inputs["snapshots"]
    simulation, chosen = load_simulation(folder)
    gas, design = simulation.gas, simulation.design
    if not 0 < radius < gas.length / 2:
        raise InputError("parameters", "drawn_radius", radius, "above 0 and less than half the container")
    tests = [process for process in chosen if process.split == "test"]
    ends = {one.number: load_trajectory(folder / file_name(one), simulation, one) for one in tests}
    stops = [(process, stop) for process in tests for stop in range(len(ends[process.number].times))]
    if samples > len(stops):
        raise InputError(
            "parameters", "samples", samples, f"at most {len(stops)}, the stops of test processes"
        )
    places = np.linspace(0, len(stops) - 1, samples).round().astype(int)
    walls = list(product(WALLS, lambdas))
    order = rng.permutation(samples)
    rows: list[dict[str, Any]] = []
    drawn: dict[str, list[np.ndarray]] = {"original": [], "split": [], "recombined": []}
    with Progress("states split and recombined", samples) as progress:
        for number, place in enumerate(places):
            process, stop = stops[place]
            end = ends[process.number]
            wall, part = walls[int(order[number]) % len(walls)]
            state = np.concatenate([end.positions[stop, -1], end.velocities[stop]]).astype(float)
            width = float(end.widths[stop])
            name = f"{process}, stop {stop}, with a wall"
            made = split_and_recombine(state, gas, width, wall, part, relaxation, design.frame_interval, name)
            views = {"original": end.positions[stop], "split": made.split, "recombined": made.recombined}
            for which, positions in views.items():
                drawn[which].append(render(positions, gas.length, radius, pixels))
            rows.append(
                {
                    "process": process.number,
                    "stop": stop,
                    "particles": process.particles,
                    "wall": wall,
                    "lambda": part,
                    "width": width,
                    "removed": made.removed,
                    "energy": float(end.energies[stop]),
                    "energy_split": made.energy_split,
                    "energy_recombined": made.energy_recombined,
                }
            )
            progress.update(number + 1)
    write_arrays(out / PICTURES, {which: np.stack(pictures) for which, pictures in drawn.items()}, {})
    write_columns(out / STATES, {name: [row[name] for row in rows] for name in rows[0]})


def _given(params: Given) -> tuple[int, tuple[float, ...], float]:
    samples, lambdas, relaxation = (
        params.integer("samples"),
        params.numbers("lambdas"),
        params.number("relaxation"),
    )
    if samples < 2:
        raise InputError("parameters", "samples", samples, "2 or more")
    for part in lambdas:
        if not 0 < part < 1:
            raise InputError("parameters", "lambdas", part, "numbers between 0 and 1")
    return samples, lambdas, relaxation
