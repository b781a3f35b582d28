"""Fully connected layers: a whole DNN, or the end of a convolutional network."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from asr.config import FullyConnectedSection
from asr.models.activations import make_activation, orthogonal_gain
from asr.models.initializers import initialize
from asr.models.kernels.fused_hidden import MOST_ROWS, fused_hidden
from asr.models.kernels.gpu import has_triton
from asr.models.normalization import BatchNorm, make_normalization

M = TypeVar("M", bound=nn.Module)


class FullyConnected(nn.Sequential):
    """Layers one after the other; statistics are those of the valid frames."""

    @property
    def output(self) -> nn.Linear:
        """The last layer."""
        layer = self[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Takes x [..., D] and which of its frames count, valid [...] (None: all)."""
        return self.output(self.hidden(x, valid))

    def hidden(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """As `forward`, but without the last layer: [..., width]."""
        if valid is None and self._suits_fused(x):
            return self._fused(x)
        for layer in list(self)[:-1]:
            x = layer(x, valid) if isinstance(layer, BatchNorm) else layer(x)
        return x

    def _suits_fused(self, x: Tensor) -> bool:
        """Whether a layer's kernels can be one: in training with a minibatch of frames on a GPU, with a rectifier after
        batch normalisation that this process computes alone."""
        if not (self.training and x.dim() == 2 and 2 <= len(x) <= MOST_ROWS and has_triton(x)):
            return False
        norms, hidden = self._all(BatchNorm), self._all(nn.Linear)[:-1]
        rectified = 0 < len(hidden) == len(norms) == len(self._all(nn.ReLU))
        return rectified and all(norm.is_alone for norm in norms)

    def _fused(self, x: Tensor) -> Tensor:
        if isinstance(self[0], nn.Dropout):  # of the input
            x = self[0](x)
        rate = next((layer.p for layer in list(self)[1:] if isinstance(layer, nn.Dropout)), 0.0)
        layers = list(zip(self._all(nn.Linear)[:-1], self._all(BatchNorm), strict=True))
        seeds = torch.randint(torch.iinfo(torch.int64).max, (len(layers),), device=x.device)
        for number, (linear, norm) in enumerate(layers):
            parameters = linear.weight, linear.bias, norm.weight, norm.bias
            running = norm.running_mean, norm.running_var
            x = fused_hidden(x, *parameters, running, seeds, number, momentum=norm.momentum, eps=norm.eps, dropout=rate)
        return x

    def _all(self, kind: type[M]) -> list[M]:
        return [layer for layer in self if isinstance(layer, kind)]


def fully_connected(
    config: FullyConnectedSection, input_dim: int, output_dim: int, input_dropout: float = 0.0
) -> FullyConnected:
    """`layers` hidden layers of `width` units and a linear output: [..., input_dim] -> [..., output_dim].

    A hidden layer is linear, normalisation, non-linearity, dropout. He's initialisation is for layers before a
    rectifier, so the output layer then uses Glorot's.
    """
    layers: list[nn.Module] = [nn.Dropout(input_dropout)] if input_dropout else []
    width = input_dim
    for _ in range(config.layers):
        linear = nn.Linear(width, config.width)
        initialize(linear, config.initializer, orthogonal_gain(config.activation))
        layers.append(linear)
        if config.normalization != "none":
            layers.append(make_normalization(config.normalization, config.width))
        layers.append(make_activation(config.activation))
        if config.dropout:
            layers.append(nn.Dropout(config.dropout))
        width = config.width
    output = nn.Linear(width, output_dim)
    initialize(output, "glorot" if config.initializer == "he" else config.initializer)
    return FullyConnected(*layers, output)
