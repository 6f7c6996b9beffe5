"""zenn: reproduce, check and use neural networks built on thermodynamics.

The loss of its classifiers is offered here; torch is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenn.classification import CrossZentropyLoss, TemperatureSet, cross_zentropy

__version__ = "0.1.0"

__all__ = ["CrossZentropyLoss", "TemperatureSet", "__version__", "cross_zentropy"]


def __getattr__(name: str) -> Any:
    """Take what is not here yet from the classification (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("zenn.classification"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
