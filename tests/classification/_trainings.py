"""A small data set and small trainings of it, for the tests of training."""

import numpy as np
from torch import nn

from zenn.classification.data import DataSet, Split

SETTINGS = {
    "epochs": 3,
    "batch_size": 16,
    "accumulation": 1,
    "learning_rate": 0.01,
    "temperature_learning_rate": 0.02,
    "prior_learning_rate": 0.03,
    "weight_decay": 0.05,
    "warm_up_epochs": 1.0,
    "schedule": "cosine",
    "clipping": 0.0,
    "ema": 0.0,
    "label_smoothing": 0.0,
    "loss": "cross_zentropy",
    "omega": 5.0,
    "gamma": 100.0,
    "boltzmann_constant": 1.0,
    "detach_weights": True,
    "mode": "joint",
    "cross_entropy_warm_up": 0.0,
    "prior": "uniform",
    "backbones": 2,
    "entropy": "positive",
    "initial_temperatures": [1.0, 5.0],
    "augmentation": [],
    "crop_padding": 0,
    "precision": "float32",
    "evaluate_every": 1,
}
"""The group `training` of a step's parameters."""

PARAMETERS = {
    "encoder": {"kind": "mlp", "hidden": [12], "dropout": 0.2},
    "training": SETTINGS,
    "seeds": [1, 2],
    "save_model": False,
    "save_every_s": 1000.0,
}


def split(samples, generator):
    labels = generator.integers(0, 3, samples)
    light = generator.integers(0, 120, (samples, 4, 4, 1)) + 60 * labels[:, None, None, None]
    sources = generator.integers(0, 2, samples)
    return Split({"pixels": light.astype(np.uint8)}, labels, sources, labels)


def data_set(samples=72):
    generator = np.random.default_rng(0)
    parts = [split(n, generator) for n in (samples, 24, 40)]
    return DataSet("made", "images", ("a", "b", "c"), *parts, (0.4,), (0.3,), 0, 0, ("u", "v"), {})


class Tiny(nn.Module):
    """One layer on the pixels."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 3)

    def forward(self, batch):
        return self.layer(batch["pixels"].flatten(1))
