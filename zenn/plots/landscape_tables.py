"""Results of the inverse problem as its figures and tables show them: beside the truth, over all seeds.

New numbers are differences to the truth, medians and ranges over seeds, units, and the places where a
tabulated curve passes a value. Where a fit has no value, `found` says in how many there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zenn.errors import ZennError
from zenn.plots.arrange import stacked
from zenn.plots.landscape import BIFURCATION

Array = NDArray[np.float64]

PER_MILLION, MILLI = 1e6, 1e3
CLOSE_PRESSURES = 1e-6  # GPa: two isobars of one pressure
ASIDE = 0.2  # of the distance between two places of an axis
LOG_RATIO = ("log10_ratio_mean", "log10_ratio_low", "log10_ratio_high")
BENCHMARK = {
    "rms_F": "RMS error of F",
    "rms_F_at_2": "RMS error of F/(k_B T) at T = 2",
    "rms_F_x": "RMS error of dF/dx",
    "rms_F_xx": "RMS error of d2F/dx2",
    "largest_F_xx": "max error of d2F/dx2",
    "zero_line": "max error of T on d2F/dx2 = 0",
    "T_star_error": "error of T* (F_xx = F_xxx = 0)",
    "eq19_error": "error of T* (Eq. 19, hottest root)",
    "eq19_roots": "roots of Eq. 19 (exact: 1)",
    "right_crossings": "temperatures with the right number of zeros of d2F/dx2 (of {})",
}
OPPONENTS = {
    "icnn_printed": "ICNN, as printed",
    "icnn_standard": "ICNN, standard",
    "icnn_sobolev": "ICNN, printed, given dF/dx",
    "mlp_small": "MLP, small",
    "mlp_large": "MLP, large",
    "zenn": "ZENN",
}


def seeds_and_median(metrics: pd.DataFrame, by: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Every fit (series 'seed') and the median over those that have a value (series 'median')."""
    medians = metrics.groupby([*by], sort=False, as_index=False)[[*columns]].median()
    return stacked(seed=metrics[[*by, "seed", *columns]], median=medians)


def benchmark_errors(metrics: pd.DataFrame) -> pd.DataFrame:
    """Metrics of the benchmark with |T* - 2| of both critical temperatures beside them."""
    return metrics.assign(
        T_star_error=(metrics["temperature"] - BIFURCATION).abs(),
        eq19_error=(metrics["eq19_temperature"] - BIFURCATION).abs(),
    )


def fe3pt_errors(metrics: pd.DataFrame, critical: Mapping[str, Any]) -> pd.DataFrame:
    """Metrics of Fe3Pt with the distance of the critical point from `critical`, that of the forward model."""
    temperature, pressure = float(critical["temperature_K"]), float(critical["pressure_GPa"])
    return metrics.assign(
        critical_temperature_error_K=(metrics["temperature_K"] - temperature).abs(),
        critical_pressure_error_GPa=(metrics["pressure_GPa"] - pressure).abs(),
        largest_F_error_meV_per_atom=MILLI * metrics["largest_F_error_eV_per_atom"],
    )


def by_configurations(metrics: pd.DataFrame) -> pd.DataFrame:
    """The fits of Fe3Pt that differ in K alone: named k and a number."""
    return metrics[metrics["model"].str.fullmatch(r"k\d+")].sort_values(["configurations", "seed"])


def by_convexity(metrics: pd.DataFrame, main: str) -> pd.DataFrame:
    """The fits of Fe3Pt that differ in lambda alone: `main`, and those named after theirs."""
    chosen = (metrics["model"] == main) | metrics["model"].str.startswith("lambda_")
    return metrics[chosen].sort_values(["convexity", "seed"])


def largest_sweep(metrics: pd.DataFrame) -> pd.DataFrame:
    """The fits of ZENN in two dimensions at the training points that have most values of K."""
    fits = metrics[metrics["model"] == "zenn"].drop_duplicates(["training_points", "configurations", "seed"])
    if fits.empty:
        return fits
    counts = fits.groupby("training_points")["configurations"].nunique()
    return fits[fits["training_points"] == counts.idxmax()].sort_values(["configurations", "seed"])


def at_one_number(metrics: pd.DataFrame, configurations: int) -> pd.DataFrame:
    """Every network in two dimensions by its training points; ZENN with `configurations` only."""
    chosen = metrics["configurations"].isin([0, configurations])
    return metrics[chosen].drop_duplicates(["model", "training_points", "seed"])


def side_by_side(table: pd.DataFrame, by: str, x: str) -> pd.DataFrame:
    """The table with a column `shown_at`: x, a little shifted from one value of `by` to the next."""
    names, places = list(dict.fromkeys(table[by])), np.sort(table[x].unique())
    width = ASIDE * (np.diff(places).min() if len(places) > 1 else 1.0)
    shifts = dict(zip(names, np.linspace(-width, width, len(names)), strict=True))
    return table.assign(shown_at=table[x] + table[by].map(shifts).astype(float))


