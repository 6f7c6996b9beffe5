"""Classification by cross-zentropy: loss, learned temperatures, encoders, data sets, honest evaluation.

Names are imported when they are asked for: `import zenn.classification` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenn.classification.classifier import ZentropyClassifier
    from zenn.classification.data import load_data_set, save_data_set
    from zenn.classification.encoders import build_encoder
    from zenn.classification.initial_temperatures import geometric_temperatures
    from zenn.classification.loss import CrossZentropyLoss, conditional_log_probabilities, cross_zentropy
    from zenn.classification.outputs import Outputs
    from zenn.classification.temperatures import (
        TemperaturePrior,
        TemperatureSet,
        parameter_groups,
        published_temperatures,
    )

_HOMES = {
    "classifier": ("ZentropyClassifier",),
    "data": ("load_data_set", "save_data_set"),
    "encoders": ("build_encoder",),
    "initial_temperatures": ("geometric_temperatures",),
    "loss": ("CrossZentropyLoss", "conditional_log_probabilities", "cross_zentropy"),
    "outputs": ("Outputs",),
    "temperatures": (
        "TemperaturePrior",
        "TemperatureSet",
        "parameter_groups",
        "published_temperatures",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CrossZentropyLoss",
    "Outputs",
    "TemperaturePrior",
    "TemperatureSet",
    "ZentropyClassifier",
    "build_encoder",
    "conditional_log_probabilities",
    "cross_zentropy",
    "geometric_temperatures",
    "load_data_set",
    "parameter_groups",
    "published_temperatures",
    "save_data_set",
]


def __getattr__(name: str) -> Any:
    """Import the module that has `name` when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
