"""Reversing a padded batch in time, each utterance within its own length."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def reversed_rows(lengths: Tensor, frames: int) -> Tensor:
    """Row numbers [T * B] that reverse each utterance of a time-major batch within its length, and leave padding."""
    frame = torch.arange(frames, device=lengths.device)[:, None]
    reversed_frame = torch.where(frame < lengths, lengths - 1 - frame, frame)
    batch = lengths.shape[0]  # not `len`, which an export would fix to the example's
    return (reversed_frame * batch + torch.arange(batch, device=lengths.device)).flatten()


def reverse(x: Tensor, rows: Tensor) -> Tensor:
    """Reverses x [T, B, D] by `reversed_rows`."""
    reordered: Tensor = _Reverse.apply(x.reshape(-1, x.shape[-1]), rows)
    return reordered.view(x.shape)


class _Reverse(torch.autograd.Function):
    """Reorders the rows of x [T * B, D] by a permutation that is its own inverse, so the gradient is the same copy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return x.index_select(0, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return grad.index_select(0, rows), None
