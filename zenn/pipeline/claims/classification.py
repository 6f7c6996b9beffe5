"""Verdict rules of the claims about classification, with tolerances, written before the measurement.

The headline of a run is its label-free marginal. A claim that is met by the printed protocol alone, which
weighs temperatures by the test label (Eq. 11), `holds only with test labels`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from zenn.pipeline.claims.ledger import Finding, Rule, Verdict, write_evidence

PARAMETERS_S9 = {
    "vit_base_patch32_224": (174.9, 87.5),
    "vit_large_patch16_224": (606.6, 303.3),
    "vit_large_patch32_224": (611.0, 305.5),
}
PARAMETERS_S10 = {"SmolLM2-135M": (0.9, 0.5), "SmolLM2-360M": (1.6, 0.8)}
PARAMETERS_S11 = {"SmolLM2-135M": (0.9, 135.0), "SmolLM2-360M": (1.6, 360.0)}
NOMINAL = 0.01  # relative; the printed numbers of whole language models are their names
LIMIT = 1e-12
IDENTIFIES, SAYS_NOTHING = 0.5, 0.1  # normalised mutual information of temperature and source
COMPARABLE_LOSSES = (0.5, 2.0)
COMPARABLE_ERRORS = 0.1  # relative
IMAGES, TEXTS = (0.2, 0.5), (0.6, 0.7)  # printed relative reductions of the error
REDUCTIONS = {"cifar-10": IMAGES, "cifar-100": IMAGES, "bbc": TEXTS, "ag-news": TEXTS}
TEMPERATURES: dict[str, dict[str, tuple[float, ...]]] = {
    "cifar-10": {
        "vit_base_patch32_224": (8.345, 5.842, 5.237, 6.083),
        "vit_large_patch32_224": (6.081, 7.741, 5.954, 5.723),
        "vit_large_patch16_224": (8.969, 5.809, 3.869, 3.353),
    },
    "cifar-100": {
        "vit_base_patch32_224": (9.808,),
        "vit_large_patch32_224": (5.529,),
        "vit_large_patch16_224": (7.567,),
    },
    "bbc": {"SmolLM2-135M": (5.807,), "SmolLM2-360M": (3.163,)},
    "ag-news": {"SmolLM2-135M": (3.095, 5.811, 7.075), "SmolLM2-360M": (0.643, 4.383, 5.656)},
}
FEWEST_SEEDS = 5
ABOUT_60, ABOUT_50 = (0.55, 0.65), (0.45, 0.55)
FREE, ORACLE = "marginal", "oracle"
SMALL = "digits_mlp"  # the stand-in that decides what needs no published data


def parameters_cifar(evidence: Mapping[str, Any]) -> Finding:
    """The counts of Table S9, rounded as printed."""
    return _parameters(evidence, "S9", 10, PARAMETERS_S9, 0.0)


def parameters_bbc(evidence: Mapping[str, Any]) -> Finding:
    """The counts of Table S10, rounded as printed."""
    return _parameters(evidence, "S10", 5, PARAMETERS_S10, 0.0)


def parameters_agnews(evidence: Mapping[str, Any]) -> Finding:
    """The counts of Table S11: adapters as printed, whole models within 1 % of their names."""
    return _parameters(evidence, "S11", 4, PARAMETERS_S11, NOMINAL)


def cross_entropy_limit(evidence: Mapping[str, Any]) -> Finding:
    """Loss and gradient agree with torch's cross-entropy to 1e-12 for every option."""
    table = evidence["cross_entropy_limit"]
    loss, gradient = (float(table[f"{name}_difference"].max()) for name in ("loss", "gradient"))
    return Finding(
        f"largest difference of the loss {loss:.1e}, of the gradient {gradient:.1e}",
        f"{len(table)} cases in double precision",
        Verdict.HOLDS if max(loss, gradient) <= LIMIT else Verdict.FAILS,
        f"The rule asks for {LIMIT:g} against torch.nn.functional.cross_entropy at S = 0, N_T = 1, T = 1, "
        "for class weights, label smoothing, ignored labels, soft targets and every reduction.",
        "cross_entropy_limit/differences.csv",
    )


