"""The names that `zenn.laws` offers, and what importing it costs."""

import subprocess
import sys

import pytest

import zenn.laws


@pytest.mark.parametrize("name", zenn.laws.__all__)
def test_every_name_is_there_and_documented(name):
    assert (getattr(zenn.laws, name).__doc__ or "").strip()


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="entropie"):
        _ = zenn.laws.entropie


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("zenn.laws", ("torch", "numba", "scipy")),
        ("zenn.laws.steps.recombine", ("torch", "pandas")),
        ("zenn.laws.steps.examples", ("torch", "pandas")),
        ("zenn.laws.steps.train", ("numba", "pandas", "pydantic", "zenn.laws.axioms")),
        ("zenn.laws.steps.simulate", ("torch", "zenn.laws.rendering")),
    ],
)
def test_what_is_not_needed_is_not_imported(module, heavy):
    """`train` must not be trained anew for a change of an axiom, and costs no compiler."""
    said = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
