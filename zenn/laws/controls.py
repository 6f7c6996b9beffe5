"""Controls: pictures from which something was taken, to see what the network's accuracy rests on.

`frozen` : the first frame five times, so nothing moves and no picture tells the temperature. What is left is
the place of the piston, which goes to and fro alike, forwards and backwards in time: chance.
`shuffled` : frames shuffled in time: each of the five frames of a picture is exchanged, by itself, among the
stops of the same process with the same place of the piston. All stops of such a group are then alike in
distribution: of them no method can tell the order, and between groups there is only the place of the piston:
chance too, though the pictures have all the frames and their motion, of other moments, in part.
`permuted` : the five frames of each picture in random order. Not at chance: how far discs are apart in two
frames still tells how fast they are. It shows that the order of the frames is not needed.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Control = Literal["none", "frozen", "shuffled", "permuted"]
CONTROLS: tuple[Control, ...] = get_args(Control)
Integers = NDArray[np.int64]


def frame_sources(
    control: Control, processes: Integers, widths: NDArray[np.float64], frames: int, seed: int
) -> tuple[Integers, Integers]:
    """From which picture, and which of its frames, each frame of each picture is taken.

    processes, widths (n,): of the pictures. Two arrays (n, frames).
    """
    count = len(processes)
    pictures = np.repeat(np.arange(count)[:, None], frames, axis=1)
    places = np.repeat(np.arange(frames)[None], count, axis=0)
    rng = np.random.default_rng(np.random.SeedSequence([seed, CONTROLS.index(control)]))
    if control == "frozen":
        places = np.zeros_like(places)
    elif control == "permuted":
        places = rng.permuted(places, axis=1)
    elif control == "shuffled":
        groups = np.unique(np.stack([processes, widths]), axis=1, return_inverse=True)[1].ravel()
        for group in range(groups.max() + 1):
            own = np.flatnonzero(groups == group)
            for frame in range(frames):
                pictures[own, frame] = rng.permutation(own)
    return pictures, places