def oracle_gain(evidence: Mapping[str, Any]) -> Finding:
    """The printed protocol uses the label: on permuted labels its error is below the label-free one."""
    run = _zenn(2)
    row = _paired(evidence[f"{SMALL}/paired"], run, ORACLE, "error", run)
    canary = _metrics(evidence, SMALL, run)
    permuted = {
        protocol: canary.loc[canary["protocol"] == protocol, "permuted_labels_error"].median()
        for protocol in (ORACLE, FREE)
    }
    leaks = row["high"] < 0 and permuted[ORACLE] < permuted[FREE]
    verdict = Verdict.HOLDS if leaks else Verdict.FAILS
    if row["pairs"] < FEWEST_SEEDS:
        verdict = Verdict.UNDECIDABLE
    return Finding(
        f"error with the test label minus error without: {_interval(row)}",
        f"95 % interval over {row['pairs']:.0f} seeds",
        verdict,
        "On the digits of three sources, N_T = 2. On test labels in random order the printed protocol has "
        f"an error of {permuted[ORACLE]:.3f}, the label-free one {permuted[FREE]:.3f} (chance 0.9). The rule "
        "asks for both differences below 0: Eq. 11 as printed tells the prediction its label.",
        f"{SMALL}/paired.csv",
    )


def imbalanced(evidence: Mapping[str, Any]) -> Finding:
    """Label-free error and NLL lie below the best control's, with the whole 95 % interval."""
    role = "digits-imbalanced_mlp"
    free = {metric: _best(evidence[f"{role}/paired"], _zenn(2), FREE, metric) for metric in ("error", "nll")}
    oracle = {
        metric: _best(evidence[f"{role}/paired"], _zenn(2), ORACLE, metric) for metric in ("error", "nll")
    }
    better = {
        metric: _best(evidence[f"{role}/paired"], "recommended", FREE, metric) for metric in ("error", "nll")
    }
    verdict = Verdict.UNDECIDABLE  # an interval that contains 0 says neither
    if free["error"]["pairs"] < FEWEST_SEEDS:
        pass
    elif all(row["high"] < 0 for row in free.values()):
        verdict = Verdict.HOLDS
    elif all(row["high"] < 0 for row in oracle.values()):
        verdict = Verdict.ONLY_WITH_TEST_LABELS
    elif any(row["low"] > 0 for row in free.values()):
        verdict = Verdict.FAILS
    return Finding(
        f"label-free minus best control: error {_interval(free['error'])}, NLL {_interval(free['nll'])}",
        f"95 % interval over {free['error']['pairs']:.0f} seeds",
        verdict,
        "On 10:1 imbalanced digits of three sources, N_T = 2, two encoders as printed. Controls: "
        f"{free['error']['control']} for the error, {free['nll']['control']} for NLL, chosen on validation. "
        f"With test labels {_interval(oracle['error'])} and {_interval(oracle['nll'])}; the recommended "
        f"preset, label-free, {_interval(better['error'])} and {_interval(better['nll'])}.",
        f"{role}/paired.csv",
    )


