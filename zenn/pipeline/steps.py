"""What a step is: one job of the pipeline, named by a key of everything its result depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from zenn.pipeline.keys import key_of
from zenn.pipeline.tree import Tree

RESULTS = PurePosixPath("results")
RECORD = "record.json"


@dataclass(frozen=True)
class Step:
    """One planned job.

    Attributes
    ----------
    subject, run : where it belongs; the result lies in `results/<subject>/<run>/<key>/`.
    module : the module whose `run(params, inputs, out)` does the work.
    params : resolved parameters, plain JSON values.
    inputs : role -> the step it reads.
    files : role -> a file of the repository it reads.
    outputs : the files it leaves, apart from `record.json`.
    notebook_modules : modules imported at run time out of static sight, by the notebook it runs.
    code : module -> hash, of the import closure of `module` and `notebook_modules`.
    hashes : file -> hash, of `files`.
    scale : the scale it was planned at (not part of the key: equal work has an equal key).
    light : whether it takes seconds and reads small files only, so that `zenn adopt` may carry it out from
        results made elsewhere (not part of the key either).
    """

    subject: str
    run: str
    module: str
    params: Mapping[str, Any]
    outputs: tuple[str, ...]
    scale: str
    inputs: Mapping[str, Step] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    notebook_modules: tuple[str, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    light: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.spec))

    key: str = field(init=False, default="")

    @property
    def name(self) -> str:
        """`subject/run`, unique within a plan."""
        return f"{self.subject}/{self.run}"

    @property
    def folder(self) -> PurePosixPath:
        """Where the result appears, relative to the checkout."""
        return RESULTS / self.subject / self.run / self.key

    @property
    def paths(self) -> list[str]:
        """Every file of the result, relative to the checkout."""
        return [str(self.folder / name) for name in (*self.outputs, RECORD)]

    @property
    def asked(self) -> list[str]:
        """The files that stand for the result where others need it.

        A rule of Snakemake has one list of outputs, but what is fetched differs from run to run: there the
        record, which appears together with the files, stands for all of them.
        """
        return [str(self.folder / RECORD)] if self.subject == "data" else self.paths

    @property
    def spec(self) -> dict[str, Any]:
        """Everything the result depends on: what the key is the hash of."""
        return {
            "step": self.name,
            "module": self.module,
            "notebook_modules": list(self.notebook_modules),
            "params": dict(self.params),
            "inputs": {role: step.key for role, step in self.inputs.items()},
            "files": {role: [path, self.hashes[path]] for role, path in self.files.items()},
            "code": dict(self.code),
            "outputs": sorted(self.outputs),
        }

    @property
    def order(self) -> dict[str, Any]:
        """What a job is told: the specification and where its inputs and its result lie."""
        return {
            "spec": self.spec,
            "key": self.key,
            "folder": str(self.folder),
            "inputs": {role: str(step.folder) for role, step in self.inputs.items()},
        }


@dataclass(frozen=True)
class Planner:
    """Makes the steps of one subject at one scale."""

    tree: Tree
    subject: str
    scale: str

    def step(
        self,
        run: str,
        module: str,
        params: Mapping[str, Any],
        outputs: Iterable[str],
        *,
        inputs: Mapping[str, Step] | None = None,
        files: Mapping[str, str] | None = None,
        notebook_modules: Iterable[str] = (),
        light: bool = False,
    ) -> Step:
        """A step with the hashes of its code and files filled in."""
        files, notebook_modules = files or {}, tuple(notebook_modules)
        return Step(
            subject=self.subject,
            run=run,
            module=module,
            params=params,
            outputs=tuple(outputs),
            scale=self.scale,
            inputs=inputs or {},
            files=files,
            notebook_modules=notebook_modules,
            code=self.tree.code(module, *notebook_modules),
            hashes={path: self.tree.file(path) for path in files.values()},
            light=light,
        )
