"""Types and values in words: what a parameter accepts, and what was found instead."""

from __future__ import annotations

import json
import re
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zenn.pipeline.params.base import Accepts

_SCALARS = {float: "a number", int: "an integer", str: "a text", bool: "true or false"}
_SIGNS = ((Gt, "gt", ">"), (Ge, "ge", ">="), (Lt, "lt", "<"), (Le, "le", "<="))
_LONGEST_SHOWN = 80


def is_model(annotation: Any) -> bool:
    """Whether `annotation` is a group of parameters."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def is_union(annotation: Any) -> bool:
    """Whether `annotation` leaves a choice between several types."""
    return get_origin(annotation) in (Union, UnionType)


def unwrapped(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Any, tuple[Any, ...]]:
    """The bare type in `annotation`, and all metadata around it."""
    if get_origin(annotation) is not Annotated:
        return annotation, metadata
    bare, *around = get_args(annotation)
    return unwrapped(bare, (*around, *metadata))


def _bounds(metadata: tuple[Any, ...]) -> str:
    """The range of a number: ' > 0 and <= 1', or nothing."""
    flat = [item for m in metadata for item in (m.metadata if isinstance(m, FieldInfo) else [m])]
    limits = [(sign, getattr(m, name)) for kind, name, sign in _SIGNS for m in flat if isinstance(m, kind)]
    return " and".join(f" {sign} {limit}" for sign, limit in limits)


def accepted(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """What a type accepts, in words.

    >>> accepted(float, (Gt(0), Le(1)))
    'a number > 0 and <= 1'
    """
    bare, around = unwrapped(annotation, metadata)
    for item in around:
        if isinstance(item, Accepts):
            return item.text
    if bare in _SCALARS:
        return _SCALARS[bare] + _bounds(around)
    if get_origin(bare) is Literal:
        return one_of(get_args(bare))
    if bare is type(None):
        return "null"
    if is_union(bare):
        return " or ".join(accepted(member) for member in get_args(bare))
    if is_model(bare):
        return f"a mapping with the keys: {', '.join(bare.model_fields)}"
    raise TypeError(f"no words for the type {bare!r}: give it an Accepts")


def one_of(values: tuple[Any, ...] | list[Any]) -> str:
    """A choice in words.

    >>> one_of(["small", "paper"])
    "'small' or 'paper'"
    """
    *others, last = (repr(value) for value in values)
    return f"{', '.join(others)} or {last}" if others else last


def shown(value: Any) -> str:
    """A value as YAML would have it, cut where it gets long.

    >>> shown("1e-10"), shown(True), shown([1, None])
    ('"1e-10"', 'true', '[1, null]')
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def yaml_number(text: str) -> str:
    """The number in `text`, written so that YAML 1.1 reads a number; empty if there is none.

    >>> yaml_number("1e-10"), yaml_number("2.5E3"), yaml_number("512"), yaml_number("many")
    ('1.0e-10', '2.5e+3', '512', '')
    """
    match = re.fullmatch(r"\s*([-+]?)(\d+)(\.\d*)?(?:[eE]([-+]?)(\d+))?\s*", text)
    if not match:
        return ""
    sign, whole, fraction, exponent_sign, exponent = match.groups()
    if exponent is None:
        return f"{sign}{whole}{fraction or ''}"
    digits = fraction if fraction and len(fraction) > 1 else ".0"
    return f"{sign}{whole}{digits}e{exponent_sign or '+'}{exponent}"
