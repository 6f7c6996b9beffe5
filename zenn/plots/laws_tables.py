"""Results of the gas as figures and tables show them: rows chosen, rounded and named; nothing is computed.

The paper's numbers stand beside the measured ones from the register of claims; nothing of them enters a
measured column.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

FULL = "none"
DIGITS = 6  # significant ones that a figure's CSV keeps: more than can be seen
MOST_STATES = 900  # points of one kind that a figure shows; measures are of all

METRICS = {
    "test_loss": ("test loss", "laws-test-loss"),
    "test_accuracy": ("test accuracy, all pairs", "laws-test-accuracy"),
    "test_process_accuracy": ("test accuracy, mean of processes", ""),
    "ceiling_accuracy": ("accuracy of pairs ordered by N log[u (v - b)]", ""),
    "ceiling_hard_discs_accuracy": ("accuracy of pairs ordered by the entropy of hard discs", ""),
    "width_accuracy": ("accuracy of pairs ordered by the volume alone", ""),
    "a1_identity_r2": ("A1: R2 of macroscopically equal states, about the identity", "laws-a1"),
    "a1_r2": ("A1: squared correlation", ""),
    "a2_violations": ("A2: violating triples", "laws-a2"),
    "a2_triples": ("A2: triples", ""),
    "a3_agreement": ("A3: agreement, same N in both pairs", "laws-a3"),
    "a3_any_agreement": ("A3: agreement, any N", ""),
    "a4_agreement": ("A4: agreement, pairs of the same N", "laws-a4"),
    "a4_process_agreement": ("A4: agreement, pairs within a process", ""),
    "a5_split_identity_r2": ("A5: R2 of split and original states, about the identity", "laws-a5-split"),
    "a5_split_r2": ("A5: squared correlation", ""),
    "a5_recombined_identity_r2": (
        "A5: R2 of split and recombined states, about the identity",
        "laws-a5-recombined",
    ),
    "a5_recombined_r2": ("A5: squared correlation", ""),
    "a6_small_agreement": ("A6: lowest agreement for epsilon <= 0.005", "laws-a6"),
    "a6_trend": ("A6: rank correlation of -epsilon and agreement", ""),
    "common_r2": ("entropy: R2 of S^ and N log[u (v - b)], all N", ""),
    "single_r2": ("entropy: R2 of one affine relation for all N", ""),
    "heat_capacity_exponent": ("entropy: fitted exponent c of u (1 for this gas)", ""),
    "extensivity_identity_r2": (
        "extensivity: R2 of compounds and sums of parts, about the identity",
        "laws-extensivity",
    ),
    "extensivity_r2": ("extensivity: squared correlation", ""),
    "canonical_r2": ("canonical entropy: lowest R2 of any N with S~", ""),
    "canonical_log_r2": ("canonical entropy: R2 with N log[u (v - b)]", ""),
}
AFFINE = re.compile(r"affine_r2_(\d+)")
RUNS = {
    FULL: "network",
    "permuted": "five frames in random order",
    "shuffled": "frames exchanged among stops at the same piston position",
    "frozen": "one frame five times (no motion)",
}
REFERENCES = {
    "ceiling_accuracy": "ordered by N log[u (v - b)] of the exact energy",
    "width_accuracy": "ordered by the volume alone",
}


def rounded(table: pd.DataFrame, digits: int = DIGITS) -> pd.DataFrame:
    """The table with its real numbers at `digits` significant digits.

    >>> rounded(pd.DataFrame({"x": [123.456789, 0.0]}), 3)["x"].tolist()
    [123.0, 0.0]
    """
    found = table.copy()
    for name in found:
        if pd.api.types.is_float_dtype(found[name]):
            found[name] = [float(f"{value:.{digits}g}") for value in found[name]]
    return found


def thinned(table: pd.DataFrame, most: int = MOST_STATES) -> pd.DataFrame:
    """At most `most` rows, evenly spaced, the first and the last among them."""
    if len(table) <= most:
        return table
    rows = np.unique(np.linspace(0, len(table) - 1, most).round().astype(int))
    return table.iloc[rows]


def states(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """What a scatter plot shows of a table of states."""
    return rounded(thinned(table)[[*columns]]).reset_index(drop=True)


def entropies(table: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """Fig. 7: states, and for each N the ends of its fitted line, as `series` 'state' and 'fit'."""
    columns = ["process", "stop", "particles", "log_term", "s", "s_hat"]
    shown = thinned(table)[columns].assign(series="state")
    ends = []
    for row in fits.to_dict("records"):
        of_n = table.loc[table["particles"] == row["particles"], "log_term"]
        for place in (of_n.min(), of_n.max()):
            fitted = row["slope"] * place + row["intercept"]
            ends.append(
                {
                    "series": "fit",
                    "particles": row["particles"],
                    "log_term": place,
                    "s": fitted,
                    "r2": row["r2"],
                }
            )
    together = pd.concat([shown, pd.DataFrame(ends)], ignore_index=True)
    return rounded(together.reindex(columns=["series", *columns, "r2"]))


def stability(table: pd.DataFrame) -> pd.DataFrame:
    """Fig. 6: agreement by size of the dust, for each pair of dust states and order, and the mean of all."""
    columns = ["fraction", "epsilon", "dust", "order", "pairs", "agreement"]
    each = table[columns].assign(series="dust")
    weighted = table.assign(right=table["agreement"] * table["pairs"])
    sums = weighted.groupby("fraction", as_index=False).agg(
        epsilon=("epsilon", "first"), pairs=("pairs", "sum"), right=("right", "sum")
    )
    mean = sums.assign(agreement=sums["right"] / sums["pairs"], series="all").drop(columns="right")
    return rounded(pd.concat([each, mean], ignore_index=True)[["series", *columns]])


def difficulty(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by bins of the entropy difference, each with a place to draw it at; empty bins left out."""
    found = table[table["pairs"] > 0].copy()
    found["difference_k_B"] = np.sqrt(found["low"].clip(lower=found["high"] / 4) * found["high"])
    return rounded(found).reset_index(drop=True)


