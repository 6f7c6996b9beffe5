"""Pictures beside exact discs on many pixels that PIL's Lanczos filter shrinks."""

import numpy as np
import pytest
from PIL import Image

from zenn.laws.dynamics import random_state
from zenn.laws.processes import PAPER, SMALL
from zenn.laws.rendering import render


def fine(positions, length, radius, pixels, parts=4):
    """Discs (N, 2) on pixels x pixels, grey where they cover a part of a pixel; `parts`^2 points each."""
    picture = np.zeros((pixels, pixels), np.float32)
    side = length / pixels
    offsets = (np.arange(parts) + 0.5) / parts
    for x, y in positions:
        columns = np.arange(max(int((x - radius) / side), 0), min(int((x + radius) / side) + 1, pixels))
        rows = np.arange(max(int((y - radius) / side), 0), min(int((y + radius) / side) + 1, pixels))
        u = (columns[:, None] + offsets).ravel() * side
        v = (rows[:, None] + offsets).ravel() * side
        inside = (v[:, None] - y) ** 2 + (u - x) ** 2 < radius**2
        covered = inside.reshape(len(rows), parts, len(columns), parts).mean(axis=(1, 3))
        picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += 255 * covered
    return picture


def rms(picture, exact):
    return np.sqrt(((picture.astype(float) - np.clip(exact, 0, 255)) ** 2).mean())


@pytest.mark.parametrize("particles", [500, 2000])
def test_pictures_of_the_paper_are_within_two_grey_levels(particles):
    gas, _ = PAPER
    positions = random_state(gas, particles, np.random.SeedSequence(3))[:2]
    picture = render(positions, 300.0, 1.0, 256)
    drawn = fine(positions.T, 300.0, 1.0, 1560)
    exact = np.asarray(Image.fromarray(drawn).resize((256, 256), Image.Resampling.LANCZOS))
    assert rms(picture, exact) < 1
    # PIL clips the picture of bytes also between its two directions
    grey = Image.fromarray(np.uint8(np.minimum(drawn, 255) + 0.5))
    assert rms(picture, np.asarray(grey.resize((256, 256), Image.Resampling.LANCZOS)).astype(float)) < 2


def test_small_pictures_of_larger_discs():
    gas, design = SMALL
    positions = random_state(gas, max(design.particles), np.random.SeedSequence(3))[:2]
    drawn = fine(positions.T, 150.0, 2.0, 64 * 12)
    exact = np.asarray(Image.fromarray(drawn).resize((64, 64), Image.Resampling.LANCZOS))
    assert rms(render(positions, 150.0, 2.0, 64), exact) < 2


def test_discs_at_the_border_are_weighted_as_the_filter_weights_them():
    corners = np.array([[1.0, 99.0, 1.0, 99.0, 50.0], [1.0, 1.0, 99.0, 99.0, 0.95]])
    corners += 1 / 64  # a place that centres are rounded to
    drawn = fine(corners.T, 100.0, 1.0, 1000)
    exact = np.asarray(Image.fromarray(drawn).resize((100, 100), Image.Resampling.LANCZOS))
    picture = render(corners, 100.0, 1.0, 100)
    assert np.abs(picture - np.clip(exact, 0, 255)).max() < 5
    assert picture[50, 50] == 0


def test_the_light_of_a_disc_is_its_area():
    """The mean grey level, clipping left out: 10 % of 255 where a tenth of a pixel is covered."""
    picture = render(np.array([[20.3], [14.9]]), 40.0, 3.0, 40).astype(float)
    area = picture.sum() / 255
    assert area == pytest.approx(np.pi * 9, rel=0.03)
    rows, columns = np.indices(picture.shape) + 0.5
    assert (picture * columns).sum() / picture.sum() == pytest.approx(20.3, abs=0.02)
    assert (picture * rows).sum() / picture.sum() == pytest.approx(14.9, abs=0.02)


def test_any_number_of_leading_axes():
    rng = np.random.default_rng(1)
    positions = rng.uniform(5, 35, (2, 5, 2, 7))
    pictures = render(positions, 40.0, 1.0, 32)
    assert pictures.shape == (2, 5, 32, 32)
    np.testing.assert_array_equal(pictures[1, 3], render(positions[1, 3], 40.0, 1.0, 32))
