"""Models of transformers of a few thousand parameters, in folders as they are published."""

from __future__ import annotations

import json

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from zenn.classification.encoders._torchvision import import_transformers

WORDS = ["goal", "match", "team", "score", "chip", "code", "screen", "robot", "the", "a", "new"]
NUMBERS = [str(i) for i in range(60)]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
END = "<|end|>"
_SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SIZES = {
    "bert": _SIZES,
    "roberta": _SIZES,
    "distilbert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2},
    "llama": {**_SIZES, "num_key_value_heads": 1},
}
DECODERS = ("gpt2", "llama")
PUBLISHED_AS = {name: "CausalLM" if name in DECODERS else "MaskedLM" for name in SIZES}


def configuration(kind, **changes):
    """As in config.json; 75 tokens, and positions for 24."""
    size = {"vocab_size": 75, "max_position_embeddings": 24, "pad_token_id": 0, **SIZES[kind]}
    if kind == "gpt2":
        size["n_positions"] = size.pop("max_position_embeddings")
    if kind in DECODERS:
        size |= {"pad_token_id": None, "bos_token_id": 0, "eos_token_id": 0}
    return {"model_type": kind, **size, **changes}


def published(folder, kind, seed=0, tokenizer=True, **changes):
    """A folder with weights of a model that predicts words, its configuration and its tokenizer."""
    transformers = import_transformers()
    said = configuration(kind, **changes)
    config = transformers.AutoConfig.for_model(**said)
    torch.manual_seed(seed)
    model = getattr(transformers, f"AutoModelFor{PUBLISHED_AS[kind]}").from_config(config)
    model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(said))
    if tokenizer:
        decoder = kind in DECODERS
        words(decoder).save(str(folder / "tokenizer.json"))
        named = {"eos_token": END} if decoder else {"pad_token": {"content": "[PAD]"}}
        (folder / "tokenizer_config.json").write_text(json.dumps(named))
    return folder


def words(decoder):
    """A tokenizer as BERT's, with signs around a text, or as a decoder's, with an end of text for padding."""
    special = (END, "[UNK]") if decoder else SPECIAL
    made = Tokenizer(
        models.WordLevel({w: i for i, w in enumerate((*special, *WORDS, *NUMBERS))}, unk_token="[UNK]")
    )
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if decoder:
        made.add_special_tokens([END])
    else:
        made.add_special_tokens(list(SPECIAL))
        around = [("[CLS]", 2), ("[SEP]", 3)]
        made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    return made
