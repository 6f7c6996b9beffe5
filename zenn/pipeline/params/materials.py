"""The section `materials`: the forward model of a solid, from its configurations to its phase diagram."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from zenn.pipeline.params.base import (
    Accepts,
    Count,
    PositiveWindow,
    Real,
    RelativePath,
    Section,
    Temperatures,
    parameter,
)


class System(Section):
    """One solid: its table of configurations and what turns that table into free energies."""

    configurations: RelativePath = parameter(
        "CSV of the symmetry-independent configurations: degeneracy, V0, E0, B0 and B' of each",
        source="Table S1",
    )
    atoms_in_cell: Count = parameter(
        "atoms of the cell whose total free energy enters the Boltzmann factor; the table is per atom",
        unit="atoms",
        source="Table S1, caption",
        ge=1,
    )
    mean_atomic_mass: Real = parameter(
        "arithmetic mean of the atomic masses in the cell, M in the Debye temperature",
        unit="u",
        source="(3 Fe + Pt) / 4, standard atomic weights",
        gt=0,
        lt=300,
    )
    debye_scaling: Real = parameter(
        "scaling factor s of the Debye temperature",
        unit="1",
        source="Moruzzi, Janak, Schwarz 1988; Shang 2010 (SI ref. 7)",
        gt=0,
        le=2,
    )
    grueneisen_x: Real = parameter(
        "x of the Grüneisen parameter gamma = (1 + B')/2 - x",
        unit="1",
        source="Moruzzi, Janak, Schwarz 1988; Shang 2010 (SI ref. 7)",
        ge=0,
        le=2,
    )


class EosRoundTrip(Section):
    """The test that noiseless energies from each row, refitted, give the row back."""

    points: Count = parameter(
        "energy-volume points per configuration; the four-parameter fit needs at least five",
        unit="points",
        source="SI Section 1: 'usually, eight reliable data points'",
        ge=5,
        le=1000,
    )
    strain: Real = parameter(
        "half-width of the volume range, relative to V0", unit="1", source="choice", gt=0, lt=0.5
    )


class Isotherms(Section):
    """Free energy against volume at several temperatures."""

    temperatures: Temperatures = parameter(
        "temperatures of the curves",
        unit="K",
        source="choice within 5-600 K, the range of the authors' grid; the figures do not print a list",
    )
    pressure: Real = parameter(
        "pressure p of the curves F + pV", unit="GPa", source="Fig. 4a, caption", ge=0, le=1000
    )
    volume_window: PositiveWindow = parameter(
        "range of the volume axis", unit="Å³/atom", source="choice: encloses every V0 of Table S1"
    )
    volumes: Count = parameter(
        "equally spaced volumes per curve", unit="points", source="choice", ge=11, le=1_000_000
    )


class SecondDerivative(Section):
    """The curvature of the free energy on both sides of the critical temperature."""

    temperatures: Temperatures = parameter(
        "temperatures of the curves d²F/dV²", unit="K", source="Fig. S2, caption"
    )


class CriticalPoint(Section):
    """Where and how precisely d²F/dV² = d³F/dV³ = 0 is solved."""

    temperature_window: PositiveWindow = parameter(
        "temperatures in which the critical point is sought",
        unit="K",
        source="choice: around 160-165 K, text",
    )
    volume_window: PositiveWindow = parameter(
        "volumes in which the critical point is sought",
        unit="Å³/atom",
        source="choice: encloses the two competing phases of Table S1",
    )
    tolerance: Real = parameter(
        "largest scaled residual of F_VV = F_VVV = 0, V F_VV/B and V^2 F_VVV/B, at which it is solved",
        unit="1",
        source="choice",
        gt=0,
        lt=1e-2,
    )
    max_iterations: Count = parameter(
        "iterations after which the search is given up with an error",
        unit="iterations",
        source="choice",
        ge=1,
        le=100_000,
    )


class ReferenceState(Section):
    """The state whose volume V_N normalises the volumes of the phase diagram."""

    temperature: Real = parameter("temperature of V_N", unit="K", source="Fig. 4b, caption", gt=0)
    pressure: Real = parameter(
        "pressure of V_N: one standard atmosphere", unit="GPa", source="Fig. 4b, caption", ge=0, le=1000
    )


def usable_names(systems: dict[str, System]) -> dict[str, System]:
    """`systems`, if each name can be part of a step's label and of a folder's name."""
    for name in systems:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"names of lower-case letters, digits and underscores, unlike {name!r}")
    return systems


class Materials(Section):
    """The forward model: systems, and what is computed for each of them."""

    systems: Annotated[
        dict[str, System],
        Field(min_length=1),
        AfterValidator(usable_names),
        Accepts("a mapping with at least one name, each to the parameters of a solid"),
    ] = parameter("the solids, by name; a solid is an input, not code")
    eos_round_trip: EosRoundTrip = parameter("the equation of state, refitted to its own energies")
    isotherms: Isotherms = parameter("free energy against volume", source="Figs. 4a and S1")
    second_derivative: SecondDerivative = parameter("curvature of the free energy", source="Fig. S2")
    critical_point: CriticalPoint = parameter("search for the critical point", source="Eq. 19")
    reference_state: ReferenceState = parameter("state of the normalising volume", source="Fig. 4b")
