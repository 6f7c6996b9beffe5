"""`python -m zenn.pipeline.job ORDER.json [GPUS [THREADS]]`: do a planned step; its result appears whole.

The key is computed again from the disk when the job starts and when it ends: a result made from code or
data that changed in between is discarded, because its name would not be true.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from zenn.disk import disk_errors, trouble
from zenn.errors import ZennError
from zenn.files import atomic_folder, flush, read_json, write_json
from zenn.given import Given
from zenn.pipeline import provenance
from zenn.pipeline.intact import SEEN, damage_of, places
from zenn.pipeline.keys import file_digest, key_of
from zenn.pipeline.leftovers import CHECKPOINTS, remove_cut, remove_half_made, remove_siblings
from zenn.pipeline.lifetime import die_with_parent, tell_driver
from zenn.pipeline.slots import take
from zenn.pipeline.steps import RECORD
from zenn.pipeline.tree import Tree
from zenn.room import carry_out

MEASURED = "measured.json"  # there: what a step says of its own speed and memory
THREADS = "ZENN_THREADS"  # what a step may use at a time; its results are the same


class ChangedWhileRunningError(ZennError):
    """Code or data changed between the plan and the end of the job."""


def run_order(order: dict[str, Any], root: Path, damaged: Callable[[Path, str], str] = damage_of) -> None:
    """Carry out one order (see `Step.order`) in the checkout `root`.

    `damaged` says what is wrong with an input of a key, or nothing.

    Raises
    ------
    ChangedWhileRunningError : what the key was made from is not what lies on the disk.
    InputError : the step's own refusal of its input.
    """
    spec, folder = order["spec"], root / order["folder"]
    name = spec["step"]
    _refuse_if_changed(spec, order["key"], root)
    root = root.resolve()  # notebooks run in another folder
    inputs = {role: root / path for role, path in order["inputs"].items()}
    for role, path in inputs.items():
        damage = damaged(path, spec["inputs"][role])
        if damage:
            (root / SEEN).unlink(missing_ok=True)
            raise ZennError(f"{name}, input {role}: {damage}. Give the command again: it will be made again.")
    files = {role: root / path for role, (path, _) in spec["files"].items()}
    started = time.time()
    clock = time.perf_counter()
    remove_half_made(folder.parent)  # of a killed job of this step: only one runs at a time
    checkpoints = root / CHECKPOINTS / name / order["key"]
    remove_siblings(checkpoints)
    for remark in remove_cut(checkpoints):
        print(f"{name}: {remark}", flush=True)
    facts_file = provenance.run_file(root, name, order["key"])
    written = [folder.parent, facts_file.parent, checkpoints.parent, *places(root)]
    with disk_errors(written), atomic_folder(folder) as out, disk_errors(written):
        started_loading = provenance.cpu_time()
        importlib.import_module(spec["module"])
        before = provenance.cpu_time()
        try:
            _carry_out(spec, {**inputs, **files}, out, checkpoints)
        except Exception as error:
            lost = _lost(out, inputs, spec, damaged)
            if not lost:
                raise
            why = "It changed while this job ran, perhaps by `dvc checkout` or `dvc pull`"
            raise ZennError(f"{name}: {lost}. {why}: let that end, and give the command again.") from error
        own = provenance.cpu_time() - before
        produced = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
        if produced != spec["outputs"]:
            raise ZennError(f"{name}: found the files {produced}, expected {spec['outputs']}")
        _refuse_if_changed(spec, order["key"], root)
        hashes = {file: file_digest(out / file) for file in produced}
        write_json(out / RECORD, {"key": order["key"], "spec": spec, "outputs": hashes})
        facts = provenance.of_run(root, spec, started, time.perf_counter() - clock)
        facts |= {"own_cpu_time_s": round(own, 3), "loading_cpu_time_s": round(before - started_loading, 3)}
        facts |= {"result_bytes": provenance.size_of(out)}
        if "work" in order:
            facts["work"] = order["work"]
        if (checkpoints / MEASURED).is_file():
            facts["measured"] = read_json(checkpoints / MEASURED)
        write_json(facts_file, facts)  # before the result appears: after that nothing may fail
        for file in produced:
            flush(out / file)
    remove_siblings(folder)
    shutil.rmtree(checkpoints.parent, ignore_errors=True)
    _say(f"{name}: done in {facts['wall_time_s']:.1f} s -> {order['folder']}", sys.stdout)


def _carry_out(spec: dict[str, Any], inputs: dict[str, Path], out: Path, checkpoints: Path) -> None:
    """A room's step runs as on a bare machine, which checks what it is given; the pipeline's own take it."""
    if spec["module"].startswith("zenn.pipeline."):
        importlib.import_module(spec["module"]).run(spec["params"], inputs, out)
    else:
        given = Given(spec["params"], "params.yaml", spec["step"])
        carry_out(spec["module"], given, inputs, out, checkpoints)


def _lost(
    out: Path, inputs: dict[str, Path], spec: dict[str, Any], damaged: Callable[[Path, str], str]
) -> str:
    """What a job has lost under its hands, in words."""
    if not out.is_dir():
        return f"{out.parent}: found no half-made result, expected the one that this job wrote"
    return next((said for role, path in inputs.items() if (said := damaged(path, spec["inputs"][role]))), "")


def _refuse_if_changed(spec: dict[str, Any], key: str, root: Path) -> None:
    tree = Tree(root)
    now = {
        **spec,
        "code": tree.code(spec["module"], *spec["notebook_modules"]),
        "files": {role: [path, tree.file(path)] for role, (path, _) in spec["files"].items()},
    }
    if key_of(now) != key:
        moved = sorted(
            {m for m in {*now["code"], *spec["code"]} if now["code"].get(m) != spec["code"].get(m)}
            | {path for role, (path, sha) in now["files"].items() if [path, sha] != spec["files"][role]}
        )
        raise ChangedWhileRunningError(
            f"{spec['step']}: {', '.join(moved) or 'the order itself'} changed since this job was planned; "
            "its result was discarded. Give the command again."
        )


def _say(text: str, stream: TextIO) -> None:
    """Print to the log; where that takes no more, the driver's terminal is told, and the job goes on."""
    try:
        print(text, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # what is in the buffer goes there
        tell_driver(text)


def main(argv: list[str]) -> int:
    """Entry point; returns the exit status."""
    die_with_parent()
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # figures carry no date of their making
    if len(argv) > 2:
        os.environ[THREADS] = argv[2]
    try:
        slots = take(int(argv[1])) if len(argv) > 1 else None  # held until the process ends
        run_order(read_json(Path(argv[0])), Path.cwd())
        if slots is not None:
            slots.release()
    except ZennError as error:
        _say(f"error: {error}", sys.stderr)
        return 1
    except Exception as error:
        said = trouble(error, places())
        _say(f"error: {said}" if said else traceback.format_exc(), sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
