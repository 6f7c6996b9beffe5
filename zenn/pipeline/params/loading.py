"""Reading params.yaml: plain YAML, but a key given twice is an error (parsers keep the last one)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from zenn.errors import InputError
from zenn.pipeline.params.words import shown


class _TwiceError(yaml.MarkedYAMLError):
    """A mapping has a key twice."""


class _Loader(yaml.SafeLoader):
    """The safe loader, refusing duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        _refuse_duplicates(node)
        return super().construct_mapping(node, deep)


def _refuse_duplicates(node: yaml.MappingNode) -> None:
    """Raise if two keys of `node` are written alike."""
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value in lines:
            raise _TwiceError(problem=key.value, problem_mark=key.start_mark, note=str(lines[key.value]))
        lines[key.value] = key.start_mark.line + 1


def load_params(path: Path) -> dict[str, Any]:
    """The mapping in the YAML file `path`, unchecked beyond being one; `resolve` does the rest.

    Raises
    ------
    zenn.errors.InputError : no such file, no YAML, a key twice, or no mapping; names the line.
    """
    raw = _parsed(path, _text(path))
    if not isinstance(raw, dict):
        raise InputError(
            path, "line 1", "nothing" if raw is None else shown(raw), "a mapping of keys to values"
        )
    return raw


def _text(path: Path) -> str:
    """What the file holds."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            path, "", f"bytes that are not UTF-8 at offset {error.start}", "a text file"
        ) from error
    except OSError as error:
        raise InputError(path, "", error.strerror or "an unreadable file", "a readable YAML file") from error


def _parsed(path: Path, text: str) -> Any:
    """The value in the YAML document `text`."""
    try:
        return yaml.load(text, Loader=_Loader)
    except _TwiceError as error:
        found = f"the key '{error.problem}' a second time (first in line {error.note})"
        raise InputError(path, _place(error), found, "each key once") from error
    except yaml.MarkedYAMLError as error:
        raise InputError(path, _place(error), error.problem or "a syntax error", "YAML") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # no date, thousands of digits, too deep
        raise InputError(path, "", error, "YAML") from error


def _place(error: yaml.MarkedYAMLError) -> str:
    """Line and column of a YAML error, from 1."""
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
