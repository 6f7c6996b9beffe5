"""Classifiers of texts on transformers' Llama: SmolLM2 with published weights, and scaled-down ones.

The class is read at the last token that is no padding. Fine-tuned are all parameters, or a LoRA of peft and
the head. Every encoder has a base model of its own: of two adapters on one base, peft lets only one learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from zenn.classification.encoders._texts import last_positions
from zenn.classification.encoders._torchvision import import_transformers
from zenn.classification.encoders._weights import Shapes, refuse_differences
from zenn.classification.encoders.lora import Lora, adapted, refuse_targets
from zenn.errors import InputError
from zenn.files import read_json

WEIGHTS = "model.safetensors"
CONFIGURATION = "config.json"

UNUSED = ("lm_head.weight",)
"""What a weight file may hold beside the model: the layer that predicts tokens."""

ADAPTABLE = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers of a Llama block, by the names that LoRA's target_modules give them."""


@dataclass(frozen=True)
class LlamaSizes:
    """Sizes of a Llama: width of a token, blocks, heads (of queries; of keys and values), inner width.

    padding : the token that fills up texts; initial_deviation : of the initial weights.
    """

    vocabulary: int
    width: int
    depth: int
    heads: int
    key_value_heads: int
    intermediate: int
    maximum_length: int
    padding: int
    rope_theta: float = 100000.0
    initial_deviation: float = 0.02


# Of https://huggingface.co/HuggingFaceTB; neither has a token for padding: the end of a text (0) stands in
PUBLISHED = {
    "SmolLM2-135M": LlamaSizes(49152, 576, 30, 9, 3, 1536, 8192, 0, initial_deviation=1 / 24),
    "SmolLM2-360M": LlamaSizes(49152, 960, 32, 15, 5, 2560, 8192, 0),
}


class TextTransformer(nn.Module):
    """A Llama whose last token that is no padding is read by a linear layer, one output per class.

    weights : folder with published weights, or None for random ones; lora : what is learned beside the head,
    or None for everything. `unused_weights` names what the weight file has and the model does not.

    Raises
    ------
    InputError : sizes do not go together; weights of another model.
    """

    def __init__(
        self, sizes: LlamaSizes, classes: int, weights: Path | None = None, lora: Lora | None = None
    ) -> None:
        super().__init__()
        _check(sizes)
        if lora is not None:
            refuse_targets(lora, ADAPTABLE)
        self.sizes, self.lora = sizes, lora
        self.unused_weights: tuple[str, ...] = ()
        transformers = import_transformers()
        base = transformers.LlamaForSequenceClassification(_configuration(transformers, sizes, classes))
        if weights is not None:
            self.unused_weights = _load(base, weights, sizes)
        if lora is None:
            self.model: Any = base
        else:
            self.model = adapted(base, lora)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, classes) of `input_ids` and `attention_mask` (B, L), padded on the right.

        Not the forward of transformers, which takes the last token that differs from the padding: SmolLM2's
        is the end of a text, which a text may well hold.

        Raises
        ------
        InputError : a text is longer than the model's limit, or has no token.
        """
        tokens, mask = batch["input_ids"], batch["attention_mask"]
        if tokens.shape[1] > self.sizes.maximum_length:
            expected = f"at most {self.sizes.maximum_length}"
            raise InputError("a batch of texts", "input_ids", f"{tokens.shape[1]} tokens", expected)
        last = last_positions(mask)
        base = self._base()
        states = base.model(input_ids=tokens, attention_mask=mask, use_cache=False).last_hidden_state
        values: Tensor = base.score(states[torch.arange(len(last), device=last.device), last])
        return values

    def _base(self) -> Any:
        """The model of transformers, inside peft's where there is an adapter."""
        return self.model.get_base_model() if self.lora else self.model


def _configuration(transformers: Any, sizes: LlamaSizes, classes: int) -> Any:
    return transformers.LlamaConfig(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.depth,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.key_value_heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.maximum_length,
        rope_theta=sizes.rope_theta,
        rms_norm_eps=1e-5,
        initializer_range=sizes.initial_deviation,
        tie_word_embeddings=True,
        bos_token_id=sizes.padding,
        eos_token_id=sizes.padding,
        pad_token_id=sizes.padding,
        num_labels=classes,
        use_cache=False,
        attn_implementation="sdpa",
    )


def _load(base: Any, folder: Path, sizes: LlamaSizes) -> tuple[str, ...]:
    """Copy published weights into a model; returns the names of those it has no use for."""
    _compare_configuration(folder / CONFIGURATION, sizes)
    path = folder / WEIGHTS
    parameters = {f"model.{name}": tensor for name, tensor in base.model.state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            # the file is no mapping: it cannot be iterated over itself
            found: Shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            unused = tuple(name for name in UNUSED if found.pop(name, None))
            refuse_differences(
                path, found, {name: tuple(tensor.shape) for name, tensor in parameters.items()}
            )
            for name, tensor in parameters.items():
                tensor.copy_(file.get_tensor(name))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, "", error, "a whole safetensors file") from None
    return unused


def _compare_configuration(path: Path, sizes: LlamaSizes) -> None:
    """Refuse weights whose own description differs where shapes do not tell: SmolLM and SmolLM2, say."""
    if not path.is_file():
        return
    try:
        said = read_json(path)
    except ValueError as error:
        raise InputError(path, "", error, "JSON") from None
    if not isinstance(said, Mapping):
        raise InputError(path, "", type(said).__name__, "the description of a model")
    needed = {
        "model_type": "llama",
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.key_value_heads,
        "rope_theta": sizes.rope_theta,
        "rms_norm_eps": 1e-5,
    }
    rope = said.get("rope_parameters")  # where transformers 5 writes it
    flat = {**(rope if isinstance(rope, Mapping) else {}), **said}
    for name, value in needed.items():
        if name in flat and flat[name] != value:
            hint = "These are the weights of another architecture"
            raise InputError(path, name, flat[name], str(value), hint)


def _check(sizes: LlamaSizes) -> None:
    numbers = (sizes.vocabulary, sizes.width, sizes.depth, sizes.heads, sizes.key_value_heads)
    if min(*numbers, sizes.intermediate, sizes.maximum_length) < 1:
        raise InputError("encoder", "", sizes, "sizes of 1 or more")
    if sizes.width % (2 * sizes.heads):  # rotary positions turn pairs of components
        expected = f"a multiple of twice the heads, which are {sizes.heads}"
        raise InputError("encoder", "width", sizes.width, expected)
    if sizes.heads % sizes.key_value_heads:
        expected = f"a divisor of the heads, which are {sizes.heads}"
        raise InputError("encoder", "key_value_heads", sizes.key_value_heads, expected)
    if not 0 <= sizes.padding < sizes.vocabulary:
        raise InputError("texts", "padding", sizes.padding, f"a token below {sizes.vocabulary}")
