"""Freezing: an encoder that stays as it is, in the whole training or during its first updates."""

import math

from torch import nn

from asr.config import TrainingConfig
from asr.models import AcousticModel


class Freezing:
    """Which updates leave a model's encoder as it is: all layers but its `output_layers`, or where its second output
    is trained alone, all but that.

    A frozen layer works as in recognition, without dropout and with the normalisation of earlier batches, and gets no
    gradients. What a model never trains, and so asks no gradients for, stays as it is.
    """

    def __init__(self, config: TrainingConfig, model: AcousticModel) -> None:
        self.model = model
        self.updates: float = math.inf if config.freeze_encoder == "all" else config.freeze_encoder
        self.trained: list[nn.Module] = model.output_layers
        if config.trains_timing_alone and model.timing is not None:
            self.trained = [model.timing]
        kept = {parameter for layer in self.trained for parameter in layer.parameters()}
        others = (parameter for parameter in model.parameters() if parameter not in kept)
        self.frozen = [parameter for parameter in others if parameter.requires_grad]
        self.is_on = False

    def at(self, update: int) -> bool:
        """Whether the encoder is frozen in an update, counted from 0."""
        return update < self.updates

    def ends_with(self, update: int) -> bool:
        """Whether the encoder, frozen until now, is trained in this update."""
        return self.is_on and not self.at(update)

    def turn(self, on: bool) -> None:
        """Freezes or thaws the encoder."""
        self.is_on = on
        for parameter in self.frozen:
            parameter.requires_grad_(not on)

    def train(self) -> None:
        """Puts what is trained into training mode."""
        self.model.train(not self.is_on)
        for layer in self.trained:
            layer.train()