def drawn_fit(metrics: pd.DataFrame, model: str) -> pd.Series:
    """The row of the seed whose curves are drawn: that of the median loss, the lower of two.

    Raises
    ------
    ZennError : there is no such model.
    """
    fits = metrics[metrics["model"] == model].sort_values("loss", kind="stable")
    if fits.empty:
        expected = sorted({*metrics["model"]})
        raise ZennError(f"metrics.csv, column model: found no {model!r}, expected it among {expected}")
    return fits.iloc[(len(fits) - 1) // 2]


def parted(isobars: pd.DataFrame, zero_lines: pd.DataFrame) -> pd.DataFrame:
    """Isobars of stable volumes with a column `branch`, from 1; rows without a stable volume are left out.

    A new branch begins where no stable volume lies between, and where the way from one to the next crosses
    a line F_VV = 0: nothing stable leads across, so this is a first-order transition.
    """
    x, y = "volume_A3_per_atom", "temperature_K"
    lines = [line[[x, y]].to_numpy() for _, line in zero_lines.groupby("line")]
    parts = []
    for _, path in isobars.groupby("pressure_GPa"):
        ways = path[[x, y]].to_numpy()
        broken = np.isnan(ways[1:]).any(axis=1) | np.isnan(ways[:-1]).any(axis=1)
        for line in lines:
            broken |= _crossed(ways, line)
        branch = np.concatenate([[1], 1 + np.cumsum(broken)]) if len(path) else np.empty(0)
        known = path.assign(branch=branch).dropna(subset=[x])
        parts.append(known.assign(branch=known["branch"].rank(method="dense").astype(int)))
    return pd.concat(parts, ignore_index=True) if parts else isobars.assign(branch=pd.Series(dtype=int))


def _crossed(path: Array, line: Array) -> NDArray[np.bool_]:
    """Whether each step of a path (N, 2) in the plane crosses a line (M, 2), shape (N - 1,)."""
    p, q = path[:-1, None], path[1:, None]
    a, b = line[None, :-1], line[None, 1:]

    def side(start: Array, end: Array, point: Array) -> Array:
        along, to = end - start, point - start
        return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])

    crossing = (side(p, q, a) * side(p, q, b) < 0) & (side(a, b, p) * side(a, b, q) < 0)
    return np.asarray(crossing.any(axis=1))


def passing(table: pd.DataFrame, value: float, of: str, at: str) -> list[float]:
    """Where the tabulated column `of` passes `value`, in the column `at`; between rows on a straight line.

    >>> curve = pd.DataFrame({"T": [10.0, 20.0, 30.0], "P": [1.0, 3.0, 2.0]})
    >>> passing(curve, 2.5, of="P", at="T")
    [17.5, 25.0]
    """
    off, places = table[of].to_numpy() - value, table[at].to_numpy()
    (before,) = np.nonzero(np.sign(off[1:]) != np.sign(off[:-1]))
    shares = off[before] / (off[before] - off[before + 1])
    return [float(place) for place in places[before] + shares * (places[before + 1] - places[before])]


