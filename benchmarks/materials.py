"""How fast `zenn.materials` is beside pyzentropy, on the same configurations and the same grid.

`python -m benchmarks.materials` writes `benchmarks/results/materials.md` and `.json`; each part is also a
function. Ours and theirs take turns in one process, so that a busy machine slows both; a ratio is the median
over these pairs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import fields
from statistics import median
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pyzentropy.configuration import Configuration
from pyzentropy.system import System
from rich.console import Console
from rich.progress import Progress

from benchmarks.report import ROOT, Row, as_content, machine, page, write
from zenn.materials import (
    Material,
    PhaseDiagram,
    crossover,
    helmholtz,
    monte_carlo,
    phase_diagram,
    properties,
    scan,
)
from zenn.materials.configurations import printed_decimals, read_configurations
from zenn.materials.constants import GPA_PER_EV_PER_A3

Array = NDArray[np.float64]

TEMPERATURES = np.arange(10, 601, 10.0)
VOLUMES = np.linspace(12.2, 13.7, 241)
"""K and Å3 per atom: what a user of pyzentropy needs for Fe3Pt's diagram. Ours chooses its own volumes."""

PEER_GPA_PER_EV_PER_A3 = 160.21766208
"""The constant of pyzentropy, of CODATA 2014: 8e-9 below the exact one of 2019."""

Report = Callable[[str], None]


def fe3pt() -> tuple[Material, dict[str, Any]]:
    """Fe3Pt of params.yaml, and the whole section `materials`."""
    section = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["materials"]
    given = section["systems"]["fe3pt"]
    atoms = given["atoms_in_cell"]
    names = ("mean_atomic_mass", "debye_scaling", "grueneisen_x")
    rows = read_configurations(ROOT / given["configurations"], atoms)
    return Material(rows, atoms, **{name: given[name] for name in names}), section


def peer_configurations(material: Material, volumes: Array, temperatures: Array) -> dict[str, Configuration]:
    """What pyzentropy starts from: every configuration on the grid, per cell, from our exact derivatives.

    `volumes` in Å3 per atom, shape (M,); `temperatures` in K, shape (N,). F_k, S_k and C_V,k are n times
    those per atom; dF_k/dV is the same, d2F_k/dV2 one n-th.
    """
    n, rows = material.atoms, material.configurations
    states = helmholtz.mixture(material, volumes, temperatures[:, None], order=2).states
    F, F_V, half_F_VV = np.moveaxis(states.energy, -1, 1)
    return {
        name: Configuration(
            name=name,
            multiplicity=int(rows.degeneracies[k]),
            number_of_atoms=n,
            volumes=n * volumes,
            temperatures=temperatures,
            helmholtz_energies=n * F[k],
            helmholtz_energies_dV=F_V[k],
            helmholtz_energies_d2V2=2 * half_F_VV[k] / n,
            entropies=n * states.entropy[0, ..., k],
            heat_capacities=n * states.heat_capacity[..., k],
        )
        for k, name in enumerate(rows.names)
    }


