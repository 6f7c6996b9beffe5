"""Fit a network to a landscape, from several seeds one after the other.

Input: for a landscape of kind `table`, `table`, a folder with `training.csv` as zenn.materials helmholtz-grid
writes it. Parameters: `landscape` with kind and what belongs to it; `network` with kind and what belongs to
it; `loss` with the weight of each term; `optimisation`; `seeds`. A killed fit goes on from its last state.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zenn.csv_table import write_columns
from zenn.given import Given
from zenn.landscape.minimise import State
from zenn.landscape.steps._given import read_landscape, read_network, read_settings, read_weights
from zenn.landscape.store import Fitted, run_fit, save_network
from zenn.progress import Progress

HISTORY = 400  # losses kept of a fit, evenly spaced; the last one always


def run(params: Given, inputs: Mapping[str, Path], out: Path, checkpoints: Path) -> None:
    """Write `network.json` and `parameters.safetensors` (a vector per seed), `fits.csv`, `history.csv`."""
    torch.set_num_threads(1)  # small matrices: more threads only wait for each other
    landscape = read_landscape(params, inputs)
    network = read_network(params, landscape)
    weights, settings, seeds = read_weights(params), read_settings(params), params.integers("seeds")
    fits: dict[int, Fitted] = {}
    for number, seed in enumerate(seeds, start=1):
        started = time.process_time()
        with Progress(f"seed {seed} ({number} of {len(seeds)})", settings.iterations) as progress:
            fits[seed] = run_fit(
                network,
                landscape,
                weights,
                settings,
                seed,
                checkpoints / f"seed-{seed}.safetensors",
                partial(_tell, progress),
            )
        state = fits[seed].state
        spent = time.process_time() - started
        said = f"loss {state.value:.4e} after {state.iteration} steps and {spent:.1f} CPU-s"
        print(f"seed {seed}: {said}, stopped by {state.reason}", flush=True)
    save_network(out, network, {str(seed): fitted.state.parameters for seed, fitted in fits.items()})
    write_columns(out / "fits.csv", _columns(fits, network.size))
    write_columns(out / "history.csv", _history(fits))


def _tell(progress: Progress, state: State) -> None:
    progress.update(state.iteration, f"loss {state.value:.3e}")


def _columns(fits: Mapping[int, Fitted], size: int) -> dict[str, list[Any]]:
    states = [fitted.state for fitted in fits.values()]
    return {
        "seed": [*fits],
        "parameters": [size] * len(fits),
        "loss": [state.value for state in states],
        "largest_gradient": [float(np.abs(state.gradient).max()) for state in states],
        "iterations": [state.iteration for state in states],
        "evaluations": [state.evaluations for state in states],
        "stopped_by": [state.reason for state in states],
    }


def _history(fits: Mapping[int, Fitted]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {"seed": [], "iteration": [], "loss": []}
    for seed, fitted in fits.items():
        known = np.flatnonzero(np.isfinite(fitted.history))
        for i in known[np.unique(np.linspace(0, len(known) - 1, min(len(known), HISTORY)).astype(int))]:
            columns["seed"].append(seed)
            columns["iteration"].append(int(i) + 1)
            columns["loss"].append(float(fitted.history[i]))
    return columns
