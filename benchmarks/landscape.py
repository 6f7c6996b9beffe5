"""How fast `zenn.landscape` inverts Fe3Pt beside a ZENN written down with torch alone.

`python -m benchmarks.landscape` writes `benchmarks/results/landscape.md` and `.json`; with `--optimisers`
it writes `optimisers.md` and `.json` instead (`benchmarks.optimisers`). Times are CPU seconds of one thread;
ours and theirs take turns in one process, and a ratio is the median over these pairs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from benchmarks import optimisers
from benchmarks.inverse import CRITICAL, Problem, fe3pt
from benchmarks.report import machine, measured_on, write
from benchmarks.straightforward_zenn import Graphs, Straightforward, Vectorised
from zenn.landscape.fitting import Settings, fit
from zenn.landscape.losses import Objective, Weights

Array = NDArray[np.float64]
Report = Callable[[str], None]
Evaluation = Callable[[], tuple[float, Array]]

CONFIGURATIONS, CONVEXITY = 12, 1e-4
EPOCHS = 30_000
"""Of Adam, which the straightforward fit is given; nobody ran them: their time is extrapolated."""

ACCURACY_K = 0.1
LOOK = 50  # iterations between two looks at the critical point
PLAIN = "loop over 24 torch.nn.Sequential, F_k'' by torch.autograd.grad twice with create_graph"
THEIRS = {
    "loop": f"{PLAIN}, each F_k through its own two networks",
    "stacked loop": f"{PLAIN}, F_k as columns of one array: every backward pass goes through all networks",
    "torch.func": "functional_call and stack_module_state under vmap, F_k'' by jvp over jvp",
}


@dataclass(frozen=True)
class Epoch:
    """One loss and gradient: median CPU seconds of all, median ratios of theirs to ours, and how they differ.

    stride : 2 where F_k'' is taken at every second point each way, 1 where at all. state : the parameters
    are those of the start or of the end of a fit.
    """

    stride: int
    state: str
    seconds: dict[str, float]
    ratios: dict[str, float]
    pairs: int
    differences: dict[str, float]


@dataclass(frozen=True)
class Look:
    """A fit when it was looked at: iterations, CPU seconds until then, loss, and the error of T* in K."""

    iteration: int
    seconds: float
    loss: float
    error: float


@dataclass(frozen=True)
class Fit:
    """When T* was close for the first time, and for good; seconds of their epoch for each stride.

    ratios : for each stride, the extrapolated seconds of all their epochs to those of ours until `settled`.
    """

    first: Look
    settled: Look
    looks: list[Look]
    seconds_per_epoch: dict[int, float]
    epochs_measured: int
    ratios: dict[int, float]


def cpu_timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process and what the work returns."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def evaluations(problem: Problem, parameters: Array, stride: int) -> dict[str, Evaluation]:
    """Loss and gradient at these parameters: ours, and theirs in three ways."""
    landscape, network = problem.landscape, problem.network
    objective = Objective(network, landscape, Weights(convexity=CONVEXITY), stride, margin=False)
    made: dict[str, Evaluation] = {"ours": lambda: objective.value_and_gradient(parameters)}
    kinds: tuple[tuple[str, Graphs], ...] = (("loop", "separate"), ("stacked loop", "stacked"))
    for name, graphs in kinds:
        plain = Straightforward(landscape, CONFIGURATIONS, network.gamma, CONVEXITY, stride, graphs)
        plain.set_parameters(parameters)
        made[name] = plain.value_and_gradient
    made["torch.func"] = Vectorised(plain).value_and_gradient
    return made


def differences(made: dict[str, Evaluation]) -> dict[str, float]:
    """Largest difference of loss and gradient from ours, over the loss and the largest component of ours."""
    value, gradient = made["ours"]()
    found = {}
    for name in THEIRS:
        its_value, its_gradient = made[name]()
        of_gradient = float(np.abs(its_gradient - gradient).max() / np.abs(gradient).max())
        found[name] = max(abs(its_value - value) / value, of_gradient)
        if found[name] > 1e-9:
            raise SystemExit(f"{name} computes something else: {found[name]:.1e} off")
    return found


def compare_epochs(problem: Problem, fitted: Array, pairs: int, report: Report) -> list[Epoch]:
    """One loss and gradient, with F_k'' at all points, as fits do, and at every second one each way."""
    compared = []
    for stride in (1, 2):
        differ = differences(evaluations(problem, problem.start("random"), stride))
        for state, parameters in (("start", problem.start("wells")), ("end", fitted)):
            made = evaluations(problem, parameters, stride)
            for work in made.values():
                work()  # what is prepared once is not what an epoch costs
            seconds: dict[str, list[float]] = {name: [] for name in made}
            for _ in range(pairs):
                for name, work in made.items():
                    seconds[name].append(cpu_timed(work)[0])
                report("loss and gradient")
            ratios = {
                name: median(one / two for one, two in zip(seconds[name], seconds["ours"], strict=True))
                for name in THEIRS
            }
            medians = {name: median(found) for name, found in seconds.items()}
            compared.append(Epoch(stride, state, medians, ratios, pairs, differ))
    return compared


def compare_fits(problem: Problem, iterations: int, report: Report) -> tuple[Fit, Array]:
    """CPU seconds until T* is known to `ACCURACY_K` and stays so, and the seconds of `EPOCHS` of Adam."""
    plain = {
        stride: Straightforward(problem.landscape, CONFIGURATIONS, problem.network.gamma, CONVEXITY, stride)
        for stride in (1, 2)
    }
    adam = {stride: torch.optim.Adam(one.parameters(), 1e-3) for stride, one in plain.items()}
    epochs: dict[int, list[float]] = {1: [], 2: []}

    def epoch(stride: int) -> None:
        adam[stride].zero_grad()
        plain[stride].loss().backward()
        adam[stride].step()

    looks: list[Look] = []
    settings = Settings(start="wells", iterations=iterations)
    spent, states = cpu_timed(lambda: begun(problem, settings))
    while True:
        seconds, state = cpu_timed(partial(next, states))
        spent += seconds
        if state.iteration % LOOK and not state.reason:
            continue
        error = problem.error_of_critical_temperature(state.parameters)
        looks.append(Look(state.iteration, spent, state.value, error))
        for stride, measured in epochs.items():
            measured += [cpu_timed(partial(epoch, stride))[0] for _ in range(3)]
        report(f"fit: {error:+.2f} K")
        if state.reason:
            break
    first, settled = reached(looks)
    slopes = {stride: median(measured) for stride, measured in epochs.items()}
    ratios = {stride: EPOCHS * slope / settled.seconds for stride, slope in slopes.items()}
    return Fit(first, settled, looks, slopes, len(epochs[1]), ratios), state.parameters


def begun(problem: Problem, settings: Settings) -> Any:
    """The states of our fit; what comes before the first one is done here."""
    return fit(problem.network, problem.landscape, Weights(convexity=CONVEXITY), settings, 0)


def reached(looks: list[Look]) -> tuple[Look, Look]:
    """The first look with an error within `ACCURACY_K`, and the first one after which it stays there."""
    close = [abs(look.error) <= ACCURACY_K for look in looks]
    if not close[-1]:
        raise SystemExit(f"T* is {looks[-1].error:+.3f} K off in the end: more iterations are needed")
    later = max((i + 1 for i, one in enumerate(close) if not one), default=0)
    return looks[close.index(True)], looks[later]


def markdown(facts: dict[str, Any], problem: Problem, epochs: list[Epoch], fit: Fit) -> str:
    """The page."""
    M, N = problem.landscape.free_energies.shape
    lines = [
        "# zenn.landscape beside a straightforward ZENN",
        "",
        f"The inverse problem of Fe3Pt: {CONFIGURATIONS} configurations, {problem.network.size} parameters, "
        f"{N} volumes x {M} temperatures,",
        f"lambda = {CONVEXITY:g}. {CRITICAL}",
        "CPU seconds of one thread. Ours and theirs took turns, and ratios are medians over these pairs: on",
        "a shared machine times vary, ratios less.",
        "",
        "## Loss and gradient",
        "",
        "In ms, with theirs / ours in brackets. Ours is `Objective.value_and_gradient`. Theirs is "
        "`straightforward_zenn.py`:",
        "",
        *(f"* {name}: {what}." for name, what in THEIRS.items()),
        "",
        f"| F_k'' at | parameters | ours | {' | '.join(THEIRS)} |",
        "| --- | --- |" + " ---: |" * (1 + len(THEIRS)),
    ]
    for one in epochs:
        where = "all points, as in fits" if one.stride == 1 else "every second point each way"
        cells = [f"{1000 * one.seconds[name]:.3g} ({one.ratios[name]:.3g})" for name in THEIRS]
        ours = f"{1000 * one.seconds['ours']:.3g}"
        lines.append(f"| {where} | {one.state} of a fit | {ours} | {' | '.join(cells)} |")
    worst = max(value for one in epochs for value in one.differences.values())
    settled, last, slope = fit.settled, fit.looks[-1], fit.seconds_per_epoch[1]
    lines += [
        "",
        f"Losses and gradients differ by {worst:.1e} or less, at random parameters. {epochs[0].pairs} pairs.",
        "Fits take F_k'' half a step beyond both ends of the window as well: 4 % more points.",
        "",
        "## A fit",
        "",
        f"* Ours: |T* - truth| <= {ACCURACY_K:g} K from {settled.seconds:.3g} s ({settled.iteration} "
        f"iterations) to the end, {last.seconds:.3g} s; for the first time after {fit.first.seconds:.3g} s.",
        f"  The start 'wells' is included; looking at T* every {LOOK} iterations is not. The truth is "
        f"{problem.critical_temperature:.3f} K.",
        "  So is compiling, about 10 s where numba's cache does not have the kernels yet.",
        f"* Theirs: {EPOCHS} epochs of Adam with the loop, {EPOCHS * slope:.3g} s, extrapolated from "
        f"{fit.epochs_measured} epochs of {1000 * slope:.3g} ms",
        "  in the course of our fit. Nobody ran all of them: how far off their T* would be is unknown.",
        f"* Theirs / ours: {fit.ratios[1]:.3g}, or {fit.ratios[2]:.3g} if theirs too took F_k'' at every "
        "second point each way.",
        "",
        "| iteration | CPU s | loss | error of T*, K |",
        "| ---: | ---: | ---: | ---: |",
        *(
            f"| {look.iteration} | {look.seconds:.1f} | {look.loss:.1e} | {look.error:+.3f} |"
            for look in fit.looks[1::2]
        ),
    ]
    return "\n".join([*lines, *measured_on(facts), ""])


def main() -> None:
    """Run all parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="repetitions of loss and gradient")
    parser.add_argument("--iterations", type=int, default=1500, help="quasi-Newton steps of the fit")
    parser.add_argument("--optimisers", action="store_true", help="compare optimisers instead: 8 CPU minutes")
    parser.add_argument("--seconds", type=float, default=30.0, help="CPU time of each optimiser")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    facts = machine("numpy", "scipy", "numba", "torch")
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("benchmark")

        def report(what: str) -> None:
            progress.update(bar, advance=1, description=what)

        if chosen.optimisers:
            progress.update(bar, total=optimisers.RUNS)
            runs = optimisers.compare(chosen.seconds, report)
            name, text = "optimisers", optimisers.markdown(facts, runs, chosen.seconds)
            content = {"machine": facts, "runs": [asdict(run) for run in runs]}
        else:
            problem = fe3pt(CONFIGURATIONS)
            progress.update(bar, total=-(-chosen.iterations // LOOK) + 4 * chosen.pairs)
            found, parameters = compare_fits(problem, chosen.iterations, report)
            epochs = compare_epochs(problem, parameters, chosen.pairs, report)
            name, text = "landscape", markdown(facts, problem, epochs, found)
            content = {"machine": facts, "epochs": [asdict(one) for one in epochs], "fit": asdict(found)}
    write(name, text, content)


if __name__ == "__main__":
    main()
