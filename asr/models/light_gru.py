"""The light GRU (Ravanelli et al. 2018): one gate, a rectified candidate, and normalised input products."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from asr.config import Normalization
from asr.models.normalization import make_normalization
from asr.models.scan import StepProduct, product_dtype

BATCH_NORM_MOMENTUM = 0.05  # of the authors' own implementation, pytorch-kaldi


class LightGru(nn.Module):
    """z = sigmoid(N(W_z x) + U_z h); a = relu(N(W_a x) + U_a h); h' = z h + (1 - z) a  (eqs. 8 to 10 of the paper).

    N normalises each product with the input; its bias is the layer's. Rows of the weights lie in the order z, a.
    """

    def __init__(self, input_dim: int, width: int, normalization: Normalization) -> None:
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(2 * width, input_dim))
        self.weight_hh = nn.Parameter(torch.empty(2 * width, width))
        self.bias = nn.Parameter(torch.zeros(2 * width)) if normalization == "none" else None
        self.normalization = make_normalization(normalization, 2 * width)
        if normalization == "batch":
            self.normalization.momentum = BATCH_NORM_MOMENTUM

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [T, B, D] and which frames are speech, valid [T, B]; returns the hidden states [T, B, width]."""
        return _LightGruFunction.apply(self.products(x, valid), self.weight_hh, product_dtype(x))

    def products(self, x: Tensor, valid: Tensor) -> Tensor:
        """The normalised products with the input [T, B, 2 * width], in the precision of the weights."""
        products = self.normalization(functional.linear(x, self.weight_ih, self.bias), valid)
        return products.to(self.weight_hh.dtype)


def run_together(cells: Sequence[LightGru], inputs: Sequence[Tensor], valid: Tensor) -> list[Tensor]:
    """Each cell on its input [T, B, D], with one batched product a step for all: a step of a GPU costs what starting
    its kernels does, not its arithmetic."""
    products = torch.stack([cell.products(x, valid) for cell, x in zip(cells, inputs, strict=True)], 1)
    weights = torch.stack([cell.weight_hh for cell in cells])
    return list(_LightGruFunction.apply(products, weights, product_dtype(inputs[0])).unbind(1))


class _LightGruFunction(torch.autograd.Function):
    """The steps over time on ready input products [T, (N,) B, 2H] of one cell, or of N with weights [N, 2H, H].

    The gradient of the weights is one product after the steps.
    """

    @staticmethod
    def forward(ctx: Any, products: Tensor, w_hh: Tensor, dtype: torch.dtype) -> Tensor:
        frames, *rows, _ = products.shape
        width = w_hh.shape[-1]
        gates = products.clone(memory_format=torch.contiguous_format)
        states = products.new_empty(frames + 1, *rows, width)
        states[0] = 0
        recurrent = StepProduct(w_hh.mT, rows[-1], dtype)
        steps = (gates, *gates.split(width, -1), states[:-1], states[1:])
        with torch.autocast(products.device.type, enabled=False):
            for gates_t, z_t, a_t, h, following in zip(*(s.unbind(0) for s in steps), strict=True):
                recurrent.add_to(gates_t, h)
                torch.lerp(a_t.relu_(), h, z_t.sigmoid_(), out=following)
        ctx.dtype = dtype
        ctx.save_for_backward(gates, states, w_hh)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        gates, states, w_hh = ctx.saved_tensors
        frames, width = len(grad), w_hh.shape[-1]
        z = gates[..., :width].unbind(0)
        factors = _derivatives(gates, states[:-1]).unbind(0)
        d_gates = torch.empty(gates.shape, dtype=ctx.dtype, device=gates.device)
        d_states = grad.clone(memory_format=torch.contiguous_format)
        of_gates, of_gates_rows = d_gates.unbind(0), d_gates.unflatten(-1, (2, width)).unbind(0)
        of_state, of_state_rows = d_states.unbind(0), d_states.unsqueeze(-2).unbind(0)
        recurrent = StepProduct(w_hh, grad.shape[-2], ctx.dtype)
        with torch.autocast(grad.device.type, enabled=False):
            for t in reversed(range(frames)):
                torch.mul(factors[t], of_state_rows[t], out=of_gates_rows[t])
                if t:
                    of_state[t - 1].addcmul_(of_state[t], z[t])
                    recurrent.add_to(of_state[t - 1], of_gates[t])
            d_w_hh = _all_steps(d_gates).mT @ _all_steps(states[:-1]).to(ctx.dtype)
        return d_gates.to(gates.dtype), d_w_hh.to(w_hh.dtype), None


def _all_steps(x: Tensor) -> Tensor:
    """[T, (N,) B, D] -> [(N,) T * B, D]."""
    return x.movedim(0, -3).flatten(-3, -2)


def _derivatives(gates: Tensor, h: Tensor) -> Tensor:
    """Derivatives [T, (N,) B, 2, H] of the next state by what z's sigmoid and a's relu take."""
    z, a = gates.split(h.shape[-1], -1)
    result = torch.empty(*h.shape[:-1], 2, h.shape[-1], dtype=h.dtype, device=h.device)
    of_z, of_a = result.unbind(-2)
    torch.gt(a, 0, out=of_a)
    of_a.addcmul_(of_a, z, value=-1)
    torch.sub(h, a, out=of_z).mul_(z)
    of_z.addcmul_(of_z, z, value=-1)
    return result
