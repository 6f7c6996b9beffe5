"""A trained network as a file of safetensors; never a pickle."""

from __future__ import annotations

import json
from pathlib import Path

from zenn.checkpoints import read_tensors, write_tensors
from zenn.errors import InputError
from zenn.files import parse_json
from zenn.laws.network import Subnetwork

NETWORK = "network.safetensors"
_KIND = "zenn.laws siamese subnetwork"
_LARGEST = 1 << 12  # pixels of a side, and frames


def save_network(path: Path, network: Subnetwork) -> None:
    """Write the parameters of Table I and the size of its pictures."""
    # one note and not three: their order in the file is not fixed, and equal networks are equal files
    notes = {"network": json.dumps({"kind": _KIND, "pixels": network.pixels, "frames": network.frames})}
    write_tensors(path, network.state_dict(), notes)


def load_network(path: Path, device: str = "cpu") -> Subnetwork:
    """The network in the file `path`, ready to represent pictures.

    Raises
    ------
    InputError : the file is missing, cut, or of another kind of network.
    """
    expected = "a whole network that `train` wrote"
    tensors, notes = read_tensors(path, expected)
    try:
        said = parse_json(notes.get("network", "{}"))
    except ValueError as error:
        raise InputError(path, "", error, expected) from None
    if not isinstance(said, dict) or said.get("kind") != _KIND:
        raise InputError(path, "", "another file of safetensors", expected)
    pixels, frames = said.get("pixels"), said.get("frames")
    if not (
        isinstance(pixels, int) and isinstance(frames, int) and 0 < frames < _LARGEST and pixels < _LARGEST
    ):
        raise InputError(path, "", f"{frames} frames of {pixels} pixels", expected)
    network = Subnetwork(pixels, frames)
    for name, value in network.state_dict().items():
        found = tuple(tensors[name].shape) if name in tensors else "nothing"
        if found != tuple(value.shape):
            raise InputError(path, name, found, f"numbers of the shape {tuple(value.shape)}")
        if not bool(tensors[name].isfinite().all()):
            raise InputError(path, name, "numbers that are not finite", "finite numbers")
    unknown = sorted(set(tensors) - set(network.state_dict()))
    if unknown:
        raise InputError(path, "", unknown, "the tensors of Table I alone")
    network.load_state_dict(tensors)
    return network.to(device).eval()
