"""From stored energies and entropies to predictions: one function per protocol.

Training stores E, S and the temperatures for each sample once; every protocol here starts from those, for
numpy arrays and torch tensors alike, and returns ln p(k | x), shape (N, K). Three need no label:

marginal            ln sum_i pi_i p(k | x, T_i): what the model itself says of x, the headline.
map_temperature     ln p(k | x, T_i) at the most likely temperature of `temperature_posterior`.
first_temperature   ln p(k | x, T_1).

`oracle` is the paper's evaluation as printed and uses test labels. Its error says how many samples *some*
temperature would get right, and not how well the model predicts.

The posterior of a temperature without the label
------------------------------------------------
In this model x alone says nothing about T: p(T_i | x) = sum_k p(T_i, k | x) = pi_i. What depends on x is the
paper's posterior given a label, q^(omega)(T_i | x, y) of Eq. (11). `temperature_posterior` is its expectation
over the label that the model itself predicts,

    q_i(x) = sum_k p(k | x) q^(omega)(T_i | x, k),   p(k | x) = sum_i pi_i p(k | x, T_i),
    q^(omega)(T_i | x, k) = pi_i p(k | x, T_i)^omega / sum_j pi_j p(k | x, T_j)^omega.

For omega = 1 the sums cancel and q_i(x) = pi_i for every x; so it is the omega > 1 of training (5 in the
paper) that tells samples apart. That omega has no probabilistic meaning: q_i is then a score, in the limit of
a large omega the probability that the label is one which T_i predicts best. Without entropies the lowest
temperature has it for almost every x. It is no estimate of the source that a sample came from, unless
`metrics.normalised_mutual_information` says so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zenn.arrays import array_namespace
from zenn.classification.outputs import (
    Array,
    Outputs,
    check_omega,
    log_labelled_posterior,
    log_sum_exp,
    marginal,
    oracle,
)

TRAINING_OMEGA = 5.0
"""The omega of Eq. (11) with which the paper trains."""


def map_temperature(outputs: Outputs, omega: float = TRAINING_OMEGA) -> Array:
    """ln p(k | x, T_i) at the temperature of the largest `temperature_posterior`, (N, K). Needs no label."""
    best = temperature_posterior(outputs, omega).argmax(-1)
    samples = array_namespace(outputs.energies).arange(len(best))
    return outputs.conditional[best, samples]


def first_temperature(outputs: Outputs) -> Array:
    """ln p(k | x, T_1), (N, K): T_1 is the one that is not learned. Needs no label."""
    return outputs.conditional[0]


LABEL_FREE: dict[str, Callable[[Outputs], Array]] = {
    "marginal": marginal,
    "map_temperature": map_temperature,
    "first_temperature": first_temperature,
}
"""The protocols that a prediction may use."""


def temperature_posterior(outputs: Outputs, omega: float = TRAINING_OMEGA) -> Array:
    """q_i(x) without a label, (N, N_T): Eq. (11) in expectation over the predicted label, see above.

    >>> outputs = Outputs(np.array([[0.0, 2.0, 2.5]]), None, np.array([1.0, 5.0]))
    >>> temperature_posterior(outputs, omega=1.0)
    array([[0.5, 0.5]])
    """
    check_omega(omega)
    xp = array_namespace(outputs.energies)
    if omega == 1:  # exactly, or the most likely temperature would be one of rounding
        prior = xp.exp(outputs.log_prior)
        return xp.zeros_like(outputs.energies[:, :1]) + prior
    weighted = outputs.log_prior[:, None, None] + omega * outputs.conditional
    log_q = weighted - log_sum_exp(weighted)
    return xp.sum(xp.exp(log_q + marginal(outputs)), axis=-1).T


def labelled_temperature_posterior(
    outputs: Outputs, labels: Array, omega: float = 1.0, *, with_prior: bool = False
) -> Array:
    """q_i(x, y) of Eq. (11), (N, N_T), as printed or with the prior of the model. It uses labels."""
    xp = array_namespace(outputs.energies)
    return xp.exp(log_labelled_posterior(outputs, labels, omega, with_prior=with_prior)).T


def predictions(
    outputs: Outputs, labels: Array | None = None, omega: float = TRAINING_OMEGA
) -> dict[str, Array]:
    """ln p(k | x) by protocol: those of `LABEL_FREE`, and `oracle` where labels are given."""
    found = {
        "marginal": marginal(outputs),
        "map_temperature": map_temperature(outputs, omega),
        "first_temperature": first_temperature(outputs),
    }
    return found if labels is None else {**found, "oracle": oracle(outputs, labels)}


def permuted_label_errors(
    outputs: Outputs, labels: NDArray[np.int64], permutations: int, omega: float = TRAINING_OMEGA
) -> dict[str, float]:
    """Mean error of every protocol on labels in some random orders, the canary for a leak.

    Labels that say nothing about the samples leave a prediction at chance; `oracle` falls below, as it has
    seen them. `outputs` and `labels` are numpy arrays.
    """
    orders = [np.random.default_rng(seed).permutation(labels) for seed in range(permutations)]
    free = {name: log_p.argmax(-1) for name, log_p in predictions(outputs, None, omega).items()}
    errors = {
        name: float(np.mean([np.mean(best != permuted) for permuted in orders]))
        for name, best in free.items()
    }
    seen = [np.mean(oracle(outputs, permuted).argmax(-1) != permuted) for permuted in orders]
    return {**errors, "oracle": float(np.mean(seen))}
