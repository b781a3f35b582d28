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

DEPTH = 64  # terms of a product between two loads; the padded width is a multiple of it
UNIT_BLOCK = 16  # units of one program: a layer of 550 in both directions makes 70 programs


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
        return -(-self.width // DEPTH) * DEPTH

    @property
    def row_block(self) -> int:
        return 16 if self.batch <= 16 else 32

    @property
    def rows(self) -> int:
        return -(-self.batch // self.row_block) * self.row_block

    @property
    def grid(self) -> tuple[int, int, int]:
        return -(-self.width // UNIT_BLOCK), self.rows // self.row_block, self.directions

    @property
    def precision(self) -> str:
        """Of products of fp32: single precision from three products by tensor cores, unless the factors may be rounded
        to TF32. Triton has no name but "ieee" for those of other numbers."""
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
            "unit_block": UNIT_BLOCK,
            "depth": DEPTH,
        }


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
        settings = shape.settings() | {"recording": recording}
        for step in range(frames):
            overlap = _overlap(step > 0, products.device)
            gpu.launch(forward_step, shape.grid, *arrays, step, batch, shape.rows, **settings, **overlap)
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
        arrays = (grad.contiguous(), weight, lengths, states, saved, d_products, d_recurrent, rounded, memory)
        settings = shape.settings()
        for step in reversed(range(frames)):
            overlap = _overlap(step < frames - 1, grad.device)
            gpu.launch(backward_step, shape.grid, *arrays, step, shape.batch, shape.rows, **settings, **overlap)
        products_dtype, weight_dtype = ctx.dtypes
        d_weight = _weight_gradient(d_recurrent, states.to(weight.dtype)).to(weight_dtype)
        d_bias = d_recurrent.sum((0, 1), dtype=weight_dtype) if ctx.needs_input_grad[3] else None
        return None, d_products.to(products_dtype), d_weight, d_bias, None, None, None


def _overlap(follows: bool, device: torch.device) -> dict[str, bool]:
    """How to start the kernel of a step, which may overlap with that of the step that it follows. Other kernels write
    what a step reads, so the first step waits for them."""
    overlapped = follows and gpu.can_overlap(device)
    return {"overlapped": overlapped, **({"launch_pdl": True} if overlapped else {})}


def _weight_gradient(d_recurrent: Tensor, states: Tensor) -> Tensor:
    """[N, G * H, H] from the gradients of recurrent products [T, B, N, G * H] and the states [T, B, N, H].

    Each product read the state of the frame before; in the second direction, of the frame after. Around an utterance
    both are zero.
    """
    pairs = [(d_recurrent[1:, :, 0], states[:-1, :, 0])]
    if states.shape[2] == 2:
        pairs.append((d_recurrent[:-1, :, 1], states[1:, :, 1]))
    return torch.stack([d.flatten(0, 1).t() @ h.flatten(0, 1) for d, h in pairs])
