"""Figures of the forward Fe3Pt part: what is drawn and named, units, jumps, and tables that are empty."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from zenn.plots import arrange, mixture, phase_diagram, schematic
from zenn.plots.style import GREY, save

PRINTED = {
    "paper, ZENN": pd.DataFrame({"temperature_K": [161.0], "pressure_GPa": 6.5}),
    "paper, DFT": pd.DataFrame({"temperature_K": [160.0, 165.0], "pressure_GPa": 6.5}),
}
ISOBARS = pd.DataFrame(
    {
        "pressure_GPa": [0.0] * 2 + [1.01325e-4] * 2 + [7.0] * 4,
        "temperature_K": [0.0, 100.0, 0.0, 100.0, 0.0, 50.0, 50.0, 100.0],
        "volume_A3_per_atom": [13.0, 13.1, 13.0, 13.1, 12.7, 12.7, 12.5, 12.55],
    }
)
LINES = pd.DataFrame(
    {
        "line": [1, 1],
        "temperature_K": [0.0, 60.0],
        "smaller_volume_A3_per_atom": [12.4, 12.6],
        "larger_volume_A3_per_atom": [12.7, 12.6],
        "pressure_at_smaller_GPa": [7.7, 6.5],
        "pressure_at_larger_GPa": [7.7, 6.5],
    }
)
POINT = pd.DataFrame({"temperature_K": [60.0], "pressure_GPa": [6.5], "volume_A3_per_atom": [12.6]})
SINGLE = pd.DataFrame(
    {
        "configuration": ["1", "1", "2", "2"],
        "degeneracy": [2, 2, 6, 6],
        "volume_A3_per_atom": [12.5, 13.0] * 2,
        "helmholtz_eV_per_atom": [0.1, 0.2, 0.3, 0.4],
        "entropy_kB_per_atom": [2e-4, 3e-4, 4e-4, 5e-4],
    }
)


def labels(figure: Figure) -> list[str]:
    """Every entry of the figure's legends."""
    legends = [*figure.legends, *(a.get_legend() for a in figure.axes if a.get_legend())]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def fig_4() -> pd.DataFrame:
    isotherms = pd.DataFrame(
        {
            "series": "isotherm",
            "temperature_K": [5.0, 5.0, 600.0, 600.0],
            "volume_A3_per_atom": [12.5, 13.0] * 2,
            "helmholtz_plus_PV_eV_per_atom": [0.5, 0.6, 0.3, 0.4],
        }
    )
    diagram = arrange.stacked(
        isobar=arrange.branches(arrange.distinct_pressures(ISOBARS)),
        binodal=arrange.edges(LINES),
        spinodal=arrange.edges(LINES),
        critical_point=POINT,
        reference_state=POINT.assign(temperature_K=298.0, pressure_GPa=1.01325e-4),
    )
    mixed = SINGLE[:2].drop(columns=["configuration", "degeneracy"])
    single = arrange.stacked(configuration=SINGLE, mixture=mixed)
    return arrange.over_reference(
        arrange.in_panels({"a": isotherms, "b": diagram, "cd": single}), reference=13.0
    )


def pressure_diagram() -> pd.DataFrame:
    return arrange.stacked(
        **{
            "first-order line": arrange.edges(LINES)[:2],
            "rounding band": pd.DataFrame(
                {"temperature_K": [0.0, 50.0], "low_GPa": [7.6, 6.4], "high_GPa": [7.8, 6.6]}
            ),
            "spinodal": arrange.edges(LINES),
            "crossover": pd.DataFrame({"temperature_K": [60.0, 90.0], "pressure_GPa": [6.5, 0.0]}),
            "critical point": POINT,
            **PRINTED,
        }
    )


