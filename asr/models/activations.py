"""The non-linearities of all models, by their names in a recipe."""

import math

import torch
from torch import Tensor, nn

from asr.config import Activation

LEAKY_SLOPE = 0.01


class LearnedSwish(nn.Module):
    """x * sigmoid(beta * x) with one learned beta for the layer, initially 1 (Ramachandran et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.ones(()))

    def forward(self, values: Tensor) -> Tensor:
        return values * torch.sigmoid(self.beta * values)


def make_activation(name: Activation) -> nn.Module:
    """The elementwise non-linearity `name`: values of any shape in, the same shape out."""
    match name:
        case "sigmoid":
            return nn.Sigmoid()
        case "tanh":
            return nn.Tanh()
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(LEAKY_SLOPE)
        case "swish":
            return nn.SiLU()
        case "swish_learned":
            return LearnedSwish()
        case "gelu":
            return nn.GELU()


def orthogonal_gain(name: Activation) -> float:
    """The factor on an orthogonal weight with which the signal keeps its size through the non-linearity.

    Rectifiers and their smooth variants pass half of their input's power (He et al. 2015, eq. 10 and 15); tanh and the
    sigmoid are treated as linear around zero.
    """
    match name:
        case "leaky_relu":
            return math.sqrt(2 / (1 + LEAKY_SLOPE**2))
        case "relu" | "swish" | "swish_learned" | "gelu":
            return math.sqrt(2)
        case "sigmoid" | "tanh":
            return 1.0
