"""A recurrent layer's steps over time by one kernel each, for both directions and every kind of cell."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.config.models import RecurrentCell
from asr.models.kernels import gpu

GATES: dict[RecurrentCell, int] = {"rnn_tanh": 1, "rnn_relu": 1, "ligru": 2, "gru": 3, "lstm": 4}
"""Rows of a cell's weights for each unit, in torch's order; the light GRU's are z, a."""

SLOTS: dict[RecurrentCell, int] = {"rnn_tanh": 0, "rnn_relu": 0, "ligru": 2, "gru": 4, "lstm": 5}
"""Values for each unit and frame that the gradient needs besides the states."""

DEPTHS = (64, 32, 16)  # terms of a product between two loads; the padded width is a multiple of all
MOST_LOADED = 48 << 10  # bytes of a load of one program
MOST_AHEAD = 96 << 10  # bytes of all loads of a program that are under way: what a small GPU's multiprocessor holds
MOST_ROWS = 64  # utterances of one program


def fused_recurrent(
    cell: RecurrentCell, products: Tensor, w_hh: Tensor, b_hh: Tensor | None, lengths: Tensor, dtype: torch.dtype
) -> Tensor:
    """Input products with their biases [T, B, N, G * H] -> hidden states [T, B, N, H] of N = 1 or 2 directions.

    Takes recurrent weights [N, G * H, H], biases [N, G * H] and `lengths` [B]. The second direction reads each
    utterance from its own end. States in the padding are zero. Recurrent products are computed in `dtype`, states and
    gates in the weights' precision.
    """
    bias = w_hh.new_zeros(w_hh.shape[:2]) if b_hh is None else b_hh
    recording = torch.is_grad_enabled()
    with torch.autocast(products.device.type, enabled=False):
        states: Tensor = _Steps.apply(cell, products, w_hh, bias, lengths, dtype, recording)
    return states


