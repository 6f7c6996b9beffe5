"""How many configurations: what is held out, when the search ends, and a mixture that one cannot describe."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zenn.errors import InputError
from zenn.landscape.fitting import Settings, fit, scaling_of
from zenn.landscape.landscapes import Landscape, bifurcation, bifurcation_energy, three_wells
from zenn.landscape.losses import Weights
from zenn.landscape.networks import Zenn
from zenn.landscape.selection import FLOOR, Measured, held_out, marks, rms_error, select, sufficient
from zenn.landscape.surface import ExactBifurcation, NetworkSurface, SeriesSurface


def test_temperatures_are_held_out_where_there_are_three():
    landscape = bifurcation(9, 11)
    training, rest, said = held_out(landscape)
    np.testing.assert_array_equal(rest.temperatures, landscape.temperatures[[1, 5, 9]])
    np.testing.assert_array_equal(rest.free_energies, landscape.free_energies[[1, 5, 9]])
    np.testing.assert_array_equal(rest.slopes, landscape.slopes[[1, 5, 9]])
    assert {*training.temperatures} | {*rest.temperatures} == {*landscape.temperatures}
    assert training.temperature_window == landscape.temperature_window
    assert said.startswith("3 of 11 temperatures")
    assert len(held_out(bifurcation(9, 3))[1].temperatures) == 1


def test_points_are_held_out_where_there_is_one_temperature():
    flat = three_wells(5)
    training, rest, said = held_out(flat)
    assert said.startswith("5 of 25 points")
    assert training.domain == flat.domain
    assert len(training.points) + len(rest.points) == 25
    rows = [flat.points.tolist().index(point) for point in rest.points.tolist()]
    np.testing.assert_array_equal(rest.free_energies, flat.free_energies[:, rows])
    np.testing.assert_array_equal(rest.weights, flat.weights[rows])
    few = Landscape(np.arange(5.0), np.ones(5), np.ones(1), np.zeros((1, 5)), 1.0, np.ones(1))
    with pytest.raises(InputError, match="found 5 points"):
        held_out(few)


def test_the_error_is_that_of_the_density():
    """Off by a constant per temperature: none. Off by a step: its deviation in exp(-F / k_B T_d)."""
    x, w = np.linspace(-1, 1, 21), np.full(21, 0.1)
    F = bifurcation_energy(x, 1.5)[None] + 7.0
    landscape = Landscape(x, w, np.array([1.5]), F, 1.0, np.array([2.0]))
    assert rms_error(ExactBifurcation(), landscape) == pytest.approx(0, abs=1e-14)
    step = np.where(x > 0.45, 1.0, 0.0)
    off = Landscape(x, w, np.array([1.5]), F + step, 1.0, np.array([2.0]))
    p = np.exp(-(F + step)[0] / 2.0)
    share = p[x > 0.45].sum() / p.sum()
    assert rms_error(ExactBifurcation(), off) == pytest.approx(np.sqrt(share * (1 - share)), rel=1e-12)


@pytest.mark.parametrize(
    ("errors", "chosen"),
    [
        ([1, 0.9, 0.95], 0),
        ([1, 0.5, 0.2, 0.19, 0.18], 2),
        ([1, 3, 0.5, 0.45, 0.44], 2),  # one bad fit is passed over
        ([1, 0.5, 0.2], None),
        ([1, 0.99], None),
        ([1, 1e-9], 1),
    ],
)
def test_when_it_is_enough(errors, chosen):
    assert sufficient(errors, 0.2, floor=1e-6) == chosen


class Off(SeriesSurface):
    """The benchmark and a wrong term of a given size."""

    def __init__(self, size):
        exact = ExactBifurcation()
        super().__init__(lambda inputs: exact.series(inputs) + size * torch.sin(9 * inputs[:, 0]))


def test_the_search_ends_two_after_the_chosen_one():
    landscape, asked, told = bifurcation(15, 9), [], []
    errors = {1: 1.0, 2: 0.1, 3: 0.5, 4: 0.095, 5: 0.01}

    def measured(K, training, rest):
        asked.append((K, len(training.temperatures), len(rest.temperatures)))
        return [Measured(step, rms_error(Off(factor * errors[K]), rest), 0.0) for step, factor in STEPS]

    STEPS = ((1, 7.0), (10, 1.0), (20, 2.0))  # of which the best counts
    found = select(landscape, measured, tolerance=0.2, told=told.append)
    assert (found.configurations, found.iterations, found.settled) == (2, 10, True)
    assert asked == [(K, 7, 2) for K in (1, 2, 3, 4)]
    assert tuple(told) == found.scores
    assert found.scores[0].best.held_out == pytest.approx(10 * found.scores[1].best.held_out)
    found = select(landscape, measured, tolerance=0.2, candidates=(1, 2, 3))
    assert (found.configurations, found.settled) == (2, False)
    found = select(landscape, measured, tolerance=0.2, candidates=(3,))
    assert (found.configurations, found.iterations, found.settled) == (3, 10, True)
    found = select(landscape, lambda *_: [Measured(5, 1e-9, 0.0)], tolerance=0.2)
    assert (found.configurations, len(found.scores)) == (1, 1)
    assert found.chosen.best.held_out < FLOOR
    for bad in ({"tolerance": 0.0}, {"tolerance": 1.0}, {"candidates": ()}, {"candidates": (0, 1)}):
        with pytest.raises(InputError, match=f"argument {next(iter(bad))}"):
            select(landscape, measured, **bad)


def fits(landscape, steps, gamma=5.0):
    """What `select` asks for, by fits of `steps` steps."""

    def measured(K, training, rest):
        network = Zenn(scaling_of(landscape), K, landscape.boltzmann_constant, gamma)
        found = []
        for state in fit(network, training, Weights(), Settings("wells", iterations=steps), 0):
            if state.iteration in marks(steps):
                surface = NetworkSurface(network, torch.from_numpy(state.parameters))
                errors = rms_error(surface, rest), rms_error(surface, training)
                found.append(Measured(state.iteration, *errors))
        return found

    return measured


def test_a_sharp_mixture_needs_more_than_one():
    """Three parabolas that cross within a small k_B T: a short fit of one network cannot follow the kinks."""
    x, T = np.linspace(-1, 1, 41), np.linspace(0.5, 1.0, 7)
    centres, k = np.array([-0.7, 0.0, 0.7])[:, None, None], 0.01
    wells = 4 * (x - centres) ** 2 - 0.2 * T[:, None] * centres
    F = -k * T[:, None] * np.log(np.exp(-wells / (k * T[:, None])).sum(axis=0))
    landscape = Landscape(x, np.full(41, 0.05), T, F, k, np.full(7, 0.4 / k))
    found = select(landscape, fits(landscape, 60, np.inf), tolerance=0.3, candidates=range(1, 6))
    assert found.configurations > 1
    assert found.chosen.best.held_out < found.scores[0].best.held_out / 2


def test_a_fit_of_noisy_data_ends_before_it_follows_the_noise():
    exact = bifurcation(33, 9, (-1.6, 1.6), (1.2, 2.8))
    noise = 0.1 * np.random.default_rng(0).normal(size=(9, 33))
    landscape = replace(exact, free_energies=exact.free_energies + noise)
    traces = []

    def measured(K, training, rest):
        traces.append(fits(landscape, 250)(K, training, rest))
        return traces[-1]

    found = select(landscape, measured, candidates=(1,))
    (trace,) = traces
    assert 10 < found.iterations < 200
    assert trace[-1].held_out > 1.2 * found.chosen.best.held_out
    assert trace[-1].fitted < found.chosen.best.fitted
