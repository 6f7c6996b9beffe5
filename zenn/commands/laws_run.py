"""What the verbs of `zenn laws` do: read the user's gas, call steps, write a folder that appears whole."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zenn.commands.classify_train import check_device, use_device
from zenn.commands.laws_inputs import GasFile
from zenn.commands.results import check_out, note, results_folder, write_metadata
from zenn.commands.summary import show_folder
from zenn.errors import InputError
from zenn.files import read_json
from zenn.given import Given

UNITS = "Energies in k_B T_0, lengths in R, times in R sqrt(m / k_B T_0), entropies in k_B; s has no unit."
LIBRARIES = ("numpy", "scipy", "numba", "torch")
SNAPSHOTS, TWINS, PICTURES, RECOMBINED = "snapshots", "twins", "pictures", "recombined"
THREADS = "ZENN_THREADS"
SHOWN = (
    *("accuracy", "ceiling_accuracy", "a1_r2", "a2_violations", "a3_agreement", "a4_agreement"),
    *("a5_split_r2", "a5_recombined_r2", "a6_small_agreement", "affine_r2_min", "extensivity_r2"),
    *("canonical_r2", "heat_capacity_exponent", "heat_capacity_low", "heat_capacity_high"),
)


def run_simulate(path: Path, out: Path, threads: int | None) -> None:
    """`simulate`.

    Raises
    ------
    InputError : the gas cannot be simulated, or what is kept of an earlier run is of another one.
    """
    check_out(out)
    if threads is not None and threads < 1:
        raise InputError("argument --threads", "", threads, "1 or more")
    gas = GasFile(path)
    from zenn.laws.processes import processes
    from zenn.laws.steps import simulate
    from zenn.laws.steps._given import read_simulation

    def given(replica: int, **changed: int) -> Given:
        design = {**gas.section("design").values, **changed}
        return Given(
            {**gas.together("gas", "heating_bound").values, "design": design, "replica": replica}, str(path)
        )

    with gas.named():
        asked = given(0)
        simulation = read_simulation(asked)
        asked.refuse_unused()
        total = len(processes(simulation.gas, simulation.design))
    print(f"{total} processes, and those of the test once more")
    os.environ[THREADS] = str(threads or os.cpu_count() or 1)
    kept = _kept(out)
    parts = {SNAPSHOTS: given(0)}
    if simulation.design.test:
        parts[TWINS] = given(1, train=0, validation=0)

    def work(folder: Path) -> None:
        for name, params in parts.items():
            (folder / name).mkdir()
            simulate.run(params, {}, folder / name, kept / name)
        write_metadata(folder, "simulate", [path], gas.values(), "laws", UNITS, ("numpy", "numba"))

    _carry_out(gas, "", out, kept, work)
    rows = _rows(out / SNAPSHOTS / "processes.csv")
    most = max(rows, key=lambda row: float(row["largest_heating_per_energy"]))
    heated = 100 * float(most["largest_heating_per_energy"])
    print(f"{sum(int(row['stops']) for row in rows)} stops of {len(rows)} processes")
    print(f"the time step added {heated:.2f} % of the energy at most (process {most['process']})")
    show_folder(out)


def run_render(path: Path, simulated: Path, out: Path) -> None:
    """`render`.

    Raises
    ------
    InputError : the parameters or the simulated processes cannot be used.
    """
    check_out(out)
    gas = GasFile(path)
    _refuse_missing(simulated, (SNAPSHOTS,), "simulate")
    from zenn.laws.steps import recombine, render

    def work(folder: Path) -> None:
        for name, source in ((PICTURES, SNAPSHOTS), (TWINS, TWINS)):
            if not (simulated / source).is_dir():
                continue
            params = gas.section("pictures")
            (folder / name).mkdir()
            with gas.named("pictures"):
                render.run(params, {"snapshots": simulated / source}, folder / name)
            params.refuse_unused()
        if (folder / TWINS).is_dir():
            (folder / RECOMBINED).mkdir()
            with gas.named("recombination"):
                given = gas.merged("recombination", "pictures")
                recombine.run(given, {"snapshots": simulated / SNAPSHOTS}, folder / RECOMBINED)
        write_metadata(folder, "render", [path], gas.values(), "laws", UNITS, ("numpy", "numba"))

    _carry_out(gas, "", out, None, work)
    show_folder(out)


def run_train(path: Path, pictures: Path, out: Path, control: str, device: str) -> None:
    """`train`.

    Raises
    ------
    InputError : the parameters, the pictures or a checkpoint cannot be used.
    """
    check_out(out)
    check_device(device)
    gas = GasFile(path)
    _refuse_missing(pictures, (PICTURES,), "render")
    params = gas.section("training", control=control)
    use_device(device)
    from zenn.laws.steps import train

    kept = _kept(out)

    def work(folder: Path) -> None:
        train.run(params, {"pictures": pictures / PICTURES}, folder, kept)
        write_metadata(
            folder, "train", [path], {**gas.values(), "control": control}, "laws", UNITS, LIBRARIES
        )

    _carry_out(gas, "training", out, kept, work)
    found = read_json(out / "metrics.json")
    for split in ("validation", "test"):
        loss, accuracy, pairs = (found[f"{split}_{name}"] for name in ("loss", "accuracy", "pairs"))
        each = found[f"{split}_process_accuracy"]
        print(f"{split}: loss {loss:.4f}, accuracy {accuracy:.4f} of {pairs} pairs, by process {each:.4f}")
    show_folder(out)


def run_axioms(path: Path, pictures: Path, network: Path, out: Path, device: str) -> None:
    """`axioms`.

    Raises
    ------
    InputError : the parameters, the pictures or the network cannot be used.
    """
    check_out(out)
    check_device(device)
    gas = GasFile(path)
    _refuse_missing(pictures, (PICTURES, TWINS, RECOMBINED), "render")
    params = gas.section("axioms")
    use_device(device)
    from zenn.laws.steps import axioms

    inputs = {name: pictures / name for name in (PICTURES, TWINS, RECOMBINED)}

    def work(folder: Path) -> None:
        axioms.run(params, {**inputs, "network": network}, folder)
        params.refuse_unused()
        write_metadata(folder, "axioms", [path], gas.values(), "laws", UNITS, LIBRARIES)

    _carry_out(gas, "axioms", out, None, work)
    found: Mapping[str, float] = read_json(out / "metrics.json")
    for name in SHOWN:
        if name in found:
            print(f"{name:<24}{found[name]:>10.4f}")
    if found.get("accuracy", 1.0) < 0.6:
        note("the network hardly orders pictures in time: what it says of axioms means little")
    show_folder(out)


def _carry_out(
    gas: GasFile, section: str, out: Path, kept: Path | None, work: Callable[[Path], None]
) -> None:
    """Let `work` fill a folder that becomes `out`; what is kept to go on from goes when it is there."""
    try:
        with results_folder(out) as folder, gas.named(section):
            work(folder)
    except KeyboardInterrupt:
        if kept is not None and any(kept.rglob("*")):
            note(f"the same command goes on from {kept}")
        raise
    finally:
        if kept is not None and kept.is_dir() and not any(kept.rglob("*.safetensors")):
            shutil.rmtree(kept, ignore_errors=True)
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)


def _kept(out: Path) -> Path:
    return out.with_name(f"{out.name}.checkpoints")


def _refuse_missing(folder: Path, names: Sequence[str], verb: str) -> None:
    for name in names:
        if not (folder / name).is_dir():
            raise InputError(folder, "", f"no folder {name} in it", f"what `zenn laws {verb}` wrote")


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
