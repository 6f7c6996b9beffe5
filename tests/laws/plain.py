"""Velocity Verlet of the soft discs as a textbook has it: every pair, every step."""

import numpy as np


def forces(state, gas, width, height):
    """Forces (2, N), the force on the piston, and the potential energy."""
    x, y = state[:2]
    dx, dy = x[:, None] - x, y[:, None] - y
    distance = np.hypot(dx, dy)
    np.fill_diagonal(distance, np.inf)
    overlap = np.maximum(2 * gas.radius - distance, 0)
    left, right = np.maximum(gas.radius - x, 0), np.maximum(x - width + gas.radius, 0)
    low, high = np.maximum(gas.radius - y, 0), np.maximum(y - height + gas.radius, 0)
    force = np.stack(
        [
            (overlap / distance * dx).sum(axis=1) + left - right,
            (overlap / distance * dy).sum(axis=1) + low - high,
        ]
    )
    squares = (overlap**2).sum() / 2 + (left**2 + right**2 + low**2 + high**2).sum()
    return gas.stiffness * force, gas.stiffness * right.sum(), gas.stiffness / 2 * squares, overlap > 0


def advance(state, gas, width, speed, height, steps):
    """The state after `steps`, the piston's work on the gas, and the contacts that began."""
    state = state.copy()
    force, on_piston, _, touching = forces(state, gas, width, height)
    work = 0.0
    contacts = 0
    for step in range(1, steps + 1):
        state[2:] += gas.time_step / 2 * force
        state[:2] += gas.time_step * state[2:]
        before, touched = on_piston, touching
        place = width + speed * gas.time_step * step
        force, on_piston, _, touching = forces(state, gas, place, height)
        state[2:] += gas.time_step / 2 * force
        work -= speed * gas.time_step * (before + on_piston) / 2
        contacts += int((touching & ~touched).sum()) // 2
    return state, work, contacts
