"""Batch normalisation over the valid rows of a padded batch, by two kernels forward and two backward."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.models.kernels import gpu

ROW_BLOCK, COLUMN_BLOCK = 32, 32  # rows come first in a grid: CUDA allows 65,535 programs in the other directions
MOST_SPLITS = 64
FEWEST_ROWS = 128  # of a program that sums over rows


def fused_batch_norm(
    x: Tensor,
    valid: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
) -> Tensor:
    """Normalises the columns of x [N, D] over the rows where `valid` [N] is true, then scales and shifts them.

    Updates the running mean and (unbiased) variance [D] in place; with fewer than two valid rows it uses them. Computes
    in their precision and returns that of x.
    """
    return _FusedBatchNorm.apply(x, valid, weight, bias, running_mean, running_var, momentum, eps)


class _FusedBatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        valid: Tensor,
        weight: Tensor,
        bias: Tensor,
        running_mean: Tensor,
        running_var: Tensor,
        momentum: float,
        eps: float,
    ) -> Tensor:
        from asr.models.kernels.triton_moments import normalize, partial_moments

        x, valid = x.contiguous(), valid.contiguous().view(torch.uint8)
        rows, dim = x.shape
        splits, share = _splits(rows)
        counts, means, squares = weight.new_empty(3, splits, dim)
        mean, scale, part = weight.new_empty(3, dim)
        output = torch.empty_like(x)
        block = {"dim": dim, "row_block": ROW_BLOCK, "column_block": COLUMN_BLOCK}
        columns = -(-dim // COLUMN_BLOCK)
        gpu.launch(partial_moments, (columns, splits), x, valid, counts, means, squares, rows, share=share, **block)
        arrays = (x, counts, means, squares, running_mean, running_var, weight, bias, output, mean, scale, part)
        constants = block | {"splits": splits, "momentum": momentum, "eps": eps}
        gpu.launch(normalize, (-(-rows // ROW_BLOCK), columns), *arrays, rows, **constants)
        ctx.save_for_backward(x, valid, mean, scale, part, weight)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from asr.models.kernels.triton_moments import input_gradients, partial_gradients

        x, valid, mean, scale, part, weight = ctx.saved_tensors
        rows, dim = x.shape
        splits, share = _splits(rows)
        grad = grad.contiguous()
        sums, products = weight.new_empty(2, splits, dim)
        d_weight, d_bias = weight.new_empty(2, dim)
        d_x = torch.empty_like(x)
        block = {"dim": dim, "row_block": ROW_BLOCK, "column_block": COLUMN_BLOCK}
        columns = -(-dim // COLUMN_BLOCK)
        gpu.launch(
            partial_gradients, (columns, splits), grad, x, mean, scale, sums, products, rows, share=share, **block
        )
        arrays = (grad, x, valid, mean, scale, part, weight, sums, products, d_x, d_weight, d_bias)
        gpu.launch(input_gradients, (-(-rows // ROW_BLOCK), columns), *arrays, rows, **block, splits=splits)
        return d_x, None, d_weight, d_bias, None, None, None, None


def _splits(rows: int) -> tuple[int, int]:
    """The number of parts of the rows, and the rows of a part: powers of two, so that few kernels are compiled."""
    import triton

    share = max(FEWEST_ROWS, triton.next_power_of_2(-(-rows // MOST_SPLITS)))
    return triton.next_power_of_2(-(-rows // share)), share
