"""A step of a recurrent layer as one Triton kernel, for both directions: recurrent products, gates and new states.

Arrays are contiguous: products and d_products [T, B, N, G * H], saved [T, B, N, S, H], states and grads [T, B, N, H]
for N directions, G gates and H = `width` units. Scratch is padded to R rows and P units: rounded states [2, N, R, P] or
gate gradients [2, N, R, G * P], of which even and odd steps take turns; memory [N, R, P], and weights [N, G, P, P].
The second direction reads each utterance from its own end.
"""

# Triton compiles the source, and knows no annotation but its own.
# mypy: disable-error-code="no-untyped-def"

import triton
import triton.language as tl

UNSPECIALIZED = ["step", "batch", "rows"]


@triton.jit
def tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def add_product(total, rows, weight, precision: tl.constexpr):
    return tl.dot(rows, tl.load(weight), total, input_precision=precision, out_dtype=total.dtype)


@triton.jit
def load_gates(first, width: tl.constexpr, gates: tl.constexpr, mask):
    """The values of up to four gates, `width` apart; zeros for gates that the cell does not have."""
    value_0 = tl.load(first, mask=mask, other=0)
    value_1, value_2, value_3 = tl.zeros_like(value_0), tl.zeros_like(value_0), tl.zeros_like(value_0)
    if gates > 1:
        value_1 = tl.load(first + width, mask=mask, other=0)
    if gates > 2:
        value_2 = tl.load(first + 2 * width, mask=mask, other=0)
    if gates > 3:
        value_3 = tl.load(first + 3 * width, mask=mask, other=0)
    return value_0, value_1, value_2, value_3


@triton.jit
def in_time(lengths, row, step, batch, direction, directions: tl.constexpr):
    """Which rows have a frame at this step, and the places [rows, 1] of that frame and of the one read before it."""
    length = tl.load(lengths + row, mask=row < batch, other=0)
    active = step < length
    frame = tl.where(active & (direction == 1), length - 1 - step, step).to(tl.int64)
    before = tl.where(direction == 1, frame + 1, frame - 1)
    place = (frame * batch + row) * directions + direction
    place_before = (before * batch + row) * directions + direction
    return active[:, None], place[:, None], place_before[:, None]


