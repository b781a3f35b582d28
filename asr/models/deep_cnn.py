"""The deep plain CNN: a hundred convolutions and more over time, without shortcuts or normalisation."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from asr.config import DeepCnnConfig
from asr.models.acoustic_model import AcousticModel, valid_frames
from asr.models.initializers import critical_tanh, initialize


class DeepCnn(AcousticModel):
    """`layers` convolutions over time, each with tanh, then a linear output layer (Xiao et al. 2018, over time alone).

    Neighbouring frames share their convolutions, which makes the depth affordable. Beyond an utterance's edges every
    layer reads zeros, initially without effect: a delta-orthogonal kernel is zero around its centre. Training starts at
    tanh's critical point, where the singular values of the input-output Jacobian stay near 1:
    the first layer scales features of variance 1 to the signal variance that all others keep.
    """

    def __init__(self, config: DeepCnnConfig, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.frames_on_each_side = config.layers * (config.kernel // 2)
        widths = [input_dim] + [config.width] * config.layers
        self.convolutions = nn.ModuleList(
            nn.Conv1d(inputs, outputs, config.kernel, padding=config.kernel // 2)
            for inputs, outputs in pairwise(widths)
        )
        self.output = nn.Linear(config.width, output_dim)
        self._initialize(config)

    def _initialize(self, config: DeepCnnConfig) -> None:
        point = critical_tanh(config.bias_variance)
        for number, layer in enumerate(m for m in self.convolutions if isinstance(m, nn.Conv1d)):
            gain = math.sqrt(point.weight_variance)
            if number == 0:
                gain = math.sqrt(point.signal_variance * max(1.0, layer.out_channels / layer.in_channels))
            initialize(layer, config.initializer, gain)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=math.sqrt(config.bias_variance))
        initialize(self.output, "glorot")
        with torch.no_grad():
            self.output.weight /= math.sqrt(point.signal_variance)

    @property
    def receptive_field(self) -> int:
        return 2 * self.frames_on_each_side + 1

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        inside = valid_frames(lengths, features)[:, None, :].to(features.dtype)
        hidden = self.convolve((features.transpose(1, 2) * inside), inside)
        return hidden.transpose(1, 2), lengths

    def convolve(self, hidden: Tensor, inside: Tensor) -> Tensor:
        """Input [B, D, T] -> the last hidden layer [B, width, T], zero where `inside` [B, 1, T] is zero."""
        for layer in self.convolutions:
            # In place: the gradient reads neither the product's nor the non-linearity's input.
            hidden = layer(hidden).mul_(inside).tanh_()
        return hidden
