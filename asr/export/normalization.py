"""Normalisation as a graph: static features to model input, as `asr.features.normalize.model_input` computes it."""

import torch
from torch import Tensor, nn

from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features.cmvn import VARIANCE_FLOOR, Cmvn
from asr.features.deltas import add_deltas
from asr.models.acoustic_model import hold_last_frame, valid_frames

SUPPORTED = {
    "type", "sample_rate", "frame_length", "frame_shift", "window", "preemphasis", "remove_dc_offset", "snip_edges",
    "low_frequency", "high_frequency", "bins", "cepstra", "cepstral_lifter", "energy", "deltas", "cmvn",
    "cmvn_variance",
}  # fmt: skip
"""The settings of features that the graph follows; every other must have its default."""


def check_supported(config: FeaturesConfig) -> None:
    """Raises InputError for a setting that the graph does not follow."""
    for name, field in FeaturesConfig.model_fields.items():
        value = getattr(config, name)
        if name not in SUPPORTED and value != field.default:
            raise InputError(f"features.{name}: {value} cannot be exported; train with {name}: {field.default}")


class NormalizationGraph(nn.Module):
    """Static features [B, T, static_dim] of `frames` [B] -> model input [B, T, dim]: CMVN, then deltas.

    Each utterance is normalised by itself or, with `cmvn: global`, by the training set's statistics.
    """

    def __init__(self, config: FeaturesConfig, cmvn: Cmvn) -> None:
        super().__init__()
        self.config = config
        if config.cmvn == "global":
            total = cmvn.total()
            self.register_buffer("mean", torch.from_numpy(total.mean))
            self.register_buffer("deviation", torch.from_numpy(total.deviation))

    mean: Tensor
    deviation: Tensor

    def forward(self, static: Tensor, frames: Tensor) -> Tensor:
        if self.config.cmvn != "none":
            mean, deviation = self._statistics(static.double(), frames)
            static = static - mean
            if self.config.cmvn_variance:
                static = static / deviation
        return add_deltas(hold_last_frame(static.float(), frames), self.config.deltas)

    def _statistics(self, static: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Means and deviations, both [B, 1, static_dim] or [static_dim], in double precision."""
        if self.config.cmvn == "global":
            return self.mean, self.deviation
        counted = valid_frames(frames, static)[:, :, None]
        values = torch.where(counted, static, 0.0)
        count = frames.double().clamp(min=1)[:, None, None]
        mean = values.sum(dim=1, keepdim=True) / count
        variance = values.square().sum(dim=1, keepdim=True) / count - mean.square()
        return mean, variance.clamp(min=VARIANCE_FLOOR).sqrt()
