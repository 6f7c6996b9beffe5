"""`zenn materials`: from energy-volume points to free energy and phase diagram of a user's material."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zenn.commands.points import Format

app = typer.Typer(
    help="Free energy, properties and phase diagram of your material from energy-volume points.\n\n"
    "In this order: fit-eos (points to configurations), then free-energy or phase-diagram, then plot.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

DEBYE_SCALING = 0.617
GRUENEISEN_X = 2 / 3
TEMPERATURES = "0:600:10"
COUNT = 51
WINDOW = "from 4 % below the smallest to 6 % above the largest V0"

Table = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIGURATIONS",
        help="CSV table of configurations: the configurations.csv that fit-eos writes, or your own with the "
        "columns configuration, degeneracy, volume_A3_per_atom, energy_eV_per_atom, bulk_modulus_GPa, "
        "bulk_modulus_derivative.",
        show_default=False,
    ),
]
Out = Annotated[
    Path,
    typer.Option(help="New folder for the results; it appears when all is done.", show_default=False),
]
Atoms = Annotated[
    int,
    typer.Option(
        help="Atoms in the cell whose arrangements the configurations are, e.g. 12: the n in exp(-n F / kT).",
        show_default=False,
    ),
]
Formula = Annotated[
    str | None, typer.Option(help="Formula, e.g. Fe3Pt, for the mean atomic mass.", show_default=False)
]
Mass = Annotated[
    float | None, typer.Option(help="Mean atomic mass in u, in place of --formula.", show_default=False)
]
Scaling = Annotated[
    float, typer.Option(help="Scaling s of the Debye temperature; 0.617 after Moruzzi et al. (1988).")
]
GrueneisenX = Annotated[
    float,
    typer.Option(
        help="x of the Grüneisen parameter (1 + B') / 2 - x: 2/3 at high, 1 at low temperature.",
        show_default="2/3",
    ),
]
ElectronsFile = Annotated[
    Path | None,
    typer.Option(
        help="CSV of the thermal electrons of every configuration; free-energy --help has its columns.",
        show_default=False,
    ),
]
Temperatures = Annotated[str, typer.Option(help="K: START:STOP:STEP, or a list such as 100,300,500.")]


@app.command("fit-eos")
def fit_eos(
    points: Annotated[
        list[Path],
        typer.Argument(
            metavar="POINTS",
            help="A CSV table of points or of files, or the files of one configuration.",
            show_default=False,
        ),
    ],
    out: Out,
    atoms: Annotated[
        int | None,
        typer.Option(
            help="Atoms in the cell; needed for e-v.dat and for columns per cell.", show_default=False
        ),
    ] = None,
    file_format: Annotated[
        Format | None, typer.Option("--format", help="Else told by the file's name.", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the configuration, if POINTS are files of one.", show_default=False),
    ] = None,
    degeneracy: Annotated[
        int | None,
        typer.Option(help="Equivalent members of that configuration; 1 if not given.", show_default=False),
    ] = None,
) -> None:
    """Fit an equation of state to the energy-volume points of every configuration.

    POINTS is one of three:

    \b
    1. A CSV table of points, at least 5 volumes for each configuration:
         configuration,degeneracy,volume_A3_per_atom,energy_eV_per_atom
         FM,1,12.8,-7.021
       (or volume_A3_per_cell,energy_eV_per_cell with --atoms)

    \b
    2. A CSV list of files, for VASP runs (a folder each, or vasprun.xml, or
       OSZICAR beside a CONTCAR) or phonopy's e-v.dat (with --atoms):
         configuration,degeneracy,path
         FM,1,runs/fm-12.4
         FM,1,runs/fm-12.8
         AFM,3,runs/afm-12.4

    \b
    3. The files of one configuration, with --name and --degeneracy:
         zenn materials fit-eos runs/fm-* --name FM --out fitted

    Writes configurations.csv (what the other verbs read), fit.csv (how well
    each curve fits), points.csv, curves.csv and metadata.json.
    """
    from zenn.commands.runs import run_fit

    run_fit(points, out, atoms, file_format, name, degeneracy)


@app.command("free-energy")
def free_energy(
    configurations: Table,
    out: Out,
    atoms: Atoms,
    formula: Formula = None,
    mean_atomic_mass: Mass = None,
    debye_scaling: Scaling = DEBYE_SCALING,
    grueneisen_x: GrueneisenX = GRUENEISEN_X,
    electrons: ElectronsFile = None,
    temperatures: Temperatures = TEMPERATURES,
    volumes: Annotated[
        str | None,
        typer.Option(
            help="Å3 per atom: LOW:HIGH:COUNT, e.g. 12.2:13.7:51.", show_default=f"{COUNT}, {WINDOW}"
        ),
    ] = None,
) -> None:
    """Compute all thermodynamic properties on a grid of temperatures and volumes.

    \b
    Example: zenn materials free-energy fitted/configurations.csv --atoms 12
               --formula Fe3Pt --temperatures 0:600:10 --out grid

    Writes properties.csv (one row per temperature and volume: free, internal
    and Gibbs energy, entropies, pressure, bulk modulus, heat capacities, thermal
    expansion, Grüneisen parameter), configurations.csv (the probability, energies
    and entropy of each configuration there) and metadata.json.

    \b
    The file of --electrons has either free energies of the electrons,
    0 at 0 K, on a grid:
      configuration, volume_A3_per_atom, temperature_K,
      electronic_helmholtz_eV_per_atom
    or densities of states, of both spins:
      configuration, volume_A3_per_atom, fermi_energy_eV, energy_eV,
      density_of_states_per_eV_per_atom
    """
    from zenn.commands.given_material import read_material
    from zenn.commands.runs import run_grid

    run_grid(
        lambda: read_material(
            configurations, atoms, formula, mean_atomic_mass, debye_scaling, grueneisen_x, electrons
        ),
        out,
        temperatures,
        volumes,
        COUNT,
    )


@app.command("phase-diagram")
def phase_diagram(
    configurations: Table,
    out: Out,
    atoms: Atoms,
    formula: Formula = None,
    mean_atomic_mass: Mass = None,
    debye_scaling: Scaling = DEBYE_SCALING,
    grueneisen_x: GrueneisenX = GRUENEISEN_X,
    electrons: ElectronsFile = None,
    temperatures: Temperatures = TEMPERATURES,
    volume_window: Annotated[
        str | None,
        typer.Option(
            help="Å3 per atom: LOW:HIGH, e.g. 12.2:13.7, where everything is looked for.",
            show_default=WINDOW,
        ),
    ] = None,
    pressure: Annotated[
        list[float] | None,
        typer.Option(
            help="GPa; pressure of an isobar, may be repeated: --pressure 0 --pressure 2.", show_default="0"
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            help="Random tables that round to the given one: what does its rounding leave open? 0 for none."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the samples' random numbers.")] = 1,
) -> None:
    """Solve critical points, first-order lines, spinodals, isobars and negative thermal expansion.

    \b
    Example: zenn materials phase-diagram fitted/configurations.csv --atoms 12
               --formula Fe3Pt --pressure 0 --pressure 6 --out diagram

    Prints a summary and writes critical_points.csv, binodals.csv (first-order
    lines), spinodals.csv, isobars.csv, along the isobars transitions.csv,
    negative_thermal_expansion.csv, isobar_properties.csv and
    isobar_configurations.csv, crossover.csv (where the ground state's probability
    passes 1/2), phase_diagram.json and metadata.json; with --samples also
    samples.csv, transition_pressures.csv and uncertainty.json.
    """
    from zenn.commands.given_material import read_material
    from zenn.commands.runs import run_diagram

    run_diagram(
        lambda: read_material(
            configurations, atoms, formula, mean_atomic_mass, debye_scaling, grueneisen_x, electrons
        ),
        out,
        temperatures,
        volume_window,
        [0.0] if pressure is None else pressure,
        samples,
        seed,
    )


@app.command()
def plot(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="What fit-eos, free-energy or phase-diagram wrote.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="New folder for the figures.", show_default="FOLDER/figures")
    ] = None,
) -> None:
    """Draw what a folder of results holds, each figure as PNG, PDF and CSV of the numbers it shows.

    \b
    Example: zenn materials plot diagram
    """
    from zenn.commands.figures import run_plot

    run_plot(folder, out or folder / "figures")
