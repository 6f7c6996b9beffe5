"""Steps that fetch and prepare data: a subject of its own, which a team shares by `dvc push` and `pull`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenn.pipeline.params import Params
from zenn.pipeline.registry import registered
from zenn.pipeline.steps import Planner, Step
from zenn.pipeline.tree import Tree

PREPARED = ("data.safetensors", "dataset.json")
TOKENIZED = (*PREPARED, "tokenizer.json")
ONE_SOURCE = "clean"  # of the variants of the digits, and of the corpora, with one source
CIFAR = {"cifar-10": (50_000, 10_000), "cifar-100": (50_000, 10_000)}
BBC_DOCUMENTS, BBC_TEST = 2225, 1000
AG_NEWS = (120_000, 7_600)
TOKENIZER_OF = "SmolLM2-135M"  # the other one's is the same file
WEIGHTS = {
    "vit_base_patch32_224": ("vit/ViT-B_32.npz",),
    "vit_large_patch32_224": ("vit/ViT-L_32.npz",),
    "vit_large_patch16_224": ("vit/ViT-L_16.npz",),
    **{
        model: tuple(
            f"{model.lower()}/{file}" for file in ("config.json", "model.safetensors", "tokenizer.json")
        )
        for model in ("SmolLM2-135M", "SmolLM2-360M")
    },
}
FILES = {
    "cifar-10": ("cifar-10/cifar-10-binary.tar.gz",),
    "cifar-100": ("cifar-100/cifar-100-binary.tar.gz",),
    "bbc": ("bbc/bbc-fulltext.zip",),
    "ag-news": ("ag-news/train.csv", "ag-news/test.csv"),
}


def steps(params: Params, tree: Tree) -> list[Step]:
    """The made data sets, and at the scale that trains on them the fetched ones with the models' weights."""
    section, make = params.classification, Planner(tree, "data", params.scale)
    made = [*_digits(params, make), *_corpora(params, make)]
    if not section.published.train:
        return made
    models = (*section.published.image_models, *section.published.text_models)
    fetched = {name: _fetch(make, name, files) for name, files in FILES.items()}
    weights = {model: _fetch(make, model, WEIGHTS[model]) for model in {*models, TOKENIZER_OF}}
    return [*made, *fetched.values(), *weights.values(), *_published(params, make, fetched, weights)]


def weights_step(model: str) -> str:
    """Name of the step that fetches the weights of a model."""
    return f"data/{_run(model)}-fetch"


def _run(name: str) -> str:
    return name.lower().replace("_", "-")


def _fetch(make: Planner, name: str, files: tuple[str, ...]) -> Step:
    entries = [entry._asdict() for entry in registered(make.tree.root, files)]
    outputs = (*(file.rpartition("/")[2] for file in files), "manifest.json")
    return make.step(f"{_run(name)}-fetch", "zenn.pipeline.fetch", {"files": entries}, outputs)


def _digits(params: Params, make: Planner) -> list[Step]:
    """The digits as they are made, of one source, imbalanced, and with random labels."""
    digits = params.classification.stand_ins.digits.model_dump(mode="json")
    imbalance = digits.pop("imbalance")
    variants: dict[str, Mapping[str, Any]] = {
        "digits": {},
        "digits-clean": {"sources": _one_source(digits["sources"])},
        "digits-imbalanced": {"imbalance": imbalance},
        "digits-random": {"labels": "random"},
    }
    return [
        make.step(
            name,
            "zenn.classification.steps.prepare_digits",
            {**digits, "imbalance": 1, "labels": "true", **own},
            PREPARED,
        )
        for name, own in variants.items()
    ]


def _one_source(sources: Mapping[str, Any]) -> dict[str, Any]:
    kept = sources["names"].index(ONE_SOURCE)
    alone = {key: [values[kept]] for key, values in sources.items() if key != "noisy_splits"}
    return {**alone, "shares": [1.0], "noisy_splits": sources["noisy_splits"]}


def _corpora(params: Params, make: Planner) -> list[Step]:
    return [
        make.step(
            name,
            "zenn.classification.steps.prepare_corpus",
            {**corpus.model_dump(mode="json"), "labels": "true"},
            TOKENIZED,
        )
        for name, corpus in params.classification.stand_ins.corpora.items()
    ]


def _published(
    params: Params, make: Planner, fetched: Mapping[str, Step], weights: Mapping[str, Step]
) -> list[Step]:
    section = params.classification
    common = {"validation_share": section.published.validation_share, "seed": section.published.data_seed}
    images = [
        make.step(
            name,
            "zenn.classification.steps.prepare_cifar",
            {
                "data_set": name,
                "train_images": train,
                "test_images": test,
                "normalisation": "half",  # as the weights published by Google expect
                **common,
            },
            PREPARED,
            inputs={"published": fetched[name]},
        )
        for name, (train, test) in CIFAR.items()
    ]
    sizes = {
        "bbc": {
            "documents": BBC_DOCUMENTS,
            "test_texts": BBC_TEST,
            "maximum_length": section.training.bbc_news.zenn.maximum_length,
        },
        "ag-news": {
            "train_texts": AG_NEWS[0],
            "test_texts": AG_NEWS[1],
            "maximum_length": section.training.ag_news.zenn.maximum_length,
        },
    }
    texts = [
        make.step(
            name,
            "zenn.classification.steps.prepare_news",
            {"data_set": name, "padding_token": "<|endoftext|>", **own, **common},
            TOKENIZED,
            inputs={"published": fetched[name], "tokenizer": weights[TOKENIZER_OF]},
        )
        for name, own in sizes.items()
    ]
    return [*images, *texts]
