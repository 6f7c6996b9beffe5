"""Tables of free energies: what is read from them, and what is refused with its place."""

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.landscape.grids import grid_weights
from zenn.landscape.table import read_landscape

X, T = (0.0, 1.0, 3.0, 4.0), (10.0, 20.0)


def energy(x, t):
    return x**2 + t / 10


def written(path, rows, header="x,temperature,free_energy"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def rows(points=X, temperatures=T):
    return [f"{x},{t},{energy(x, t)}" for t in temperatures for x in points]


def test_rows_in_any_order_make_one_grid(tmp_path):
    lines = rows()
    np.random.default_rng(0).shuffle(lines)
    found = read_landscape(written(tmp_path / "a.csv", ["# a comment", *lines]))
    assert found.names == ("x",)
    np.testing.assert_array_equal(found.points[:, 0], X)
    np.testing.assert_array_equal(found.temperatures, T)
    np.testing.assert_array_equal(found.free_energies, energy(np.array(X), np.array(T)[:, None]))
    assert found.weights is None
    assert found.slopes is None
    assert found.entropies is None
    assert not found.free_energies.flags.writeable


def test_optional_columns_and_two_coordinates(tmp_path):
    points = [(x, y) for x in (0, 1, 2) for y in (-1, 1)]
    header = "entropy,slope2,x2,x1,temperature,weight,free_energy,slope1"
    lines = [f"{x - y},{10 * y},{y},{x},{t},{1 + x},{x * t},{x * y}" for x, y in points for t in T]
    found = read_landscape(written(tmp_path / "a.csv", lines, header))
    x, y = np.array(points, dtype=float).T
    np.testing.assert_array_equal(found.points, np.stack([x, y], axis=1))
    np.testing.assert_array_equal(found.weights, 1 + x)
    np.testing.assert_array_equal(found.free_energies, x * np.array(T)[:, None])
    np.testing.assert_array_equal(found.slopes, np.broadcast_to(np.stack([x * y, 10 * y], 1), (2, 6, 2)))
    np.testing.assert_array_equal(found.entropies, np.broadcast_to(x - y, (2, 6)))


BAD = {
    "nan": ([*rows()[:-1], "4,20,nan"], "line 9, column 'free_energy': found nan, expected a finite number"),
    "text": ([*rows()[:-1], "4,20,?"], "line 9, column 'free_energy': found '?'"),
    "cold": ([*rows(temperatures=(0.0, 1.0))], "line 2, column 'temperature': found 0, expected a temp"),
    "twice": (
        [*rows(), "3,10,1"],
        "line 10, column 'x': found x = 3.0 at temperature 10, also on line 4, expected each point once",
    ),
    "missing point": (
        rows()[:-2] + rows()[-1:] + rows(temperatures=(30.0,)),
        "up to line 8, column 'x': found temperature 20 without x = 3.0, expected the 4 points of the other",
    ),
    "another grid": (
        rows() + rows((*X, 5.0), (30.0,)),
        "line 14, column 'x': found x = 5.0 at temperature 30, a point of 1 of 3 temperatures",
    ),
    "digits": (
        [*rows(temperatures=(10.0, 20.0, 30.0))[:-1], "4.0000000001,30,1"],
        "expected the same points at every temperature. Is it x = 4.0 in other digits?",
    ),
    "few": (rows((1.0, 2.0, 3.0)), "column 'x': found 3 points, expected 4 points or more"),
    "cut": ([*rows()[:-1], "4,20"], "line 9, column 'free_energy': found 2 fields, expected 3 fields"),
}


@pytest.mark.parametrize("name", BAD)
def test_tables_that_are_refused(tmp_path, name):
    lines, message = BAD[name]
    path = written(tmp_path / "bad table.csv", lines)
    with pytest.raises(InputError) as refused:
        read_landscape(path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{path}, ")


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        ("x,T,free_energy", rows(), "line 1: found no column 'temperature'"),
        ("x,temperature,energy", rows(), "For 'free_energy', did you mean 'energy'?"),
        ("y,temperature,free_energy", rows(), "found no column 'x'"),
        ("x1,x3,temperature,free_energy", ["1,2,3,4"], "found no column 'x2' among 'x1', 'x3'"),
        ("x99999,temperature,free_energy", ["1,2,3"], "expected the columns x1, x2, temperature, free"),
        ("x,x1,temperature,free_energy", ["1,2,3,4"], "found 'x' beside 'x1', expected x alone"),
        ("x,temperature,free_energy,slop", ["1,2,3,4"], "(and, if known, weight, slope, entropy). did you"),
        ("x,temperature,free_energy,weight", ["1,2,3,-4"], "'weight': found -4, expected a weight above 0"),
        ("x,temperature,free_energy,x", ["1,2,3,4"], "the repeated column 'x'"),
    ],
)  # fmt: skip
def test_headers_that_are_refused(tmp_path, header, lines, message):
    with pytest.raises(InputError) as refused:
        read_landscape(written(tmp_path / "a.csv", lines, header))
    assert message in str(refused.value)


def test_weights_belong_to_points_and_coordinates_vary(tmp_path):
    lines = [f"{line},{1 + i}" for i, line in enumerate(rows())]
    with pytest.raises(
        InputError, match=r"line 6, column 'weight': found 5 at temperature 20, expected 1, as"
    ):
        read_landscape(written(tmp_path / "a.csv", lines, "x,temperature,free_energy,weight"))
    lines = [f"{x},7,10,1" for x in X]
    with pytest.raises(InputError, match=r"column 'x2': found 7 in every row, expected a coordinate that"):
        read_landscape(written(tmp_path / "a.csv", lines, "x1,x2,temperature,free_energy"))
    (tmp_path / "a.csv").write_text("x,temperature,free_energy\n1,2,3")
    with pytest.raises(InputError, match="a line feed at the end of every row"):
        read_landscape(tmp_path / "a.csv")
    with pytest.raises(InputError, match="No such file"):
        read_landscape(tmp_path / "none.csv")


def test_weights_of_grids_integrate_what_the_trapezoidal_rule_does():
    x, y = np.array([0.0, 0.5, 2.0]), np.array([1.0, 1.5, 2.0, 4.0])
    points = np.array([(a, b) for b in y for a in x])
    weights, name = grid_weights(points)
    assert name == "trapezoidal"
    exact = 2**2 / 2 * (4**2 - 1) / 2  # of the integral of x y: linear in each
    assert weights @ points.prod(axis=1) == pytest.approx(exact, rel=1e-14)
    weights, name = grid_weights(points[:-1])
    assert name == "equal"
    np.testing.assert_allclose(weights, 1 / 11)
