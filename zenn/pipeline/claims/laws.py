"""Verdict rules of the claims about the gas that teaches entropy, written before the measurement.

The rules are about the paper's gas and pictures (Sec. III A), so they decide at scale `paper` alone. What a
smaller gas gives is measured and shown, and decides nothing; but for the number of processes, which is a
matter of the design, and transitivity, which any network of this form has.

Every number is the mean over seeds, with its range and the 95 % interval of the mean (Student's t).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zenn.pipeline.claims.ledger import Finding, Rule, Verdict, write_evidence

FULL = "none"
PAPER = "paper"
TOTAL, SPLIT = 448, {"train": 336, "validation": 56, "test": 56}
LOSS, ACCURACY = 0.115, 0.945
A1, A3, A4, A5 = 0.990, 0.999, 0.93, 0.990
A6, SMALL_DUST = 0.99, 0.005
AFFINE, EXTENSIVITY = 0.98, 0.96
SOURCE = "summary/metrics.csv"
DUST = re.compile(r"a6_agreement_(.+)")
OF_N = re.compile(r"affine_r2_(\d+)")


def process_count(evidence: Mapping[str, Any]) -> Finding:
    """A stated design gives 448 processes, split 336, 56 and 56."""
    counts = evidence["processes"]["split"].value_counts()
    found = {name: int(counts.get(name, 0)) for name in SPLIT}
    total = sum(found.values())
    holds = total == TOTAL and found == SPLIT
    return Finding(
        f"{total} = {' + '.join(map(str, found.values()))}",
        "exact count of a reconstruction",
        Verdict.HOLDS if holds else Verdict.FAILS,
        "The paper gives the sets of values and the total alone. 448 = 4 N x 2 speeds of pushing x 2 of "
        "pulling x 28 pairs of distances, those whose places in the list of ten differ by at most one: one "
        "design that gives the number, not a proof that it is theirs.",
        "design/processes.csv",
    )


def test_loss(evidence: Mapping[str, Any]) -> Finding:
    """Mean test loss of all pairs."""
    return _decide(evidence, ("test_loss",), lambda loss: loss <= LOSS, f"a test loss of at most {LOSS:g}")


def test_accuracy(evidence: Mapping[str, Any]) -> Finding:
    """Accuracy over all pairs of test processes; as the mean of processes beside it."""
    beside = _beside(evidence, {"mean of processes": "test_process_accuracy", "ceiling": "ceiling_accuracy"})
    return _decide(
        evidence,
        ("test_accuracy",),
        lambda accuracy: accuracy >= ACCURACY,
        f"at least {ACCURACY:g} of all pairs",
        f"{beside}. The ceiling is what the exact entropy of the measured energy reaches",
    )


def transitivity(evidence: Mapping[str, Any]) -> Finding:
    """No violating triple: by construction, at any scale."""
    violations = _values(evidence, "a2_violations")
    triples = _values(evidence, "a2_triples")
    if not violations or not triples:
        return _nothing(("a2_violations", "a2_triples"))
    return Finding(
        f"{sum(violations):.0f} of {sum(triples):.0f} triples violate it",
        _seeds(evidence, "a2_violations"),
        Verdict.HOLDS if not sum(violations) else Verdict.FAILS,
        "Whatever the network has learned: it orders states by one number.",
        SOURCE,
    )


def consistency(evidence: Mapping[str, Any]) -> Finding:
    """Agreement rate of composition."""
    return _decide(
        evidence, ("a3_agreement",), lambda rate: rate >= A3, f"at least {A3:g}", _pairs(evidence, "a3_pairs")
    )


def scaling(evidence: Mapping[str, Any]) -> Finding:
    """Agreement rate of scaling, over pairs with the same N."""
    beside = _beside(evidence, {"of pairs within a process": "a4_process_agreement"})
    return _decide(
        evidence,
        ("a4_agreement",),
        lambda rate: rate >= A4,
        f"at least {A4:g} of pairs with the same number of discs",
        f"{beside}. The paper does not say which pairs it takes",
    )


def stability(evidence: Mapping[str, Any]) -> Finding:
    """Agreement at small dust, and a rate that rises as it gets smaller."""
    small = [
        name for name in _full(evidence) if (found := DUST.fullmatch(name)) and float(found[1]) <= SMALL_DUST
    ]
    wanted = (*small, "a6_trend") if small else ("a6_agreement_<epsilon>", "a6_trend")
    return _decide(
        evidence,
        wanted,
        lambda *values: min(values[:-1]) >= A6 and values[-1] > 0,
        f"at least {A6:g} for epsilon <= {SMALL_DUST:g}, and a rank correlation of rate and -epsilon above 0",
    )


def affine(evidence: Mapping[str, Any]) -> Finding:
    """R2 of the affine fit for every number of discs."""
    names = tuple(name for name in _full(evidence) if OF_N.fullmatch(name))
    beside = _beside(evidence, {"fitted exponent c of the heat capacity": "heat_capacity_exponent"})
    return _decide(
        evidence,
        names or ("affine_r2_<N>",),
        lambda *values: min(values) >= AFFINE,
        f"R2 of the affine fit of at least {AFFINE:g} for every N",
        f"{beside}. An ideal gas in two dimensions has c = 1",
    )


def _identity(of: str, bound: float) -> Rule:
    """The rule for R2 about the identity of what `of` compares."""

    def rule(evidence: Mapping[str, Any]) -> Finding:
        """R2 about the identity, with the squared correlation beside it."""
        wanted = f"R2 of at least {bound:g}"
        return _decide(
            evidence, (f"{of}_identity_r2",), lambda r2: r2 >= bound, wanted, _about_identity(evidence, of)
        )

    return rule


RULES: dict[str, Rule] = {
    "laws-process-count": process_count,
    "laws-test-loss": test_loss,
    "laws-test-accuracy": test_accuracy,
    "laws-a1": _identity("a1", A1),
    "laws-a2": transitivity,
    "laws-a3": consistency,
    "laws-a4": scaling,
    "laws-a5-split": _identity("a5_split", A5),
    "laws-a5-recombined": _identity("a5_recombined", A5),
    "laws-a6": stability,
    "laws-entropy-linear": affine,
    "laws-extensivity": _identity("extensivity", EXTENSIVITY),
}


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Decide the claims from the summary over seeds and the design."""
    values = pd.read_csv(inputs["summary"] / "values.csv")
    evidence = {
        "scale": params["scale"],
        "shown": _shown(params),
        "values": values,
        "metrics": pd.read_csv(inputs["summary"] / "metrics.csv"),
        "processes": pd.read_csv(inputs["design"] / "processes.csv"),
    }
    write_evidence(RULES, evidence, _headline(evidence), params["scale"], inputs, out)


