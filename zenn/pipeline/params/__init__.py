"""Typed parameters: params.yaml in, one frozen `Params` at one scale out.

`base` has the building blocks, `materials`, `landscape` and `classification` one section each, `root` puts
them together; `loading` reads the file, `resolving` merges and checks, `table` writes docs/parameters.md.
"""

from zenn.pipeline.params.base import SCALES, Scale
from zenn.pipeline.params.loading import load_params
from zenn.pipeline.params.problems import ParamsError
from zenn.pipeline.params.resolving import resolve
from zenn.pipeline.params.root import Params
from zenn.pipeline.params.table import parameters_markdown

__all__ = ["SCALES", "Params", "ParamsError", "Scale", "load_params", "parameters_markdown", "resolve"]
