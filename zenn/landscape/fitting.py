"""Fits of a network to a landscape: where they start, how they run, how they go on after an interruption."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zenn.errors import InputError
from zenn.landscape.landscapes import Landscape
from zenn.landscape.losses import Objective, Weights
from zenn.landscape.minimise import DivergedError, State, adam, begin, self_scaled_bfgs
from zenn.landscape.networks import Network, Scaling, Zenn, inputs_along

Array = NDArray[np.float64]

_WELL_STEPS, _WELL_RATE = 600, 2e-2
_WELL_STRIDE = 7  # at least; see _some
_LARGEST_MATRIX = 8 * 2**30  # bytes
_LEAST_ENTROPY = 1e-3  # of a well's target: softplus has no zero


@dataclass(frozen=True)
class Settings:
    """How a fit runs; it stops on iterations or the gradient, never on time.

    start : "wells" begins a ZENN in one dimension with tangents of the data (`tangent_wells`), "random" from
    random parameters and a first phase of Adam, whose steps and rate are adam_steps and adam_rate.
    iterations : of the quasi-Newton phase. gradient_tolerance : largest component of the gradient at which it
    stops. starts : how many are tried for `trial_iterations`; the one with the lowest loss then goes on. From
    some, one configuration takes the whole landscape before the others find their part of it.
    """

    start: Literal["wells", "random"] = "random"
    adam_steps: int = 200
    adam_rate: float = 1e-2
    iterations: int = 3000
    gradient_tolerance: float = 0.0
    starts: int = 1
    trial_iterations: int = 150


def scaling_of(landscape: Landscape) -> Scaling:
    """The scaling that maps a landscape's domain and temperatures to [-1, 1]."""
    return Scaling.of((*landscape.domain, landscape.temperature_window))


def fit(
    network: Network,
    landscape: Landscape,
    weights: Weights,
    settings: Settings,
    seed: int,
    state: State | None = None,
) -> Iterator[State]:
    """States of a fit, one per quasi-Newton step; the last one says why it stopped.

    A fit that is given one of its states goes on from there and ends where it would have ended.

    Raises
    ------
    InputError : a term of the loss, or the start, needs what network or landscape do not have; the network is
    too large for a dense inverse Hessian.
    DivergedError : the loss is not finite in the first phase or after it.
    """
    needed = 8 * network.size**2
    if needed > _LARGEST_MATRIX:
        found = f"one of {network.size} parameters, whose inverse Hessian takes {needed / 2**30:.0f} GiB"
        expected = f"at most {_LARGEST_MATRIX / 2**30:.0f} GiB: fewer configurations or neurons"
        raise InputError("argument network", "", found, expected)
    objective = Objective(network, landscape, weights)
    if state is None:
        tried = [
            _begun(objective, network, landscape, settings, one) for one in _seeds(seed, settings.starts)
        ]
        state = min(tried, key=lambda one: one.value)
    return self_scaled_bfgs(
        objective.value_and_gradient, state, settings.iterations, settings.gradient_tolerance
    )


def _seeds(seed: int, starts: int) -> list[int]:
    """The seed itself, and others that follow from it."""
    others = np.random.SeedSequence(seed).generate_state(max(starts - 1, 1))
    return [seed, *(int(other) for other in others[: starts - 1])]


def _begun(
    objective: Objective, network: Network, landscape: Landscape, settings: Settings, seed: int
) -> State:
    """The state from which a fit begins, or to which a trial of one of several starts leads."""
    function = objective.value_and_gradient
    if settings.start == "wells":
        start = tangent_wells(network, landscape, seed).numpy()
    else:
        first = network.initial(seed).numpy()
        start = adam(function, first, settings.adam_steps, settings.adam_rate)
    state = begin(function, start)
    if not np.isfinite(state.value):
        raise DivergedError(f"the loss is {state.value:g} where the quasi-Newton phase begins", start)
    if settings.starts > 1:
        trial = min(settings.trial_iterations, settings.iterations)
        *_, state = self_scaled_bfgs(function, state, trial, settings.gradient_tolerance)
    return replace(state, reason="")


