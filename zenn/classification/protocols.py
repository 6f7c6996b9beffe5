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

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zenn import zentropy
from zenn.arrays import array_namespace
from zenn.errors import InputError

Array = Any  # numpy.ndarray or torch.Tensor, as in zenn.zentropy

TRAINING_OMEGA = 5.0
"""The omega of Eq. (11) with which the paper trains."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a classifier says about N samples, and with which temperatures.

    energies, entropies : (N, K); None for S = 0. temperatures : (N_T,). prior : probabilities of the
    temperatures, (N_T,); None for a uniform one. numpy arrays of float32 are computed with in float64.

    Raises
    ------
    InputError : shapes that do not fit, no temperature, one that is not positive, a number that is not
    finite, a prior that does not sum to 1.
    """

    energies: Array
    entropies: Array | None
    temperatures: Array
    prior: Array | None = None
    boltzmann_constant: float = 1.0
    gamma: float = 100.0

    def __post_init__(self) -> None:
        for name in ("energies", "entropies", "temperatures", "prior"):
            value = getattr(self, name)
            if isinstance(value, (np.ndarray, list, tuple)):
                object.__setattr__(self, name, np.asarray(value, dtype=np.float64))
        _check_outputs(self)

    @cached_property
    def conditional(self) -> Array:
        """ln p(k | x, T_i) of Eq. (13), (N_T, N, K)."""
        S = 0.0 if self.entropies is None else self.entropies[None]
        T = self.temperatures[:, None]
        return zentropy.log_probabilities(
            self.energies[None], S, T, k_B=self.boltzmann_constant, gamma=self.gamma
        )

    @property
    def log_prior(self) -> Array:
        """ln pi, (N_T,)."""
        xp = array_namespace(self.temperatures)
        if self.prior is None:
            return xp.zeros_like(self.temperatures) - math.log(len(self.temperatures))
        none = self.prior == 0
        return xp.where(none, -math.inf, xp.log(xp.where(none, xp.ones_like(self.prior), self.prior)))


def marginal(outputs: Outputs) -> Array:
    """ln sum_i pi_i p(k | x, T_i), (N, K). Needs no label.

    >>> energies = np.array([[0.0, np.log(3.0)]])
    >>> np.exp(marginal(Outputs(energies, None, np.array([1.0, 1e9]))))  # (3/4 + 1/2) / 2
    array([[0.625, 0.375]])
    """
    return _log_sum(outputs.conditional + outputs.log_prior[:, None, None])


def map_temperature(outputs: Outputs, omega: float = TRAINING_OMEGA) -> Array:
    """ln p(k | x, T_i) at the temperature of the largest `temperature_posterior`, (N, K). Needs no label."""
    best = temperature_posterior(outputs, omega).argmax(-1)
    samples = array_namespace(outputs.energies).arange(len(best))
    return outputs.conditional[best, samples]


def first_temperature(outputs: Outputs) -> Array:
    """ln p(k | x, T_1), (N, K): T_1 is the one that is not learned. Needs no label."""
    return outputs.conditional[0]


def oracle(outputs: Outputs, labels: Array) -> Array:
    """ln sum_i q_i(x, y) p(k | x, T_i), (N, K): the paper's evaluation. It uses test labels.

    q is that of Eq. (11) with the test label and omega = 1 ("in testing"), without a prior, as printed. For
    S = 0 all temperatures rank the classes alike, and the error is that without labels.
    """
    log_q = _log_labelled(outputs, labels, 1.0, with_prior=False)
    return _log_sum(outputs.conditional + log_q[..., None])


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
    _check_omega(omega)
    xp = array_namespace(outputs.energies)
    if omega == 1:  # exactly, or the most likely temperature would be one of rounding
        prior = xp.exp(outputs.log_prior)
        return xp.zeros_like(outputs.energies[:, :1]) + prior
    weighted = outputs.log_prior[:, None, None] + omega * outputs.conditional
    log_q = weighted - _log_sum(weighted)
    return xp.sum(xp.exp(log_q + marginal(outputs)), axis=-1).T


