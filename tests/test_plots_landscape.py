"""Figures of the inverse problem: what is drawn and named, units, what is missing, and tables over seeds."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from zenn.errors import ZennError
from zenn.plots import arrange, landscape, landscape_errors, landscape_fe3pt
from zenn.plots import landscape_tables as tables
from zenn.plots.landscape_fe3pt import DFT, ZENN
from zenn.plots.style import BLACK, BLUE, VERMILION, save

MODELS = ("zenn", "icnn_printed", "icnn_standard", "icnn_sobolev", "mlp_small", "mlp_large")
CRITICAL = {"temperature_K": 164.0, "pressure_GPa": 6.5}
LABELS = {"parameters": 2520, "loss": 1e-9}


def labels(figure: Figure) -> list[str]:
    """Every entry of the figure's legends."""
    legends = [*figure.legends, *(a.get_legend() for a in figure.axes if a.get_legend())]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def curves(axis: Axes) -> list:
    """The lines in data coordinates that have points."""
    lines = [line for line in axis.get_lines() if line.get_transform() == axis.transData]
    return [line for line in lines if len(line.get_xdata())]


def points(axis: Axes) -> np.ndarray:
    """All scattered points that are there, shape (N, 2)."""
    found = [np.ma.filled(c.get_offsets(), np.nan) for c in axis.collections]
    together = np.concatenate([f for f in found if len(f)] or [np.empty((0, 2))])
    return together[np.isfinite(together).all(axis=1)]


def fig_3() -> pd.DataFrame:
    x = np.array([-1.0, 0.0, 1.0])
    surface = pd.DataFrame(
        {
            "temperature": np.repeat([1.0, 3.0], 3),
            "x": np.tile(x, 2),
            "F_over_kT": [0.0, 0.2, 0.0, 1.0, 0.4, 1.0],
        }
    )
    shown = []
    for shift, model in enumerate(landscape.IN_FIG_3):
        branch = pd.DataFrame(
            {
                "model": model,
                "branch": 0,
                "x": [1.0 + shift, 0.5, 0.2, 0.1],
                "temperature": [1.0, 1.7, 1.8, 1.2],
                "stable": [1, 1, 0, 0],
            }
        )
        line = pd.DataFrame({"model": model, "line": 0, "x": x[:2], "temperature": [1.0, 2.0]})
        profiles = pd.concat(
            [
                pd.DataFrame(
                    {"model": model, "temperature": T, "x": x, "F_over_kT": x**2, "F_x": T * x, "F_xx": T}
                )
                for T in (1.0, 2.0)
            ]
        )
        shown.append((branch, line, profiles))
    panels = (pd.concat(parts) for parts in zip(*shown, strict=True))
    return arrange.in_panels({"a": surface, **dict(zip(("b", "c", "def"), panels, strict=True))})


def benchmark() -> pd.DataFrame:
    """Metrics of the benchmark: the standard ICNN never has a critical point, the printed one not always."""
    rows = []
    for number, model in enumerate(MODELS):
        for seed in (1, 2, 3):
            error = 10.0 ** (number - 6) * seed
            none = model == "icnn_standard" or (model == "icnn_printed" and seed == 2)
            found = dict.fromkeys(("rms_F", "rms_F_x", "rms_F_xx", "largest_F_xx", "rms_F_at_2"), error)
            rows.append(
                {
                    "model": model,
                    "seed": seed,
                    "parameters": 1260,
                    **found,
                    "zero_line": error,
                    "temperature": math.nan if none else 2 - error,
                    "eq19_temperature": math.nan if none else 2 + 2 * error,
                    "eq19_roots": 0 if none else 2,
                    **{f"crossings_at_{T}": 2 for T in ("1", "1.5", "2.5", "3")},
                    "right_crossings": 4,
                }
            )
    return pd.DataFrame(rows)