def tangent_wells(network: Network, landscape: Landscape, seed: int) -> Tensor:
    """Parameters with which each configuration is a well that touches the data at a volume of its own.

    F_k is the tangent of F at x_k with the largest curvature of the data, so that the wells lie above the
    data and their mixture close to them; S_k is -dF/dT at x_k, all of it estimated from the data where it is
    not given. Each network is fitted to its well alone: quick, and fits from different seeds become alike.

    Raises
    ------
    InputError : the network is not a ZENN, or the landscape has more than one coordinate.
    """
    if not isinstance(network, Zenn) or landscape.dimensions != 1:
        raise InputError("setting start", "", "wells", "'random' except for a ZENN in one dimension")
    x, T, F = landscape.points[:, 0], landscape.temperatures, landscape.free_energies
    slopes = np.gradient(F, x, axis=1) if landscape.slopes is None else landscape.slopes[..., 0]
    curvature = max(float(np.gradient(slopes, x, axis=1).max()), 1e-12)
    if landscape.entropies is not None:
        entropies = landscape.entropies
    elif len(T) > 1:
        entropies = -np.gradient(F, T, axis=0)
    else:
        entropies = np.zeros_like(F)
    K = network.configurations
    random = np.random.default_rng(seed)
    (low, high), spacing = landscape.domain[0], 1 / K
    shares = (np.arange(K) + 0.5) * spacing + random.uniform(-0.3, 0.3, K) * spacing
    targets: list[Array] = []
    entropy_targets: list[Array] = []
    for i in np.searchsorted(x, low + (high - low) * shares).clip(0, len(x) - 1):
        well = F[:, i, None] + slopes[:, i, None] * (x - x[i]) + curvature / 2 * (x - x[i]) ** 2
        entropy = np.maximum(entropies[:, i, None], _LEAST_ENTROPY) * np.ones_like(F)
        targets.append((well + T[:, None] * entropy) / network.energy_scale)
        scaled = entropy / network.entropy_scale
        # ln(exp(s) - 1), the inverse of softplus
        entropy_targets.append(
            scaled + np.log(-np.expm1(-scaled)) if network.entropy == "positive" else scaled
        )
    wanted = torch.tensor(np.stack([*targets, *entropy_targets]).reshape(2 * K, -1)[:, _some(*F.shape)])
    return _fit_outputs(network, landscape, wanted, seed)


def _some(temperatures: int, points: int) -> slice:
    """A part of the rows of a table that still has every point at some temperature."""
    if temperatures < _WELL_STRIDE:
        return slice(None)
    return slice(None, None, next(s for s in range(_WELL_STRIDE, 2 * points + 9) if math.gcd(s, points) == 1))


def _fit_outputs(network: Zenn, landscape: Landscape, wanted: Tensor, seed: int) -> Tensor:
    """Parameters whose 2 K outputs come close to `wanted`, shape (2 K, as many points as `_some` leaves)."""
    M, N = landscape.free_energies.shape
    points = torch.tensor(landscape.points).repeat(M, 1)[_some(M, N)]
    temperatures = torch.tensor(landscape.temperatures).repeat_interleave(N)[_some(M, N)]
    inputs = inputs_along(points, temperatures)
    centre = wanted.mean(dim=1, keepdim=True)
    spread = wanted.std(dim=1, keepdim=True).clamp_min(0.05)

    def mismatch(parameters: Array) -> tuple[float, Array]:
        theta = torch.tensor(parameters, requires_grad=True)
        # around its mean, so that the first steps are not spent on the constant
        off = (network.outputs(theta, inputs)[0] - (wanted - centre)) / spread
        loss = (off**2).mean()
        (gradient,) = torch.autograd.grad(loss, theta)
        return float(loss.detach()), gradient.numpy()

    found = torch.tensor(adam(mismatch, network.initial(seed).numpy(), _WELL_STEPS, _WELL_RATE))
    rows = found.reshape(2 * network.configurations, -1)
    rows[:, -1] += centre[:, 0]  # the bias of the last layer
    return found
