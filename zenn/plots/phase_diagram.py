"""Phase diagrams of the forward model: Fig. 4 of Paper A, pressure-temperature diagram, critical point."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zenn.plots.materials import VOLUME_RATIO, draw_isotherms
from zenn.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PAGE_WIDTH,
    PURPLE,
    SKY,
    VERMILION,
    in_style,
    label_panels,
    new_figure,
    sequential_colours,
)

ATMOSPHERE = 1.01325e-4  # GPa
TEMPERATURE = "temperature $T$ (K)"
PRESSURE = "pressure $P$ (GPa)"
OUTSIDE: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03), "borderaxespad": 0.2}
PALE_ORANGE = "#FBEBCB"
BY_DEGENERACY = (BLUE, SKY, GREEN, ORANGE, PURPLE, VERMILION)


@in_style
def free_energy_and_phase_diagram(table: pd.DataFrame, pressure: float, temperature: float) -> Figure:
    """Fig. 4, DFT parts, from one table with the columns `panel` (a, b, cd) and `series`.

    a: F + PV at `pressure` (GPa); b: T-V phase diagram; c, d: entropy and Helmholtz energy of every
    configuration at `temperature` (K), and of the mixture. The mixture's entropy has its own axis: it is
    hundreds of times larger than that of a configuration.
    """
    figure = Figure(figsize=(PAGE_WIDTH, 5.9), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    a, b = (figure.add_subplot(grid[0, column]) for column in (0, 1))
    of_entropy = grid[1, 0].subgridspec(2, 1, height_ratios=[2, 3])
    c = figure.add_subplot(of_entropy[0])
    c_each = figure.add_subplot(of_entropy[1], sharex=c)
    d = figure.add_subplot(grid[1, 1])
    panels = {letters: table[table["panel"] == letters] for letters in ("a", "b", "cd")}
    draw_isotherms(a, panels["a"], "helmholtz_plus_PV_eV_per_atom", f"$F + PV$ at {pressure:g} GPa (eV/atom)")
    if not panels["a"].empty:
        a.legend(title="temperature", fontsize=7, title_fontsize=7, **OUTSIDE)
    _draw_volume_diagram(b, panels["b"])
    single = panels["cd"]
    _draw_mixture(c, single, "entropy_kB_per_atom")
    c.tick_params(labelbottom=False)
    c.set_ylabel("$S$ ($k_B$/atom)")
    _draw_configurations(c_each, single, "entropy_kB_per_atom")
    c_each.yaxis.set_major_formatter(lambda value, _: f"{1e4 * value:g}")
    c_each.set_ylabel(r"$S^{(k)}$ (10$^{-4}$ $k_B$/atom)")
    _draw_configurations(d, single, "helmholtz_eV_per_atom")
    _draw_mixture(d, single, "helmholtz_eV_per_atom")
    d.set_ylabel("$F$ and $F^{(k)}$ (eV/atom)")
    if d.get_legend_handles_labels()[0]:
        d.legend(title="degeneracy", fontsize=7, title_fontsize=7, **OUTSIDE)
    for axis in (c_each, d):
        axis.set_xlabel(VOLUME_RATIO)
    for axis in figure.axes:
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 4, 5, 10]))
    label_panels((a, b, c, d))
    for axis in (c, d):
        axis.set_title(f"{temperature:g} K")
    return figure


@in_style
def pressure_temperature(table: pd.DataFrame) -> Figure:
    """The pressure-temperature diagram, whole and close to the critical point.

    `table` has series 'first-order line', 'rounding band' (with low_GPa and high_GPa), 'spinodal' (with
    side), 'crossover', 'critical point', 'paper, ZENN' and 'paper, DFT' (the two ends of its range).
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=3.9)
    whole, close = figure.axes
    for axis in figure.axes:
        _draw_pressure_diagram(axis, table)
        axis.set_xlabel(PRESSURE)
        axis.set_ylabel(TEMPERATURE)
    whole.set_xlim(left=0.0)
    whole.set_ylim(bottom=0.0)
    _zoom_on_critical_point(close, table)
    label_panels(figure.axes)
    handles, labels = whole.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


