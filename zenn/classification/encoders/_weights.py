"""Published weights against the model that is to take them: every name and every shape."""

from __future__ import annotations

from pathlib import Path

from zenn.errors import InputError

Shapes = dict[str, tuple[int, ...]]

SHOWN = 4  # differences in a message; a file of another model has hundreds


def refuse_differences(path: Path, found: Shapes, needed: Shapes) -> None:
    """Raise InputError unless a file has the arrays that a model needs, no other, and in the same shapes."""
    missing = [f"no {name}" for name in needed if name not in found]
    surplus = [f"{name}, which the model lacks" for name in sorted(found) if name not in needed]
    misshapen = [
        f"{name} of shape {found[name]} for {shape}"
        for name, shape in needed.items()
        if name in found and tuple(found[name]) != shape
    ]
    differences = [*misshapen, *missing, *surplus]
    if differences:
        more = f"; and {len(differences) - SHOWN} more differences" if len(differences) > SHOWN else ""
        expected = f"the {len(needed)} arrays of this model, in its shapes"
        hint = "These are the weights of another architecture"
        raise InputError(path, "", "; ".join(differences[:SHOWN]) + more, expected, hint)
