"""`zenn <subject> <verb>`: reads files, calls the computation, writes files."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

import zenn
from zenn.commands.classify import app as classify
from zenn.commands.landscape import app as landscape
from zenn.commands.laws import app as laws
from zenn.commands.materials import app as materials
from zenn.disk import trouble
from zenn.errors import InputError, ZennError

if TYPE_CHECKING:
    from zenn.pipeline.steps import Step

app = typer.Typer(
    help="Reproduce, check and use neural networks built on thermodynamics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
docs = typer.Typer(help="Write generated documentation.", no_args_is_help=True)
app.add_typer(docs, name="docs")
app.add_typer(materials, name="materials")
app.add_typer(landscape, name="landscape")
app.add_typer(classify, name="classify")
app.add_typer(laws, name="laws")

Scale = Annotated[str | None, typer.Option(help="ci, small or paper; params.yaml decides when not given.")]


def main() -> None:
    """Run the command line; an error a user can act on ends it with its message and status 1."""
    try:
        app()
    except ZennError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        said = trouble(error, _written(sys.argv))
        if not said and isinstance(error, OSError):
            place = error.filename or "a file"
            said = f"{place}: found '{error.strerror}', expected to read or write it"
        if not said:
            raise
        print(f"error: {said}", file=sys.stderr)
        sys.exit(1)


def _written(arguments: Sequence[str]) -> list[Path]:
    """Where a command writes: what `--out` or `--orders` names, or this folder."""
    named = [value for option, value in pairwise(arguments) if option in ("--out", "--orders")]
    return [Path(value) for value in named] or [Path.cwd()]


def checkout() -> Path:
    """The checkout one stands in, also from a folder below it.

    Raises
    ------
    ZennError : there is none above the present folder.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise ZennError(f"{here}: found no Snakefile and params.yaml here or above, expected a checkout of zenn")


def _version(asked: bool) -> None:
    if asked:
        print(zenn.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Reproduce, check and use neural networks built on thermodynamics."""


@app.command()
def plan(
    scale: Scale = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print step names and keys as JSON.")] = False,
    subject: Annotated[str | None, typer.Option(help="Only the steps of one subject, e.g. laws.")] = None,
    orders: Annotated[
        Path | None,
        typer.Option(help="Write the steps here, for python -m zenn.pipeline.elsewhere on another machine."),
    ] = None,
    cores: Annotated[int | None, typer.Option(help="Cores to estimate for; those here if not given.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPUs to estimate for; those here if not given.")] = None,
) -> None:
    """Show every step of the pipeline, whether its result is there, and what the others will take.

    Time, disk and downloads are estimated from what ran here before, else from
    benchmarks/results/costs.csv, and the machine is looked at: whether disk,
    GPUs, memory and network will do.
    """
    from zenn.pipeline.claims.ledger import KEYED
    from zenn.pipeline.elsewhere import write_orders
    from zenn.pipeline.intact import MADE, state_of
    from zenn.pipeline.plan import plan_checkout
    from zenn.pipeline.provenance import commit
    from zenn.pipeline.work import work_of

    root = checkout()
    found = plan_checkout(root, scale=scale)
    steps = [step for step in found.steps if subject in (None, step.subject)]
    if not steps:
        raise InputError(
            "argument --subject", "", subject, f"one of {sorted({s.subject for s in found.steps})}"
        )
    if orders is not None:
        write_orders(
            orders, [{**step.order, "work": work_of(step).told} for step in steps], commit(root, KEYED)
        )
        print(f"orders of scale {found.scale} written to {orders}")
        return
    if as_json:
        print(json.dumps({step.name: step.key for step in steps}, indent=1))
        return
    table = Table("step", "key", "state", title=f"{len(steps)} steps at scale {found.scale}")
    to_do = []
    for step in steps:
        state = state_of(step, root)
        to_do += [step] if state != MADE else []
        table.add_row(step.name, step.key, state)
    Console().print(table)
    with contextlib.chdir(root):
        _show_forecast(root, to_do, cores, gpus)


def _show_forecast(root: Path, steps: Sequence[Step], cores: int | None, gpus: int | None) -> None:
    """What is to do, what it takes, and what speaks against it."""
    from zenn.pipeline import preflight
    from zenn.pipeline.forecast import Forecast
    from zenn.pipeline.gpus import devices
    from zenn.pipeline.work import wants_gpu

    if not steps:
        print("everything is made")
        return
    asking = [step for step in steps if wants_gpu(step)]
    if gpus is None:
        gpus = len(devices()) if asking else 0
    forecast = Forecast.of(root, steps, cores or len(os.sched_getaffinity(0)), gpus)
    table = Table("", "jobs", "core hours", "GPU hours", "disk", "done after", title="to do")
    for row in forecast.rows():
        table.add_row(*row)
    Console().print(table)
    print("\n".join(forecast.remarks()))
    wanted = preflight.Wanted(steps, asking, gpus or 1)
    for finding in preflight.check(root, forecast, wanted):
        print(f"{'cannot work here' if finding.fatal else 'note'}: {finding.text}")


@app.command()
def publish() -> None:
    """Copy what the plan names into reports/ (the only command that writes there)."""
    from zenn.pipeline.publish import publish as publish_checkout

    for path in publish_checkout(checkout()):
        print(path)


@app.command()
def adopt(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Results with their records, and the logs beside them.", show_default=False
        ),
    ],
) -> None:
    """Take in results that another machine computed from this code and these parameters.

    \b
    Example: zenn plan --scale paper --subject laws --orders orders.json    (here)
             python -m zenn.pipeline.elsewhere orders.json --keep kept      (there)
             zenn adopt kept                                                (here)

    Checks every file against its hash and every key against the plan; one that
    is of other code, parameters or inputs is refused, and nothing is taken in.
    Files the small ones in data/recorded, and the verdicts that follow from them
    in data/recorded/claims.csv: the ledger shows these at every smaller scale.
    """
    from zenn.pipeline.adopt import adopt as adopt_results

    found = adopt_results(checkout(), folder)
    for name in found.taken:
        print(f"taken in: {name}")
    for name in found.made:
        print(f"made from them: {name}")
    for of, missing in found.missing.items():
        print(f"no verdict yet for {of}: {', '.join(missing)}")
    if found.rows:
        print(f"ledger rows: {', '.join(found.rows)}")


@app.command()
def check(
    reference: Annotated[Path, typer.Option(help="Folder of reference CSV files.")] = Path("tests/reference"),
    scale: Annotated[str, typer.Option(help="Scale to regenerate at.")] = "ci",
    record: Annotated[bool, typer.Option("--record", help="Make them the reference instead.")] = False,
    subject: Annotated[str | None, typer.Option(help="Only those of one subject, e.g. materials.")] = None,
) -> None:
    """Make every figure and table again, in a copy without results, and compare their numbers."""
    from zenn.pipeline.check import check_checkout

    root = checkout()
    print(check_checkout(root, root / reference, scale, record, subject))


@docs.command("parameters")
def docs_parameters() -> None:
    """Write docs/parameters.md from the parameter types."""
    from zenn.files import write_text
    from zenn.pipeline.params import load_params
    from zenn.pipeline.params.table import parameters_markdown
    from zenn.pipeline.plan import PARAMS_FILE

    root = checkout()
    write_text(root / "docs" / "parameters.md", parameters_markdown(load_params(root / PARAMS_FILE)))
