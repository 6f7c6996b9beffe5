"""The gas and its processes as the steps are given them."""

from __future__ import annotations

from zenn.errors import InputError
from zenn.given import Given
from zenn.laws.processes import Design, Gas
from zenn.laws.store import Simulation


def read_simulation(params: Given) -> Simulation:
    """The groups `gas` and `design`, `replica` and `heating_bound`."""
    gas, design = params.group("gas"), params.group("design")
    simulation = Simulation(
        Gas(gas.number("length"), gas.number("radius"), gas.number("stiffness"), gas.number("time_step")),
        Design(
            design.integers("particles"),
            design.numbers("push_speeds"),
            design.numbers("pull_speeds"),
            design.numbers("distances"),
            design.integer("neighbours"),
            design.number("stop_time"),
            design.number("frame_interval"),
            design.integer("train"),
            design.integer("validation"),
            design.integer("test"),
            design.integer("seed"),
        ),
        params.integer("replica"),
        params.number("heating_bound"),
    )
    if simulation.replica < 0:
        raise InputError("parameters", "replica", simulation.replica, "0 or more")
    if simulation.heating_bound <= 0:
        raise InputError("parameters", "heating_bound", simulation.heating_bound, "a number above 0")
    return simulation
