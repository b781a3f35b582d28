"""A hidden layer with batch normalisation, a rectifier and dropout: its product, and one kernel for the rest."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.models.kernels import gpu
from asr.models.kernels.scan import product_dtype

MOST_ROWS = 1024
"""A program has all rows; of more, the library's kernels are as fast."""
COLUMN_BLOCK = 8


def fused_hidden(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    gain: Tensor,
    shift: Tensor,
    running: tuple[Tensor, Tensor],
    seeds: Tensor,
    number: int,
    **constants: float,
) -> Tensor:
    """dropout(relu(batch_norm(x @ weight.T + bias))) in training, of x [N, D] with 2 to MOST_ROWS rows: [N, width].

    Updates the running mean and (unbiased) variance [width] in place. `seeds[number]` (integers) determines what is
    dropped. Takes the constants momentum, eps and dropout. The product is computed in autocast's precision, the rest in
    that of the weights.
    """
    dtype = product_dtype(x)
    with torch.autocast(x.device.type, enabled=False):
        output: Tensor = _Hidden.apply(x, weight, bias, gain, shift, (*running, seeds), number, constants, dtype)
    return output


class _Hidden(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        shift: Tensor,
        buffers: tuple[Tensor, ...],
        number: int,
        constants: dict[str, float],
        dtype: torch.dtype,
    ) -> Tensor:
        from asr.models.kernels.triton_hidden import normalize_rectify_drop

        rounded, kernel = x.to(dtype), weight.to(dtype)
        products = rounded @ kernel.t()
        output = torch.empty_like(products)
        mean, scale = torch.empty_like(gain), torch.empty_like(gain)
        arrays = (products, bias, gain, shift, *buffers, output, mean, scale)
        settings = constants | _blocks(products)
        gpu.launch(normalize_rectify_drop, _grid(products), *arrays, len(x), number, **settings)
        ctx.save_for_backward(rounded, kernel, gain, products, output, mean, scale)
        ctx.dropout, ctx.dtypes = constants["dropout"], (x.dtype, weight.dtype)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from asr.models.kernels.triton_hidden import product_gradients

        x, kernel, gain, products, output, mean, scale = ctx.saved_tensors
        d_products = torch.empty_like(products)
        d_bias, d_gain, d_shift = (torch.empty_like(gain) for _ in range(3))
        arrays = (grad.contiguous(), output, products, mean, scale, gain, d_products, d_bias, d_gain, d_shift)
        gpu.launch(product_gradients, _grid(products), *arrays, len(x), dropout=ctx.dropout, **_blocks(products))
        x_dtype, weight_dtype = ctx.dtypes
        d_x = (d_products @ kernel).to(x_dtype) if ctx.needs_input_grad[0] else None
        d_weight = (d_products.t() @ x).to(weight_dtype)
        return d_x, d_weight, d_bias, d_gain, d_shift, *(None,) * 4


def _grid(products: Tensor) -> tuple[int]:
    return (-(-products.shape[1] // COLUMN_BLOCK),)


def _blocks(products: Tensor) -> dict[str, int]:
    import triton

    rows, dim = products.shape
    row_block = max(16, triton.next_power_of_2(rows))
    warps = max(4, row_block // 64)  # at most 16 values of an array for each thread
    return {"dim": dim, "row_block": row_block, "column_block": COLUMN_BLOCK, "num_warps": warps}