@triton.jit(do_not_specialize=UNSPECIALIZED)
def forward_step(
    products,
    bias,
    weight,
    lengths,
    states,
    saved,
    rounded,
    memory,
    step,
    batch,
    rows,
    cell: tl.constexpr,
    gates: tl.constexpr,
    slots: tl.constexpr,
    width: tl.constexpr,
    padded: tl.constexpr,
    directions: tl.constexpr,
    recording: tl.constexpr,
    precision: tl.constexpr,
    row_block: tl.constexpr,
    unit_block: tl.constexpr,
    depth: tl.constexpr,
):
    unit = tl.program_id(0) * unit_block + tl.arange(0, unit_block)
    row = tl.program_id(1) * row_block + tl.arange(0, row_block)
    direction = tl.program_id(2)
    exact: tl.constexpr = states.dtype.element_ty
    accumulator: tl.constexpr = tl.float64 if exact == tl.float64 else tl.float32

    # What does not depend on the states is asked for before the products, which take longer.
    active, place, place_before = in_time(lengths, row, step, batch, direction, directions)
    inside = (unit < width)[None, :]
    stored = (row < batch)[:, None] & inside
    known = stored & active
    of_unit = (unit[None, :] + tl.zeros([row_block, 1], tl.int32)).to(tl.int64)
    x_0, x_1, x_2, x_3 = load_gates(products + place * gates * width + of_unit, width, gates, known)
    b_0, b_1, b_2, b_3 = load_gates(bias + direction * gates * width + unit[None, :], width, gates, inside)
    if cell == "ligru" or cell == "gru":
        h = tl.load(states + place_before * width + of_unit, mask=known & (step > 0), other=0)
    remembered = memory + (direction * rows + row[:, None]) * padded + unit[None, :]
    if cell == "lstm":
        c_before = tl.load(remembered)

    reading = rounded + (((step + 1) % 2 * directions + direction) * rows + row[:, None]) * padded
    kernel = weight + (direction * gates * padded + unit[None, :]) * padded
    sum_0 = tl.zeros([row_block, unit_block], accumulator)
    sum_1 = tl.zeros([row_block, unit_block], accumulator)
    sum_2 = tl.zeros([row_block, unit_block], accumulator)
    sum_3 = tl.zeros([row_block, unit_block], accumulator)
    for start in range(0, padded, depth):
        inner = start + tl.arange(0, depth)
        state = tl.load(reading + inner[None, :])
        part = kernel + inner[:, None]
        sum_0 = add_product(sum_0, state, part, precision)
        if gates > 1:
            sum_1 = add_product(sum_1, state, part + padded * padded, precision)
        if gates > 2:
            sum_2 = add_product(sum_2, state, part + 2 * padded * padded, precision)
        if gates > 3:
            sum_3 = add_product(sum_3, state, part + 3 * padded * padded, precision)

    sum_0 += b_0 + x_0
    sum_1 += b_1 + x_1
    save = saved + place * slots * width + of_unit
    if cell == "rnn_tanh":
        new = tanh(sum_0)
    elif cell == "rnn_relu":
        new = tl.maximum(sum_0, 0)
    elif cell == "ligru":
        z = tl.sigmoid(sum_0)
        a = tl.maximum(sum_1, 0)
        new = a + z * (h - a)
        if recording:
            tl.store(save, z, mask=stored)
            tl.store(save + width, a, mask=stored)
    elif cell == "gru":
        r = tl.sigmoid(sum_0)
        z = tl.sigmoid(sum_1)
        sum_2 += b_2
        n = tanh(x_2 + r * sum_2)
        new = n + z * (h - n)
        if recording:
            tl.store(save, r, mask=stored)
            tl.store(save + width, z, mask=stored)
            tl.store(save + 2 * width, n, mask=stored)
            tl.store(save + 3 * width, sum_2, mask=stored)
    else:
        i = tl.sigmoid(sum_0)
        f = tl.sigmoid(sum_1)
        g = tanh(sum_2 + b_2 + x_2)
        o = tl.sigmoid(sum_3 + b_3 + x_3)
        c = f * c_before + i * g
        tl.store(remembered, c)
        new = o * tanh(c)
        if recording:
            tl.store(save, i, mask=stored)
            tl.store(save + width, f, mask=stored)
            tl.store(save + 2 * width, g, mask=stored)
            tl.store(save + 3 * width, o, mask=stored)
            tl.store(save + 4 * width, c, mask=stored)
    new = tl.where(known, new, 0)
    tl.store(states + place * width + of_unit, new, mask=stored)
    writing = rounded + ((step % 2 * directions + direction) * rows + row[:, None]) * padded + unit[None, :]
    tl.store(writing, new.to(rounded.dtype.element_ty))


