"""Conformer: blocks of self-attention and convolution over time between feed-forward modules (Gulati et al. 2020)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.config import ConformerConfig, Initializer
from asr.models.acoustic_model import AcousticModel, bins_of_each_map, subsampled, valid_frames
from asr.models.initializers import initialize
from asr.models.kernels.gpu import repeatable_attention
from asr.models.normalization import make_normalization

STRIDES = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2)}
"""Steps in time of the two convolutions in front, by subsampling."""
LONGEST_WAVE = 10_000
"""The base of the angles of positions (Su et al. 2021, section 3.2.2)."""


class Frames(NamedTuple):
    """What the blocks know about the frames of a batch.

    valid: bool [B, T], true inside an utterance; cosines, sines: [T, width / heads / 2], of the angles of positions.
    """

    valid: Tensor
    cosines: Tensor
    sines: Tensor


class Conformer(AcousticModel):
    """Two convolutions that subsample, blocks, and a linear output.

    With `subsampling` s an utterance of T frames has ceil(T / s) output frames. Convolutions read zeros beyond an
    utterance's edges, and attention reads its frames alone. Two things differ from the paper: positions are relative
    by rotation (see `SelfAttention`), and the convolutions in front step over frames by `subsampling`.

    torchaudio's Conformer has no positions, and its convolutions and batch normalisation read padding.

    Raises InputError when the features do not divide into `channels`.
    """

    def __init__(self, config: ConformerConfig, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.subsampling = config.subsampling
        self.head_dim = config.width // config.heads
        self.front = Subsampling(config, input_dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output = nn.Linear(config.width, output_dim)
        initialize(self.output, "glorot")

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        if features.shape[1] == 0:
            return features.new_zeros(*features.shape[:2], self.output.in_features), lengths
        x, lengths = self.front(features, lengths)
        frames = self._frames(x, lengths)
        for block in self.blocks:
            x = block(x, frames)
        return x, lengths

    def _frames(self, x: Tensor, lengths: Tensor) -> Frames:
        pairs = torch.arange(0, self.head_dim, 2, device=x.device, dtype=x.dtype)
        rates = torch.exp(pairs * (-math.log(LONGEST_WAVE) / self.head_dim))
        angles = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)[:, None] * rates
        return Frames(valid_frames(lengths, x), angles.cos(), angles.sin())


class Subsampling(nn.Module):
    """Two convolutions of 3 x 3 with rectifiers, which halve the bins each, then a linear layer and dropout."""

    def __init__(self, config: ConformerConfig, input_dim: int) -> None:
        super().__init__()
        self.channels, bins = config.channels, bins_of_each_map(input_dim, config.channels)
        self.strides = STRIDES[config.subsampling]
        self.convolutions = nn.ModuleList()
        maps = config.channels
        for stride in self.strides:
            convolution = nn.Conv2d(maps, config.filters, 3, (stride, 2), padding=1)
            initialize(convolution, "he")
            self.convolutions.append(convolution)
            maps, bins = config.filters, -(-bins // 2)
        self.linear = _linear(maps * bins, config.width, config.initializer)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, T, D] of lengths [B] -> [B, ceil(T / s), width] and their lengths."""
        x = features.unflatten(2, (self.channels, -1)).transpose(1, 2)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            padding = ~valid_frames(lengths, x.transpose(1, 2))[:, None, :, None]
            x = functional.relu(convolution(x.masked_fill(padding, 0.0)))
            lengths = subsampled(lengths, stride)
        # In full precision, as the sums of the blocks and the positions are.
        return self.dropout(self.linear(x.transpose(1, 2).flatten(2))).to(features.dtype), lengths


class Block(nn.Module):
    """Half a feed-forward module, self-attention, convolution, half a feed-forward module, layer normalisation; each
    module is added to its input (eq. 1 of the paper)."""

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__()
        self.before, self.after = FeedForward(config), FeedForward(config)
        self.attention = SelfAttention(config)
        self.convolution = ConvolutionModule(config)
        self.normalization = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, frames: Frames) -> Tensor:
        """[B, T, width] -> [B, T, width]."""
        x = x + 0.5 * self.before(x)
        x = x + self.attention(x, frames)
        x = x + self.convolution(x, frames.valid)
        x = x + 0.5 * self.after(x)
        return self.normalization(x)


class FeedForward(nn.Sequential):
    """Layer normalisation, linear, Swish, dropout, linear, dropout (figure 4 of the paper)."""

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__(
            nn.LayerNorm(config.width),
            _linear(config.width, config.feed_forward, config.initializer),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            _linear(config.feed_forward, config.width, config.initializer),
            nn.Dropout(config.dropout),
        )


class SelfAttention(nn.Module):
    """Layer normalisation, attention by several heads, dropout.

    Queries and keys are rotated by angles that grow with their frame, so that their product depends on the distance of
    two frames alone (Su et al. 2021; in a Conformer: Li et al. 2021). The paper's relative positions serve the same
    end, but need the scores of all pairs of frames in memory; here memory grows with the frames.
    """

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.normalization = nn.LayerNorm(config.width)
        self.inputs = _linear(config.width, 3 * config.width, config.initializer)
        self.output = _linear(config.width, config.width, config.initializer)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, frames: Frames) -> Tensor:
        """[B, T, width] -> [B, T, width]."""
        products = self.inputs(self.normalization(x)).unflatten(2, (3, self.heads, -1))
        query, key, value = products.permute(2, 0, 3, 1, 4)
        query, key = (_rotate(each, frames).to(value.dtype) for each in (query, key))
        with repeatable_attention(x):
            attended = functional.scaled_dot_product_attention(query, key, value, frames.valid[:, None, None])
        return self.dropout(self.output(attended.transpose(1, 2).flatten(2)))


class ConvolutionModule(nn.Module):
    """Layer normalisation, gated linear units, a convolution of each unit over time, normalisation, Swish, linear,
    dropout (figure 2 of the paper)."""

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__()
        self.input_normalization = nn.LayerNorm(config.width)
        self.gated = _linear(config.width, 2 * config.width, config.initializer)
        self.convolution = nn.Conv1d(
            config.width, config.width, config.kernel, padding=config.kernel // 2, groups=config.width
        )
        initialize(self.convolution, "he")
        self.normalization = make_normalization(config.normalization, config.width)
        self.activation = nn.SiLU()
        self.output = _linear(config.width, config.width, config.initializer)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [B, T, width] and which of its frames are speech, valid [B, T]."""
        gated = functional.glu(self.gated(self.input_normalization(x)), dim=-1)
        inside = gated.masked_fill(~valid[..., None], 0.0)
        convolved = self.convolution(inside.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.output(self.activation(self.normalization(convolved, valid))))


def _linear(inputs: int, outputs: int, initializer: Initializer) -> nn.Linear:
    linear = nn.Linear(inputs, outputs)
    initialize(linear, initializer)
    return linear


def _rotate(x: Tensor, frames: Frames) -> Tensor:
    """Rotates each pair of values of x [B, heads, T, D], (i, i + D / 2), by its frame's angle."""
    first, second = x.chunk(2, dim=-1)
    cosines, sines = frames.cosines, frames.sines
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)
