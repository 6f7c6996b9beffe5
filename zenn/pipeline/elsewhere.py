"""`python -m zenn.pipeline.elsewhere ORDERS.json`: carry out planned steps on a machine without the pipeline.

For a GPU machine that has numpy, scipy, torch, numba and safetensors and a copy of the repository, but no
Snakemake: `zenn plan --scale paper --subject laws --orders ORDERS.json` writes the orders of a plan, this
program carries them out there, and `zenn adopt` takes the results in at home. What is finished is not done
again, and a step that was killed goes on, so the same command may be given as often as is needed.

Code and files are compared with the hashes in the orders before and after every step: results of other code
would be refused at home, so they are not made.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zenn.errors import InputError, ZennError
from zenn.files import atomic_folder, flush, read_json, write_json
from zenn.given import Given
from zenn.pipeline import provenance
from zenn.pipeline.keys import KEY_LENGTH, digest, essence, file_digest, key_of
from zenn.pipeline.leftovers import CHECKPOINTS, remove_cut, remove_half_made
from zenn.room import carry_out

RECORD, LEFT_OUT, RUN = "record.json", "left_out.json", "run.json"
PLACE = re.compile(r"results/[\w-]+/[\w-][\w.-]*/[0-9a-f]{16}", re.ASCII)
LARGE = 2**20
"""Bytes above which a file of a result is not kept; its hash is."""

PACKAGES = ("numpy", "scipy", "torch", "numba", "safetensors")
"""What the machine has to have."""


def main(argv: Sequence[str]) -> int:
    """Entry point; returns the exit status: 0 when every order is carried out."""
    parser = argparse.ArgumentParser(
        prog="python -m zenn.pipeline.elsewhere", description=(__doc__ or "").partition("\n\n")[2]
    )
    parser.add_argument("orders", type=Path, help="what `zenn plan --orders` wrote")
    parser.add_argument("--into", type=Path, default=Path(), help="folder of the results; here if not given")
    parser.add_argument(
        "--keep", type=Path, help="folder that every result's small files are copied to, for `zenn adopt`"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="STEP", help="names of steps, e.g. laws/twins"
    )
    given = parser.parse_args(argv)
    try:
        plan = read_orders(given.orders)
        _refuse_unknown(given.only, plan)
        for order in plan["orders"]:
            if given.only and order["spec"]["step"] not in given.only:
                continue
            _one(order, plan["commit"], given.into)
            if given.keep is not None:
                keep(given.into, order, given.keep)
    except ZennError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename}: found '{error.strerror}', expected to use it", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        found, needed = f"{sys.executable}: found no package {error.name}", ", ".join(PACKAGES)
        print(f"error: {found}, expected {needed} to be installed there", file=sys.stderr)
        return 1
    return 0


def write_orders(path: Path, orders: Sequence[Mapping[str, Any]], commit: str) -> None:
    """Write the orders of steps that a room carries out, in an order in which they can run."""
    rooms = [order for order in orders if not order["spec"]["module"].startswith("zenn.pipeline.")]
    write_json(path, {"commit": commit, "orders": rooms})


def read_orders(path: Path) -> dict[str, Any]:
    """What `write_orders` wrote.

    Raises
    ------
    InputError : it is something else, or an order is not the one of its key.
    """
    try:
        plan: dict[str, Any] = read_json(path)
        changed = [str(order["spec"]["step"]) for order in plan["orders"] if not _is_of_its_key(order)]
        str(plan["commit"])
    except OSError as error:
        raise InputError(path, "", error.strerror, "what `zenn plan --orders` wrote") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(path, "", error, "what `zenn plan --orders` wrote") from None
    if changed:
        raise InputError(path, changed[0], "an order that was changed", "the order of its key")
    return plan


def _is_of_its_key(order: Mapping[str, Any]) -> bool:
    """Whether an order is as it was planned, and its result has its place among the results.

    A key says nothing of folders, and a changed one could name any.
    """
    spec, key = order["spec"], str(order["key"])
    places = all(PLACE.fullmatch(place) for place in (order["folder"], *order["inputs"].values()))
    return (
        key_of(spec) == key
        and order["folder"] == f"results/{spec['step']}/{key}"
        and places
        and {*order["inputs"]} == {*spec["inputs"]}
        and spec["module"].startswith("zenn.")
    )


def refuse_other_code(spec: Mapping[str, Any], root: Path) -> None:
    """Refuse when code or files here are not those that a step's key was made from.

    Raises
    ------
    InputError : names what differs.
    """
    found = {module: _module_hash(root, module) for module in spec["code"]}
    other = sorted(module for module, sha in spec["code"].items() if found[module] != sha)
    for path, sha in spec["files"].values():
        there = (root / path).is_file()
        if not there or digest((root / path).read_bytes())[:KEY_LENGTH] != sha:
            other.append(path)
    if other:
        hint = "Write the orders anew from the code that is here, or bring the code that they are of"
        raise InputError(
            root, ", ".join(other), "other content", f"what {spec['step']} was planned with", hint
        )


def keep(into: Path, order: Mapping[str, Any], kept: Path) -> None:
    """Copy the small files of a result, its record and the facts of its run; say which files are left out."""
    source, name = into / order["folder"], order["spec"]["step"]
    final = kept / order["folder"]
    if (final / RECORD).is_file():
        return
    # the facts first: once the result is there, nothing would write them any more
    facts = provenance.run_file(into, name, order["key"])
    if facts.is_file():
        write_json(provenance.run_file(kept, name, order["key"]), read_json(facts))
    with atomic_folder(final) as folder:
        large = copy_small(source, folder)
        write_json(folder / LEFT_OUT, large)


def copy_small(source: Path, folder: Path) -> list[str]:
    """Copy a result's files of at most `LARGE` bytes; the names of the others."""
    left_out = []
    for path in sorted(source.rglob("*")):
        name = str(path.relative_to(source))
        if path.is_dir() or name in (LEFT_OUT, RUN):
            continue
        if name != RECORD and path.stat().st_size > LARGE:
            left_out.append(name)
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return left_out


