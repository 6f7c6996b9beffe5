"""A copy of this repository to be run, edited and broken, with its own Snakefile and dvc.yaml."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from zenn.pipeline.check import copy_without_results
from zenn.pipeline.remembered import PLACE

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FORM = "scale: small"
HELD = "hold"  # while this file is there, a held step waits


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Return when `condition` is true; it must become so in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def _take_over_what_is_compiled(folder: Path) -> None:
    """Give a copy the times of the package's files, which byte code goes by, and what was made of them."""
    for path in [*(ROOT / "zenn").rglob("*"), ROOT / PLACE]:
        if path.is_file():
            place = folder / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another worker compiles: a temporary file has gone
                shutil.copy2(path, place)


class Checkout:
    """A folder with a copy of the repository's files, as a git repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, str] = {}

    @classmethod
    def copy_of_repository(cls, folder: Path, scale: str = "ci") -> Checkout:
        copy_without_results(ROOT, folder)
        _take_over_what_is_compiled(folder)
        shutil.rmtree(folder / "reports" / "figures", ignore_errors=True)
        shutil.rmtree(folder / "reports" / "tables", ignore_errors=True)
        for name in ("reports/claims.csv", "reports/metrics.json", "dvc.lock"):
            (folder / name).unlink(missing_ok=True)
        checkout = cls(folder)
        checkout.edit("params.yaml", FORM, f"scale: {scale}")
        checkout.run("git", "init", "--quiet", "--initial-branch", "main")
        checkout.commit("start")
        return checkout

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
            "DVC_NO_ANALYTICS": "1",
            "COLUMNS": "200",
        }

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command here; returns everything it printed."""
        process = self.start(*command)
        printed, _ = process.communicate(timeout=1200)
        assert (process.returncode != 0) == fails, f"{' '.join(command)}: {process.returncode}\n{printed}"
        return printed

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        return self.run("snakemake", "--cores", "2", *(arguments or ("--", "all")), fails=fails)

    def jobs(self) -> set[str]:
        """Names of the steps that were carried out since this was last asked."""
        now = {}
        for path in (self.folder / "logs").rglob("*.run.json"):
            now[str(path)] = path.read_text()
        new = {path for path, text in now.items() if self._seen.get(path) != text}
        self._seen = now
        return {str(Path(path).parent.relative_to(self.folder / "logs")) for path in new}

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", message)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.text(name)
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        (self.folder / name).write_text(text.replace(old, new))

    def size_small_as_ci(self) -> None:
        """Let the scale `small` differ from `ci` in its name alone: its own sizes take minutes."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for section in params.values():
            if isinstance(section, dict) and "ci" in section:
                section["small"] = section["ci"]
        path.write_text(yaml.safe_dump(params, sort_keys=False, allow_unicode=True))

    def hold_free_energy(self) -> None:
        """Make the free-energy step wait until `release` is called."""
        self.edit(
            "zenn/materials/steps/free_energy.py",
            "    material = read_material(params, inputs)",
            f"    while Path({HELD!r}).exists():\n        __import__('time').sleep(0.05)\n"
            "    material = read_material(params, inputs)",
        )
        (self.folder / HELD).touch()

    def wait_until_held(self) -> None:
        """Return when the held step has begun to work."""
        runs = self.folder / "results/materials/fe3pt-free-energy"
        wait_for(lambda: any(runs.glob(".*-*")))

    def release(self) -> None:
        """Let the held step go on."""
        (self.folder / HELD).unlink()

    def keys(self) -> dict[str, str]:
        """Name of a step -> its key, of the plan as it is now."""
        return dict(json.loads(self.run("python", "-m", "zenn", "plan", "--json")))

    def target(self, step: str) -> str:
        """What to ask Snakemake for when one step is wanted, and what it reads."""
        return f"results/{step}/{self.keys()[step]}/record.json"

    def result(self, run: str, file: str) -> Path:
        """The one result file of a run, e.g. `materials/fe3pt-critical-point`."""
        (found,) = (self.folder / "results" / run).glob(f"*/{file}")
        return found

    def value(self, run: str, file: str, name: str) -> object:
        return json.loads(self.result(run, file).read_text())[name]
