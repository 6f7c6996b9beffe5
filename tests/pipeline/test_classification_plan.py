"""What is dispatched: every data set, model, loss, N_T and seed of the paper, and its stand-ins without."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.pipeline.checkout import ROOT
from zenn.errors import InputError
from zenn.pipeline.params import load_params, resolve
from zenn.pipeline.plan import Plan, plan, plan_checkout
from zenn.pipeline.tree import Tree

IMAGES = ("vit_base_patch32_224", "vit_large_patch32_224", "vit_large_patch16_224")
TEXTS = ("SmolLM2-135M", "SmolLM2-360M")


@pytest.fixture(scope="module")
def paper() -> Plan:
    return plan_checkout(ROOT, scale="paper")


def gpu(of: Plan) -> list:
    return [step for step in of.of("classification") if step.run.endswith("-gpu-train")]


def test_every_training_of_the_paper_is_one_job(paper: Plan) -> None:
    seen = Counter()
    for step in gpu(paper):
        training, (seed,) = step.params["training"], step.params["seeds"]
        counts = len(training["initial_temperatures"])
        name = f"zenn{counts}" if training["mode"] == "alternating" else training["loss"]
        seen[step.inputs["data"].run, step.params["encoder"]["model"], name, seed] += 1
    wanted = [("cifar-10", model) for model in IMAGES] + [("cifar-100", model) for model in IMAGES]
    wanted += [("bbc", model) for model in TEXTS] + [("ag-news", model) for model in TEXTS]
    for data, model in wanted:
        for seed in range(1, 6):
            for count in range(1, 6):
                assert seen[data, model, f"zenn{count}", seed] == 1
            smoothing, adapters = 1, int(data == "ag-news")  # both are cross-entropies too
            assert seen[data, model, "cross_entropy", seed] == 1 + smoothing + adapters
            assert seen[data, model, "generalised_cross_entropy", seed] == 1
            assert seen[data, model, "cross_zentropy", seed] == 1  # the recommended preset
    assert sum(seen.values()) == 10 * 5 * (5 + 4) + 2 * 5


def test_settings_are_the_printed_ones(paper: Plan) -> None:
    by_name = {step.run: step for step in gpu(paper)}
    zenn = by_name["cifar-10-vit-base-patch32-224-zenn5-seed1-gpu-train"].params["training"]
    assert (zenn["epochs"], zenn["batch_size"]) == (50, 64)  # Table S3
    assert (zenn["learning_rate"], zenn["temperature_learning_rate"]) == (1e-4, 1e-3)
    assert zenn["weight_decay"] == 0.1
    assert zenn["augmentation"] == ["horizontal_flip", "random_crop"]
    assert (zenn["backbones"], zenn["omega"], zenn["gamma"]) == (2, 5.0, 100.0)
    assert zenn["initial_temperatures"][0] == 1.0
    assert len(set(zenn["initial_temperatures"])) == 5
    plain = by_name["ag-news-smollm2-360m-cross-entropy-seed1-gpu-train"].params
    assert (plain["training"]["epochs"], plain["encoder"]["fine_tune"]) == (10, {"method": "all"})  # Table S8
    like = by_name["ag-news-smollm2-360m-cross-entropy-lora-seed1-gpu-train"].params
    assert (like["training"]["epochs"], like["encoder"]["fine_tune"]["method"]) == (6, "lora")  # Table S7


def test_what_is_fetched_is_data_and_enters_by_its_hash(paper: Plan) -> None:
    fetched = {step.run for step in paper.of("data") if step.run.endswith("-fetch")}
    assert fetched == {
        *("cifar-10-fetch", "cifar-100-fetch", "bbc-fetch", "ag-news-fetch"),
        *(f"{model.lower().replace('_', '-')}-fetch" for model in (*IMAGES, *TEXTS)),
    }
    assert paper.by_name["data/bbc"].inputs["published"] is paper.by_name["data/bbc-fetch"]
    training = paper.by_name["classification/bbc-smollm2-135m-zenn2-seed3-gpu-train"]
    assert training.inputs["weights"] is paper.by_name["data/smollm2-135m-fetch"]


def test_without_the_published_data_nothing_is_fetched_and_no_gpu_wanted() -> None:
    small = plan_checkout(ROOT, scale="small")
    assert not gpu(small)
    assert not [step for step in small.of("data") if step.run.endswith("-fetch")]
    variants = {
        step.run
        for step in small.of("classification")
        if step.run.startswith("digits-mlp-") and "train" in step.run
    }
    assert variants == {
        f"digits-mlp-{name}-train"
        for name in (
            *("cross-entropy", "label-smoothing", "generalised-cross-entropy"),
            *("zenn1", "zenn2", "zenn3", "recommended"),
        )
    }


def test_a_learning_rate_moves_that_model_and_what_follows_it() -> None:
    raw = load_params(ROOT / "params.yaml")
    before = plan(resolve(raw, scale="small"), Tree(ROOT))
    raw["classification"]["stand_ins"]["image_models"]["vit"]["learning_rate"] = 1e-3
    after = plan(resolve(raw, scale="small"), Tree(ROOT))
    moved = {step.run for step in after.of("data", "classification") if step.key not in before.by_key}
    assert moved
    assert {run for run in moved if "-vit-" not in run} == {"figures", "claims"}


def test_equal_initial_temperatures_are_refused_before_anything_runs() -> None:
    raw = load_params(ROOT / "params.yaml")
    raw["classification"]["initial_temperatures"] = [3.0, 3.0]
    with pytest.raises(InputError, match=r"classification\.initial_temperatures"):
        resolve(raw, scale="small")