def labelled_temperature_posterior(outputs: Outputs, labels: Array, omega: float = 1.0) -> Array:
    """q_i(x, y) of Eq. (11), (N, N_T), with the prior if there is one. It uses labels."""
    xp = array_namespace(outputs.energies)
    return xp.exp(_log_labelled(outputs, labels, omega, with_prior=True)).T


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
    outputs: Outputs, labels: NDArray[np.int64], seed: int, omega: float = TRAINING_OMEGA
) -> dict[str, float]:
    """Error of every protocol on labels in a random order, the canary for a leak.

    Labels that say nothing about the samples leave a prediction at chance; `oracle` falls below, as it has
    seen them. `outputs` and `labels` are numpy arrays.
    """
    permuted = np.random.default_rng(seed).permutation(labels)
    return {
        name: float(np.mean(log_p.argmax(-1) != permuted))
        for name, log_p in predictions(outputs, permuted, omega).items()
    }


def _log_labelled(outputs: Outputs, labels: Array, omega: float, *, with_prior: bool) -> Array:
    """ln q_i(x, y), (N_T, N)."""
    _check_omega(omega)
    xp = array_namespace(outputs.energies)
    N, K = outputs.energies.shape
    labels = xp.asarray(labels)
    if tuple(labels.shape) != (N,):
        raise InputError("argument labels", "", f"shape {tuple(labels.shape)}", f"({N},), one per sample")
    bad = (labels < 0) | (labels >= K)
    if bool(xp.any(bad)):
        first = int(xp.argmax(xp.asarray(bad, dtype=xp.int8)))
        raise InputError("argument labels", f"sample {first}", int(labels[first]), f"0 to {K - 1}")
    weighted = omega * outputs.conditional[:, xp.arange(N), labels]
    if with_prior:
        weighted = weighted + outputs.log_prior[:, None]
    return weighted - _log_sum(weighted)


def _log_sum(x: Array) -> Array:
    """ln sum exp over the first axis; zero probabilities (-inf) are allowed."""
    xp = array_namespace(x)
    largest = xp.max(x, axis=0)
    largest = xp.where(xp.isinf(largest), xp.zeros_like(largest), largest)
    total = xp.sum(xp.exp(x - largest), axis=0)
    return largest + xp.where(total > 0, xp.log(xp.where(total > 0, total, 1.0)), -math.inf)


def _check_omega(omega: float) -> None:
    if not 0 <= omega < math.inf:
        raise InputError("argument omega", "", omega, "a number of 0 or more")


def _check_outputs(outputs: Outputs) -> None:
    E, S, T, prior = outputs.energies, outputs.entropies, outputs.temperatures, outputs.prior
    xp = array_namespace(E)
    if E.ndim != 2:
        raise InputError("argument energies", "", f"shape {tuple(E.shape)}", "(N, K)")
    if S is not None and S.shape != E.shape:
        expected = f"that of the energies, {tuple(E.shape)}"
        raise InputError("argument entropies", "", f"shape {tuple(S.shape)}", expected)
    for name, value in (("energies", E), ("entropies", S)):
        if value is not None and not bool(xp.all(xp.isfinite(value))):
            raise InputError(f"argument {name}", "", "NaN or infinity", "finite numbers")
    if T.ndim != 1 or not len(T):
        raise InputError("argument temperatures", "", f"shape {tuple(T.shape)}", "(N_T,), one or more")
    if not bool(xp.all(xp.isfinite(T) & (T > 0))):
        raise InputError("argument temperatures", "", T.tolist(), "positive ones")
    if prior is None:
        return
    if prior.shape != T.shape:
        raise InputError(
            "argument prior", "", f"shape {tuple(prior.shape)}", f"({len(T)},), one per temperature"
        )
    if not bool(xp.all(prior >= 0)) or abs(float(xp.sum(prior)) - 1) > 1e-4:
        raise InputError("argument prior", "", prior.tolist(), "probabilities that sum to 1")
