"""Low-rank adapters of peft on a model of transformers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zenn.classification.encoders._torchvision import import_peft
from zenn.errors import InputError


@dataclass(frozen=True)
class Lora:
    """A low-rank adapter: weights + alpha/rank * B A, with B and A learned, on layers of these names."""

    rank: int = 8
    alpha: float = 16
    dropout: float = 0.1
    target_modules: tuple[str, ...] = ("q_proj", "v_proj")

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise InputError("fine_tune", "rank", self.rank, "1 or more")


def refuse_targets(lora: Lora, known: Sequence[str]) -> None:
    """Raise InputError unless the adapter is on layers that the model has."""
    unknown = [name for name in lora.target_modules if name not in known]
    if unknown or not lora.target_modules:
        raise InputError("fine_tune", "target_modules", unknown or "none", f"some of {', '.join(known)}")


def adapted(base: Any, lora: Lora, head: Sequence[str] = ()) -> Any:
    """peft's model around `base`, of which the adapter and the head learn.

    head : modules that are learned as a whole; without any, those that peft knows (score, classifier).
    """
    peft = import_peft()
    named: dict[str, Any] = {}
    if head:
        inner = "|".join(head)
        # an adapter inside a layer that is learned as a whole would be one too many
        named = {"modules_to_save": list(head), "exclude_modules": rf"(.*\.)?({inner})(\..*)?"}
    adapter = peft.LoraConfig(
        task_type="SEQ_CLS",  # without it the new head stays as it is, random and frozen
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        **named,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks for a name that transformers will change
        warnings.filterwarnings("ignore", message="fan_in_fan_out")  # peft sets it right itself
        return peft.get_peft_model(base, adapter)
