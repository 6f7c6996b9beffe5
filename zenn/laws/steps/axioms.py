"""Test the axioms and the entropy that a trained network has learned, on the test processes.

Inputs: `pictures` and `twins`, folders that `render` wrote, the second of other microscopic starts of the
test processes; `recombined`, of `recombine`; `network`, of `train`. Parameters: `seed`, of everything drawn
at random; `scaling_lambdas` (A4); `extensivity_lambdas` and `extensivity_pairs` for each of them and each
kind of cut (Fig. 8); `epsilons`, `dust_pairs` and `dust_states`, at most, evenly among the test states (A6);
`canonical_states`, at most, for each number of discs (Eq. 1); `triples` (A2); `bootstrap`, resamplings of
processes for intervals. What is measured on which pairs: `zenn.laws.axioms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from zenn.csv_table import Column, TextColumn, finite, read_table, write_columns
from zenn.errors import InputError
from zenn.files import write_json
from zenn.given import Given
from zenn.laws import axioms
from zenn.laws.agreement import Pairs, line, r2_affine, r2_identity
from zenn.laws.composing import Pictures
from zenn.laws.entropies import hard_discs, specific_terms, van_der_waals
from zenn.laws.heat_capacity import heat_capacity_exponent
from zenn.laws.ordering import difficulties, rightly, time_pairs
from zenn.laws.pictures import load_pictures, open_array
from zenn.laws.saved_network import NETWORK, load_network
from zenn.laws.steps._tested import Array, Asked, Integers, Shown, Tests, read_tests, represented
from zenn.laws.training import represent
from zenn.progress import Progress

Metrics = dict[str, float]

SMALL_EPSILON = 0.005
"""Dust up to which the issue's and the ledger's agreement of (A6) is asked for."""

_NUMBERS = (
    *("process", "stop", "particles", "lambda", "width", "removed"),
    *("energy", "energy_split", "energy_recombined"),
)
_STATES: list[Column | TextColumn] = [
    TextColumn("wall"),
    *(Column(name, finite, "a number") for name in _NUMBERS),
]


def run(params: Given, inputs: Mapping[str, Path], out: Path) -> None:
    """Write `metrics.json` and the tables behind the figures; see the functions below for their columns."""
    torch.set_num_threads(1)  # a small network: the seeds are run side by side instead
    device = "cuda" if torch.cuda.is_available() else "cpu"
    asked = Asked.of(params)
    params.refuse_unused()
    network = load_network(inputs["network"] / NETWORK, device)
    pictures, index = load_pictures(inputs["pictures"])
    if (network.frames, network.pixels, network.pixels) != pictures.shape[1:]:
        expected = (
            f"{network.frames} frames of {network.pixels} x {network.pixels}, as the network was trained"
        )
        raise InputError(inputs["pictures"], "", " x ".join(map(str, pictures.shape[1:])), expected)

    def seen(some: Pictures) -> Array:
        return represent(network, torch.from_numpy(np.ascontiguousarray(some)))

    with Progress("parts of the axioms", 8) as progress:
        tests = read_tests(inputs["pictures"], pictures, index, seen)
        for count in np.unique(tests.particles):
            if np.ptp(tests.s[tests.particles == count]) == 0:
                found = f"the same S~ for every test state of {count} discs"
                raise InputError(inputs["network"], "", found, "a network that tells states apart")
        metrics: Metrics = {}
        parts: tuple[Callable[[], Metrics], ...] = (
            lambda: _orders(tests, asked, out),
            lambda: _twins(tests, inputs["twins"], seen, asked, out),
            lambda: _entropy(tests, asked, out),
            lambda: _composed(tests, seen, out),
            lambda: _scaled(tests, seen, asked, out),
            lambda: _recombined(tests, inputs["recombined"], seen, out),
            lambda: _dusted(tests, seen, asked, out),
            lambda: _additive(tests, seen, asked, out),
        )
        for done, part in enumerate(parts, start=1):
            metrics |= part()
            progress.update(done)
    write_json(out / "metrics.json", metrics)


def _orders(tests: Tests, asked: Asked, out: Path) -> Metrics:
    """`difficulty.csv`: accuracy of pairs of one process by the exact entropy produced between them."""
    exact = van_der_waals(tests.energies, tests.widths, tests.particles, tests.gas)
    better = hard_discs(tests.energies, tests.widths, tests.particles, tests.gas)
    pairs = time_pairs(tests.processes)
    largest = float(np.abs(exact[pairs.later] - exact[pairs.earlier]).max())
    edges = np.concatenate([[0.0], 2.0 ** np.arange(0, max(1, np.ceil(np.log2(largest + 1e-9)) + 1))])
    if edges[-1] <= largest:
        edges = np.append(edges, np.nextafter(largest, np.inf))
    bins = difficulties(tests.s, exact, pairs, edges, asked.bootstrap, asked.seed)
    write_columns(
        out / "difficulty.csv", {name: [getattr(b, name) for b in bins] for name in bins[0]._fields}
    )
    violations, chains = axioms.transitivity(tests.s, asked.triples, asked.seed)
    return {
        "accuracy": float(rightly(tests.s, pairs).mean()),
        "ceiling_accuracy": float(rightly(exact, pairs).mean()),
        "ceiling_hard_discs_accuracy": float(rightly(better, pairs).mean()),
        "width_accuracy": float(rightly(tests.widths, pairs).mean()),
        "ceiling_pairs": len(pairs.earlier),
        "a2_violations": violations,
        "a2_triples": chains,
    }


def _twins(tests: Tests, folder: Path, seen: axioms.Represent, asked: Asked, out: Path) -> Metrics:
    """`a1.csv`: S~ and energy of states and of their twins (Fig. 3)."""
    pictures, index = load_pictures(folder)
    rows = index.rows("test")
    same = len(rows) == len(tests.rows) and bool(
        (index.processes[rows] == tests.processes).all() and (index.stops[rows] == tests.stops).all()
    )
    if not same or pictures.shape[1:] != tests.pictures.shape[1:]:
        expected = "the stops of the same test processes as in `pictures`, drawn alike"
        raise InputError(folder, "", f"{len(rows)} pictures of test processes", expected)
    found = axioms.reflexivity(tests.s, represented(pictures, rows, seen))
    columns: dict[str, ArrayLike] = {
        "process": tests.processes,
        "stop": tests.stops,
        "particles": tests.particles,
        "s": found.s,
        "s_twin": found.other,
        "energy": tests.energies,
        "energy_twin": index.energies[rows],
    }
    write_columns(out / "a1.csv", columns)
    return {"a1_r2": found.r2, "a1_identity_r2": found.identity_r2, "a1_states": len(found.s)}


def _entropy(tests: Tests, asked: Asked, out: Path) -> Metrics:
    """`entropy.csv` and `affine.csv`: S~ against N log[u (v - 2 pi R^2)] (Fig. 7), and the exponent c."""
    exact = van_der_waals(tests.energies, tests.widths, tests.particles, tests.gas)
    heat, volume = specific_terms(tests.energies, tests.widths, tests.particles, tests.gas)
    transformed = np.empty_like(exact)
    rows: list[dict[str, float]] = []

    def exponent(of: NDArray[np.bool_]) -> tuple[float, float, float]:
        labels = tests.particles[of], tests.processes[of]
        return heat_capacity_exponent(tests.s[of], heat[of], volume[of], *labels, asked.bootstrap, asked.seed)

    for count in np.unique(tests.particles):
        own = tests.particles == count
        fit = line(exact[own], tests.s[own])
        transformed[own] = (tests.s[own] - fit.intercept) / fit.slope
        c, low, high = exponent(own)
        rows.append(
            {
                "particles": int(count),
                "slope": fit.slope,
                "intercept": fit.intercept,
                "r2": fit.r2,
                "states": int(own.sum()),
                "heat_capacity_exponent": c,
                "heat_capacity_low": low,
                "heat_capacity_high": high,
            }
        )
    write_columns(out / "affine.csv", {name: [row[name] for row in rows] for name in rows[0]})
    columns: dict[str, ArrayLike] = {
        "process": tests.processes,
        "stop": tests.stops,
        "particles": tests.particles,
        "energy": tests.energies,
        "width": tests.widths,
        "log_term": exact,
        "s": tests.s,
        "s_hat": transformed,
    }
    write_columns(out / "entropy.csv", columns)
    c, low, high = exponent(np.ones(len(exact), dtype=bool))
    return {
        **{f"affine_r2_{row['particles']}": row["r2"] for row in rows},
        "affine_r2_min": min(row["r2"] for row in rows),
        "common_r2": r2_identity(exact, transformed),
        "single_r2": _single(exact, tests.particles, tests.s),
        "heat_capacity_exponent": c,
        "heat_capacity_low": low,
        "heat_capacity_high": high,
    }


def _single(exact: Array, particles: Integers, s: Array) -> float:
    """R2 of S~ = alpha (N log[u (v - b)] + N s_0) + beta, with one alpha, beta and s_0 for all N."""
    columns = np.stack([exact, particles, np.ones(len(s))], axis=1)
    scale = np.abs(columns).max(axis=0)
    best = (columns / scale) @ np.linalg.lstsq(columns / scale, s, rcond=None)[0]
    return r2_identity(best, s)


def _composed(tests: Tests, seen: axioms.Represent, out: Path) -> Metrics:
    """`a3.csv`: agreement of (A3) for each two numbers of discs."""
    middle = np.flatnonzero(np.isclose(tests.widths, tests.gas.length / 2))
    found = axioms.consistency(seen, tests.shown(middle), tests.s[middle], tests.particles[middle])
    columns: dict[str, ArrayLike] = {
        "particles": [one.particles for one in found],
        "particles_other": [one.other for one in found],
        "pairs": [one.pairs.number for one in found],
        "agreement": [one.pairs.rate for one in found],
    }
    write_columns(out / "a3.csv", columns)
    total = _total([one.pairs for one in found])
    return {"a3_agreement": total.rate, "a3_pairs": total.number, "a3_states": len(middle)}


def _scaled(tests: Tests, seen: axioms.Represent, asked: Asked, out: Path) -> Metrics:
    """`a4.csv`: agreement of (A4) for each lambda and mask, over pairs of equal N, and of one process."""
    labels = tests.particles, tests.processes, tests.columns
    shown = Shown(tests)
    found = axioms.scaling_invariance(seen, shown, tests.s, *labels, asked.scaling_lambdas)
    columns: dict[str, Any] = {
        "lambda": [one.part for one in found],
        "fraction": [one.fraction for one in found],
        "region": [one.region for one in found],
        "pairs": [one.pairs.number for one in found],
        "agreement": [one.pairs.rate for one in found],
        "process_pairs": [one.process_pairs.number for one in found],
        "process_agreement": [one.process_pairs.rate for one in found],
    }
    write_columns(out / "a4.csv", columns)
    return {
        "a4_agreement": float(np.mean(columns["agreement"])),
        "a4_pairs": found[0].pairs.number,
        "a4_process_agreement": float(np.mean(columns["process_agreement"])),
        "a4_process_pairs": found[0].process_pairs.number,
    }


def _recombined(tests: Tests, folder: Path, seen: axioms.Represent, out: Path) -> Metrics:
    """`a5.csv`: S~ of states, split by a wall, and recombined (Fig. 5)."""
    states = read_table(folder / "states.csv", _STATES)
    known = set(zip(tests.processes.tolist(), tests.stops.tolist(), strict=True))
    asked = zip(states.numbers["process"].tolist(), states.numbers["stop"].tolist(), strict=True)
    if not known.issuperset(asked):
        raise InputError(folder / "states.csv", "", "states of other processes", "test states of `pictures`")
    s = {}
    for name in ("original", "split", "recombined"):
        pictures = open_array(folder / "pictures.safetensors", name)
        if len(pictures) != len(states.lines):
            found = f"{len(pictures)} pictures"
            raise InputError(folder, f"array {name!r}", found, f"the {len(states.lines)} of states.csv")
        s[name] = represented(pictures, np.arange(len(pictures)), seen)
    split, recombined = axioms.splitting_recombination(s["original"], s["split"], s["recombined"])
    numbers = states.numbers
    columns: dict[str, ArrayLike] = {
        "process": numbers["process"].astype(int),
        "stop": numbers["stop"].astype(int),
        "particles": numbers["particles"].astype(int),
        "wall": np.array(states.names["wall"]),
        "lambda": numbers["lambda"],
        "s": s["original"],
        "s_split": s["split"],
        "s_recombined": s["recombined"],
    }
    write_columns(out / "a5.csv", columns)
    return {
        "a5_split_r2": split.r2,
        "a5_split_identity_r2": split.identity_r2,
        "a5_recombined_r2": recombined.r2,
        "a5_recombined_identity_r2": recombined.identity_r2,
        "a5_states": len(split.s),
    }


def _dusted(tests: Tests, seen: axioms.Represent, asked: Asked, out: Path) -> Metrics:
    """`a6.csv`: agreement of (A6) for each epsilon, pair of dusts and order of it (Fig. 6)."""
    states = _evenly(len(tests.s), asked.dust_states)
    rng = np.random.default_rng(asked.seed)
    drawn = rng.permutation(len(tests.s))
    if len(drawn) < 2 * asked.dust_pairs:
        raise InputError("parameters", "dust_pairs", asked.dust_pairs, f"at most {len(drawn) // 2}")
    dusts = drawn[: 2 * asked.dust_pairs].reshape(-1, 2)
    shown = tests.shown(dusts.ravel()).reshape(*dusts.shape, *tests.pictures.shape[1:])
    found = axioms.stability(
        seen,
        tests.shown(states),
        tests.s[states],
        tests.particles[states],
        shown,
        tests.s[dusts],
        asked.epsilons,
    )
    pixels = tests.pictures.shape[-1]
    columns: dict[str, ArrayLike] = {
        "epsilon": [one.epsilon for one in found],
        "side": [one.side for one in found],
        "fraction": [one.side**2 / pixels**2 for one in found],
        "dust": [one.dust for one in found],
        "order": [one.order for one in found],
        "pairs": [one.pairs.number for one in found],
        "agreement": [one.pairs.rate for one in found],
    }
    write_columns(out / "a6.csv", columns)
    means = {e: float(np.mean([one.pairs.rate for one in found if one.epsilon == e])) for e in asked.epsilons}
    small = [value for epsilon, value in means.items() if epsilon <= SMALL_EPSILON]
    metrics: Metrics = {f"a6_agreement_{epsilon:g}": value for epsilon, value in means.items()}
    if small:
        metrics["a6_small_agreement"] = min(small)
    if len(means) > 1:
        metrics["a6_trend"] = _rank_correlation(-np.array(list(means)), np.array(list(means.values())))
    return metrics | {"a6_pairs": found[0].pairs.number}


def _additive(tests: Tests, seen: axioms.Represent, asked: Asked, out: Path) -> Metrics:
    """`extensivity.csv` (Fig. 8); `canonical.csv` and `canonical_curve.csv` (Eq. 1)."""
    found = axioms.extensivity(
        seen,
        Shown(tests),
        tests.s,
        tests.particles,
        tests.columns,
        asked.extensivity_lambdas,
        asked.extensivity_pairs,
        asked.seed,
    )
    columns: dict[str, ArrayLike] = {
        "lambda": found.part,
        "fraction": found.fraction,
        "cut": found.along,
        "particles": tests.particles[found.first],
        "s_parts": found.s_parts,
        "s_compound": found.s_compound,
    }
    write_columns(out / "extensivity.csv", columns)
    return {
        "extensivity_r2": r2_affine(found.s_parts, found.s_compound),
        "extensivity_identity_r2": r2_identity(found.s_parts, found.s_compound),
        "extensivity_pairs": len(found.s_parts),
        **_canonical(tests, seen, asked, out),
    }


def _canonical(tests: Tests, seen: axioms.Represent, asked: Asked, out: Path) -> Metrics:
    exact = van_der_waals(tests.energies, tests.widths, tests.particles, tests.gas)
    rows: dict[str, list[Any]] = {
        name: [] for name in ("particles", "process", "stop", "s", "canonical", "log_term")
    }
    curves: dict[str, list[Any]] = {name: [] for name in ("particles", "lambda", "s_compound", "s_parts")}
    r2: list[tuple[float, float]] = []
    for count in np.unique(tests.particles):
        own = np.flatnonzero(tests.particles == count)
        # the extremes are the reference states, whichever are left out
        ends = own[[int(np.argmin(tests.s[own])), int(np.argmax(tests.s[own]))]]
        states = np.unique(np.concatenate([own[_evenly(len(own), asked.canonical_states)], ends]))
        s = tests.s[states]
        found = axioms.canonical_entropy(seen, tests.shown(states), s)
        for name, values in (
            ("particles", tests.particles[states]),
            ("process", tests.processes[states]),
            ("stop", tests.stops[states]),
            ("s", s),
            ("canonical", found.values),
            ("log_term", exact[states]),
        ):
            rows[name] += values.tolist()
        curves["particles"] += [int(count)] * len(found.parts)
        curves["lambda"] += found.parts.tolist()
        curves["s_compound"] += found.curve.tolist()
        curves["s_parts"] += ((1 - found.parts) * s[found.lower] + found.parts * s[found.upper]).tolist()
        r2.append((r2_affine(s, found.values), r2_affine(exact[states], found.values)))
    write_columns(out / "canonical.csv", rows)
    write_columns(out / "canonical_curve.csv", curves)
    return {
        "canonical_r2": min(first for first, _ in r2),
        "canonical_log_r2": min(second for _, second in r2),
        "canonical_states": len(rows["s"]),
    }


def _evenly(count: int, wanted: int) -> Integers:
    """At most `wanted` numbers, evenly among 0 ... count - 1."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64))


def _total(parts: Sequence[Pairs]) -> Pairs:
    return Pairs(sum(one.number for one in parts), sum(one.agreeing for one in parts))


def _rank_correlation(x: Array, y: Array) -> float:
    """Spearman's; 0 where all are equal."""
    from scipy.stats import rankdata  # takes as long to import as the rest of this function's step

    ranks = rankdata(x), rankdata(y)
    return 0.0 if np.ptp(ranks[1]) == 0 or np.ptp(ranks[0]) == 0 else float(np.corrcoef(*ranks)[0, 1])
