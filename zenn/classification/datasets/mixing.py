"""What the made data sets share: several sources in known shares, and labels that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zenn.errors import InputError

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sources:
    """Sources by name: the share of the samples that comes from each, and of its labels that are wrong.

    `noisy_splits` are those in which labels are wrong; elsewhere, as in the test, they are true.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    label_noise: tuple[float, ...]
    noisy_splits: tuple[str, ...]

    def check(self, **others: Sequence[float]) -> None:
        """Refuse lists that do not go together.

        Raises
        ------
        InputError : a list of another length, shares that do not sum to 1, a noise outside [0, 1], an
            unknown split.
        """
        for key, values in {"shares": self.shares, "label_noise": self.label_noise, **others}.items():
            if len(values) != len(self.names):
                found = f"{len(values)} numbers"
                raise InputError(
                    "parameters", f"sources.{key}", found, f"one for each of {len(self.names)} sources"
                )
        if len(set(self.names)) < len(self.names):
            raise InputError("parameters", "sources.names", list(self.names), "each name once")
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-9:
            raise InputError(
                "parameters", "sources.shares", list(self.shares), "positive shares that sum to 1"
            )
        if not all(0 <= noise <= 1 for noise in self.label_noise):
            raise InputError(
                "parameters", "sources.label_noise", list(self.label_noise), "shares from 0 to 1"
            )
        for split in self.noisy_splits:
            if split not in ("train", "validation", "test"):
                raise InputError("parameters", "sources.noisy_splits", split, "train, validation or test")

    def assign(self, count: int, generator: np.random.Generator) -> Integers:
        """A source for each of `count` samples, (count,); numbers are exact to one sample."""
        ends = np.round(np.cumsum(self.shares) * count).astype(np.int64)
        return generator.permutation(np.searchsorted(ends, np.arange(count), side="right")).astype(np.int64)

    def noisy(
        self, labels: Integers, sources: Integers, classes: int, generator: np.random.Generator
    ) -> Integers:
        """`labels`, of which in every source the stated share is another class, each as likely."""
        changed = labels.copy()
        for k, share in enumerate(self.label_noise):
            held = np.flatnonzero(sources == k)
            wrong = generator.permutation(held)[: round(share * len(held))]
            changed[wrong] = (labels[wrong] + generator.integers(1, classes, len(wrong))) % classes
        return changed
