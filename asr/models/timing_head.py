"""The second output of a CTC model: what phone each frame of the features is in."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.models.initializers import initialize

WIDTH = 256
KERNEL = 3
"""Frames of the encoder that it reads at once."""


class TimingHead(nn.Module):
    """A convolution over time, a rectifier and a linear output, on what the encoder returns and the features beside it.

    An encoder's frame covers `subsampling` frames of features, and CTC teaches it what is said rather than when; the
    features around show where one phone ends and the next begins. Each frame of the encoder gives the logits of all
    frames of features that it covers.
    """

    def __init__(self, input_dim: int, hidden_dim: int, subsampling: int, classes: int) -> None:
        super().__init__()
        self.subsampling, self.classes = subsampling, classes
        self.convolution = nn.Conv1d(hidden_dim + subsampling * input_dim, WIDTH, KERNEL, padding=KERNEL // 2)
        self.output = nn.Linear(WIDTH, subsampling * classes)
        initialize(self.convolution, "he")
        initialize(self.output, "glorot")

    @property
    def frames_around(self) -> int:
        """The frames of features that it reads on each side of those that an encoder's frame covers."""
        return self.subsampling * (KERNEL // 2)

    def forward(self, features: Tensor, hidden: Tensor) -> Tensor:
        """Takes features [B, T, D] and what the encoder returns for them, hidden [B, T', W], both zero in padding;
        returns logits [B, T, classes]."""
        frames, groups = features.shape[1], hidden.shape[1]
        if frames == 0:
            return features.new_zeros(*features.shape[:2], self.classes)
        covered = functional.pad(features, (0, 0, 0, groups * self.subsampling - frames))
        x = torch.cat([hidden, covered.unflatten(1, (groups, self.subsampling)).flatten(2).to(hidden.dtype)], dim=2)
        x = self.convolution(x.transpose(1, 2)).relu().transpose(1, 2)
        return self.output(x).unflatten(2, (self.subsampling, self.classes)).flatten(1, 2)[:, :frames]