def _decide(
    evidence: Mapping[str, Any],
    metrics: Sequence[str],
    holds: Callable[..., bool],
    asked: str,
    remark: str = "",
) -> Finding:
    """What the means over seeds say; at another scale than the paper's they are shown, and decide nothing."""
    table = _full(evidence)
    if not set(metrics) <= set(table):
        return _nothing(metrics)
    means = [table[name]["mean"] for name in metrics]
    measured = ", ".join(f"{_said(name)}{table[name]['mean']:.4f}" for name in metrics)
    why = f"The rule asks for {asked}.{f' {remark}.' if remark else ''}"
    verdict = Verdict.HOLDS if holds(*means) else Verdict.FAILS
    if evidence["scale"] != PAPER:
        verdict = Verdict.NOT_RUN
        why = f"Measured with {evidence['shown']}, not the paper's gas: it decides nothing. {why}"
    return Finding(measured, _seeds(evidence, metrics[0]), verdict, why, SOURCE)


def _shown(params: Mapping[str, Any]) -> str:
    numbers = ", ".join(map(str, params["particles"]))
    return (
        f"L = {params['gas']['length']:g} R, N = {numbers} and {params['pixels']} x {params['pixels']} pixels"
    )


def _nothing(metrics: Sequence[str]) -> Finding:
    return Finding("", "", Verdict.NOT_RUN, f"No step measured {', '.join(metrics)}.", SOURCE)


def _said(metric: str) -> str:
    """What a number is, where a claim has several."""
    for pattern, text in ((DUST, "epsilon = {}: "), (OF_N, "N = {}: ")):
        if found := pattern.fullmatch(metric):
            return text.format(found[1])
    return "rank correlation " if metric == "a6_trend" else ""


def _full(evidence: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Metric -> mean, lowest, ... of the network that nothing was taken from."""
    rows = evidence["metrics"].to_dict("records")
    return {str(row["metric"]): row for row in rows if row["run"] == FULL}


def _values(evidence: Mapping[str, Any], metric: str) -> list[float]:
    rows = evidence["values"].to_dict("records")
    return [float(row["value"]) for row in rows if (row["run"], row["metric"]) == (FULL, metric)]


def _seeds(evidence: Mapping[str, Any], metric: str) -> str:
    """Range and interval over seeds."""
    row = _full(evidence)[metric]
    if row["seeds"] < 2:
        return "one seed: no interval"
    return (
        f"{row['seeds']:.0f} seeds: {row['lowest']:.4f} to {row['highest']:.4f}, 95 % interval of the mean "
        f"{row['low']:.4f} to {row['high']:.4f}"
    )


def _beside(evidence: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Other numbers that belong to it, in words."""
    table = _full(evidence)
    found = [f"{said} {table[name]['mean']:.4f}" for said, name in names.items() if name in table]
    return "Beside it: " + ", ".join(found) if found else "Nothing beside it was measured"


def _about_identity(evidence: Mapping[str, Any], name: str) -> str:
    """The other of the two definitions, where the paper plots the identity and defines none."""
    told = "R2 is 1 - residuals / total about the plotted identity; the paper does not define it"
    table = _full(evidence)
    metric = f"{name}_r2"
    if metric not in table:
        return told
    return f"{told}. The squared correlation is {table[metric]['mean']:.4f}"


def _pairs(evidence: Mapping[str, Any], metric: str) -> str:
    values = _values(evidence, metric)
    return f"{sum(values) / len(values):,.0f} quadruples for each seed" if values else ""


def _headline(evidence: Mapping[str, Any]) -> dict[str, float]:
    """What an edit is judged by: means over seeds."""
    table = _full(evidence)
    wanted = (
        *(
            "test_loss",
            "test_accuracy",
            "test_process_accuracy",
            "ceiling_accuracy",
            "a1_identity_r2",
            "a3_agreement",
        ),
        *("a4_agreement", "a5_split_identity_r2", "a5_recombined_identity_r2", "common_r2"),
        *("extensivity_identity_r2", "canonical_r2", "heat_capacity_exponent"),
    )
    found = {name: table[name]["mean"] for name in wanted if name in table}
    every = [table[name]["mean"] for name in table if OF_N.fullmatch(name)]
    return {**found, **({"affine_r2_lowest": min(every)} if every else {})}
