"""What `--model` and `--weights` name: a model of ours, of timm or of transformers, and its files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands import classify_hub as hub
from zenn.commands import classify_models as models
from zenn.commands.classify_models import RANDOM, Recipe
from zenn.errors import InputError, did_you_mean
from zenn.files import read_json

if TYPE_CHECKING:
    from zenn.classification.data import DataSet

OWNER = "HuggingFaceTB"
"""Of the published models of texts."""

LORA = {"method": "lora", "rank": 8, "alpha": 16, "dropout": 0.1}
"""As in params.yaml."""

_FILE_OR_FOLDER = "a .safetensors file, or a folder with model.safetensors"


@dataclass(frozen=True)
class Chosen:
    """A model and its files.

    name : one of `models.MODELS`, or "". weights : where they lie, None for random ones. tokenizer,
    padding_token : of texts, where the model has its own. longest : tokens that it has positions for.
    parameters : of the encoder, where the data add nothing to them. mean, std : that images are normalised
    by. rates : how it is trained, where the name does not say.
    """

    name: str
    weights: Path | None = None
    tokenizer: Path | None = None
    padding_token: str | None = None
    longest: int | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    rates: Recipe | None = None

    def encoder(self, data: DataSet, fine_tune: str | None) -> dict[str, Any]:
        """The parameters `encoder` of the step `train`."""
        random = RANDOM if self.weights is None else None
        tuned = _fine_tune(fine_tune, self.weights)
        return self.parameters or models.encoder_of(self.name, data, random, tuned)

    def fitted(self, data: DataSet) -> DataSet:
        """The data as the model expects them."""
        if self.mean:
            return models.coloured(data, self.mean, self.std)
        return models.fitted_to(self.name, data)

    def recipe(self, data: DataSet) -> Recipe:
        """How it is trained unless something else is asked for."""
        if self.rates is None:
            return models.recipe(self.name, data.kind, len(data.train))
        return models.for_few(self.rates, len(data.train))


@dataclass(frozen=True)
class Asked:
    """What a user said of the model; None where nothing."""

    model: str
    weights: str | None
    fine_tune: str | None
    tokenizer: Path | None
    padding_token: str | None


def choose(asked: Asked, kind: str) -> Chosen:
    """The model for data of a kind, images or texts; published weights are fetched unless others are given.

    Raises
    ------
    InputError : there is no such model, it reads the other kind, or its files are missing or cannot be had.
    """
    name = models.known_model(asked.model)
    if name is not None:
        models.refuse_other_kind(name, kind)
        return _ours(name, asked)
    return _timm(asked) if kind == "images" else _transformers(asked)


def _ours(name: str, asked: Asked) -> Chosen:
    given = asked.weights
    if name not in (*models.IMAGE_MODELS, *models.TEXT_MODELS):
        if given not in (None, RANDOM):
            expected = f"none: {name} begins with random ones"
            raise InputError("argument --weights", "", given, expected)
        return Chosen(name)
    if name in models.IMAGE_MODELS:
        expected = f"an .npz file with the weights of {name}, or {RANDOM}"
        if given is None:
            hint = f"For timm's own weights give the whole name, such as {name}.augreg_in21k_ft_in1k"
            raise InputError("argument --weights", "", "none", expected, hint if "base" in name else "")
        if given != RANDOM and not Path(given).is_file():
            raise InputError("argument --weights", "", given, expected)
        return Chosen(name, None if given == RANDOM else Path(given))
    weights = None if given in (None, RANDOM) else Path(str(given))
    if given is None:
        instead = f"--weights with their folder or {RANDOM}"
        patterns = (*hub.DESCRIPTIONS, hub.WEIGHTS)
        weights = hub.fetched(f"{OWNER}/{name}", hub.WEIGHTS, patterns, instead)
    elif weights is not None and not (weights / hub.WEIGHTS).is_file():
        expected = f"a folder with {hub.WEIGHTS} with the weights of {name}, or {RANDOM}"
        raise InputError("argument --weights", "", weights, expected)
    tokenizer = _tokenizer(asked, [weights] if weights else [], name)
    return Chosen(name, weights, tokenizer, asked.padding_token or models.PADDING_OF[name])


def _timm(asked: Asked) -> Chosen:
    from zenn.classification.encoders.timm_model import is_timm_model, timm_model, timm_names

    if not is_timm_model(asked.model):
        _refuse_text_model(asked.model)
        known = [name for name in models.MODELS if models.KIND_OF.get(name, "images") == "images"]
        hint = did_you_mean(asked.model.rpartition("/")[2].partition(".")[0], [*known, *timm_names()])
        expected = f"one of {', '.join(known)}, or a name of timm"
        raise InputError("argument --model", "", repr(asked.model), expected, hint)
    if asked.fine_tune == "lora":
        raise InputError("argument --fine-tune", "", "lora", "all, of a model of images")
    found = timm_model(asked.model)
    weights = None
    if asked.weights not in (None, RANDOM):
        weights = _given_weights(str(asked.weights))
    elif asked.weights is None:
        instead = f"--weights with {_FILE_OR_FOLDER}, or {RANDOM}"
        if not found.repository:
            raise InputError(
                "argument --weights", "", "none, and timm names none that are published", instead
            )
        weights = hub.fetched(found.repository, hub.WEIGHTS, (hub.WEIGHTS,), instead) / hub.WEIGHTS
    parameters = {
        "kind": "timm",
        "model": found.name,
        "size": list(found.size),
        "options": {},
        "weights": RANDOM if weights is None else "published",
    }
    rates = models.TIMM if weights else replace(models.TIMM, epochs=50, learning_rate=1e-3)
    return Chosen("", weights, parameters=parameters, mean=found.mean, std=found.std, rates=rates)


def _transformers(asked: Asked) -> Chosen:
    home, weights = _places(asked)
    configuration = _configuration(home)
    tokenizer = _tokenizer(asked, [home], asked.model)
    padding = asked.padding_token or _padding_token(home, tokenizer, configuration)
    from zenn.classification.encoders import transformers_model as of

    try:
        plain, longest = of.plain_configuration(configuration), of.longest_text(configuration)
        tuned: dict[str, Any] = {"method": "all"}
        if _fine_tune(asked.fine_tune, weights) == "lora":
            tuned = {**LORA, "target_modules": list(of.lora_targets(configuration))}
    except InputError as error:  # the file says more than "encoder, configuration"
        raise InputError(home / hub.CONFIGURATION, "", error.found, error.expected, error.hint) from None
    parameters = {
        "kind": "transformers",
        "configuration": plain,
        "fine_tune": tuned,
        "weights": RANDOM if weights is None else "published",
    }
    rates = models.TRANSFORMERS
    if weights is None:
        rates = replace(rates, epochs=20, learning_rate=5e-4)
    elif tuned["method"] == "lora":
        rates = replace(rates, learning_rate=3e-4)
    return Chosen("", weights, tokenizer, padding, longest, parameters, rates=rates)


def _fine_tune(asked: str | None, weights: Path | None) -> str:
    """An adapter has nothing to go on where the rest is random."""
    return asked or ("all" if weights is None else "lora")


def _places(asked: Asked) -> tuple[Path, Path | None]:
    """The folder of a configuration, and the weights: a file, a folder of several, or None."""
    given = asked.weights
    weights = None if given in (None, RANDOM) else _given_weights(str(given))
    if Path(asked.model).is_dir():
        home = Path(asked.model)
        if given is None and not hub.has_weights(home):
            hint = "Files of another kind are not opened: they may be pickles"
            expected = f"it there, or --weights with {_FILE_OR_FOLDER}, or {RANDOM}"
            raise InputError(home, "", f"no {hub.WEIGHTS}", expected, hint)
        return home, (weights or _of_folder(home)) if given != RANDOM else None
    if weights is not None:
        beside = weights if weights.is_dir() else weights.parent
        if (beside / hub.CONFIGURATION).is_file():
            return beside, weights
    _refuse_image_model(asked.model)
    known = [name for name in models.MODELS if models.KIND_OF.get(name, "texts") == "texts"]
    hint = did_you_mean(asked.model, known)
    instead = f"a folder with {hub.CONFIGURATION}, {hub.TOKENIZER} and {hub.WEIGHTS}"
    instead += f", or one of {', '.join(known)}"
    if given is not None:
        home = hub.fetched(asked.model, hub.CONFIGURATION, hub.DESCRIPTIONS, instead, hint)
        return home, weights
    patterns = (*hub.DESCRIPTIONS, hub.WEIGHTS, hub.INDEX, hub.SEVERAL)
    home = hub.fetched(asked.model, hub.WEIGHTS, patterns, instead, hint)
    return home, _of_folder(home)


def _of_folder(folder: Path) -> Path:
    """The one file of weights, or the folder of several."""
    file = folder / hub.WEIGHTS
    return file if file.is_file() else folder


def _given_weights(text: str) -> Path:
    path = Path(text)
    if path.is_file() and path.suffix == ".safetensors":
        return path
    if path.is_dir() and hub.has_weights(path):
        return _of_folder(path)
    raise InputError("argument --weights", "", text, f"{_FILE_OR_FOLDER}, or {RANDOM}")


def _configuration(home: Path) -> dict[str, Any]:
    path = home / hub.CONFIGURATION
    try:
        said = read_json(path)
    except FileNotFoundError:
        raise InputError(home, "", f"no {hub.CONFIGURATION}", "the folder of a transformers model") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "", error, "the configuration of a transformers model") from None
    if not isinstance(said, dict) or "model_type" not in said:
        raise InputError(path, "model_type", "nothing", "the configuration of a transformers model")
    return said


def _tokenizer(asked: Asked, folders: list[Path], name: str) -> Path:
    if asked.tokenizer is not None:
        return asked.tokenizer
    for folder in folders:
        if (folder / hub.TOKENIZER).is_file():
            return folder / hub.TOKENIZER
    expected = f"the {hub.TOKENIZER} of {name}, which is not beside its weights"
    raise InputError("argument --tokenizer", "", "none", expected)


def _padding_token(home: Path, tokenizer: Path, configuration: dict[str, Any]) -> str:
    """The model's own padding token, else the end of a text."""
    from tokenizers import Tokenizer

    from zenn.classification.datasets.tokens import read_tokenizer

    encoder = Tokenizer.from_str(read_tokenizer(tokenizer))
    said = [_spoken(home / name) for name in (hub.TOKENIZER_CONFIGURATION, hub.SPECIAL_TOKENS)]
    for role in ("pad", "eos"):
        tokens = [each.get(f"{role}_token") for each in said]
        number = configuration.get(f"{role}_token_id")
        number = number[0] if isinstance(number, list) and number else number
        if isinstance(number, int) and number >= 0:
            tokens.append(encoder.id_to_token(number))
        for token in tokens:
            text = token.get("content") if isinstance(token, dict) else token
            if isinstance(text, str) and encoder.token_to_id(text) is not None:
                return text
    expected = f"a token of {tokenizer} that fills up texts: its files name none"
    raise InputError("argument --padding-token", "", "none", expected)


def _spoken(path: Path) -> dict[str, Any]:
    """What a file says, if it is there."""
    try:
        said = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "", error, "JSON") from None
    return said if isinstance(said, dict) else {}


def _refuse_text_model(name: str) -> None:
    if (Path(name) / hub.CONFIGURATION).is_file() and "model_type" in _spoken(Path(name) / hub.CONFIGURATION):
        raise InputError("argument --model", "", f"{name}, a model of transformers", "one that reads images")


def _refuse_image_model(name: str) -> None:
    from zenn.classification.encoders.timm_model import is_timm_model

    if is_timm_model(name):
        expected = "one for texts: mlp, language, or a model of transformers"
        raise InputError("argument --model", "", f"{name}, which reads images", expected)
