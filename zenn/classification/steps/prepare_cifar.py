"""CIFAR-10 or CIFAR-100 from its binary archive: `data.safetensors` and `dataset.json`.

Input: `published`, the archive or a folder with it. Parameters: data_set, `cifar-10` or `cifar-100`;
train_images and test_images, which the archive has to hold; validation_share (of the training images);
normalisation, `training` (mean and standard deviation of each channel there) or `half` (0.5 and 0.5, as the
weights of ViT published by Google expect); seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from zenn.classification.data import save_data_set
from zenn.classification.datasets.cifar import CHANNELS, KINDS, cifar
from zenn.classification.steps._data import file_of
from zenn.given import Given


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the data set into `out`."""
    kind = params.choice("data_set", KINDS)
    archive = file_of(inputs["published"], f"{kind}-binary.tar.gz")
    records = params.integer("train_images"), params.integer("test_images")
    data = cifar(archive, kind, records, params.number("validation_share"), params.integer("seed"))
    if params.choice("normalisation", ("training", "half")) == "half":
        data = replace(data, mean=(0.5,) * CHANNELS, std=(0.5,) * CHANNELS)
    save_data_set(out, data)
