"""What follows the product of a hidden layer, as Triton kernels: batch normalisation, a rectifier and dropout.

One kernel forward and one backward; a program has all rows of some columns.
"""

# Triton compiles the source, and knows no annotation but its own.
# mypy: disable-error-code="no-untyped-def"

import triton
import triton.language as tl

UNSPECIALIZED = ["rows", "number"]


@triton.jit
def places(rows, dim: tl.constexpr, row_block: tl.constexpr, column_block: tl.constexpr):
    """This program's columns, its places in an array [rows, dim], and which of these there are."""
    column = tl.program_id(0) * column_block + tl.arange(0, column_block)
    row = tl.arange(0, row_block)
    inside = (row < rows)[:, None] & (column < dim)[None, :]
    return column, row[:, None] * dim + column[None, :], inside


@triton.jit(do_not_specialize=UNSPECIALIZED)
def normalize_rectify_drop(
    products,
    bias,
    gain,
    shift,
    running_mean,
    running_var,
    seeds,
    output,
    mean_used,
    scale_used,
    rows,
    number,
    momentum: tl.constexpr,
    eps: tl.constexpr,
    dropout: tl.constexpr,
    dim: tl.constexpr,
    row_block: tl.constexpr,
    column_block: tl.constexpr,
):
    """Products come without the bias: it moves the running mean, and nothing else. The dropout of layer `number` has a
    seed of its own."""
    column, place, inside = places(rows, dim, row_block, column_block)
    known = column < dim
    exact: tl.constexpr = running_mean.dtype.element_ty
    x = tl.load(products + place, mask=inside, other=0).to(exact)
    mean = tl.sum(x, 0) / rows
    distance = tl.where(inside, x - mean[None, :], 0)
    square = tl.sum(distance * distance, 0)
    scale = 1 / tl.sqrt(square / rows + eps)
    gains = tl.load(gain + column, mask=known, other=0) * scale
    normalized = distance * gains[None, :] + tl.load(shift + column, mask=known, other=0)[None, :]
    y = tl.maximum(normalized, 0)
    if dropout > 0:
        kept = tl.rand(tl.load(seeds + number), place) >= dropout
        y = tl.where(kept, y / (1 - dropout), 0)
    tl.store(output + place, y.to(output.dtype.element_ty), mask=inside)
    tl.store(mean_used + column, mean, mask=known)
    tl.store(scale_used + column, scale, mask=known)
    old_mean = tl.load(running_mean + column, mask=known, other=0)
    new_mean = mean + tl.load(bias + column, mask=known, other=0)
    tl.store(running_mean + column, old_mean + momentum * (new_mean - old_mean), mask=known)
    old_var = tl.load(running_var + column, mask=known, other=0)
    tl.store(running_var + column, old_var + momentum * (square / (rows - 1) - old_var), mask=known)


@triton.jit(do_not_specialize=UNSPECIALIZED)
def product_gradients(
    grads,
    output,
    products,
    mean_used,
    scale_used,
    gain,
    d_products,
    d_bias,
    d_gain,
    d_shift,
    rows,
    dropout: tl.constexpr,
    dim: tl.constexpr,
    row_block: tl.constexpr,
    column_block: tl.constexpr,
):
    """An output of zero was rectified or dropped."""
    column, place, inside = places(rows, dim, row_block, column_block)
    known = column < dim
    exact: tl.constexpr = gain.dtype.element_ty
    grad = tl.load(grads + place, mask=inside, other=0).to(exact)
    grad = tl.where(tl.load(output + place, mask=inside, other=0) > 0, grad / (1 - dropout), 0)
    scale = tl.load(scale_used + column, mask=known, other=0)
    mean = tl.load(mean_used + column, mask=known, other=0)
    x = tl.load(products + place, mask=inside, other=0).to(exact)
    standard = tl.where(inside, (x - mean[None, :]) * scale[None, :], 0)
    total = tl.sum(grad, 0)
    along = tl.sum(grad * standard, 0)
    gains = tl.load(gain + column, mask=known, other=0) * scale
    d_x = (grad - (total / rows)[None, :] - standard * (along / rows)[None, :]) * gains[None, :]
    d_x = tl.where(inside, d_x, 0)
    tl.store(d_products + place, d_x.to(d_products.dtype.element_ty), mask=inside)
    tl.store(d_bias + column, tl.sum(d_x, 0), mask=known)
    tl.store(d_gain + column, along, mask=known)
    tl.store(d_shift + column, total, mask=known)
