"""What the mixture does along isobars: probabilities of its configurations, and its properties."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from zenn.plots.arrange import REST
from zenn.plots.phase_diagram import TEMPERATURE, draw_isobars, pressure_label
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
)

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
PROPERTIES = {
    "isobaric_heat_capacity_kB_per_atom": "heat capacity $C_P$ ($k_B$ per atom)",
    "entropy_kB_per_atom": "entropy $S$ ($k_B$ per atom)",
    "bulk_modulus_GPa": "bulk modulus $B_T$ (GPa)",
    "thermal_expansion_1e6_per_K": r"thermal expansion $\alpha$ (10$^{-6}$/K)",
}
SHOWN_EXPANSION = (-120.0, 45.0)  # 10^-6/K: it diverges towards the critical point


@in_style
def probabilities(table: pd.DataFrame) -> Figure:
    """Probability of every named configuration against temperature, one panel per pressure."""
    pressures = sorted(table["pressure_GPa"].unique())
    figure = new_figure(columns=max(len(pressures), 1), width=PAGE_WIDTH, height=3.2)
    names = list(dict.fromkeys(table["configuration"]))
    for axis, pressure in zip(figure.axes, pressures, strict=False):
        at_pressure = table[table["pressure_GPa"] == pressure]
        for number, name in enumerate(names):
            curve = at_pressure[at_pressure["configuration"] == name]
            others = name == REST
            draw_isobars(
                axis,
                curve,
                "temperature_K",
                "probability",
                color=GREY if others else COLOURS[number % len(COLOURS)],
                linestyle="--" if others else "-",
                label=f"{name} ({curve['degeneracy'].iloc[0]:g})",
            )
        axis.set_title(pressure_label(pressure))
        axis.set_xlabel(TEMPERATURE)
        axis.set_ylabel("probability $p^{(k)}$, all $g_k$ together")
        axis.set_ylim(-0.02, 1.02)
    label_panels(figure.axes)
    if pressures:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, title="configuration (degeneracy)", loc="outside right upper")
    return figure


@in_style
def properties(table: pd.DataFrame) -> Figure:
    """Heat capacity, entropy, bulk modulus and thermal expansion along isobars."""
    figure = new_figure(columns=2, rows=2, width=PAGE_WIDTH, height=5.0)
    pressures = sorted(table["pressure_GPa"].unique())
    for axis, (column, label) in zip(figure.axes, PROPERTIES.items(), strict=True):
        for number, pressure in enumerate(pressures):
            path = table[table["pressure_GPa"] == pressure]
            draw_isobars(
                axis, path, "temperature_K", column, color=COLOURS[number], label=pressure_label(pressure)
            )
        axis.set_xlabel(TEMPERATURE)
        axis.set_ylabel(label)
    expansion = figure.axes[-1]
    if pressures:
        expansion.axhline(0.0, color=GREY, linewidth=0.8)
    lowest = table["thermal_expansion_1e6_per_K"].min()
    if lowest < SHOWN_EXPANSION[0]:
        expansion.set_ylim(*SHOWN_EXPANSION)
        note = f"goes on to {lowest:.0f}".replace("-", "−")
        expansion.text(0.97, 0.04, note, transform=expansion.transAxes, ha="right", fontsize=8)
    label_panels(figure.axes)
    if pressures:
        figure.axes[0].legend()
    return figure
