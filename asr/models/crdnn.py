"""CRDNN: convolutions over time and frequency, recurrent layers, fully connected layers (SpeechBrain's arrangement)."""

from math import inf

from torch import Tensor, nn
from torch.nn import functional

from asr.config import CrdnnConfig
from asr.errors import InputError
from asr.models.acoustic_model import AcousticModel, bins_of_each_map, hold_last_frame, subsampled, valid_frames
from asr.models.activations import make_activation, orthogonal_gain
from asr.models.initializers import initialize
from asr.models.normalization import MapNormalization, make_normalization
from asr.models.recurrent import RecurrentLayers


class Crdnn(AcousticModel):
    """Convolutional blocks, a max pooling over time, recurrent layers, fully connected layers and a linear output.

    With `subsampling` s, output frame t covers the input frames s t to s t + s - 1, as far as they exist: an utterance
    of T frames has ceil(T / s). Padding is zero at every convolution, like everything beyond an utterance's edges.

    Raises InputError when the features do not divide into `channels`, or pooling leaves no bins.
    """

    def __init__(self, config: CrdnnConfig, input_dim: int, output_dim: int) -> None:
        super().__init__()
        input_bins = bins_of_each_map(input_dim, config.channels)
        self.subsampling = config.subsampling
        self.channels = config.channels
        self.blocks = nn.ModuleList()
        maps, bins = config.channels, input_bins
        for filters in config.filters:
            if bins < config.frequency_pooling:
                raise InputError(
                    f"model.frequency_pooling: {config.frequency_pooling} at each of {len(config.filters)} blocks "
                    f"leaves nothing of {input_bins} bins; lower it or take fewer blocks"
                )
            self.blocks.append(ConvolutionalBlock(config, maps, filters, bins))
            maps, bins = filters, bins // config.frequency_pooling
        self.recurrent = RecurrentLayers(
            config.recurrent,
            maps * bins,
            layers=config.recurrent_layers,
            width=config.recurrent_width,
            bidirectional=config.bidirectional,
            normalization=config.normalization,
            initializer=config.initializer,
            dropout=config.dropout,
        )
        width = self.recurrent.output_dim
        self.layers = nn.ModuleList()
        for _ in range(config.layers):
            self.layers.append(FullyConnectedLayer(config, width))
            width = config.width
        self.output = nn.Linear(width, output_dim)
        initialize(self.output, "glorot")

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        if features.shape[1] == 0:
            return features.new_zeros(*features.shape[:2], self.output.in_features), lengths
        valid = valid_frames(lengths, features)
        x = features.unflatten(2, (self.channels, -1)).transpose(1, 2)
        for block in self.blocks:
            x = block(x, valid)
        x = x.transpose(1, 2).flatten(2)
        if self.subsampling > 1:
            x, lengths = self._subsample(x, lengths)
            valid = valid_frames(lengths, x)
        x = self.recurrent(x, lengths)
        for layer in self.layers:
            x = layer(x, valid)
        return x, lengths

    def _subsample(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The maximum over each `subsampling` frames of x [B, T, D]; the last group may have fewer."""
        frames, groups = x.shape[1], (x.shape[1] + self.subsampling - 1) // self.subsampling
        held = functional.pad(hold_last_frame(x, lengths), (0, 0, 0, groups * self.subsampling - frames), value=-inf)
        # Not a pooling operator, which the ONNX exporter knows for one length only.
        x = held.unflatten(1, (groups, self.subsampling)).max(dim=2).values
        return x, subsampled(lengths, self.subsampling)


class ConvolutionalBlock(nn.Module):
    """Two times convolution, normalisation and non-linearity; then max pooling over frequency and dropout of maps."""

    def __init__(self, config: CrdnnConfig, maps: int, filters: int, bins: int) -> None:
        super().__init__()
        self.convolutions, self.normalizations = nn.ModuleList(), nn.ModuleList()
        for inputs in (maps, filters):
            convolution = nn.Conv2d(inputs, filters, config.kernel, padding="same")
            initialize(convolution, config.initializer, orthogonal_gain(config.activation))
            self.convolutions.append(convolution)
            self.normalizations.append(MapNormalization(config.normalization, filters, bins))
        self.activation = make_activation(config.activation)
        self.pooling = nn.MaxPool2d((1, config.frequency_pooling))
        self.dropout = nn.Dropout2d(config.dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Maps [B, M, T, F] -> [B, filters, T, F / frequency_pooling]; the frames `valid` [B, T] are speech."""
        padding = ~valid[:, None, :, None]
        for convolution, normalization in zip(self.convolutions, self.normalizations, strict=True):
            x = self.activation(normalization(convolution(x.masked_fill(padding, 0.0)), valid))
        return self.dropout(self.pooling(x))


class FullyConnectedLayer(nn.Module):
    """Linear, normalisation over valid frames, non-linearity, dropout."""

    def __init__(self, config: CrdnnConfig, input_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_dim, config.width)
        initialize(self.linear, config.initializer, orthogonal_gain(config.activation))
        self.normalization = make_normalization(config.normalization, config.width)
        self.activation = make_activation(config.activation)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """[B, T, input_dim], of which the frames `valid` [B, T] are speech -> [B, T, width]."""
        return self.dropout(self.activation(self.normalization(self.linear(x), valid)))
