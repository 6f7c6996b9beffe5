"""Where learned temperatures begin; without torch, so that a plan can ask."""

from __future__ import annotations

import math

from zenn.errors import InputError


def geometric_temperatures(number: int, lowest: float = 2.0, highest: float = 10.0) -> tuple[float, ...]:
    """T_1 = 1 and number - 1 more between two bounds, each the same factor above the one before.

    A single one is the lower bound. `TemperatureSet` refuses bounds that repeat T_1.

    >>> geometric_temperatures(4, 2.0, 8.0)
    (1.0, 2.0, 4.0, 8.0)
    """
    if number < 1:
        raise InputError("argument number", "", number, "1 temperature or more")
    if not 0 < lowest < highest < math.inf:
        raise InputError("arguments lowest and highest", "", (lowest, highest), "0 < lowest < highest")
    others, ratio = number - 1, highest / lowest
    exponents = [i / max(others - 1, 1) for i in range(others)]
    return (1.0, *(float(f"{lowest * ratio**exponent:.12g}") for exponent in exponents))
