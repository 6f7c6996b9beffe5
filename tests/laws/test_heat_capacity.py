"""The exponent c: exact for exact entropies, and an interval that covers where processes err as one."""

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.laws.heat_capacity import heat_capacity_exponent


def states(c, seed, noise=0.0, shared=0.0, processes=8, stops=20):
    """S~ = alpha_N N (c log u + log(v - b)) + beta_N of processes along adiabats that gain entropy."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(processes):
        particles = 100 * (1 + number % 2)
        volume = 2 + 0.7 * np.sin(np.linspace(0, 3 * np.pi, stops)) ** 2
        heat = 3 - volume + np.cumsum(rng.uniform(0, 0.1, stops))
        value = (0.3 if particles == 100 else 0.2) * particles * (c * heat + volume) + particles
        value += noise * rng.normal(size=stops) + shared * rng.normal() * (heat - heat.mean())
        rows.append(np.stack([value, heat, volume, np.full(stops, particles), np.full(stops, number)]))
    s, heat, volume, particles, process = np.concatenate(rows, axis=1)
    return s, heat, volume, particles.astype(int), process.astype(int)


@pytest.mark.parametrize("c", [0.5, 1.0, 1.5])
def test_exact_entropies_give_their_exponent(c):
    found = heat_capacity_exponent(*states(c, 1), 200, 1)
    assert found == pytest.approx((c, c, c), rel=1e-5)


def test_for_one_number_of_discs_it_is_a_ratio_of_regression_coefficients():
    s, heat, volume, particles, process = states(1.2, 2, noise=3.0)
    one = particles == 100
    columns = np.stack([heat[one], volume[one], np.ones(one.sum())], axis=1)
    slopes = np.linalg.lstsq(columns, s[one], rcond=None)[0]
    found = heat_capacity_exponent(s[one], heat[one], volume[one], particles[one], process[one], 100, 1)
    assert found.value == pytest.approx(slopes[0] / slopes[1], rel=1e-5)


def test_the_interval_covers_where_states_of_a_process_share_an_error():
    """At least 85 % of 80 samples for a nominal 95 % (percentiles of few processes are somewhat narrow)."""
    inside, naive = 0, 0
    for seed in range(80):
        s, heat, volume, particles, process = states(1.0, seed, noise=0.1, shared=3.0, processes=24)
        found = heat_capacity_exponent(s, heat, volume, particles, process, 200, seed)
        inside += found.low <= 1 <= found.high
        alone = heat_capacity_exponent(s, heat, volume, particles, np.arange(len(s)), 100, seed)
        naive += alone.low <= 1 <= alone.high
    assert inside >= 0.85 * 80
    assert naive < inside


def test_one_process_gives_no_interval():
    s, heat, volume, particles, process = states(1.0, 1)
    with pytest.raises(InputError, match="found 1 process of 100 discs"):
        heat_capacity_exponent(s, heat, volume, particles, np.where(particles == 100, 0, process), 100, 1)
