"""TDNN: dilated convolutions over time with shortcuts, which may be causal (a temporal convolutional network)."""

from torch import Tensor, nn
from torch.nn import functional

from asr.config import TdnnConfig
from asr.models.acoustic_model import AcousticModel, subsampled, valid_frames
from asr.models.activations import make_activation, orthogonal_gain
from asr.models.initializers import initialize
from asr.models.normalization import make_normalization


class Tdnn(AcousticModel):
    """A convolution that subsamples, a residual layer for each of `dilations`, normalisation and a linear output.

    Time delays (Waibel et al. 1989) in residual layers (Bai et al. 2018). Chosen over the TDNN-F (Povey et al. 2018),
    whose semi-orthogonal factors need a step of their own after each update: shortcuts and normalisation train as deep
    a stack by any optimiser.

    With `subsampling` s, output frame t covers the input frames s t to s t + s - 1, as far as they exist: an utterance
    of T frames has ceil(T / s). If `causal`, it reads no frames after them.
    """

    def __init__(self, config: TdnnConfig, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.subsampling = config.subsampling
        self.front = Delayed(config, input_dim, group=config.subsampling)
        self.layers = nn.ModuleList(ResidualLayer(config, dilation) for dilation in config.dilations)
        self.normalization = make_normalization(config.normalization, config.width)
        self.activation = make_activation(config.activation)
        self.output = nn.Linear(config.width, output_dim)
        initialize(self.output, "glorot")
        self.frames_around = (config.kernel - 1) * (1 + config.subsampling * sum(config.dilations))

    @property
    def receptive_field(self) -> int:
        return self.subsampling + self.frames_around

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        if features.shape[1] == 0:
            return features.new_zeros(*features.shape[:2], self.output.in_features), lengths
        x = self.front(features, valid_frames(lengths, features)).to(features.dtype)  # sums are in full precision
        lengths = subsampled(lengths, self.subsampling)
        valid = valid_frames(lengths, x)
        for layer in self.layers:
            x = layer(x, valid)
        return self.activation(self.normalization(x, valid)), lengths


class ResidualLayer(nn.Module):
    """x plus: dilated convolution, normalisation, non-linearity, linear, dropout."""

    def __init__(self, config: TdnnConfig, dilation: int) -> None:
        super().__init__()
        self.delayed = Delayed(config, config.width, dilation)
        self.normalization = make_normalization(config.normalization, config.width)
        self.activation = make_activation(config.activation)
        self.linear = nn.Linear(config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)
        initialize(self.linear, "glorot")

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [B, T, width] and which of its frames are speech, valid [B, T]."""
        hidden = self.activation(self.normalization(self.delayed(x, valid), valid))
        return x + self.dropout(self.linear(hidden))


class Delayed(nn.Module):
    """A convolution over time: [B, T, D] -> [B, ceil(T / group), width]. Padding and what is beyond the edges are zero.

    Output frame t reads the `group` input frames from group t on, and (kernel - 1) dilation frames around or before
    them.
    """

    def __init__(self, config: TdnnConfig, input_dim: int, dilation: int = 1, group: int = 1) -> None:
        super().__init__()
        taps = config.kernel + group - 1
        self.convolution = nn.Conv1d(input_dim, config.width, taps, stride=group, dilation=dilation)
        initialize(self.convolution, config.initializer, orthogonal_gain(config.activation))
        around = (config.kernel - 1) * dilation
        before = around if config.causal else around // 2
        self.edges = before, around - before + group - 1

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [B, T, D] and which of its frames are speech, valid [B, T]."""
        inside = x.masked_fill(~valid[..., None], 0.0).transpose(1, 2)
        return self.convolution(functional.pad(inside, self.edges)).transpose(1, 2)
