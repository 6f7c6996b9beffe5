"""The benchmark of training runs, counts operations rightly, and its peer takes the same updates."""

import pytest
import torch

from benchmarks import classification_training as benchmark
from zenn.classification.encoders import Shape
from zenn.classification.model import loss_of


def test_operations_of_a_perceptron_are_two_per_weight_and_pass():
    """Forward, gradient of the weights, and gradient of the inputs but for the first layer."""
    encoder = {"kind": "mlp", "hidden": [40], "dropout": 0.0}
    case = benchmark.Case(encoder, "images", 4, 10)
    first, second = 32 * 32 * 3 * 40, 40 * 10
    assert benchmark.operations(case) == 2 * (2 * first + 3 * second)


@pytest.mark.parametrize("settings", [benchmark.CROSS_ENTROPY, benchmark.JOINT])
def test_the_plain_loss_is_the_loss_of_our_training(settings):
    case = benchmark.CASES["scaled-language"]
    data = benchmark.random_data(case, 8)
    model = benchmark.network(case, settings, Shape.of(data), torch.device("cpu"))
    inputs, labels = benchmark.Samples(data.train, data, torch.device("cpu")).take(torch.arange(8))
    E, S = model(inputs)
    T = model.temperatures.values
    plain = benchmark.loss_of_a_batch(E, S, labels, T)
    torch.testing.assert_close(loss_of(E, S, labels, T, None, settings) / 8, plain)


def test_it_measures():
    found = benchmark.measure("scaled-vit", updates=5, plain_updates=2)
    assert set(found["samples_per_s"]) == set(benchmark.OURS)
    assert found["cost_of_two_encoders"] > 1
    assert any("scaled-vit" in line for line in benchmark.lines([found]))
