"""Rules of the claims about the gas: their verdicts from tables made for it, at both sides of a bound."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from zenn.pipeline.claims import laws
from zenn.pipeline.claims.ledger import Verdict, read_rows

GOOD = {
    "test_loss": 0.1,
    "test_accuracy": 0.955,
    "test_process_accuracy": 0.93,
    "ceiling_accuracy": 0.96,
    "a1_r2": 0.996,
    "a1_identity_r2": 0.994,
    "a2_violations": 0.0,
    "a2_triples": 1000.0,
    "a3_agreement": 0.9995,
    "a3_pairs": 5000.0,
    "a4_agreement": 0.95,
    "a4_process_agreement": 0.94,
    "a5_split_identity_r2": 0.995,
    "a5_recombined_identity_r2": 0.995,
    "a6_agreement_0.001": 0.999,
    "a6_agreement_0.005": 0.995,
    "a6_agreement_0.1": 0.6,
    "a6_trend": 0.9,
    "affine_r2_500": 0.99,
    "affine_r2_1000": 0.985,
    "heat_capacity_exponent": 1.01,
    "extensivity_identity_r2": 0.98,
}
PROCESSES = ["train"] * 336 + ["validation"] * 56 + ["test"] * 56


def evidence(scale: str = "paper", splits: list[str] = PROCESSES, **changed: float) -> dict[str, Any]:
    """Three seeds about the given means."""
    several = {
        name: [value * (1 + shift) for shift in (-1e-6, 0, 1e-6)]
        for name, value in {**GOOD, **changed}.items()
    }
    several = {name: of for name, of in several.items() if not math.isnan(of[0])}
    values = [
        {"run": "none", "seed": seed, "metric": name, "value": value}
        for name, of in several.items()
        for seed, value in enumerate(of, 1)
    ]
    values += [{"run": "frozen", "seed": 1, "metric": "test_accuracy", "value": 0.5}]
    metrics = [
        {
            "run": "none", "metric": name, "seeds": 3, "mean": of[1], "lowest": of[0], "highest": of[2],
            "low": of[0], "high": of[2],
        }
        for name, of in several.items()
    ]  # fmt: skip
    metrics += [{"run": "frozen", "metric": "test_accuracy", "seeds": 1, "mean": 0.5}]
    return {
        "scale": scale,
        "shown": "L = 150 R",
        "values": pd.DataFrame(values),
        "metrics": pd.DataFrame(metrics),
        "processes": pd.DataFrame({"split": splits}),
    }


def test_every_claim_about_the_gas_has_a_rule() -> None:
    claims = {row["id"] for row in read_rows(laws.Path("data/inputs/claims.csv")) if row["paper"] == "laws"}
    assert set(laws.RULES) == claims


def test_good_numbers_hold() -> None:
    verdicts = {name: rule(evidence()).verdict for name, rule in laws.RULES.items()}
    assert set(verdicts.values()) == {Verdict.HOLDS}


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        ("laws-test-loss", {"test_loss": 0.1151}),
        ("laws-test-accuracy", {"test_accuracy": 0.9449}),
        ("laws-a1", {"a1_identity_r2": 0.9899}),
        ("laws-a2", {"a2_violations": 1.0}),
        ("laws-a3", {"a3_agreement": 0.9989}),
        ("laws-a4", {"a4_agreement": 0.9299}),
        ("laws-a5-split", {"a5_split_identity_r2": 0.9899}),
        ("laws-a5-recombined", {"a5_recombined_identity_r2": 0.9899}),
        ("laws-a6", {"a6_agreement_0.005": 0.9899}),
        ("laws-a6", {"a6_trend": -0.1}),
        ("laws-entropy-linear", {"affine_r2_1000": 0.9799}),
        ("laws-extensivity", {"extensivity_identity_r2": 0.9599}),
    ],
)
def test_a_number_beyond_its_bound_does_not_hold(claim: str, changed: dict[str, float]) -> None:
    assert laws.RULES[claim](evidence(**changed)).verdict is Verdict.FAILS
    others = {name: rule(evidence(**changed)).verdict for name, rule in laws.RULES.items() if name != claim}
    assert set(others.values()) == {Verdict.HOLDS}


def test_large_dust_is_not_asked_to_agree() -> None:
    found = laws.RULES["laws-a6"](evidence(**{"a6_agreement_0.1": 0.1}))
    assert found.verdict is Verdict.HOLDS
    assert "0.1000" not in found.measured


def test_a_smaller_gas_is_measured_and_decides_nothing() -> None:
    for name, rule in laws.RULES.items():
        found = rule(evidence(scale="small", a1_identity_r2=0.5))
        assert found.measured
        if name in ("laws-process-count", "laws-a2"):
            assert found.verdict is Verdict.HOLDS
        else:
            assert found.verdict is Verdict.NOT_RUN
            assert "Measured with L = 150 R, not the paper's gas" in found.why


def test_what_was_not_measured_is_not_said() -> None:
    for name in ("laws-a1", "laws-a3", "laws-test-loss", "laws-extensivity"):
        metric = {"laws-a1": "a1_identity_r2", "laws-a3": "a3_agreement", "laws-test-loss": "test_loss"}
        missing = {metric.get(name, "extensivity_identity_r2"): math.nan}
        found = laws.RULES[name](evidence(**missing))
        assert (found.verdict, found.measured) == (Verdict.NOT_RUN, "")


def test_the_design_is_counted() -> None:
    found = laws.RULES["laws-process-count"](evidence())
    assert (found.verdict, found.measured) == (Verdict.HOLDS, "448 = 336 + 56 + 56")
    other = laws.RULES["laws-process-count"](evidence(splits=PROCESSES[1:]))
    assert other.verdict is Verdict.FAILS


def test_what_stands_beside_a_number_is_said() -> None:
    found = laws.RULES["laws-test-accuracy"](evidence())
    assert "mean of processes 0.9300" in found.why
    assert "ceiling 0.9600" in found.why
    assert "0.9400" in laws.RULES["laws-a4"](evidence()).why
    assert "The squared correlation is 0.9960" in laws.RULES["laws-a1"](evidence()).why
    assert "3 seeds" in found.uncertainty