def source_identification(evidence: Mapping[str, Any]) -> Finding:
    """Most likely temperature and known source share at least half of their information, label-free."""
    table = _metrics(evidence, SMALL, _zenn(3) if _has(evidence, SMALL, _zenn(3)) else _zenn(2))
    free, oracle = (
        table.loc[table["protocol"] == protocol, "source_information"] for protocol in (FREE, ORACLE)
    )
    median = float(free.median())
    verdict = Verdict.UNDECIDABLE
    if median >= IDENTIFIES:
        verdict = Verdict.HOLDS
    elif float(oracle.median()) >= IDENTIFIES:
        verdict = Verdict.ONLY_WITH_TEST_LABELS
    elif max(median, float(oracle.median())) < SAYS_NOTHING:
        verdict = Verdict.FAILS
    return Finding(
        f"normalised mutual information of temperature and source: {_spread(free)} label-free, "
        f"{_spread(oracle)} with test labels",
        _seeds(free),
        verdict,
        f"On digits of three known sources. The rule asks for {IDENTIFIES:g} in the median; below "
        f"{SAYS_NOTHING:g} both ways the temperature says next to nothing about the source.",
        f"{SMALL}/metrics.csv",
    )


def frame_indifference(evidence: Mapping[str, Any]) -> Finding:
    """Nothing of it is built, in the paper or here."""
    why = "The paper states a possibility and trains no equivariant network; neither do we."
    return Finding(
        "no equivariant network is built",
        "not applicable",
        Verdict.UNDECIDABLE,
        why,
        "parameter_counts/parameters.csv",
    )


def reduction(panel: str) -> Rule:
    """The rule of a printed reduction of the error: reached by every model, N_T chosen on validation."""

    def rule(evidence: Mapping[str, Any]) -> Finding:
        low, high = REDUCTIONS[panel]

        def reduced(role: str, run: str, protocol: str) -> float:
            row = _paired(evidence[f"{role}/paired"], run, protocol, "error", "cross_entropy")
            return -float(row["relative_difference"])

        def decide(roles: Mapping[str, str]) -> Finding:
            free = {model: reduced(role, _chosen(evidence, role), FREE) for model, role in roles.items()}
            oracle = {  # as printed, which includes the N_T that is best on the test
                model: max(reduced(role, run, ORACLE) for run in _runs(evidence, role))
                for model, role in roles.items()
            }
            verdict = Verdict.FAILS
            if min(free.values()) >= low:
                verdict = Verdict.HOLDS
            elif min(oracle.values()) >= low:
                verdict = Verdict.ONLY_WITH_TEST_LABELS
            return Finding(
                f"relative reduction: label-free {_said(free)}; with test labels {_said(oracle)}",
                "mean over seeds",
                verdict,
                f"Printed: {low:.0%} to {high:.0%}. The rule asks for at least {low:.0%} for every model, at "
                "the N_T of the lowest validation error; with test labels at the best N_T on the test.",
                f"{next(iter(roles.values()))}/paired.csv",
            )

        return _published(evidence, [panel], lambda roles: decide(roles[panel]))

    return rule


def small_beats_large(panels: Sequence[str], small: str, large: str, margin: float) -> Rule:
    """The rule that a small model with cross-zentropy is as good as a large one with cross-entropy.

    The upper end of the interval of the difference is at most `margin` of the large model's error.
    """

    def rule(evidence: Mapping[str, Any]) -> Finding:
        def difference(roles: Mapping[str, str], run: str, protocol: str) -> tuple[float, float, float]:
            ours, theirs = (
                table.loc[table["protocol"] == of].set_index("seed")["error"]
                for table, of in (
                    (_metrics(evidence, roles[small], run), protocol),
                    (_metrics(evidence, roles[large], "cross_entropy"), FREE),
                )
            )
            off = (ours - theirs).dropna()
            if len(off) < 2:
                return np.nan, np.nan, np.nan
            half = student.ppf(0.975, len(off) - 1) * off.std(ddof=1) / np.sqrt(len(off))
            return float(off.mean() - half), float(off.mean() + half), float(theirs.mean())

        def decide(of: Mapping[str, Mapping[str, str]]) -> Finding:
            found = {
                protocol: [
                    difference(roles, _chosen(evidence, roles[small]), protocol) for roles in of.values()
                ]
                for protocol in (FREE, ORACLE)
            }
            good = {
                protocol: all(high <= margin * error for _, high, error in those)
                for protocol, those in found.items()
            }
            verdict = Verdict.FAILS
            if np.isnan(found[FREE]).any():
                verdict = Verdict.UNDECIDABLE
            elif good[FREE]:
                verdict = Verdict.HOLDS
            elif good[ORACLE]:
                verdict = Verdict.ONLY_WITH_TEST_LABELS
            said = [
                f"{panel}: label-free {_range(free[:2])}, with test labels {_range(oracle[:2])}"
                for panel, free, oracle in zip(of, found[FREE], found[ORACLE], strict=True)
            ]
            return Finding(
                "error difference " + "; ".join(said),
                "95 % interval over seeds",
                verdict,
                f"The rule asks that the interval ends below {margin:.0%} of the large model's error on both "
                "data sets, at the N_T of the lowest validation error.",
                f"{of[panels[0]][small]}/metrics.csv",
            )

        return _published(evidence, panels, decide)

    return rule


