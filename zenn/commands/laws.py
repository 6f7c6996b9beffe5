"""`zenn laws`: a gas of one's own, from its dynamics to the entropy that a network learns of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="A gas of your own: simulate it, draw it, train the siamese network, test the axioms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Gas = Annotated[
    Path,
    typer.Argument(metavar="GAS", help="YAML file, e.g. data/inputs/gas.yaml.", show_default=False),
]
Out = Annotated[
    Path, typer.Option(help="New folder for the results; it appears when all is done.", show_default=False)
]
Pictures = Annotated[
    Path, typer.Argument(metavar="PICTURES", help="Folder that render wrote.", show_default=False)
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto is a GPU where there is one.")]


@app.command()
def simulate(
    gas: Gas,
    out: Out,
    threads: Annotated[
        int | None, typer.Option(help="Processes at a time.", show_default="as many as there are cores")
    ] = None,
) -> None:
    """Simulate the processes of a gas: soft discs, walls, a piston that moves and stops.

    \b
    Example: zenn laws simulate data/inputs/gas.yaml --out my_gas

    Reads the sections gas, design and heating_bound. Writes snapshots/ (five
    frames of every stop of every process, with tables of energy, work, heating,
    collisions), twins/ (the test processes once more, from other states of the
    same energy) and metadata.json. Finished processes are kept: the same command
    goes on after it was stopped.
    """
    from zenn.commands.laws_run import run_simulate

    run_simulate(gas, out, threads)


@app.command()
def render(
    gas: Gas,
    simulated: Annotated[
        Path, typer.Argument(metavar="SIMULATED", help="Folder that simulate wrote.", show_default=False)
    ],
    out: Out,
) -> None:
    """Draw what the network sees: five grey pictures of every stop.

    \b
    Example: zenn laws render data/inputs/gas.yaml my_gas --out my_pictures

    Reads the sections pictures and recombination. Writes pictures/ and twins/
    (pictures.safetensors and index.csv), recombined/ (states split by a wall and
    recombined, for A5) and metadata.json.
    """
    from zenn.commands.laws_run import run_render

    run_render(gas, simulated, out)


@app.command()
def train(
    gas: Gas,
    pictures: Pictures,
    out: Out,
    control: Annotated[
        Literal["none", "frozen", "shuffled", "permuted"],
        typer.Option(help="What is taken from the pictures: nothing, motion, time, the order of frames."),
    ] = "none",
    device: Device = "auto",
) -> None:
    """Train the siamese network to tell which of two pictures of a process is the later one.

    \b
    Example: zenn laws train data/inputs/gas.yaml my_pictures --out my_network

    Reads the section training. Writes network.safetensors, history.csv,
    representations.csv (the network's number for every picture), network.csv
    (Table I), metrics.json and metadata.json. A training that was stopped goes
    on when the same command is given again.
    """
    from zenn.commands.laws_run import run_train

    run_train(gas, pictures, out, control, device)


@app.command()
def axioms(
    gas: Gas,
    pictures: Pictures,
    network: Annotated[
        Path, typer.Argument(metavar="NETWORK", help="Folder that train wrote.", show_default=False)
    ],
    out: Out,
    device: Device = "auto",
) -> None:
    """Test the axioms of Lieb and Yngvason, and the entropy, on the test processes.

    \b
    Example: zenn laws axioms data/inputs/gas.yaml my_pictures my_network --out my_axioms

    Reads the section axioms. Prints and writes metrics.json, and a CSV for each
    axiom and for the entropy; docs/laws.md says what each number is.
    """
    from zenn.commands.laws_run import run_axioms

    run_axioms(gas, pictures, network, out, device)