@in_style
def critical_point(table: pd.DataFrame) -> Figure:
    """Critical points that the rounding of the table allows, their 95 % ellipse, and the paper's values.

    `table` has series 'sample', 'ellipse' and 'as printed', and those of the paper as in
    `pressure_temperature`.
    """
    figure = new_figure(width=5.4, height=3.3)
    (axis,) = figure.axes
    samples = table[table["series"] == "sample"]
    axis.scatter(
        samples["pressure_GPa"],
        samples["temperature_K"],
        s=9,
        color=GREY,
        linewidths=0,
        label=f"digits of Table S1 varied ({len(samples)} samples)",
    )
    ellipse = table[table["series"] == "ellipse"]
    axis.plot(
        ellipse["pressure_GPa"],
        ellipse["temperature_K"],
        color=BLUE,
        label="95 % ellipse of their covariance",
    )
    solved = table[table["series"] == "as printed"]
    axis.scatter(
        solved["pressure_GPa"],
        solved["temperature_K"],
        marker="*",
        s=110,
        color=BLACK,
        zorder=4,
        label="Table S1 as printed",
    )
    _draw_printed(axis, table, everywhere=True)
    axis.set_xlabel(f"critical {PRESSURE.replace('$P$', '$P^*$')}")
    axis.set_ylabel(f"critical {TEMPERATURE.replace('$T$', '$T^*$')}")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def draw_isobars(axis: Axes, isobars: pd.DataFrame, x: str, y: str, **look: Any) -> None:
    """The branches of one isobar as solid lines; a first-order transition as a dotted connection."""
    label = look.pop("label", None)
    before = None
    for number, (_, branch) in enumerate(isobars.groupby("branch")):
        axis.plot(branch[x], branch[y], label=label if number == 0 else None, **look)
        if before is not None:
            jump = pd.concat([before.iloc[-1:], branch.iloc[:1]])
            axis.plot(jump[x], jump[y], **{**look, "linestyle": ":", "linewidth": 1.0})
        before = branch


def pressure_label(pressure: float) -> str:
    """`6.53 GPa`; `1 atm` for the standard atmosphere.

    >>> pressure_label(6.53), pressure_label(1.01325e-4)
    ('6.53 GPa', '1 atm')
    """
    return "1 atm" if abs(pressure - ATMOSPHERE) < 1e-9 else f"{pressure:g} GPa"


def _draw_volume_diagram(axis: Axes, table: pd.DataFrame) -> None:
    x, y = "volume_over_reference", "temperature_K"
    for name, style in (("binodal", "-"), ("spinodal", "--")):
        lines = table[table["series"] == name]
        for number, (_, side) in enumerate(lines.groupby(["line", "side"])):
            axis.plot(
                side[x],
                side[y],
                style,
                color=BLACK,
                linewidth=1.1,
                label=name if number == 0 else None,
                zorder=3,
            )
    isobars = table[table["series"] == "isobar"]
    pressures = sorted(isobars["pressure_GPa"].unique())
    for pressure, colour in zip(pressures, sequential_colours(len(pressures)), strict=True):
        path = isobars[isobars["pressure_GPa"] == pressure]
        draw_isobars(axis, path, x, y, color=colour, label=pressure_label(pressure))
    for name, marker, label in (
        ("critical point", "*", "critical point"),
        ("reference state", "o", "$V_N$ (298 K, 1 atm)"),
    ):
        point = table[table["series"] == name]
        if name == "reference state" and not point.empty:
            state = point.iloc[0]
            label = f"$V_N$ ({state['temperature_K']:g} K, {pressure_label(state['pressure_GPa'])})"
        if not point.empty:
            axis.scatter(
                point[x],
                point[y],
                marker=marker,
                s=45 if marker == "*" else 22,
                facecolor=VERMILION if marker == "*" else "white",
                edgecolor=BLACK,
                linewidths=0.7,
                label=label,
                zorder=4,
            )
    axis.set_xlabel(VOLUME_RATIO)
    axis.set_ylabel(TEMPERATURE)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=7, **OUTSIDE)


def _draw_configurations(axis: Axes, table: pd.DataFrame, column: str) -> None:
    """One thin line per configuration, coloured by degeneracy."""
    each = table[table["series"] == "configuration"]
    degeneracies = sorted(each["degeneracy"].unique())
    colours = {g: BY_DEGENERACY[i % len(BY_DEGENERACY)] for i, g in enumerate(degeneracies)}
    named = set()
    for (degeneracy, _), curve in each.groupby(["degeneracy", "configuration"]):
        axis.plot(
            curve["volume_over_reference"],
            curve[column],
            color=colours[degeneracy],
            linewidth=0.7,
            label=None if degeneracy in named else f"{degeneracy:g}",
        )
        named.add(degeneracy)


