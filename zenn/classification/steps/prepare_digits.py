"""The digits of scikit-learn as data of several sources: `data.safetensors` and `dataset.json`.

No inputs. Parameters: `sources` with one entry per source in the lists names, shares, contrast, noise
(standard deviation; black and white are 0 and 1), label_noise (share of wrong labels), and noisy_splits (in
which labels are wrong); test_images; validation_share (of the others); imbalance (most frequent over rarest
class of the training set, 1: as it is); labels, `true` or `random`; seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zenn.classification.data import save_data_set
from zenn.classification.datasets.digits import Digits, digits
from zenn.classification.steps._data import read_sources
from zenn.given import Given


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write the data set into `out`."""
    sources = params.group("sources")
    how = Digits(
        sources=read_sources(sources),
        contrast=sources.numbers("contrast"),
        noise=sources.numbers("noise"),
        test_images=params.integer("test_images"),
        validation_share=params.number("validation_share"),
        imbalance=params.number("imbalance"),
        random_labels=params.choice("labels", ("true", "random")) == "random",
        seed=params.integer("seed"),
    )
    save_data_set(out, digits(how))
