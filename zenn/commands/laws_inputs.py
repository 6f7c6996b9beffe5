"""A gas of the user's own, from a YAML file: sections as the steps take them, errors with file and key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from zenn.errors import InputError, did_you_mean
from zenn.given import Given

SECTIONS = ("gas", "design", "heating_bound", "pictures", "recombination", "training", "axioms")
ANONYMOUS = "parameters"
"""What the steps call the source of their parameters: they know no files."""


class GasFile:
    """The sections of a YAML file; unknown ones are refused at once, missing ones when they are wanted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._said = _read(path)
        for name in self._said:
            if name not in SECTIONS:
                expected = f"one of {', '.join(SECTIONS)}"
                hint = did_you_mean(str(name), SECTIONS)
                raise InputError(path, str(name), "an unknown section", expected, hint)

    def section(self, name: str, **more: Any) -> Given:
        """A mapping of the file as parameters, with `more` that the file does not say."""
        said = self._value(name)
        if not isinstance(said, dict):
            raise InputError(self.path, name, repr(said), "a mapping of names to values")
        for key in more:
            if key in said:
                raise InputError(
                    self.path, f"{name}.{key}", repr(said[key]), "nothing: it is given elsewhere"
                )
        return Given({**said, **more}, str(self.path), name)

    def together(self, *names: str, **more: Any) -> Given:
        """Whole sections as one group of parameters, with `more` beside them."""
        return Given({**{name: self._value(name) for name in names}, **more}, str(self.path))

    def merged(self, first: str, second: str) -> Given:
        """Two sections as one mapping; no key may be in both."""
        return self.section(first, **self.section(second).values)

    def values(self) -> dict[str, Any]:
        """All that the file says."""
        return dict(self._said)

    @contextmanager
    def named(self, section: str = "") -> Iterator[None]:
        """Errors of a step about its parameters name this file, and the section they are in."""
        try:
            yield
        except InputError as error:
            if error.source != ANONYMOUS:
                raise
            where = f"{section}.{error.where}" if section else error.where
            raise InputError(self.path, where, error.found, error.expected, error.hint) from None

    def _value(self, name: str) -> Any:
        if name not in self._said:
            raise InputError(
                self.path, name, "nothing", "a section of this name; docs/laws.md has all of them"
            )
        return self._said[name]


class _Loader(yaml.SafeLoader):
    """The safe loader, refusing keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(getattr(key, "value", ""))
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{name}' a second time", problem_mark=key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def _read(path: Path) -> dict[str, Any]:
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except UnicodeDecodeError:
        raise InputError(path, "", "another encoding", "YAML in UTF-8") from None
    except OSError as error:
        raise InputError(path, "", error.strerror, "a YAML file that can be read") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}" if mark else ""
        raise InputError(path, where, error.problem or "a syntax error", "YAML") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # no date, thousands of digits, too deep
        raise InputError(path, "", error, "YAML") from None
    if not isinstance(said, dict):
        raise InputError(path, "", "nothing" if said is None else repr(said), "a mapping of sections")
    return said
