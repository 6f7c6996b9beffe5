"""Rules of the claims about classification: each of their verdicts from tables made for it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from zenn.pipeline.claims import classification
from zenn.pipeline.claims.ledger import Verdict

SEEDS = range(1, 6)
MODELS = ("vit_base_patch32_224", "vit_large_patch32_224", "vit_large_patch16_224")


def paired(
    run: str, protocol: str, metric: str, control: str, difference: float, best: bool
) -> dict[str, Any]:
    said = {"run": run, "protocol": protocol, "metric": metric, "control": control, "best_control": best}
    numbers = {"difference": difference, "low": difference - 0.01, "high": difference + 0.01}
    return {**said, **numbers, "pairs": 5, "relative_difference": difference / 0.1}


def metrics(run: str, protocol: str, error: float, **others: float) -> list[dict[str, Any]]:
    said = {"run": run, "protocol": protocol, "error": error, "validation_error": error, **others}
    return [{**said, "seed": seed} for seed in SEEDS]


def published(free: float, oracle: float) -> dict[str, Any]:
    """Relative reductions of the error on CIFAR-10, the same for every model."""
    roles = {model: f"cifar-10_{model}" for model in MODELS}
    evidence: dict[str, Any] = {"panels": {"cifar-10": {"stand_in": False, "roles": roles}}}
    rows = [
        paired("zenn2", protocol, "error", "cross_entropy", -0.1 * value, True)
        for protocol, value in (("marginal", free), ("oracle", oracle))
    ]
    for role in roles.values():
        evidence[f"{role}/paired"] = pd.DataFrame(rows)
        # zenn1 is a control: it is not compared
        rows_of = [*metrics("zenn1", "marginal", 0.05), *metrics("zenn2", "marginal", 0.1)]
        evidence[f"{role}/metrics"] = pd.DataFrame(rows_of)
    return evidence


@pytest.mark.parametrize(
    ("free", "oracle", "verdict"),
    [
        (0.3, 0.4, Verdict.HOLDS),
        (0.05, 0.4, Verdict.ONLY_WITH_TEST_LABELS),
        (0.05, 0.1, Verdict.FAILS),
    ],
)
def test_reduction_of_the_error(free: float, oracle: float, verdict: Verdict) -> None:
    assert classification.RULES["cifar10-error"](published(free, oracle)).verdict is verdict


def test_a_stand_in_decides_nothing_about_the_published_data() -> None:
    evidence = published(0.3, 0.4)
    evidence["panels"]["cifar-10"]["stand_in"] = True
    found = classification.RULES["cifar10-error"](evidence)
    assert (found.verdict, found.measured) == (Verdict.NOT_RUN, "")


@pytest.mark.parametrize(
    ("free", "oracle", "verdict"),
    [
        (0.08, 0.08, Verdict.HOLDS),
        (0.12, 0.08, Verdict.ONLY_WITH_TEST_LABELS),
        (0.12, 0.12, Verdict.FAILS),
    ],
)
def test_a_small_model_beats_a_large_one(free: float, oracle: float, verdict: Verdict) -> None:
    roles = {"SmolLM2-135M": "small", "SmolLM2-360M": "large"}
    panels = {name: {"stand_in": False, "roles": roles} for name in ("bbc", "ag-news")}
    small = [*metrics("zenn2", "marginal", free), *metrics("zenn2", "oracle", oracle)]
    evidence = {
        "panels": panels,
        "small/metrics": pd.DataFrame(small),
        "large/metrics": pd.DataFrame(metrics("cross_entropy", "marginal", 0.1)),
    }
    assert classification.RULES["smollm-small-beats-large"](evidence).verdict is verdict
    evidence["small/metrics"] = evidence["small/metrics"].query("seed == 1")
    found = classification.RULES["smollm-small-beats-large"](evidence)
    assert found.verdict is Verdict.UNDECIDABLE  # one seed has no interval


@pytest.mark.parametrize(
    ("free", "labelled", "verdict"),
    [
        (0.5, 0.5, Verdict.HOLDS),
        (0.7, 0.5, Verdict.ONLY_WITH_TEST_LABELS),
        (0.5, 0.7, Verdict.FAILS),
    ],
)
def test_dominant_mode(free: float, labelled: float, verdict: Verdict) -> None:
    rows = [
        {
            "run": run,
            "seed": seed,
            "map_frequency": share_free,
            "map_frequency_uses_test_labels": share,
        }
        for run in ("zenn2", "zenn4")
        for seed in SEEDS
        for share_free, share in ((free, labelled), (0.1, 0.1))
    ]
    panels = {name: {"stand_in": False, "roles": {"m": "role"}} for name in ("bbc", "ag-news")}
    evidence = {"panels": panels, "role/temperatures": pd.DataFrame(rows)}
    assert classification.RULES["text-map-mode"](evidence).verdict is verdict


@pytest.mark.parametrize(
    ("free", "oracle", "verdict"),
    [
        (-0.05, -0.1, Verdict.HOLDS),
        (0.0, 0.0, Verdict.UNDECIDABLE),
        (0.005, -0.1, Verdict.ONLY_WITH_TEST_LABELS),
        (0.05, 0.05, Verdict.FAILS),
    ],
)
def test_imbalanced(free: float, oracle: float, verdict: Verdict) -> None:
    rows = [
        paired(run, protocol, metric, "label_smoothing", value, True)
        for metric in ("error", "nll")
        for run, protocol, value in (
            *(("zenn2", "marginal", free), ("zenn2", "oracle", oracle)),
            ("recommended", "marginal", free),
        )
    ]
    evidence = {"digits-imbalanced_mlp/paired": pd.DataFrame(rows)}
    assert classification.RULES["imbalanced"](evidence).verdict is verdict


@pytest.mark.parametrize(
    ("gain", "permuted", "verdict"),
    [(-0.05, 0.8, Verdict.HOLDS), (-0.05, 0.9, Verdict.FAILS), (0.0, 0.8, Verdict.FAILS)],
)
def test_the_printed_protocol_uses_the_label(gain: float, permuted: float, verdict: Verdict) -> None:
    table = metrics("zenn2", "marginal", 0.1, permuted_labels_error=0.9)
    table += metrics("zenn2", "oracle", 0.1 + gain, permuted_labels_error=permuted)
    evidence = {
        "digits_mlp/paired": pd.DataFrame([paired("zenn2", "oracle", "error", "zenn2", gain, False)]),
        "digits_mlp/metrics": pd.DataFrame(table),
    }
    assert classification.RULES["oracle-gain"](evidence).verdict is verdict


@pytest.mark.parametrize(
    ("free", "oracle", "verdict"),
    [
        (0.6, 0.7, Verdict.HOLDS),
        (0.01, 0.7, Verdict.ONLY_WITH_TEST_LABELS),
        (0.01, 0.02, Verdict.FAILS),
        (0.3, 0.3, Verdict.UNDECIDABLE),
    ],
)
def test_source_identification(free: float, oracle: float, verdict: Verdict) -> None:
    table = metrics("zenn3", "marginal", 0.1, source_information=free)
    table += metrics("zenn3", "oracle", 0.1, source_information=oracle)
    evidence = {"digits_mlp/metrics": pd.DataFrame(table)}
    assert classification.RULES["source-identification"](evidence).verdict is verdict


@pytest.mark.parametrize(
    ("shift", "seeds", "verdict"),
    [(0.0, 5, Verdict.HOLDS), (2.0, 5, Verdict.FAILS), (0.0, 3, Verdict.UNDECIDABLE)],
)
def test_learned_temperatures(shift: float, seeds: int, verdict: Verdict) -> None:
    roles = {model: f"bbc_{model}" for model in ("SmolLM2-135M", "SmolLM2-360M")}
    evidence: dict[str, Any] = {"panels": {"bbc": {"stand_in": False, "roles": roles}}}
    for role, value in zip(roles.values(), (5.807, 3.163), strict=True):  # Table S14
        ends = [value + shift + 0.1 * (seed - 2) for seed in range(1, seeds + 1)]
        evidence[f"{role}/temperatures"] = pd.DataFrame(
            {"run": "zenn2", "seed": range(1, seeds + 1), "temperature": 2, "initial": 5.0, "final": ends}
        )
    assert classification.RULES["bbc-temperatures"](evidence).verdict is verdict


@pytest.mark.parametrize(("off", "verdict"), [(0, Verdict.HOLDS), (100_000, Verdict.FAILS)])
def test_counts_of_parameters(off: int, verdict: Verdict) -> None:
    rows = [
        {
            "table": "S9",
            "classes": 10,
            "model": model,
            "method": method,
            "parameters": round(value * 1e6) + off,
        }
        for model, printed in classification.PARAMETERS_S9.items()
        for method, value in zip(("ZENN", "CE"), printed, strict=True)
    ]
    evidence = {"parameter_counts": pd.DataFrame(rows)}
    assert classification.RULES["params-cifar"](evidence).verdict is verdict


@pytest.mark.parametrize(("difference", "verdict"), [(1e-13, Verdict.HOLDS), (1e-11, Verdict.FAILS)])
def test_the_limit_of_cross_entropy(difference: float, verdict: Verdict) -> None:
    table = pd.DataFrame({"loss_difference": [0.0, difference], "gradient_difference": [0.0, 0.0]})
    assert classification.RULES["ce-limit"]({"cross_entropy_limit": table}).verdict is verdict
