"""The section `materials`: the forward model of a solid, from its configurations to its phase diagram."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from zenn.pipeline.params.base import (
    Accepts,
    Count,
    PositiveWindow,
    Pressures,
    Real,
    Reals,
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
    electrons: RelativePath | None = parameter(
        "CSV of the thermal-electronic term of every configuration, a table of free energies or densities of "
        "states; null for none",
        source="Eq. S1; none is published for Fe3Pt",
    )
    volume_window: PositiveWindow = parameter(
        "volumes in which everything is sought and drawn; has to enclose the V0 of the configurations",
        unit="Å³/atom",
        source="choice: encloses every V0 of Table S1 and the volumes at 8 GPa",
    )
    temperature_window: PositiveWindow = parameter(
        "temperatures in which critical points are sought; the phase diagram goes from 0 K to the upper end",
        unit="K",
        source="choice: 5-600 K is the range of the authors' grid",
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
    volumes: Count = parameter(
        "equally spaced volumes per curve", unit="points", source="choice", ge=11, le=1_000_000
    )


class SecondDerivative(Section):
    """The curvature of the free energy on both sides of the critical temperature."""

    temperatures: Temperatures = parameter(
        "temperatures of the curves d²F/dV²", unit="K", source="Fig. S2, caption"
    )


class CriticalPoint(Section):
    """How precisely d²F/dV² = d³F/dV³ = 0 is solved."""

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


class PhaseDiagram(Section):
    """Spinodal, binodal, isobars and negative thermal expansion."""

    temperature_step: Real = parameter(
        "step of the temperatures, from 0 K up; close to critical points more are added",
        unit="K",
        source="choice",
        gt=0,
        le=100,
    )
    pressures: Pressures = parameter(
        "pressures of the isobars and of the windows of negative thermal expansion",
        unit="GPa",
        source="0, 2, 4 and 6 GPa: rule of claim fe3pt-nte; 1 atm and 6.53 GPa: Fig. 4",
    )


class ConfigurationProperties(Section):
    """Every configuration by itself, and its probability."""

    temperature: Real = parameter(
        "temperature of the curves against volume", unit="K", source="Fig. 4c, caption", ge=0
    )
    pressures: Pressures = parameter(
        "pressures of the isobars along which probabilities are followed", unit="GPa", source="Fig. 4c, text"
    )


class Uncertainty(Section):
    """Monte Carlo over the digits that Table S1 does not print."""

    samples: Count = parameter("phase diagrams solved", unit="samples", source="choice", ge=2, le=1_000_000)
    seed: Count = parameter("seed of the random digits", unit="1", source="choice", ge=0)


class MissingRow(Section):
    """The 37th configuration that Table S1 does not print."""

    degeneracy: Count = parameter(
        "its degeneracy: 512 less the sum of the printed ones", unit="1", source="Table S1, caption", ge=1
    )
    energies: Reals = parameter(
        "energies to try; its other properties are taken as the means of the table",
        unit="eV/atom",
        source="choice: the upper half of the printed energies",
    )


class Sensitivity(Section):
    """Assumptions of the forward model, changed one at a time."""

    debye_scalings: Reals = parameter("values of the Debye scaling", unit="1", source="choice")
    grueneisen_xs: Reals = parameter(
        "values of x of the Grüneisen parameter", unit="1", source="choice; 1: low temperature (Moruzzi)"
    )
    atoms: Reals = parameter("numbers of atoms in the Boltzmann factor", unit="atoms", source="choice")
    mean_atomic_masses: Reals = parameter(
        "mean atomic masses", unit="u", source="76.350: the geometric mean of 3 Fe and Pt"
    )
    missing_row: MissingRow = parameter("the row that is not printed")


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
    phase_diagram: PhaseDiagram = parameter("phase diagram", source="Fig. 4b")
    configuration_properties: ConfigurationProperties = parameter(
        "configurations one by one", source="Fig. 4c"
    )
    uncertainty: Uncertainty = parameter("what rounding leaves open", source="Table S1")
    sensitivity: Sensitivity = parameter("what the results depend on")
