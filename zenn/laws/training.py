"""Training of the siamese network: every pair of a process from one pass over its images (Sec. III B).

Adam with a rate that falls as a cosine; the parameters that do best on the validation processes are kept. A
training that was stopped goes on at its last finished epoch and, on the same machine, ends the same.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from zenn.checkpoints import read_tensors, write_tensors
from zenn.errors import InputError
from zenn.files import parse_json
from zenn.laws.network import Subnetwork, augmented, pair_loss

Integers = NDArray[np.int64]


class Pictures(Protocol):
    """Pictures (images, frames, pixels, pixels) of uint8: a tensor, or what reads them from a disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, frames, pixels, pixels)."""

    def __getitem__(self, images: Integers, /) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures (images, frames, pixels, pixels) of uint8, of each its process, in order of time in each."""

    pictures: Pictures | Tensor
    processes: Integers


@dataclass(frozen=True)
class Settings:
    """epochs, the first rate, images of one step, images of a process that are paired at a time, the seed."""

    epochs: int
    learning_rate: float
    images_per_step: int
    chunk: int
    seed: int


class Scores(NamedTuple):
    """Of the pairs of each process: mean loss, and accuracy over all pairs and as the mean of processes."""

    loss: float
    accuracy: float
    process_accuracy: float


class Epoch(NamedTuple):
    """After one pass over the training processes."""

    epoch: int
    training_loss: float
    validation: Scores


@dataclass(eq=False)
class Trained:
    """A network with the parameters that were best on the validation processes, and how it came to them."""

    network: Subnetwork
    best_epoch: int
    history: list[Epoch]


def represent(network: Subnetwork, pictures: Pictures | Tensor, batch: int = 64) -> NDArray[np.float64]:
    """S~ (images,) of pictures (images, frames, pixels, pixels) of uint8, in full single precision."""
    device = next(network.parameters()).device
    training = network.training
    network.eval()
    count = pictures.shape[0]
    parts = [torch.zeros(0)]
    with torch.no_grad(), torch.backends.cudnn.flags(allow_tf32=False):
        for start in range(0, count, batch):
            some = np.arange(start, min(start + batch, count))
            parts.append(network(_levels(pictures[some].to(device))).cpu())
    network.train(training)
    return torch.cat(parts).double().numpy()


def _levels(pictures: Tensor) -> Tensor:
    """Grey levels in 0...1."""
    return pictures.float().div_(255)


def scores(representations: NDArray[np.float64], processes: Integers) -> Scores:
    """Loss and accuracies over all pairs i < j of every process; equal S~ tell nothing and are half right."""
    losses: list[float] = []
    right: list[float] = []
    counts: list[int] = []
    for part in _runs(processes):
        i, j = np.triu_indices(len(part), 1)
        if len(i):
            rise = representations[part][j] - representations[part][i]
            losses.append(float(functional.softplus(torch.from_numpy(-rise)).sum()))
            right.append(float((rise > 0).sum() + (rise == 0).sum() / 2))
            counts.append(len(i))
    each = float(np.mean(np.array(right) / counts))
    return Scores(sum(losses) / sum(counts), sum(right) / sum(counts), each)


