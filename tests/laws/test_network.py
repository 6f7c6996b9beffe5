"""Table I, the siamese loss and the augmentation."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy

from zenn.errors import InputError
from zenn.laws.network import Subnetwork, augmented, later, pair_loss, table


def test_table_1_at_the_size_of_the_paper():
    rows = table(Subnetwork(256))
    said = [(row.layer, row.hyperparameter.partition(";")[0], row.activation) for row in rows]
    assert said == [
        *(("Convolutional", f"Output channels: {n}", "ReLU") for n in (16, 32, 64, 64, 128)),
        ("Flatten", "-", "-"),
        ("Dropout", "Rate: 0.25", "-"),
        ("Dense", "Output units: 128", "ReLU"),
        ("Dense", "Output units: 64", "ReLU"),
        ("Dense", "Output units: 1", "Linear"),
    ]
    assert all("2 x 2; stride 2" in row.hyperparameter for row in rows[:5])
    assert rows[4].output == (128, 8, 8)
    # 4 weights for each pair of channels, one bias each; dense layers after 128 x 8 x 8
    assert [row.parameters for row in rows[:2]] == [5 * 16 * 4 + 16, 16 * 32 * 4 + 32]
    assert rows[7].parameters == 8192 * 128 + 128


@pytest.mark.parametrize("pixels", [32, 64, 96])
def test_any_multiple_of_32(pixels):
    assert Subnetwork(pixels)(torch.rand(3, 5, pixels, pixels)).shape == (3,)


@pytest.mark.parametrize("pixels", [0, 16, 100])
def test_other_sizes_are_refused(pixels):
    with pytest.raises(InputError, match=f"pixels: found {pixels}, expected a multiple of 32"):
        Subnetwork(pixels)


def test_the_loss_of_all_pairs_is_that_of_the_siamese_network():
    torch.manual_seed(1)
    network = Subnetwork(32).eval()
    images = torch.rand(7, 5, 32, 32)
    parts = [range(4), range(4, 7)]
    losses = [
        binary_cross_entropy(later(network, images[[i]], images[[j]]), torch.ones(1))
        for part in parts
        for i, j in itertools.combinations(part, 2)
    ]
    torch.testing.assert_close(pair_loss(network(images), [4, 3]), torch.stack(losses).mean())


def test_augmentation_is_the_group_of_the_square_and_time():
    picture = np.arange(5 * 16).reshape(1, 5, 4, 4)
    made = [
        augmented(torch.from_numpy(picture), k, reversed_time=turned).numpy()
        for k, turned in itertools.product(range(8), (False, True))
    ]
    assert len({array.tobytes() for array in made}) == 16
    np.testing.assert_array_equal(made[2], np.rot90(picture, 1, (-2, -1)))
    np.testing.assert_array_equal(made[1], picture[:, ::-1])


def test_the_order_of_memory_changes_nothing():
    """Beside a plain stack of torch's layers, channel by channel in memory."""
    network = Subnetwork(64).eval()
    plain = torch.nn.Sequential()
    channels = (5, 16, 32, 64, 64, 128)
    for before, after in itertools.pairwise(channels):
        plain.extend([torch.nn.Conv2d(before, after, 2, 2), torch.nn.ReLU()])
    plain.extend([torch.nn.Flatten(), torch.nn.Identity()])
    for before, after in ((512, 128), (128, 64)):
        plain.extend([torch.nn.Linear(before, after), torch.nn.ReLU()])
    plain.append(torch.nn.Linear(64, 1))
    plain.load_state_dict(
        {k.removeprefix("layers."): v.contiguous() for k, v in network.state_dict().items()}
    )
    images = torch.rand(6, 5, 64, 64)
    torch.testing.assert_close(network(images), plain(images)[:, 0], rtol=1e-5, atol=1e-6)


def test_the_representation_is_in_full_precision_under_16_bit_convolutions():
    network, images = Subnetwork(32).eval(), torch.rand(3, 5, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(images)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, network(images), rtol=0.1, atol=0.01)
