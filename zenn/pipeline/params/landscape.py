"""The section `landscape`: networks that recover energies and entropies from a free-energy landscape."""

from __future__ import annotations

from zenn.pipeline.params.base import Section, ZentropyConstants, parameter


class LandscapeConstants(Section):
    """Constants of Eq. 6 for each of the two kinds of landscape."""

    benchmark: ZentropyConstants = parameter(
        "the one- and two-dimensional benchmark landscapes, dimensionless",
        source="Table S2, row 'Energy landscape'",
    )
    fe3pt: ZentropyConstants = parameter(
        "Fe3Pt, with temperature in 1000 K and energy in 0.0718111 eV/atom: k_B = 0.1 is then the physical "
        "constant for 12 atoms",
        source="Table S2, row 'Fe3Pt'",
    )


class Landscape(Section):
    """The inverse problem."""

    zentropy: LandscapeConstants = parameter("constants of the probability", source="Table S2")
