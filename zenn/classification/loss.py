"""Cross-zentropy: cross-entropy of a mixture over temperatures, each with energies E and entropies S.

After Wang, Shang, Liu and Hao, ZENN, Eqs. (8)-(14). With one temperature T_i, class k has

    p(k | x, T_i) = softmax_k(S / k_B - (S / (gamma k_B))^2 - E / (k_B T_i))          (Eq. 13),
    CZ_i = -sum_k y_k ln p(k | x, T_i)                                               (Eqs. 9 and 12),

and over temperatures the loss of a sample is sum_i q_i CZ_i (Eq. 10) with q = softmax_i(-omega CZ) (Eq. 11).
With S = 0 and one temperature T = 1 in units of k_B it is the cross-entropy of the logits -E.

What the paper leaves open is decided so:

* A target that is a distribution (mixup), or that label smoothing makes one, enters CZ as in Eq. (9);
  Eq. (12) is the same for a label.
* Class weights multiply the loss, not the exponent of q: they say how much a sample counts, not how likely it
  is.
* With a prior pi over temperatures, q = softmax_i(ln pi - omega CZ) and the loss is
  sum_i q_i (CZ_i - ln pi_i): one step of expectation-maximisation. For omega = 1, and q detached, its
  gradient is that of -ln sum_i pi_i p(y | x, T_i), the marginal likelihood. A larger omega gives more weight
  to the temperature that explains the label best already, not to the worst case.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from zenn.classification.temperatures import TemperaturePrior, TemperatureSet
from zenn.errors import InputError

Reduction = Literal["none", "mean", "sum"]


def conditional_log_probabilities(
    energies: Tensor,
    entropies: Tensor | None,
    temperatures: Tensor | Sequence[float],
    boltzmann_constant: float = 1.0,
    gamma: float = 100.0,
) -> Tensor:
    """ln p(k | x, T_i) of Eq. (13), shape (N_T, B, K), in float32 or better whatever autocast says.

    energies, entropies : (B, K); None for S = 0. temperatures : (N_T,), in units of energy / k_B.

    Raises
    ------
    InputError : shapes that do not fit, no temperature, one that is not positive.

    >>> conditional_log_probabilities(torch.zeros(1, 2), None, [1.0, 5.0]).exp()
    tensor([[[0.5000, 0.5000]],
    <BLANKLINE>
            [[0.5000, 0.5000]]])
    """
    _check_positive("boltzmann_constant", boltzmann_constant)
    _check_positive("gamma", gamma)
    E, S = _checked_outputs(energies, entropies)
    scale = -1 / (boltzmann_constant * _checked_temperatures(temperatures, E))[:, None, None]
    with _without_autocast(E.device.type):
        if S is None:
            return torch.log_softmax(E * scale, dim=-1)
        reduced = S / boltzmann_constant
        # one large array, not one for E / T and one for the sum
        return torch.log_softmax(torch.addcmul(reduced - (reduced / gamma) ** 2, E, scale), dim=-1)


def cross_zentropy(
    energies: Tensor,
    entropies: Tensor | None,
    target: Tensor,
    temperatures: Tensor | Sequence[float] = (1.0,),
    *,
    boltzmann_constant: float = 1.0,
    gamma: float = 100.0,
    omega: float = 1.0,
    log_prior: Tensor | None = None,
    detach_weights: bool = True,
    weight: Tensor | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """The loss of Eq. (10), a number, or shape (B,) without reduction.

    energies, entropies : (B, K); None for S = 0. target : labels, (B,), or probabilities, (B, K).
    temperatures : (N_T,). omega : of Eq. (11); the paper trains with 5. log_prior : (N_T,), normalised here,
    so that logits will do; without one the loss is Eq. (10) as printed. detach_weights : no gradient through
    q, as in expectation-maximisation (the authors' script lets it through). The rest is as in
    `torch.nn.functional.cross_entropy`, to which the result is equal for S = 0 and the temperature 1.

    Values are looked at on the CPU only: on an accelerator that would make it wait in every step, and torch's
    own assertion ends the program at a label out of range.

    Raises
    ------
    InputError : a label out of range, shapes that do not fit, no temperature, one that is not positive.

    >>> energies, labels = torch.tensor([[0.0, 3.0], [1.0, 0.0]]), torch.tensor([0, 1])
    >>> cross_zentropy(energies, None, labels)
    tensor(0.1809)
    >>> cross_zentropy(energies, torch.zeros(2, 2), labels, [1.0, 5.0], omega=5.0)
    tensor(0.2329)
    """
    _check_options(omega, label_smoothing, reduction)
    log_p = conditional_log_probabilities(energies, entropies, temperatures, boltzmann_constant, gamma)
    with _without_autocast(log_p.device.type):
        terms = _terms(log_p, target, weight, label_smoothing, ignore_index)
        log_pi = None if log_prior is None else _checked_prior(log_prior, log_p)
        if len(log_p) == 1:  # q = pi = 1
            losses = terms.losses[0]
        else:
            q = _posterior(terms.cross_zentropies, log_pi, omega, detach_weights)
            losses = (q * terms.losses).sum(dim=0)
            if log_pi is not None:
                losses = losses - terms.counts * (q * log_pi).sum(dim=0)
        if reduction == "none":
            return losses
        return losses.sum() if reduction == "sum" else losses.sum() / terms.total


class CrossZentropyLoss(nn.Module):
    """`cross_zentropy` as a module; the arguments are the same.

    temperatures : a `TemperatureSet` or fixed values; without them `forward` has to be given some.
    prior : over the temperatures, to be learned with the model; None for Eq. (10) as printed.

    >>> loss = CrossZentropyLoss(TemperatureSet([1.0, 5.0]), omega=5.0, label_smoothing=0.1)
    >>> loss(torch.tensor([[0.0, 3.0]]), None, torch.tensor([0]))
    tensor(0.2542, grad_fn=<DivBackward0>)
    """

    weight: Tensor | None
    learned: TemperatureSet | None
    fixed: Tensor | None

    def __init__(
        self,
        temperatures: TemperatureSet | Tensor | Sequence[float] | None = None,
        *,
        prior: TemperaturePrior | None = None,
        boltzmann_constant: float = 1.0,
        gamma: float = 100.0,
        omega: float = 1.0,
        detach_weights: bool = True,
        weight: Tensor | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        _check_options(omega, label_smoothing, reduction)
        _check_positive("boltzmann_constant", boltzmann_constant)
        _check_positive("gamma", gamma)
        self.boltzmann_constant, self.gamma = boltzmann_constant, gamma
        self.omega, self.detach_weights = omega, detach_weights
        self.label_smoothing, self.ignore_index = label_smoothing, ignore_index
        self.reduction: Reduction = reduction
        self.prior = prior
        self.register_buffer("weight", weight)
        if isinstance(temperatures, TemperatureSet):
            self.learned, fixed = temperatures, None
        else:
            self.learned, fixed = None, None if temperatures is None else torch.as_tensor(temperatures)
        self.register_buffer("fixed", fixed)

    def forward(
        self,
        energies: Tensor,
        entropies: Tensor | None,
        target: Tensor,
        temperatures: Tensor | Sequence[float] | None = None,
    ) -> Tensor:
        """The loss, with the module's own temperatures unless others are given."""
        if temperatures is None:
            temperatures = self.fixed if self.learned is None else self.learned.values
        if temperatures is None:
            raise InputError("argument temperatures", "", None, "some, here or when the loss was made")
        return cross_zentropy(
            energies,
            entropies,
            target,
            temperatures,
            boltzmann_constant=self.boltzmann_constant,
            gamma=self.gamma,
            omega=self.omega,
            log_prior=None if self.prior is None else self.prior.log_probabilities,
            detach_weights=self.detach_weights,
            weight=self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        """What `print` shows beside the parts."""
        return f"omega={self.omega}, gamma={self.gamma}, reduction={self.reduction}"


class _Terms(NamedTuple):
    """What a target makes of log-probabilities."""

    cross_zentropies: Tensor  # CZ, (N_T, B), without class weights
    losses: Tensor  # the same with them, (N_T, B)
    counts: Tensor  # how much a sample counts, (B,)
    total: Tensor | int  # what a mean divides by


def _terms(
    log_p: Tensor, target: Tensor, weight: Tensor | None, smoothing: float, ignore_index: int
) -> _Terms:
    N_T, B, K = log_p.shape
    if weight is not None:
        if tuple(weight.shape) != (K,):
            raise InputError("argument weight", "", f"shape {tuple(weight.shape)}", f"({K},), one per class")
        weight = weight.to(log_p)
    if target.is_floating_point():
        return _soft_terms(log_p, target, weight, smoothing, ignore_index)
    kept = target != ignore_index
    labels = _checked_labels(target, kept, B, K)
    cross_zentropies = -log_p.gather(-1, labels.expand(N_T, B)[..., None])[..., 0]
    counts = kept.to(log_p.dtype)
    if weight is None:
        if smoothing:
            cross_zentropies = (1 - smoothing) * cross_zentropies - smoothing / K * log_p.sum(dim=-1)
        losses = cross_zentropies
    else:
        counts = counts * weight[labels]
        losses = weight[labels] * cross_zentropies
        if smoothing:
            losses = (1 - smoothing) * losses - smoothing / K * (log_p * weight).sum(dim=-1)
            cross_zentropies = (1 - smoothing) * cross_zentropies - smoothing / K * log_p.sum(dim=-1)
    return _Terms(cross_zentropies, losses.masked_fill(~kept, 0.0), counts, counts.sum())


def _soft_terms(
    log_p: Tensor, target: Tensor, weight: Tensor | None, smoothing: float, ignore_index: int
) -> _Terms:
    _, B, K = log_p.shape
    if tuple(target.shape) != (B, K):
        raise InputError("argument target", "", f"probabilities {tuple(target.shape)}", f"({B}, {K})")
    if ignore_index >= 0:
        raise InputError("argument ignore_index", "", ignore_index, "a negative one for probabilities")
    target = target.to(log_p.dtype)
    if smoothing:
        target = (1 - smoothing) * target + smoothing / K
    # sums and not matrix products: those would be TF32 where a user allows it
    cross_zentropies = -(log_p * target).sum(dim=-1)
    if weight is None:
        return _Terms(cross_zentropies, cross_zentropies, target.sum(dim=-1), B)
    weighted = target * weight
    return _Terms(cross_zentropies, -(log_p * weighted).sum(dim=-1), weighted.sum(dim=-1), B)


def _posterior(cross_zentropies: Tensor, log_pi: Tensor | None, omega: float, detach: bool) -> Tensor:
    """q of Eq. (11), (N_T, B)."""
    if detach:
        cross_zentropies = cross_zentropies.detach()
        log_pi = None if log_pi is None else log_pi.detach()
    exponent = -omega * cross_zentropies
    return torch.softmax(exponent if log_pi is None else log_pi + exponent, dim=0)


def _without_autocast(device: str) -> contextlib.AbstractContextManager[object]:
    """bf16 would cost 3 to 110 % of the gradient."""
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()


def _values_can_be_seen(x: Tensor) -> bool:
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _checked_outputs(energies: Tensor, entropies: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """E and S of one type, float32 at least."""
    if energies.ndim != 2 or not energies.is_floating_point():
        found = f"{energies.dtype} of shape {tuple(energies.shape)}"
        raise InputError("argument energies", "", found, "floating-point numbers of shape (B, K)")
    dtype = torch.promote_types(energies.dtype, torch.float32)
    if entropies is None:
        return energies.to(dtype), None
    if entropies.shape != energies.shape:
        expected = f"that of the energies, {tuple(energies.shape)}"
        raise InputError("argument entropies", "", f"shape {tuple(entropies.shape)}", expected)
    dtype = torch.promote_types(dtype, entropies.dtype)
    return energies.to(dtype), entropies.to(dtype)


def _checked_temperatures(temperatures: Tensor | Sequence[float], like: Tensor) -> Tensor:
    T = torch.as_tensor(temperatures)
    if T.ndim != 1 or not len(T):
        raise InputError("argument temperatures", "", f"shape {tuple(T.shape)}", "(N_T,), one or more")
    if _values_can_be_seen(T):
        bad = ~((T > 0) & torch.isfinite(T))
        if bool(bad.any()):
            first = int(bad.nonzero()[0, 0])
            raise InputError("argument temperatures", f"T_{first + 1}", f"{float(T[first]):g}", "more than 0")
    return T.to(like)


def _checked_prior(log_prior: Tensor, log_p: Tensor) -> Tensor:
    """ln pi, (N_T, 1)."""
    if log_prior.shape != log_p.shape[:1]:
        found = f"shape {tuple(log_prior.shape)}"
        raise InputError("argument log_prior", "", found, f"({len(log_p)},), one per temperature")
    return torch.log_softmax(log_prior.to(log_p), dim=0)[:, None]


def _checked_labels(target: Tensor, kept: Tensor, B: int, K: int) -> Tensor:
    """Labels with a class in place of those to be ignored."""
    if target.dtype is torch.bool or target.is_complex() or tuple(target.shape) != (B,):
        found = f"{target.dtype} of shape {tuple(target.shape)}"
        raise InputError("argument target", "", found, f"labels, ({B},), or probabilities, ({B}, {K})")
    labels = target.masked_fill(~kept, 0).long()
    if _values_can_be_seen(labels) and B:
        lowest, highest = torch.aminmax(labels)
        if int(lowest) < 0 or int(highest) >= K:
            first = int(((labels < 0) | (labels >= K)).nonzero()[0, 0])
            raise InputError("argument target", f"sample {first}", int(labels[first]), f"0 to {K - 1}")
    return labels


def _check_positive(name: str, value: float) -> None:
    if not value > 0 or (name != "gamma" and math.isinf(value)):
        raise InputError(f"argument {name}", "", value, "a positive number")


def _check_options(omega: float, label_smoothing: float, reduction: str) -> None:
    if not 0 <= omega < math.inf:
        raise InputError("argument omega", "", omega, "a number of 0 or more")
    if not 0 <= label_smoothing <= 1:
        raise InputError("argument label_smoothing", "", label_smoothing, "0 to 1")
    if reduction not in ("none", "mean", "sum"):
        raise InputError("argument reduction", "", reduction, "none, mean or sum")
