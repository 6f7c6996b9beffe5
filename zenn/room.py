"""`python -m zenn.<room> <verb>`: run one computation from files, with nothing but the room's own needs.

Works on a bare machine (numpy, scipy, torch, numba): no pipeline, no pydantic, no typer.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from zenn.errors import InputError, ZennError
from zenn.files import atomic_folder, read_json


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
        sub = choices.add_parser(verb, help=_first_line(module), description=_first_line(module))
        sub.add_argument("--params", type=Path, required=True, help="JSON file with the step's parameters")
        sub.add_argument(
            "--input",
            action="append",
            default=[],
            metavar="ROLE=PATH",
            help="an input file or folder, e.g. configurations=table.csv; may be repeated",
        )
        sub.add_argument("--out", type=Path, required=True, help="folder for the results; appears when done")
    given = parser.parse_args(arguments)
    try:
        inputs = dict(_role_and_path(text) for text in given.input)
        params = read_json(given.params)
        with atomic_folder(given.out) as out:
            importlib.import_module(offered[given.verb]).run(params, inputs, out)
    except (ZennError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyError as error:
        print(f"error: {given.params} or --input: found no {error}, expected it to be given", file=sys.stderr)
        return 1
    return 0


def _role_and_path(text: str) -> tuple[str, Path]:
    role, equals, path = text.partition("=")
    if not equals:
        raise InputError("argument --input", "", text, "ROLE=PATH, e.g. configurations=table.csv")
    return role, Path(path)


def _first_line(module: str) -> str:
    return (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
