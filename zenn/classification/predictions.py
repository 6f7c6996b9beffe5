"""What a training leaves for evaluation: E, S, labels and temperatures of every seed, in one file.

`predictions.safetensors` holds, for the splits validation and test, `<split>/labels`, `<split>/sources` and
`<split>/original_labels` where known, and for every seed `seed-<n>/<split>/E`, `seed-<n>/<split>/S` where S
is not 0 (float32, (N, K)), `seed-<n>/temperatures` and `seed-<n>/prior` (N_T,).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zenn.checkpoints import read_arrays, write_arrays
from zenn.classification.data import DataSet
from zenn.classification.outputs import Outputs
from zenn.classification.training import Trained
from zenn.errors import InputError
from zenn.files import parse_json

Integers = NDArray[np.int64]

PREDICTIONS = "predictions.safetensors"
SPLITS = ("validation", "test")
_OF_SAMPLES = ("labels", "sources", "original_labels")


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of the samples of one split, as in `zenn.classification.data.Split`."""

    labels: Integers
    sources: Integers | None
    original_labels: Integers | None


@dataclass(frozen=True, eq=False)
class Predictions:
    """All seeds of one run: what is known of each split, and outputs by seed and split.

    classes, sources : names. notes : how the run was made (loss, omega, model), for the reader.
    """

    truth: dict[str, Truth]
    outputs: dict[int, dict[str, Outputs]]
    classes: tuple[str, ...]
    sources: tuple[str, ...]
    notes: dict[str, Any]


def save_predictions(
    folder: Path, data: DataSet, trained: Mapping[int, Trained], notes: Mapping[str, Any]
) -> None:
    """Write `predictions.safetensors` into `folder`; `notes` has boltzmann_constant and gamma."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in SPLITS:
        for key in _OF_SAMPLES:
            value = getattr(data.splits[name], key)
            if value is not None:
                arrays[f"{name}/{key}"] = value
    for seed, end in trained.items():
        for name, outputs in end.outputs.items():
            arrays[f"seed-{seed}/{name}/E"] = outputs.energies
            if outputs.entropies is not None:
                arrays[f"seed-{seed}/{name}/S"] = outputs.entropies
        arrays[f"seed-{seed}/temperatures"] = end.temperatures
        arrays[f"seed-{seed}/prior"] = end.prior
    said = {
        "seeds": list(trained),
        "classes": list(data.classes),
        "sources": list(data.sources),
        "notes": dict(notes),
    }
    write_arrays(folder / PREDICTIONS, arrays, {"predictions": json.dumps(said, sort_keys=True)})


def load_predictions(folder: Path) -> Predictions:
    """The predictions that a training left in `folder`.

    Raises
    ------
    InputError : the file is missing, cut, or something else.
    """
    path = folder / PREDICTIONS
    stored, notes = read_arrays(path)
    arrays: Mapping[str, NDArray[Any]] = stored
    try:
        said = parse_json(notes["predictions"])
        truth = {
            name: Truth(arrays[f"{name}/labels"], *(arrays.get(f"{name}/{key}") for key in _OF_SAMPLES[1:]))
            for name in SPLITS
        }
        outputs = {
            seed: {name: _outputs(arrays, f"seed-{seed}", name, said["notes"]) for name in SPLITS}
            for seed in said["seeds"]
        }
        return Predictions(truth, outputs, tuple(said["classes"]), tuple(said["sources"]), said["notes"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(path, "", found, "the predictions of a training") from None


def _outputs(arrays: Mapping[str, Any], seed: str, split: str, notes: Mapping[str, Any]) -> Outputs:
    prior = arrays[f"{seed}/prior"].astype(np.float64)
    return Outputs(
        arrays[f"{seed}/{split}/E"],
        arrays.get(f"{seed}/{split}/S"),
        arrays[f"{seed}/temperatures"],
        prior / prior.sum(),
        float(notes["boltzmann_constant"]),
        float(notes["gamma"]),
    )