def test_fig_4_names_everything_and_its_units(tmp_path):
    table = fig_4()
    figure = phase_diagram.free_energy_and_phase_diagram(table, 6.53, 5.0)
    a, b, c, each, d = figure.axes
    assert [a.get_title("left") for a in (a, b, c, d)] == ["(a)", "(b)", "(c)", "(d)"]
    assert "eV/atom" in a.get_ylabel()
    assert "6.53 GPa" in a.get_ylabel()
    assert "(K)" in b.get_ylabel()
    assert "k_B" in c.get_ylabel()
    assert "k_B" in each.get_ylabel()
    assert "eV/atom" in d.get_ylabel()
    assert all("V/V_N" in axis.get_xlabel() for axis in (a, b, each, d))
    assert c.get_title() == d.get_title() == "5 K"
    named = labels(figure)
    assert {"5 K", "600 K", "binodal", "spinodal", "1 atm", "7 GPa", "critical point"} <= {*named}
    assert "$V_N$ (298 K, 1 atm)" in named
    assert {"2", "6", "mixture"} <= {*named}
    assert "0 GPa" not in named  # it lies on the isobar of 1 atm
    assert len(named) == len({*named})
    save(figure, table, tmp_path, "figure")  # all its curves are in its table


def test_a_first_order_jump_is_dotted_never_solid():
    _, diagram, *_ = phase_diagram.free_energy_and_phase_diagram(fig_4(), 6.53, 5.0).axes
    volumes = np.array([12.7, 12.5]) / 13.0
    across = [line for line in diagram.get_lines() if {*volumes} <= {*line.get_xdata()}]
    assert [line.get_linestyle() for line in across] == [":"]
    assert [*across[0].get_ydata()] == [50.0, 50.0]


def test_pressure_temperature_says_what_is_no_boundary(tmp_path):
    table = pressure_diagram()
    figure = phase_diagram.pressure_temperature(table)
    whole, close = figure.axes
    assert all("(GPa)" in axis.get_xlabel() and "(K)" in axis.get_ylabel() for axis in figure.axes)
    assert whole.get_xlim()[0] == whole.get_ylim()[0] == 0.0
    assert close.get_xlim() == pytest.approx((6.25, 6.75))
    (crossover,) = [text for text in labels(figure) if "crossover" in text]
    assert "no phase boundary" in crossover
    assert any("161 K at 6.5 GPa" in text for text in labels(figure))
    assert any("160–165 K" in text for text in labels(figure))
    save(figure, table, tmp_path, "figure")


def test_critical_point_beside_the_papers_values(tmp_path):
    samples = pd.DataFrame(
        {"pressure_GPa": [6.4, 6.5, 6.6, math.nan], "temperature_K": [164.5, 164.0, 164.2, math.nan]}
    )
    table = arrange.stacked(
        sample=samples.dropna(),
        ellipse=arrange.covariance_ellipse(samples, "pressure_GPa", "temperature_K"),
        as_printed=POINT,
        **PRINTED,
    )
    figure = phase_diagram.critical_point(table)
    assert "(GPa)" in figure.axes[0].get_xlabel()
    assert "(K)" in figure.axes[0].get_ylabel()
    assert "digits of Table S1 varied (3 samples)" in labels(figure)
    assert {"paper: 6.5 GPa", "paper, DFT: 160–165 K"} <= {*labels(figure)}
    save(figure, table, tmp_path, "figure")


def test_probabilities_and_the_rest(tmp_path):
    rows = [
        (pressure, name, temperature, 12.5, p)
        for pressure in (0.0, 6.5)
        for name, p in (("1", 0.7), ("2", 0.2), ("3", 0.06), ("4", 0.04))
        for temperature in (0.0, 50.0, 50.0, 100.0)
    ]
    columns = ["pressure_GPa", "configuration", "temperature_K", "volume_A3_per_atom", "probability"]
    table = arrange.leading_probabilities(
        pd.DataFrame(rows, columns=columns), {"1": 2, "2": 6, "3": 12, "4": 24}, number=2
    )
    assert list(dict.fromkeys(table["configuration"])) == ["1", "2", "others"]
    assert table.loc[table["configuration"] == "others", "probability"].to_numpy() == pytest.approx(0.1)
    total = table.groupby(["pressure_GPa", "branch", "temperature_K"])["probability"].sum()
    assert total.to_numpy() == pytest.approx(1.0)
    assert len(total) == 8  # both sides of the transition are kept
    figure = mixture.probabilities(table)
    assert labels(figure) == ["1 (2)", "2 (6)", "others (36)"]
    assert [axis.get_title() for axis in figure.axes] == ["0 GPa", "6.5 GPa"]
    (others,) = {to_hex(x.get_color()) for x in figure.axes[0].get_lines() if x.get_linestyle() == "--"}
    assert others == GREY.lower()
    save(figure, table, tmp_path, "figure")


