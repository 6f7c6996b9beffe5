"""The one property: whatever a file holds, it is accepted, or refused with an error of ours; nothing else.

Not another exception, no warning in its place, no hang, no file that was not there before.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import damaged
from zenn.errors import ZennError

OUT, FAILED = "out", "failed"
"""Beside the folder that is read: where a reader may write, if it accepts what it read; what it failed at."""
LONGEST = 60.0
"""Seconds of CPU that no reader of these small files may take."""


@dataclass(frozen=True)
class Target:
    """A reader of files from outside.

    make : writes valid ones into a folder. read : reads them there. files : those that are damaged; all if
    empty. cost : of an example, in units of a reader of a small table.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    files: tuple[str, ...] = field(default=())
    cost: float = 1.0


class Case(NamedTuple):
    """A file and what it holds."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        """Short: the whole is in `FAILED`."""
        return f"{self.name}, {len(self.content)} bytes, {self.content[:200]!r}"


def fuzz(target: Target, place: Path, examples: int) -> None:
    """Read `examples` damaged copies of a target's files; fails where one is not accepted or refused."""
    folder = place / "files"
    folder.mkdir()
    target.make(folder)
    whole = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    assert whole
    target.read(folder)  # what is valid is accepted
    shutil.rmtree(place / OUT, ignore_errors=True)
    before = _listed(place)
    assert {path for path in before if (place / path).is_file()} == {f"files/{name}" for name in whole}
    chosen = st.sampled_from(target.files or sorted(whole))
    case = chosen.flatmap(lambda name: st.builds(Case, st.just(name), damaged(name, whole[name])))

    @settings(
        max_examples=max(3, int(examples / target.cost)),
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(case)
    def check(case: Case) -> None:
        (folder / case.name).write_bytes(case.content)
        try:
            with _limited():
                target.read(folder)
        except ZennError as error:
            refused = str(error)
            # nothing half-made, and something to say
            assert refused.strip() and not (place / OUT).exists(), refused  # noqa: PT018
        except BaseException:
            (place / FAILED).with_suffix(Path(case.name).suffix).write_bytes(case.content)
            raise
        finally:
            for known, original in whole.items():
                (folder / known).write_bytes(original)
        shutil.rmtree(place / OUT, ignore_errors=True)
        assert _listed(place) == before

    check()


def _listed(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.stem != FAILED}


@contextmanager
def _limited() -> Iterator[None]:
    """An error after `LONGEST` seconds of CPU."""

    def stop(*_: object) -> None:
        raise AssertionError(f"more than {LONGEST} s of CPU")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
