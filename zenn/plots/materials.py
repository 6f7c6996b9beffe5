"""Free energies against volume (Paper A, Figs. 4a, S1) and their second derivative (Fig. S2)."""

from __future__ import annotations

from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zenn.plots.style import (
    BLUE,
    GREEN,
    GREY,
    PAGE_WIDTH,
    PURPLE,
    VERMILION,
    in_style,
    label_panels,
    new_figure,
    sequential_colours,
)

CLOSE = 0.05  # Å3/atom to either side of V*
VOLUME_RATIO = "normalised volume $V/V_N$"


@in_style
def free_energy(isotherms: pd.DataFrame) -> Figure:
    """Fig. S1, DFT curves: F against V/V_N, one curve per temperature."""
    figure = new_figure(height=3.0, width=4.6)
    (axis,) = figure.axes
    draw_isotherms(axis, isotherms, "helmholtz_eV_per_atom", "Helmholtz energy $F$ (eV/atom)")
    figure.legend(title="temperature", loc="outside right upper")
    return figure


@in_style
def second_derivative(curves: pd.DataFrame, critical_volume: float) -> Figure:
    """Fig. S2: d2F/dV2 against V below and above T*, over the window and close to its minimum.

    `critical_volume` in Å3/atom marks V* of the solved critical point.
    """
    figure = new_figure(columns=2, width=PAGE_WIDTH, height=2.8)
    whole, close = figure.axes
    groups = list(curves.groupby("temperature_K"))
    for axis in (whole, close):
        looks = zip(cycle((BLUE, VERMILION, GREEN, PURPLE)), cycle(("-", "--", "-.")), strict=False)
        for (temperature, curve), (colour, style) in zip(groups, looks, strict=False):
            axis.plot(
                curve["volume_A3_per_atom"],
                curve["helmholtz_VV_eV_per_A6"],
                style,
                color=colour,
                label=f"{temperature:g} K",
            )
        axis.axhline(0.0, color=GREY, linewidth=0.8)
        axis.axvline(critical_volume, color=GREY, linewidth=0.8, linestyle=":", label="$V^*$")
        axis.set_xlabel("volume $V$ (Å$^3$/atom)")
        axis.set_ylabel(r"$\partial^2 F/\partial V^2$ (eV atom Å$^{-6}$)")
    whole.legend()
    _zoom_on_minimum(close, curves, critical_volume)
    label_panels(figure.axes)
    return figure


def draw_isotherms(axis: Axes, isotherms: pd.DataFrame, column: str, label: str) -> None:
    """One curve of `column` against V/V_N per temperature; `label` names the ordinate with its unit."""
    curves = list(isotherms.groupby("temperature_K"))
    for (temperature, curve), colour in zip(curves, sequential_colours(len(curves)), strict=True):
        axis.plot(curve["volume_over_reference"], curve[column], color=colour, label=f"{temperature:g} K")
    axis.set_xlabel(VOLUME_RATIO)
    axis.set_ylabel(label)


def _zoom_on_minimum(axis: Axes, curves: pd.DataFrame, critical_volume: float) -> None:
    near = curves[(curves["volume_A3_per_atom"] - critical_volume).abs() < CLOSE]
    if near.empty:
        return  # V* lies outside the window that was computed: both panels show all of it
    values = near["helmholtz_VV_eV_per_A6"]
    span = float(values.max() - values.min())
    axis.set_xlim(float(near["volume_A3_per_atom"].min()), float(near["volume_A3_per_atom"].max()))
    axis.set_ylim(float(values.min()) - 0.08 * span, float(values.max()) + 0.08 * span)
