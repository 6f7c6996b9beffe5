"""Trainings as the steps are given them."""

from __future__ import annotations

from zenn.classification.batches import augmentation_of
from zenn.classification.devices import PRECISIONS
from zenn.classification.settings import TrainingSettings
from zenn.errors import InputError
from zenn.given import Given

LOSSES = ("cross_entropy", "cross_zentropy", "generalised_cross_entropy")


def read_training(given: Given) -> TrainingSettings:
    """The settings of a training.

    Raises
    ------
    InputError : one is missing, of the wrong kind or out of range, or some contradict each other.
    """
    # what choice returns it checked; mypy cannot tell
    settings = TrainingSettings(
        epochs=given.integer("epochs"),
        batch_size=given.integer("batch_size"),
        accumulation=given.integer("accumulation"),
        learning_rate=given.number("learning_rate"),
        temperature_learning_rate=given.number("temperature_learning_rate"),
        prior_learning_rate=given.number("prior_learning_rate"),
        weight_decay=given.number("weight_decay"),
        warm_up_epochs=given.number("warm_up_epochs"),
        schedule=given.choice("schedule", ("cosine", "constant")),  # type: ignore[arg-type]
        clipping=given.number("clipping"),
        ema=given.number("ema"),
        label_smoothing=given.number("label_smoothing"),
        loss=given.choice("loss", LOSSES),  # type: ignore[arg-type]
        omega=given.number("omega"),
        gamma=given.number("gamma"),
        boltzmann_constant=given.number("boltzmann_constant"),
        detach_weights=given.switch("detach_weights"),
        mode=given.choice("mode", ("joint", "alternating")),  # type: ignore[arg-type]
        cross_entropy_warm_up=given.number("cross_entropy_warm_up"),
        prior=given.choice("prior", ("uniform", "learned")),  # type: ignore[arg-type]
        backbones=given.integer("backbones"),
        entropy=given.choice("entropy", ("positive", "free")),  # type: ignore[arg-type]
        initial_temperatures=given.numbers("initial_temperatures"),
        augmentation=augmentation_of(given.texts("augmentation"), given.integer("crop_padding")),
        precision=given.choice("precision", PRECISIONS),
        evaluate_every=given.integer("evaluate_every"),
    )
    settings.check()
    return settings


def read_seeds(given: Given) -> tuple[int, ...]:
    """The seeds, 0 or more and each once.

    Raises
    ------
    InputError : they are not.
    """
    seeds = given.integers("seeds")
    if min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise InputError("parameters", "seeds", list(seeds), "numbers of 0 or more, each once")
    return seeds
