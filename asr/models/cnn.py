"""The convolutional network (CNN) over time and frequency, or over time alone, with fully connected layers on top."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.config import CnnConfig, ConvolutionConfig, Extent, Pooling
from asr.errors import InputError
from asr.models.acoustic_model import AcousticModel, FrameScorer, bins_of_each_map, hold_last_frame, score_valid_frames
from asr.models.activations import make_activation, orthogonal_gain
from asr.models.fully_connected import fully_connected
from asr.models.initializers import initialize
from asr.models.normalization import MapNormalization


class MapShape(NamedTuple):
    """The size of a layer's output: feature maps of frames x bins."""

    maps: int
    frames: int
    bins: int

    def __str__(self) -> str:
        return f"{self.maps} maps of {self.frames} x {self.bins}"


class Cnn(AcousticModel):
    """Scores a frame from its window by convolutional layers, then fully connected ones.

    In two dimensions the features are `channels` input maps of D / channels bins; in one dimension each feature is an
    input map of a single bin. In a whole utterance each frame gets the scores of its window. Unless a layer pads in
    time, windows share their convolutions: the maps are computed once for all frames, and a stride in time becomes a
    wider spacing of the frames that later layers read (Holschneider et al. 1989, "algorithme a trous").

    Raises InputError when the features do not divide into the maps, or when a layer's output is empty.
    """

    context: int

    def __init__(self, config: CnnConfig, input_dim: int, output_dim: int) -> None:
        super().__init__()
        bins = bins_of_each_map(input_dim, config.channels)
        self.context = config.context
        self.batch_normalized = config.normalization == "batch"
        self.maps, bins = (config.channels, bins) if config.dimensions == 2 else (input_dim, 1)
        shape = MapShape(self.maps, 2 * config.context + 1, bins)
        self.convolutions = nn.ModuleList()
        for number, settings in enumerate(config.convolutions):
            layer = ConvolutionalLayer(config, settings, shape)
            shape = layer.output_shape(shape, f"model.convolutions.{number}")
            self.convolutions.append(layer)
        self.window = shape.frames
        self.shares_frames = all(layer.convolution.padding[0] == 0 for layer in self._layers())
        self.network = fully_connected(config, shape.maps * shape.frames * shape.bins, output_dim)

    @property
    def output_layer(self) -> nn.Linear:
        return self.network.output

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self._apply_to_frames(self.network.hidden, self.network.output.in_features, features, lengths), lengths

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self._apply_to_frames(self.network, self.network.output.out_features, features, lengths), lengths

    def forward_windows(self, windows: Tensor) -> Tensor:
        return self._score_windows(self.network, windows)

    def _apply_to_frames(self, network: FrameScorer, width: int, features: Tensor, lengths: Tensor) -> Tensor:
        """What the fully connected layers, or all but the last, make of each frame's window: [B, T, width]."""
        if features.shape[1] == 0:
            return features.new_zeros(*features.shape[:2], width)
        edged = functional.pad(hold_last_frame(features, lengths).transpose(1, 2), (self.context,) * 2, "replicate")
        if self.shares_frames and not (self.batch_normalized and self.training):
            return self._score_sliding(network, edged.transpose(1, 2))
        windows = edged.unfold(2, 2 * self.context + 1, 1).permute(0, 2, 3, 1)
        return score_valid_frames(partial(self._score_windows, network), windows, lengths)

    def _score_windows(self, network: FrameScorer, windows: Tensor, valid: Tensor | None = None) -> Tensor:
        """Windows [N, 2 * context + 1, D], of which those where `valid` [N] is true count -> [N, width]."""
        maps = self._as_maps(windows)
        for layer in self._layers():
            maps = layer(maps, valid=valid)
        return network(maps.flatten(1), valid)

    def _score_sliding(self, network: FrameScorer, frames: Tensor) -> Tensor:
        """Edged frames [B, T + 2 * context, D] -> [B, T, width] of every window."""
        maps, spacing = self._as_maps(frames), 1
        for layer in self._layers():
            maps = layer(maps, spacing)
            spacing *= layer.time_stride
        count = frames.shape[1] - 2 * self.context  # strides may leave the last frames of a window unused
        views = maps.unfold(2, (self.window - 1) * spacing + 1, 1)[:, :, :count, :, ::spacing]
        return network(views.permute(0, 2, 1, 4, 3).flatten(2))

    def _as_maps(self, frames: Tensor) -> Tensor:
        """[B, T, D] -> [B, maps, T, bins]."""
        return frames.unflatten(2, (self.maps, -1)).transpose(1, 2)

    def _layers(self) -> list["ConvolutionalLayer"]:
        return [layer for layer in self.convolutions if isinstance(layer, ConvolutionalLayer)]


