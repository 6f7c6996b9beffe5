"""`python -m zenn.<room> <verb>`: run one computation from files, with nothing but the room's own needs.

Works on a bare machine (numpy, scipy, torch, safetensors): no pipeline, no pydantic, no typer.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import pkgutil
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from zenn.errors import InputError, ZennError, did_you_mean
from zenn.files import atomic_folder
from zenn.given import Given


def verbs(room: str) -> dict[str, str]:
    """Verb -> module of the steps that a room offers, e.g. `critical-point`."""
    package = importlib.import_module(f"{room}.steps")
    modules = pkgutil.iter_modules(package.__path__)
    names = sorted(module.name for module in modules if not module.name.startswith("_"))
    return {name.replace("_", "-"): f"{package.__name__}.{name}" for name in names}


def main(room: str, arguments: Sequence[str]) -> int:
    """Run one verb of `room`; returns the exit status."""
    offered = verbs(room)
    parser = argparse.ArgumentParser(prog=f"python -m {room}", description=_first_line(room))
    choices = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    for verb, module in offered.items():
        sub = choices.add_parser(
            verb,
            help=_first_line(module),
            description=_doc(module),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument("--params", type=Path, required=True, help="JSON file with the step's parameters")
        sub.add_argument(
            "--input",
            action="append",
            default=[],
            metavar="ROLE=PATH",
            help="an input file or folder, e.g. configurations=table.csv; may be repeated",
        )
        sub.add_argument("--out", type=Path, required=True, help="folder for the results; appears when done")
        sub.add_argument(
            "--checkpoints",
            type=Path,
            help="folder for the state of a long computation, which goes on from there when it is given "
            "again; OUT.checkpoints if not given, and removed when done",
        )
    given = parser.parse_args(arguments)
    try:
        inputs = _roles(given.input)
        params = Given(_read_params(given.params), str(given.params))
        if given.out.is_symlink() or given.out.resolve() == Path.cwd():
            raise InputError("argument --out", "", f"{given.out}, a link or this folder", "a new folder")
        if given.out.exists() and (not given.out.is_dir() or any(given.out.iterdir())):
            raise InputError(
                "argument --out", "", f"{given.out} with something in it", "a new or empty folder"
            )
        checkpoints = given.checkpoints or given.out.with_name(f"{given.out.name}.checkpoints")
        with atomic_folder(given.out) as out:
            carry_out(offered[given.verb], params, inputs, out, checkpoints)
        shutil.rmtree(checkpoints, ignore_errors=True)
    except ZennError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {error.filename}: found '{error.strerror}', expected to read or write it",
            file=sys.stderr,
        )
        return 1
    return 0


def carry_out(module: str, params: Given, inputs: Mapping[str, Path], out: Path, checkpoints: Path) -> None:
    """Run a step's module and refuse parameters that it never asked for.

    A module whose `run` takes `checkpoints` is given that folder, to go on from what it finds there.
    """
    known = _Inputs(inputs)
    run = importlib.import_module(module).run
    if "checkpoints" in signature(run).parameters:
        run(params, known, out, checkpoints)
    else:
        run(params, known, out)
    params.refuse_unused()
    for role in known:
        if role not in known.asked:
            hint = did_you_mean(role, known.asked)
            raise InputError("argument --input", "", role, f"one of {sorted(known.asked)}", hint)


class _Inputs(dict[str, Path]):
    """Inputs by role; a missing one is an error of the user's, one that nobody asks for too."""

    def __init__(self, inputs: Mapping[str, Path]) -> None:
        super().__init__(inputs)
        self.asked: set[str] = set()

    def __getitem__(self, role: str) -> Path:
        self.asked.add(role)
        return super().__getitem__(role)

    def __missing__(self, role: str) -> Path:
        raise InputError("argument --input", role, "nothing", f"{role}=PATH", f"Given were {sorted(self)}")


def _read_params(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise InputError(path, f"line {error.lineno}", error.msg, "JSON") from None
    except UnicodeDecodeError:
        raise InputError(path, "", "another encoding", "JSON in UTF-8") from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or nested too deeply
        raise InputError(path, "", error, "JSON") from None
    except _TwiceError as error:
        raise InputError(path, str(error), "the name twice", "each name once") from None


class _TwiceError(Exception):
    pass


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return values


def _roles(texts: Sequence[str]) -> dict[str, Path]:
    inputs: dict[str, Path] = {}
    for role, path in map(_role_and_path, texts):
        if role in inputs:
            raise InputError("argument --input", role, "it twice", "each role once")
        inputs[role] = path
    return inputs


def _role_and_path(text: str) -> tuple[str, Path]:
    role, equals, path = text.partition("=")
    if not equals:
        raise InputError("argument --input", "", text, "ROLE=PATH, e.g. configurations=table.csv")
    return role, Path(path)


def _doc(module: str) -> str:
    """A module's docstring, read and not imported: help must not load what every verb needs."""
    found = find_spec(module)
    if found is None or found.origin is None:
        return ""
    return ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8"))) or ""


def _first_line(module: str) -> str:
    return _doc(module).partition("\n")[0]
