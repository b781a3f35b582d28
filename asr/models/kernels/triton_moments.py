"""Batch normalisation over the valid rows of x [N, D] as Triton kernels: two forward, two backward.

Rows are shared out among `splits` programs, whose figures are merged in a fixed order, so that sums are reproducible.
"""

# Triton compiles the source, and knows no annotation but its own.
# mypy: disable-error-code="no-untyped-def"

import triton
import triton.language as tl

UNSPECIALIZED = ["rows"]


@triton.jit(do_not_specialize=UNSPECIALIZED)
def partial_moments(
    x,
    valid,
    counts,
    means,
    squares,
    rows,
    share: tl.constexpr,
    dim: tl.constexpr,
    row_block: tl.constexpr,
    column_block: tl.constexpr,
):
    """Count, mean and sum of squared distances from it [splits, D] of each `share` of rows (Chan et al. 1983)."""
    column = tl.program_id(0) * column_block + tl.arange(0, column_block)
    split = tl.program_id(1)
    exact: tl.constexpr = counts.dtype.element_ty
    count = tl.zeros([column_block], exact)
    mean = tl.zeros([column_block], exact)
    square = tl.zeros([column_block], exact)
    for start in range(0, share, row_block):
        row = split * share + start + tl.arange(0, row_block)
        counted = (tl.load(valid + row, mask=row < rows, other=0) != 0)[:, None] & (column < dim)[None, :]
        place = row.to(tl.int64)[:, None] * dim + column[None, :]
        values = tl.load(x + place, mask=counted, other=0).to(exact)
        more = tl.sum(counted.to(exact), 0)
        of_block = tl.sum(values, 0) / tl.maximum(more, 1)
        distance = tl.where(counted, values - of_block[None, :], 0)
        total = count + more
        moved = of_block - mean
        square += tl.sum(distance * distance, 0) + moved * moved * count * more / tl.maximum(total, 1)
        mean += moved * more / tl.maximum(total, 1)
        count = total
    place = split * dim + column
    tl.store(counts + place, count, mask=column < dim)
    tl.store(means + place, mean, mask=column < dim)
    tl.store(squares + place, square, mask=column < dim)


@triton.jit(do_not_specialize=UNSPECIALIZED)
def normalize(
    x,
    counts,
    means,
    squares,
    running_mean,
    running_var,
    weight,
    bias,
    output,
    mean_used,
    scale_used,
    part,
    rows,
    momentum: tl.constexpr,
    eps: tl.constexpr,
    dim: tl.constexpr,
    splits: tl.constexpr,
    row_block: tl.constexpr,
    column_block: tl.constexpr,
):
    """Normalises by the merged moments, or by the running ones if fewer than two rows count; updates these."""
    column = tl.program_id(1) * column_block + tl.arange(0, column_block)
    row = tl.program_id(0) * row_block + tl.arange(0, row_block)
    inside = column < dim
    place = tl.arange(0, splits)[:, None] * dim + column[None, :]
    count_of = tl.load(counts + place, mask=inside[None, :], other=0)
    mean_of = tl.load(means + place, mask=inside[None, :], other=0)
    square_of = tl.load(squares + place, mask=inside[None, :], other=0)
    count = tl.sum(count_of, 0)
    mean = tl.sum(count_of * mean_of, 0) / tl.maximum(count, 1)
    distance = mean_of - mean[None, :]
    square = tl.sum(square_of + count_of * distance * distance, 0)
    few = count < 2
    old_mean = tl.load(running_mean + column, mask=inside & few, other=0)
    old_var = tl.load(running_var + column, mask=inside & few, other=0)
    mean = tl.where(few, old_mean, mean)
    var = tl.where(few, old_var, square / tl.maximum(count, 1))
    scale = 1 / tl.sqrt(var + eps)
    factor = tl.load(weight + column, mask=inside, other=0)
    shift = tl.load(bias + column, mask=inside, other=0)
    stored = (row < rows)[:, None] & inside[None, :]
    place = row.to(tl.int64)[:, None] * dim + column[None, :]
    values = tl.load(x + place, mask=stored, other=0).to(mean.dtype)
    normed = (values - mean[None, :]) * scale[None, :]
    tl.store(output + place, (normed * factor[None, :] + shift[None, :]).to(output.dtype.element_ty), mask=stored)
    if tl.program_id(0) == 0:
        tl.store(mean_used + column, mean, mask=inside)
        tl.store(scale_used + column, scale, mask=inside)
        tl.store(part + column, tl.where(few, 0, 1 / tl.maximum(count, 1)), mask=inside)
        # The others read these where fewer than two rows count, and then they stay.
        renewed = inside & (count >= 2)
        old_mean = tl.load(running_mean + column, mask=renewed, other=0)
        old_var = tl.load(running_var + column, mask=renewed, other=0)
        unbiased = square / tl.maximum(count - 1, 1)
        tl.store(running_mean + column, old_mean + momentum * (mean - old_mean), mask=renewed)
        tl.store(running_var + column, old_var + momentum * (unbiased - old_var), mask=renewed)


