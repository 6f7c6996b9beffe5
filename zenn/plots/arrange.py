"""Result tables as figures show them: columns chosen and named, units for reading, tables below each other.

Nothing physical is computed here. The only new numbers are units (k_B per atom), V/V_N, sums of
probabilities, differences to a table's first row, and the ellipse of a sample's covariance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

REST = "others"
CLOSE_PRESSURES = 1e-3  # GPa: isobars closer than this cannot be told apart in a drawing
ELLIPSE_POINTS = 121
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def stacked(**tables: pd.DataFrame) -> pd.DataFrame:
    """Tables below each other; the first column, `series`, says which one a row is from.

    Columns that a table does not have are empty in its rows.
    """
    named = [table.assign(series=name.replace("_", " ")) for name, table in tables.items()]
    columns = list(dict.fromkeys(["series", *(column for table in named for column in table)]))
    filled = [table for table in named if not table.empty]
    if not filled:
        return pd.DataFrame(columns=columns)
    return pd.concat(filled, ignore_index=True).reindex(columns=columns)


def in_panels(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The tables of a figure's panels below each other; the first column, `panel`, is the panel's letter."""
    labelled = [table.assign(panel=letter) for letter, table in panels.items() if not table.empty]
    columns = list(
        dict.fromkeys(["panel", "series", *(c for table in panels.values() for c in table if c != "panel")])
    )
    if not labelled:
        return pd.DataFrame(columns=columns)
    return pd.concat(labelled, ignore_index=True).reindex(columns=columns)


def branches(isobars: pd.DataFrame, pressure: str = "pressure_GPa") -> pd.DataFrame:
    """Isobars with a column `branch`, from 1: a temperature that stands twice is a first-order transition."""
    numbered = isobars.groupby(pressure)["temperature_K"].transform(lambda t: (t.diff() == 0).cumsum() + 1)
    return isobars.assign(branch=numbered.astype(int))


def distinct_pressures(isobars: pd.DataFrame) -> pd.DataFrame:
    """Isobars that can be told apart: of two that nearly coincide, the one of higher pressure."""
    pressures = np.sort(isobars["pressure_GPa"].unique())
    followed = np.append(np.diff(pressures) < CLOSE_PRESSURES, False)
    return isobars[isobars["pressure_GPa"].isin(pressures[~followed])]


def edges(lines: pd.DataFrame) -> pd.DataFrame:
    """Spinodals or binodals as one curve per side: `side` is 'smaller volume' or 'larger volume'."""
    sides = [
        pd.DataFrame(
            {
                "side": f"{side} volume",
                "line": lines["line"],
                "temperature_K": lines["temperature_K"],
                "volume_A3_per_atom": lines[f"{side}_volume_A3_per_atom"],
                "pressure_GPa": lines[f"pressure_at_{side}_GPa"],
            }
        )
        for side in ("smaller", "larger")
    ]
    return pd.concat(sides, ignore_index=True)


def over_reference(table: pd.DataFrame, reference: float) -> pd.DataFrame:
    """The table with V/V_N beside V; `reference` is V_N in Å3/atom."""
    return table.assign(volume_over_reference=table["volume_A3_per_atom"] / reference)


def thinned(table: pd.DataFrame, column: str, most: int) -> pd.DataFrame:
    """Rows of at most `most` evenly spaced values of `column`, among them the first and the last."""
    values = np.sort(table[column].unique())
    kept = values[np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))]
    return table[table[column].isin(kept)]


def entropy_per_boltzmann(table: pd.DataFrame, boltzmann: float) -> pd.Series:
    """Entropy in k_B per atom; `boltzmann` is k_B in eV/K."""
    return table["entropy_eV_per_K_per_atom"] / boltzmann


