"""Parameters as a step was given them: checked where they are used, on a machine without pydantic."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from zenn.errors import InputError, did_you_mean


class Given:
    """A mapping of parameters that says what is missing, of the wrong kind, or never asked for.

    >>> given = Given({"window": [1, 2], "atoms": 12})
    >>> given.integer("atoms"), given.pair("window")
    (12, (1.0, 2.0))
    """

    def __init__(self, values: Any, source: str = "parameters", where: str = "") -> None:
        if not isinstance(values, Mapping):
            raise InputError(source, where, repr(values), "a mapping of names to values")
        self._values = values
        self._source = source
        self._where = where
        self._asked: dict[str, Given | None] = {}

    def group(self, name: str) -> Given:
        """The mapping `name`."""
        inner = Given(self._value(name), self._source, self._place(name))
        self._asked[name] = inner
        return inner

    @property
    def values(self) -> dict[str, Any]:
        """All of it as plain values, to be kept; what is in it counts as asked for where it is read."""
        return dict(self._values)

    def number(self, name: str) -> float:
        """The finite number `name`."""
        return self._number(name, self._value(name))

    def switch(self, name: str) -> bool:
        """The truth value `name`."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise self._refusal(name, value, "true or false")
        return value

    def integer(self, name: str) -> int:
        """The integer `name`."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._refusal(name, value, "an integer")
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        """The list of one finite number or more `name`."""
        value = self._value(name)
        if not isinstance(value, list | tuple) or not value:
            raise self._refusal(name, value, "a list of numbers")
        return tuple(self._number(name, item) for item in value)

    def integers(self, name: str) -> tuple[int, ...]:
        """The list of one integer or more `name`."""
        value = self._value(name)
        whole = isinstance(value, list | tuple) and value and all(type(item) is int for item in value)
        if not whole:
            raise self._refusal(name, value, "a list of integers")
        return tuple(value)

    def pair(self, name: str) -> tuple[float, float]:
        """The list of two finite numbers `name`."""
        values = self.numbers(name)
        if len(values) != 2:
            raise self._refusal(name, list(values), "a list of two numbers")
        return values[0], values[1]

    def choice(self, name: str, known: Collection[str]) -> str:
        """The text `name`, one of `known`."""
        value = self._value(name)
        if not isinstance(value, str) or value not in known:
            raise self._refusal(name, value, f"one of {sorted(known)}")
        return value

    def text(self, name: str) -> str:
        """The text `name`."""
        value = self._value(name)
        if not isinstance(value, str):
            raise self._refusal(name, value, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """The list of texts `name`."""
        value = self._value(name)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self._refusal(name, value, "a list of texts")
        return tuple(value)

    def refuse_unused(self) -> None:
        """Refuse what nobody asked for: it is most likely misspelt.

        Raises
        ------
        InputError : names the parameter and the ones there are.
        """
        for name in self._values:
            if name not in self._asked:
                known = sorted(self._asked)
                raise InputError(
                    self._source,
                    self._place(name),
                    "an unknown parameter",
                    f"one of {known}",
                    did_you_mean(name, known),
                )
        for inner in self._asked.values():
            if inner is not None:
                inner.refuse_unused()

    def _value(self, name: str) -> Any:
        self._asked.setdefault(name, None)
        if name not in self._values:
            hint = did_you_mean(name, self._values)
            raise InputError(self._source, self._place(name), "nothing", "a value", hint)
        return self._values[name]

    def _number(self, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refusal(name, value, "a finite number")
        try:
            number = float(value)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if not math.isfinite(number):
            raise self._refusal(name, value, "a finite number")
        return number

    def _refusal(self, name: str, value: Any, expected: str) -> InputError:
        return InputError(self._source, self._place(name), repr(value), expected)

    def _place(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name