def learned_temperatures(panel: str) -> Rule:
    """The rule that every printed temperature lies within the range over the seeds."""

    def rule(evidence: Mapping[str, Any]) -> Finding:
        def decide(roles: Mapping[str, str]) -> Finding:
            said, inside, seeds = [], True, np.inf
            for model, printed in TEMPERATURES[panel].items():
                table = evidence[f"{roles[model]}/temperatures"]
                table = table[table["run"] == _zenn(len(printed) + 1)]
                for number, value in enumerate(printed, 2):
                    found = table[table["temperature"] == number]
                    seeds = min(seeds, found["seed"].nunique())
                    low, high = found["final"].min(), found["final"].max()
                    inside &= low <= value <= high
                    said.append(f"{model} T_{number} {low:.3f}-{high:.3f} from {found['initial'].iloc[0]:g}")
            enough = seeds >= FEWEST_SEEDS
            verdict = (Verdict.HOLDS if inside else Verdict.FAILS) if enough else Verdict.UNDECIDABLE
            return Finding(
                "; ".join(said),
                f"range of {seeds:.0f} seeds",
                verdict,
                f"The rule asks for every printed value inside the range of at least {FEWEST_SEEDS} seeds; "
                "initial values were not chosen from the table.",
                f"{next(iter(roles.values()))}/temperatures.csv",
            )

        return _published(evidence, [panel], lambda roles: decide(roles[panel]))

    return rule


def dominant_mode(panels: Mapping[str, int], window: tuple[float, float]) -> Rule:
    """The rule of the share of samples in the most frequent MAP temperature, label-weighted as printed."""

    def rule(evidence: Mapping[str, Any]) -> Finding:
        def decide(of: Mapping[str, Mapping[str, str]]) -> Finding:
            shares, free = [], []
            for panel, count in panels.items():
                for role in of[panel].values():
                    table = evidence[f"{role}/temperatures"]
                    table = table[table["run"] == _zenn(count)].groupby("seed")
                    shares += table["map_frequency_uses_test_labels"].max().tolist()
                    free += table["map_frequency"].max().tolist()
            inside = [window[0] <= float(np.median(of)) <= window[1] for of in (shares, free)]
            verdict = Verdict.FAILS
            if inside[0]:
                verdict = Verdict.HOLDS if inside[1] else Verdict.ONLY_WITH_TEST_LABELS
            return Finding(
                f"share in the dominant mode {_spread(pd.Series(shares))} with test labels, "
                f"{_spread(pd.Series(free))} label-free",
                "median [lowest, highest] over models and seeds",
                verdict,
                f"The rule asks for a share of {window[0]:.0%} to {window[1]:.0%}, with and without labels.",
                f"{next(iter(of[next(iter(panels))].values()))}/temperatures.csv",
            )

        return _published(evidence, [*panels], decide)

    return rule


