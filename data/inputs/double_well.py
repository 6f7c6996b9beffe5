"""Makes `double_well.csv`: a free energy whose one minimum becomes two at 300 K, for `zenn landscape fit`.

F(x, T) = a / 2 (T - 300 K) x^2 + b / 4 x^4 with a = 2 meV/K and b = 160 meV: Landau's theory of a continuous
transition. `python data/inputs/double_well.py` writes it beside this script.
"""

from __future__ import annotations

from pathlib import Path

A, B, CRITICAL = 2.0, 160.0, 300.0
COMMENTS = (
    "# A double well, made by double_well.py: F = a / 2 (T - 300) x^2 + b / 4 x^4 in meV, T in K,",
    "# a = 2 meV/K, b = 160 meV; k_B is 0.0861733 meV/K. One minimum becomes two at 300 K.",
)


def rows() -> list[str]:
    """A line per temperature and point; every number is exact."""
    lines = ["temperature,x,free_energy"]
    for T in range(240, 361, 10):
        for i in range(-16, 17):
            x = i / 16
            lines.append(f"{T},{x},{A / 2 * (T - CRITICAL) * x**2 + B / 4 * x**4}")
    return lines


def main() -> None:
    """Write the table beside this script."""
    lines = rows()
    text = "\n".join((*COMMENTS, f"# rows: {len(lines) - 1}", *lines)) + "\n"
    Path(__file__).with_suffix(".csv").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
