"""The light GRU's steps over time, forward and backward (Ravanelli et al. 2018, eqs. 8 to 10)."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.models.kernels.scan import StepProduct


def light_gru(products: Tensor, w_hh: Tensor, dtype: torch.dtype) -> Tensor:
    """Input products [T, B, 2H] of one cell -> hidden states [T, B, H]; or [T, N, B, 2H] -> [T, N, B, H] for N cells.

    z = sigmoid(p_z + U_z h); a = relu(p_a + U_a h); h' = z h + (1 - z) a. Rows of w_hh [2H, H], or [N, 2H, H], are in
    the order z, a. Recurrent products are computed in `dtype`.
    """
    hidden: Tensor = _LightGruFunction.apply(products, w_hh, dtype)
    return hidden


class _LightGruFunction(torch.autograd.Function):
    """The gradient of the weights is one product after the steps."""

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
    """Derivatives [T, (N,) B, 2, H] of the next state by the inputs of z's sigmoid and of a's relu."""
    z, a = gates.split(h.shape[-1], -1)
    result = torch.empty(*h.shape[:-1], 2, h.shape[-1], dtype=h.dtype, device=h.device)
    of_z, of_a = result.unbind(-2)
    torch.gt(a, 0, out=of_a)
    of_a.addcmul_(of_a, z, value=-1)
    torch.sub(h, a, out=of_z).mul_(z)
    of_z.addcmul_(of_z, z, value=-1)
    return result
