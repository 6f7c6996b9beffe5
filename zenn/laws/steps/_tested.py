"""What the axioms are tested on: parameters as given, and the states of the test processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError
from zenn.given import Given
from zenn.laws import axioms
from zenn.laws.composing import Pictures, columns_of
from zenn.laws.pictures import Index
from zenn.laws.processes import Gas
from zenn.laws.store import load_simulation

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """Parameters of the step, each named there."""

    seed: int
    scaling_lambdas: tuple[float, ...]
    extensivity_lambdas: tuple[float, ...]
    extensivity_pairs: int
    epsilons: tuple[float, ...]
    dust_pairs: int
    dust_states: int
    canonical_states: int
    triples: int
    bootstrap: int

    @classmethod
    def of(cls, params: Given) -> Asked:
        """Read and check them."""
        asked = cls(
            params.integer("seed"),
            params.numbers("scaling_lambdas"),
            params.numbers("extensivity_lambdas"),
            params.integer("extensivity_pairs"),
            params.numbers("epsilons"),
            params.integer("dust_pairs"),
            params.integer("dust_states"),
            params.integer("canonical_states"),
            params.integer("triples"),
            params.integer("bootstrap"),
        )
        for name in ("scaling_lambdas", "extensivity_lambdas", "epsilons"):
            for value in getattr(asked, name):
                if not 0 < value < 1:
                    raise InputError("parameters", name, value, "numbers between 0 and 1")
        least = {"seed": 0, "extensivity_pairs": 2, "dust_pairs": 1, "dust_states": 2}
        for name, value in (least | {"canonical_states": 3, "triples": 1, "bootstrap": 100}).items():
            if getattr(asked, name) < value:
                raise InputError("parameters", name, getattr(asked, name), f"{value} or more")
        return asked


@dataclass(frozen=True, eq=False)
class Tests:
    """The states of the test processes (n,): pictures on disk and which of them, what they show, and S~."""

    gas: Gas
    pictures: NDArray[np.uint8]
    rows: Integers
    processes: Integers
    stops: Integers
    particles: Integers
    widths: Array
    energies: Array
    columns: Integers
    s: Array

    def shown(self, states: Integers) -> Pictures:
        """Pictures of some of the states."""
        return np.asarray(self.pictures[self.rows[states]])


class Shown:
    """Pictures of the test states that are read where they are asked for."""

    def __init__(self, tests: Tests) -> None:
        self._tests = tests

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, frames, pixels, pixels)."""
        return (len(self._tests.s), *self._tests.pictures.shape[1:])

    def __len__(self) -> int:
        return len(self._tests.s)

    def __getitem__(self, states: Any) -> Pictures:
        return self._tests.shown(states)


def read_tests(folder: Path, pictures: NDArray[np.uint8], index: Index, seen: axioms.Represent) -> Tests:
    """The test states among `pictures`, which lie in `folder`."""
    simulation, _ = load_simulation(folder)
    gas, rows = simulation.gas, index.rows("test")
    if not len(rows):
        raise InputError(folder / "index.csv", "column 'split'", "no test process", "one or more")
    widths = index.widths[rows]
    return Tests(
        gas,
        pictures,
        rows,
        index.processes[rows],
        index.stops[rows],
        index.particles[rows],
        widths,
        index.energies[rows],
        columns_of(widths, gas.length, pictures.shape[-1]),
        represented(pictures, rows, seen),
    )


def represented(pictures: NDArray[np.uint8], rows: Integers, seen: axioms.Represent) -> Array:
    """S~ of pictures on disk, some at a time."""
    starts = range(0, len(rows), axioms.BATCH)
    return np.concatenate([seen(np.asarray(pictures[rows[k : k + axioms.BATCH]])) for k in starts])
