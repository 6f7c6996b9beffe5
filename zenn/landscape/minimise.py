"""Minimisation in double precision: a short Adam phase, then self-scaled BFGS on the whole inverse Hessian.

The update is that of Al-Baali (Comput. Optim. Appl. 9, 191 (1998), doi:10.1023/A:1018315205474): the inverse
Hessian is scaled by 1 / min(1, y.s / s.Bs) before the BFGS correction, which Urban, Stefanou and Pons (J.
Comput. Phys. 523, 113656 (2025), doi:10.1016/j.jcp.2024.113656) found decisive for networks. An update takes
one product with the matrix (`zenn.landscape.inverse_hessian`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zenn.errors import NotConvergedError
from zenn.landscape.inverse_hessian import InverseHessian

Array = NDArray[np.float64]
Function = Callable[[Array], tuple[float, Array]]

_DECREASE, _CURVATURE = 1e-4, 0.9  # Wolfe's conditions
_TRIALS = 30


@dataclass(frozen=True, eq=False)
class State:
    """Where a minimisation stands; all that it needs to go on.

    parameters, gradient : shape (n,). value : of the function. iteration : of the quasi-Newton phase.
    evaluations : of function and gradient. inverse : the inverse Hessian H, None before the first step.
    direction : -H gradient, shape (n,), None where that is -gradient.
    reason : why it stopped, empty while it goes on.
    """

    parameters: Array
    value: float
    gradient: Array
    iteration: int = 0
    evaluations: int = 1
    inverse: InverseHessian | None = None
    direction: Array | None = None
    reason: str = ""


class DivergedError(NotConvergedError):
    """The function is not finite any more; `last_good` are the parameters with its lowest value."""

    def __init__(self, text: str, last_good: Array) -> None:
        self.last_good = last_good
        super().__init__(text)


def adam(function: Function, start: Array, steps: int, learning_rate: float) -> Array:
    """`steps` steps of Adam (Kingma and Ba, ICLR 2015), its rate falling to nothing as a cosine.

    Raises
    ------
    DivergedError : the function is not finite on the way.
    """
    parameters, best, lowest = start.copy(), start.copy(), math.inf
    mean, square = np.zeros_like(start), np.zeros_like(start)
    for i in range(1, steps + 1):
        value, gradient = function(parameters)
        if not math.isfinite(value) or not np.all(np.isfinite(gradient)):
            where = f"after {i - 1} steps of Adam at a rate of {learning_rate:g}: lower the rate"
            raise DivergedError(f"the loss is {value:g} {where if i > 1 else 'at the start'}", best)
        if value < lowest:
            best, lowest = parameters.copy(), value
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        rate = learning_rate * (1 + math.cos(math.pi * (i - 1) / steps)) / 2
        step = mean / (1 - 0.9**i) / (np.sqrt(square / (1 - 0.999**i)) + 1e-8)
        parameters -= rate * step
    return parameters


def begin(function: Function, start: Array) -> State:
    """The state before the first quasi-Newton step."""
    value, gradient = function(start)
    return State(start.copy(), value, gradient)


def self_scaled_bfgs(
    function: Function, state: State, iterations: int, gradient_tolerance: float = 0.0
) -> Iterator[State]:
    """States after each quasi-Newton step from `state` on, until `iterations` in all, or a reason to stop.

    The inverse Hessian of a state is changed by the next step: copy it to keep it.
    """
    while not state.reason:
        if state.iteration >= iterations:
            yield replace(state, reason="iterations")
            return
        if np.max(np.abs(state.gradient)) <= gradient_tolerance:
            yield replace(state, reason="gradient tolerance")
            return
        state = _step(function, state)
        yield state


def _step(function: Function, state: State) -> State:
    """One step: line search, then update, which gives the next direction as well."""
    gradient, inverse = state.gradient, state.inverse
    direction = -gradient if state.direction is None else state.direction
    slope = float(gradient @ direction)
    if not slope < 0:
        return _anew(state, 0)
    first = 1.0 if inverse is not None else min(1.0, 1 / float(np.abs(gradient).sum()))
    found = _line_search(function, state, direction, slope, first)
    if found is None:
        return _anew(state, _TRIALS)
    length, value, new_gradient, evaluations = found
    step = length * direction
    inverse, direction = _updated(
        inverse, direction, step, gradient, new_gradient, -length * float(step @ gradient)
    )
    return State(
        state.parameters + step,
        value,
        new_gradient,
        state.iteration + 1,
        state.evaluations + evaluations,
        inverse,
        direction,
    )


def _anew(state: State, evaluations: int) -> State:
    """Begin with steepest descent again, as rounding spoilt the matrix; or stop, if that was tried."""
    evaluations += state.evaluations
    if state.inverse is None:
        return replace(state, reason="no descent", evaluations=evaluations)
    return replace(state, inverse=None, direction=None, evaluations=evaluations)


def _line_search(
    function: Function, state: State, direction: Array, slope: float, length: float
) -> tuple[float, float, Array, int] | None:
    """A step length that meets Wolfe's weak conditions, by bisection; None after too many trials."""
    low, high = 0.0, math.inf
    for trial in range(1, _TRIALS + 1):
        value, gradient = function(state.parameters + length * direction)
        if not math.isfinite(value) or value > state.value + _DECREASE * length * slope:
            high = length
        elif float(gradient @ direction) < _CURVATURE * slope:
            low = length
        else:
            return length, value, gradient, trial
        length = (low + high) / 2 if math.isfinite(high) else 2 * length
    return None


def _updated(
    inverse: InverseHessian | None,
    direction: Array,
    step: Array,
    gradient: Array,
    new_gradient: Array,
    curvature: float,
) -> tuple[InverseHessian | None, Array]:
    """The self-scaled BFGS update and the next direction, from one product with the matrix.

    `curvature` is s.Bs, B the Hessian that the direction came from.
    """
    change = new_gradient - gradient
    along = float(change @ step)
    if inverse is None:
        if along <= 0:
            return None, -new_gradient
        inverse = InverseHessian.diagonal(len(step), along / float(change @ change))
        curvature = along  # no Hessian yet: nothing to scale by
        direction = -inverse.scale * gradient
    towards = inverse.product(new_gradient)
    if along <= 0:
        return inverse, -towards
    product = towards + direction  # H y, as direction is -H times the old gradient
    ratio = min(1.0, along / curvature) if curvature > 0 else 1.0
    # H' = [H - H y y.H / y.Hy + y.Hy v v.] / ratio + s s. / y.s with v = s / y.s - H y / y.Hy, all in one:
    other = (float(change @ product) / (2 * along**2) + ratio / (2 * along)) * step - product / along
    inverse.update(step, other, ratio)
    turned = towards + float(other @ new_gradient) * step + float(step @ new_gradient) * other
    return inverse, -turned / ratio
