"""The authors' grid turned back into F(V, T): the forward model comes out of files made of it."""

import json

import numpy as np
import pytest

from tests.landscape.authors_files import TEMPERATURES, VOLUMES, columns, forward, write
from zenn.csv_table import read_table
from zenn.errors import InputError
from zenn.given import Given
from zenn.landscape.authors_grid import read_authors_grid
from zenn.landscape.steps import authors_grid as step
from zenn.landscape.steps._given import TABLE, WEIGHT, read_grid

LOWEST = float(forward(0).F[0].min())  # eV/atom


def read(folder, lowest=0.0):
    return read_authors_grid(folder / "V_T.csv", folder / "PP.csv", lowest)


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    return write(tmp_path_factory.mktemp("exact"))


def shape(F):
    return F - F.mean(axis=1, keepdims=True)


def test_the_forward_model_comes_back(exact):
    found = read(exact, LOWEST)
    assert found.temperatures == pytest.approx(TEMPERATURES, abs=1e-12)
    assert np.abs(found.volumes * 12 - VOLUMES).max() < 1e-12
    assert np.abs(found.free_energies - forward(0).F).max() < 2e-12
    assert found.volume_disagreement <= found.volume_rounding < 1e-12
    assert found.constant_rounding < 1e-11


def test_the_energy_zero_is_a_convention_and_moves_volumes_by_the_slope(exact):
    found = read(exact)
    assert found.free_energies[0].min() == pytest.approx(0, abs=1e-12)
    assert found.volumes == pytest.approx(VOLUMES / 12 - 0.0408 * LOWEST, abs=1e-12)
    assert np.abs(found.free_energies - (forward(0).F - LOWEST)).max() < 2e-12


@pytest.mark.parametrize("form", ["%.10g", "%.7g", "%.5g", "%.4f"])
def test_fewer_digits_leave_what_they_hold(tmp_path, form):
    found, true = read(write(tmp_path, form), LOWEST), forward(0).F
    assert np.abs(shape(found.free_energies) - shape(true)).max() < 3 * found.volume_rounding
    between = (found.free_energies - true).mean(axis=1)
    assert np.abs(between - between[0]).max() < found.constant_rounding
    assert found.volume_disagreement <= found.volume_rounding


def test_fewer_digits_are_worse_and_said_to_be(tmp_path):
    rounding = [read(write(tmp_path, f"%.{n}g")).constant_rounding for n in (5, 7, 9)]
    assert rounding[0] > 50 * rounding[1] > 2500 * rounding[2] > 0


def test_volumes_that_differ_between_temperatures_are_refused(exact, tmp_path):
    x, t, P = columns(12 * forward(0).F)
    x[78 * 40 + 5] += 1e-6
    with pytest.raises(InputError, match=r"V_T.csv, row 3126, column x: .* 9.78e-07 Å3 .*same to rounding"):
        read(write(tmp_path, columns_=(x, t, P)))
    shuffled = P.copy()
    shuffled[:78] = P[78:156]
    with pytest.raises(InputError, match="belong together"):
        read(write(tmp_path, columns_=(columns(12 * forward(0).F)[0], t, shuffled)))


@pytest.mark.parametrize(
    ("file", "row", "text", "found"),
    [
        ("PP.csv", 100, "0", "row 100, column P: found 0, expected a probability .*underflowed"),
        ("PP.csv", 100, "1e-310", "row 100, column P: found 1e-310, .*underflowed"),
        ("PP.csv", 3, "-0.1", "row 3, column P: found -0.1, expected a probability"),
        ("PP.csv", 9360, "NaN", "row 9360, column P: found 'NaN', expected a finite decimal number"),
        ("PP.csv", 7, "", "row 7, column P: found '', expected a finite decimal number"),
        ("PP.csv", 7, "1e999", "row 7, column P: found '1e999', expected a finite decimal number"),
        ("PP.csv", 7, "1,2", "row 7: found 2 fields, expected 1: P"),
        ("V_T.csv", 1, "inf,1", "row 1, column x: found 'inf'"),
        ("V_T.csv", 79, "-3,1", "row 79, column T': found 1, expected 1.03361344537815.*outermost"),
        ("V_T.csv", 5, None, "found 9359 rows, expected 120 temperatures of 78 rows, 9360"),
    ],
)
def test_what_cannot_be_used_is_named(exact, tmp_path, file, row, text, found):
    for name in ("V_T.csv", "PP.csv"):
        lines = (exact / name).read_text().splitlines()
        if name == file:
            lines[row - 1 : row] = [] if text is None else [text]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=rf"{file}(, |: ){found}"):
        read(tmp_path)


def test_a_file_that_is_not_there_or_no_text_is_named(exact, tmp_path):
    with pytest.raises(InputError, match=r"V_T.csv: found .*No such file"):
        read(tmp_path)
    (tmp_path / "V_T.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"V_T.csv: found .*decode"):
        read(tmp_path)


def test_volumes_that_do_not_increase_are_refused(tmp_path):
    x, t, P = (c.reshape(120, 78)[:, ::-1].ravel() for c in columns(12 * forward(0).F))
    with pytest.raises(InputError, match=r"row 2, column x: .*volumes that increase"):
        read(write(tmp_path, columns_=(x, t, P)))


def test_the_step_writes_tables_that_fits_read(exact, tmp_path):
    step.run(Given({}), {"published": exact}, tmp_path)
    said = json.loads((tmp_path / "grid.json").read_text())
    assert said["estimated"] == [column.name for column in TABLE[3:]]
    training = read_table(tmp_path / "training.csv", [*TABLE, WEIGHT]).numbers
    assert "estimated" in (tmp_path / "training.csv").read_text().splitlines()[1]
    units = Given({"temperature_K": 1000, "energy_eV_per_atom": 0.0718111})
    grid = read_grid(tmp_path / "training.csv", units, weights=True)
    test = read_grid(tmp_path / "test.csv", units)
    assert all(np.array_equal(grid.values[name], test.values[name]) for name in grid.values)
    V = grid.x
    assert grid.weights.sum() == pytest.approx(V[-1] - V[0], rel=1e-12)
    assert grid.weights @ V == pytest.approx((V[-1] ** 2 - V[0] ** 2) / 2, rel=1e-12)  # exact for lines

    true, warm = forward(2), np.s_[9:]  # 50 K; below 25 K a crossover is narrower than a step of V
    exactly = {TABLE[3].name: true.F_V, TABLE[4].name: true.F_VV, TABLE[5].name: -true.F_T}
    for (name, values), tolerance in zip(exactly.items(), (1e-4, 1e-3, 1e-5), strict=True):
        off = np.abs(training[name].reshape(120, 78) - values)
        assert off[warm].max() < tolerance * np.abs(values).max(), name
