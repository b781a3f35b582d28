"""Initial weights: random, from mean field theory for very deep tanh networks, or from a trained network."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from asr.config import Initializer

Layer = nn.Linear | nn.Conv1d | nn.Conv2d


def initialize(layer: Layer, name: Initializer, gain: float = 1.0) -> None:
    """Draws a layer's weight with `initialize_weight` and sets its bias to zero."""
    initialize_weight(layer.weight, name, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def initialize_weight(weight: Tensor, name: Initializer, gain: float = 1.0) -> None:
    """Draws a weight [out, in] or a convolution's [out, in, *kernel] in place; `gain` scales the orthogonal ones.

    xavier: uniform in +-1/sqrt(fan_in + fan_out). glorot: uniform in +-sqrt(6/(fan_in + fan_out)) (Glorot and Bengio
    2010, eq. 16). he: normal, variance 2/fan_in (He et al. 2015, eq. 10). orthogonal: orthonormal rows or columns
    (Saxe et al. 2014). delta_orthogonal: the same in the kernel's centre and zeros around it (Xiao et al. 2018),
    or orthogonal if there is no kernel.
    """
    match name:
        case "xavier":
            bound = 1 / math.sqrt((weight.shape[0] + weight.shape[1]) * weight[0, 0].numel())
            nn.init.uniform_(weight, -bound, bound)
        case "glorot":
            nn.init.xavier_uniform_(weight)
        case "he":
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
        case "orthogonal":
            nn.init.orthogonal_(weight, gain)
        case "delta_orthogonal":
            centre = weight.zero_()
            while centre.dim() > 2:
                centre = centre.select(-1, (centre.shape[-1] - 1) // 2)
            centre.copy_(nn.init.orthogonal_(torch.empty(centre.shape, dtype=weight.dtype, device=weight.device), gain))


class CriticalPoint(NamedTuple):
    """Where signals and gradients of a random tanh network neither grow nor vanish with depth.

    weight_variance is sigma_w^2 (the variance of a weight times the fan-in: 1 for an orthogonal matrix), and
    signal_variance is q*, the variance of pre-activations that every layer keeps.
    """

    weight_variance: float
    signal_variance: float


def critical_tanh(bias_variance: float) -> CriticalPoint:
    """The critical point of tanh for biases drawn with variance sigma_b^2 in [0, 0.1].

    Solves q = sigma_w^2 E[tanh(sqrt(q) z)^2] + sigma_b^2 and sigma_w^2 E[tanh'(sqrt(q) z)^2] = 1 for standard normal
    z (Xiao et al. 2018, section 2) by bisection over q. Raises ValueError for another variance.
    """
    if not 0 <= bias_variance <= 0.1:
        raise ValueError(f"a bias variance of {bias_variance} is not in [0, 0.1]")
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    weights = weights / weights.sum()

    def at(signal_variance: float) -> tuple[float, float]:
        squared = np.tanh(math.sqrt(signal_variance) * nodes) ** 2
        weight_variance = 1 / float(weights @ (1 - squared) ** 2)
        return weight_variance, signal_variance - weight_variance * float(weights @ squared)

    low, high = 0.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] < bias_variance else (low, middle)
    return CriticalPoint(at(low)[0], low)


@torch.no_grad()
def initialize_from(model: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    """Copies every layer that fits from a trained network's state, and returns the names of the copied tensors.

    A layer fits when `state` has all its tensors with the same names and shapes; other layers stay as they are.
    """
    copied: list[str] = []
    for prefix, layer in model.named_modules():
        start = f"{prefix}." if prefix else ""
        children = {f"{start}{child}." for child, _ in layer.named_children()}
        own = {
            f"{start}{name}": tensor
            for name, tensor in layer.state_dict(keep_vars=True).items()
            if not any(f"{start}{name}".startswith(child) for child in children)
        }
        if all(name in state and state[name].shape == tensor.shape for name, tensor in own.items()):
            for name, tensor in own.items():
                tensor.copy_(state[name])
            copied += own
    return copied
