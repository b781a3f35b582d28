"""Waveforms as features, for models that have their own front end: a frame is the samples of one step."""

import torch
from torch import Tensor

from asr.config import FeaturesConfig
from asr.features.mel import frame_count, shift_samples


class WaveformFrames:
    """Waveforms cut into frames that do not overlap; one after another they are the waveform.

    So waveforms are stored, batched, padded and labelled as all features are. Samples stay in [-1, 1]; what is left
    after the last whole frame is dropped, as with `snip_edges`.
    """

    def __init__(self, config: FeaturesConfig, device: torch.device | str = "cpu") -> None:
        self.config = config
        self.device = torch.device(device)
        self.shift = shift_samples(config)

    def frame_count(self, samples: int) -> int:
        """Number of whole frames of a waveform of `samples` samples."""
        return frame_count(samples, self.shift, self.shift, snip_edges=True)

    def __call__(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Waveforms [B, S] of `lengths` [B] samples -> frames [B, T, samples of a frame] and their numbers [B].

        Rows are zero after their length.
        """
        counts = torch.tensor([self.frame_count(length) for length in lengths.tolist()], dtype=torch.int64)
        return cut_into_frames(waveforms.to(self.device, torch.float32), counts.to(self.device), self.shift), counts


def cut_into_frames(waveforms: Tensor, counts: Tensor, shift: int) -> Tensor:
    """Waveforms [B, S] -> the first `counts` [B] frames of each, zeros after them: [B, S // shift, shift]."""
    whole = waveforms.shape[1] // shift
    frames = waveforms[:, : whole * shift].unflatten(1, (whole, shift))
    beyond = torch.arange(frames.shape[1], device=frames.device) >= counts[:, None]
    return frames.masked_fill(beyond[:, :, None], 0.0)