@triton.jit(do_not_specialize=UNSPECIALIZED)
def partial_gradients(
    grads,
    x,
    mean_used,
    scale_used,
    sums,
    products,
    rows,
    share: tl.constexpr,
    dim: tl.constexpr,
    row_block: tl.constexpr,
    column_block: tl.constexpr,
):
    """Sums [splits, D] over each share of rows of the gradients, and of their products with the normalised values."""
    column = tl.program_id(0) * column_block + tl.arange(0, column_block)
    split = tl.program_id(1)
    inside = column < dim
    mean = tl.load(mean_used + column, mask=inside, other=0)
    scale = tl.load(scale_used + column, mask=inside, other=0)
    total = tl.zeros([column_block], mean.dtype)
    product = tl.zeros([column_block], mean.dtype)
    for start in range(0, share, row_block):
        row = split * share + start + tl.arange(0, row_block)
        known = (row < rows)[:, None] & inside[None, :]
        place = row.to(tl.int64)[:, None] * dim + column[None, :]
        gradient = tl.load(grads + place, mask=known, other=0).to(mean.dtype)
        values = tl.load(x + place, mask=known, other=0).to(mean.dtype)
        total += tl.sum(gradient, 0)
        product += tl.sum(gradient * (values - mean[None, :]) * scale[None, :], 0)
    tl.store(sums + split * dim + column, total, mask=inside)
    tl.store(products + split * dim + column, product, mask=inside)


@triton.jit(do_not_specialize=UNSPECIALIZED)
def input_gradients(
    grads,
    x,
    valid,
    mean_used,
    scale_used,
    part,
    weight,
    sums,
    products,
    d_x,
    d_weight,
    d_bias,
    rows,
    dim: tl.constexpr,
    splits: tl.constexpr,
    row_block: tl.constexpr,
    column_block: tl.constexpr,
):
    """Ioffe & Szegedy 2015, section 3; only the rows that count change the mean and the variance."""
    column = tl.program_id(1) * column_block + tl.arange(0, column_block)
    row = tl.program_id(0) * row_block + tl.arange(0, row_block)
    inside = column < dim
    place = tl.arange(0, splits)[:, None] * dim + column[None, :]
    total = tl.sum(tl.load(sums + place, mask=inside[None, :], other=0), 0)
    product = tl.sum(tl.load(products + place, mask=inside[None, :], other=0), 0)
    mean = tl.load(mean_used + column, mask=inside, other=0)
    scale = tl.load(scale_used + column, mask=inside, other=0)
    factor = tl.load(weight + column, mask=inside, other=0)
    each = tl.load(part + column, mask=inside, other=0)
    counted = tl.load(valid + row, mask=row < rows, other=0) != 0
    known = (row < rows)[:, None] & inside[None, :]
    place = row.to(tl.int64)[:, None] * dim + column[None, :]
    gradient = tl.load(grads + place, mask=known, other=0).to(mean.dtype)
    normed = (tl.load(x + place, mask=known, other=0).to(mean.dtype) - mean[None, :]) * scale[None, :]
    through = tl.where(counted[:, None], each[None, :] * (total[None, :] + normed * product[None, :]), 0)
    result = (gradient - through) * (factor * scale)[None, :]
    tl.store(d_x + place, result.to(d_x.dtype.element_ty), mask=known)
    if tl.program_id(0) == 0:
        tl.store(d_weight + column, product, mask=inside)
        tl.store(d_bias + column, total, mask=inside)
