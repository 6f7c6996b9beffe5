"""Errors a user can act on: what was read, where in it, what was found and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class ZennError(Exception):
    """Base of every error this package raises on purpose; its text is written for the user."""


class InputError(ZennError):
    """Something the user gave cannot be used.

    Parameters
    ----------
    source : the file (or argument) that was read.
    where : the row and column, or the key, inside `source`; may be empty.
    found : the value found there.
    expected : what would have been accepted.
    hint : what to do about it; may be empty.
    """

    def __init__(self, source: str | Path, where: str, found: object, expected: str, hint: str = "") -> None:
        self.source = str(source)
        self.where = where
        self.found = found
        self.expected = expected
        self.hint = hint
        place = f"{source}, {where}" if where else f"{source}"
        text = f"{place}: found {found}, expected {expected}"
        super().__init__(f"{text}. {hint}" if hint else text)


class NotFoundError(ZennError):
    """A physical feature that was asked for (a critical point, a root) does not exist where it was sought."""


class NotConvergedError(ZennError):
    """An iteration stopped at its limit without reaching its tolerance."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A short suggestion for a misspelt `name`, or an empty string.

    >>> did_you_mean("debye_scalng", ["debye_scaling", "table"])
    "did you mean 'debye_scaling'?"
    """
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""