def _refuse_unknown(only: Sequence[str], plan: Mapping[str, Any]) -> None:
    known = [order["spec"]["step"] for order in plan["orders"]]
    for name in only:
        if name not in known:
            raise InputError("argument --only", "", name, f"one of {known}")


def _one(order: Mapping[str, Any], commit: str, into: Path) -> None:
    """Carry out an order, unless its result is there."""
    spec, folder, root = order["spec"], into / order["folder"], Path.cwd()
    name = spec["step"]
    if _key_in(folder) == order["key"] and not _damaged(folder):
        print(f"{name}: finished already", flush=True)
        return
    refuse_other_code(spec, root)
    inputs = {role: into / path for role, path in order["inputs"].items()}
    for role, path in inputs.items():
        if _key_in(path) != spec["inputs"][role]:
            raise InputError(path, "", "no result, or another", f"that of {role}, which {name} reads")
    files = {role: root / path for role, (path, _) in spec["files"].items()}
    checkpoints = into / CHECKPOINTS / name / order["key"]
    remove_half_made(folder.parent)  # of a killed one
    for remark in remove_cut(checkpoints):
        print(f"{name}: {remark}", flush=True)
    started, clock, before = time.time(), time.perf_counter(), provenance.cpu_time()
    print(f"{name}: begins", flush=True)
    with atomic_folder(folder) as out:
        carry_out(
            spec["module"], Given(spec["params"], "params.yaml", name), {**inputs, **files}, out, checkpoints
        )
        produced = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        if produced != spec["outputs"]:
            raise ZennError(f"{name}: found the files {produced}, expected {spec['outputs']}")
        refuse_other_code(spec, root)
        hashes = {file: file_digest(out / file) for file in produced}
        write_json(out / RECORD, {"key": order["key"], "spec": spec, "outputs": hashes})
        facts = {
            "commit": commit,
            "hardware": provenance.hardware(),
            "started_unix_s": round(started, 3),
            "wall_time_s": round(time.perf_counter() - clock, 3),
            "cpu_time_s": round(provenance.cpu_time() - before, 3),
            "peak_memory_MiB": provenance.peak_memory(),
            "result_bytes": provenance.size_of(out),
            "work": order.get("work", {}),
            "python": provenance.python(),
            "packages": provenance.versions(),
        }
        # before the result: `zenn adopt` refuses one without them, and nothing would write them any more
        told = provenance.run_file(into, name, order["key"])
        write_json(told, facts)
        for file in produced:
            flush(out / file)
    shutil.rmtree(checkpoints, ignore_errors=True)
    print(f"{name}: done in {facts['wall_time_s']:.0f} s", flush=True)


def _key_in(folder: Path) -> str:
    """The key of the result in a folder; empty where there is none."""
    try:
        return str(read_json(folder / RECORD)["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _damaged(folder: Path) -> bool:
    """Whether a result with a record was cut or edited since."""
    try:
        hashes = read_json(folder / RECORD)["outputs"]
        return any(file_digest(folder / file) != expected for file, expected in hashes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True


def _module_hash(root: Path, module: str) -> str:
    """As `zenn.pipeline.tree` computes it."""
    path = root.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    try:
        return digest(essence(path.read_text(encoding="utf-8")))[:KEY_LENGTH]
    except OSError:
        return ""


if __name__ == "__main__":
    os.environ.setdefault("ZENN_THREADS", str(os.cpu_count() or 1))
    sys.exit(main(sys.argv[1:]))
