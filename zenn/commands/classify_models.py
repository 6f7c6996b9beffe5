"""What `--model` and `--preset` mean: an encoder fitted to the data, and how it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zenn.classification.initial_temperatures import geometric_temperatures
from zenn.errors import InputError

if TYPE_CHECKING:
    from zenn.classification.data import DataSet, Split

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {
        "backbones": 2,
        "mode": "alternating",
        "prior": "uniform",
        "omega": 5.0,
        "cross_entropy_warm_up": 0.0,
        "detach_weights": True,
        "temperature_learning_rate": 1e-3,
    },
    "recommended": {
        "backbones": 1,
        "mode": "joint",
        "prior": "learned",
        "omega": 5.0,
        "cross_entropy_warm_up": 0.2,
        "detach_weights": True,
        "temperature_learning_rate": 5e-2,
    },
}
"""As in params.yaml, which a user's own data have not beside them."""

CROSS_ENTROPY = "cross-entropy"
LOWEST, HIGHEST = 5.0, 10.0
"""Where the learned temperatures begin, as in params.yaml."""

IMAGE_MODELS = ("vit_base_patch32_224", "vit_large_patch32_224", "vit_large_patch16_224")
TEXT_MODELS = ("SmolLM2-135M", "SmolLM2-360M")
KIND_OF = {
    "vit": "images",
    **dict.fromkeys(IMAGE_MODELS, "images"),
    "language": "texts",
    **dict.fromkeys(TEXT_MODELS, "texts"),
}
"""Model -> what it reads; `mlp` reads both."""

MODELS = ("mlp", *KIND_OF)
PADDING_OF = dict.fromkeys(TEXT_MODELS, "<|endoftext|>")
RANDOM = "random"
"""In place of a file of weights."""

MOST_PATCHES, FEWEST_PATCHES = 64, 4
EVALUATIONS = 20  # rows of a history
SMALLEST_BATCH, UPDATES = 8, 16  # samples; of an epoch, where batches would be as small as that


@dataclass(frozen=True)
class Recipe:
    """How a model is trained if nothing else is asked for."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 1e-2
    warm_up_epochs: float = 2.0
    precision: str = "float32"


_SMALL = Recipe(60, 64, 3e-3)
_IMAGES = Recipe(50, 64, 1e-4, 0.1, 5.0, "bfloat16")  # Table S3
_TEXTS = Recipe(30, 32, 5e-5, 0.01, 5.0, "bfloat16")  # Table S5
TIMM = Recipe(30, 64, 1e-4, 0.05, 2.0, "bfloat16")
TRANSFORMERS = Recipe(10, 32, 5e-5, 0.01, 1.0, "bfloat16")
"""Of any model, fine-tuned."""

RECIPES = {
    "vit": Recipe(40, 64, 2e-3),
    "language": Recipe(15, 64, 2e-3),
    **dict.fromkeys(IMAGE_MODELS, _IMAGES),
    **dict.fromkeys(TEXT_MODELS, _TEXTS),
}


def known_model(name: str) -> str | None:
    """The model of `MODELS` that a user's name means, None where it is none of them.

    >>> known_model("HuggingFaceTB/SmolLM2-135M")
    'SmolLM2-135M'
    """
    bare = name.removeprefix("HuggingFaceTB/")
    return bare if bare in (TEXT_MODELS if bare != name else MODELS) else None


def recipe(model: str, kind: str, samples: int) -> Recipe:
    """Rates and sizes for a model on some `images` or `texts`; few samples come in smaller batches."""
    small = replace(_SMALL, epochs=30) if kind == "texts" else _SMALL
    return for_few(RECIPES.get(model, small), samples)


def for_few(found: Recipe, samples: int) -> Recipe:
    """The same with batches that are smaller where there are few samples."""
    return replace(found, batch_size=min(found.batch_size, max(SMALLEST_BATCH, samples // UPDATES)))


def encoder_of(model: str, data: DataSet, weights: str | None, fine_tune: str) -> dict[str, Any]:
    """The parameters `encoder` of the step `train`.

    Raises
    ------
    InputError : the model does not read such data, or images of that size.
    """
    refuse_other_kind(model, data.kind)
    if model == "mlp":
        return {"kind": "mlp", "hidden": [64, 64] if data.kind == "images" else [32], "dropout": 0.0}
    tuned: dict[str, Any] = {"method": "all"}
    if fine_tune == "lora":
        tuned = {"method": "lora", "rank": 8, "alpha": 16, "dropout": 0.1}
        tuned |= {"target_modules": ["q_proj", "v_proj"]}
    if model == "vit":
        _, height, width, _ = data.train.inputs["pixels"].shape
        sizes = {"patch": _patch(height, width), "width": 64, "depth": 3, "heads": 4}
        return {"kind": "vit", "model": "scaled", **sizes, "drop_path": 0.0, "dropout": 0.0}
    if model == "language":
        sizes = {"width": 64, "depth": 2, "heads": 4, "key_value_heads": 2, "intermediate": 128}
        return {"kind": "language", "model": "scaled", **sizes, "fine_tune": {"method": "all"}}
    origin = RANDOM if weights == RANDOM else "published"
    if model in IMAGE_MODELS:
        return {"kind": "vit", "model": model, "weights": origin, "drop_path": 0.1, "dropout": 0.0}
    return {"kind": "language", "model": model, "weights": origin, "fine_tune": tuned}


def refuse_other_kind(model: str, kind: str) -> None:
    """Raise InputError where a model of texts is to read images, or the other way round."""
    if KIND_OF.get(model, kind) != kind:
        fitting = [name for name in MODELS if KIND_OF.get(name, kind) == kind]
        found = f"{model}, which reads {KIND_OF[model]}"
        raise InputError("argument --model", "", found, f"one for {kind}: {', '.join(fitting)}")


def fitted_to(model: str, data: DataSet) -> DataSet:
    """The data as the model's published weights expect them: pixels normalised by halves, three channels."""
    if model not in IMAGE_MODELS:
        return data
    return coloured(data, (0.5,) * 3, (0.5,) * 3)


