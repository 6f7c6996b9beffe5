"""Which optimiser reaches what, from one start and with equal CPU time, on three inverse problems.

The loss is the divergence alone, a sum of squares, so that Levenberg and Marquardt's method can take part.
`python -m benchmarks.landscape --optimisers` runs it.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.inverse import CRITICAL, Problem, fe3pt, wells
from benchmarks.least_squares import Residuals, levenberg_marquardt
from benchmarks.report import measured_on
from zenn.landscape import minimise
from zenn.landscape.losses import Objective, Weights

Array = NDArray[np.float64]
Report = Callable[[str], None]

SHARES = (1 / 6, 1 / 3, 2 / 3, 1.0)
"""Of the CPU time: when loss and T* are noted."""

ADAM_RATE = 3e-3
"""Falls to nothing as a cosine over the whole time; 1e-3, 1e-2 and 3e-2 end within a factor of three."""

MEMORY = 50
"""Pairs that L-BFGS remembers; 10, the default of scipy, and 200 end higher."""


@dataclass(frozen=True)
class Run:
    """One optimiser on one problem: at each number of CPU seconds, the lowest loss and its error of T*.

    evaluations : of the loss with its gradient or Jacobian. ended : why it stopped before its time, if so.
    """

    problem: str
    optimiser: str
    seconds: list[float]
    losses: list[float]
    errors: list[float]
    evaluations: int
    ended: str


class _OutOfTimeError(Exception):
    pass


class Watch:
    """Notes the lowest loss so far when its time has come, and ends a run by an exception."""

    def __init__(self, marks: list[float]) -> None:
        self._marks, self._started = marks, time.process_time()
        self._lowest, self._best = math.inf, np.empty(0)
        self.noted: list[tuple[float, Array]] = []
        self.evaluations = 0

    def see(self, value: float, parameters: Array) -> None:
        """Take note of a loss."""
        self.evaluations += 1
        while self.spent() > self._marks[len(self.noted)]:
            self.noted.append((self._lowest, self._best))
            if len(self.noted) == len(self._marks):
                raise _OutOfTimeError
        if value < self._lowest:
            self._lowest, self._best = value, parameters.copy()

    def spent(self) -> float:
        """CPU seconds since it was made."""
        return time.process_time() - self._started

    def finish(self) -> None:
        """The rest of the marks, for a run that ended before its time."""
        self.noted += [(self._lowest, self._best)] * (len(self._marks) - len(self.noted))


def run_adam(problem: Problem, start: Array, watch: Watch, seconds: float) -> str:
    """Adam alone, with as many steps as fit into the time."""
    objective = Objective(problem.network, problem.landscape, Weights())
    began, tries = time.process_time(), 20
    for _ in range(tries):
        objective.value_and_gradient(start)
    steps = int(seconds * tries / (time.process_time() - began))
    minimise.adam(_watched(objective, watch), start, steps, ADAM_RATE)
    return ""


def run_l_bfgs(problem: Problem, start: Array, watch: Watch, seconds: float) -> str:
    """L-BFGS of scipy."""
    objective = Objective(problem.network, problem.landscape, Weights())
    options = {"maxcor": MEMORY, "ftol": 0.0, "gtol": 0.0, "maxiter": 10**9, "maxfun": 10**9, "maxls": 50}
    found = minimize(_watched(objective, watch), start, jac=True, method="L-BFGS-B", options=options)
    return str(found.message)


def run_bfgs(problem: Problem, start: Array, watch: Watch, seconds: float) -> str:
    """BFGS on the whole matrix, not scaled: ours with the curvature that asks for no scaling."""
    ours = minimise._updated

    def unscaled(*arguments: Any) -> Any:
        return ours(*arguments[:-1], 0.0)

    with mock.patch.object(minimise, "_updated", unscaled):
        return run_self_scaled_bfgs(problem, start, watch, seconds)


def run_self_scaled_bfgs(problem: Problem, start: Array, watch: Watch, seconds: float) -> str:
    """Ours."""
    function = _watched(Objective(problem.network, problem.landscape, Weights()), watch)
    *_, last = minimise.self_scaled_bfgs(function, minimise.begin(function, start), 10**9)
    return last.reason


def run_levenberg_marquardt(problem: Problem, start: Array, watch: Watch, seconds: float) -> str:
    """Levenberg and Marquardt's method, its dual form where there are fewer points than parameters."""
    return levenberg_marquardt(Residuals(problem.network, problem.landscape), start, watch.see)


OPTIMISERS = {
    "Adam": run_adam,
    "L-BFGS (scipy)": run_l_bfgs,
    "BFGS": run_bfgs,
    "self-scaled BFGS (ours)": run_self_scaled_bfgs,
    "Levenberg-Marquardt": run_levenberg_marquardt,
}
RUNS = 3 * len(OPTIMISERS)


def compare(seconds: float, report: Report) -> list[Run]:
    """All optimisers on all problems."""
    runs = []
    for problem, kind in ((wells(6), "adam"), (fe3pt(4), "wells"), (fe3pt(12), "wells")):
        # kind is one of the two that the caller names
        start = problem.start(kind)  # type: ignore[arg-type]
        marks = [seconds * share for share in SHARES]
        for name, run in OPTIMISERS.items():
            report(f"{problem.name}: {name}")
            watch, ended = Watch(marks), ""
            with contextlib.suppress(_OutOfTimeError):
                ended = run(problem, start, watch, seconds)
            watch.finish()
            runs.append(
                Run(
                    problem.name,
                    name,
                    marks,
                    [value for value, _ in watch.noted],
                    [problem.error_of_critical_temperature(parameters) for _, parameters in watch.noted],
                    watch.evaluations,
                    ended,
                )
            )
    return runs


def markdown(facts: dict[str, Any], runs: list[Run], seconds: float) -> str:
    """A table for each problem."""
    lines = [
        "# Optimisers of the inverse problem compared",
        "",
        f"Each had {seconds:g} CPU seconds of one thread from the same start: 200 steps of Adam for the",
        "wells of one dimension, the start 'wells' of a fit for Fe3Pt. The loss is the divergence alone.",
        "Given are the lowest loss and the error of T*, in K for Fe3Pt; a dash says that there is no",
        "critical point.",
        CRITICAL,
        f"Adam's rate falls from {ADAM_RATE:g} to nothing as a cosine; L-BFGS remembers {MEMORY} pairs.",
        "Levenberg and Marquardt's method solves with J J^T, in the space of residuals, where there are",
        "fewer points than parameters, and with J^T J where not: the steps are the same.",
    ]
    for name in dict.fromkeys(run.problem for run in runs):
        of = [run for run in runs if run.problem == name]
        times = " | ".join(f"{at:.3g} s" for at in of[0].seconds)
        lines += ["", f"## {name}", "", f"| optimiser | {times} | evaluations |"]
        lines.append("| --- |" + " ---: |" * (len(of[0].seconds) + 1))
        for run in of:
            cells = " | ".join(
                f"{loss:.1e}, {'-' if math.isnan(error) else f'{error:+.3f}'}"
                for loss, error in zip(run.losses, run.errors, strict=True)
            )
            lines.append(f"| {run.optimiser} | {cells} | {run.evaluations} |")
        lines += [f"\n{run.optimiser} ended before its time: {run.ended}." for run in of if run.ended]
    return "\n".join([*lines, *measured_on(facts), ""])


def _watched(objective: Objective, watch: Watch) -> Callable[[Array], tuple[float, Array]]:
    def function(parameters: Array) -> tuple[float, Array]:
        value, gradient = objective.value_and_gradient(parameters)
        watch.see(value, parameters)
        return value, gradient

    return function
