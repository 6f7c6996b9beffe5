"""Draw the pictures of simulated processes: five frames of every stop, in grey levels.

Input: `snapshots`, a folder that `simulate` wrote. Parameters: `pixels`, the side of a picture, a multiple
of 32 so that the network of Table I can take it; `drawn_radius`, of a disc in the picture.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from zenn.errors import InputError
from zenn.files import atomic_file
from zenn.given import Given
from zenn.laws.processes import FRAMES, Process
from zenn.laws.rendering import render
from zenn.laws.store import (
    DESIGN,
    PROCESSES,
    SNAPSHOTS,
    Simulation,
    file_name,
    load_simulation,
    load_trajectory,
)
from zenn.progress import Progress

PICTURES = "pictures.safetensors"
INDEX = "index.csv"
MULTIPLE = 32
"""Five convolutions that halve the side."""


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `pictures.safetensors` (stops, 5, pixels, pixels), `index.csv`, and tables of `simulate`."""
    pixels, radius = params.integer("pixels"), params.number("drawn_radius")
    folder = inputs["snapshots"]
    simulation, chosen = load_simulation(folder)
    check_pixels(pixels)
    if not 0 < radius < simulation.gas.length / 2:
        raise InputError("parameters", "drawn_radius", radius, "above 0 and less than half the container")
    _check_table(folder / PROCESSES, [process.number for process in chosen])
    stops = [
        len(load_trajectory(folder / file_name(process), simulation, process).times) for process in chosen
    ]
    try:
        _draw(out / PICTURES, folder, simulation, chosen, sum(stops), pixels, radius)
    except OSError as error:
        raise InputError(out / PICTURES, "", error, "room for the pictures", "Make room") from None
    for source, name in ((SNAPSHOTS, INDEX), (PROCESSES, PROCESSES), (DESIGN, DESIGN)):
        shutil.copyfile(folder / source, out / name)


def _draw(
    path: Path,
    folder: Path,
    simulation: Simulation,
    chosen: Sequence[Process],
    stops: int,
    pixels: int,
    radius: float,
) -> None:
    """Write the pictures one by one: at the paper's scale all of them are more than most memories hold."""
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(_header((stops, FRAMES, pixels, pixels)))
        with Progress("pictures of processes", len(chosen)) as progress:
            for done, process in enumerate(chosen, start=1):
                positions = load_trajectory(folder / file_name(process), simulation, process).positions
                file.write(render(positions, simulation.gas.length, radius, pixels).data)
                progress.update(done)


def check_pixels(pixels: int) -> None:
    """Refuse a side of a picture that the network cannot take.

    Raises
    ------
    InputError : it is no multiple of 32.
    """
    if pixels < MULTIPLE or pixels % MULTIPLE:
        raise InputError("parameters", "pixels", pixels, f"a multiple of {MULTIPLE}")


def _header(shape: tuple[int, ...]) -> bytes:
    """Of a safetensors file with the one array `pictures`."""
    size = 1
    for side in shape:
        size *= side
    text = json.dumps({"pictures": {"dtype": "U8", "shape": shape, "data_offsets": [0, size]}}).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _check_table(path: Path, numbers: list[int]) -> None:
    """The table of processes is that of the design beside it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
    except OSError as error:
        raise InputError(path, "", error.strerror, "the table that `simulate` wrote") from None
    found = [line.partition(",")[0] for line in lines]
    if found != [str(number) for number in numbers]:
        raise InputError(
            path, "column 'process'", f"{len(found)} processes", "those of design.json beside it, in order"
        )
