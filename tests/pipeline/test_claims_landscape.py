"""Verdict rules of the inverse problem, on made-up evidence that lies on either side of every tolerance."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from zenn.pipeline.claims import landscape
from zenn.pipeline.claims.ledger import Verdict

SEEDS = (1, 2, 3)
PRESSURES = [0.0, landscape.ATMOSPHERE_GPA, 2.0, 4.0, 6.0]
NAN = float("nan")
HOLDS, FAILS, NOT_RUN = Verdict.HOLDS, Verdict.FAILS, Verdict.NOT_RUN


def benchmark(**changes: Any) -> pd.DataFrame:
    """Errors of 1 for ZENN and of 2 for the others; `changes` of ZENN's columns, one value per seed."""
    rows = []
    for model in ("zenn", "icnn_printed", "icnn_sobolev"):
        for seed in SEEDS:
            size, error = (1260, 1.0) if model == "zenn" else (7536, 2.0)
            rows.append(
                {
                    "model": model,
                    "seed": seed,
                    "parameters": size,
                    "temperature": 2.0,
                    "eq19_temperature": 2.005,
                    "largest_F_xx": error,
                    "rms_F_x": error,
                    "rms_F_xx": error,
                    "rms_F_at_2": error,
                    "crossings_at_1": 2,
                    "crossings_at_3": 0,
                    "right_crossings": 2 if model == "zenn" else 1,
                }
            )
    table = pd.DataFrame(rows)
    for column, values in changes.items():
        table.loc[table["model"] == "zenn", column] = list(values)
    return table


def three_wells(**changes: Any) -> pd.DataFrame:
    rows = [
        {"model": "zenn", "configurations": K, "training_points": 16, "seed": s, "largest_p_error": 1e-3 / K}
        for K in (1, 2, 4)
        for s in SEEDS
    ]
    rows += [
        {
            "model": "icnn_printed",
            "configurations": 0,
            "training_points": 16,
            "seed": s,
            "largest_p_error": 0.1,
        }
        for s in SEEDS
    ]
    return pd.DataFrame(rows).assign(**changes)


def fe3pt(**changes: Any) -> pd.DataFrame:
    rows = []
    for model, K, weight in (("k2", 2, 1e-4), ("k12", 12, 1e-4), ("lambda_0.01", 12, 1e-2)):
        for seed in SEEDS:
            rows.append(
                {
                    "model": model,
                    "configurations": K,
                    "convexity": weight,
                    "seed": seed,
                    "loss": 1e-9 if model == "k12" else 1e-8,
                    "temperature_K": 164.2,
                    "pressure_GPa": 6.47,
                    "largest_F_error_eV_per_atom": 1e-6,
                    "largest_F_error_at_coldest_eV_per_atom": 1e-5,
                    "lowest_curvature_at_coldest_eV_per_A6": 1e-3,
                    "lowest_curvature_eV_per_A6": 1e-3,
                    "coldest_K": 5.0,
                }
            )
    return pd.DataFrame(rows).assign(**changes)


def expansion(lowest: list[float], low: float = 356.0) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model": "k12",
                "seed": seed,
                "pressure_GPa": pressure,
                "low_K": low,
                "high_K": 450.0,
                "lowest_expansion_per_K": value,
            }
            for seed in SEEDS
            for pressure, value in zip(PRESSURES, lowest, strict=True)
        ]
    )


def entropies(at_50: float, at_100: float, maximum: float = 1.0) -> dict[str, pd.DataFrame]:
    """One configuration whose S has the given slopes, and a total with a maximum or minimum inside."""
    each, totals = [], []
    for T, slope in ((5.0, 0.0), (50.0, at_50), (100.0, at_100)):
        for V in (0.0, 0.5, 1.0):
            state = {"temperature_K": T, "volume_A3_per_atom": V}
            each.append({**state, "configuration": 1, "entropy_eV_per_K_per_atom": slope * V})
            totals.append({**state, "entropy_eV_per_K_per_atom": maximum * (V == 0.5)})
    return {"configurations": pd.DataFrame(each), "totals": pd.DataFrame(totals)}


def evidence(**changes: Any) -> dict[str, Any]:
    """Evidence on which every claim holds, with changes."""
    T = [140.0, 150.0, 160.0]
    spinodals = pd.DataFrame(
        {
            "line": 1,
            "temperature_K": T,
            "pressure_at_smaller_GPa": [6.0, 6.5, 7.0],
            "pressure_at_larger_GPa": [8.0, 7.9, 7.8],
        }
    )
    falling = [-1e-6, -1e-6, -2e-6, -3e-6, -4e-6]
    return {
        "neurons": {"zenn": 192, "icnn": 192},
        "settings": {"main": "k12", "configurations": 12, "iterations": 10, "auto_tolerance": 0.2},
        "reference_configurations": 4,
        "sweep_training_points": 16,
        "benchmark": benchmark(),
        "three_wells": three_wells(),
        "fe3pt": fe3pt(),
        "eq19": pd.DataFrame({"model": "k12", "seed": SEEDS, "temperature_K": 150.7}),
        "transitions": pd.DataFrame(
            {"model": "k12", "seed": SEEDS, "pressure_GPa": 6.53, "temperature_K": 158.7}
        ),
        "spinodals": spinodals,
        "critical_point": {"temperature_K": 164.0, "pressure_GPa": 6.47},
        "uncertainty": {"critical_point": {"temperature_K": {"low": 163.0, "high": 165.0}}},
        "expansion": expansion(falling),
        "forward_windows": pd.DataFrame({"pressure_GPa": PRESSURES, "low_K": 350.0, "high_K": 450.0}),
        "forward_isobars": pd.DataFrame({"pressure_GPa": PRESSURES, "thermal_expansion_per_K": falling}),
        **entropies(2.0, 1.0),
        **changes,
    }


