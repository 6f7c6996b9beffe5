"""What every section of params.yaml is built from: strict numbers, ordered lists, documented fields."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, Strict

Scale = Literal["small", "paper", "ci"]
SCALES: tuple[Scale, ...] = ("small", "paper", "ci")


@dataclass(frozen=True)
class Accepts:
    """Metadata of a type: what it accepts, in words, where the type alone cannot say it."""

    text: str


class Section(BaseModel):
    """A group of parameters: unknown keys are refused, nothing changes after reading, nothing has a default.

    Every value is written in params.yaml, so that reading that file is reading what runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def parameter(description: str, *, unit: str = "", source: str = "", **constraints: Any) -> Any:
    """A required field with what docs/parameters.md says about it.

    Parameters
    ----------
    description : what the value is.
    unit : its unit; empty for what has none (names, lists of names, groups).
    source : equation, table or text it comes from; empty inherits the source of the group it is in.
    constraints : range of a number (`gt`, `ge`, `lt`, `le`) or another argument of `pydantic.Field`.
    """
    documentation: dict[str, JsonValue] = {"unit": unit, "source": source}
    return Field(description=description, json_schema_extra=documentation, **constraints)


# Strict, because "64" for 64 and true for 1 are slips; an integer is still welcome where a real is expected.
Real = Annotated[float, Strict()]
Count = Annotated[int, Strict()]
PositiveReal = Annotated[float, Strict(), Field(gt=0)]


def ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    """`values`, if each is larger than the one before."""
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise ValueError("numbers in ascending order, each once")
    return values


def ordered(window: tuple[float, float]) -> tuple[float, float]:
    """`window`, if its first end lies below its second."""
    if window[0] >= window[1]:
        raise ValueError("[low, high] with low < high")
    return window


def different(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names`, if none comes twice."""
    if len(set(names)) < len(names):
        raise ValueError("each name once")
    return names


def inside_repository(path: str) -> str:
    """`path`, if it leads from the repository's root to somewhere inside it.

    An absolute path would enter the keys, and the same computation elsewhere would get another key.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts:
        raise ValueError("a path relative to the repository's root, with forward slashes, not leaving it")
    return path


Temperatures = Annotated[
    tuple[PositiveReal, ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one number > 0, ascending, each once"),
]
Reals = Annotated[tuple[Real, ...], Field(min_length=1), Accepts("a list of at least one number")]
Pressures = Annotated[
    tuple[Real, ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one number, ascending, each once"),
]
PositiveWindow = Annotated[
    tuple[PositiveReal, PositiveReal],
    AfterValidator(ordered),
    Accepts("a list [low, high] of two numbers with 0 < low < high"),
]
RelativePath = Annotated[
    str, AfterValidator(inside_repository), Accepts("a path relative to the repository's root")
]


class ZentropyConstants(Section):
    """The two constants in the probability of a configuration, Eq. 6."""

    boltzmann_constant: Real = parameter(
        "k_B of Eqs. 1-7, in the units in which the networks see energy and temperature",
        unit="energy unit / temperature unit",
        gt=0,
    )
    gamma: Real = parameter(
        "gamma of Eq. 6, which bounds the fluctuation of the intrinsic entropies", unit="1", gt=0
    )
