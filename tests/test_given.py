"""What a step is given: every kind of value, refused where it is another."""

from __future__ import annotations

import pytest

from zenn.errors import InputError
from zenn.given import Given


def test_truth_values() -> None:
    given = Given({"a": True, "b": "true", "c": 1}, "run.json")
    assert given.switch("a") is True
    for name, found in (("b", "'true'"), ("c", "1")):
        with pytest.raises(InputError, match=rf"run.json, {name}: found {found}, expected true or false"):
            given.switch(name)


def test_values_are_a_copy() -> None:
    given = Given({"a": 1})
    given.values["a"] = 2
    assert given.integer("a") == 1