@pytest.mark.parametrize("rule", landscape.RULES)
def test_a_claim_that_holds(rule: str) -> None:
    found = landscape.RULES[rule](evidence())
    assert found.verdict is HOLDS, found
    assert found.measured
    assert found.uncertainty
    assert "nan" not in found.measured


@pytest.mark.parametrize(
    ("rule", "changes", "verdict"),
    [
        ("landscape-neurons", {"neurons": {"zenn": 192, "icnn": 144}}, FAILS),
        ("landscape-bifurcation", {"benchmark": benchmark(eq19_temperature=[2.02, 2.0, 1.98])}, FAILS),
        ("landscape-bifurcation", {"benchmark": benchmark(eq19_temperature=[2.5, 2.0, 2.0])}, HOLDS),
        ("landscape-bifurcation", {"benchmark": benchmark(eq19_temperature=[NAN, NAN, 2.0])}, FAILS),
        ("landscape-d2-crossings", {"benchmark": benchmark(right_crossings=[2, 2, 1])}, FAILS),
        ("landscape-d2-crossings", {"benchmark": benchmark().assign(right_crossings=2)}, FAILS),
        ("landscape-d2-error", {"benchmark": benchmark(rms_F_xx=[1, 1, 2.5])}, FAILS),
        ("landscape-f-at-2", {"benchmark": benchmark(rms_F_at_2=[1, 1, 2.5])}, FAILS),
        ("landscape-sobolev", {"benchmark": benchmark(rms_F_x=[1, 1, 2.0])}, HOLDS),
        ("landscape-sobolev", {"benchmark": benchmark(rms_F_x=[1, 1, 2.1])}, FAILS),
        ("landscape-2d-generalisation", {"three_wells": three_wells(largest_p_error=1.0)}, FAILS),
        ("landscape-2d-k", {"three_wells": three_wells().query("configurations != 2")}, NOT_RUN),
        ("fe3pt-zenn-tc", {"fe3pt": fe3pt(temperature_K=164.6)}, FAILS),
        ("fe3pt-zenn-tc", {"fe3pt": fe3pt(temperature_K=NAN)}, FAILS),
        (
            "fe3pt-zenn-tc",
            {"eq19": pd.DataFrame({"model": "k12", "seed": SEEDS, "temperature_K": 151.2})},
            FAILS,
        ),
        (
            "fe3pt-zenn-tc",
            {"uncertainty": {"critical_point": {"temperature_K": {"low": 164.1, "high": 165.0}}}},
            FAILS,
        ),
        ("fe3pt-nte", {"expansion": expansion([-1e-6, -1e-6, -2e-6, -3e-6, -2.5e-6])}, FAILS),
        ("fe3pt-nte", {"expansion": expansion([-1e-6] * 5, NAN)}, FAILS),
        (
            "fe3pt-nte",
            {"forward_windows": pd.DataFrame({"pressure_GPa": [2.0], "low_K": 1, "high_K": 2})},
            FAILS,
        ),
        ("fe3pt-nte", {"expansion": expansion([-1e-6] * 5).query("pressure_GPa < 6")}, NOT_RUN),
        ("fe3pt-k12", {"fe3pt": fe3pt(largest_F_error_eV_per_atom=1.1e-3)}, FAILS),
        ("fe3pt-f-5k", {"fe3pt": fe3pt(largest_F_error_at_coldest_eV_per_atom=1.1e-3)}, FAILS),
        ("fe3pt-convex", {"fe3pt": fe3pt(lowest_curvature_at_coldest_eV_per_A6=-1e-9)}, FAILS),
        (
            "fe3pt-lambda",
            {"fe3pt": fe3pt(loss=1 - fe3pt()["convexity"])},
            FAILS,
        ),
        ("fe3pt-lambda", {"fe3pt": fe3pt().query("seed < 3 or convexity < 1e-3")}, NOT_RUN),
        ("fe3pt-sharp-s", entropies(1.0, 2.0), FAILS),
        ("fe3pt-sharp-s", entropies(2.0, 1.0, -1.0), FAILS),
    ],
)
def test_either_side_of_a_tolerance(rule: str, changes: dict[str, Any], verdict: Verdict) -> None:
    assert landscape.RULES[rule](evidence(**changes)).verdict is verdict


def test_roots_of_the_forward_model() -> None:
    """Where a spinodal passes a pressure: once here, between 150 and 160 K."""
    assert landscape.forward_roots(evidence()["spinodals"], 6.53) == pytest.approx([150.6])


def test_enough_configurations() -> None:
    errors = pd.Series({1: 1.0, 2: 0.5, 3: 0.45, 4: 0.1})
    assert landscape.chosen_configurations(errors, 0.2) == 2
    assert landscape.chosen_configurations(errors, 0.05) == 4
