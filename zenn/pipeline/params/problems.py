"""From pydantic's errors to ours: the key, the value found, the value expected, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from zenn.errors import InputError, did_you_mean
from zenn.pipeline.params.tree import Path
from zenn.pipeline.params.words import accepted, is_model, is_union, one_of, shown, unwrapped, yaml_number


@dataclass(frozen=True)
class Problem:
    """One thing wrong, at `path` inside what was validated."""

    path: Path
    found: str
    expected: str
    hint: str = ""
    kind: Literal["wrong", "missing", "unknown"] = "wrong"


class ParamsError(InputError):
    """Everything that is wrong with the parameters, one line each; the attributes are those of the first."""

    def __init__(self, problems: Sequence[InputError]) -> None:
        first = problems[0]
        super().__init__(first.source, first.where, first.found, first.expected, first.hint)
        self.problems = tuple(problems)
        self.args = ("\n".join(map(str, problems)),)


def found_in(
    model: type[BaseModel], value: Mapping[str, Any], extra_keys: Iterable[str] = ()
) -> list[Problem]:
    """What is wrong with `value` as a `model`; `extra_keys` are known at its top though no fields of it."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        problems = [_problem(model, value, detail, tuple(extra_keys)) for detail in error.errors()]
        return _without_echoes(problems)
    return []


def unknown_key(path: Path, known: Sequence[str]) -> Problem:
    """A key that nothing reads; `known` are those that could stand in its place."""
    name = str(path[-1])
    expected = f"one of: {', '.join(known)}"
    return Problem(path, f"the unknown key '{name}'", expected, did_you_mean(name, known), "unknown")


def _problem(
    model: type[BaseModel], value: Mapping[str, Any], detail: ErrorDetails, extra_keys: tuple[str, ...]
) -> Problem:
    """One of pydantic's errors, in our words."""
    path, (annotation, metadata) = _followed(model, value, detail["loc"])
    expected, found = accepted(annotation, metadata), detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            known = [*annotation.model_fields, *(extra_keys if len(path) == 1 else ())]
            return unknown_key(path, known)
        case "missing":
            return Problem(path, "nothing", expected, kind="missing")
        case "union_tag_not_found" | "union_tag_invalid":
            return _tag_problem(path, annotation, detail)
        case "value_error":
            return Problem(path, shown(found), str(detail["ctx"]["error"]))
        case _:
            return Problem(path, shown(found), expected, _hint(found, annotation))


def _tag_problem(path: Path, union: Any, detail: ErrorDetails) -> Problem:
    """The key that says which member of a union is meant is absent, or says something else."""
    name = detail["ctx"]["discriminator"].strip("'")
    tags = [get_args(member.model_fields[name].annotation)[0] for member in get_args(union)]
    if detail["type"] == "union_tag_not_found":
        return Problem((*path, name), "nothing", one_of(tags), kind="missing")
    found = detail["input"][name]
    return Problem((*path, name), shown(found), one_of(tags), did_you_mean(str(found), tags))


def _hint(found: Any, annotation: Any) -> str:
    """What to do about a value of the wrong type."""
    if get_origin(annotation) is Literal and isinstance(found, str):
        return did_you_mean(found, get_args(annotation))
    if annotation in (int, float) and isinstance(found, bool):
        return "true and false are no numbers"
    number = yaml_number(found) if annotation in (int, float) and isinstance(found, str) else ""
    return f"this is a text: write {number} (no quotes; YAML wants 1.0e-10, not 1e-10)" if number else ""


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """Unknown keys first, and without the missing keys that those were meant to be."""
    unknown = [problem for problem in problems if problem.kind == "unknown"]
    meant = {(problem.path[:-1], problem.hint) for problem in unknown}
    return [*unknown, *(p for p in problems if p.kind != "unknown" and not _is_echo(p, meant))]


def _is_echo(problem: Problem, meant: set[tuple[Path, str]]) -> bool:
    """Whether a missing key is one that an unknown key beside it was probably meant to be."""
    name = str(problem.path[-1])
    return problem.kind == "missing" and (problem.path[:-1], did_you_mean(name, [name])) in meant


def _followed(
    model: type[BaseModel], value: Any, location: Iterable[str | int]
) -> tuple[Path, tuple[Any, Any]]:
    """The user's path for one of pydantic's, and the type there (of the group, for an unknown key).

    Pydantic's path also names the member of a union that was tried; the user never wrote that.
    """
    path: Path = ()
    annotation, metadata = unwrapped(model)
    for step in location:
        if is_union(annotation):
            annotation, metadata = unwrapped(_member(annotation, step))
            continue
        path = (*path, step)
        annotation, metadata = _below(annotation, metadata, step)
    return path, (annotation, metadata)


def _member(union: Any, tag: str | int) -> Any:
    """The member of `union` that `tag` selects, by the literal its discriminator accepts."""
    for member in get_args(union):
        for field in member.model_fields.values():
            if get_origin(field.annotation) is Literal and tag in get_args(field.annotation):
                return member
    raise TypeError(f"no member of {union} has the tag {tag!r}")


def _below(annotation: Any, metadata: tuple[Any, ...], step: str | int) -> tuple[Any, tuple[Any, ...]]:
    """The type one step further down; the same one where the step is an unknown key."""
    if is_model(annotation):
        field = annotation.model_fields.get(step)
        return unwrapped(field.annotation, tuple(field.metadata)) if field else (annotation, metadata)
    if get_origin(annotation) is dict:
        return unwrapped(get_args(annotation)[1])
    if get_origin(annotation) is tuple and isinstance(step, int):
        items = [item for item in get_args(annotation) if item is not Ellipsis]
        return unwrapped(items[min(step, len(items) - 1)])
    return annotation, metadata
