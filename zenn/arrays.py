"""The array namespace of an array: numpy or torch, without importing torch for the sake of a name."""

from __future__ import annotations

try:
    from array_api_compat import array_namespace, device, is_array_api_obj
except ModuleNotFoundError:  # a bare GPU machine has the copy that scipy carries
    from scipy._lib.array_api_compat import (  # type: ignore[no-redef]  # the same names, on purpose
        array_namespace,
        device,
        is_array_api_obj,
    )

__all__ = ["array_namespace", "device", "is_array_api_obj"]
