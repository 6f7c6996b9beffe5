"""Published models on the Hugging Face Hub: configurations, tokenizers and safetensors, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zenn.errors import InputError

CONFIGURATION, TOKENIZER = "config.json", "tokenizer.json"
TOKENIZER_CONFIGURATION, SPECIAL_TOKENS = "tokenizer_config.json", "special_tokens_map.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
DESCRIPTIONS = (CONFIGURATION, TOKENIZER, TOKENIZER_CONFIGURATION, SPECIAL_TOKENS)
SEVERAL = "model-*-of-*.safetensors"
"""Weights in parts."""


def has_weights(folder: Path) -> bool:
    """Whether a folder holds weights that are read, whole or in parts."""
    return (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()


def fetched(repository: str, needed: str, patterns: Sequence[str], instead: str, hint: str = "") -> Path:
    """The folder of some files of a repository, in huggingface_hub's cache; fetched where they are not.

    needed : a file that has to be among them (WEIGHTS may be in parts). instead : what else can be given.

    Raises
    ------
    InputError : no such repository or file, or it is neither in the cache nor can be reached.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    wanted = list(patterns)
    kept = _kept(repository, needed, wanted)
    if kept is not None:
        return kept
    try:
        folder = Path(snapshot_download(repository, allow_patterns=wanted))
    except (RepositoryNotFoundError, HFValidationError):
        expected = f"a model on {constants.ENDPOINT} that may be read, or {instead}"
        raise InputError("argument --model", "", repr(repository), expected, hint) from None
    except Exception as error:  # of the network, of several libraries
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        found = f"no {needed} of {repository} in {constants.HF_HUB_CACHE}, and {constants.ENDPOINT} gave none"
        raise InputError("argument --model", "", f"{found} ({reason})", instead, hint) from None
    if not _there(folder, needed):
        tried = f"no {needed} in {repository} of {constants.ENDPOINT}"
        raise InputError("argument --model", "", tried, f"a model that has one, or {instead}", hint)
    return folder


def _kept(repository: str, needed: str, patterns: list[str]) -> Path | None:
    """The same from the cache alone; None where the file that is needed is not there."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repository, allow_patterns=patterns, local_files_only=True))
    except Exception:  # not there, of several classes; what is wrong with the name is said when it is fetched
        return None
    return folder if _there(folder, needed) else None


def _there(folder: Path, needed: str) -> bool:
    return has_weights(folder) if needed == WEIGHTS else (folder / needed).is_file()
