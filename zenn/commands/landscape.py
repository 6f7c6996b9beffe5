"""`zenn landscape`: from a table of free energies to configurations and to where the landscape bifurcates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Configurations and critical points from a table of free energies F(x, T): fit, then critical.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

GAMMA, ITERATIONS, TOLERANCE, MOST = 5.0, 2000, 0.2, 12
TEMPERATURES = 61


@app.command()
def fit(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="CSV with columns x, temperature, free_energy.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(help="New folder for the results; it appears when all is done.", show_default=False),
    ],
    k: Annotated[
        str,
        typer.Option(
            "--k",
            help="Configurations K: a number, or auto for as many as the data need.",
            show_default=False,
        ),
    ],
    boltzmann_constant: Annotated[
        float, typer.Option(help="k_B in the table's energy per temperature, e.g. 8.617e-5 for eV and K.")
    ] = 1.0,
    gamma: Annotated[
        float, typer.Option(help="gamma of Eq. 6; inf for the common partition function.")
    ] = GAMMA,
    convexity: Annotated[
        float,
        typer.Option(
            help="lambda of Eq. 20: weight of negative curvature of a configuration's F, in ranges of F per "
            "squared half-width of x. 1e-4 is a little."
        ),
    ] = 0.0,
    slope_weight: Annotated[
        float, typer.Option(help="Weight of the column slope (slope1, slope2, ...), dF/dx.")
    ] = 0.0,
    entropy_weight: Annotated[float, typer.Option(help="Weight of the column entropy, -dF/dT.")] = 0.0,
    iterations: Annotated[int, typer.Option(help="Quasi-Newton steps.")] = ITERATIONS,
    start: Annotated[
        Literal["wells", "random"] | None,
        typer.Option(
            help="From wells that touch the data, or from random networks.",
            show_default="wells with one coordinate, random with more",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers of the start.")] = 0,
    hold_out: Annotated[
        bool,
        typer.Option(
            "--hold-out",
            help="End at the step that meets held-out data best, as --k auto does: for noisy data.",
        ),
    ] = False,
    tolerance: Annotated[
        float, typer.Option(help="Of --k auto: gain in the held-out error below which K is enough.")
    ] = TOLERANCE,
    k_most: Annotated[int, typer.Option(help="Of --k auto: the largest K tried.")] = MOST,
    density_temperature: Annotated[
        str | None,
        typer.Option(
            help="Temperature of the densities that are compared: a number, or physical for that of the row.",
            show_default="physical, or more where F varies by more than 5 k_B T",
        ),
    ] = None,
    unit_check: Annotated[
        bool, typer.Option(help="Refuse a --boltzmann-constant that is far off the table's units.")
    ] = True,
    x_name: Annotated[str, typer.Option(help="Name of x in figures, e.g. 'volume (Å³/atom)'.")] = "x",
    energy_unit: Annotated[str, typer.Option(help="Of F, for figures, e.g. eV.")] = "",
    temperature_unit: Annotated[str, typer.Option(help="Of T, for figures, e.g. K.")] = "",
) -> None:
    """Learn K configurations, each an energy and an entropy network, from a table of free energies.

    \b
    TABLE has the same points at every temperature, in units that agree:
      x,temperature,free_energy
      -1.6,1.2,1.1
      -1.5,1.2,0.9
    With more coordinates x1,x2,... in place of x. May have as well weight (of
    a quadrature over x), slope (dF/dx) and entropy (-dF/dT); these two are
    used with --slope-weight and --entropy-weight only.

    \b
    Example: zenn landscape fit data/inputs/double_well.csv --k 3
               --boltzmann-constant 0.0861733 --out my_fit

    Writes network.json and parameters.safetensors (the networks), model.json,
    constants.csv, errors.csv (how well each temperature is fitted), history.csv
    (the loss), fitted.csv, with one coordinate curves.csv and pictures, with
    --k auto or --hold-out selection.csv, and metadata.json. A killed fit goes on
    when the same command is given again.
    """
    from zenn.commands.landscape_fit import FitOptions, run_fit

    run_fit(
        table,
        out,
        FitOptions(
            k=k,
            boltzmann_constant=boltzmann_constant,
            gamma=gamma,
            convexity=convexity,
            slope_weight=slope_weight,
            entropy_weight=entropy_weight,
            iterations=iterations,
            start=start,
            seed=seed,
            hold_out=hold_out,
            tolerance=tolerance,
            k_most=k_most,
            density_temperature=density_temperature,
            unit_check=unit_check,
            x_name=x_name,
            energy_unit=energy_unit,
            temperature_unit=temperature_unit,
        ),
    )


@app.command()
def critical(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What fit wrote.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="New folder for the results.", show_default="FOLDER/critical")
    ] = None,
    pressure: Annotated[
        float, typer.Option(help="P of F + P x, in energy per x; one coordinate only.")
    ] = 0.0,
    x_window: Annotated[
        list[str] | None,
        typer.Option(
            help="LOW:HIGH, where it is looked; once for each coordinate.", show_default="that of the table"
        ),
    ] = None,
    temperature_window: Annotated[
        str | None, typer.Option(help="LOW:HIGH.", show_default="that of the table")
    ] = None,
    temperatures: Annotated[int, typer.Option(help="Of the bifurcation diagram.")] = TEMPERATURES,
) -> None:
    """Find where a fitted landscape bifurcates: F_xx = F_xxx = 0, and Eq. 19 in any number of coordinates.

    \b
    Example: zenn landscape critical my_fit --pressure 0

    Prints a summary and writes critical_points.csv (F_xx = F_xxx = 0),
    zero_eigenvalue.csv (Eq. 19 at the pressure), branches.csv and
    branch_changes.csv (the bifurcation diagram), zero_lines.csv (F_xx = 0),
    transition.csv (two minima of equal depth), a picture and metadata.json; with
    more than one coordinate zero_eigenvalue.csv only. Ends with status 1 and
    writes nothing where there is no bifurcation.
    """
    from zenn.commands.landscape_critical import run_critical

    run_critical(folder, out or folder / "critical", pressure, x_window, temperature_window, temperatures)