def peer_system(material: Material, configurations: dict[str, Configuration]) -> System:
    """pyzentropy's mixture, with the configuration of lowest energy as its ground state."""
    rows = material.configurations
    return System(configurations, rows.names[int(np.argmin(rows.equilibrium_energies))])


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and what the work returns."""
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def compare_phase_diagrams(
    material: Material, pressures: list[float], pairs: int, report: Report
) -> list[Row]:
    """The whole diagram: theirs with its defaults, ours with isobars at all pressures of theirs, or at few.

    Theirs computes the stable volumes at one pressure after another, 0.2 GPa apart.
    """
    configurations = peer_configurations(material, VOLUMES, TEMPERATURES)
    window = (float(VOLUMES[0]), float(VOLUMES[-1]))
    construction, theirs = [], []
    ours: dict[str, list[float]] = {"same": [], "few": []}
    for _ in range(pairs):
        seconds, system = timed(lambda: peer_system(material, configurations))
        construction.append(seconds)
        seconds, _ = timed(system.calculate_phase_diagrams)
        theirs.append(seconds)
        same = [
            float(name.removesuffix("_GPa"))
            for name, found in system.pt_properties.items()
            if np.all(np.isfinite(found["V0"]))  # the last one leaves the grid
        ]
        for name, at in (("few", pressures), ("same", same)):
            seconds, diagram = timed(lambda at=at: phase_diagram(material, TEMPERATURES, window, at))
            ours[name].append(seconds)
        report("phase diagrams")
    whole = [one + two for one, two in zip(construction, theirs, strict=True)]
    agreement = diagrams_agree(material, system, diagram)
    parts = {"their_system_s": median(construction), "their_phase_diagrams_s": median(theirs)}
    return [
        Row(
            f"whole phase diagram, {count} isobars",
            f"phase_diagram(): critical point, binodal and spinodal solved to 1e-10, {count} isobars with "
            "turning points and windows of negative thermal expansion, crossover; configurations evaluated",
            "System() and calculate_phase_diagrams(): critical temperature within 10 K, pressures rounded to "
            f"0.01 GPa, {len(same)} isobars without their turning points; configurations are given",
            median(ours[name]),
            median(whole),
            median(one / two for one, two in zip(whole, ours[name], strict=True)),
            pairs,
            found,
        )
        for name, count, found in (("same", len(same), agreement | parts), ("few", len(pressures), parts))
    ]


def diagrams_agree(material: Material, system: System, diagram: PhaseDiagram) -> dict[str, Any]:
    """Transitions, crossover and critical point of both."""
    window = (float(VOLUMES[0]), float(VOLUMES[-1]))
    first, second = system.pt_phase_diagram["first_order"], system.pt_phase_diagram["second_order"]
    point = diagram.critical_point()
    binodal = diagram.binodal_of(point)
    tangents = binodal.pressures[np.isin(binodal.temperatures, first["T"]), 0]
    order = np.argsort(second["T"])
    half = crossover(scan(material, second["T"][order], window))
    hottest = float(first["T"].max())
    next_one = float(TEMPERATURES[np.searchsorted(TEMPERATURES, hottest) + 1])
    return {
        "largest_difference_of_transition_pressures_GPa": float(np.abs(first["P"] - tangents).max()),
        "largest_difference_of_crossover_pressures_GPa": float(
            np.abs(half.pressures - second["P"][order]).max()
        ),
        "their_critical_temperature_K": [hottest, next_one],
        "our_critical_temperature_K": point.temperature,
        "their_hottest_transition_pressure_GPa": float(first["P"][-1]),
        "our_critical_pressure_GPa": point.pressure,
        "largest_residual_of_our_binodal": float(binodal.residuals.max()),
        "our_windows_of_negative_thermal_expansion": len(diagram.negative_thermal_expansion),
    }


def compare_properties(material: Material, pairs: int, report: Report) -> list[Row]:
    """The properties of the mixture at every point of the grid, with the configurations and without."""
    T = TEMPERATURES[:, None]
    evaluation, mixing, ours, theirs, making = [], [], [], [], []
    for _ in range(pairs):
        seconds, configurations = timed(lambda: peer_configurations(material, VOLUMES, TEMPERATURES))
        making.append(seconds)
        seconds, system = timed(lambda given=configurations: peer_system(material, given))
        theirs.append(seconds)
        # the part of ours that pyzentropy leaves to its user
        seconds, _ = timed(lambda: helmholtz._configurations(material, VOLUMES[None], T, 2))
        evaluation.append(seconds)
        seconds, _ = timed(lambda: helmholtz.mixture(material, VOLUMES, T, order=2))
        mixing.append(seconds)
        seconds, found = timed(lambda: properties(material, VOLUMES, T))
        ours.append(seconds)
        report("properties on a grid")
    n = material.atoms
    units = GPA_PER_EV_PER_A3 / PEER_GPA_PER_EV_PER_A3
    columns = {
        "helmholtz_energy": (system.helmholtz_energies / n, found.helmholtz_energy),
        "entropy": (system.entropies / n, found.entropy),
        "bulk_modulus": (system.bulk_moduli * units, found.bulk_modulus),
        "isochoric_heat_capacity": (system.heat_capacities / n, found.isochoric_heat_capacity),
    }
    agreement = {
        f"largest_relative_difference_of_{name}": float(np.nanmax(np.abs(theirs_ - ours_) / np.abs(ours_)))
        for name, (theirs_, ours_) in columns.items()
    }
    agreement["points"] = found.helmholtz_energy.size
    agreement["points_without_entropy_theirs"] = int(np.isnan(system.entropies).sum())
    whole = [one + two for one, two in zip(making, theirs, strict=True)]
    alone = [max(one - two, 0.0) for one, two in zip(mixing, evaluation, strict=True)]
    return [
        Row(
            "properties on a grid, from the table",
            f"properties(): {len(fields(found)) - 2} of them, C_P and thermal expansion among them",
            "System(): F and two derivatives, S, S_conf, B, C_V and probabilities; "
            "configurations evaluated by us",
            median(ours),
            median(whole),
            median(one / two for one, two in zip(whole, ours, strict=True)),
            pairs,
            agreement,
        ),
        Row(
            "mixture alone, configurations given",
            "mixture() to second order less the evaluation of the configurations",
            "System()",
            median(alone),
            median(theirs),
            median(one / two for one, two in zip(theirs, alone, strict=True) if two > 0),
            pairs,
            {"our_evaluation_of_the_configurations_s": median(evaluation), "our_mixture_s": median(mixing)},
        ),
    ]


def time_monte_carlo(material: Material, section: dict[str, Any], samples: int, report: Report) -> list[Row]:
    """Phase diagrams of tables that round to the printed one, one after the other in this process."""
    given = section["systems"]["fe3pt"]
    window = tuple(given["volume_window"])
    diagram = phase_diagram(material, TEMPERATURES, window, section["phase_diagram"]["pressures"])
    decimals = printed_decimals(ROOT / given["configurations"])
    seconds, found = timed(
        lambda: monte_carlo(
            material, diagram, decimals, samples, section["uncertainty"]["seed"],
            lambda done: report("Monte Carlo"),
        )
    )  # fmt: skip
    solved = int(np.isfinite(found.critical_points[:, 0]).sum())
    spread = float(np.nanstd(found.critical_points[:, 0], ddof=1))
    return [
        Row(
            f"Monte Carlo of {samples} phase diagrams",
            "monte_carlo(): critical point, binodal, spinodal, turning points of every sample; one process",
            "not offered",
            seconds,
            None,
            None,
            1,
            {
                "samples": samples,
                "solved": solved,
                "standard_deviation_of_critical_temperature_K": spread,
                "ms_per_diagram": 1000 * seconds / samples,
            },
        )
    ]


def markdown(facts: dict[str, Any], rows: list[Row]) -> str:
    """The page."""
    introduction = (
        f"Fe3Pt, 36 configurations; {len(TEMPERATURES)} temperatures, {TEMPERATURES[0]:g} to "
        f"{TEMPERATURES[-1]:g} K; their grid has {len(VOLUMES)} volumes, {VOLUMES[0]:g} to {VOLUMES[-1]:g} "
        "Å3 per atom.",
        "Medians of wall time; a ratio is the median over pairs run in turn: on a shared machine times vary,",
        "ratios less.",
    )
    return page("zenn.materials beside pyzentropy", introduction, facts, rows)


def main() -> None:
    """Run all parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="pairs of phase diagrams")
    parser.add_argument("--samples", type=int, default=1000, help="phase diagrams of the Monte Carlo")
    chosen = parser.parse_args()
    material, section = fe3pt()
    pressures = section["phase_diagram"]["pressures"]
    facts = machine("numpy", "scipy", "pyzentropy")
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("benchmark", total=6 * chosen.pairs + chosen.samples)

        def report(what: str) -> None:
            progress.update(bar, advance=1, description=what)

        rows = compare_properties(material, 5 * chosen.pairs, report)
        rows += time_monte_carlo(material, section, chosen.samples, report)
        rows = compare_phase_diagrams(material, pressures, chosen.pairs, report) + rows
    write("materials", markdown(facts, rows), as_content(facts, rows))


if __name__ == "__main__":
    main()