@pytest.mark.parametrize("lowest", [-50.0, -859.4])
def test_properties_have_units_and_a_clipped_axis_says_so(tmp_path, lowest):
    table = pd.DataFrame(
        {
            "pressure_GPa": [0.0, 0.0],
            "branch": [1, 1],
            "temperature_K": [0.0, 100.0],
            **{name: [0.0, 1.0] for name in mixture.PROPERTIES},
        }
    ).assign(thermal_expansion_1e6_per_K=[0.0, lowest])
    figure = mixture.properties(table)
    for axis, unit in zip(figure.axes, ("k_B", "k_B", "GPa", "10$^{-6}$/K"), strict=True):
        assert unit in axis.get_ylabel()
        assert "(K)" in axis.get_xlabel()
    notes = [text.get_text() for text in figure.axes[-1].texts]
    assert notes == (["goes on to −859"] if lowest < -100 else [])
    save(figure, table, tmp_path, "figure")


def test_tables_without_rows_give_figures_without_curves(tmp_path):
    empty = pd.DataFrame(columns=["panel", *fig_4().columns[1:]])
    drawn = [
        phase_diagram.free_energy_and_phase_diagram(empty, 6.53, 5.0),
        phase_diagram.pressure_temperature(pressure_diagram()[:0]),
        mixture.properties(pd.DataFrame(columns=["pressure_GPa", "branch", *mixture.PROPERTIES])),
    ]
    for number, figure in enumerate(drawn):
        curves = [x for axis in figure.axes for x in axis.get_lines() if x.get_transform() == axis.transData]
        assert curves == []
        assert labels(figure) == []
        assert all(axis.get_xlabel() or axis.get_ylabel() for axis in figure.axes)
        save(figure, pd.DataFrame({"x": [1.0]}), tmp_path, f"empty-{number}")


def test_a_solid_without_a_critical_point_is_drawn(tmp_path):
    table = pressure_diagram()
    table = table[table["series"] == "crossover"]
    figure = phase_diagram.pressure_temperature(table)
    assert not any("critical point" in text for text in labels(figure))
    save(figure, table, tmp_path, "figure")


def test_branches_change_where_a_temperature_stands_twice():
    assert list(arrange.branches(ISOBARS)["branch"]) == [1, 1, 1, 1, 1, 1, 2, 2]


def test_isobars_that_coincide_are_shown_once():
    assert list(arrange.distinct_pressures(ISOBARS)["pressure_GPa"].unique()) == [1.01325e-4, 7.0]


def test_thinning_keeps_both_ends():
    table = pd.DataFrame({"x": [*range(100)] * 2})
    kept = arrange.thinned(table, "x", most=12)
    assert sorted(kept["x"].unique())[:: kept["x"].nunique() - 1] == [0, 99]
    assert kept["x"].nunique() == 12
    assert len(kept) == 24
    assert len(arrange.thinned(table, "x", most=1000)) == 200


def test_the_ellipse_holds_its_share():
    rng = np.random.default_rng(0)
    points = pd.DataFrame(rng.multivariate_normal([6.5, 164.0], [[0.04, 0.03], [0.03, 0.09]], 20000))
    points.columns = ["P", "T"]
    curve = arrange.covariance_ellipse(points, "P", "T").to_numpy()
    centre, inverse = points.mean().to_numpy(), np.linalg.inv(points.cov().to_numpy())
    on_curve = np.einsum("ij,jk,ik->i", curve - centre, inverse, curve - centre)
    assert on_curve == pytest.approx(-2 * math.log(0.05))
    within = np.einsum("ij,jk,ik->i", points - centre, inverse, points - centre) <= on_curve[0]
    assert within.mean() == pytest.approx(0.95, abs=0.005)
    assert curve[0] == pytest.approx(curve[-1])
    assert arrange.covariance_ellipse(points[:2], "P", "T").empty