def benchmark_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Errors on the benchmark in one dimension: a row per error and network, over seeds."""
    errors = benchmark_errors(metrics)
    counted = sum(str(name).startswith("crossings_at_") for name in metrics)
    rows = []
    for column, quantity in BENCHMARK.items():
        quantity = quantity.format(counted)
        for model, fits in errors.groupby("model", sort=False):
            size = int(fits["parameters"].iloc[0])
            named = {"error": quantity, "network": OPPONENTS[str(model)], "parameters": size}
            rows.append({**named, **_summary(fits[column])})
    return pd.DataFrame(rows)


def three_wells_table(paired: pd.DataFrame, metrics: pd.DataFrame, configurations: int) -> pd.DataFrame:
    """max |p error| of every network over ZENN's, seed by seed: log10 of the ratio with its 95 % interval.

    `smaller_error` says who is ahead: nobody where the interval holds 0, or where one seed gives none.
    """
    fits = at_one_number(metrics, configurations)
    medians = fits.groupby(["model", "training_points"])["largest_p_error"].median()
    rows = []
    for model, points, seeds, *ratio in paired[["model", "training_points", "seeds", *LOG_RATIO]].to_numpy():
        _, low, high = ratio
        ahead = "ZENN" if low > 0 else OPPONENTS[model] if high < 0 else "not decided"
        both = medians.get((model, points)), medians.get(("zenn", points))
        rows.append((OPPONENTS[model], f"{points} x {points}", seeds, *both, *ratio, ahead))
    columns = ("network", "training_points", "seeds", "median_of_network", "median_of_ZENN")
    return pd.DataFrame(rows, columns=[*columns, *LOG_RATIO, "smaller_error"])


class Fe3PtComparison:
    """Quantities of Fe3Pt: DFT beside the fits of some models, a row each, over seeds."""

    def __init__(self, metrics: pd.DataFrame, models: Sequence[str]) -> None:
        self.metrics = metrics
        self.models = [model for model in models if model in {*metrics["model"]}]
        self.rows: list[dict[str, Any]] = []

    def table(self) -> pd.DataFrame:
        """All rows added so far."""
        return pd.DataFrame(self.rows)

    def add_metric(self, quantity: str, unit: str, column: str, dft: float, scale: float = 1.0) -> None:
        """A column of the metrics; `scale` brings it to `unit`."""
        self._add(
            quantity, unit, np.nan, dft, {m: (scale * self._of(m)[column]).to_list() for m in self.models}
        )

    def add_roots(self, roots: pd.DataFrame, pressure: float, dft: Sequence[float]) -> None:
        """The roots of Eq. 19 at one pressure, by rank from the hottest, and how many there are."""
        found = {
            (m, seed): sorted(self._rows(roots, m, seed)["temperature_K"].dropna(), reverse=True)
            for m in self.models
            for seed in self._of(m)["seed"]
        }
        hottest = sorted(dft, reverse=True)
        most = max([len(hottest), *map(len, found.values())])
        counts = {m: [float(len(found[m, seed])) for seed in self._of(m)["seed"]] for m in self.models}
        self._add("number of roots of Eq. 19", "", pressure, float(len(hottest)), counts)
        for rank in range(most):
            values = {m: [_at(found[m, seed], rank) for seed in self._of(m)["seed"]] for m in self.models}
            name = f"root {rank + 1} of Eq. 19 (hottest first)"
            self._add(name, "K", pressure, _at(hottest, rank), values)

    def add_by_seed(
        self, quantity: str, unit: str, table: pd.DataFrame, column: str, pressure: float, dft: float
    ) -> None:
        """A column of a table with one row per model, seed and pressure."""
        values = {}
        for m in self.models:
            rows = [self._rows(_at_pressure(table, pressure), m, seed) for seed in self._of(m)["seed"]]
            values[m] = [float(row[column].iloc[0]) if len(row) else np.nan for row in rows]
        self._add(quantity, unit, pressure, dft, values)

    def add_expansion(self, windows: pd.DataFrame, dft: pd.DataFrame) -> None:
        """Windows of negative thermal expansion of every pressure of the fits.

        Of a fit, those windows count that overlap with the one of DFT: it may part them at a transition.
        """
        for pressure in sorted(windows["pressure_GPa"].unique()):
            truth = _at_pressure(dft, pressure)
            for window in truth.to_dict("records") or [{}]:
                low, high = window.get("low_K", -np.inf), window.get("high_K", np.inf)
                found = [*self._overlapping(_at_pressure(windows, pressure), low, high)]
                for name, column, scale, unit, of_dft in (
                    ("negative expansion from", "low_K", 1.0, "K", "low_K"),
                    ("negative expansion to", "high_K", 1.0, "K", "high_K"),
                    ("lowest expansion", "lowest_expansion_per_K", PER_MILLION, "1e-6/K", "strongest_per_K"),
                ):
                    values = {m: [scale * v[column] for model, v in found if model == m] for m in self.models}
                    self._add(name, unit, pressure, scale * window.get(of_dft, np.nan), values)

    def _overlapping(
        self, windows: pd.DataFrame, low: float, high: float
    ) -> Iterator[tuple[str, dict[str, float]]]:
        for m in self.models:
            for seed in self._of(m)["seed"]:
                of_fit = self._rows(windows, m, seed)
                inside = of_fit[(of_fit["low_K"] < high) & (of_fit["high_K"] > low)]
                lowest = of_fit["lowest_expansion_per_K"].min() if len(of_fit) else np.nan
                ends = {"low_K": inside["low_K"].min(), "high_K": inside["high_K"].max()}
                yield m, {**ends, "lowest_expansion_per_K": lowest}

    def _of(self, model: str) -> pd.DataFrame:
        return self.metrics[self.metrics["model"] == model]

    def _rows(self, table: pd.DataFrame, model: str, seed: int) -> pd.DataFrame:
        return table[(table["model"] == model) & (table["seed"] == seed)]

    def _add(
        self, quantity: str, unit: str, pressure: float, dft: float, fits: Mapping[str, Sequence[float]]
    ) -> None:
        row: dict[str, Any] = {"quantity": quantity, "unit": unit, "pressure_GPa": pressure, "dft": dft}
        for model, values in fits.items():
            name = re.sub(r"^k(\d+)", r"zenn_k\1", model)
            summary = _summary(pd.Series(values, dtype=float))
            row |= {f"{name}_{key}": value for key, value in summary.items()}
            row[f"{name}_difference"] = summary["median"] - dft
        self.rows.append(row)


def _summary(values: pd.Series) -> dict[str, Any]:
    """In how many fits there is a value, its median and range; `none` where there is none."""
    known = values.dropna()
    found = f"{len(known)} of {len(values)}" if len(known) else "none"
    return {"found": found, "median": known.median(), "lowest": known.min(), "highest": known.max()}


def _at_pressure(table: pd.DataFrame, pressure: float) -> pd.DataFrame:
    return table[(table["pressure_GPa"] - pressure).abs() < CLOSE_PRESSURES]


def _at(values: Sequence[float], rank: int) -> float:
    return values[rank] if rank < len(values) else np.nan
