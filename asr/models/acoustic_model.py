"""The interface of every acoustic model."""

from typing import Protocol

import torch
from torch import Tensor, nn

from asr.errors import InputError
from asr.models.kernels.gpu import on_gpu

FRAMES_AT_ONCE = 4096


class AcousticModel(nn.Module):
    """Features in, a score for each class and output frame out.

    `subsampling` input frames make one output frame. If the output depends only on a fixed window of input, `context`
    is the number of frames on each side of the centre, and `forward_windows` scores single frames, so that training can
    draw them from the whole corpus. `context` is None for a model that needs whole utterances.
    """

    subsampling: int = 1
    context: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self.timing: AcousticModel | None = None
        """The network of a CTC model's second output, if it has one; see `forward_timed`."""

    @property
    def receptive_field(self) -> int | None:
        """The number of input frames that an output frame depends on; None if it may be the whole utterance."""
        return None if self.context is None else 2 * self.context + 1

    @property
    def output_layer(self) -> nn.Linear:
        """The last layer: from what `encode` returns to logits."""
        layer = self.output
        assert isinstance(layer, nn.Linear)
        return layer

    @property
    def output_layers(self) -> list[nn.Module]:
        """The layers that give scores; all others are the encoder, which `training.freeze_encoder` keeps as it is."""
        return [self.output_layer, *([] if self.timing is None else [self.timing])]

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, but returns the input of the output layer [B, T', W] instead of logits."""
        raise NotImplementedError

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Takes features [B, T, D], padded after lengths [B]; returns logits [B, T', C] and their lengths [B]."""
        hidden, lengths = self.encode(features, lengths)
        return self.output_layer(hidden), lengths

    def forward_timed(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, for a model with a `timing` output: returns logits, their lengths, and that output's logits
        [B, T, F] of the features' frames."""
        assert self.timing is not None
        return *self(features, lengths), self.timing(features, lengths)[0]

    def forward_windows(self, windows: Tensor) -> Tensor:
        """Takes windows [B, 2 * context + 1, D], each about one frame; returns that frame's logits [B, C]."""
        raise NotImplementedError


def bins_of_each_map(input_dim: int, channels: int) -> int:
    """The bins of each of the `channels` input maps into which the features of a frame are divided.

    Raises InputError where they cannot be divided evenly.
    """
    if input_dim % channels:
        raise InputError(f"model.channels: {channels} does not divide the {input_dim} features of a frame; change it")
    return input_dim // channels


def hold_last_frame(features: Tensor, lengths: Tensor) -> Tensor:
    """Replaces the padding of features [B, T, D] by each utterance's last frame, so that padding changes no score."""
    frame = torch.arange(features.shape[1], device=features.device)
    frame = torch.minimum(frame[None, :], lengths.to(features.device)[:, None] - 1).clamp(min=0)
    return features.gather(1, frame[:, :, None].expand(-1, -1, features.shape[2]))


def valid_frames(lengths: Tensor, features: Tensor) -> Tensor:
    """Which frames of features [B, T, ...] lie inside their utterances of lengths [B]: bool [B, T]."""
    return torch.arange(features.shape[1], device=features.device) < lengths.to(features.device)[:, None]


def subsampled(lengths: Tensor, factor: int) -> Tensor:
    """The numbers of frames of which each covers `factor` of `lengths` [B], the last one perhaps fewer."""
    return torch.div(lengths + factor - 1, factor, rounding_mode="floor")


class FrameScorer(Protocol):
    """Gives each frame its scores."""

    def __call__(self, frames: Tensor, valid: Tensor | None = None, /) -> Tensor:
        """Frames [N, ...] -> scores [N, C]; the statistics are those of the frames where `valid` [N] is true."""


def score_valid_frames(score: FrameScorer, frames: Tensor, lengths: Tensor) -> Tensor:
    """Applies `score` to the valid ones of frames [B, T, ...]: scores [B, T, C], zero in padding.

    So padding enters no statistics, and on a CPU it costs nothing; a GPU would have to wait for the number of valid
    frames. Without gradients the frames are scored in parts, to bound the memory.
    """
    inside = valid_frames(lengths, frames)
    size = frames.shape[0] * frames.shape[1] if torch.is_grad_enabled() else FRAMES_AT_ONCE
    if on_gpu(frames):
        pairs = zip(frames.flatten(0, 1).split(size), inside.flatten().split(size), strict=True)
        logits = torch.cat([score(part, valid) for part, valid in pairs])
        return logits.unflatten(0, inside.shape).masked_fill(~inside[..., None], 0.0)
    logits = torch.cat([score(part) for part in frames[inside].split(size)])
    scores = logits.new_zeros(*inside.shape, logits.shape[1])
    scores[inside] = logits
    return scores
