"""What every encoder of texts asks of a batch."""

from __future__ import annotations

from torch import Tensor

from zenn.errors import InputError


def last_positions(mask: Tensor) -> Tensor:
    """Position (B,) of the last token that is no padding, of an attention mask (B, L).

    Raises
    ------
    InputError : a text is all padding, or not padded on the right.
    """
    lengths = mask.sum(1)
    # a GPU would have to finish all before it could be looked at; what comes there has been here before
    if mask.device.type == "cpu" and not bool((mask[:, 0] != 0).all()):
        row = int((mask[:, 0] == 0).nonzero()[0])
        found = "no token at all" if not int(lengths[row]) else "padding before the text"
        raise InputError("a batch of texts", f"row {row}", found, "a text with padding after it only")
    return lengths - 1
