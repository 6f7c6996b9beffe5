"""The inverse Hessian against the matrix itself."""

import numpy as np
import pytest

from zenn.landscape.inverse_hessian import InverseHessian


@pytest.mark.parametrize("size", [6, 640])
def test_updates_against_the_matrix_itself(size):
    """Before there is a matrix, when the updates go into it, and after."""
    random = np.random.default_rng(size)
    made, expected = InverseHessian.diagonal(size, 0.5), 0.5 * np.eye(size)
    probe = random.normal(size=size)
    with_matrix = set()
    for _ in range(80):
        one, other = 0.3 * random.normal(size=(2, size))
        ratio = random.uniform(0.8, 1.0)
        made.update(one, other, ratio)
        expected = (expected + np.outer(one, other) + np.outer(other, one)) / ratio
        with_matrix.add(made.matrix is not None)
        product = expected @ probe
        assert np.abs(made.product(probe) - product).max() < 1e-12 * np.abs(product).max()
    assert with_matrix == {False, True}


def test_one_that_is_written_and_read_goes_on_alike():
    random = np.random.default_rng(0)
    made = InverseHessian.diagonal(5, 2.0)
    for i in range(70):
        made.update(*random.normal(size=(2, 5)), 0.9)
        matrix = None if made.matrix is None else np.array(made.matrix, order="F")
        again = InverseHessian(made.scale, made.pairs.copy(), matrix)
        probe = random.normal(size=5)
        assert np.array_equal(again.product(probe), made.product(probe)), i