def leading_probabilities(
    probabilities: pd.DataFrame, degeneracies: Mapping[str, int], number: int
) -> pd.DataFrame:
    """Probabilities along isobars of the `number` configurations that ever become likeliest; the rest summed.

    The order is that of the largest probability anywhere; `degeneracies` are by configuration.
    """
    table = branches_of_configurations(probabilities)
    highest = table.groupby("configuration")["probability"].max().sort_values(ascending=False, kind="stable")
    chosen = list(highest.index[:number])
    rest = table[~table["configuration"].isin(chosen)]
    state = ["pressure_GPa", "branch", "temperature_K", "volume_A3_per_atom"]
    summed = rest.groupby(state, as_index=False)["probability"].sum().assign(configuration=REST)
    shown = [table[table["configuration"] == name] for name in chosen]
    found: pd.DataFrame = pd.concat([*shown, *([] if rest.empty else [summed])], ignore_index=True)
    several = {REST: sum(degeneracies[name] for name in rest["configuration"].unique())}
    found["degeneracy"] = found["configuration"].map({**degeneracies, **several})
    return found.reindex(columns=["configuration", "degeneracy", *state, "probability"])


def branches_of_configurations(probabilities: pd.DataFrame) -> pd.DataFrame:
    """`branches` for a table with several configurations per state; names become text."""
    table = probabilities.assign(configuration=probabilities["configuration"].astype(str))
    numbered = table.groupby(["pressure_GPa", "configuration"])["temperature_K"].transform(
        lambda t: (t.diff() == 0).cumsum() + 1
    )
    return table.assign(branch=numbered.astype(int))


def covariance_ellipse(samples: pd.DataFrame, x: str, y: str, share: float = 0.95) -> pd.DataFrame:
    """The ellipse that holds `share` of a normal distribution with the samples' mean and covariance.

    A closed curve in the columns `x` and `y`; empty with fewer than three complete samples.
    """
    points = samples[[x, y]].dropna().to_numpy()
    if len(points) < 3:
        return pd.DataFrame({x: [], y: []})
    lengths, directions = np.linalg.eigh(np.cov(points.T))
    radius = np.sqrt(-2.0 * np.log(1.0 - share) * np.clip(lengths, 0.0, None))
    angle = np.linspace(0.0, 2.0 * np.pi, ELLIPSE_POINTS)
    # The sign of an eigenvector is the library's choice: fixed here, so that the curve starts at one place.
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), [0, 1]])
    curve = points.mean(axis=0) + (np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius) @ directions.T
    return pd.DataFrame({x: curve[:, 0], y: curve[:, 1]})


def differences_to_first(table: pd.DataFrame, units: Sequence[str]) -> pd.DataFrame:
    """The table with a column `..._change_<unit>` behind each numeric one that ends in one of `units`."""
    shown = {}
    for name in table:
        shown[name] = table[name]
        unit = next((unit for unit in units if str(name).endswith(f"_{unit}")), None)
        if unit and pd.api.types.is_numeric_dtype(table[name]):
            shown[f"{str(name).removesuffix(f'_{unit}')}_change_{unit}"] = table[name] - table[name].iloc[0]
    return pd.DataFrame(shown)


def expansion_windows(windows: pd.DataFrame, turning_points: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Windows of negative thermal expansion, with the intervals of those ends that are turning points.

    `turning_points` have pressure_GPa, turning_point_K, low and high.
    """
    known = {
        (float(point["pressure_GPa"]), round(float(point["turning_point_K"]), 6)): point
        for point in turning_points
    }
    rows = []
    for window in windows.to_dict("records"):
        row = {"pressure_GPa": window["pressure_GPa"]}
        for name, end in (("from", "low"), ("to", "high")):
            point = known.get((float(window["pressure_GPa"]), round(float(window[f"{end}_K"]), 6)), {})
            row |= {
                f"{name}_K": window[f"{end}_K"],
                f"{name}_interval_begins_K": point.get("low"),
                f"{name}_interval_ends_K": point.get("high"),
                f"{name}_is": window[f"{end}_end"],
            }
        row |= {
            "strongest_expansion_per_K": window["strongest_per_K"],
            "strongest_at_K": window["strongest_at_K"],
        }
        rows.append(row)
    return pd.DataFrame(rows)


def printed_numbers(claims: pd.DataFrame, claim: str) -> list[float]:
    """The numbers that the register says the paper prints for a claim, in their order.

    >>> register = pd.DataFrame({"id": ["a"], "paper_value": ["160-165 K"]})
    >>> printed_numbers(register, "a")
    [160.0, 165.0]
    """
    (printed,) = claims.loc[claims["id"] == claim, "paper_value"]
    return [float(number) for number in NUMBER.findall(str(printed))]
