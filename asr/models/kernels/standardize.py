"""Normalisation over the valid rows of a padded batch, forward and backward."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Total = Callable[[Tensor], Tensor]
"""The sum of a tensor over all processes that train together."""


def alone(values: Tensor) -> Tensor:
    """The `Total` of a single process."""
    return values


def standardize(
    x: Tensor, counted: Tensor, other_mean: Tensor, other_var: Tensor, eps: float, total: Total = alone
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Subtracts the mean and divides by the deviation, both over the rows of x [N, D] where `counted` [N] is 1:
    over those of all processes, whose sums `total` gives.

    With fewer than two such rows, the given mean [D] and variance [D] are used. Returns the rows [N, D] and, through
    which no gradient flows, the mean and variance used and the number of rows that count. Composed of torch's own
    operations it would keep four arrays of the input's size and take half as long again; selecting the valid rows would
    make a GPU wait for their number.
    """
    normed, mean, var, count = _Standardize.apply(x, counted, other_mean, other_var, eps, total)
    return normed, mean, var, count


class _Standardize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, counted: Tensor, other_mean: Tensor, other_var: Tensor, eps: float, total: Total
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        ctx.total, count = total, total(counted.sum())
        few = count < 2
        share = torch.where(few, 0.0, counted / count)
        with torch.autocast(x.device.type, enabled=False):
            mean = torch.where(few, other_mean, total(share @ x))
            normed = x - mean
            var = torch.where(few, other_var, total(share @ normed.square()))
        deviation = (var + eps).sqrt()
        normed.div_(deviation)
        ctx.save_for_backward(normed, share, deviation)
        ctx.mark_non_differentiable(mean, var, count)
        return normed, mean, var, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        """Ioffe & Szegedy 2015, section 3, with each row's weight in the mean and variance instead of 1/N."""
        normed, share, deviation = ctx.saved_tensors
        ones = grad.new_ones(len(grad))
        with torch.autocast(grad.device.type, enabled=False):
            through_mean, through_var = ctx.total(torch.stack([ones @ grad, ones @ (grad * normed)]))
        shift = torch.addcmul(through_mean, normed, through_var).mul_(share[:, None])
        return (grad - shift).div_(deviation), None, None, None, None, None
