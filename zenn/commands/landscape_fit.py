"""`zenn landscape fit`: a table of free energies in, a folder with the fitted networks out."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zenn.commands import landscape_summary as summary
from zenn.commands.results import check_out, note, progress, results_folder, write_metadata
from zenn.errors import InputError
from zenn.files import read_json, write_json
from zenn.progress import Progress

if TYPE_CHECKING:
    import numpy as np

    from zenn.landscape import LandscapeModel, LandscapeTable, Selection, Zenn
    from zenn.landscape.landscapes import Landscape
    from zenn.landscape.minimise import State
    from zenn.landscape.model import Problem
    from zenn.landscape.selection import Measured
    from zenn.landscape.store import Fitted

UNITS = (
    "Those of the table, which have to agree: slopes are energy per x, curvatures energy per squared x, "
    "entropies energy per temperature. One constant of F per temperature is that of the table."
)
LIBRARIES = ("numpy", "scipy", "torch")
AUTO = "auto"
REQUEST = "request.json"
"""Of a folder of checkpoints: what it belongs to."""

CURVE = 201
"""Points of a curve of the fit."""

STUCK = 0.1
"""Of the range of F: an error of a fit that found no way down any more, above which that is said."""

LARGE_ENTROPIES = 20.0
"""In gamma k_B; above, (S_k / (gamma k_B))^2 of Eq. 6 takes digits from everything else."""


@dataclass(frozen=True)
class FitOptions:
    """The options of `zenn landscape fit`, as given."""

    k: str
    boltzmann_constant: float
    gamma: float
    convexity: float
    slope_weight: float
    entropy_weight: float
    iterations: int
    start: Literal["wells", "random"] | None
    seed: int
    hold_out: bool
    tolerance: float
    k_most: int
    density_temperature: str | None
    unit_check: bool
    x_name: str
    energy_unit: str
    temperature_unit: str

    def __post_init__(self) -> None:
        positive, natural = "a finite number above 0", "an integer of 1 or more"
        _require(
            "--boltzmann-constant", self.boltzmann_constant, 0 < self.boltzmann_constant < math.inf, positive
        )
        _require("--gamma", self.gamma, self.gamma > 0, "a number above 0, or inf")
        for option in ("convexity", "slope_weight", "entropy_weight"):
            value = getattr(self, option)
            _require(
                f"--{option.replace('_', '-')}", value, 0 <= value < math.inf, "a finite number of 0 or more"
            )
        _require("--iterations", self.iterations, self.iterations >= 1, natural)
        _require("--k-most", self.k_most, self.k_most >= 1, natural)
        _require("--seed", self.seed, 0 <= self.seed < 2**63, "an integer of 0 or more")
        _require("--tolerance", self.tolerance, 0 < self.tolerance < 1, "a number between 0 and 1")
        known = self.k == AUTO or (self.k.isdecimal() and int(self.k) >= 1)
        _require("--k", repr(self.k), known, f"{natural}, or {AUTO}")

    @property
    def configurations(self) -> int | None:
        """K, or None where the data decide."""
        return None if self.k == AUTO else int(self.k)

    def density_temperatures(self, temperatures: np.ndarray) -> np.ndarray | float | None:
        """T_d as the option says; None leaves it to the model."""
        text = self.density_temperature
        if text is None or text == "physical":
            return None if text is None else temperatures
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        _require("--density-temperature", repr(text), 0 < value < math.inf, "a temperature, or physical")
        return value


def run_fit(path: Path, out: Path, options: FitOptions) -> None:
    """`fit`.

    Raises
    ------
    InputError : an option or the table cannot be used; a checkpoint of another fit is in the way.
    NotConvergedError : the loss is not finite.
    """
    check_out(out)
    import numpy as np
    import torch

    from zenn.csv_table import write_columns
    from zenn.landscape.minimise import DivergedError
    from zenn.landscape.model import LandscapeModel
    from zenn.landscape.reduced import refuse_units
    from zenn.landscape.table import read_landscape

    torch.set_num_threads(
        1
    )  # small matrices: more threads only wait for each other, and sum in another order
    data = read_landscape(path)
    if np.all(data.free_energies == data.free_energies[:, :1]):
        raise InputError(path, "column 'free_energy'", "the same F at every x", "F that depends on x")
    if options.unit_check:
        refuse_units(
            data.free_energies,
            data.temperatures,
            options.boltzmann_constant,
            "argument --boltzmann-constant",
            "--no-unit-check",
        )
    model = LandscapeModel(
        options.configurations or 1,
        boltzmann_constant=options.boltzmann_constant,
        gamma=options.gamma,
        convexity=options.convexity,
        slope=options.slope_weight,
        entropy=options.entropy_weight,
        iterations=options.iterations,
        start=options.start,
        seed=options.seed,
        unit_check=options.unit_check,
    )
    _check_against(data, options)
    problem = _problem(model, data, options)
    searching = options.configurations is None or options.hold_out
    if searching:
        _refuse_too_few(problem, path)
    _note_entropies(problem)
    kept = out.with_name(f"{out.name}.checkpoints")
    _refuse_another(kept, path, options)
    try:
        selection = None
        if searching:
            selection = _select(problem, options, kept)
            model.set_params(configurations=selection.configurations, iterations=selection.iterations)
            problem = _problem(model, data, options)
        fitted = _fit(problem, problem.landscape, kept / "fit.safetensors", "fit")
    except DivergedError as error:
        hint = "Look at --boltzmann-constant, or give another --start or --seed or a higher "
        raise DivergedError(f"{error}. {hint}--density-temperature", error.last_good) from None
    except BaseException as error:
        if {file.name for file in kept.iterdir()} == {REQUEST}:
            shutil.rmtree(kept)  # nothing to go on from
        elif isinstance(error, KeyboardInterrupt):
            note(f"the same command goes on from {kept}")
        raise
    model.adopt(problem, fitted.state.parameters)
    with results_folder(out) as folder:
        errors = _errors(model, data, problem)
        _write(folder, model, data, problem, fitted, selection)
        write_columns(folder / "errors.csv", errors)
        if len(data.names) == 1:
            with progress("drawing"):
                _draw(folder, options)
        write_metadata(
            folder,
            "fit",
            [path],
            {**asdict(options), "gamma": str(options.gamma), "configurations": model.configurations},
            subject="landscape",
            units=UNITS,
            libraries=LIBRARIES,
            landscape=_described(data, problem),
            fit={
                "loss": fitted.state.value,
                "iterations": fitted.state.iteration,
                "stopped_by": fitted.state.reason,
            },
        )
    shutil.rmtree(kept, ignore_errors=True)
    _note_stuck(fitted, errors)
    summary.show_fit(
        model.configurations,
        fitted.state,
        errors,
        selection,
        options.tolerance,
        options.boltzmann_constant,
    )
    summary.show_folder(out)


def _check_against(data: LandscapeTable, options: FitOptions) -> None:
    """Refuse weights of columns that the table does not have; point out columns that are not used."""
    numbered = len(data.names) > 1
    for option, weight, column, given in (
        ("--slope-weight", options.slope_weight, "slope1, slope2, ..." if numbered else "slope", data.slopes),
        ("--entropy-weight", options.entropy_weight, "entropy", data.entropies),
    ):
        if weight and given is None:
            raise InputError(f"argument {option}", "", weight, f"0: the table has no column {column}")
        if not weight and given is not None:
            note(f"the column {column} is not used without {option}")
    for option, wanted in (
        ("--start wells", options.start == "wells"),
        ("--convexity", options.convexity > 0),
    ):
        if numbered and wanted:
            raise InputError(
                f"argument {option}", "", f"{len(data.names)} coordinates", "one coordinate for it"
            )


def _problem(model: LandscapeModel, data: LandscapeTable, options: FitOptions) -> Problem:
    return model.problem(
        data.points,
        data.temperatures,
        data.free_energies,
        data.weights,
        data.slopes if options.slope_weight else None,
        data.entropies if options.entropy_weight else None,
        options.density_temperatures(data.temperatures),
    )


def _refuse_too_few(problem: Problem, path: Path) -> None:
    """Refuse a table of which nothing can be held out."""
    from zenn.landscape.selection import held_out

    try:
        held_out(problem.landscape)
    except InputError as error:
        raise InputError(path, "", error.found, error.expected, "Give a number --k") from None


def _note_entropies(problem: Problem) -> None:
    """Say so where entropies are out of proportion to gamma."""
    import numpy as np

    landscape, gamma = problem.landscape, problem.network.gamma
    if len(landscape.temperatures) < 2 or math.isinf(gamma):
        return
    slopes = -np.gradient(landscape.free_energies, landscape.temperatures, axis=0)
    largest = float(np.ptp(slopes, axis=1).max()) / landscape.boltzmann_constant
    if largest > LARGE_ENTROPIES * gamma:
        note(
            f"-dF/dT differs by {largest:.3g} k_B between points, much beside gamma = {gamma:g}: "
            "--gamma inf may be more precise"
        )


def _note_stuck(fitted: Fitted, errors: dict[str, np.ndarray]) -> None:
    """Say so where a fit came to rest far from the data."""
    rms, largest = float((errors["rms_error"] ** 2).mean() ** 0.5), errors["free_energy_range"].max()
    if fitted.state.reason == "no descent" and not rms < STUCK * largest:
        note(
            f"the fit came to rest with errors of {rms / largest:.0%} of the range of F: give another "
            "--start or --seed or a higher --density-temperature"
        )


def _require(option: str, value: object, met: bool, expected: str) -> None:
    if not met:
        raise InputError(f"argument {option}", "", value, expected)


def _refuse_another(kept: Path, path: Path, options: FitOptions) -> None:
    """Begin a folder of checkpoints, or refuse to go on with that of other data or options."""
    shown = {"x_name", "energy_unit", "temperature_unit"}  # of no account for the fit
    asked = {name: str(value) for name, value in asdict(options).items() if name not in shown}
    asked["table"] = hashlib.sha256(path.read_bytes()).hexdigest()
    request = kept / REQUEST
    if not kept.exists() or all(path.name.startswith(".") for path in kept.glob("*")):
        write_json(request, asked)  # nothing in it: of one that had no room, or was killed, at this line
        return
    try:
        same = read_json(request) == asked
    except (OSError, ValueError):
        same = False
    if not same:
        hint = "Remove it to begin anew, or give the table and options it was begun with"
        raise InputError(kept, "", "the state of another fit", "that of this one", hint)


def _select(problem: Problem, options: FitOptions, kept: Path) -> Selection:
    """K and steps by what is held out; errors measured on the way are kept, and so is a fit that ended."""
    import torch

    from zenn.landscape.selection import Measured, Score, held_out, marks, rms_error, select
    from zenn.landscape.surface import NetworkSurface

    energy, at = problem.units.energy, marks(options.iterations)

    def measured(K: int, training: Landscape, rest: Landscape) -> list[Measured]:
        ended, growing = kept / f"k{K}.json", kept / f"k{K}.jsonl"
        if ended.is_file():
            return _measured(ended, lambda: read_json(ended))
        found = {one.iteration: one for one in _read_measured(growing)}
        network = replace(problem.network, configurations=K)

        def look(state: State) -> None:
            if state.iteration in found or not (state.iteration in at or state.reason):
                return
            surface = NetworkSurface(network, torch.from_numpy(state.parameters))
            one = Measured(state.iteration, rms_error(surface, rest), rms_error(surface, training))
            found[state.iteration] = one
            with growing.open("a", encoding="utf-8") as file:  # before the state itself is saved
                file.write(json.dumps(one) + "\n")

        _fit(problem, training, kept / f"k{K}.safetensors", f"K = {K}", network, look)
        write_json(ended, list(found.values()))
        return list(found.values())

    def told(score: Score) -> None:
        best = score.best
        said = f"K = {score.configurations}: rms error {energy * best.held_out:.3g} held out"
        print(f"{said}, {energy * best.fitted:.3g} fitted, after {best.iteration} steps", flush=True)

    print(f"held out: {held_out(problem.landscape)[2]}", flush=True)
    K = options.configurations
    candidates = range(1, options.k_most + 1) if K is None else (K,)
    return select(problem.landscape, measured, options.tolerance, candidates, told)


def _read_measured(path: Path) -> list[Measured]:
    """What a fit that was killed had measured; a line that was cut is measured again.

    Raises
    ------
    InputError : it holds something else.
    """
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    found = _measured(path, lambda: map(json.loads, whole.splitlines()))
    if whole != content:
        os.truncate(path, len(whole))
    return found


def _measured(path: Path, read: Callable[[], Iterable[Any]]) -> list[Measured]:
    from zenn.landscape.selection import Measured

    try:
        found = [Measured(*one) for one in read()]
        if not all(type(one.iteration) is int for one in found):
            raise ValueError("a number of steps that is no integer")
        return [Measured(one.iteration, float(one.held_out), float(one.fitted)) for one in found]
    except (OSError, ValueError, TypeError, RecursionError, OverflowError) as error:
        hint = "Remove it to begin anew"
        raise InputError(path, "", error, "the errors of a fit that was stopped", hint) from None


def _fit(
    problem: Problem,
    landscape: Landscape,
    checkpoint: Path,
    what: str,
    network: Zenn | None = None,
    look: Callable[[State], None] = lambda state: None,
) -> Fitted:
    """A fit that says how it goes and keeps its state; `look` is shown every state."""
    from zenn.landscape.store import run_fit

    def told(state: State) -> None:
        look(state)
        shown.update(state.iteration, f"loss {state.value:.3e}")

    with Progress(what, problem.settings.iterations) as shown:
        return run_fit(
            network or problem.network,
            landscape,
            problem.weights,
            problem.settings,
            problem.seed,
            checkpoint,
            told,
        )


def _write(
    folder: Path,
    model: LandscapeModel,
    data: LandscapeTable,
    problem: Problem,
    fitted: Fitted,
    selection: Selection | None,
) -> None:
    """Everything but the metadata."""
    import numpy as np

    from zenn.csv_table import write_columns
    from zenn.landscape.saved_model import save_model

    save_model(folder, model)
    losses = fitted.history
    write_columns(folder / "history.csv", {"iteration": np.arange(1, len(losses) + 1), "loss": losses})
    if selection is not None:
        energy = problem.units.energy
        write_columns(
            folder / "selection.csv",
            {
                "configurations": [score.configurations for score in selection.scores],
                "iterations": [score.best.iteration for score in selection.scores],
                "held_out_rms_error": [energy * score.best.held_out for score in selection.scores],
                "fitted_rms_error": [energy * score.best.fitted for score in selection.scores],
            },
        )
    T, F = data.temperatures, data.free_energies
    M, N = F.shape
    d = len(data.names)
    points, at = np.tile(data.points, (M, 1)), np.repeat(T, N)
    columns = dict(zip(data.names, points.T, strict=True))
    columns |= {"temperature": at, "free_energy": F.ravel()}
    if d == 1:
        columns |= _of_fit(model, points[:, 0], at)
        x, t = np.tile(np.linspace(*model.result.domain[0], CURVE), M), np.repeat(T, CURVE)
        write_columns(folder / "curves.csv", {"x": x, "temperature": t, **_of_fit(model, x, t)})
    else:
        gradient, hessian = model.gradient(points, at), model.hessian(points, at)
        columns["fitted_free_energy"] = model.predict(points, at)
        columns |= {f"slope{i + 1}": gradient[:, i] for i in range(d)}
        columns["smallest_eigenvalue"] = np.linalg.eigvalsh(hessian)[:, 0]
    write_columns(folder / "fitted.csv", columns)


def _of_fit(model: LandscapeModel, x: np.ndarray, T: np.ndarray) -> dict[str, np.ndarray]:
    """F, F_x and F_xx of the fit, one coordinate."""
    return {
        "fitted_free_energy": model.predict(x, T),
        "slope": model.derivative(x, T, 1),
        "curvature": model.derivative(x, T, 2),
    }


def _errors(model: LandscapeModel, data: LandscapeTable, problem: Problem) -> dict[str, np.ndarray]:
    """How well each temperature is fitted."""
    import numpy as np

    T, F = data.temperatures, data.free_energies
    M, N = F.shape
    points = np.tile(data.points, (M, 1))
    fitted = model.predict(points if len(data.names) > 1 else points[:, 0], np.repeat(T, N))
    off = fitted.reshape(M, N) - F
    return {
        "temperature": T,
        "density_temperature": problem.data.density_temperature,
        "free_energy_range": np.ptp(F, axis=1),
        "rms_error": model.result.errors,
        "largest_error": np.abs(off).max(axis=1),
    }


def _draw(folder: Path, options: FitOptions) -> None:
    import pandas as pd

    from zenn.plots import user_landscapes as plots
    from zenn.plots.style import save

    tables = [pd.read_csv(folder / f"{name}.csv") for name in ("fitted", "curves")]
    table = plots.profiles_table(*tables)
    labels = plots.Labels(options.x_name, options.energy_unit, options.temperature_unit)
    save(plots.free_energy(table, labels), table, folder, "free_energy")
    save(plots.curvature(table, labels), table, folder, "curvature")


def _described(data: LandscapeTable, problem: Problem) -> dict[str, Any]:
    """The landscape in numbers, for the record."""
    from zenn.landscape.grids import grid_weights

    return {
        "coordinates": list(data.names),
        "points": len(data.points),
        "temperatures": len(data.temperatures),
        "domain": problem.data.domain,
        "weights": "of the table" if data.weights is not None else grid_weights(data.points)[1],
        "start": problem.settings.start,
        "energy_unit_of_the_fit": problem.units.energy,
        "temperature_unit_of_the_fit": problem.units.temperature,
    }
