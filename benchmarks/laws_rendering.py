"""Pictures of the gas beside discs that PIL draws and shrinks: `python -m benchmarks.laws_rendering`."""

from __future__ import annotations

import statistics
import time

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.report import Row, as_content, machine, page, write
from zenn.laws.dynamics import random_state
from zenn.laws.processes import Gas
from zenn.laws.rendering import render

FINE, COARSE = 1560, 256
PICTURES = 200
INTRODUCTION = (
    "Discs of radius 1 in a container of side 300. Theirs: `ImageDraw.ellipse` on 1560 x 1560 pixels, then",
    "`resize` to 256 x 256 with Lanczos's filter. Exact: every pixel of the 1560 x 1560 as grey as its part",
    "that discs cover, the same filter in floating point, clipped to 0...255. Seconds of one picture.",
)


def pil(positions: NDArray[np.float64], length: float) -> NDArray[np.uint8]:
    """Draw and resize."""
    picture = Image.new("L", (FINE, FINE), 0)
    draw = ImageDraw.Draw(picture)
    scale = FINE / length
    for x, y in (positions * scale).T:
        draw.ellipse((x - scale, y - scale, x + scale, y + scale), fill=255)
    return np.asarray(picture.resize((COARSE, COARSE), Image.Resampling.LANCZOS))


def exact(positions: NDArray[np.float64], length: float, parts: int = 8) -> NDArray[np.float64]:
    """Discs by the part of a pixel that they cover, filtered in floating point."""
    picture = np.zeros((FINE, FINE), np.float32)
    scale = FINE / length
    offsets = (np.arange(parts) + 0.5) / parts
    for x, y in (positions * scale).T:
        columns = np.arange(int(x - scale), min(int(x + scale) + 1, FINE))
        rows = np.arange(int(y - scale), min(int(y + scale) + 1, FINE))
        u, v = (columns[:, None] + offsets).ravel(), (rows[:, None] + offsets).ravel()
        inside = (v[:, None] - y) ** 2 + (u - x) ** 2 < scale**2
        covered = inside.reshape(len(rows), parts, len(columns), parts).mean(axis=(1, 3))
        picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += 255 * covered
    small = Image.fromarray(picture).resize((COARSE, COARSE), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(small, dtype=np.float64), 0, 255)


def compare(particles: int, pairs: int = 5) -> Row:
    """Both in turn."""
    gas = Gas()
    positions = random_state(gas, particles, np.random.SeedSequence(2))[:2]
    many = np.repeat(positions[None].astype(np.float32), PICTURES, axis=0)
    picture = render(many[:1], gas.length, gas.radius, COARSE)[0].astype(float)
    ours, theirs = [], []
    for _ in range(pairs):
        started = time.process_time()
        render(many, gas.length, gas.radius, COARSE)
        ours.append((time.process_time() - started) / PICTURES)
        started = time.process_time()
        for _ in range(5):
            peer = pil(positions, gas.length)
        theirs.append((time.process_time() - started) / 5)
    truth = exact(positions, gas.length)
    agreement = {
        "rms difference from the exact picture, ours, grey levels": float(
            np.sqrt(((picture - truth) ** 2).mean())
        ),
        "the same of theirs": float(np.sqrt(((peer - truth) ** 2).mean())),
        "mean grey level, ours / exact": picture.mean() / truth.mean(),
        "mean grey level, theirs / exact": peer.mean() / truth.mean(),
    }
    return Row(
        f"{particles} discs",
        "`zenn.laws.rendering.render`",
        "PIL, draw and resize",
        statistics.median(ours),
        statistics.median(theirs),
        statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
        pairs,
        agreement,
    )


def main() -> None:
    """Measure and write the page."""
    rows = [compare(2000), compare(500)]
    facts = machine("numba", "numpy", "pillow")
    write("laws_rendering", page("Pictures of the gas", INTRODUCTION, facts, rows), as_content(facts, rows))


if __name__ == "__main__":
    main()
