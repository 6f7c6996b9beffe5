"""Fitted networks and unfinished fits as files: a JSON description beside safetensors, never a pickle."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zenn.checkpoints import read_arrays, write_arrays
from zenn.errors import InputError
from zenn.files import read_json, write_json
from zenn.landscape.fitting import Settings, fit
from zenn.landscape.inverse_hessian import InverseHessian
from zenn.landscape.landscapes import Landscape
from zenn.landscape.losses import Weights
from zenn.landscape.minimise import DivergedError, State
from zenn.landscape.networks import Network, from_specification, specification

Array = NDArray[np.float64]

NETWORK = "network.json"
PARAMETERS = "parameters.safetensors"
SAVE_EVERY = 20.0
"""Seconds between two states on disk; a killed fit repeats at most these, and ends at the same result."""


def save_network(folder: Path, network: Network, parameters: Mapping[str, Array]) -> None:
    """Write a network and its named vectors of parameters (one per seed, say) into a folder."""
    write_json(folder / NETWORK, specification(network))
    write_arrays(folder / PARAMETERS, parameters, {})


def load_network(folder: Path) -> tuple[Network, dict[str, Array]]:
    """The network of a folder and its vectors of parameters by name.

    Raises
    ------
    InputError : a file is missing, cut, or does not belong to the other.
    """
    path = folder / NETWORK
    try:
        description = read_json(path)
        network = from_specification(description)
        size = network.size
    except FileNotFoundError:
        raise InputError(folder, "", f"no {NETWORK}", "a folder with a fitted network") from None
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise InputError(path, "", error, "the description of a network") from None
    parameters, _ = read_arrays(folder / PARAMETERS)
    for name, vector in parameters.items():
        if vector.shape != (size,) or vector.dtype != np.float64:
            found = f"{vector.dtype} of shape {vector.shape}"
            expected = f"float64 of shape ({size},), for the network of {NETWORK}"
            raise InputError(folder / PARAMETERS, name, found, expected)
    return network, parameters


@dataclass(frozen=True, eq=False)
class Fitted:
    """The end of a fit: its state, and the loss after every quasi-Newton step, NaN for those of a trial."""

    state: State
    history: Array


def run_fit(
    network: Network,
    landscape: Landscape,
    weights: Weights,
    settings: Settings,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[State], None] = lambda state: None,
) -> Fitted:
    """Fit, saving the state to the file `checkpoint` now and then; goes on from there if it is there.

    A fit that was killed ends at the result of one that was not. A checkpoint of another fit is refused.

    Raises
    ------
    InputError : as `zenn.landscape.fitting.fit`; a checkpoint that cannot be used.
    DivergedError : the loss is not finite; the last good parameters are saved beside `checkpoint`.
    """
    digest = _digest(network, landscape, weights, settings, seed)
    state: State | None = None
    losses: list[float] = []
    if checkpoint is not None and checkpoint.is_file():
        state, losses = _read_state(checkpoint, digest)
        progress(state)
    saved = time.monotonic()
    ended = state is not None and state.reason  # its last line search is not to be tried again
    try:
        for now in () if ended else fit(network, landscape, weights, settings, seed, state):
            state = now
            if state.iteration > len(losses):
                losses += [math.nan] * (state.iteration - 1 - len(losses))  # of trials of several starts
                losses.append(state.value)
            progress(state)
            if checkpoint is not None and not state.reason and time.monotonic() - saved > SAVE_EVERY:
                _write_state(checkpoint, state, losses, digest)
                saved = time.monotonic()
    except DivergedError as error:
        if checkpoint is None:
            raise
        kept = checkpoint.with_name(f"{checkpoint.stem}-last-good")
        save_network(kept, network, {"parameters": error.last_good})
        raise DivergedError(f"{error}. The last good parameters are in {kept}", error.last_good) from None
    assert state is not None
    if checkpoint is not None and checkpoint.is_file():
        _write_state(checkpoint, state, losses, digest)  # a long fit that ended is not fitted again
    return Fitted(state, np.array(losses))


def _digest(network: Network, landscape: Landscape, weights: Weights, settings: Settings, seed: int) -> str:
    """What tells one fit from another."""
    said = [specification(network), asdict(weights), asdict(settings), seed, landscape.boltzmann_constant]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name in ("points", "weights", "temperatures", "free_energies", "density_temperature"):
        digest.update(np.ascontiguousarray(getattr(landscape, name)).tobytes())
    for optional in (landscape.slopes, landscape.entropies):
        digest.update(b"" if optional is None else np.ascontiguousarray(optional).tobytes())
    return digest.hexdigest()


def _write_state(path: Path, state: State, losses: list[float], digest: str) -> None:
    arrays = {
        "parameters": state.parameters,
        "gradient": state.gradient,
        "losses": np.array(losses),
        "numbers": np.array([state.value, 1.0 if state.inverse is None else state.inverse.scale]),
    }
    if state.direction is not None:
        arrays["direction"] = state.direction
    if state.inverse is not None:  # row by row, what is kept column by column
        arrays["updates"] = state.inverse.pairs.T
        if state.inverse.matrix is not None:
            arrays["inverse"] = state.inverse.matrix.T
    counts = {"iteration": str(state.iteration), "evaluations": str(state.evaluations)}
    write_arrays(path, arrays, {"fit": digest, "reason": state.reason, **counts})


def _read_state(path: Path, digest: str) -> tuple[State, list[float]]:
    arrays, notes = read_arrays(path)
    if notes.get("fit") != digest:
        hint = "Remove it to begin anew, or give the parameters and data it was begun with"
        raise InputError(path, "", "the state of another fit", "that of this one", hint)
    try:
        n, inverse = len(arrays["parameters"]), None
        shapes = {"gradient": (n,), "direction": (n,), "inverse": (n, n), "numbers": (2,)}
        for name, shape in shapes.items():
            if name in arrays and arrays[name].shape != shape:
                raise ValueError(f"{name} of shape {arrays[name].shape} for {n} parameters")
        value, scale = (float(number) for number in arrays["numbers"])
        if "updates" in arrays:
            if arrays["updates"].ndim != 2 or arrays["updates"].shape[1] != n:
                raise ValueError(f"updates of shape {arrays['updates'].shape} for {n} parameters")
            matrix = arrays.get("inverse")
            inverse = InverseHessian(
                scale, arrays["updates"].T, None if matrix is None else np.asfortranarray(matrix.T)
            )
        state = State(
            arrays["parameters"],
            value,
            arrays["gradient"],
            int(notes["iteration"]),
            int(notes["evaluations"]),
            inverse,
            arrays.get("direction"),
            notes["reason"],
        )
        return state, [float(loss) for loss in arrays["losses"]]
    except (KeyError, ValueError, TypeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(path, "", found, "the whole state of a fit", "Remove it to begin anew") from None
