"""Any model of timm with a new head; timm's own loader, which leaves out what does not fit, is not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zenn.classification.encoders._torchvision import import_timm
from zenn.classification.encoders._weights import Shapes, read_safetensors, refuse_differences
from zenn.errors import InputError, did_you_mean

COUNTER = "num_batches_tracked"
"""Of a batch norm: older files lack it, and nothing that timm builds depends on it."""


@dataclass(frozen=True)
class TimmModel:
    """What timm says of one of its models.

    name : with the tag of its weights. size : height and width it was made for. mean, std : of each channel
    of pixels in [0, 1]. repository : its weights on the Hugging Face Hub, or "".
    """

    name: str
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    repository: str


def is_timm_model(name: str) -> bool:
    """Whether timm has a model of this name, with or without the tag of its weights, or `timm/` before it."""
    bare = name.removeprefix("timm/")
    return ":" not in bare and bool(import_timm().is_model(bare))


def timm_names() -> list[str]:
    """Every name of timm, without tags."""
    return list(import_timm().list_models())


def timm_model(name: str) -> TimmModel:
    """What timm says of a model.

    Raises
    ------
    InputError : timm has none of that name, or no such weights of it.
    """
    timm, bare = import_timm(), name.removeprefix("timm/")
    if not is_timm_model(name):
        hint = did_you_mean(bare.partition(".")[0], timm_names())
        raise InputError("argument --model", "", repr(name), "a name of timm", hint)
    try:
        said = timm.models.get_pretrained_cfg(bare)
    except RuntimeError:
        tags = timm.list_pretrained(f"{bare.partition('.')[0]}.*")
        hint = did_you_mean(bare, tags)
        expected = f"one of {', '.join(tags)}" if tags else bare.partition(".")[0]
        raise InputError("argument --model", "", repr(name), expected, hint) from None
    if said is None:  # a model that nobody has published weights of
        said = import_timm().models.PretrainedCfg(architecture=bare)
    _, height, width = said.input_size
    full = f"{said.architecture}.{said.tag}" if said.tag else str(said.architecture)
    return TimmModel(full, (height, width), tuple(said.mean), tuple(said.std), said.hf_hub_id or "")


class TimmClassifier(nn.Module):
    """A model of timm, one output per class; images are brought to its size (bilinear, smoothed).

    size : height and width that it sees. options : of timm.create_model, such as drop_path_rate. weights : a
    safetensors file of timm's names (or the folder of `model.safetensors`), None for random ones; its head is
    left out.

    Raises
    ------
    InputError : timm does not know the name or an option; the weights are those of another model.
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        classes: int,
        options: Mapping[str, Any] | None = None,
        weights: Path | None = None,
    ) -> None:
        super().__init__()
        if min(size) < 1:
            raise InputError("encoder", "size", list(size), "a height and a width of 1 or more")
        if not is_timm_model(name):
            hint = did_you_mean(name, timm_names())
            raise InputError("encoder", "model", repr(name), "a name of timm", hint)
        self.size = size
        try:
            self.network: Any = import_timm().create_model(
                name, pretrained=False, num_classes=classes, **(options or {})
            )
        except (TypeError, RuntimeError, ValueError) as error:
            raise InputError("encoder", name, error, "options that timm knows of this model") from None
        if weights is not None:
            self._load(weights)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, classes) of normalised `pixels` (B, 3, H, W)."""
        pixels = batch["pixels"]
        if tuple(pixels.shape[2:]) != self.size:
            pixels = nn.functional.interpolate(pixels, self.size, mode="bilinear", antialias=True)
        values: Tensor = self.network(pixels)
        return values

    def _load(self, path: Path) -> None:
        """Take the weights of a file, all but the head."""
        named = self.network.default_cfg.get("classifier") or ()
        heads = tuple(f"{head}." for head in ((named,) if isinstance(named, str) else named))
        if not heads:
            expected = "a model of which timm names the head"
            raise InputError(path, "", "weights of a model without a head", expected, "Give random weights")
        tensors = read_safetensors(path)
        needed = self.network.state_dict()
        kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(heads)}
        for name, tensor in needed.items():
            if name.startswith(heads) or (name.endswith(COUNTER) and name not in kept):
                kept[name] = tensor
        found: Shapes = {name: tuple(tensor.shape) for name, tensor in kept.items()}
        refuse_differences(path, found, {name: tuple(tensor.shape) for name, tensor in needed.items()})
        with torch.no_grad():
            for name, tensor in needed.items():
                tensor.copy_(kept[name])
