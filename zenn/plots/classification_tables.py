"""Evaluations of classifiers as figures and tables show them: gathered, in per cent, over seeds.

New numbers are units, medians and ranges over seeds, shares of samples between tabulated quantiles, and the
two lines that need no training: chance, 1 - 1/K, and 1 - N_T/K.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zenn.plots.arrange import stacked

Array = NDArray[np.float64]

PER_CENT = 100.0
HEADLINE, ORACLE = "marginal", "oracle"
PROTOCOLS = (HEADLINE, "map_temperature", "first_temperature", ORACLE)
CROSS_ENTROPY, RECOMMENDED = "cross_entropy", "recommended"
METRICS = (
    *("error", "balanced_error", "nll", "brier", "ece", "scaled_nll", "scaled_brier", "scaled_ece"),
    *("scaling", "permuted_labels_error", "source_information"),
)
GAINS = ("error", "scaled_nll", "scaled_ece")
ASIDE = 0.06  # temperatures, between two protocols
BINS = np.linspace(0.0, 1.0, 21)
"""Of a posterior probability; the evaluation tabulates its quantiles in steps of 5 %."""

_PLACES = ("panel", "data", "stand_in", "model")
_ZENN = re.compile(r"zenn(\d+)")
_QUANTILE = re.compile(r"quantile_(\d+)")
_STANDS_FOR = {"cifar-10": "CIFAR-10", "cifar-100": "CIFAR-100", "bbc": "BBC News", "ag-news": "AG News"}
_DATA = {
    "digits": "scikit-learn digits of several sources",
    "digits-imbalanced": "imbalanced scikit-learn digits of several sources",
    "digits-clean": "scikit-learn digits as they are",
    "digits-random": "scikit-learn digits with random labels",
    "topics5": "invented texts of five topics, several sources",
    "topics4": "invented texts of four topics, several sources",
}
_MODELS = {
    "vit_base_patch32_224": "ViT-B/32",
    "vit_large_patch32_224": "ViT-L/32",
    "vit_large_patch16_224": "ViT-L/16",
    "mlp": "MLP",
    "vit": "small ViT",
    "bag": "bag of words",
    "language": "small language model",
}
_SETTINGS = {  # as the paper prints them, and in its order
    "augmentation": "data augmentation",
    "epochs": "number of epochs",
    "resolution": "resolution (pixels)",
    "maximum_length": "maximum length (tokens)",
    "batch_size": "batch size",
    "learning_rate": "initial learning rate",
    "temperature_learning_rate": "initial learning rate of temperature",
    "weight_decay": "weight decay",
    "optimizer": "optimizer",
    "pretrained_weights": "pretrained weights",
    "fine_tune": "fine-tune",
}


@dataclass(frozen=True)
class Panel:
    """A data set of the paper's figures, or one beyond them, and which evaluations belong to it.

    name : where it stands, `cifar-10`; of one beyond the paper, its data. stand_in : whether `data` is made
    here and only stands there. roles : role of the evaluation by model.
    """

    name: str
    data: str
    stand_in: bool
    classes: int
    roles: Mapping[str, str]
    scale: str

    @classmethod
    def read(cls, name: str, said: Mapping[str, Any], scale: str) -> Panel:
        """From the notebook's settings."""
        return cls(name, said["data"], bool(said["stand_in"]), int(said["classes"]), said["roles"], scale)

    @property
    def title(self) -> str:
        """What was trained, and what it is not."""
        if not self.stand_in:
            return f"{data_name(self.data)}, published models; scale {self.scale}"
        stands_for = _STANDS_FOR.get(self.name)
        said = f"{data_name(self.data)}, not {stands_for}" if stands_for else data_name(self.data)
        return f"stand-in: {said}; small networks; scale {self.scale}"


def data_name(data: str) -> str:
    """What a data set is, for a title."""
    return _STANDS_FOR.get(data) or _DATA.get(data, data)


def model_name(model: str) -> str:
    """What a model is called in figures."""
    return _MODELS.get(model, model)


def temperatures_of(run: str) -> int:
    """N_T of a run of the printed cross-zentropy, 0 for every other.

    >>> temperatures_of("zenn3"), temperatures_of("recommended")
    (3, 0)
    """
    found = _ZENN.fullmatch(run)
    return int(found[1]) if found else 0