def training_losses(evidence: Mapping[str, Any]) -> Finding:
    """Final training losses of cross-zentropy and cross-entropy are within a factor of two."""

    def decide(of: Mapping[str, Mapping[str, str]]) -> Finding:
        ratios = []
        for roles in of.values():
            for role in roles.values():
                history = evidence[f"{role}/history"]
                last = history[history["epoch"] == history.groupby("run")["epoch"].transform("max")]
                means = last.groupby("run")["train_loss"].mean()
                ratios += [float(means[run] / means["cross_entropy"]) for run in _runs(evidence, role)]
        low, high = COMPARABLE_LOSSES
        return Finding(
            f"ratio of final training losses {_spread(pd.Series(ratios))}",
            "median [lowest, highest] over models and N_T",
            Verdict.HOLDS if low <= min(ratios) and max(ratios) <= high else Verdict.FAILS,
            f"The rule asks for ratios within {low:g} to {high:g}, each loss with its own weights.",
            f"{next(iter(next(iter(of.values())).values()))}/history.csv",
        )

    return _published(evidence, ["cifar-10", "cifar-100"], decide)


def _published(
    evidence: Mapping[str, Any],
    panels: Sequence[str],
    decide: Callable[[Mapping[str, Mapping[str, str]]], Finding],
) -> Finding:
    """What `decide` says of the roles by panel and model, where the published data were trained on."""
    of = {panel: evidence["panels"][panel] for panel in panels}
    if any(panel["stand_in"] for panel in of.values()):
        why = "It needs the published data and models; this scale trains small networks on stand-ins."
        source = f"{next(iter(of[panels[0]]['roles'].values()))}/metrics.csv"
        return Finding("", "", Verdict.NOT_RUN, why, source)
    return decide({panel: of[panel]["roles"] for panel in panels})


def _parameters(
    evidence: Mapping[str, Any],
    table: str,
    classes: int,
    printed: Mapping[str, tuple[float, float]],
    nominal: float,
) -> Finding:
    rows = evidence["parameter_counts"]
    rows = rows[(rows["table"] == table) & (rows["classes"] == classes)]
    counted = rows.set_index(["model", "method"])["parameters"]
    said, holds = [], True
    for model, (zenn, plain) in printed.items():
        for method, value in (("ZENN", zenn), ("CE", plain)):
            millions = counted[model, method] / 1e6
            exact = round(millions, 1) == value
            holds &= exact or abs(millions / value - 1) <= nominal
            said.append(f"{millions:.1f}" + ("" if method == "CE" else "/"))
    pairs = ", ".join(f"{model} {a}{b}" for model, a, b in zip(printed, said[::2], said[1::2], strict=True))
    asked = f", or within {nominal:.0%} of a nominal size" if nominal else ""
    return Finding(
        f"{pairs} million",
        "exact count",
        Verdict.HOLDS if holds else Verdict.FAILS,
        f"ZENN/CE. The rule asks for the counts as printed, to one decimal{asked}.",
        "parameter_counts/parameters.csv",
    )


def _zenn(count: int) -> str:
    return f"zenn{count}"


def _has(evidence: Mapping[str, Any], role: str, run: str) -> bool:
    return run in set(evidence[f"{role}/metrics"]["run"])


def _runs(evidence: Mapping[str, Any], role: str) -> list[str]:
    """The printed cross-zentropy at every N_T of two or more: one temperature is a control."""
    found = {run for run in evidence[f"{role}/metrics"]["run"] if run.startswith("zenn")}
    return sorted(found - {_zenn(1)})


def _chosen(evidence: Mapping[str, Any], role: str) -> str:
    """The one of `_runs` with the lowest validation error, label-free."""
    table = evidence[f"{role}/metrics"]
    table = table[(table["protocol"] == FREE) & table["run"].isin(_runs(evidence, role))]
    return str(table.groupby("run")["validation_error"].mean().idxmin())


def _metrics(evidence: Mapping[str, Any], role: str, run: str) -> pd.DataFrame:
    table: pd.DataFrame = evidence[f"{role}/metrics"]
    return table.loc[table["run"] == run]


