"""Training of a classifier: Algorithm 1 of the paper or one joint step, from any checkpoint, on any device.

After Wang, Shang, Liu and Hao, ZENN, Eqs. (10)-(16) and Algorithm 1. `alternating` first updates the encoders
at fixed temperatures (Eq. 15), then the temperatures with the updated encoders (Eq. 16), batch by batch; the
E-step, q of Eq. (11), is part of the loss in both. `joint` updates both from one gradient.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zenn.classification.batches import Batch, Epoch, Samples
from zenn.classification.checkpointing import (
    Position,
    digest_of,
    read_checkpoint,
    write_checkpoint,
)
from zenn.classification.data import DataSet
from zenn.classification.devices import Devices
from zenn.classification.ema import MovingAverage
from zenn.classification.model import Array, EncoderOutputs, loss_of, outputs_of, prior_of
from zenn.classification.network import ZentropyNetwork
from zenn.classification.optimiser import AdamW
from zenn.classification.schedule import Schedule
from zenn.classification.settings import TrainingSettings
from zenn.classification.temperatures import parameter_groups
from zenn.errors import InputError, NotConvergedError

_WINDOW = 50  # batches between two looks at the losses: a look makes a GPU wait


class NotFiniteError(NotConvergedError):
    """The loss became infinite or NaN."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The end of a training: outputs by split, temperatures and prior (N_T,), rows of the history."""

    outputs: dict[str, EncoderOutputs]
    temperatures: Array
    prior: Array
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Now:
    """Where a training stands, for whoever watches: updates done, mean loss of late, samples per second."""

    step: int
    loss: float
    samples_per_second: float


Scores = Callable[[ZentropyNetwork, dict[str, EncoderOutputs]], Mapping[str, float]]


def train(
    model: ZentropyNetwork,
    data: DataSet,
    settings: TrainingSettings,
    seed: int,
    devices: Devices,
    *,
    checkpoint: Path | None = None,
    save_every: float = math.inf,
    scores: Scores = lambda model, outputs: {},
    watch: Callable[[Now], None] = lambda now: None,
) -> Trained:
    """Train `model` in place, from the file `checkpoint` on if it is there; the last state is kept there.

    save_every : seconds between two checkpoints. scores : columns of the history from the outputs of
    validation and test samples.

    Raises
    ------
    InputError : settings that contradict each other; a checkpoint of another training.
    NotFiniteError : the loss is not finite; names the update, the batch and the last good checkpoint.
    """
    settings.check()
    with torch.random.fork_rng(devices=[devices.device] if devices.device.type == "cuda" else []):
        training = _Training(model, data, settings, seed, devices, scores)
        if checkpoint is not None:
            digest = digest_of([asdict(settings), seed, repr(model)], data, model)
            training.keep_at(checkpoint, digest, save_every)
        training.run(watch)
        return training.end()