def gathered(panels: Sequence[Panel], read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """The tables of all evaluations of some panels below each other; `read` takes a role."""
    parts = []
    for panel in panels:
        for model, role in panel.roles.items():
            table = read(role)
            stand_in = "yes" if panel.stand_in else "no"
            for number, value in enumerate((panel.name, panel.data, stand_in, model)):
                table.insert(number, _PLACES[number], value)
            if "uses_test_labels" in table:
                table["uses_test_labels"] = table["uses_test_labels"].map({True: "yes", False: "no"})
            parts.append(table)
    return pd.concat(parts, ignore_index=True)


def printed_runs(table: pd.DataFrame, least: int = 1) -> pd.DataFrame:
    """Cross-entropy (`least` 0) and the printed cross-zentropy with `least` or more temperatures.

    With the column `N_T`; 0 is cross-entropy.
    """
    counted = table.assign(N_T=table["run"].map(temperatures_of).astype(int))
    plain = table["run"].str.startswith(CROSS_ENTROPY) if least == 0 else False
    return counted[(counted["N_T"] >= max(least, 1)) | plain].reset_index(drop=True)


def distinct_protocols(table: pd.DataFrame) -> pd.DataFrame:
    """Without protocols that cannot differ: a run of one temperature, or of none, has its marginal only."""
    several = (table["run"].map(temperatures_of) > 1) | (table["run"] == RECOMMENDED)
    return table[several | (table["protocol"] == HEADLINE)].reset_index(drop=True)


def with_median(table: pd.DataFrame, by: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Every seed (series 'seed') and the median over them (series 'median')."""
    medians = table.groupby([*by], sort=False, as_index=False)[[*columns]].median()
    return stacked(seed=table[[*by, "seed", *columns]], median=medians)


def error_rates(metrics: pd.DataFrame) -> pd.DataFrame:
    """Fig. 2: test errors in per cent by data set, model, N_T and protocol; `shown_at`: the bar's place."""
    table = distinct_protocols(printed_runs(metrics, least=0))
    table = table.assign(error_percent=PER_CENT * table["error"])
    by = [*_PLACES, "run", "N_T", "protocol", "uses_test_labels"]
    found = with_median(table, by, ["error_percent"])
    places = {
        (panel, run): place
        for panel, of in found.groupby("panel", sort=False)
        for place, run in enumerate(_in_order(of["run"]))
    }
    place = [places[key] for key in found[["panel", "run"]].itertuples(index=False, name=None)]
    width = 0.9 / len(PROTOCOLS)
    alone = found["N_T"] < 2
    shift = (found["protocol"].map(PROTOCOLS.index) - (len(PROTOCOLS) - 1) / 2) * width
    return found.assign(shown_at=place + shift.where(~alone, 0.0))


def _in_order(runs: pd.Series) -> list[str]:
    """Cross-entropy first, then by N_T."""
    return sorted(runs.unique(), key=lambda run: (temperatures_of(run), run))


def courses(history: pd.DataFrame) -> pd.DataFrame:
    """Figs. S7, S10, S13, S16: loss and test accuracy in per cent by epoch, every seed and the median."""
    table = printed_runs(history, least=0)
    table = table.assign(
        test_accuracy_percent=PER_CENT * table["test_accuracy"],
        oracle_accuracy_uses_test_labels_percent=PER_CENT * table["test_accuracy_oracle_uses_test_labels"],
    )
    shown = ["train_loss", "test_accuracy_percent", "oracle_accuracy_uses_test_labels_percent"]
    return with_median(table, [*_PLACES, "run", "N_T", "epoch"], shown)


def posteriors(table: pd.DataFrame, temperatures: pd.DataFrame, N_T: int) -> pd.DataFrame:
    """Figs. S8, S11, S14, S17: how the temperature posterior of one N_T is spread over the test set.

    That of `N_T`, or the largest below that was trained. Series 'violin': the share of the samples with a
    posterior probability in each of `BINS`, all seeds together; 'seed' and 'median': MAP frequency, median
    posterior and final temperature.
    """
    table = printed_runs(table[table["source"] == "all"])
    trained = table.loc[table["N_T"] <= max(N_T, int(table["N_T"].min())), "N_T"]
    table = table[table["N_T"] == trained.max()]
    by = [*_PLACES, "run", "N_T", "posterior", "uses_test_labels", "temperature"]
    ends = temperatures[[*_PLACES, "run", "seed", "temperature", "final"]]
    table = table.merge(ends, on=[*_PLACES, "run", "seed", "temperature"], how="left", validate="many_to_one")
    table = table.assign(
        map_frequency_percent=PER_CENT * table["map_frequency"],
        median_posterior=table["quantile_050"],
        final_temperature=table["final"],
    )
    numbers = ["map_frequency_percent", "median_posterior", "final_temperature"]
    violins = []
    for place, of in table.groupby(by, sort=False):
        said = dict(zip(by, place, strict=True))
        shares = np.mean([shares_between(row, BINS) for row in of.to_dict("records")], axis=0)
        for low, high, share in zip(BINS[:-1], BINS[1:], shares, strict=True):
            violins.append({**said, "from": low, "to": high, "samples_percent": PER_CENT * share})
    both = with_median(table, by, numbers)
    return pd.concat([both, pd.DataFrame(violins).assign(series="violin")], ignore_index=True)


def shares_between(row: Mapping[Any, Any], edges: Array) -> Array:
    """Shares of samples in each interval (low, high] of `edges`, from the columns `quantile_<per cent>`.

    Between two quantiles the samples are taken as spread evenly; the first interval holds its low end too.

    >>> shares_between({"quantile_000": 0.0, "quantile_050": 0.2, "quantile_100": 1.0}, np.array([0, 0.2, 1]))
    array([0.5, 0.5])
    """
    known = {int(found[1]): float(row[name]) for name in row if (found := _QUANTILE.fullmatch(str(name)))}
    p = np.array(sorted(known)) / PER_CENT
    q = np.array([known[per_cent] for per_cent in sorted(known)])
    below = np.searchsorted(q, edges, side="right")
    cumulated = np.where(below == len(q), 1.0, 0.0)
    inside = (below > 0) & (below < len(q))
    low, high = below[inside] - 1, below[inside]
    part = (edges[inside] - q[low]) / (q[high] - q[low])
    cumulated[inside] = p[low] + part * (p[high] - p[low])
    cumulated[0] = 0.0
    return np.diff(cumulated)


def temperature_courses(history: pd.DataFrame, temperatures: pd.DataFrame) -> pd.DataFrame:
    """Figs. S9, S12, S15, S18: temperatures against updates, from where they began, at update 0."""
    begun = temperatures.assign(epoch=0, step=0, value=temperatures["initial"])
    columns = [*_PLACES, "run", "seed", "temperature", "epoch", "step", "value"]
    table = pd.concat([begun[columns], history[columns]], ignore_index=True)
    chosen = table[(table["run"].map(temperatures_of) > 1) | (table["run"] == RECOMMENDED)]
    by = [*_PLACES, "run", "temperature", "epoch", "step"]
    found = with_median(chosen, by, ["value"]).rename(columns={"value": "temperature_value"})
    return found.sort_values([*_PLACES, "run", "temperature", "series", "seed", "step"], ignore_index=True)


def leaks(metrics: pd.DataFrame, classes: Mapping[str, int]) -> pd.DataFrame:
    """Errors in per cent against N_T by `labels`, 'own' and 'permuted', with chance and 1 - N_T/K.

    The latter is 0 where there are more temperatures than classes; `classes` are by data. `shown_at` is N_T,
    protocols side by side.
    """
    table = printed_runs(metrics)
    named = {"own": "error", "permuted": "permuted_labels_error"}
    both = pd.concat(
        [table.assign(labels=label, error_percent=PER_CENT * table[c]) for label, c in named.items()],
        ignore_index=True,
    )
    by = [*_PLACES, "labels", "N_T", "protocol", "uses_test_labels"]
    found = with_median(both, by, ["error_percent"])
    K = found["data"].map(classes)
    shift = (found["protocol"].map(PROTOCOLS.index) - (len(PROTOCOLS) - 1) / 2) * ASIDE
    return found.assign(
        chance_percent=PER_CENT * (1 - 1 / K),
        fewest_percent=PER_CENT * (1 - found["N_T"] / K).clip(lower=0.0),
        shown_at=found["N_T"] + shift,
    )


def gains(paired: pd.DataFrame) -> pd.DataFrame:
    """Label-free differences to the best control in per cent of that control's mean, with 95 % intervals.

    `shown_at` counts downwards: a line for each run, a gap between two models.
    """
    best = (paired["best_control"] == True) & (paired["protocol"] == HEADLINE)  # noqa: E712, a column
    chosen = paired[best & paired["metric"].isin(GAINS)]
    whole = chosen["control_mean"].where(chosen["control_mean"] != 0)
    found = chosen.assign(
        **{
            f"{name}_percent_of_control": PER_CENT * chosen[name] / whole
            for name in ("difference", "low", "high")
        }
    )
    place, places = 0.0, {}
    for _, of in found.groupby([*_PLACES], sort=False):
        for run in sorted(of["run"].unique(), key=lambda run: (temperatures_of(run) or 99, run)):
            places[*of.iloc[0][[*_PLACES]], run] = place
            place -= 1.0
        place -= 1.0
    keys = found[[*_PLACES, "run"]].itertuples(index=False, name=None)
    return found.assign(shown_at=[places[key] for key in keys]).drop(columns="best_control")


def summary(metrics: pd.DataFrame) -> pd.DataFrame:
    """A row per data set, model, run and protocol: median and range over seeds of every metric."""
    by = [*_PLACES, "run", "protocol", "uses_test_labels"]
    grouped = distinct_protocols(metrics).groupby(by, sort=False)
    columns: dict[str, Any] = {"seeds": grouped["seed"].nunique()}
    for name in METRICS:
        of = grouped[name]
        columns |= {f"{name}_median": of.median(), f"{name}_lowest": of.min(), f"{name}_highest": of.max()}
    return pd.DataFrame(columns).reset_index()


def paired_table(paired: pd.DataFrame) -> pd.DataFrame:
    """Differences to the best control, to cross-entropy, and of each protocol to the same run's marginal."""
    shown = (paired["best_control"] == True) | paired["control"].isin([CROSS_ENTROPY])  # noqa: E712
    chosen = paired[shown | (paired["control"] == paired["run"])]
    best = chosen["best_control"].map({True: "yes", False: "no"})
    return distinct_protocols(chosen.assign(best_control=best))


def learned_temperatures(temperatures: pd.DataFrame) -> pd.DataFrame:
    """Tables S12-S15: where each temperature began, and where it ended, median and range over seeds."""
    several = temperatures[
        (temperatures["run"].map(temperatures_of) > 1) | (temperatures["run"] == RECOMMENDED)
    ]
    grouped = several.groupby([*_PLACES, "run", "temperature"], sort=False)
    return pd.DataFrame(
        {
            "seeds": grouped["seed"].nunique(),
            "initial": grouped["initial"].median(),
            "final_median": grouped["final"].median(),
            "final_lowest": grouped["final"].min(),
            "final_highest": grouped["final"].max(),
            "prior_median": grouped["prior"].median(),
        }
    ).reset_index()


def parameter_scale(counts: pd.DataFrame, table: str) -> pd.DataFrame:
    """Tables S9-S11: parameters that are trained, a row per model; `table` is 'S9', 'S10' or 'S11'."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for one in counts[counts["table"] == table].to_dict("records"):
        row = rows.setdefault(
            (one["classes"], one["model"]), {"model": model_name(one["model"]), "classes": one["classes"]}
        )
        row |= {f"{one['method']}_{unit}": one[unit] for unit in ("millions", "parameters")}
    columns = [f"{method}_{unit}" for unit in ("millions", "parameters") for method in ("ZENN", "CE")]
    return pd.DataFrame([*rows.values()], columns=["model", "classes", *columns])


def printed_settings(training: Mapping[str, Any]) -> pd.DataFrame:
    """Tables S3-S8: a row per setting, in the paper's order."""
    rows = [(_SETTINGS.get(name, name), _said(name, value)) for name, value in _ordered(training)]
    return pd.DataFrame(rows, columns=["setting", "value"])


def _ordered(training: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in (*_SETTINGS, *(name for name in training if name not in _SETTINGS)):
        if name in training:
            yield name, training[name]


def _said(name: str, value: Any) -> str:
    if name == "fine_tune":
        if value["method"] == "all":
            return "all parameters"
        numbers = f"r = {value['rank']}, alpha = {value['alpha']:g}, dropout = {value['dropout']:g}"
        return f"LoRA ({numbers}) {', '.join(value['target_modules'])}"
    if isinstance(value, (list, tuple)):
        return " & ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