class ConvolutionalLayer(nn.Module):
    """Convolution, normalisation, non-linearity, pooling, dropout.

    With `spacing` s the layer reads every s-th frame, and writes a frame for each one that it can start from: strides
    in time are left to the caller, who multiplies the spacing by `time_stride` for the following layers.
    """

    def __init__(self, config: CnnConfig, settings: ConvolutionConfig, shape: MapShape) -> None:
        super().__init__()
        frequency = config.dimensions == 2
        self.convolution = SpacedConvolution(
            shape.maps,
            settings.filters,
            _pair(settings.kernel, 1, frequency),
            _pair(settings.stride, 1, frequency),
            _pair(settings.padding, 0, frequency),
            _pair(settings.dilation, 1, frequency),
        )
        initialize(self.convolution, config.initializer, orthogonal_gain(config.activation))
        bins = _convolved(shape, self.convolution).bins
        self.normalization = MapNormalization(config.normalization, settings.filters, max(bins, 1))
        self.activation = make_activation(config.activation)
        self.pooling: SpacedPooling | None = None
        self.time_stride = self.convolution.stride[0]
        if settings.pooling != "none":
            size = _pair(settings.pool_size, 1, frequency)
            stride = size if settings.pool_stride is None else _pair(settings.pool_stride, 1, frequency)
            self.pooling = SpacedPooling(settings.pooling, size, stride)
            self.time_stride *= stride[0]
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, maps: Tensor, spacing: int | None = None, valid: Tensor | None = None) -> Tensor:
        """[B, M, T, F] -> [B, M', T', F']; normalisation counts the items where `valid` [B] is true."""
        maps = self.convolution(maps, spacing)
        counted = None if valid is None else valid[:, None].expand(-1, maps.shape[2])
        maps = self.activation(self.normalization(maps, counted))
        if self.pooling is not None:
            maps = self.pooling(maps, None if spacing is None else spacing * self.convolution.stride[0])
        return self.dropout(maps)

    def output_shape(self, shape: MapShape, name: str) -> MapShape:
        """The size of the output for an input of `shape`. Raises InputError with the layer's `name` if it is empty."""
        convolved = _convolved(shape, self.convolution)
        if min(convolved) < 1:
            raise InputError(
                f"{name}: a kernel of {_times(self.convolution.kernel_size)} with padding "
                f"{_times(self.convolution.padding)} and dilation {_times(self.convolution.dilation)} does not fit "
                f"its input, {shape} (frames x bins); make it smaller, or pad"
            )
        if self.pooling is None:
            return convolved
        pooled = self.pooling.output_shape(convolved)
        if min(pooled) < 1:
            raise InputError(
                f"{name}: pooling over {_times(self.pooling.size)} does not fit its input, {convolved} "
                "(frames x bins); make pool_size smaller"
            )
        return pooled


class SpacedConvolution(nn.Conv2d):
    """A convolution that can slide over frames `spacing` apart, with one output for each first frame."""

    def forward(self, maps: Tensor, spacing: int | None = None) -> Tensor:
        """[B, M, T, F] -> [B, M', T', F']."""
        if spacing is None:
            return super().forward(maps)
        stride, dilation = (1, self.stride[1]), (self.dilation[0] * spacing, self.dilation[1])
        padding = (int(self.padding[0]), int(self.padding[1]))
        return functional.conv2d(maps, self.weight, self.bias, stride, padding, dilation)


class SpacedPooling(nn.Module):
    """Max or average pooling [B, M, T, F] -> [B, M, T', F'], with `spacing` as in SpacedConvolution."""

    def __init__(self, kind: Pooling, size: tuple[int, int], stride: tuple[int, int]) -> None:
        super().__init__()
        self.kind, self.size, self.stride = kind, size, stride

    def forward(self, maps: Tensor, spacing: int | None = None) -> Tensor:
        if spacing is None:
            pool = functional.max_pool2d if self.kind == "max" else functional.avg_pool2d
            return pool(maps, self.size, self.stride)
        stride = (1, self.stride[1])
        if self.kind == "max":
            return functional.max_pool2d(maps, self.size, stride, dilation=(spacing, 1))
        frames = maps.shape[2] - (self.size[0] - 1) * spacing
        over_time = torch.stack([maps[:, :, tap * spacing :][:, :, :frames] for tap in range(self.size[0])]).mean(0)
        return functional.avg_pool2d(over_time, (1, self.size[1]), stride)

    def output_shape(self, shape: MapShape) -> MapShape:
        """The size of the output for an input of `shape`, without spacing."""
        frames, bins = (
            (length - size) // stride + 1
            for length, size, stride in zip(shape[1:], self.size, self.stride, strict=True)
        )
        return MapShape(shape.maps, frames, bins)

    def extra_repr(self) -> str:
        return f"{self.kind} {_times(self.size)}, stride {_times(self.stride)}"


def _convolved(shape: MapShape, convolution: SpacedConvolution) -> MapShape:
    def along(axis: int, size: int) -> int:
        reach = convolution.dilation[axis] * (convolution.kernel_size[axis] - 1) + 1
        return (size + 2 * int(convolution.padding[axis]) - reach) // convolution.stride[axis] + 1

    return MapShape(convolution.out_channels, along(0, shape.frames), along(1, shape.bins))


def _pair(extent: Extent, neutral: int, frequency: bool) -> tuple[int, int]:
    """(time, frequency) of a setting that may be one number for both; in one dimension frequency is `neutral`."""
    if isinstance(extent, int):
        return extent, extent if frequency else neutral
    return extent


def _times(pair: tuple[int, ...] | str) -> str:
    return " x ".join(map(str, pair))
