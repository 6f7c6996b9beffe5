"""Trained networks as files: `model.json` says what the parameters in `model.safetensors` belong to.

Parameters that were trained, and buffers, are stored for each seed, as `seed-<n>/<name>`. Those that stayed
as they were, such as the base of a LoRA, are the same in all seeds: they are stored once, as `frozen/<name>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zenn.checkpoints import write_tensors
from zenn.classification.data import DataSet
from zenn.classification.encoders import Shape
from zenn.classification.network import ZentropyNetwork
from zenn.classification.settings import TrainingSettings
from zenn.files import write_json

DESCRIPTION = "model.json"
PARAMETERS = "model.safetensors"
FROZEN = "frozen/"


def of_seed(seed: int) -> str:
    """What the names of a seed's own parameters begin with."""
    return f"seed-{seed}/"


def save_models(
    folder: Path,
    models: Mapping[int, ZentropyNetwork],
    encoder: Mapping[str, Any],
    settings: TrainingSettings,
    data: DataSet,
) -> None:
    """Write the models of one run, by seed; `encoder` has the parameters that `build_encoder` was given."""
    tensors: dict[str, Tensor] = {}
    for seed, model in models.items():
        fixed = {name for name, value in model.named_parameters() if not value.requires_grad}
        for name, tensor in model.state_dict().items():
            once = tensors.get(f"{FROZEN}{name}")
            if name in fixed and (once is None or torch.equal(once.cpu(), tensor.cpu())):
                tensors[f"{FROZEN}{name}"] = tensor if once is None else once
            else:
                tensors[f"{of_seed(seed)}{name}"] = tensor
    write_tensors(folder / PARAMETERS, tensors, {})
    description = {
        "seeds": list(models),
        "encoder": dict(encoder),
        "training": asdict(settings),
        "shape": asdict(Shape.of(data)),
        "classes": list(data.classes),
        "mean": list(data.mean),
        "std": list(data.std),
    }
    write_json(folder / DESCRIPTION, description)