def _draw_mixture(axis: Axes, table: pd.DataFrame, column: str) -> None:
    total = table[table["series"] == "mixture"]
    if not total.empty:
        x, y = total["volume_over_reference"], total[column]
        axis.plot(x, y, "--", color=BLACK, linewidth=1.6, label="mixture")


def _draw_pressure_diagram(axis: Axes, table: pd.DataFrame) -> None:
    band = table[table["series"] == "rounding band"]
    if not band.empty:
        axis.fill_betweenx(
            band["temperature_K"],
            band["low_GPa"],
            band["high_GPa"],
            color=SKY,
            alpha=0.6,
            linewidth=0,
            label="95 % band from the rounding of Table S1",
        )
    looks: dict[str, dict[str, Any]] = {
        "first-order line": {"color": BLUE, "label": "first-order transition"},
        "crossover": {
            "color": GREEN,
            "linestyle": "--",
            "label": "crossover $p^{(1)} = 1/2$ (no phase boundary)",
        },
    }
    for name, look in looks.items():
        for _, line in table[table["series"] == name].groupby("line", dropna=False):
            axis.plot(line["pressure_GPa"], line["temperature_K"], **look)
    spinodals = table[table["series"] == "spinodal"]
    for number, (_, side) in enumerate(spinodals.groupby(["line", "side"])):
        axis.plot(
            side["pressure_GPa"],
            side["temperature_K"],
            color=GREY,
            linestyle="-.",
            linewidth=1.0,
            label="spinodals (limits of metastability)" if number == 0 else None,
        )
    points = table[table["series"] == "critical point"]
    if not points.empty:
        axis.scatter(
            points["pressure_GPa"],
            points["temperature_K"],
            marker="*",
            s=90,
            facecolor=VERMILION,
            edgecolor=BLACK,
            linewidths=0.7,
            zorder=4,
            label="critical point, this work",
        )
    _draw_printed(axis, table)


def _draw_printed(axis: Axes, table: pd.DataFrame, everywhere: bool = False) -> None:
    """The paper's numbers: ZENN's critical point, and the range that its DFT curves give.

    `everywhere`: the range and the pressure as a band and a line across the panel.
    """
    dft, zenn = (table[table["series"] == name] for name in ("paper, DFT", "paper, ZENN"))
    if not dft.empty:
        low, high = dft["temperature_K"].min(), dft["temperature_K"].max()
        pressure, said = dft["pressure_GPa"].iloc[0], f"paper, DFT: {low:g}–{high:g} K"
        if everywhere:
            axis.axhspan(low, high, color=PALE_ORANGE, linewidth=0, zorder=0, label=said)
            axis.axvline(pressure, color=ORANGE, linewidth=1.2, label=f"paper: {pressure:g} GPa")
        else:
            said += f" at {pressure:g} GPa"
            x, y = dft["pressure_GPa"], dft["temperature_K"]
            axis.plot(x, y, "-_", color=ORANGE, linewidth=3.0, markersize=9, markeredgewidth=1.3, label=said)
    for pressure, temperature in zenn[["pressure_GPa", "temperature_K"]].itertuples(index=False):
        axis.scatter(
            [pressure],
            [temperature],
            marker="D",
            s=26,
            facecolor="white",
            edgecolor=VERMILION,
            linewidths=1.3,
            zorder=5,
            label=f"paper, ZENN: {temperature:g} K at {pressure:g} GPa",
        )


def _zoom_on_critical_point(axis: Axes, table: pd.DataFrame) -> None:
    """Half a GPa and some ten kelvins about the critical point; everything where there is none."""
    points = table[table["series"] == "critical point"]
    if points.empty:
        return
    pressure, temperature = float(points["pressure_GPa"].iloc[0]), float(points["temperature_K"].iloc[0])
    axis.set_xlim(pressure - 0.25, pressure + 0.25)
    axis.set_ylim(temperature - 14.0, temperature + 10.0)