class _Training:
    """A training in progress; everything that changes is in `model`, `optimiser`, `average`, `position`."""

    def __init__(
        self,
        model: ZentropyNetwork,
        data: DataSet,
        settings: TrainingSettings,
        seed: int,
        devices: Devices,
        scores: Scores,
    ) -> None:
        self.model, self.settings, self.seed, self.devices = model, settings, seed, devices
        self.scores = scores
        device = devices.device
        self.samples = Samples(data.train, data, device, settings.augmentation)
        others = {"validation": data.validation, "test": data.test}
        self.evaluated = {name: Samples(split, data, device) for name, split in others.items()}
        self.batches = math.ceil(len(self.samples) / settings.batch_size)
        self.window = math.ceil(_WINDOW / settings.accumulation) * settings.accumulation
        self.updates = math.ceil(self.batches / settings.accumulation)  # of an epoch
        self.steps = settings.epochs * self.updates
        self.warm_steps = round(settings.cross_entropy_warm_up * self.steps)
        warm_up = round(settings.warm_up_epochs * self.updates)
        self.schedule = Schedule(self.steps, warm_up, settings.schedule)
        self.names: dict[Tensor, str] = {
            value: name for name, value in model.named_parameters() if value.requires_grad
        }
        self.parameters = {name: value for value, name in self.names.items()}
        encoders = _Encoders(model)
        self.encoder_parameters = [one for one in encoders.parameters() if one.requires_grad]
        inside = set(self.encoder_parameters)
        self.other_parameters = [one for one in self.names if one not in inside]
        self.optimiser, self.slow = self._optimisers()
        self.average = MovingAverage(self.parameters, settings.ema) if settings.ema else None
        self.shared: nn.Module = devices.shared(encoders) if devices.processes > 1 else model
        self.position = Position()
        self.checkpoint: Path | None = None
        self.digest, self.save_every = "", math.inf

    def _optimisers(self) -> tuple[AdamW, AdamW | None]:
        """One for the encoders, and one for temperatures and prior if there are any to learn."""
        settings = self.settings
        groups = parameter_groups(
            self.model,
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            temperature_lr=settings.temperature_learning_rate,
            prior_lr=settings.prior_learning_rate,
            decay_vectors=False,
        )
        fast = [group for group in groups if group["name"] in ("weights", "vectors")]
        slow = [group for group in groups if group["name"] not in ("weights", "vectors")]
        return AdamW(fast), AdamW(slow) if slow else None

    # checkpoints

    def keep_at(self, path: Path, digest: str, save_every: float) -> None:
        """Go on from the checkpoint at `path` if there is one, and write the next ones there."""
        self.checkpoint, self.digest, self.save_every = path, digest, save_every
        if path.is_file():
            position, tensors = read_checkpoint(path, digest)
            try:
                self._restore(position, tensors)
            except (KeyError, RuntimeError) as error:
                found = f"{type(error).__name__}: {error}"
                expected = "the state of this training"
                raise InputError(path, "", found, expected, "Remove it to begin anew") from None

    def _tensors(self) -> dict[str, Tensor]:
        named = {f"model/{name}": value for name, value in self._changing().items()}
        for optimiser in self._both():
            named |= {f"optimiser/{key}": value for key, value in optimiser.state(self.names).items()}
        if self.average is not None:
            named |= {f"average/{name}": value for name, value in self.average.average.items()}
        return named

    def _restore(self, position: Position, tensors: dict[str, Tensor]) -> None:
        self.position = position
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimiser": {}, "average": {}}
        for key, value in tensors.items():
            part, _, name = key.partition("/")
            parts[part][name] = value
        with torch.no_grad():
            for name, value in self._changing().items():
                value.copy_(parts["model"][name])
        for optimiser in self._both():
            optimiser.restore(self.names, parts["optimiser"])
        if self.average is not None:
            self.average.restore(parts["average"])

    def _changing(self) -> dict[str, Tensor]:
        """Parameters that are trained, and buffers."""
        return {**self.parameters, **dict(self.model.named_buffers())}

    def _both(self) -> list[AdamW]:
        return [self.optimiser] if self.slow is None else [self.optimiser, self.slow]

    def _save(self) -> None:
        if self.checkpoint is not None and self.devices.rank == 0:
            write_checkpoint(self.checkpoint, self.digest, self.position, self._tensors())

    # the loop

    def run(self, watch: Callable[[Now], None]) -> None:
        """Train to the end of the last epoch; after it, do nothing."""
        position, settings = self.position, self.settings
        self.model.train()
        started = saved = time.monotonic()
        before = self._samples_done()
        while position.epoch < settings.epochs:
            epoch = Epoch.of(len(self.samples), settings.augmentation, self.seed, position.epoch)
            # windows begin at the same batches after a kill: their sums are the same, to the last bit
            while position.batch < self.batches:
                loss = self._window(epoch)
                if position.batch < self.batches and time.monotonic() - saved > self.save_every:
                    self._save()
                    saved = time.monotonic()
                rate = (self._samples_done() - before) / (time.monotonic() - started)
                watch(Now(position.step, loss, rate))
            self._end_epoch()
            if position.epoch == settings.epochs or time.monotonic() - saved > self.save_every:
                self._save()
                saved = time.monotonic()

    def _window(self, epoch: Epoch) -> float:
        """Some updates, after which the losses are looked at; their mean."""
        position, settings = self.position, self.settings
        first = position.batch
        last = min(first + self.window, self.batches)
        # torch's own generator gives dropout; nothing of it has to be kept in a checkpoint
        torch.manual_seed(self._dropout_seed(position.epoch, first))
        losses = torch.zeros(last - first, device=self.devices.device)
        size, together = settings.batch_size, settings.accumulation
        for start in range(first, last, together):
            numbers = range(start, min(start + together, last))
            batches = [epoch.order[i * size : (i + 1) * size] for i in numbers]
            losses[start - first : start - first + len(batches)] = self._update(batches, epoch)
            position.step += 1
        losses = self.devices.total(losses).cpu().double()
        wrong = (~torch.isfinite(losses)).nonzero()
        if len(wrong):
            self._stop(epoch, first + int(wrong[0, 0]), float(losses[wrong[0, 0]]))
        position.batch = last
        samples = min(last * size, len(self.samples)) - first * size
        position.loss += float(losses.sum())
        position.counted += samples
        return float(losses.sum()) / samples

    def _update(self, batches: list[Tensor], epoch: Epoch) -> Tensor:
        """One update from some batches of indices; the sums of their losses."""
        settings, model = self.settings, self.model
        warming_up = self.position.step < self.warm_steps
        alternating = settings.mode == "alternating" and self.slow is not None and not warming_up
        total = sum(map(len, batches)) / self.devices.processes  # gradients are averaged over these
        taken = []
        losses = []
        for number, batch in enumerate(batches, 1):
            indices, weight = self.devices.part(batch)
            inputs, labels = self.samples.take(indices, epoch)
            context = nullcontext() if number == len(batches) else self.devices.unsynchronised(self.shared)
            with context:
                with self.devices.autocast():
                    E, S = self.shared(inputs)
                T, log_prior = self._mixture(fixed=alternating)
                loss = loss_of(E, S, labels, T, log_prior, settings, warming_up=warming_up)
                (loss * (weight / total)).backward()  # type: ignore[no-untyped-call]  # torch's own
            losses.append(loss.detach() * weight)
            if alternating:
                taken.append((inputs, labels, weight))
        self._step(alternating)
        for inputs, labels, weight in taken:
            with torch.no_grad(), self.devices.autocast():
                E, S = model(inputs)
            loss = loss_of(E, S, labels, *self._mixture(), settings)
            (loss * (weight / total)).backward()  # type: ignore[no-untyped-call]  # torch's own
        if taken:
            self._step_slow()
        if self.average is not None:
            self.average.update()
        return torch.stack(losses)

    def _mixture(self, *, fixed: bool = False) -> tuple[Tensor, Tensor | None]:
        """Temperatures and the logarithm of their learned prior."""
        T = self.model.temperatures.values
        prior = self.model.prior
        log_prior = None if prior is None else prior.log_probabilities
        if not fixed:
            return T, log_prior
        return T.detach(), None if log_prior is None else log_prior.detach()

    def _step(self, alternating: bool) -> None:
        if self.settings.clipping:
            nn.utils.clip_grad_norm_(self.encoder_parameters, self.settings.clipping)
        self.optimiser.step(self.schedule.factor(self.position.step))
        if not alternating:
            self._step_slow()

    def _step_slow(self) -> None:
        if self.slow is not None:
            self.devices.average_gradients(self.other_parameters)
            self.slow.step()

    def _stop(self, epoch: Epoch, batch: int, loss: float) -> None:
        size, number = self.settings.batch_size, self.position.epoch
        indices = epoch.order[batch * size : (batch + 1) * size]
        update = number * self.updates + batch // self.settings.accumulation + 1
        listed = ", ".join(map(str, indices.tolist()[:64])) + (", ..." if len(indices) > 64 else "")
        kept = "none was written yet: it is the start"
        if self.checkpoint is not None and self.checkpoint.is_file():
            kept = str(self.checkpoint)
        raise NotFiniteError(
            f"seed {self.seed}: the loss is {loss} in update {update}, batch {batch + 1} of epoch "
            f"{number + 1}, which has the training samples {listed}. Last good checkpoint: {kept}. "
            "Lower learning_rate, set clipping, or look at these samples."
        )

    def _end_epoch(self) -> None:
        position = self.position
        position.epoch, position.batch = position.epoch + 1, 0
        if position.epoch % self.settings.evaluate_every == 0 or position.epoch == self.settings.epochs:
            if self.devices.rank == 0:
                position.history.append(self._row())
            self.devices.wait()
        position.loss, position.counted = 0.0, 0

    def _row(self) -> dict[str, float]:
        position = self.position
        row = {
            "epoch": position.epoch,
            "step": position.step,
            "train_loss": position.loss / position.counted,
        }
        with self._predicting():
            outputs = self._outputs()
            row |= self.scores(self.model, outputs)
            T = self.model.temperatures.values.detach().cpu()
            row |= {f"temperature_{i}": float(value) for i, value in enumerate(T, 1)}
        return row

    def _predicting(self) -> AbstractContextManager[object]:
        return nullcontext() if self.average is None else self.average.in_place()

    def _outputs(self) -> dict[str, EncoderOutputs]:
        splits = self.evaluated.items()
        return {name: outputs_of(self.model, samples, self.devices) for name, samples in splits}

    def end(self) -> Trained:
        """Outputs of the trained model; the parameters become their moving average if there is one."""
        if self.average is not None:
            with torch.no_grad():
                for name, value in self.average.average.items():
                    self.parameters[name].copy_(value)
        outputs = self._outputs() if self.devices.rank == 0 else {}
        T = self.model.temperatures.values.detach().cpu().numpy()
        return Trained(outputs, T, prior_of(self.model).cpu().numpy(), self.position.history)

    def _samples_done(self) -> int:
        position = self.position
        return position.epoch * len(self.samples) + position.counted

    def _dropout_seed(self, epoch: int, batch: int) -> int:
        """Another one in each process."""
        numbers = [self.seed, epoch, batch, self.devices.rank]
        (state,) = np.random.SeedSequence(numbers).generate_state(1)
        return int(state)


class _Encoders(nn.Module):
    """The encoders of a classifier alone: temperatures and prior get their gradient outside of `forward`."""

    def __init__(self, model: ZentropyNetwork) -> None:
        super().__init__()
        self.energy, self.entropy = model.energy_encoder, model.entropy_encoder
        self._forward = model.forward

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        return self._forward(batch)
