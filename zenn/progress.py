"""Progress of a long computation on standard error, on a machine that has no library for it."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_EVERY = 2.0  # seconds: shorter work says nothing, a log does not fill up


class Progress:
    """How much of `total` is done and how long the rest may take, said every two seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._started = self._said = time.monotonic()
        self._before: int | None = None
        self._in_place = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_place and self._said > self._started:
            print(file=sys.stderr)

    def update(self, done: int, note: str = "") -> None:
        """Say that `done` of the total are done, with a note such as the present loss."""
        now = time.monotonic()
        if self._before is None:
            self._before = done - 1  # what an interrupted run had done tells nothing of the speed
        if now - self._said < _EVERY or not done:
            return
        self._said = now
        left = (now - self._started) / max(done - self._before, 1) * (self._total - done)
        start, end = ("\r", "") if self._in_place else ("", "\n")
        noted = f", {note}" if note else ""
        text = f"{start}{self._what}: {done} of {self._total}{noted}, about {left:.0f} s left"
        print(f"{text:<60}" if self._in_place else text, end=end, file=sys.stderr, flush=True)
