"""Parameters as plain trees of mappings: merging, walking, naming a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]


def merged(common: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    """`common` overridden by `block`: mappings key by key, everything else (lists too) as a whole.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    result = {key: _plain(value) for key, value in common.items()}
    for key, value in block.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if both else _plain(value)  # type: ignore[arg-type]
    return result


def _plain(value: Any) -> Any:
    """`value` with every mapping in it a dict: Snakemake hands over ordered ones."""
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def has(tree: Any, path: Path) -> bool:
    """Whether `tree` says what stands at `path`; a list says it of all its items, those that it lacks too.

    >>> has({"a": []}, ("a", 0)), has({"a": []}, ("b", 0))
    (True, False)
    """
    for step in path:
        if isinstance(tree, list | tuple):
            return True
        if not isinstance(tree, Mapping) or step not in tree:
            return False
        tree = tree[step]
    return True


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in `tree` that is no mapping, with its path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def dotted(path: Path) -> str:
    """A path as the user would write it.

    >>> dotted(("materials", "isotherms", "temperatures", 2))
    'materials.isotherms.temperatures[2]'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def keys_that_are_no_text(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Where in `tree` a key is not a text, and that key."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if isinstance(key, str):
                yield from keys_that_are_no_text(value, (*path, key))
            else:
                yield path, key
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from keys_that_are_no_text(value, (*path, index))
