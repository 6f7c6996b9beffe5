"""Pictures and the piston's schedule for the figures that show how things are done, and an animation.

For Figs 1, 2, 4 and the inset of 6. Inputs: `snapshots`, of `simulate`; `pictures`, of `render`;
`recombined`, of `recombine`. Parameters:
`epsilon` of the dust and `lambda` of the masks, large enough to be seen; `animation_frames`, over the first
cycle of the test process that has the fewest stops; `animation_pixels` and `animation_radius`, as drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.checkpoints import write_arrays
from zenn.csv_table import write_columns
from zenn.errors import InputError
from zenn.given import Given
from zenn.laws.composing import columns_of, dust_side, dusted, halves, scaled
from zenn.laws.dynamics import advance, initial_state
from zenn.laws.pictures import Index, load_pictures, open_array
from zenn.laws.processes import CYCLES, Phase, Process, schedule
from zenn.laws.rendering import render
from zenn.laws.store import Simulation, load_simulation
from zenn.progress import Progress

EXAMPLES = "examples.safetensors"
_SHOWN = 4  # frame of a microscopic state that stands for it in an illustration
_STOPS_SHOWN = 6  # stops in a cycle of the schedule that is drawn, at least


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `examples.safetensors`, `examples.csv`, `schedule.csv` and `animation.csv`.

    Arrays of bytes: image (5, P, P); composed_first, composed_second and composed, masked and masked_right,
    dust_source and dust, original, split and recombined, all (P, P); animation (frames, A, A).
    `examples.csv` says which states they show. `schedule.csv` : corners of the piston's way in one cycle, and
    1 where snapshots are taken. `animation.csv` : time and piston of every frame.
    """
    epsilon, part = params.number("epsilon"), params.number("lambda")
    frames, side = params.integer("animation_frames"), params.integer("animation_pixels")
    radius = params.number("animation_radius")
    params.refuse_unused()
    for name, value in (("epsilon", epsilon), ("lambda", part)):
        if not 0 < value < 1:
            raise InputError("parameters", name, value, "a number between 0 and 1")
    for name, value in (("animation_frames", frames), ("animation_pixels", side)):
        if value < 2:
            raise InputError("parameters", name, value, "2 or more")
    if radius <= 0:
        raise InputError("parameters", "animation_radius", radius, "a number above 0")
    simulation, chosen = load_simulation(inputs["snapshots"])
    pictures, index = load_pictures(inputs["pictures"])
    arrays, shown = _states(simulation, pictures, index, epsilon, part)
    for name in ("original", "split", "recombined"):
        made = open_array(inputs["recombined"] / "pictures.safetensors", name)
        arrays[name] = np.array(made[len(made) // 2, _SHOWN])
    tests = [process for process in chosen if process.split == "test"]
    arrays["animation"], times, widths = _animation(tests, simulation, frames, side, radius)
    write_arrays(out / EXAMPLES, arrays, {})
    names = list(shown)
    write_columns(
        out / "examples.csv",
        {
            "name": names,
            "process": [int(index.processes[shown[name]]) for name in names],
            "stop": [int(index.stops[shown[name]]) for name in names],
        },
    )
    write_columns(out / "animation.csv", {"frame": list(range(frames)), "time": times, "width": widths})
    _write_schedule(out / "schedule.csv", tests, simulation)


def _states(
    simulation: Simulation, pictures: NDArray[np.uint8], index: Index, epsilon: float, part: float
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, int]]:
    """Pictures of states and of what is made from them, and the rows of those states."""
    length, pixels = simulation.gas.length, pictures.shape[-1]
    test = index.rows("test")
    most = test[index.particles[test] == index.particles[test].max()]
    middle = most[np.isclose(index.widths[most], length / 2)]
    open_ones = most[index.widths[most] > 0.7 * length]
    rows = {
        "image": int(open_ones[len(open_ones) // 2]),
        "composed_first": int(middle[0]),
        "composed_second": int(middle[-1]),
        "masked": int(open_ones[0]),
        "dust_source": int(middle[-1]),
        "dust": int(open_ones[0]),
    }
    first, second = pictures[middle[0]], pictures[middle[-1]]
    state = np.array(pictures[open_ones[:1]])
    columns = columns_of(index.widths[open_ones[:1]], length, pixels)
    arrays = {
        "image": np.array(pictures[rows["image"]]),
        "composed_first": np.array(first[_SHOWN]),
        "composed_second": np.array(second[_SHOWN]),
        "composed": halves(first, second)[_SHOWN],
        "masked": scaled(state, part, "bottom")[0, _SHOWN],
        "masked_right": scaled(state, part, "right", columns)[0, _SHOWN],
        "dust_source": np.array(second[_SHOWN]),
        "dust": dusted(state, second, dust_side(epsilon, pixels))[0, _SHOWN],
    }
    return arrays, rows


def _cycle(process: Process, simulation: Simulation) -> list[Phase]:
    """The first stop, and all up to the end of the last stop of the first cycle."""
    phases = schedule(process, simulation.gas, simulation.design)
    return phases[: 1 + (len(phases) - 1) // CYCLES]


def _write_schedule(path: Path, tests: Sequence[Process], simulation: Simulation) -> None:
    """Of the test process with the fewest stops that still shows some on either way."""
    enough = [p for p in tests if sum(not phase.speed for phase in _cycle(p, simulation)) >= _STOPS_SHOWN]
    process = min(enough or tests, key=lambda p: len(_cycle(p, simulation)))
    step = simulation.gas.time_step
    time = 0.0
    rows = [(0.0, simulation.gas.length, 0)]
    for phase in _cycle(process, simulation):
        time += phase.steps * step
        width = phase.start + phase.speed * phase.steps * step
        rows.append((time, width, int(not phase.speed)))
    times, widths, snapshots = zip(*rows, strict=True)
    write_columns(path, {"time": times, "width": widths, "snapshot": snapshots})


def _animation(
    tests: Sequence[Process], simulation: Simulation, frames: int, pixels: int, radius: float
) -> tuple[NDArray[np.uint8], list[float], list[float]]:
    """Pictures of one cycle, evenly in time, their times and the piston's places."""
    gas = simulation.gas
    process = min(tests, key=lambda p: (sum(phase.steps for phase in _cycle(p, simulation)), p.number))
    phases = _cycle(process, simulation)
    total = sum(phase.steps for phase in phases)
    wanted = np.linspace(0, total, frames).round().astype(int)
    state = initial_state(process, gas, simulation.design, simulation.replica)
    taken, widths = [state[:2].copy()], [gas.length]
    begun = 0
    with Progress("steps of the animated cycle", total) as progress:
        for phase in phases:
            done = 0
            moments = wanted[(wanted > begun) & (wanted <= begun + phase.steps)] - begun
            for moment in [*moments.tolist(), phase.steps]:
                start = phase.start + phase.speed * done * gas.time_step
                if moment > done:
                    advance(
                        state,
                        gas,
                        start,
                        gas.length,
                        moment - done,
                        piston_speed=phase.speed,
                        name=str(process),
                    )
                done = moment
                if len(taken) < frames and begun + done == wanted[len(taken)]:
                    taken.append(state[:2].copy())
                    widths.append(phase.start + phase.speed * done * gas.time_step)
            begun += phase.steps
            progress.update(begun)
    pictures = render(np.stack(taken), gas.length, radius, pixels)
    return pictures, (wanted * gas.time_step).tolist(), widths
