"""A fitted `LandscapeModel` as files: its network as `zenn.landscape.store` has it, constants, windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from zenn.csv_table import Column, finite, positive, read_table, write_columns
from zenn.errors import InputError
from zenn.files import read_json, write_json
from zenn.landscape.model import FittedLandscape, LandscapeModel
from zenn.landscape.store import NETWORK, PARAMETERS, load_network, save_network
from zenn.landscape.surface import NetworkSurface

MODEL, CONSTANTS = "model.json", "constants.csv"
FILES = (MODEL, CONSTANTS, NETWORK, PARAMETERS)
VECTOR = "fit"
"""Name of the vector of parameters."""

_COLUMNS = (
    Column("temperature", positive, "a temperature above 0"),
    Column("constant", finite, "a finite number"),
    Column("rms_error", finite, "a finite number"),
)


def save_model(folder: Path | str, model: LandscapeModel) -> None:
    """Write `model.json`, `constants.csv`, `network.json` and `parameters.safetensors` into a folder.

    Raises
    ------
    InputError : the model has no fit.
    """
    folder, result = Path(folder), model.result
    surface = result.surface
    parameters = {**model.get_params(), "gamma": str(float(model.gamma))}  # JSON has no infinity
    parameters = {name: getattr(value, "tolist", lambda v=value: v)() for name, value in parameters.items()}
    write_json(folder / MODEL, {"parameters": parameters, "domain": result.domain})
    columns = (result.temperatures, result.constants, result.errors)
    write_columns(folder / CONSTANTS, dict(zip((c.name for c in _COLUMNS), columns, strict=True)))
    save_network(folder, surface.network, {VECTOR: surface.parameters.numpy()})


def load_model(folder: Path | str) -> LandscapeModel:
    """The model that `save_model` wrote into a folder.

    Raises
    ------
    InputError : a file is missing, cannot be read, or does not belong to the others.
    """
    folder = Path(folder)
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(folder, "", f"no {name}", "a folder with a fitted landscape")
    try:
        network, vectors = load_network(folder)
    except InputError as error:
        if Path(error.source) in (folder, folder / NETWORK, folder / PARAMETERS):
            raise
        where = error.where or error.source.removeprefix("argument ")
        raise InputError(folder / NETWORK, where, error.found, error.expected, error.hint) from None
    if VECTOR not in vectors:
        raise InputError(folder / PARAMETERS, "", f"the vectors {sorted(vectors)}", f"one named {VECTOR!r}")
    path = folder / MODEL
    try:
        written: dict[str, Any] = read_json(path)
        domain = tuple((float(low), float(high)) for low, high in written["domain"])
        parameters = {**written["parameters"], "gamma": float(written["parameters"]["gamma"])}
        model = LandscapeModel().set_params(**parameters)
    except InputError as error:
        raise InputError(path, "parameters", error.found, error.expected, error.hint) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(path, "", repr(error), "parameters and domain of a fitted landscape") from None
    if len(domain) != network.dimensions:
        raise InputError(path, "domain", f"{len(domain)} windows", f"{network.dimensions}, as {NETWORK} has")
    table = read_table(folder / CONSTANTS, _COLUMNS).numbers
    temperatures = np.array(table["temperature"])
    if np.any(np.diff(temperatures) <= 0):
        raise InputError(folder / CONSTANTS, "column 'temperature'", temperatures, "increasing temperatures")
    surface = NetworkSurface(network, torch.from_numpy(vectors[VECTOR].copy()))
    rest = (np.array(table["constant"]), np.array(table["rms_error"]))
    return model.restore(FittedLandscape(surface, domain, temperatures, *rest))
