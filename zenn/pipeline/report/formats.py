"""How names with units and columns of numbers are written on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

UNITS = {
    "A": "Å",
    "A3": "Å³",
    "A6": "Å⁶",
    "GPa": "GPa",
    "K": "K",
    "MiB": "MiB",
    "Pa": "Pa",
    "atm": "atm",
    "atom": "atom",
    "eV": "eV",
    "kB": "k_B",
    "meV": "meV",
    "percent": "%",
    "s": "s",
    "u": "u",
}
DIGITS = 6
ROUNDING = 1e-12
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def split_unit(name: str) -> tuple[str, str]:
    """A column's or a metric's name as words and unit.

    >>> split_unit("critical_volume_A3_per_atom")
    ('critical volume', 'Å³/atom')
    >>> split_unit("thermal_expansion_per_K")
    ('thermal expansion', '1/K')
    >>> split_unit("error_percent")
    ('error', '%')
    >>> split_unit("atoms_per_cell")
    ('atoms per cell', '')
    """
    words = name.split("_")
    start = len(words)
    while start > 1 and (words[start - 1] in UNITS or words[start - 1] == "per"):
        start -= 1
    tail = words[start:]
    if not tail or tail[-1] == "per" or tail == ["per", "atom"]:  # "energy_per_atom" has no unit in its name
        return name.replace("_", " "), ""
    above, *below = f"_{'_'.join(tail)}_".split("_per_")
    return " ".join(words[:start]), "/".join([_product(above) or "1", *map(_product, below)])


def _product(units: str) -> str:
    return "·".join(UNITS[word] for word in units.split("_") if word)


def heading(name: str) -> str:
    """A column heading with its unit in brackets.

    >>> heading("temperature_K")
    'temperature (K)'
    """
    words, unit = split_unit(name)
    return f"{words} ({unit})" if unit else words


def quantity(value: object, digits: int = 7) -> str:
    """One number with `digits` significant digits.

    >>> quantity(164.1972143)
    '164.1972'
    """
    return _scientific(f"{value:.{digits}g}") if isinstance(value, float) else str(value)


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether every filled cell is a number (and at least one is filled)."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(_number(cell) is not None for cell in filled)


def column(cells: Sequence[str]) -> list[str]:
    """A column of CSV cells as shown: numbers share their decimals, so that they can be compared by eye.

    Text and whole numbers stay as they are. Columns of very small or very large numbers, and positive ones
    that span many orders of magnitude, are written with powers of ten.

    >>> column(["12.5", "-3.25"])
    ['12.50', '−3.25']
    >>> column(["1.2e-09", "0"])
    ['1.200×10⁻⁹', '0']
    """
    if not is_numeric(cells) or all(_is_whole(cell) for cell in cells):
        return list(cells)
    numbers = [_number(cell) for cell in cells]
    finite = [n for n in numbers if n is not None and math.isfinite(n)]
    largest = max(map(abs, finite), default=0.0)
    if largest == 0:
        return list(cells)
    # What is left of a zero after rounding must not decide how the column is written.
    sizes = [abs(n) for n in finite if abs(n) > ROUNDING * largest]
    if _needs_powers_of_ten(largest, min(sizes), signed=min(finite) < 0):
        return [_shown(n, ".3e") for n in numbers]
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(largest)))
    while decimals and all(f"{n:.{decimals}f}".endswith("0") for n in finite):
        decimals -= 1
    return [_shown(n, f"z.{decimals}f") for n in numbers]


def _needs_powers_of_ten(largest: float, smallest: float, signed: bool) -> bool:
    # Values on both sides of zero come close to it without their last digits meaning anything.
    return largest < 1e-3 or largest >= 1e7 or (not signed and smallest < 1e-5 * largest)


def _is_whole(cell: str) -> bool:
    return not cell.strip() or cell.strip().lstrip("+-").isdigit()


def _shown(number: float | None, form: str) -> str:
    if number is None:
        return ""
    if number == 0 and form.endswith("e"):
        return "0"
    return _scientific(f"{number:{form}}")


def _scientific(text: str) -> str:
    """`1.2e-09` with a real power of ten and a real minus sign."""
    mantissa, e, exponent = text.partition("e")
    power = f"×10{str(int(exponent)).translate(SUPERSCRIPT)}" if e else ""
    return mantissa.replace("-", "−") + power


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