def _paired(table: pd.DataFrame, run: str, protocol: str, metric: str, control: str) -> pd.Series:
    asked = {"run": run, "protocol": protocol, "metric": metric, "control": control}
    for column, value in asked.items():
        table = table[table[column] == value]
    return table.iloc[0]


def _best(table: pd.DataFrame, run: str, protocol: str, metric: str) -> pd.Series:
    """Against the control that is best on validation."""
    control = table[table["best_control"].astype(str).str.lower() == "true"]
    control = control[control["metric"] == metric]["control"].iloc[0]
    return _paired(table, run, protocol, metric, control)


def _interval(row: pd.Series) -> str:
    return f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def _range(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:+.4f}, {ends[1]:+.4f}]"


def _spread(values: pd.Series) -> str:
    return f"{values.median():.3f} [{values.min():.3f}, {values.max():.3f}]"


def _seeds(values: pd.Series) -> str:
    return f"median [lowest, highest] of {len(values)} seeds"


def _said(values: Mapping[str, float]) -> str:
    return ", ".join(f"{model} {value:.0%}" for model, value in values.items())


RULES: dict[str, Rule] = {
    "cifar10-error": reduction("cifar-10"),
    "cifar100-error": reduction("cifar-100"),
    "cifar-small-beats-large": small_beats_large(
        ["cifar-10", "cifar-100"], "vit_base_patch32_224", "vit_large_patch32_224", COMPARABLE_ERRORS
    ),
    "bbc-error": reduction("bbc"),
    "agnews-error": reduction("ag-news"),
    "smollm-small-beats-large": small_beats_large(["bbc", "ag-news"], "SmolLM2-135M", "SmolLM2-360M", 0.0),
    "cifar-map-mode": dominant_mode({"cifar-10": 5, "cifar-100": 2}, ABOUT_60),
    "text-map-mode": dominant_mode({"bbc": 2, "ag-news": 4}, ABOUT_50),
    "cifar10-temperatures": learned_temperatures("cifar-10"),
    "cifar100-temperatures": learned_temperatures("cifar-100"),
    "bbc-temperatures": learned_temperatures("bbc"),
    "agnews-temperatures": learned_temperatures("ag-news"),
    "train-loss-comparable": training_losses,
    "imbalanced": imbalanced,
    "source-identification": source_identification,
    "frame-indifference": frame_indifference,
    "params-cifar": parameters_cifar,
    "params-bbc": parameters_bbc,
    "params-agnews": parameters_agnews,
    "ce-limit": cross_entropy_limit,
    "oracle-gain": oracle_gain,
}
TABLES = ("metrics", "paired", "temperatures", "history")


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Decide the claims from the results of the subject's steps."""
    evidence: dict[str, Any] = {"panels": params["panels"]}
    for panel in (*params["panels"].values(), *params["extra"].values()):
        for role in panel["roles"].values():
            for name in TABLES:
                evidence[f"{role}/{name}"] = pd.read_csv(inputs[role] / f"{name}.csv")
    evidence["parameter_counts"] = pd.read_csv(inputs["parameter_counts"] / "parameters.csv")
    evidence["cross_entropy_limit"] = pd.read_csv(inputs["cross_entropy_limit"] / "differences.csv")
    write_evidence(RULES, evidence, _headline(evidence), params["scale"], inputs, out)


def _headline(evidence: Mapping[str, Any]) -> dict[str, float]:
    """What an edit is judged by: label-free medians on the digits of three sources."""
    found = {}
    for name in ("cross_entropy", "zenn2", "recommended"):
        table = _metrics(evidence, SMALL, name)
        table = table[table["protocol"] == FREE]
        for metric in ("error", "scaled_nll", "scaled_ece"):
            found[f"digits_{name}_{metric}"] = float(table[metric].median())
    return found
