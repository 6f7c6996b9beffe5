"""A material as the steps are given it: a table of configurations and a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zenn.given import Given
from zenn.materials.configurations import read_configurations
from zenn.materials.electronic import read_electrons
from zenn.materials.material import Material


def read_material(params: Given, inputs: Mapping[str, Path]) -> Material:
    """The material of the group `material` of `params` and the table `inputs['configurations']`.

    With an input `electrons`, a table or densities of states (CSV), it has a thermal-electronic term.

    Raises
    ------
    InputError : the table or a number cannot be used; names file, row and column.
    """
    given = params.group("material")
    atoms = given.integer("atoms_in_cell")
    return Material(
        configurations=read_configurations(inputs["configurations"], atoms=atoms),
        atoms=atoms,
        mean_atomic_mass=given.number("mean_atomic_mass"),
        debye_scaling=given.number("debye_scaling"),
        grueneisen_x=given.number("grueneisen_x"),
        electrons=read_electrons(inputs["electrons"]) if "electrons" in inputs else None,
    )
