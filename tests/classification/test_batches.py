"""Batches against whole arrays that numpy normalised, padded, cut and mirrored."""

import numpy as np
import pytest
import torch

from zenn.classification import batches
from zenn.classification.batches import Augmentation, Epoch, Samples, augmentation_of, in_order
from zenn.classification.data import DataSet, Split
from zenn.errors import InputError

RANDOM = np.random.default_rng(0)
CPU = torch.device("cpu")
PIXELS = RANDOM.integers(0, 256, (12, 5, 4, 3), dtype=np.uint8)
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def images():
    split = Split({"pixels": PIXELS}, RANDOM.integers(0, 3, 12))
    return DataSet("i", "images", ("a", "b", "c"), split, split, split, MEAN, STD, 0, 0, (), {})


def texts():
    lengths = np.array([3, 7, 1, 4], np.int32)
    ids = np.where(np.arange(7) < lengths[:, None], RANDOM.integers(1, 9, (4, 7)), 0).astype(np.int32)
    split = Split({"input_ids": ids, "lengths": lengths}, np.array([0, 1, 1, 0]))
    return DataSet("t", "texts", ("a", "b"), split, split, split, (), (), 9, 0, (), {})


def normalised(pixels):
    return ((pixels / 255 - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("floats", [0, 2**20])
def test_images_are_normalised_and_in_the_order_asked_for(monkeypatch, floats):
    monkeypatch.setattr(batches, "_FLOATS", floats)  # kept as bytes, or as numbers
    data = images()
    batch, labels = Samples(data.train, data, CPU).take(torch.tensor([7, 0, 7]))
    assert batch["pixels"].dtype == torch.float32
    np.testing.assert_allclose(batch["pixels"], normalised(PIXELS[[7, 0, 7]]), atol=1e-5)
    np.testing.assert_array_equal(labels, data.train.labels[[7, 0, 7]])


@pytest.mark.parametrize("floats", [0, 2**20])
@pytest.mark.parametrize("augmentation", [Augmentation(True, 2), Augmentation(True), Augmentation(False, 1)])
def test_augmented_images(monkeypatch, floats, augmentation):
    monkeypatch.setattr(batches, "_FLOATS", floats)
    data = images()
    samples = Samples(data.train, data, CPU, augmentation)
    epoch = Epoch.of(12, augmentation, 3, 5)
    batch, _ = samples.take(epoch.order, epoch)
    p = augmentation.padding
    for image, index in zip(batch["pixels"].numpy(), epoch.order.tolist(), strict=True):
        black = np.pad(PIXELS[index], ((p, p), (p, p), (0, 0)))
        row, column = (0, 0) if epoch.offsets is None else epoch.offsets[index].tolist()
        cut = black[row : row + 5, column : column + 4]
        if epoch.flips is not None and epoch.flips[index]:
            cut = cut[:, ::-1]
        np.testing.assert_allclose(image, normalised(cut[None])[0], atol=1e-5)
    plain, _ = samples.take(torch.arange(12))
    np.testing.assert_allclose(plain["pixels"], normalised(PIXELS), atol=1e-5)


def test_an_epoch_follows_from_seed_and_number():
    whole = Augmentation(True, 4)
    one, same = Epoch.of(400, whole, 1, 2), Epoch.of(400, whole, 1, 2)
    for name in ("order", "flips", "offsets"):
        assert torch.equal(getattr(one, name), getattr(same, name))
    assert sorted(one.order.tolist()) == list(range(400))
    for other in (Epoch.of(400, whole, 2, 1), Epoch.of(400, whole, 1, 3)):
        assert not torch.equal(one.order, other.order)
    assert 0.4 < one.flips.float().mean() < 0.6
    assert one.offsets.min() == 0
    assert one.offsets.max() == 8
    assert torch.equal(Epoch.of(400, Augmentation(), 1, 2).order, one.order)  # runs stay comparable


def test_texts_are_cut_to_the_longest_of_their_batch():
    data = texts()
    batch, _ = Samples(data.train, data, CPU).take(torch.tensor([3, 0, 2]))
    np.testing.assert_array_equal(batch["input_ids"], data.train.inputs["input_ids"][[3, 0, 2], :4])
    np.testing.assert_array_equal(batch["attention_mask"].sum(1), [4, 3, 1])
    assert batch["input_ids"].dtype == batch["attention_mask"].dtype == torch.int64
    with pytest.raises(InputError, match="for texts"):
        Samples(data.train, data, CPU, Augmentation(True))


def test_in_order_takes_every_sample_once():
    assert torch.equal(torch.cat([*in_order(11, 4)]), torch.arange(11))


def test_augmentations_that_do_not_exist():
    assert augmentation_of(["random_crop", "horizontal_flip"], 4) == Augmentation(True, 4)
    with pytest.raises(InputError, match="'mixup'"):
        augmentation_of(["mixup"], 0)
    with pytest.raises(InputError, match="crop_padding"):
        augmentation_of(["random_crop"], 0)
    with pytest.raises(InputError, match="crop_padding"):
        augmentation_of([], 4)
