"""Fully connected layers: a whole DNN, or the end of a convolutional network."""

from torch import Tensor, nn

from asr.config import FullyConnectedSection
from asr.models.activations import make_activation, orthogonal_gain
from asr.models.initializers import initialize
from asr.models.normalization import BatchNorm, make_normalization


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
        for layer in list(self)[:-1]:
            x = layer(x, valid) if isinstance(layer, BatchNorm) else layer(x)
        return x


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
