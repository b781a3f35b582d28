"""Normalisation as a graph: static features to model input, as `asr.features.normalize.recording_input` computes it."""

import torch
from torch import Tensor, nn

from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features.cmvn import VARIANCE_FLOOR, Cmvn
from asr.features.deltas import add_deltas
from asr.features.normalize import audible_frames, speech_weights, without_digital_silence
from asr.models.acoustic_model import hold_last_frame, valid_frames

SUPPORTED = {
    "type", "sample_rate", "frame_length", "frame_shift", "window", "preemphasis", "remove_dc_offset", "snip_edges",
    "low_frequency", "high_frequency", "bins", "cepstra", "cepstral_lifter", "energy", "deltas", "cmvn",
    "cmvn_variance", "cmvn_frames", "cmvn_prior", "floor",
}  # fmt: skip
"""The settings of features that the graph follows; every other must have its default."""


def check_supported(config: FeaturesConfig) -> None:
    """Raises InputError for a setting that the graph does not follow."""
    for name, field in FeaturesConfig.model_fields.items():
        value = getattr(config, name)
        if name not in SUPPORTED and value != field.default:
            raise InputError(f"features.{name}: {value} cannot be exported; train with {name}: {field.default}")


class NormalizationGraph(nn.Module):
    """Static features [B, T, static_dim] of `frames` [B] -> model input [B, T, dim]: CMVN, floor, then deltas.

    Each utterance is normalised by itself or, with `cmvn: global`, by the training set's statistics, `mean` and
    `deviation` [static_dim].
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: FeaturesConfig, cmvn: Cmvn) -> None:
        super().__init__()
        self.config = config
        known = cmvn.total() if config.cmvn == "global" else cmvn.prior
        if known is not None:
            self.register_buffer("mean", torch.from_numpy(known.mean))
            self.register_buffer("deviation", torch.from_numpy(known.deviation))

    def forward(self, static: Tensor, frames: Tensor) -> Tensor:
        config = self.config
        inside = valid_frames(frames, static)
        counted = inside
        if config.floor is None and config.type != "waveform":
            counted = audible_frames(static, config, inside)
            static = without_digital_silence(static, counted)
        if config.cmvn != "none":
            mean, deviation = (self.mean, self.deviation) if config.cmvn == "global" else self._own(static, counted)
            static = static - mean
            if config.cmvn_variance:
                static = static / deviation
            if config.floor is not None:
                static = static.clamp(min=config.floor)
        return add_deltas(hold_last_frame(static.float(), frames), config.deltas)

    def _own(self, static: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """The means and deviations of the frames `inside` [B, T] of each utterance, both [B, 1, static_dim], in double
        precision."""
        values = torch.where(inside[:, :, None], static.double(), 0.0)
        speech = self.config.cmvn_frames == "speech"
        weights = (speech_weights(static, self.config, inside) if speech else inside.double())[:, :, None]
        count = weights.sum(dim=1, keepdim=True)
        mean = (weights * values).sum(dim=1, keepdim=True) / count.clamp(min=1)
        variance = (weights * values.square()).sum(dim=1, keepdim=True) / count.clamp(min=1) - mean.square()
        deviation = variance.clamp(min=VARIANCE_FLOOR).sqrt()
        return self._smoothed(count, mean, deviation) if self.config.cmvn_prior else (mean, deviation)

    def _smoothed(self, count: Tensor, mean: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor]:
        """As `asr.features.normalize.smoothed`."""
        difference = self.mean - mean
        if self.config.type == "fbank":
            louder = difference.mean(dim=2, keepdim=True).expand_as(difference)
        else:
            louder = torch.cat([difference[:, :, :1], torch.zeros_like(difference[:, :, 1:])], dim=2)
        share = self.config.cmvn_prior / (count + self.config.cmvn_prior)
        variance = (1 - share) * deviation.square() + share * self.deviation.square()
        silent = count < 1
        smoothed_mean = torch.where(silent, self.mean, mean + share * (difference - louder))
        smoothed = torch.where(silent, self.deviation, variance.clamp(min=VARIANCE_FLOOR).sqrt())
        return smoothed_mean, smoothed
