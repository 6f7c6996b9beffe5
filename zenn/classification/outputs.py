"""Energies and entropies of samples as a training stores them, and the two readings that its history shows.

A training computes these itself; every other protocol is in `zenn.classification.protocols`, on which no
training depends: a new one leaves what is trained as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zenn import zentropy
from zenn.arrays import array_namespace
from zenn.errors import InputError

Array = Any  # numpy.ndarray or torch.Tensor, as in zenn.zentropy


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
    return log_sum_exp(outputs.conditional + outputs.log_prior[:, None, None])


def oracle(outputs: Outputs, labels: Array) -> Array:
    """ln sum_i q_i(x, y) p(k | x, T_i), (N, K): the paper's evaluation. It uses test labels.

    q is that of Eq. (11) with the test label and omega = 1 ("in testing"), without a prior, as printed. For
    S = 0 all temperatures rank the classes alike, and the error is that without labels.
    """
    log_q = log_labelled_posterior(outputs, labels, 1.0, with_prior=False)
    return log_sum_exp(outputs.conditional + log_q[..., None])


def log_labelled_posterior(
    outputs: Outputs, labels: Array, omega: float, *, with_prior: bool = False
) -> Array:
    """ln q_i(x, y) of Eq. (11), (N_T, N); as printed it has no prior. It uses labels."""
    check_omega(omega)
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
    return weighted - log_sum_exp(weighted)


def log_sum_exp(x: Array) -> Array:
    """ln sum exp over the first axis; zero probabilities (-inf) are allowed."""
    xp = array_namespace(x)
    largest = xp.max(x, axis=0)
    largest = xp.where(xp.isinf(largest), xp.zeros_like(largest), largest)
    total = xp.sum(xp.exp(x - largest), axis=0)
    return largest + xp.where(total > 0, xp.log(xp.where(total > 0, total, 1.0)), -math.inf)


def check_omega(omega: float) -> None:
    """Raise InputError where omega is negative or no number."""
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
