"""A material as the steps are given it: a table of configurations and a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zenn.materials.configurations import read_configurations
from zenn.materials.material import Material


def read_material(params: Mapping[str, Any], inputs: Mapping[str, Path]) -> Material:
    """The material of `params['material']` and the table `inputs['configurations']`.

    Raises
    ------
    InputError : the table or a number cannot be used; names file, row and column.
    """
    given = params["material"]
    return Material(
        configurations=read_configurations(inputs["configurations"], atoms=given["atoms_in_cell"]),
        atoms=given["atoms_in_cell"],
        mean_atomic_mass=given["mean_atomic_mass"],
        debye_scaling=given["debye_scaling"],
        grueneisen_x=given["grueneisen_x"],
    )
