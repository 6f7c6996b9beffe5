"""Pictures and networks as files: whole, damaged, foreign."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from zenn.errors import InputError
from zenn.laws.network import Subnetwork
from zenn.laws.picture_source import FromDisk, nearest
from zenn.laws.pictures import open_array
from zenn.laws.saved_network import load_network, save_network
from zenn.laws.training import represent

PICTURES = np.random.default_rng(1).integers(0, 256, (7, 5, 32, 32), dtype=np.uint8)


@pytest.fixture
def drawn(tmp_path):
    save_file({"other": PICTURES[:2], "pictures": PICTURES}, tmp_path / "pictures.safetensors")
    return tmp_path / "pictures.safetensors"


def test_arrays_are_mapped_as_they_were_written(drawn):
    found = open_array(drawn)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, PICTURES)
    np.testing.assert_array_equal(open_array(drawn, "other"), PICTURES[:2])


@pytest.mark.parametrize("size", [0, 5, 60, 2000])
def test_a_file_that_is_cut_is_refused(drawn, size):
    drawn.write_bytes(drawn.read_bytes()[:size])
    with pytest.raises(InputError, match="expected a whole file of pictures"):
        open_array(drawn)


def test_other_arrays_are_refused(drawn, tmp_path):
    with pytest.raises(InputError, match="array 'images'"):
        open_array(drawn, "images")
    save_file({"pictures": PICTURES.astype(np.float32)}, tmp_path / "floats.safetensors")
    with pytest.raises(InputError, match="F32"):
        open_array(tmp_path / "floats.safetensors")
    with pytest.raises(InputError, match="No such file"):
        open_array(tmp_path / "none.safetensors")


def test_frames_come_from_their_sources(drawn, monkeypatch):
    rows = np.array([1, 4, 6])
    sources = np.array([[0, 1, 2, 3, 4]] * 7), np.array([[4, 3, 2, 1, 0]] * 7)
    source = FromDisk(open_array(drawn), rows, sources)
    assert source.shape == (3, 5, 32, 32)
    expected = np.stack([PICTURES[k, 4 - k] for k in range(5)])
    np.testing.assert_array_equal(source[np.array([2, 0])], np.stack([expected] * 2))
    plain = FromDisk(open_array(drawn), rows)
    held = nearest(plain, "cpu")
    assert isinstance(held, torch.Tensor)
    np.testing.assert_array_equal(held, PICTURES[rows])
    monkeypatch.setattr("zenn.laws.picture_source.IN_MEMORY", 100)
    assert nearest(plain, "cpu") is plain


def test_the_same_representation_from_disk_and_memory(drawn):
    network = Subnetwork(32)
    source = FromDisk(open_array(drawn), np.arange(7))
    np.testing.assert_array_equal(
        represent(network, source, 3), represent(network, torch.from_numpy(PICTURES), 3)
    )


def test_a_network_comes_back(tmp_path):
    network = Subnetwork(64).eval()
    save_network(tmp_path / "n.safetensors", network)
    images = torch.rand(3, 5, 64, 64)
    again = load_network(tmp_path / "n.safetensors")
    torch.testing.assert_close(again(images), network(images), rtol=0, atol=0)
    assert not again.training


def test_damaged_and_foreign_networks_are_refused(tmp_path, drawn):
    path = tmp_path / "n.safetensors"
    with pytest.raises(InputError, match="a whole network"):
        load_network(path)
    with pytest.raises(InputError, match="another file of safetensors"):
        load_network(drawn)
    network = Subnetwork(32)
    save_network(path, network)
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    with pytest.raises(InputError, match="a whole network"):
        load_network(path)
    path.write_bytes(whole.replace(b'pixels\\": 32', b'pixels\\": 64'))
    with pytest.raises(InputError, match=r"layers.12.weight: found \(128, 128\)"):
        load_network(path)
    with torch.no_grad():
        network.layers[0].weight[0, 0] = torch.nan
    save_network(path, network)
    with pytest.raises(InputError, match="not finite"):
        load_network(path)
