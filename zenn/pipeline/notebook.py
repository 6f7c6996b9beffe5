"""A step that runs a percent-format notebook with papermill: it reads results, draws and saves."""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from zmq.error import ZMQError

from zenn.errors import InputError, ZennError

KERNEL = "python3"
ATTEMPTS = 3  # two kernels starting together can draw the same port
PARAMETERS_TAG = "parameters"


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Execute `inputs['notebook']`; its parameters are `results` (role -> folder), `out` and `params`."""
    source = inputs["notebook"]
    results = {role: str(path) for role, path in inputs.items() if role != "notebook"}
    execute(source, {**params, "results": results, "out": str(out)}, out / f"{source.stem}.ipynb")


def execute(source: Path, parameters: Mapping[str, Any], executed: Path) -> None:
    """Run a percent-format notebook and keep the executed one, stripped of what differs between runs.

    Raises
    ------
    InputError : the notebook's parameters cell does not name exactly `parameters`.
    ZennError : a cell failed; names the notebook, the cell and the error.
    """
    book = jupytext.read(source)
    _refuse_other_parameters(source, book, set(parameters))
    with tempfile.TemporaryDirectory() as scratch, _quiet_jupyter(Path(scratch)):
        given, done = Path(scratch) / "given.ipynb", Path(scratch) / "done.ipynb"
        # In an empty folder a path that is no declared input leads nowhere.
        empty = Path(scratch) / "empty"
        empty.mkdir()
        nbformat.write(book, given)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                papermill.execute_notebook(
                    given, done, dict(parameters), kernel_name=KERNEL, progress_bar=False, cwd=empty
                )
                break
            except PapermillExecutionError as error:
                # the cell first: where only the end of a log is shown, the error is what counts
                raise ZennError(
                    f"{source}: this cell does not run:\n{error.source}\n"
                    f"{source}, cell {error.cell_index}: found {error.ename}: {error.evalue}, "
                    "expected a cell that runs"
                ) from None
            except NoSuchKernel as error:
                raise ZennError(f"{source}: {error}; set the environment up again") from None
            except (ZMQError, DeadKernelError) as error:
                if attempt == ATTEMPTS:
                    raise ZennError(
                        f"{source}: the kernel did not start in {ATTEMPTS} attempts: {error}"
                    ) from error
        result = nbformat.read(done, as_version=4)
    _make_reproducible(result)
    nbformat.write(result, executed)


def _refuse_other_parameters(source: Path, book: nbformat.NotebookNode, given: set[str]) -> None:
    cells = [c for c in book.cells if PARAMETERS_TAG in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise InputError(source, f"cell tagged '{PARAMETERS_TAG}'", f"{len(cells)} of them", "exactly one")
    names = {
        target.id
        for node in ast.walk(ast.parse(cells[0].source))
        for target in _targets(node)
        if isinstance(target, ast.Name)
    }
    if names != given:
        raise InputError(source, "parameters cell", sorted(names), f"the names {sorted(given)}")


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def _make_reproducible(book: nbformat.NotebookNode) -> None:
    """Drop times, temporary paths and random cell names: equal runs leave equal bytes."""
    book.metadata.pop("papermill", None)
    book.metadata.pop("jupytext", None)
    for number, cell in enumerate(book.cells):
        cell.id = f"cell-{number}"
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
    book.cells = [c for c in book.cells if "injected-parameters" not in c.metadata.get("tags", [])]


@contextmanager
def _quiet_jupyter(scratch: Path) -> Iterator[None]:
    """Keep kernels of parallel jobs apart and out of the user's home; import this checkout's package."""
    changes = {
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")])),
        "PYTHONHASHSEED": "0",
        "MATPLOTLIBRC": str(scratch / "matplotlibrc"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    (scratch / "matplotlibrc").touch()
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
