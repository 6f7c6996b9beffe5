"""Cross-zentropy as Eqs. (9)-(13) of Paper A read, one temperature at a time: what ours is compared with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

GAMMA, OMEGA = 100.0, 5.0


def loss_of_a_batch(energies: Tensor, entropies: Tensor | None, labels: Tensor, T: Tensor) -> Tensor:
    """Of energies and entropies (B, K), labels (B,), temperatures (N_T,); cross-entropy without entropies."""
    if entropies is None:
        return cross_entropy(-energies, labels)
    offset = entropies - (entropies / GAMMA) ** 2
    losses = torch.stack([cross_entropy(offset - energies / t, labels, reduction="none") for t in T])
    return (torch.softmax(-OMEGA * losses.detach(), dim=0) * losses).sum(dim=0).mean()
