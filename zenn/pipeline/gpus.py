"""Which GPUs this process may use, by one name each: two names for one device would be two locks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass

from zenn.errors import InputError

VISIBLE = "CUDA_VISIBLE_DEVICES"
SCHEDULERS = {
    "SLURM_STEP_GPUS": "SLURM_JOB_ID",
    "SLURM_JOB_GPUS": "SLURM_JOB_ID",
    "GPU_DEVICE_ORDINAL": "SLURM_JOB_ID",
    "PBS_GPUFILE": "PBS_JOBID",
    "SGE_HGR_gpu": "JOB_ID",
}
"""What a scheduler sets that has chosen devices, and what it calls the job that it chose them for."""

_ENDS = ("", "-1", "NoDevFiles")  # CUDA reads its list up to one of these; Slurm says the last for none
_SECONDS = 60.0  # that nvidia-smi may take, where many ask at once


@dataclass(frozen=True)
class Board:
    """A GPU of the machine: its index and its identifier, and those of the MIG instances it is cut into."""

    index: str
    identifier: str
    instances: tuple[str, ...] = ()

    @property
    def devices(self) -> tuple[str, ...]:
        """What can be given to a process: the instances where there are some, else the whole."""
        return self.instances or (self.identifier,)


def devices() -> list[str]:
    """Names of the devices that this process may use: of `CUDA_VISIBLE_DEVICES`, or all of the machine.

    A number there is that of nvidia-smi. Without an nvidia-smi that works, names are taken as they are.

    Raises
    ------
    InputError : a name is none of this machine's devices; CUDA would silently do without it.
    """
    said = os.environ.get(VISIBLE)
    names: list[str] = []
    for name in [] if said is None else said.split(","):
        if name.strip() in _ENDS:
            break
        names.append(name.strip())
    if said is not None and not names:
        return []
    boards = _boards()
    if said is None:
        return [device for board in boards for device in board.devices]
    found = names if not boards else [device for name in names for device in _named(name, boards)]
    return [*dict.fromkeys(found)]


def allocation() -> str | None:
    """The scheduler and number of the job that this process's devices were chosen for, or None."""
    if VISIBLE not in os.environ:
        return None
    for sets, number in SCHEDULERS.items():
        if sets in os.environ and os.environ.get(number):
            return f"{sets.partition('_')[0].lower()}-{os.environ[number]}"
    return None


def _named(name: str, boards: list[Board]) -> tuple[str, ...]:
    """The devices that a name in `CUDA_VISIBLE_DEVICES` stands for; an identifier may be cut short there."""
    if name.startswith("MIG-GPU-"):  # of older drivers, which list no instances
        return (name,)

    def means(identifier: str) -> bool:
        return len(name) > 4 and identifier.startswith(name)

    found = [board.devices for board in boards if name == board.index or means(board.identifier)]
    found += [(part,) for board in boards for part in board.instances if means(part)]
    if len(found) != 1:
        known = ", ".join(f"{board.index} ({board.identifier})" for board in boards)
        raise InputError(f"variable {VISIBLE}", "", f"'{name}'", f"names of devices here: {known}")
    return found[0]


def _boards() -> list[Board]:
    """The machine's GPUs, as nvidia-smi lists them."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except FileNotFoundError:
        return []
    except (OSError, subprocess.SubprocessError) as error:
        print(f"note: no GPUs listed: {error}", file=sys.stderr, flush=True)
        return []
    boards: list[Board] = []
    for line in listed.stdout.splitlines():
        if of_gpu := re.match(r"GPU (\d+): .*\(UUID: (GPU-[^)]+)\)", line):
            boards.append(Board(of_gpu[1], of_gpu[2]))
        elif boards and (of_part := re.match(r"\s+MIG .*\(UUID: (MIG-[^)]+)\)", line)):
            last = boards[-1]
            boards[-1] = Board(last.index, last.identifier, (*last.instances, of_part[1]))
    return boards
