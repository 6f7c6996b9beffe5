"""Fits on disk: written and read again, killed and continued, cut or exchanged."""

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.landscape import minimise, store
from zenn.landscape.fitting import Settings, scaling_of
from zenn.landscape.landscapes import bifurcation
from zenn.landscape.losses import Weights
from zenn.landscape.minimise import DivergedError
from zenn.landscape.networks import ConvexNetwork, Perceptron, Zenn

LANDSCAPE = bifurcation(15, 7)
SCALING = scaling_of(LANDSCAPE)
NETWORK = Zenn(SCALING, 2, 1.0, 5.0)
SETTINGS = Settings(adam_steps=20, iterations=40)


@pytest.mark.parametrize(
    "network", [NETWORK, Perceptron(SCALING, (5, 3)), ConvexNetwork(SCALING, "standard", width=4)]
)
def test_a_network_comes_back(tmp_path, network):
    parameters = {"1": network.initial(1).numpy(), "2": network.initial(2).numpy()}
    store.save_network(tmp_path / "a b", network, parameters)
    found, vectors = store.load_network(tmp_path / "a b")
    assert found == network
    for name, vector in parameters.items():
        np.testing.assert_array_equal(vectors[name], vector)


def test_networks_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"found no network\.json"):
        store.load_network(tmp_path)
    store.save_network(tmp_path, NETWORK, {"1": NETWORK.initial(1).numpy()})
    whole = (tmp_path / store.PARAMETERS).read_bytes()
    (tmp_path / store.PARAMETERS).write_bytes(whole[:-8])
    with pytest.raises(InputError, match="a whole safetensors file"):
        store.load_network(tmp_path)
    store.save_network(tmp_path, NETWORK, {"1": np.zeros(3)})
    with pytest.raises(InputError, match=r"shape \(3,\), expected float64 of shape \(420,\)"):
        store.load_network(tmp_path)
    (tmp_path / store.NETWORK).write_text('{"kind": "zenn"}')
    with pytest.raises(InputError, match="the description of a network"):
        store.load_network(tmp_path)


class Killed(BaseException):
    pass


def test_a_killed_fit_ends_at_the_same_result(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SAVE_EVERY", 0.0)
    whole = store.run_fit(NETWORK, LANDSCAPE, Weights(), SETTINGS, 3)
    kept, stops = tmp_path / "fit.safetensors", iter((7, 36))
    for stop in stops:

        def kill(state, stop=stop):
            if state.iteration == stop:
                raise Killed

        with pytest.raises(Killed):
            store.run_fit(NETWORK, LANDSCAPE, Weights(), SETTINGS, 3, kept, kill)
    seen = []
    found = store.run_fit(
        NETWORK, LANDSCAPE, Weights(), SETTINGS, 3, kept, lambda s: seen.append(s.iteration)
    )
    assert seen[0] == 35  # past the first collection of updates into a matrix
    np.testing.assert_array_equal(found.state.parameters, whole.state.parameters)
    np.testing.assert_array_equal(found.history, whole.history)
    assert len(whole.history) == 40
    assert found.state.evaluations == whole.state.evaluations
    with pytest.raises(InputError, match="the state of another fit"):
        store.run_fit(NETWORK, LANDSCAPE, Weights(), SETTINGS, 4, kept)


def test_a_fit_that_ended_without_descent_has_ended(tmp_path, monkeypatch):
    """Killed before its result appeared: the line search that found nothing is not tried again."""
    monkeypatch.setattr(store, "SAVE_EVERY", 0.0)
    kept = tmp_path / "fit.safetensors"

    def find_nothing(state):
        if state.iteration >= 10:
            monkeypatch.setattr(minimise, "_line_search", lambda *given: None)

    whole, found = (
        store.run_fit(NETWORK, LANDSCAPE, Weights(), SETTINGS, 3, kept, find_nothing) for _ in range(2)
    )
    assert (whole.state.reason, found.state.reason) == ("no descent", "no descent")
    assert (whole.state.iteration, kept.is_file()) == (10, True)
    assert found.state.evaluations == whole.state.evaluations
    np.testing.assert_array_equal(found.state.parameters, whole.state.parameters)
    np.testing.assert_array_equal(found.history, whole.history)


def test_a_diverging_fit_keeps_its_last_good_state(tmp_path):
    wild = Settings(adam_steps=50, adam_rate=1e200, iterations=5)
    with pytest.raises(DivergedError, match=r"lower the rate\. The last good parameters are in"):
        store.run_fit(NETWORK, LANDSCAPE, Weights(), wild, 0, tmp_path / "fit.safetensors")
    _, vectors = store.load_network(tmp_path / "fit-last-good")
    np.testing.assert_array_equal(vectors["parameters"], NETWORK.initial(0).numpy())
