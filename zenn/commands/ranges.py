"""Ranges as they are typed on the command line, and what is accepted as one.

Numbers are read as decimals, so that the third temperature of 0:1:0.1 is 0.2 and not next to it.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

from zenn.errors import InputError

MOST = 100_000
"""Temperatures or volumes of one range; more are a slip of the keyboard."""

TEMPERATURES = "--temperatures"
_TEMPERATURES = "START:STOP:STEP in K, e.g. 0:600:10, or single temperatures that increase, e.g. 100,300,500"


def read_temperatures(text: str) -> list[float]:
    """Increasing temperatures in K from START:STOP:STEP (STOP included if a step lands on it) or a list.

    Raises
    ------
    InputError : it is neither.
    """
    if ":" not in text:
        listed = _numbers(TEMPERATURES, text, ",", None, _TEMPERATURES)
        if listed != sorted(set(listed)):
            raise InputError(f"argument {TEMPERATURES}", "", repr(text), _TEMPERATURES)
        return _not_below_zero([float(value) for value in listed], text)
    start, stop, step = _numbers(TEMPERATURES, text, ":", 3, _TEMPERATURES)
    if step <= 0 or stop < start:
        hint = "STOP has to be above START, STEP above 0"
        raise InputError(f"argument {TEMPERATURES}", "", repr(text), _TEMPERATURES, hint)
    steps = (stop - start) / step
    if steps >= MOST:
        raise InputError(
            f"argument {TEMPERATURES}", "", f"{text!r}, {float(steps):.3g} steps", f"at most {MOST} steps"
        )
    return _not_below_zero([float(start + i * step) for i in range(int(steps) + 1)], text)


def read_volumes(text: str) -> tuple[float, float, int]:
    """LOW:HIGH:COUNT, volumes in Å3 per atom and how many.

    Raises
    ------
    InputError : it is not that.
    """
    expected = "LOW:HIGH:COUNT, two volumes in Å3 per atom and their number, e.g. 12:14:51"
    low, high, count = _numbers("--volumes", text, ":", 3, expected)
    if not low < high:
        raise InputError("argument --volumes", "", repr(text), expected, "HIGH has to be above LOW")
    if not (2 <= count <= MOST and count == int(count)):
        raise InputError(
            "argument --volumes", "", f"COUNT {count}", f"an integer between 2 and {MOST}", expected
        )
    return float(low), float(high), int(count)


def read_window(text: str) -> tuple[float, float]:
    """LOW:HIGH, two volumes in Å3 per atom.

    Raises
    ------
    InputError : it is not that.
    """
    return read_range("--volume-window", text, "LOW:HIGH, two volumes in Å3 per atom, e.g. 12:14")


def read_range(option: str, text: str, expected: str) -> tuple[float, float]:
    """LOW:HIGH of any quantity.

    Raises
    ------
    InputError : it is not that.
    """
    low, high = _numbers(option, text, ":", 2, expected)
    if not low < high:
        raise InputError(f"argument {option}", "", repr(text), expected, "HIGH has to be above LOW")
    return float(low), float(high)


def _not_below_zero(temperatures: list[float], text: str) -> list[float]:
    if temperatures[0] < 0:
        raise InputError(f"argument {TEMPERATURES}", "", repr(text), "temperatures of 0 K or more")
    return temperatures


def _numbers(option: str, text: str, separator: str, count: int | None, expected: str) -> list[Decimal]:
    """The numbers between the separators, all finite."""
    parts = text.split(separator)
    if count is not None and len(parts) != count:
        raise InputError(f"argument {option}", "", repr(text), expected)
    try:
        numbers = [Decimal(part.replace("_", "?")) for part in parts]
    except InvalidOperation:
        raise InputError(f"argument {option}", "", repr(text), expected) from None
    if not all(number.is_finite() and math.isfinite(float(number)) for number in numbers):
        raise InputError(f"argument {option}", "", repr(text), "finite numbers")
    return numbers
