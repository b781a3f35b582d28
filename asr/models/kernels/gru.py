"""The GRU's steps over time, forward and backward, in less time on a CPU than torch's own."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.models.kernels.scan import StepProduct, column_sums, product_dtype

BLOCK = 16  # steps whose derivatives are computed at once: few enough to stay in the processor's cache


def gru(x: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    """One direction of torch's GRU on the CPU: x [T, B, D] -> hidden states [T, B, H].

    Weights are those of nn.GRU: w_ih [3H, D], w_hh [3H, H] and biases [3H]. Matrix products are in autocast's precision
    where it is on. torch itself builds a graph of every step; here one function holds the whole layer.
    """
    dtype = product_dtype(x)
    with torch.autocast(x.device.type, enabled=False):
        hidden: Tensor = _GruFunction.apply(x.to(w_ih.dtype), w_ih, w_hh, b_ih, b_hh, dtype)
    return hidden


class _GruFunction(torch.autograd.Function):
    """r, z = sigmoid(W x + b + U h); n = tanh(W_n x + b_n + r (U_n h + c_n)); h' = n + z (h - n).

    (Cho et al. 2014, with the reset gate after the recurrent product.) Gates are in the order r, z, n. Products with x
    are computed for all steps at once, and so are all gradients of weights; each step has one product with the
    recurrent weights.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor, dtype: torch.dtype
    ) -> Tensor:
        (frames, batch, dim), width = x.shape, w_hh.shape[1]
        bias = torch.cat([b_ih[: 2 * width] + b_hh[: 2 * width], b_ih[2 * width :]])
        inputs = x.reshape(-1, dim).to(dtype)
        gates = torch.addmm(bias.to(dtype), inputs, w_ih.to(dtype).t()).to(x.dtype).view(frames, batch, 3 * width)
        candidate = gates[..., 2 * width :].clone()
        gates[..., 2 * width :] = b_hh[2 * width :]
        states = x.new_empty(frames + 1, batch, width)
        states[0] = 0
        recurrent = StepProduct(w_hh.t(), batch, dtype)
        r, z, product = gates.split(width, -1)
        both = gates[..., : 2 * width]
        steps = (gates, both, r, z, product, candidate, states[:-1], states[1:])
        for gates_t, both_t, r_t, z_t, product_t, n_t, h, following in zip(*(s.unbind(0) for s in steps), strict=True):
            recurrent.add_to(gates_t, h)
            both_t.sigmoid_()
            n_t.addcmul_(r_t, product_t).tanh_()
            torch.lerp(n_t, h, z_t, out=following)
        ctx.save_for_backward(inputs, gates, candidate, states, w_ih, w_hh)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, gates, candidate, states, w_ih, w_hh = ctx.saved_tensors
        frames, batch, width = candidate.shape
        with torch.autocast(grad.device.type, enabled=False):
            d_product, d_candidate = _scan_back(grad, gates, candidate, states, w_hh, inputs.dtype)
            d_gates = d_product.view(frames * batch, 3 * width)
            d_w_hh = d_gates.t() @ states[:-1].reshape(-1, width).to(inputs.dtype)
            d_b_hh = column_sums(d_gates)
            d_product[..., 2 * width :] = d_candidate
            d_b_ih = torch.cat([d_b_hh[: 2 * width], column_sums(d_candidate.view(-1, width)).to(d_b_hh.dtype)])
            d_w_ih = d_gates.t() @ inputs
            d_x = (d_gates @ w_ih.to(inputs.dtype)).view(frames, batch, -1) if ctx.needs_input_grad[0] else None
        return (*(None if d is None else d.to(w_ih.dtype) for d in (d_x, d_w_ih, d_w_hh, d_b_ih, d_b_hh)), None)


def _scan_back(
    grad: Tensor, gates: Tensor, candidate: Tensor, states: Tensor, w_hh: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Gradients of the recurrent products [T, B, 3H] and of the candidate before its tanh [T, B, H].

    Each is the gradient of the state times a coefficient that the forward values alone decide.
    """
    frames, batch, width = candidate.shape
    d_product = torch.empty(gates.shape, dtype=dtype)
    d_candidate = torch.empty_like(candidate)
    d_states = grad.clone(memory_format=torch.contiguous_format)
    recurrent = StepProduct(w_hh, batch, dtype)
    scratch = gates.new_empty(min(BLOCK, frames), batch, 4, width)
    factors = scratch[:, :, :3].unbind(0)
    z = gates[..., width : 2 * width].unbind(0)
    of_state, of_state_rows = d_states.unbind(0), d_states.unsqueeze(2).unbind(0)
    of_gates, of_gates_rows = d_product.unbind(0), d_product.view(frames, batch, 3, width).unbind(0)
    for start in reversed(range(0, frames, BLOCK)):
        block = slice(start, min(start + BLOCK, frames))
        coefficients = _coefficients(gates[block], candidate[block], states[block], scratch)
        for t in reversed(range(block.start, block.stop)):
            torch.mul(factors[t - start], of_state_rows[t], out=of_gates_rows[t])
            if t:
                of_state[t - 1].addcmul_(of_state[t], z[t])
                recurrent.add_to(of_state[t - 1], of_gates[t])
        torch.mul(coefficients[:, :, 3], d_states[block], out=d_candidate[block])
    return d_product, d_candidate


def _coefficients(gates: Tensor, n: Tensor, h: Tensor, scratch: Tensor) -> Tensor:
    """Derivatives [K, B, 4, H] of the next state by r's, z's and n's recurrent products and by n before its tanh."""
    r, z, product = gates.split(n.shape[-1], -1)
    result = scratch[: len(n)]
    of_r, of_z, of_product, of_n = result.unbind(2)
    torch.mul(n, n, out=of_n).neg_().add_(1)
    of_n.addcmul_(of_n, z, value=-1)
    torch.mul(of_n, r, out=of_product)
    torch.mul(of_product, product, out=of_r)
    of_r.addcmul_(of_r, r, value=-1)
    torch.sub(h, n, out=of_z).mul_(z)
    of_z.addcmul_(of_z, z, value=-1)
    return result
