"""timm, transformers and peft beside a torchvision that does not fit torch: the one place that mends it."""

from __future__ import annotations

import importlib
from types import ModuleType

import torch


def import_timm() -> ModuleType:
    """The module `timm`."""
    return _import("timm")


def import_transformers() -> ModuleType:
    """The module `transformers`."""
    return _import("transformers")


def import_peft() -> ModuleType:
    """The module `peft`."""
    return _import("peft")


def _import(name: str) -> ModuleType:
    mend_torchvision()
    return importlib.import_module(name)


def mend_torchvision() -> None:
    """Let `import torchvision` succeed; without effect where it does already, or where there is none.

    Beside a CPU build of torch the package index gives torchvision's CUDA build. Its compiled operators do
    not load, and its import then fails with "operator torchvision::nms does not exist" where it registers
    shapes for two of them. timm imports torchvision, transformers and peft do by way of image classes. None
    of what we use of them calls a compiled operator, so it is enough that the two names exist.
    """
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        torch.library.define("torchvision::nms", schema)
        torch.library.define("torchvision::qnms", schema)
        importlib.import_module("torchvision")