def three_wells() -> pd.DataFrame:
    rows = [(model, n, 6 if model == "zenn" else 0, seed, seed * 10.0 ** -(n // 8))
            for model in ("zenn", "icnn_printed") for n in (8, 16) for seed in (1, 2, 3)]  # fmt: skip
    rows += [("zenn", 16, K, seed, seed / K) for K in (1, 2) for seed in (1, 2, 3)]
    columns = ["model", "training_points", "configurations", "seed", "largest_p_error"]
    return pd.DataFrame(rows, columns=columns)


def fe3pt() -> pd.DataFrame:
    """Metrics of Fe3Pt: K and lambda vary; k1 and one seed of k12 have no critical point."""
    rows = []
    for model, K, convexity in (
        ("k12", 12, 1e-4),
        ("k1", 1, 1e-4),
        ("k4", 4, 1e-4),
        ("lambda_0", 12, 0.0),
        ("lambda_0.01", 12, 1e-2),
        ("k12_free_entropy", 12, 1e-4),
    ):
        for seed in (1, 2, 3):
            none = model == "k1" or (model == "k12" and seed == 3)
            rows.append(
                {
                    **{"model": model, "configurations": K, "convexity": convexity, "seed": seed},
                    "loss": 1e-9 * (seed + 1) % 3e-9,
                    "temperature_K": math.nan if none else 164.0 + seed,
                    "pressure_GPa": math.nan if none else 6.5 - 0.01 * seed,
                    "volume_A3_per_atom": math.nan if none else 12.6,
                    "largest_F_error_eV_per_atom": 1e-5 * seed,
                    "lowest_curvature_eV_per_A6": -0.01 * seed,
                }
            )
    return tables.fe3pt_errors(pd.DataFrame(rows), CRITICAL)


def curve(**columns: object) -> pd.DataFrame:
    """A curve over volumes at 5 K, or what `columns` say."""
    volumes = np.array([12.2, 12.6, 13.0])
    base = {
        "temperature_K": 5.0,
        "volume_A3_per_atom": volumes,
        "helmholtz_eV_per_atom": (volumes - 12.7) ** 2,
    }
    return pd.DataFrame({**base, **columns})


def mixture(temperatures: tuple[float, ...] = (5.0,), truth: bool = True) -> pd.DataFrame:
    """Configurations and totals as Figs. 4c and S6 take them."""
    entropy = np.array([0.3, 0.2, 0.1])
    both = []
    for T in temperatures:
        each = [curve(temperature_K=T, configuration=k, entropy_kB_per_atom=k * entropy) for k in (1, 2)]
        fitted = curve(temperature_K=T, entropy_kB_per_atom=entropy, eq1_entropy_kB_per_atom=2 * entropy)
        total = [fitted.assign(source=ZENN)]
        if truth:
            total.append(curve(temperature_K=T, entropy_kB_per_atom=entropy + 0.01).assign(source=DFT))
        stable = pd.DataFrame({"temperature_K": [T], "pressure_GPa": 6.53, "volume_A3_per_atom": 12.6})
        both.append(
            arrange.stacked(
                configuration=pd.concat(each).assign(source=ZENN),
                total=pd.concat(total),
                stable_volume=stable,
            )
        )
    table = pd.concat(both, ignore_index=True)
    return arrange.over_reference(
        table.assign(helmholtz_plus_PV_eV_per_atom=table["helmholtz_eV_per_atom"] + 0.5), 13.0
    )


def fig_4() -> pd.DataFrame:
    isotherms = pd.concat([curve(temperature_K=T, source=s) for T in (5.0, 600.0) for s in (ZENN, DFT)])
    isobars = pd.DataFrame(
        {
            "pressure_GPa": [0.0, 0.0, 6.53, 6.53],
            "temperature_K": [5.0, 10.0] * 2,
            "volume_A3_per_atom": [13.0, 13.01, 12.7, 12.5],
        }
    )
    zero = pd.DataFrame(
        {"line": 0, "temperature_K": [5.0, 9.0, 5.0], "volume_A3_per_atom": [12.55, 12.6, 12.65]}
    )
    point = pd.DataFrame({"temperature_K": [9.0], "pressure_GPa": 6.6, "volume_A3_per_atom": 12.6})
    both = [
        arrange.stacked(isobar=tables.parted(isobars, zero), zero_line=line, critical_point=point).assign(
            source=source
        )
        for source, line in ((ZENN, zero), (DFT, zero.assign(side="smaller volume")))
    ]
    panels = {
        "a": isotherms.assign(helmholtz_plus_PV_eV_per_atom=isotherms["helmholtz_eV_per_atom"] + 0.5),
        "b": pd.concat(both, ignore_index=True),
        "c": mixture(),
    }
    return arrange.over_reference(arrange.in_panels(panels), 13.0)


def test_fig_3_has_the_papers_panels_colours_and_stability(tmp_path):
    table = fig_3()
    figure = landscape.recovered_landscape(table)
    lettered = [axis for axis in figure.axes if axis.get_title("left")]
    assert [axis.get_title("left") for axis in lettered] == [f"({letter})" for letter in "abcdef"]
    assert len(figure.axes) == 3 + 1 + 3 * 2  # with the colour bar
    _, b, c, d, e, f = lettered
    for axis in (b, c):
        assert axis.get_xlabel() == "temperature $T$"
        assert axis.get_ylabel() == "position $x$"
    assert [a.get_ylabel() for a in (d, e, f)] == [*landscape._ROWS.values()]
    assert d.get_title() == "$T = 1$"
    assert {to_hex(line.get_color()) for line in curves(d)} == {c.lower() for c in (BLACK, BLUE, VERMILION)}
    widths = {line.get_linewidth() for line in curves(d)}
    markers = {line.get_marker() for line in curves(d)}
    assert len(widths) == 2  # what coincides is still seen, without colour
    assert len(markers) == 2
    solid, dashed = ([x for x in curves(b) if x.get_linestyle() == style] for style in ("-", "--"))
    assert [*solid[0].get_xdata()] == [1.0, 1.7, 1.8]  # up to where the next stretch begins
    assert [*dashed[0].get_xdata()] == [1.8, 1.2]
    assert len(solid) == len(dashed) == 3
    assert {"exact", "ZENN", "ICNN, as printed"} <= {*labels(figure)}
    save(figure, table, tmp_path, "figure")


def test_all_networks_every_seed_and_none(tmp_path):
    metrics = tables.benchmark_errors(benchmark())
    table = tables.seeds_and_median(metrics, ["model", "parameters"], list(landscape_errors.BENCHMARK_ERRORS))
    figure = landscape_errors.models(table)
    first, *_, last = figure.axes
    assert [text.get_text().split("\n")[0] for text in first.get_yticklabels()] == [
        landscape.NAMES[model] for model in MODELS
    ]
    assert "1,260 parameters" in first.get_yticklabels()[0].get_text()
    shown = points(first)
    assert len(shown) == len(MODELS) * 4  # three seeds and their median
    assert sorted(shown[shown[:, 1] == 0.0][:, 0]) == pytest.approx([1e-6, 2e-6, 2e-6, 3e-6])
    notes = [text.get_text() for text in last.texts]
    assert sorted(notes) == ["none in 1 of 3"] * 2 + ["none in 3 of 3"] * 2  # both critical temperatures
    assert all(axis.get_xscale() == "log" for axis in figure.axes)
    for axis in figure.axes:
        low, high = axis.get_xlim()
        assert ((points(axis)[:, 0] > low) & (points(axis)[:, 0] < high)).all()
    save(figure, table, tmp_path, "figure")


def test_figs_s3_and_s4_have_all_seeds_and_the_median(tmp_path):
    chosen = tables.at_one_number(three_wells(), 6)
    assert {*chosen.loc[chosen["model"] == "zenn", "configurations"]} == {6}
    table = tables.seeds_and_median(chosen, ["model", "training_points"], ["largest_p_error"])
    table = tables.side_by_side(table, by="model", x="training_points")
    figure = landscape_errors.training_points(table)
    (axis,) = figure.axes
    assert labels(figure) == ["ZENN", "ICNN, as printed"]
    zenn, _ = curves(axis)
    assert [*zenn.get_xdata()] == pytest.approx([8 - 1.6, 16 - 1.6])  # side by side, a fifth of the distance
    assert [*axis.get_xticks()] == [8, 16]
    assert [*zenn.get_ydata()] == pytest.approx([0.2, 0.02])
    assert len(points(axis)) == 12
    assert "per coordinate" in axis.get_xlabel()
    assert r"p_\mathrm{error}" in axis.get_ylabel()
    save(figure, table, tmp_path, "s3")
    sweep = tables.largest_sweep(three_wells())
    table = tables.seeds_and_median(sweep, ["configurations", "training_points"], ["largest_p_error"])
    figure = landscape_errors.configurations(table)
    assert [*curves(figure.axes[0])[0].get_xdata()] == [1, 2, 6]
    assert {*sweep["training_points"]} == {16}
    save(figure, table, tmp_path, "s4")


def test_fig_s5_says_which_fits_have_no_critical_point(tmp_path):
    chosen = tables.by_convexity(fe3pt(), "k12")
    assert {*chosen["model"]} == {"k12", "lambda_0", "lambda_0.01"}
    columns = ["loss", *landscape_errors.FE3PT_ERRORS, "lowest_curvature_eV_per_A6"]
    table = tables.seeds_and_median(chosen, ["convexity", "configurations"], columns)
    figure = landscape_errors.convexity(table)
    loss, temperature, error, curvature = figure.axes
    assert temperature.get_title("right") == r"none: $\lambda$ = 0.0001 (1 of 3)"
    assert loss.get_title("right") == ""
    assert loss.get_xscale() == "symlog"  # zero is among the lambdas
    assert [*curves(loss)[0].get_xdata()] == [0.0, 1e-4, 1e-2]
    assert len(points(temperature)) == 8
    assert curves(temperature)[0].get_ydata()[1] == pytest.approx(1.5)  # of the two that have one
    for axis, unit in ((temperature, "(K)"), (error, "meV/atom"), (curvature, "eV atom Å")):
        assert unit in axis.get_ylabel()
    save(figure, table, tmp_path, "figure")
    positive = landscape_errors.convexity(table[table["convexity"] > 0])
    assert positive.axes[0].get_xscale() == "log"


def test_errors_by_number_of_configurations(tmp_path):
    chosen = tables.by_configurations(fe3pt())
    assert [*dict.fromkeys(chosen["model"])] == ["k1", "k4", "k12"]
    table = tables.seeds_and_median(chosen, ["configurations"], list(landscape_errors.FE3PT_ERRORS))
    figure = landscape_errors.by_configurations(table)
    temperature, pressure, error = figure.axes
    assert temperature.get_title("right") == "none: $K$ = 1 (3 of 3), 12 (1 of 3)"
    assert [*curves(temperature)[0].get_xdata()] == [4, 12]
    assert [*curves(error)[0].get_xdata()] == [1, 4, 12]
    assert [*curves(error)[0].get_ydata()] == pytest.approx([0.02] * 3)  # meV
    assert temperature.get_xlim()[0] < 1  # that K is on the axis, empty
    assert "(GPa)" in pressure.get_ylabel()
    assert "1 meV/atom" in labels(figure)
    save(figure, table, tmp_path, "figure")


def test_fig_4_has_zenn_solid_and_dft_dashed(tmp_path):
    table = fig_4()
    figure = landscape_fe3pt.inverse_problem(table, 6.53, 5.0)
    a, b, c, free, pressed = figure.axes
    assert [axis.get_title("left") for axis in (a, b, c)] == ["(a)", "(b)", "(c)"]
    assert a.get_ylabel() == "$F + PV$ at 6.53 GPa (eV/atom)"
    assert "(K)" in b.get_ylabel()
    assert "k_B" in c.get_ylabel()
    assert "at 0 GPa (eV/atom)" in free.get_ylabel()
    assert "6.53 GPa (eV/atom)" in pressed.get_ylabel()
    assert all("V/V_N" in axis.get_xlabel() for axis in figure.axes)
    assert [line.get_linestyle() for line in curves(a)] == ["-", "--"] * 2
    jumps = [line for line in curves(b) if line.get_linestyle() == ":"]
    assert [[*line.get_xdata()] for line in jumps] == [pytest.approx([12.7 / 13, 12.5 / 13])] * 2
    assert {"5 K", "600 K", "DFT", "0 GPa", "6.53 GPa", "critical point, ZENN"} <= {*labels(figure)}
    assert {"$k$ = 1", "$k$ = 2", "total, ZENN, Eq. 1", "total, DFT"} <= {*labels(figure)}
    total, eq1, truth = (
        [line for line in curves(c) if line.get_linestyle() == style and line.get_linewidth() > 1]
        for style in ("-", ":", "--")
    )
    assert [*eq1[0].get_ydata()] == pytest.approx(2 * np.asarray(total[0].get_ydata()))
    assert [*truth[0].get_ydata()] == pytest.approx([0.31, 0.21, 0.11])
    assert [text.get_text() for text in c.texts] == ["6.53 GPa"]
    save(figure, table, tmp_path, "figure")


def test_fig_s1(tmp_path):
    table = fig_4().query("panel == 'a'")
    figure = landscape_fe3pt.free_energy(table)
    (axis,) = figure.axes
    assert "eV/atom" in axis.get_ylabel()
    assert labels(figure) == ["5 K", "600 K", "DFT"]
    assert len(curves(axis)) == 4
    save(figure, table, tmp_path, "figure")


@pytest.mark.parametrize("truth", [True, False])
def test_fig_s6_names_temperatures_and_leaves_out_what_is_not_there(tmp_path, truth):
    table = mixture((50.0, 100.0), truth)
    figure = landscape_fe3pt.entropies(table, 6.53)
    first, second, total = figure.axes
    assert [first.get_title(), second.get_title()] == ["50 K", "100 K"]
    assert all("k_B" in axis.get_ylabel() for axis in figure.axes)
    assert [len(curves(first)), len(curves(total))] == [2, 6 if truth else 4]
    assert ("total, DFT" in labels(figure)) is truth
    assert [text.get_text() for text in total.texts] == ["50 K", "50 K", "100 K", "100 K"]
    assert [text.get_text() for text in first.texts] == ["6.53 GPa"]
    save(figure, table, tmp_path, "figure")


def test_the_course_of_the_loss(tmp_path):
    table = pd.DataFrame({"seed": [1, 1, 2, 2], "iteration": [1, 2, 1, 2], "loss": [1.0, 0.1, 2.0, 0.5]})
    figure = landscape_errors.history(table)
    assert labels(figure) == ["1", "2"]
    assert figure.axes[0].get_yscale() == "log"
    save(figure, table, tmp_path, "figure")


def test_tables_without_rows_give_figures_without_curves(tmp_path):
    empty_errors = tables.seeds_and_median(fe3pt(), ["configurations"], list(landscape_errors.FE3PT_ERRORS))[
        :0
    ]
    drawn = [
        landscape.recovered_landscape(fig_3()[:0]),
        landscape_fe3pt.inverse_problem(fig_4()[:0], 6.53, 5.0),
        landscape_fe3pt.free_energy(fig_4()[:0]),
        landscape_fe3pt.entropies(mixture()[:0], 6.53),
        landscape_errors.by_configurations(empty_errors),
        landscape_errors.models(
            pd.DataFrame(columns=["series", "model", "parameters", *landscape_errors.BENCHMARK_ERRORS])
        ),
        landscape_errors.history(pd.DataFrame(columns=["seed", "iteration", "loss"])),
    ]
    for number, figure in enumerate(drawn):
        assert not any(curves(axis) for axis in figure.axes)
        assert all(
            axis.get_xlabel() or axis.get_ylabel() or not axis.get_title("left") for axis in figure.axes
        )
        save(figure, pd.DataFrame({"x": [1.0]}), tmp_path, f"empty-{number}")


def test_isobars_part_at_a_transition_and_where_nothing_is_stable():
    isobars = pd.DataFrame(
        {
            "pressure_GPa": [1.0] * 6,
            "temperature_K": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            "volume_A3_per_atom": [13.0, 12.9, 12.3, 12.4, math.nan, 12.6],
        }
    )
    zero = pd.DataFrame(
        {"line": 0, "temperature_K": [0.0, 26.0, 0.0], "volume_A3_per_atom": [12.5, 12.6, 12.7]}
    )
    found = tables.parted(isobars, zero)
    assert [*found["branch"]] == [1, 1, 2, 2, 3]
    assert [*tables.parted(isobars[:4], zero[:0])["branch"]] == [1, 1, 1, 1]
    assert tables.parted(isobars[:0], zero).empty


def test_the_curves_are_those_of_the_median_loss():
    metrics = pd.DataFrame({"model": "k2", "seed": [1, 2, 3, 4], "loss": [4.0, 1.0, 3.0, 2.0]})
    assert tables.drawn_fit(metrics, "k2")["seed"] == 4  # the lower of two
    with pytest.raises(ZennError, match=r"found no 'k3', expected it among \['k2'\]"):
        tables.drawn_fit(metrics, "k3")


def test_the_benchmarks_table_counts_what_was_found():
    table = tables.benchmark_table(benchmark()).set_index(["error", "network"])
    row = table.loc[("RMS error of F", "ZENN")]
    assert (row["found"], row["median"], row["lowest"], row["highest"]) == ("3 of 3", 2e-6, 1e-6, 3e-6)
    critical = table.loc["error of T* (F_xx = F_xxx = 0)"]
    assert critical.loc["ICNN, as printed", "found"] == "2 of 3"
    assert critical.loc["ICNN, as printed", "median"] == pytest.approx(2e-5)
    assert critical.loc["ICNN, standard", "found"] == "none"
    assert math.isnan(critical.loc["ICNN, standard", "median"])
    assert "temperatures with the right number of zeros of d2F/dx2 (of 4)" in table.index


def test_paired_differences_say_who_is_ahead():
    paired = pd.DataFrame(
        {
            "model": "icnn_printed",
            "training_points": [8, 16, 24],
            "seeds": 3,
            "log10_ratio_mean": [0.5, -0.5, 0.1],
            "log10_ratio_low": [0.1, -0.9, math.nan],
            "log10_ratio_high": [0.9, -0.1, math.nan],
        }
    )
    table = tables.three_wells_table(paired, three_wells(), 6)
    assert [*table["smaller_error"]] == ["ZENN", "ICNN, as printed", "not decided"]
    assert [*table["training_points"]] == ["8 x 8", "16 x 16", "24 x 24"]
    assert [*table["median_of_ZENN"]][:2] == pytest.approx([0.2, 0.02])
    assert [*tables.three_wells_table(paired[:0], three_wells(), 6)] == [*table]  # columns without rows


def test_the_comparison_with_dft_keeps_what_is_missing_apart():
    comparison = tables.Fe3PtComparison(fe3pt(), ["k12", "k4", "k7"])
    comparison.add_metric("critical temperature T*", "K", "temperature_K", 164.0)
    roots = pd.DataFrame(
        {"model": "k12", "seed": [1, 1, 2, 3], "temperature_K": [48.0, 160.0, 159.0, math.nan]}
    )
    comparison.add_roots(roots, 6.53, [48.5, 159.4])
    transitions = pd.DataFrame(
        {"model": "k12", "seed": [1, 2, 3], "pressure_GPa": 6.53, "temperature_K": [158.0, math.nan, 160.0]}
    )
    comparison.add_by_seed("first-order transition", "K", transitions, "temperature_K", 6.53, 158.7)
    windows = pd.DataFrame(
        [
            ("k12", 1, 100.0, 155.0, -1e-4),  # parted by a transition
            ("k12", 1, 160.0, 180.0, -1e-4),
            ("k12", 1, 500.0, 510.0, -1e-4),  # another window altogether
            ("k12", 2, 104.0, 184.0, -2e-4),
            ("k12", 3, math.nan, math.nan, 1e-6),
        ],
        columns=["model", "seed", "low_K", "high_K", "lowest_expansion_per_K"],
    ).assign(pressure_GPa=6.53)
    dft = pd.DataFrame({"pressure_GPa": [6.53], "low_K": 102.9, "high_K": 182.3, "strongest_per_K": -8.6e-4})
    comparison.add_expansion(windows, dft)
    table = comparison.table().set_index("quantity")
    assert not any("k7" in column for column in table)
    critical = table.loc["critical temperature T*"]
    assert critical["zenn_k12_found"] == "2 of 3"
    assert critical["zenn_k12_difference"] == pytest.approx(1.5)
    assert [critical["zenn_k4_lowest"], critical["zenn_k4_highest"]] == [165.0, 167.0]
    hottest, second = (table.loc[f"root {n} of Eq. 19 (hottest first)"] for n in (1, 2))
    assert (hottest["dft"], hottest["zenn_k12_median"], hottest["zenn_k12_found"]) == (159.4, 159.5, "2 of 3")
    assert (second["zenn_k12_found"], second["zenn_k12_median"]) == ("1 of 3", 48.0)
    assert hottest["zenn_k4_found"] == "none"
    assert math.isnan(hottest["zenn_k4_difference"])
    assert table.loc["number of roots of Eq. 19", "zenn_k12_median"] == 1.0
    assert table.loc["first-order transition", "zenn_k12_found"] == "2 of 3"
    begins, ends = table.loc["negative expansion from"], table.loc["negative expansion to"]
    assert (begins["zenn_k12_median"], ends["zenn_k12_median"]) == (102.0, 182.0)
    assert begins["zenn_k12_found"] == "2 of 3"
    lowest = table.loc["lowest expansion"]
    assert (lowest["unit"], lowest["dft"]) == ("1e-6/K", -860.0)
    assert lowest["zenn_k12_lowest"] == pytest.approx(-200.0)


def test_a_pressure_at_which_dft_has_no_window():
    windows = pd.DataFrame(
        {"model": "k4", "seed": [1, 2, 3], "low_K": [10.0, 20.0, math.nan], "high_K": [30.0, 40.0, math.nan]}
    ).assign(pressure_GPa=2.0, lowest_expansion_per_K=-1e-6)
    comparison = tables.Fe3PtComparison(fe3pt(), ["k4"])
    none = pd.DataFrame(columns=["pressure_GPa", "low_K", "high_K", "strongest_per_K"], dtype=float)
    comparison.add_expansion(windows, none)
    begins = comparison.table().set_index("quantity").loc["negative expansion from"]
    assert (begins["zenn_k4_found"], begins["zenn_k4_median"]) == ("2 of 3", 15.0)
    assert math.isnan(begins["dft"])
