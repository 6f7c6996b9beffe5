"""What Slurm says of its jobs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A job of the pipeline, as Slurm knows it."""

    number: str
    state: str
    name: str  # the run of Snakemake that waits for it
    run: str  # e.g. topics5-bag-zenn1-train


def slurm(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def jobs() -> list[Job]:
    """All jobs of the pipeline that were ever submitted, in that order."""
    listed = slurm("squeue", "--states=all", "--noheader", "--sort=i", "--format=%i|%T|%j|%k")
    rows = [line.split("|") for line in listed.splitlines()]
    found = [
        (number, state, name, re.fullmatch(r"rule_\w+_wildcards_[a-z]+_(.+)_[0-9a-f]{16}", comment))
        for number, state, name, comment in rows
    ]
    return [Job(number, state, name, match[1]) for number, state, name, match in found if match]


def in_state(*states: str) -> list[Job]:
    return [job for job in jobs() if job.state in states]


def shown(number: str) -> str:
    return slurm("scontrol", "--details", "show", "job", number)


def fields(number: str) -> dict[str, str]:
    """What `scontrol` shows of a job, by name."""
    return dict(field.split("=", 1) for field in shown(number).split() if "=" in field)


def devices(number: str) -> str:
    """Indices of the GPUs that Slurm has given to a running job, e.g. `2`."""
    found = re.search(r"GRES=gpu:\d+\(IDX:([\d,-]+)\)", shown(number))
    assert found, shown(number)
    return found[1]
