"""A trained network as a file of safetensors; never a pickle."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zenn.errors import InputError
from zenn.files import atomic_file, parse_json
from zenn.laws.network import Subnetwork

NETWORK = "network.safetensors"
_KIND = "zenn.laws siamese subnetwork"
_LARGEST = 1 << 12  # pixels of a side, and frames


def save_network(path: Path, network: Subnetwork) -> None:
    """Write the parameters of Table I and the size of its pictures."""
    # one note and not three: their order in the file is not fixed, and equal networks are equal files
    notes = {"network": json.dumps({"kind": _KIND, "pixels": network.pixels, "frames": network.frames})}
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic_file(path) as temporary:
        save_file(tensors, temporary, notes)


def load_network(path: Path, device: str = "cpu") -> Subnetwork:
    """The network in the file `path`, ready to represent pictures.

    Raises
    ------
    InputError : the file is missing, cut, or of another kind of network.
    """
    expected = "a whole network that `train` wrote"
    try:
        with safe_open(path, framework="pt") as file:
            said = parse_json((file.metadata() or {}).get("network", "{}"))
            # the file is no mapping: it cannot be iterated over itself
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
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
