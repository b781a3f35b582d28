"""Rows [B, S] of a batch: utterances padded with zeros, and numbers for each, without waiting for the device."""

from collections.abc import Sequence

import torch
from torch import Tensor


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Copies a tensor from the CPU to the device; to a GPU without waiting for it."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values.to(device)


def column(values: Sequence[float], device: torch.device) -> Tensor:
    """A number [B, 1] for each row."""
    return sent(torch.tensor(values, dtype=torch.float32), device)[:, None]


def within(rows: Tensor, lengths: Sequence[int]) -> Tensor:
    """Which samples [B, S] are before the ends of their utterances."""
    ends = sent(torch.tensor(lengths), rows.device)
    return torch.arange(rows.shape[1], device=rows.device) < ends[:, None]


def joined(rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """Rows [B, S], each of pieces one after another and then zeros: one concatenation, not a copy for each row."""
    lengths = [sum(map(len, pieces)) for pieces in rows]
    zeros = rows[0][0].new_zeros(max(lengths))
    padded = [[*pieces, zeros[length:]] for pieces, length in zip(rows, lengths, strict=True)]
    return torch.cat([piece for pieces in padded for piece in pieces]).view(len(rows), len(zeros))
