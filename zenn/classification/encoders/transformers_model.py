"""Any classifier of texts of transformers, from its configuration; no code or pickle of others is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zenn.classification.encoders._texts import last_positions
from zenn.classification.encoders._torchvision import import_peft, import_transformers
from zenn.classification.encoders._weights import SHOWN, read_safetensors
from zenn.classification.encoders.lora import Lora, adapted, refuse_targets
from zenn.errors import InputError

LEFT_OUT = (
    *("_name_or_path", "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version"),
    *("id2label", "label2id", "num_labels", "problem_type", "use_cache", "quantization_config"),
    *("_attn_implementation", "_attn_implementation_internal", "attn_implementation"),
    *("_experts_implementation", "experts_implementation"),
)
"""Of a configuration: where it comes from, other classes, and what would fetch code or change numbers."""

OURS = ("q_proj", "v_proj")
"""Where adapters go if the model has layers of these names, as in Paper A."""

POOLER = "pooler"
"""Reads a text's first token; weights of a model that filled in words have none."""

BUFFERS = (".attn.bias", ".masked_bias", ".inv_freq", ".position_ids", ".token_type_ids")
"""What older files hold and newer models compute."""


class TransformersClassifier(nn.Module):
    """A model of transformers with a new head, one output per class.

    configuration : as in config.json. padding : the token that fills up texts. weights : a safetensors file,
    or a folder with `model.safetensors` (whole or in parts); None for random ones. lora : what is learned
    beside the head, or None for everything. Where transformers reads a decoder's last token, we do, too:
    `longest` is the number of tokens it has positions for, None without limit.

    Raises
    ------
    InputError : transformers has no classifier of this configuration; weights of another model.
    """

    def __init__(
        self,
        configuration: Mapping[str, Any],
        classes: int,
        padding: int,
        weights: Path | None = None,
        lora: Lora | None = None,
    ) -> None:
        super().__init__()
        with _quiet():
            described = _described(configuration, classes, padding)
            base = _built(described)
            if weights is not None:
                _load(base, described, weights)
        self.prefix: str = base.base_model_prefix
        self.lora = lora
        inner = getattr(base, self.prefix)
        self.head = [name for name, part in base.named_children() if part is not inner and _learns(part)]
        if any(name == POOLER and _learns(part) for name, part in inner.named_children()):
            self.head.append(POOLER)
        self.vocabulary = int(base.get_input_embeddings().num_embeddings)
        self.longest = _longest(described, inner)
        if lora is None:
            self.model: Any = base
        else:
            refuse_targets(lora, _adaptable(inner))
            self.model = adapted(base, lora, self.head)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, classes) of `input_ids` and `attention_mask` (B, L), padded on the right."""
        tokens, mask = batch["input_ids"], batch["attention_mask"]
        if self.longest is not None and tokens.shape[1] > self.longest:
            expected = f"at most {self.longest}"
            raise InputError("a batch of texts", "input_ids", f"{tokens.shape[1]} tokens", expected)
        last = last_positions(mask)
        model = self.model.get_base_model() if self.lora else self.model
        if not hasattr(model, "score"):
            values: Tensor = model(input_ids=tokens, attention_mask=mask).logits
            return values
        # transformers would take the last token that differs from the padding, which a text may well hold
        inner = getattr(model, self.prefix)
        states = inner(input_ids=tokens, attention_mask=mask, use_cache=False).last_hidden_state
        scores: Tensor = model.score(states[torch.arange(len(last), device=last.device), last])
        return scores


def lora_targets(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the layers that get an adapter: q_proj and v_proj, those that peft knows, or all linear ones.

    Raises
    ------
    InputError : transformers has no classifier of this configuration, or it has no linear layers.
    """
    import_peft()
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    with _quiet(), torch.device("meta"):
        base = _built(_described(configuration, 2, None))
    there = _adaptable(getattr(base, base.base_model_prefix))
    for names in (OURS, KNOWN.get(str(configuration["model_type"]), ())):
        if names and all(name in there for name in names):
            return tuple(names)
    if not there:
        raise InputError(
            "encoder", "configuration", "no linear layer", "one, for an adapter", "Train all of it"
        )
    return there


def longest_text(configuration: Mapping[str, Any]) -> int | None:
    """Tokens that the model has positions for, None without limit.

    Raises
    ------
    InputError : transformers has no classifier of this configuration.
    """
    with _quiet(), torch.device("meta"):
        described = _described(configuration, 2, None)
        base = _built(described)
    return _longest(described, getattr(base, base.base_model_prefix))


def plain_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """All that a model is rebuilt from, defaults of this version of transformers included.

    Raises
    ------
    InputError : transformers does not know such a configuration.
    """
    with _quiet():
        said = json.loads(_described(configuration, 2, None).to_json_string(use_diff=False))
    return {name: value for name, value in said.items() if name not in LEFT_OUT}