def coloured(data: DataSet, mean: tuple[float, ...], std: tuple[float, ...]) -> DataSet:
    """Images of three channels that are normalised by these."""
    train, validation, test = map(_coloured, data.splits.values())
    return replace(data, train=train, validation=validation, test=test, mean=mean, std=std)


def _coloured(split: Split) -> Split:
    pixels = split.inputs["pixels"]
    if pixels.shape[3] == 3:
        return split
    return replace(split, inputs={"pixels": pixels.repeat(3, axis=3)})


def training_of(
    preset: str,
    temperatures: Sequence[float],
    how: Recipe,
) -> dict[str, Any]:
    """The parameters `training` of the step `train`."""
    if preset == CROSS_ENTROPY:
        loss: dict[str, Any] = {**PRESETS["paper"], "loss": "cross_entropy", "backbones": 1, "mode": "joint"}
    else:
        loss = {**PRESETS[preset], "loss": "cross_zentropy"}
    return {
        **loss,
        "initial_temperatures": list(temperatures),
        "prior_learning_rate": PRESETS["recommended"]["temperature_learning_rate"],
        "epochs": how.epochs,
        "batch_size": how.batch_size,
        "learning_rate": how.learning_rate,
        "weight_decay": how.weight_decay,
        "warm_up_epochs": min(how.warm_up_epochs, how.epochs / 5),
        "precision": how.precision,
        "evaluate_every": max(1, how.epochs // EVALUATIONS),
        "clipping": 1.0,
        "accumulation": 1,
        "schedule": "cosine",
        "ema": 0.0,
        "label_smoothing": 0.0,
        "entropy": "positive",
        "boltzmann_constant": 1.0,
        "gamma": 100.0,
        "augmentation": [],
        "crop_padding": 0,
    }


def initial_temperatures(number: int) -> tuple[float, ...]:
    """T_1 = 1 and the others from LOWEST to HIGHEST in geometric steps; of two, the second is LOWEST.

    >>> initial_temperatures(2), initial_temperatures(3)
    ((1.0, 5.0), (1.0, 5.0, 10.0))
    """
    return geometric_temperatures(number, LOWEST, HIGHEST)


def _patch(height: int, width: int) -> int:
    """The smallest square that cuts an image into no more patches than are quick."""
    for side in range(1, min(height, width) + 1):
        patches = (height // side) * (width // side)
        if height % side == width % side == 0 and FEWEST_PATCHES <= patches <= MOST_PATCHES:
            return side
    expected = f"a height and width that equal squares cut into {FEWEST_PATCHES} to {MOST_PATCHES} patches"
    hint = "Bring the images to another size, e.g. 32 x 32, or take the model mlp"
    raise InputError("argument --model", "vit", f"images of {width} x {height} pixels", expected, hint)