@triton.jit(do_not_specialize=UNSPECIALIZED)
def backward_step(
    grads,
    weight,
    lengths,
    states,
    saved,
    d_products,
    d_recurrent,
    rounded,
    memory,
    step,
    batch,
    rows,
    cell: tl.constexpr,
    gates: tl.constexpr,
    slots: tl.constexpr,
    width: tl.constexpr,
    padded: tl.constexpr,
    directions: tl.constexpr,
    precision: tl.constexpr,
    row_block: tl.constexpr,
    unit_block: tl.constexpr,
    depth: tl.constexpr,
):
    """Takes the weights of each gate transposed. `d_recurrent` differs from `d_products` for the GRU, whose reset gate
    lies between the two."""
    unit = tl.program_id(0) * unit_block + tl.arange(0, unit_block)
    row = tl.program_id(1) * row_block + tl.arange(0, row_block)
    direction = tl.program_id(2)
    exact: tl.constexpr = states.dtype.element_ty
    accumulator: tl.constexpr = tl.float64 if exact == tl.float64 else tl.float32

    active, place, place_before = in_time(lengths, row, step, batch, direction, directions)
    stored = (row < batch)[:, None] & (unit < width)[None, :]
    known = stored & active
    of_unit = (unit[None, :] + tl.zeros([row_block, 1], tl.int32)).to(tl.int64)
    remembered = memory + (direction * rows + row[:, None]) * padded + unit[None, :]
    save = saved + place * slots * width + of_unit
    d_state = tl.load(grads + place * width + of_unit, mask=known, other=0)
    if slots > 0:
        saved_0, saved_1, saved_2, saved_3 = load_gates(save, width, slots, known)
        d_remembered = tl.load(remembered)
    if cell == "lstm":
        squashed = tanh(tl.load(save + 4 * width, mask=known, other=0))
        c = tl.load(saved + (place_before * slots + 4) * width + of_unit, mask=known & (step > 0), other=0)
    elif cell == "rnn_tanh" or cell == "rnn_relu":
        h = tl.load(states + place * width + of_unit, mask=known, other=0)
    else:
        h = tl.load(states + place_before * width + of_unit, mask=known & (step > 0), other=0)
    reading = rounded + (((step + 1) % 2 * directions + direction) * rows + row[:, None]) * gates * padded
    kernel = weight + (direction * gates * padded + unit[None, :]) * padded
    sum_0 = tl.zeros([row_block, unit_block], accumulator)  # sums of their own do not wait for each other
    sum_1 = tl.zeros([row_block, unit_block], accumulator)
    sum_2 = tl.zeros([row_block, unit_block], accumulator)
    sum_3 = tl.zeros([row_block, unit_block], accumulator)
    for start in range(0, padded, depth):
        inner = start + tl.arange(0, depth)
        gradient = reading + inner[None, :]
        part = kernel + inner[:, None]
        sum_0 = add_product(sum_0, tl.load(gradient), part, precision)
        if gates > 1:
            sum_1 = add_product(sum_1, tl.load(gradient + padded), part + padded * padded, precision)
        if gates > 2:
            sum_2 = add_product(sum_2, tl.load(gradient + 2 * padded), part + 2 * padded * padded, precision)
        if gates > 3:
            sum_3 = add_product(sum_3, tl.load(gradient + 3 * padded), part + 3 * padded * padded, precision)

    d = (sum_0 + sum_1) + (sum_2 + sum_3) + d_state
    d_product = d_products + place * gates * width + of_unit
    d_product_too = d_recurrent + place * gates * width + of_unit
    writing = rounded + ((step % 2 * directions + direction) * rows + row[:, None]) * gates * padded + unit[None, :]
    narrow: tl.constexpr = rounded.dtype.element_ty
    if cell == "rnn_tanh" or cell == "rnn_relu":
        d_0 = d * (1 - h * h) if cell == "rnn_tanh" else tl.where(h > 0, d, 0)
    elif cell == "ligru":
        z, a = saved_0, saved_1
        d += d_remembered
        d_0 = d * (h - a) * z * (1 - z)
        d_1 = tl.where(a > 0, d * (1 - z), 0)
        tl.store(remembered, tl.where(known, d * z, 0))
    elif cell == "gru":
        r, z, n, product = saved_0, saved_1, saved_2, saved_3
        d += d_remembered
        d_candidate = tl.where(known, d * (1 - z) * (1 - n * n), 0)
        d_0 = d_candidate * product * r * (1 - r)
        d_1 = d * (h - n) * z * (1 - z)
        d_2 = d_candidate * r
        tl.store(remembered, tl.where(known, d * z, 0))
        tl.store(d_product_too + 2 * width, d_2.to(narrow), mask=stored)
        tl.store(writing + 2 * padded, d_2.to(narrow))
        tl.store(d_product + 2 * width, d_candidate.to(narrow), mask=stored)
    else:
        i, f, g, o = saved_0, saved_1, saved_2, saved_3
        d_memory = d_remembered + d * o * (1 - squashed * squashed)
        d_0 = d_memory * g * i * (1 - i)
        d_1 = d_memory * c * f * (1 - f)
        d_2 = tl.where(known, d_memory * i * (1 - g * g), 0)
        d_3 = tl.where(known, d * squashed * o * (1 - o), 0)
        tl.store(remembered, tl.where(known, d_memory * f, 0))
        tl.store(d_product + 2 * width, d_2.to(narrow), mask=stored)
        tl.store(writing + 2 * padded, d_2.to(narrow))
        tl.store(d_product + 3 * width, d_3.to(narrow), mask=stored)
        tl.store(writing + 3 * padded, d_3.to(narrow))
    d_0 = tl.where(known, d_0, 0)
    tl.store(d_product, d_0.to(narrow), mask=stored)
    tl.store(writing, d_0.to(narrow))
    if gates > 1:
        d_1 = tl.where(known, d_1, 0)
        tl.store(d_product + width, d_1.to(narrow), mask=stored)
        tl.store(writing + padded, d_1.to(narrow))
    if cell == "gru":
        tl.store(d_product_too, d_0.to(narrow), mask=stored)
        tl.store(d_product_too + width, d_1.to(narrow), mask=stored)
