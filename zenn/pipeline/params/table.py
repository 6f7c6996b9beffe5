"""docs/parameters.md, generated from the types and from the values in params.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zenn.pipeline.params.base import SCALES
from zenn.pipeline.params.resolving import resolve
from zenn.pipeline.params.root import SECTIONS, Params
from zenn.pipeline.params.tree import dotted
from zenn.pipeline.params.words import accepted

_HEAD = """\
# Parameters

Generated from `zenn/pipeline/params/` and `params.yaml` by `zenn docs parameters`; do not edit.

`params.yaml` holds every value. `scale` (`small`, `paper` or `ci`) selects, in each section, the block of
that name, which overrides the section's common values key by key. Nothing has a hidden default, unknown keys
are refused, and all three scales are checked whichever one runs. Where the scales differ, the column *value*
gives each. A source that begins with *choice* is ours: the papers do not print the value.
"""
_COLUMNS = ("key", "value", "unit", "accepts", "description", "source")


@dataclass(frozen=True)
class Row:
    """One parameter at one scale."""

    key: str
    value: Any
    unit: str
    accepts: str
    description: str
    source: str


def parameters_markdown(raw: Mapping[str, Any]) -> str:
    """The text of docs/parameters.md for the raw parameters `raw` (unresolved: it shows every scale)."""
    scales: dict[str, Params] = {scale: resolve(raw, scale=scale) for scale in SCALES}
    parts = [_HEAD]
    for name, model in SECTIONS.items():
        parts += [f"## `{name}`\n\n{_summary(model)}\n", _table(name, scales)]
    return "\n".join(parts)


def rows(group: BaseModel, path: tuple[str, ...] = (), source: str = "") -> Iterator[Row]:
    """A row for each value in `group`; a field without a source has that of the group it is in."""
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        inner = _documented(field, "source") or source
        if isinstance(value, BaseModel):
            yield from rows(value, (*path, name), inner)
        elif isinstance(value, dict):
            for key, below in value.items():
                yield from rows(below, (*path, name, key), inner)
        else:
            unit = _documented(field, "unit")
            accepts = accepted(field.annotation, tuple(field.metadata))
            yield Row(dotted((*path, name)), value, unit, accepts, field.description or "", inner)


def _documented(field: FieldInfo, what: str) -> str:
    """`unit` or `source` of a field, as given to `zenn.pipeline.params.base.parameter`."""
    extra = field.json_schema_extra
    return str(extra[what]) if isinstance(extra, dict) else ""


def _summary(model: type[BaseModel]) -> str:
    """The first line of a model's docstring."""
    return (model.__doc__ or "").strip().splitlines()[0]


def _table(section: str, scales: Mapping[str, Params]) -> str:
    """The table of one section."""
    found = {scale: {row.key: row for row in rows(getattr(p, section))} for scale, p in scales.items()}
    keys = dict.fromkeys(key for by_key in found.values() for key in by_key)
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    for key in keys:
        row = next(by_key[key] for by_key in found.values() if key in by_key)
        values = _values({scale: by_key[key].value for scale, by_key in found.items() if key in by_key})
        cells = (f"`{key}`", values, row.unit, row.accepts, row.description, row.source)
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _values(by_scale: Mapping[str, Any]) -> str:
    """One value if all scales agree, else each with its scale."""
    texts = {scale: f"`{json.dumps(value, ensure_ascii=False)}`" for scale, value in by_scale.items()}
    if len(texts) == len(SCALES) and len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return ", ".join(f"{scale}: {text}" for scale, text in texts.items())


def _line(cells: Any) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
