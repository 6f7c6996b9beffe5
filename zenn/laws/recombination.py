"""A wall is put into a state, and taken out again (A5): both parts and the whole go on by the dynamics."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError
from zenn.laws.dynamics import advance, energy
from zenn.laws.processes import FRAMES, Gas

Array = NDArray[np.float64]
Wall = Literal["x", "y"]
"""Parallel to the x axis, at y = lambda L, or to the y axis, at x = lambda L_x."""


class Recombined(NamedTuple):
    """Positions (5, 2, N') with the wall and after it, discs that made room for it, and energies."""

    split: Array
    recombined: Array
    removed: int
    energy_split: float
    energy_recombined: float


def split_and_recombine(
    state: Array,
    gas: Gas,
    width: float,
    wall: Wall,
    part: float,
    relaxation: float,
    frame_interval: float,
    name: str = "the gas",
) -> Recombined:
    """Put a wall into `state` (4, N), wait, look; take it out, wait, look.

    Discs nearer to the wall than R are removed. The piston, at `width`, and the wall do not move. Each time
    the gas goes on for `relaxation`, and the five frames are taken in the last four intervals of it.

    Raises
    ------
    InputError : `relaxation` is too short for five frames, or the wall leaves no room beside it.
    """
    axis, side = (1, gas.length) if wall == "x" else (0, width)
    place = part * side
    if not 2 * gas.radius < place < side - 2 * gas.radius:
        raise InputError("parameters", "lambdas", part, "a wall that leaves room for a disc on either side")
    steps, every = round(relaxation / gas.time_step), round(frame_interval / gas.time_step)
    if steps < (FRAMES - 1) * every:
        expected = f"{(FRAMES - 1) * frame_interval:g} or more, for the frames"
        raise InputError("parameters", "relaxation", relaxation, expected)
    stays = np.abs(state[axis] - place) >= gas.radius
    before, after = state[:, stays & (state[axis] < place)], state[:, stays & (state[axis] > place)]
    boxes = [(before, 0.0, place), (after, place, side - place)]
    frames: list[list[Array]] = []
    energies = 0.0
    kept: list[Array] = []
    for discs, start, room in boxes:
        inside = np.ascontiguousarray(discs)
        inside[axis] -= start
        sizes = (width, room) if wall == "x" else (room, gas.length)
        looks = _watched(inside, gas, sizes, steps, every, name)
        shift = np.zeros((2, 1))
        shift[axis] = start
        frames.append([look + shift for look in looks])
        energies += sum(energy(inside, gas, *sizes)) if inside.size else 0.0
        inside[axis] += start
        kept.append(inside)
    split = np.stack([np.concatenate(pair, axis=1) for pair in zip(*frames, strict=True)])
    whole = np.ascontiguousarray(np.concatenate(kept, axis=1))
    recombined = np.stack(_watched(whole, gas, (width, gas.length), steps, every, name))
    end = sum(energy(whole, gas, width, gas.length))
    return Recombined(split, recombined, int((~stays).sum()), energies, end)


def _watched(
    state: Array, gas: Gas, sizes: tuple[float, float], steps: int, every: int, name: str
) -> list[Array]:
    """Move `state` on in place; its positions at the five frames."""
    if not state.size:
        return [state[:2].copy() for _ in range(FRAMES)]
    width, height = sizes
    first = steps - (FRAMES - 1) * every
    if first:
        advance(state, gas, width, height, first, name=name)
    looks = [state[:2].copy()]
    for _ in range(FRAMES - 1):
        advance(state, gas, width, height, every, name=name)
        looks.append(state[:2].copy())
    return looks
