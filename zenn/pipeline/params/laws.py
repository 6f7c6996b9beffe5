"""The section `laws`: the gas that teaches entropy (Paper B)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from zenn.pipeline.params.base import (
    Accepts,
    Count,
    PositiveReal,
    Real,
    Section,
    ascending,
    different,
    parameter,
)

Numbers = Annotated[
    tuple[Annotated[int, Strict(), Field(ge=1)], ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one integer > 0, ascending, each once"),
]
Reals = Annotated[
    tuple[PositiveReal, ...],
    Field(min_length=1),
    AfterValidator(different),
    Accepts("a list of at least one number > 0, each once"),
]
Shares = Annotated[
    tuple[Annotated[float, Strict(), Field(gt=0, lt=1)], ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one number between 0 and 1, ascending, each once"),
]
Seeds = Annotated[
    tuple[Annotated[int, Strict(), Field(ge=0)], ...],
    Field(min_length=1),
    AfterValidator(ascending),
    Accepts("a list of at least one integer >= 0, ascending, each once"),
]
Controls = Annotated[
    tuple[Literal["frozen", "shuffled", "permuted"], ...],
    AfterValidator(different),
    Accepts("a list of names among frozen, shuffled and permuted, each once"),
]
LENGTH, ENERGY, TIME = "R", "k_B T_0", "R sqrt(m / k_B T_0)"
SPEED = "sqrt(k_B T_0 / m)"
MOST = 1_000_000


class GasParameters(Section):
    """Discs in a container, and the step they are moved by."""

    length: PositiveReal = parameter("side L of the container", unit=LENGTH, source="Sec. III A: 300")
    radius: PositiveReal = parameter("of a disc", unit=LENGTH, source="Sec. III A: the unit of length")
    stiffness: PositiveReal = parameter(
        "C_int of Eq. 3, of the walls too", unit=f"{ENERGY} / R²", source="Sec. III A: 10000"
    )
    time_step: PositiveReal = parameter("of velocity Verlet", unit=TIME, source="Sec. III A: 0.001")


class DesignParameters(Section):
    """Which processes there are: how many discs, how fast and how far the piston moves."""

    particles: Numbers = parameter("numbers of discs N", unit="discs", source="Sec. III A")
    push_speeds: Reals = parameter("of the piston", unit=SPEED, source="Sec. III A")
    pull_speeds: Reals = parameter("of the piston", unit=SPEED, source="Sec. III A")
    distances: Reals = parameter(
        "that the piston moves between two stops; each divides L/2", unit=LENGTH, source="Sec. III A"
    )
    neighbours: Count = parameter(
        "how far apart in the list the distances of pushing and pulling may be: 1 gives the paper's 448",
        unit="places",
        source="choice: a reconstruction",
        ge=0,
        le=1000,
    )
    stop_time: PositiveReal = parameter("of every stop", unit=TIME, source="choice: not printed")
    frame_interval: PositiveReal = parameter(
        "between the five snapshots at the end of a stop", unit=TIME, source="Sec. III A: 1"
    )
    train: Count = parameter(
        "processes for training", unit="processes", source="Sec. III B: 336", ge=1, le=MOST
    )
    validation: Count = parameter(
        "processes for validation", unit="processes", source="Sec. III B: 56", ge=1, le=MOST
    )
    test: Count = parameter("processes of the test", unit="processes", source="Sec. III B: 56", ge=1, le=MOST)
    seed: Count = parameter("of the split and of all initial states", unit="1", source="choice", ge=0)


class Simulation(Section):
    """How the gas is simulated."""

    gas: GasParameters = parameter("the gas")
    design: DesignParameters = parameter("the processes")
    heating_bound: PositiveReal = parameter(
        "share of the energy by which energy change and piston work may differ before a process is refused",
        unit="1",
        source="choice",
    )


class Pictures(Section):
    """What the network sees."""

    pixels: Count = parameter(
        "side of a picture, a multiple of 32", unit="pixels", source="Sec. III A: 256", ge=32, le=4096
    )
    drawn_radius: PositiveReal = parameter("of a disc in a picture", unit=LENGTH, source="Sec. III A: R")


class Recombination(Section):
    """States that are split by a wall, and recombined (A5)."""

    samples: Count = parameter("states of test processes", unit="states", source="choice", ge=2, le=MOST)
    lambdas: Shares = parameter("where the wall is put", unit="1", source="choice: not printed")
    relaxation: PositiveReal = parameter(
        "after the wall is put in, and after it is taken away", unit=TIME, source="choice: 'a short time'"
    )
    seed: Count = parameter("of what is chosen at random", unit="1", source="choice", ge=0)


class LawsTraining(Section):
    """How the siamese network is trained."""

    seeds: Seeds = parameter("of the trainings", unit="1", source="choice")
    controls: Controls = parameter(
        "trainings on pictures from which something is taken: motion, time, or the order of frames",
        source="choice",
    )
    control_seeds: Seeds = parameter("of the trainings of controls", unit="1", source="choice")
    epochs: Count = parameter(
        "passes over the data", unit="epochs", source="choice: not printed", ge=1, le=MOST
    )
    learning_rate: Real = parameter(
        "of Adam at the start, falling as a cosine", unit="1", source="choice: not printed", gt=0, lt=1
    )
    images_per_step: Count = parameter(
        "microscopic images of an update", unit="images", source="choice: not printed", ge=2, le=MOST
    )
    chunk: Count = parameter(
        "images of a process that are paired at a time", unit="images", source="choice", ge=2, le=MOST
    )
    gpu: Annotated[bool, Strict()] = parameter(
        "whether a training and its evaluation are jobs that want a GPU", source="choice"
    )


class Axioms(Section):
    """Which states and pairs the axioms are looked at on."""

    seed: Count = parameter("of what is chosen at random", unit="1", source="choice", ge=0)
    scaling_lambdas: Shares = parameter("lambda of A4", unit="1", source="Sec. IV A: 0.5 to 0.9")
    extensivity_lambdas: Shares = parameter("lambda of Fig. 8", unit="1", source="Sec. IV B: 0.2 to 0.8")
    extensivity_pairs: Count = parameter(
        "pairs of states for each lambda", unit="pairs", source="choice: not printed", ge=2, le=MOST
    )
    epsilons: Shares = parameter("sizes of the dust of A6", unit="1", source="Fig. 6")
    dust_pairs: Count = parameter("pairs Z_1, Z_2 of dust", unit="pairs", source="choice", ge=1, le=MOST)
    dust_states: Count = parameter("states X, Y that get it", unit="states", source="choice", ge=2, le=MOST)
    canonical_states: Count = parameter(
        "states of each N whose canonical entropy is found", unit="states", source="choice", ge=2, le=MOST
    )
    triples: Count = parameter("triples of A2", unit="triples", source="choice", ge=1, le=100 * MOST)
    bootstrap: Count = parameter(
        "samples of processes behind the interval of the heat capacity's exponent",
        unit="samples",
        source="choice",
        ge=100,
        le=MOST,
    )


class Examples(Section):
    """Pictures of what is done, for figures and an animation."""

    animation_frames: Count = parameter("of one cycle", unit="frames", source="choice", ge=2, le=1000)
    animation_pixels: Count = parameter("side of a frame", unit="pixels", source="choice", ge=16, le=1024)
    animation_radius: PositiveReal = parameter("of a disc in it", unit=LENGTH, source="choice")
    epsilon: Annotated[float, Strict(), Field(gt=0, lt=1)] = parameter(
        "of the dust that is shown", unit="1", source="Fig. 6, inset"
    )
    share: Annotated[float, Strict(), Field(gt=0, lt=1)] = parameter(
        "lambda of the scaled and the split state that are shown", unit="1", source="Fig. 4"
    )


class Laws(Section):
    """The gas that teaches entropy."""

    simulation: Simulation = parameter("dynamics of the gas", source="Sec. III A")
    pictures: Pictures = parameter("pictures of the gas", source="Sec. III A")
    recombination: Recombination = parameter("splitting and recombination", source="Sec. IV A")
    training: LawsTraining = parameter("the network", source="Sec. III B, Table I")
    axioms: Axioms = parameter("the axioms and the entropy", source="Sec. IV")
    examples: Examples = parameter("pictures for figures", source="choice")
