"""Figures: one style whatever the user's settings, and no curve that their table does not hold."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from PIL import Image

from zenn.errors import ZennError
from zenn.plots import materials
from zenn.plots.style import save

CURVES = pd.DataFrame(
    {
        "temperature_K": [1.0, 1.0, 2.0, 2.0, 3.0, 3.0],
        "volume_A3_per_atom": [12.0, 13.0] * 3,
        "volume_over_reference": [0.9, 1.0] * 3,
        "helmholtz_eV_per_atom": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "helmholtz_VV_eV_per_A6": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    }
)


def test_equal_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    for name, user in (
        ("one", {}),
        ("two", {"lines.linestyle": ":", "font.size": 20, "axes.facecolor": "red"}),
    ):
        (tmp_path / name).mkdir()
        with mpl.rc_context(user):
            save(materials.free_energy(CURVES), CURVES, tmp_path / name, "figure")
    for ending in ("png", "pdf", "csv"):
        assert (tmp_path / "one" / f"figure.{ending}").read_bytes() == (
            tmp_path / "two" / f"figure.{ending}"
        ).read_bytes(), ending


def test_a_picture_takes_little_room_and_keeps_its_size(tmp_path: Path) -> None:
    figure = materials.free_energy(CURVES)
    save(figure, CURVES, tmp_path, "figure")
    width, height = figure.get_size_inches() * 150
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.mode == "P"  # a palette: few colours
        assert picture.size == (int(width), int(height))
        assert picture.info["dpi"][0] == pytest.approx(150, abs=0.1)
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_every_temperature_is_drawn_and_labelled() -> None:
    for axis in materials.second_derivative(CURVES, 12.5).axes:
        labels = [line.get_label() for line in axis.get_lines()]
        assert [label for label in labels if "K" in label] == ["1 K", "2 K", "3 K"]
        assert "Å" in axis.get_xlabel()
        assert "eV" in axis.get_ylabel()


def test_critical_volume_outside_the_window() -> None:
    whole, close = materials.second_derivative(CURVES, 99.0).axes
    assert whole.get_ylim() == close.get_ylim()


def test_a_curve_that_the_table_does_not_hold_is_refused(tmp_path: Path) -> None:
    moved = CURVES.assign(helmholtz_eV_per_atom=CURVES["helmholtz_eV_per_atom"] + 1e-9)
    with pytest.raises(ZennError, match="figure, panel 0, curve '1 K': found y values"):
        save(materials.free_energy(moved), CURVES.drop(columns="helmholtz_VV_eV_per_A6"), tmp_path, "figure")
    assert not [*tmp_path.iterdir()]
