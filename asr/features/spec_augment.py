"""SpecAugment (Park et al. 2019): hides random intervals of time and frequency of the model's input."""

import torch
from torch import Tensor

from asr.config import FeaturesConfig, SpecAugmentConfig


class SpecAugment:
    """Masks minibatches by PyTorch's global generator of their device, without waiting for the device."""

    def __init__(self, config: SpecAugmentConfig, features: FeaturesConfig) -> None:
        self.config = config
        # The mel filter of each column of the model's input; deltas repeat the static columns; energy (-1) has none.
        self.filters = torch.arange(features.dim) % features.static_dim - int(features.energy)
        self.bins = features.bins

    def __call__(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Inputs [B, T, D], of `lengths` [B] (frames) or all T long, with masked values set to 0, the mean after CMVN.

        A time mask lies inside its utterance; a frequency mask hides mel filters and their deltas in all frames.
        """
        config, (count, frames, _) = self.config, inputs.shape
        hidden = torch.zeros(1, 1, 1, dtype=torch.bool, device=inputs.device)
        if config.time_masks:
            if lengths is None:
                lengths = torch.full((count,), frames, device=inputs.device)
            widest = (lengths * config.time_share).long().clamp(max=config.time_width)
            frame = torch.arange(frames, device=inputs.device)
            hidden = hidden | _masks(frame, widest, lengths, config.time_masks)[:, :, None]
        if config.frequency_masks:
            self.filters = self.filters.to(inputs.device)
            widest = torch.full((count,), config.frequency_width, device=inputs.device)
            bins = torch.full((count,), self.bins, device=inputs.device)
            hidden = hidden | _masks(self.filters, widest, bins, config.frequency_masks)[:, None, :]
        return inputs.masked_fill(hidden, 0.0)


def _masks(position: Tensor, widest: Tensor, extent: Tensor, masks: int) -> Tensor:
    """Which of the positions [N] are in one of the `masks` intervals of each row: [B, N].

    An interval's width is uniform on 0..widest [B], its place uniform among those inside 0..extent [B].
    """
    width = (torch.rand(len(widest), masks, device=widest.device) * (widest[:, None] + 1)).long()
    room = extent[:, None] - width + 1
    start = (torch.rand(len(widest), masks, device=widest.device) * room).long()
    offset = position[None, :, None] - start[:, None, :]
    return ((offset >= 0) & (offset < width[:, None, :])).any(dim=2)