def controls(values: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of the network and of the controls, seed by seed, and of what needs no network."""
    rows: list[dict[str, Any]] = []
    for run, name in RUNS.items():
        of_run = values[(values["run"] == run) & (values["metric"] == "test_accuracy")]
        rows += [
            {"what": name, "kind": "network", "seed": seed, "accuracy": value}
            for seed, value in zip(of_run["seed"], of_run["value"], strict=True)
        ]
    for metric, name in REFERENCES.items():
        of_metric = values[(values["run"] == FULL) & (values["metric"] == metric)]
        if not of_metric.empty:
            accuracy = float(of_metric["value"].iloc[0])  # no network, hence no seed
            rows.append({"what": name, "kind": "without a network", "seed": None, "accuracy": accuracy})
    return rounded(pd.DataFrame(rows, columns=["what", "kind", "seed", "accuracy"]))


def metrics_table(metrics: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """All metrics of the network: mean, range and interval over seeds, beside what the paper prints."""
    printed: Mapping[str, str] = dict(zip(claims["id"], claims["paper_value"].astype(str), strict=True))
    table: dict[str, dict[Any, Any]] = {
        str(row["metric"]): row for row in metrics.to_dict("records") if row["run"] == FULL
    }
    rows = []
    for metric, (name, claim) in _named(table).items():
        row = table[metric]
        rows.append(
            {
                "quantity": name,
                "paper": printed.get(claim, ""),
                "mean": row["mean"],
                "lowest": row["lowest"],
                "highest": row["highest"],
                "interval_low": row["low"],
                "interval_high": row["high"],
                "seeds": int(row["seeds"]),
                "metric": metric,
            }
        )
    return rounded(pd.DataFrame(rows))


def _named(table: Collection[str]) -> dict[str, tuple[str, str]]:
    """Metric -> what it is called and the claim it belongs to, for those that were measured."""
    found = {name: said for name, said in METRICS.items() if name in table}
    of_n = [(int(match[1]), name) for name in table if (match := AFFINE.fullmatch(name))]
    found |= {
        name: (f"entropy: R2 of the affine fit, N = {number}", "laws-entropy-linear")
        for number, name in sorted(of_n)
    }
    return found


def structure(layers: pd.DataFrame) -> pd.DataFrame:
    """Table I, and beside it what each layer gives and how many parameters it has."""
    found = layers.rename(
        columns={"layer": "Layer", "hyperparameter": "Hyperparameter", "activation": "Activation"}
    )
    return found.rename(columns={"output": "Output shape", "parameters": "Parameters"})


def state_of(examples: pd.DataFrame, snapshots: pd.DataFrame, name: str) -> pd.DataFrame:
    """The state of an example picture, in one row: process, stop, particles, width, energy."""
    known = name.removesuffix("_right")  # the same state, masked elsewhere
    of_name = examples.loc[examples["name"] == known, ["process", "stop"]].head(1)
    columns = ["process", "stop", "particles", "width", "energy"]
    return of_name.merge(snapshots, on=["process", "stop"])[columns]


def example_pictures(
    examples: pd.DataFrame, snapshots: pd.DataFrame, pictures: Mapping[str, Any], names: Sequence[str]
) -> pd.DataFrame:
    """Which states a figure's pictures are of, and how bright their halves are (grey levels, 0 to 255)."""
    rows = []
    for name in names:
        picture = np.asarray(pictures[name], dtype=float)
        side = picture.shape[-1]
        (of_state,) = state_of(examples, snapshots, name).to_dict("records") or ({},)
        rows.append(
            {
                "picture": name,
                **of_state,
                "mean_grey": picture.mean(),
                "mean_grey_left": picture[..., : side // 2].mean(),
                "mean_grey_right": picture[..., side // 2 :].mean(),
                "mean_grey_top": picture[..., : side // 2, :].mean(),
                "mean_grey_bottom": picture[..., side // 2 :, :].mean(),
            }
        )
    return rounded(pd.DataFrame(rows))