def train(
    training: Examples,
    validation: Examples,
    settings: Settings,
    checkpoint: Path | None = None,
    progress: Callable[[Epoch], None] = lambda epoch: None,
    device: str = "cpu",
) -> Trained:
    """Train a network of Table I; goes on from the file `checkpoint` if it is there.

    Raises
    ------
    InputError : the pictures' size does not suit the network, or the checkpoint is of another training.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = Subnetwork(training.pictures.shape[-1], training.pictures.shape[1]).to(device)
    adam = torch.optim.Adam(network.parameters(), settings.learning_rate)
    state = _State(network, adam)
    digest = _digest(training, validation, settings)
    if checkpoint is not None and checkpoint.is_file():
        state.read(checkpoint, digest)
    for epoch in range(len(state.history), settings.epochs):
        loss = _epoch(network, adam, training, settings, epoch)
        found = Epoch(epoch, loss, scores(represent(network, validation.pictures), validation.processes))
        if not state.history or found.validation.loss < state.history[state.best_epoch].validation.loss:
            state.best_epoch = epoch
            state.best = {name: value.detach().clone() for name, value in network.state_dict().items()}
        state.history.append(found)
        if checkpoint is not None:
            state.write(checkpoint, digest)
        progress(found)
    network.load_state_dict(state.best)
    return Trained(network.eval(), state.best_epoch, state.history)


def _epoch(
    network: Subnetwork, adam: torch.optim.Adam, examples: Examples, settings: Settings, epoch: int
) -> float:
    """One pass; all that is random in it depends on the seed and the epoch alone."""
    rng = np.random.default_rng([settings.seed, epoch])
    device = next(network.parameters()).device
    steps = list(_steps(_chunks(examples.processes, settings.chunk, rng), settings.images_per_step))
    total = pairs = 0.0
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(rng.integers(2**63)))
        for number, step in enumerate(steps):
            part = (epoch + number / len(steps)) / settings.epochs
            for group in adam.param_groups:
                group["lr"] = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * part))
            images = torch.cat(
                [
                    augmented(
                        examples.pictures[chunk].to(device),
                        int(rng.integers(8)),
                        reversed_time=bool(rng.integers(2)),
                    ).contiguous(memory_format=torch.channels_last)
                    for chunk in step
                ]
            )
            sizes = [len(chunk) for chunk in step]
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                found = network(_levels(images))
            loss = pair_loss(found, sizes)
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            weight = sum(size * (size - 1) / 2 for size in sizes)
            total += weight * loss.item()
            pairs += weight
    return total / pairs


def _runs(processes: Integers) -> list[Integers]:
    """The images of every process."""
    order = np.argsort(processes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(processes[order])) + 1)


def _chunks(processes: Integers, chunk: int, rng: np.random.Generator) -> list[Integers]:
    """Every process's images at random in parts of at most `chunk`, in order of time; then shuffled."""
    parts: list[Integers] = []
    for images in _runs(processes):
        mixed = rng.permutation(images)
        parts += [np.sort(part) for part in np.array_split(mixed, math.ceil(len(mixed) / chunk))]
    return [parts[i] for i in rng.permutation(len(parts)) if len(parts[i]) > 1]


def _steps(chunks: list[Integers], images: int) -> Iterator[list[Integers]]:
    """Chunks of about `images` images together."""
    step: list[Integers] = []
    for chunk in chunks:
        if step and sum(map(len, step)) + len(chunk) > images:
            yield step
            step = []
        step.append(chunk)
    if step:
        yield step


def _digest(training: Examples, validation: Examples, settings: Settings) -> str:
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    for examples in (training, validation):
        digest.update(examples.processes.tobytes())
        count = examples.pictures.shape[0]
        some = examples.pictures[np.arange(0, count, max(1, count // 64))]
        digest.update(some.cpu().numpy().tobytes())
    return digest.hexdigest()


class _State:
    """What a training goes on from."""

    def __init__(self, network: Subnetwork, adam: torch.optim.Adam) -> None:
        self._network, self._adam = network, adam
        self.best: dict[str, Tensor] = dict(network.state_dict())
        self.best_epoch = 0
        self.history: list[Epoch] = []

    def write(self, path: Path, digest: str) -> None:
        tensors = {f"now.{name}": value for name, value in self._network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for number, of in self._adam.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": value for name, value in of.items()}
        said = {"training": digest, "best": self.best_epoch, "history": self.history}
        try:
            write_tensors(path, tensors, {"state": json.dumps(said)})
        except (SafetensorError, OSError) as error:
            hint = "The last epoch that was written is kept: make room and give the command again"
            raise InputError(path, "", error, "room for the state of a training", hint) from None

    def read(self, path: Path, digest: str) -> None:
        expected = "the whole state of a training"
        tensors, notes = read_tensors(path, expected)
        try:
            said = parse_json(notes["state"])
            other = said["training"] != digest
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(path, "", error, expected) from None
        hint = "Remove it to begin anew, or give the parameters and pictures it was begun with"
        if other:
            raise InputError(path, "", "the state of another training", "that of this one", hint)
        try:
            self._take(said, tensors)
        except (ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
            found = f"{type(error).__name__}: {error}"
            raise InputError(path, "", found, expected, hint) from None

    def _take(self, said: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.best, self.best_epoch = _under("best.", tensors), int(said["best"])
        self._network.load_state_dict(self.best)  # it has to fit, too
        self._network.load_state_dict(_under("now.", tensors))
        of: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("adam.", tensors).items():
            number, _, which = name.partition(".")
            of.setdefault(int(number), {})[which] = value
        self._adam.load_state_dict({**self._adam.state_dict(), "state": of})
        rows = [(int(epoch), float(loss), map(float, found)) for epoch, loss, found in said["history"]]
        self.history = [Epoch(epoch, loss, Scores(*found)) for epoch, loss, found in rows]
        if not 0 <= self.best_epoch < len(self.history):
            raise ValueError(f"the best epoch {self.best_epoch} of {len(self.history)}")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