def test_differences_are_to_the_first_row():
    table = arrange.differences_to_first(
        pd.DataFrame({"assumption": ["as given", "x"], "value": [math.nan, 1.0], "T_K": [160.0, 163.5]}),
        units=("K",),
    )
    assert list(table) == ["assumption", "value", "T_K", "T_change_K"]
    assert list(table["T_change_K"]) == [0.0, 3.5]


def test_windows_get_intervals_at_turning_points_only():
    windows = pd.DataFrame(
        {
            "pressure_GPa": [7.0],
            "low_K": [82.7],
            "high_K": [110.8],
            "low_end": ["turning point"],
            "high_end": ["transition"],
            "strongest_per_K": [-5e-5],
            "strongest_at_K": [110.8],
        }
    )
    turning = [{"pressure_GPa": 7.0, "turning_point_K": 82.7, "low": 81.0, "high": 84.5}]
    (row,) = arrange.expansion_windows(windows, turning).to_dict("records")
    assert (row["from_interval_begins_K"], row["from_interval_ends_K"]) == (81.0, 84.5)
    assert row["to_interval_begins_K"] is None
    assert row["to_is"] == "transition"
    assert arrange.expansion_windows(windows[:0], []).empty


def test_the_schematic_says_what_the_registers_say(tmp_path):
    claims = pd.DataFrame(
        {"id": ["fe3pt-a", "landscape-b", "cifar-c", "params-d", "laws-e"], "paper": ["zenn"] * 4 + ["laws"]}
    )
    artefacts = pd.DataFrame(
        {
            "paper": ["zenn", "zenn", "zenn", "laws", "beyond"],
            "subject": ["materials", "materials", "classification", "laws", "materials"],
            "step": ["materials/figures", None, None, None, "materials/figures"],
            "part": ["DFT", None, None, None, None],
        }
    )
    counts = schematic.counts(claims, artefacts)
    assert counts["materials"] == {"claims": 1, "artefacts": 2, "made": 1, "in_part": 1}
    assert counts["classification"] == {"claims": 2, "artefacts": 1, "made": 0, "in_part": 0}
    constants = {name: {"boltzmann_constant": 0.25, "gamma": 7.0} for name in counts}
    parts = schematic.parts(counts, constants, ["Set one", "Set two"], 36, 500)
    figure = schematic.schematic(parts)
    (axis,) = figure.axes
    text = " ".join(text.get_text() for text in axis.texts)
    for said in ("Set one, Set two", "36 configurations", "500", "k_B = 0.25", r"\gamma = 7"):
        assert said in text
    assert "figures and tables made: 1 of 2 (1 of them in part)" in text
    boxes, arrows = parts[parts["kind"] != "arrow"], parts[parts["kind"] == "arrow"]
    assert {*arrows["from"], *arrows["to"]} <= {*boxes["id"]}
    save(figure, parts, tmp_path, "figure")


def test_the_schematics_texts_stay_in_their_boxes():
    counts = {
        name: {"claims": 99, "artefacts": 99, "made": 98, "in_part": 97} for name in schematic.APPLICATIONS
    }
    constants = {name: {"boltzmann_constant": 0.1, "gamma": 100.0} for name in counts}
    names = ["CIFAR-10 and CIFAR-100", "BBC News", "AG News"]
    figure = schematic.schematic(schematic.parts(counts, constants, names, 36, 500))
    figure.draw_without_rendering()
    (axis,) = figure.axes
    to_data = axis.transData.inverted()
    for text in axis.texts:
        left, right = to_data.transform(text.get_window_extent())[:, 0]
        assert right - left < schematic.BOX_WIDTH, text.get_text()
