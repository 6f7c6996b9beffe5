"""Verdict rules of the forward Fe3Pt claims, each with its tolerance, written before the measurement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zenn.files import read_json
from zenn.pipeline.claims.ledger import Finding, Rule, Verdict, write_evidence

ROWS, DEGENERACIES = 37, 512  # stated in the text of Paper A
TC_RANGE_K = (160.0, 165.0)  # Fig. S2
PC_GPA, PC_TOLERANCE_GPA = 6.53, 0.1  # Fig. 4a; the pressure at which T* was read off
BELOW_K, ABOVE_K = 160.0, 165.0
ATMOSPHERE_GPA = 1.01325e-4
SOLVER = "exact derivatives at fixed volumes; rounding of Table S1 not propagated"


def table_rows(evidence: Mapping[str, Any]) -> Finding:
    """37 independent configurations, degeneracies summing to 512."""
    table = evidence["equation_of_state"]
    rows, total = len(table), int(table["degeneracy"].sum())
    holds = rows == ROWS and total == DEGENERACIES
    return Finding(
        f"{rows} rows; sum {total}",
        "exact count",
        Verdict.HOLDS if holds else Verdict.FAILS,
        f"Table S1 as printed has {rows} rows with degeneracies summing to {total}; "
        f"the text says {ROWS} and {DEGENERACIES}.",
        "eos_round_trip/equation_of_state.csv",
    )


def eos_fit(evidence: Mapping[str, Any]) -> Finding:
    """The fit behind Table S1: its energy-volume points are not published."""
    table = evidence["equation_of_state"]
    worst = float(table["largest_relative_deviation"].max())
    return Finding(
        f"{len(table)} rows; noiseless round trip deviates by at most {worst:.1e} relative",
        "round trip only",
        Verdict.UNDECIDABLE,
        "The energy-volume points that were fitted are not published; that points made from each row and "
        "refitted give the row back is a test of our fit, not evidence for theirs.",
        "eos_round_trip/equation_of_state.csv",
    )


def critical_temperature(evidence: Mapping[str, Any]) -> Finding:
    """T* of the forward model lies in [160, 165] K."""
    found = evidence["critical_point"]["temperature_K"]
    low, high = TC_RANGE_K
    return Finding(
        f"{found:.3f} K",
        _rounding(evidence, "temperature_K", ".2f", "K"),
        Verdict.HOLDS if low <= found <= high else Verdict.FAILS,
        f"F_VV = F_VVV = 0 is solved at T* = {found:.3f} K; the rule asks for {low:g}-{high:g} K.",
        "critical_point/critical_point.json",
    )


def critical_pressure(evidence: Mapping[str, Any]) -> Finding:
    """|P* - 6.53| <= 0.1 GPa."""
    found = evidence["critical_point"]["pressure_GPa"]
    off = abs(found - PC_GPA)
    rounding = evidence["uncertainty"]["critical_point"]["pressure_GPa"]
    within = rounding["low"] <= PC_GPA <= rounding["high"]
    return Finding(
        f"{found:.4f} GPa",
        _rounding(evidence, "pressure_GPa", ".3f", "GPa"),
        Verdict.HOLDS if off <= PC_TOLERANCE_GPA else Verdict.FAILS,
        f"P* = {found:.4f} GPa differs from {PC_GPA} GPa by {off:.3f} GPa; the rule allows "
        f"{PC_TOLERANCE_GPA} GPa. At exactly {PC_GPA} GPa the forward model has no critical point, and "
        f"{PC_GPA} GPa lies {'within' if within else 'outside'} what rounding leaves open.",
        "critical_point/critical_point.json",
    )


def second_derivative(evidence: Mapping[str, Any]) -> Finding:
    """F_VV is negative somewhere at 160 K and positive everywhere at 165 K."""
    table = evidence["second_derivative"]
    lowest = table.groupby("temperature_K")["helmholtz_VV_eV_per_A6"].min() * 1e3
    if not {BELOW_K, ABOVE_K} <= {*lowest.index}:
        return Finding(
            "",
            "",
            Verdict.NOT_RUN,
            f"materials.second_derivative.temperatures has {[*lowest.index]}, the rule asks for "
            f"{BELOW_K:g} and {ABOVE_K:g} K.",
            "free_energy/second_derivative.csv",
        )
    below, above = float(lowest[BELOW_K]), float(lowest[ABOVE_K])
    return Finding(
        f"min F_VV = {below:.3f} at {BELOW_K:g} K and {above:.3f} at {ABOVE_K:g} K, in meV atom/Å⁶",
        SOLVER,
        Verdict.HOLDS if below < 0 < above else Verdict.FAILS,
        f"The lowest F_VV over the volume window is {'negative' if below < 0 else 'not negative'} at "
        f"{BELOW_K:g} K and {'positive' if above > 0 else 'not positive'} at {ABOVE_K:g} K.",
        "free_energy/second_derivative.csv",
    )


def _rounding(evidence: Mapping[str, Any], name: str, digits: str, unit: str) -> str:
    """The 95 % interval that the digits left unprinted in Table S1 leave open."""
    told = evidence["uncertainty"]
    found = told["critical_point"][name]
    return (
        f"95 % within {found['low']:{digits}}-{found['high']:{digits}} {unit} "
        f"({found['solved']} tables that round to Table S1)"
    )


RULES: dict[str, Rule] = {
    "fe3pt-table-rows": table_rows,
    "fe3pt-eos-fit": eos_fit,
    "fe3pt-dft-tc": critical_temperature,
    "fe3pt-dft-pc": critical_pressure,
    "fe3pt-d2f-160": second_derivative,
}


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Decide the claims from the results of the subject's steps."""
    critical = read_json(inputs["critical_point"] / "critical_point.json")
    reference = read_json(inputs["free_energy"] / "reference_state.json")
    uncertainty = read_json(inputs["uncertainty"] / "uncertainty.json")
    windows = pd.read_csv(inputs["phase_diagram"] / "negative_thermal_expansion.csv")
    expansion: dict[str, float] = {}
    evidence = {
        "equation_of_state": pd.read_csv(inputs["eos_round_trip"] / "equation_of_state.csv"),
        "critical_point": critical,
        "second_derivative": pd.read_csv(inputs["free_energy"] / "second_derivative.csv"),
        "uncertainty": uncertainty,
    }
    ambient = windows[windows["pressure_GPa"] == ATMOSPHERE_GPA]
    if not ambient.empty:
        window = ambient.iloc[0]
        expansion = {
            "negative_expansion_at_1_atm_from_K": window["low_K"],
            "negative_expansion_at_1_atm_to_K": window["high_K"],
        }
    rounding = uncertainty["critical_point"]
    metrics = {
        "critical_temperature_K": critical["temperature_K"],
        "critical_pressure_GPa": critical["pressure_GPa"],
        "critical_volume_A3_per_atom": critical["volume_A3_per_atom"],
        "reference_volume_A3_per_atom": reference["volume_A3_per_atom"],
        "critical_temperature_rounding_K": rounding["temperature_K"]["standard_deviation"],
        "critical_pressure_rounding_GPa": rounding["pressure_GPa"]["standard_deviation"],
        **expansion,
    }
    write_evidence(RULES, evidence, metrics, params["scale"], inputs, out)