def _described(configuration: Mapping[str, Any], classes: int, padding: int | None) -> Any:
    """transformers' own configuration; without `padding` that of the mapping stays."""
    transformers = import_transformers()
    said = {name: value for name, value in configuration.items() if name not in LEFT_OUT}
    kind = said.pop("model_type", None)
    if kind not in transformers.CONFIG_MAPPING:
        found = "no model_type" if kind is None else f"the model_type {kind!r}"
        raise InputError("encoder", "configuration", found, f"one of transformers {transformers.__version__}")
    if padding is not None:
        said["pad_token_id"] = padding
    try:
        made = transformers.CONFIG_MAPPING[kind].from_dict({**said, "num_labels": classes})
    except Exception as error:  # each model checks its own, by errors of its own
        raise InputError("encoder", "configuration", error, f"the configuration of a {kind}") from None
    if made.is_encoder_decoder:
        expected = "an encoder or a decoder"
        raise InputError("encoder", "configuration", f"{kind}, an encoder with a decoder", expected)
    made.use_cache = False
    return made


def _built(described: Any) -> Any:
    auto = import_transformers().AutoModelForSequenceClassification
    try:
        made = auto.from_config(described, dtype=torch.float32, trust_remote_code=False)
    except Exception as error:  # a class of errors for every model
        expected = "a model that transformers has a classifier of texts for"
        found = str(error).splitlines()[0][:200] if str(error) else repr(error)
        raise InputError("encoder", "configuration", found, expected) from None
    if not hasattr(made, made.base_model_prefix):
        expected = "a model with a head of its own"
        raise InputError("encoder", "configuration", type(made).__name__, expected)
    if getattr(getattr(made, "sequence_summary", None), "summary_type", "") == "last":  # as XLNet
        expected = "a model whose classifier tells a text from its padding"
        raise InputError("encoder", "configuration", type(made).__name__, expected)
    return made


def _load(model: Any, described: Any, path: Path) -> None:
    """Copy weights into a model, all but the head.

    transformers brings older names to the newer ones, but only reports what does not fit: we refuse it.
    """
    tensors, prefix = read_safetensors(path), model.base_model_prefix
    # without a name of a model there is nothing that transformers could look for elsewhere
    loaded, said = type(model).from_pretrained(
        None,
        config=described,
        state_dict=tensors,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        dtype=torch.float32,
        trust_remote_code=False,
    )
    inner, start = getattr(loaded, prefix), f"{prefix}."
    layers = {name for name, _ in inner.named_children()}
    wrong = [
        f"{name} of shape {tuple(found)} for {tuple(needed)}"
        for name, found, needed in sorted(said["mismatched_keys"], key=lambda each: str(each[0]))
        if name.startswith(start)
    ]
    wrong += [
        f"no {name}"
        for name in sorted(said["missing_keys"])
        if name.startswith(start) and not name.startswith(f"{start}{POOLER}.")
    ]
    for name in sorted(said["unexpected_keys"]):
        first = name.removeprefix(start).partition(".")[0]
        if first in layers and not name.endswith(BUFFERS) and first != POOLER:
            wrong.append(f"{name}, which the model lacks")
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more differences" if len(wrong) > SHOWN else ""
        hint = "These are the weights of another architecture"
        expected = f"the weights of a {described.model_type} of this configuration"
        raise InputError(path, "", "; ".join(wrong[:SHOWN]) + more, expected, hint)
    getattr(model, prefix).load_state_dict(inner.state_dict())


def _learns(part: nn.Module) -> bool:
    return any(True for _ in part.parameters())


def _adaptable(inner: nn.Module) -> tuple[str, ...]:
    """Names of the linear layers in the blocks of a model, without the pooler."""
    linear = (nn.Linear, import_transformers().pytorch_utils.Conv1D)
    names = {
        name.rpartition(".")[2]
        for name, part in inner.named_modules()
        if isinstance(part, linear) and not name.startswith(POOLER)
    }
    return tuple(sorted(names))


def _longest(described: Any, inner: nn.Module) -> int | None:
    limit = getattr(described, "max_position_embeddings", None)
    for name, part in inner.named_modules():
        padded = isinstance(part, nn.Embedding) and part.padding_idx is not None
        if padded and name.endswith("position_embeddings"):  # RoBERTa's positions begin after the padding
            return int(part.num_embeddings) - int(part.padding_idx) - 1
    return limit if isinstance(limit, int) and limit > 0 else None


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers says nothing: what matters of it is raised."""
    logging = import_transformers().utils.logging
    before, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bar:
            logging.enable_progress_bar()
