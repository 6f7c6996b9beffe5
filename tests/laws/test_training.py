"""Training on pictures whose order is plain to see; stopped and continued."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from zenn.errors import InputError
from zenn.laws.training import Epoch, Examples, Settings, represent, scores, train

SETTINGS = Settings(epochs=6, learning_rate=3e-3, images_per_step=24, chunk=6, seed=4)


def examples(processes, stops=9, seed=0):
    """Pictures that get brighter with time, each process from another brightness, with noise."""
    rng = np.random.default_rng(seed)
    level = np.linspace(40, 160, stops) + rng.uniform(0, 60, (processes, 1))
    noise = rng.uniform(0, 30, (processes, stops, 5, 32, 32))
    pictures = (level[..., None, None, None] + noise).astype(np.uint8).reshape(-1, 5, 32, 32)
    return Examples(torch.from_numpy(pictures), np.repeat(np.arange(processes), stops))


@pytest.fixture(scope="module")
def trained():
    return train(examples(8), examples(3, seed=1), SETTINGS)


def test_it_learns_the_order(trained):
    test = examples(3, seed=2)
    found = scores(represent(trained.network, test.pictures), test.processes)
    assert found.accuracy > 0.95
    losses = [epoch.validation.loss for epoch in trained.history]
    assert trained.best_epoch == int(np.argmin(losses))
    kept = scores(represent(trained.network, examples(3, seed=1).pictures), examples(3, seed=1).processes)
    assert kept.loss == pytest.approx(min(losses), rel=1e-6)


def test_a_training_that_was_stopped_ends_the_same(trained, tmp_path):
    path = tmp_path / "state.safetensors"

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(examples(8), examples(3, seed=1), SETTINGS, path, stop)
    again = train(examples(8), examples(3, seed=1), SETTINGS, path)
    assert again.history == trained.history
    for name, value in trained.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], value, rtol=0, atol=0)
    other = examples(8, seed=5)
    with pytest.raises(InputError, match="the state of another training"):
        train(other, examples(3, seed=1), SETTINGS, path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="the whole state of a training"):
        train(examples(8), examples(3, seed=1), SETTINGS, path)


def test_scores_beside_scikit_learn():
    rng = np.random.default_rng(1)
    values, processes = rng.normal(size=12), np.repeat([3, 1, 2], [5, 3, 4])
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12) if processes[i] == processes[j]]
    rise = np.array([values[j] - values[i] for i, j in pairs])
    found = scores(values, processes)
    later = 1 / (1 + np.exp(-rise))
    assert found.loss == pytest.approx(log_loss(np.ones(len(rise)), later, labels=[0, 1]))
    assert found.accuracy == pytest.approx((rise > 0).mean())
    which = np.array([processes[i] for i, _ in pairs])
    assert found.process_accuracy == pytest.approx(
        np.mean([(rise[which == p] > 0).mean() for p in (1, 2, 3)])
    )


def test_a_network_that_tells_nothing_apart_is_at_chance():
    found = scores(np.zeros(12), np.repeat([1, 2], 6))
    assert found == pytest.approx((np.log(2), 0.5, 0.5))
