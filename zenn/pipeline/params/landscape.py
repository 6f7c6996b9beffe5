"""The section `landscape`: networks that recover energies and entropies from a free-energy landscape."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from zenn.pipeline.params.base import (
    Accepts,
    Count,
    PositiveReal,
    PositiveWindow,
    Pressures,
    Real,
    Reals,
    Section,
    Temperatures,
    ZentropyConstants,
    ascending,
    ordered,
    parameter,
)

Counts = Annotated[
    tuple[Annotated[int, Strict(), Field(ge=1)], ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one integer > 0, ascending, each once"),
]
Widths = Annotated[
    tuple[Annotated[int, Strict(), Field(ge=1, le=10_000)], ...],
    Field(min_length=1),
    Accepts("a list of at least one integer > 0"),
]
Seeds = Annotated[
    tuple[Annotated[int, Strict(), Field(ge=0)], ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one integer >= 0, ascending, each once"),
]
Weights = Annotated[
    tuple[PositiveReal, ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one number > 0, ascending, each once"),
]
Window = Annotated[
    tuple[Real, Real],
    AfterValidator(ordered),
    Accepts("a list [low, high] of two numbers with low < high"),
]
MOST_POINTS = 1000
MOST_ITERATIONS = 1_000_000


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


class Icnn(Section):
    """The input convex network that ZENN is compared with."""

    layers: Count = parameter("hidden layers", unit="layers", source="text: four", ge=1, le=20)
    width: Count = parameter(
        "neurons of each", unit="neurons", source="text: 48, as many in all as ZENN with K = 6", ge=1, le=1000
    )


class Optimisation(Section):
    """A short first phase of Adam, then self-scaled BFGS; the same for every network."""

    adam_steps: Count = parameter(
        "steps of Adam where a fit begins at random", unit="steps", source="choice", ge=1, le=MOST_ITERATIONS
    )
    adam_rate: Real = parameter("its first rate, which falls as a cosine", unit="1", source="choice", gt=0)
    trial_iterations: Count = parameter(
        "quasi-Newton steps after which the best of several starts is chosen",
        unit="iterations",
        source="choice",
        ge=1,
        le=MOST_ITERATIONS,
    )
    gradient_tolerance: Real = parameter(
        "largest component of the gradient at which a fit stops before its last iteration; 0: never",
        unit="1",
        source="choice",
        ge=0,
    )


class BenchmarkEvaluation(Section):
    """Where fits of the one-dimensional benchmark are looked at."""

    x_window: Window = parameter("x of the errors", unit="1", source="choice: holds both wells")
    temperature_window: PositiveWindow = parameter("T of the errors", unit="1", source="Fig. 3: T = 1 to 3")
    crossing_temperatures: Temperatures = parameter(
        "where zero crossings of F_xx are counted; at T = 2 the count is a matter of rounding",
        unit="1",
        source="rule of claim landscape-d2-crossings",
    )
    zero_line_x: Reals = parameter("x at which the zero line F_xx = 0 is compared", unit="1", source="choice")
    profile_temperatures: Temperatures = parameter(
        "temperatures of the curves", unit="1", source="Figs. 3d-f show four, unnamed but for T = 2"
    )
    profile_points: Count = parameter("points of a curve", unit="points", source="choice", ge=11, le=100_000)
    branch_temperatures: Count = parameter(
        "temperatures from which branches are followed", unit="temperatures", source="choice", ge=3, le=10_000
    )


class Benchmark(Section):
    """The benchmark in one dimension, T* = 2."""

    configurations: Count = parameter("K", unit="configurations", source="text: K = 6", ge=1, le=100)
    points: Count = parameter("quadrature nodes in x", unit="points", source="choice", ge=8, le=MOST_POINTS)
    temperatures: Count = parameter(
        "equally spaced temperatures", unit="temperatures", source="choice", ge=2, le=MOST_POINTS
    )
    window: Window = parameter(
        "x of the training data, wider than where errors are taken: a fit is worst at its edges",
        unit="1",
        source="choice",
    )
    temperature_window: PositiveWindow = parameter("T of the training data", unit="1", source="choice")
    mlp_small: Widths = parameter(
        "layers of the perceptron with as many parameters as ZENN, 1260", unit="neurons", source="choice"
    )
    mlp_large: Widths = parameter(
        "layers of the perceptron with as many parameters as the ICNN, 7536", unit="neurons", source="choice"
    )
    iterations: Count = parameter(
        "quasi-Newton steps of every fit", unit="iterations", source="choice", ge=1, le=MOST_ITERATIONS
    )
    evaluation: BenchmarkEvaluation = parameter("where fits are looked at")


class ThreeWells(Section):
    """The benchmark in two dimensions, at one temperature."""

    configurations: Count = parameter(
        "K of the comparison with other networks", unit="configurations", source="choice", ge=1, le=100
    )
    training_points: Counts = parameter(
        "equally spaced points per coordinate, one fit for each", unit="points", source="Fig. S3 does not say"
    )
    configuration_sweep: Counts = parameter(
        "K of the fits of Fig. S4", unit="configurations", source="Fig. S4 does not say"
    )
    sweep_training_points: Count = parameter(
        "points per coordinate of the fits of Fig. S4", unit="points", source="choice", ge=4, le=200
    )
    mlp_small: Widths = parameter(
        "layers of the perceptron with as many parameters as ZENN", unit="neurons", source="choice"
    )
    mlp_large: Widths = parameter(
        "layers of the perceptron with as many parameters as the ICNN", unit="neurons", source="choice"
    )
    prediction_points: Count = parameter(
        "points per coordinate at which p is compared",
        unit="points",
        source="Fig. S3, caption",
        ge=2,
        le=2000,
    )
    iterations: Count = parameter(
        "quasi-Newton steps of every fit", unit="iterations", source="choice", ge=1, le=MOST_ITERATIONS
    )


class Units(Section):
    """Units in which the networks see Fe3Pt."""

    temperature_K: PositiveReal = parameter("what a temperature of 1 stands for", unit="K", source="choice")
    energy_eV_per_atom: PositiveReal = parameter(
        "what an energy of 1 stands for: 12 atoms then have k_B = 0.1", unit="eV/atom", source="Table S2"
    )


class Fe3PtGrid(Section):
    """The free energy that is learned, from the forward model."""

    volume_window: PositiveWindow = parameter("volumes", unit="Å³/atom", source="choice")
    temperature_window: PositiveWindow = parameter(
        "temperatures", unit="K", source="5-600 K is the range of the authors' grid"
    )
    volumes: Count = parameter("quadrature nodes", unit="points", source="choice", ge=8, le=MOST_POINTS)
    temperatures: Count = parameter(
        "equally spaced temperatures", unit="temperatures", source="choice", ge=2, le=MOST_POINTS
    )
    test_volumes: Count = parameter(
        "equally spaced volumes at which fits are tested", unit="points", source="choice", ge=8, le=10_000
    )
    test_temperatures: Count = parameter(
        "equally spaced temperatures at which fits are tested",
        unit="temperatures",
        source="choice",
        ge=2,
        le=10_000,
    )


class Fe3PtEvaluation(Section):
    """What is asked of the fits of Fe3Pt."""

    cold_K: PositiveReal = parameter(
        "above it errors of F count", unit="K", source="choice: kT above 2 meV/12"
    )
    convex_K: PositiveReal = parameter("above it the curvatures of F_k count", unit="K", source="choice")
    pressure_GPa: Real = parameter(
        "pressure of Eq. 19 and of the first-order transition", unit="GPa", source="text", ge=0
    )
    pressures_GPa: Pressures = parameter(
        "pressures of isobars and windows of negative thermal expansion; among those of the forward model",
        unit="GPa",
        source="rule of claim fe3pt-nte",
    )
    isobar_temperatures_K: Annotated[
        tuple[PositiveReal, PositiveReal, PositiveReal], Accepts("a list [low, high, step] of numbers > 0")
    ] = parameter("lowest, highest and step of the temperatures of isobars", unit="K", source="choice")
    critical_window_K: PositiveWindow = parameter(
        "temperatures in which critical points are sought", unit="K", source="choice"
    )
    configuration_temperatures_K: Temperatures = parameter(
        "temperatures of the curves of every configuration", unit="K", source="Figs. 4c and S6, captions"
    )
    volumes: Count = parameter("volumes of a curve", unit="points", source="choice", ge=11, le=100_000)


class Fe3Pt(Section):
    """The inverse problem of Fe3Pt."""

    units: Units = parameter("units of the networks")
    grid: Fe3PtGrid = parameter("the data")
    authors_grid: Annotated[bool, Strict()] = parameter(
        "whether the grid that the authors published is fetched, fitted and evaluated too; needs the network "
        "once (data/inputs/registry.csv), or its files in downloads/",
        source="choice",
    )
    density_temperature: PositiveReal = parameter(
        "T_d of the density exp(-F / k_B T_d) that is compared, the same at every T: the physical one is "
        "blind below 50 K",
        unit="1000 K",
        source="choice",
    )
    configurations: Count = parameter("K", unit="configurations", source="text: K = 12", ge=1, le=100)
    convexity: PositiveReal = parameter("lambda of Eq. 20", unit="Å⁶", source="text: 1e-4")
    configuration_sweep: Counts = parameter(
        "K of the fits that ask whether fewer suffice", unit="configurations", source="choice"
    )
    convexity_sweep: Weights = parameter("lambda of the fits of Fig. S5", unit="Å⁶", source="Fig. S5")
    entropy_weight: PositiveReal = parameter(
        "weight of -dF/dT in the fit that is given it", unit="1", source="choice"
    )
    starts: Count = parameter(
        "starts tried for every fit: from some, one configuration takes the whole landscape",
        unit="starts",
        source="choice",
        ge=1,
        le=100,
    )
    variant_seeds: Seeds = parameter(
        "seeds of the fits with another lambda, with S of any sign and with -dF/dT", unit="1", source="choice"
    )
    auto_tolerance: PositiveReal = parameter(
        "relative gain in the error of F, from one K to the next of the sweep, below which K is enough",
        unit="1",
        source="choice",
    )
    iterations: Count = parameter(
        "quasi-Newton steps of every fit", unit="iterations", source="choice", ge=1, le=MOST_ITERATIONS
    )
    evaluation: Fe3PtEvaluation = parameter("what is asked of the fits")


class Landscape(Section):
    """The inverse problem."""

    zentropy: LandscapeConstants = parameter("constants of the probability", source="Table S2")
    hidden: Widths = parameter(
        "neurons of the hidden layers of every energy and entropy network",
        unit="neurons",
        source="text: two of eight",
    )
    icnn: Icnn = parameter("input convex network", source="SI Section 2")
    optimisation: Optimisation = parameter("how every fit runs")
    seeds: Seeds = parameter("seeds of every fit", unit="1", source="choice")
    benchmark: Benchmark = parameter("benchmark in one dimension", source="Fig. 3")
    three_wells: ThreeWells = parameter("benchmark in two dimensions", source="SI Section 3, Figs. S3-S4")
    fe3pt: Fe3Pt = parameter("Fe3Pt inverted", source="Fig. 4, S1, S5, S6")