@dataclass(frozen=True)
class Shape:
    """The sizes of a layer's arrays and of its kernels' blocks."""

    cell: RecurrentCell
    batch: int
    directions: int
    width: int
    dtype: torch.dtype

    @property
    def gates(self) -> int:
        return GATES[self.cell]

    @property
    def padded(self) -> int:
        return -(-self.width // DEPTHS[0]) * DEPTHS[0]

    @property
    def row_block(self) -> int:
        return next(rows for rows in (8, 16, 32, MOST_ROWS) if self.batch <= rows or rows == MOST_ROWS)

    @property
    def unit_block(self) -> int:
        """Units of one program: a layer of 550 in both directions makes 138 programs, about one for each multiprocessor
        of a large GPU, or 70 where each has many rows to load."""
        return 16 if self.row_block == MOST_ROWS else 8

    @property
    def depth(self) -> int:
        """Terms of the products between two loads."""
        return next(depth for depth in DEPTHS if self.loaded(depth) <= MOST_LOADED or depth == DEPTHS[-1])

    def loaded(self, depth: int) -> int:
        """The most bytes of a load: the gradient of each gate and its weights."""
        return self.gates * (self.row_block + self.unit_block) * depth * self.dtype.itemsize

    @property
    def rows(self) -> int:
        return -(-self.batch // self.row_block) * self.row_block

    @property
    def grid(self) -> tuple[int, int, int]:
        return -(-self.width // self.unit_block), self.rows // self.row_block, self.directions

    @property
    def precision(self) -> str:
        """Triton's name for it. Products of fp32 are made of three TF32 ones, which is nearly as exact, unless one is
        allowed; for other numbers there is only "ieee"."""
        if self.dtype != torch.float32:
            return "ieee"
        return "tf32" if torch.backends.cuda.matmul.fp32_precision == "tf32" else "tf32x3"

    def settings(self) -> dict[str, Any]:
        return {
            "cell": self.cell,
            "gates": self.gates,
            "slots": SLOTS[self.cell],
            "width": self.width,
            "padded": self.padded,
            "directions": self.directions,
            "precision": self.precision,
            "row_block": self.row_block,
            "unit_block": self.unit_block,
            "depth": self.depth,
        }

    def launch(self) -> dict[str, int]:
        """Warps of a program, and Triton's stages, one more than its loads under way. Among the fastest on an H200."""
        ahead = MOST_AHEAD // self.loaded(self.depth)
        return {"num_warps": max(1, self.row_block // 16), "num_stages": min(1 + ahead, 4)}


class _Steps(torch.autograd.Function):
    """The gradients of the weights are one product each after the steps."""

    @staticmethod
    def forward(
        ctx: Any,
        cell: RecurrentCell,
        products: Tensor,
        w_hh: Tensor,
        b_hh: Tensor,
        lengths: Tensor,
        dtype: torch.dtype,
        recording: bool,
    ) -> Tensor:
        from asr.models.kernels.triton_recurrent import forward_step

        frames, batch = products.shape[:2]
        shape = Shape(cell, batch, directions=w_hh.shape[0], width=w_hh.shape[2], dtype=dtype)
        weight = w_hh.new_zeros(shape.directions, shape.gates, shape.padded, shape.padded, dtype=dtype)
        weight[:, :, : shape.width, : shape.width] = w_hh.unflatten(1, (shape.gates, shape.width))
        states = w_hh.new_empty(frames, batch, shape.directions, shape.width)
        recording = recording and any(ctx.needs_input_grad)
        slots = SLOTS[cell] if recording else 0
        saved = w_hh.new_empty(frames, batch, shape.directions, slots, shape.width)
        rounded = weight.new_zeros(2, shape.directions, shape.rows, shape.padded)
        memory = w_hh.new_zeros(rounded.shape[1:] if cell == "lstm" else 0)
        arrays = (products.contiguous(), b_hh.contiguous(), weight, lengths, states, saved, rounded, memory)
        settings = shape.settings() | shape.launch() | {"recording": recording}
        for step in range(frames):
            gpu.launch(forward_step, shape.grid, *arrays, step, batch, shape.rows, **settings)
        ctx.shape = shape
        ctx.dtypes = products.dtype, w_hh.dtype
        ctx.save_for_backward(weight, lengths, states, saved)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from asr.models.kernels.triton_recurrent import backward_step

        weight, lengths, states, saved = ctx.saved_tensors
        shape: Shape = ctx.shape
        frames = len(grad)
        d_products = weight.new_empty(*grad.shape[:3], shape.gates * shape.width)
        d_recurrent = torch.empty_like(d_products) if shape.cell == "gru" else d_products
        rounded = weight.new_zeros(2, shape.directions, shape.rows, shape.gates * shape.padded)
        memory = states.new_zeros(shape.directions, shape.rows, shape.padded)
        transposed = weight.transpose(2, 3).contiguous()  # rows of what a product sums over load faster
        arrays = (grad.contiguous(), transposed, lengths, states, saved, d_products, d_recurrent, rounded, memory)
        settings = shape.settings() | shape.launch()
        for step in reversed(range(frames)):
            gpu.launch(backward_step, shape.grid, *arrays, step, shape.batch, shape.rows, **settings)
        products_dtype, weight_dtype = ctx.dtypes
        d_weight = _weight_gradient(d_recurrent, states.to(weight.dtype)).to(weight_dtype)
        d_bias = d_recurrent.sum((0, 1), dtype=weight_dtype) if ctx.needs_input_grad[3] else None
        return None, d_products.to(products_dtype), d_weight, d_bias, None, None, None


def _weight_gradient(d_recurrent: Tensor, states: Tensor) -> Tensor:
    """[N, G * H, H] from the gradients of recurrent products [T, B, N, G * H] and the states [T, B, N, H].

    Each product read the state of the frame before; in the second direction, of the frame after. Around an utterance
    both are zero.
    """
    pairs = [(d_recurrent[1:, :, 0], states[:-1, :, 0])]
    if states.shape[2] == 2:
        pairs.append((d_recurrent[:-1, :, 1], states[1:, :, 1]))
    return torch.stack([d.flatten(0, 1).t() @ h.flatten(0, 1) for d, h in pairs])
