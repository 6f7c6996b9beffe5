"""Where, when and with what a result was made: facts that no key, comparison or DVC output covers."""

from __future__ import annotations

import os
import platform
import re
import resource
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from zenn.files import read_json

RUNS = Path("logs")
UNKNOWN = "not recorded"
CHANGES = "+changes"
LOCK = "requirements.lock"
PACKAGES = ("numpy", "scipy", "torch", "matplotlib", "pandas", "snakemake", "dvc")


def run_file(root: Path, step: str, key: str) -> Path:
    """Where the facts of one run are kept: outside `results/`, so that DVC does not version them."""
    return root / RUNS / step / f"{key}.run.json"


def read_run(root: Path, step: str, key: str) -> dict[str, Any]:
    """The facts of one run; empty when they are lost, or it was made elsewhere (pulled or adopted)."""
    try:
        said = read_json(run_file(root, step, key))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def of_run(root: Path, spec: dict[str, Any], started: float, seconds: float) -> dict[str, Any]:
    """The facts of the run that has just ended in this process."""
    code = [module.replace(".", "/") for module in spec["code"]]
    own = [
        *("params.yaml", LOCK),
        *(f"{path}{ending}" for path in code for ending in (".py", "/__init__.py")),
        *(p for p, _ in spec["files"].values()),
    ]
    return {
        "commit": commit(root, own),
        "hardware": hardware(),
        "started_unix_s": round(started, 3),
        "wall_time_s": round(seconds, 3),
        "cpu_time_s": round(cpu_time(), 3),
        "peak_memory_MiB": peak_memory(),
        "host": platform.node(),
        "python": python(),
        "packages": versions(),
    }


def of_driver(began: float) -> dict[str, Any]:
    """What this process, at work since `began`, has taken, and its ended children apart from it."""
    own, jobs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "hardware": hardware(),
        "started_unix_s": round(began, 3),
        "wall_time_s": round(time.time() - began, 3),
        "cpu_time_s": round(own.ru_utime + own.ru_stime, 3),
        "jobs_cpu_time_s": round(jobs.ru_utime + jobs.ru_stime, 3),
    }


def cpu_time() -> float:
    """Seconds of processors that this process and its ended children have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_memory() -> float:
    """MiB of this process so far, or of the largest of its ended children (a notebook's kernel)."""
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(max(used) / 1024, 1)


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def commit(root: Path, paths: list[str] | None = None) -> str:
    """The checkout's commit, with `+changes` when any of `paths` (or any file) differs from it or is new."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != root.resolve():  # not a repository, or inside another one
        return UNKNOWN
    head = _git(root, "rev-parse", "--short=12", "HEAD") or UNKNOWN
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *(paths or ["."]))
    return f"{head}{CHANGES}" if changed else head


def hardware() -> str:
    """Processor and, where this process may see one, accelerator: e.g. 'AMD EPYC 7B13, 2 cores'."""
    return ", ".join([_processor(), f"{os.cpu_count()} cores", *_accelerators()])


def python() -> str:
    """The version of this Python."""
    return platform.python_version()


def drifted_versions(root: Path) -> list[str]:
    """Packages that decide numbers and are not of the version that the lock file names, in words."""
    lines = (root / LOCK).read_text(encoding="utf-8").splitlines()
    locked = {tuple(re.split("==| ", line, maxsplit=2)[:2]) for line in lines}  # one line a Python version
    return [
        f"{name} {found} is installed, which {LOCK} does not name: numbers may differ in their last digits"
        for name, found in versions().items()
        if (name, found.split("+")[0]) not in locked
    ]


def versions() -> dict[str, str]:
    """Versions of the packages that decide numbers and pictures, of those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # a computing machine has no pipeline
    return found


def _accelerators() -> list[str]:
    """Names of the GPUs that this process may use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return []
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    names = [line.strip() for line in listed.stdout.splitlines() if line.strip()]
    return [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
