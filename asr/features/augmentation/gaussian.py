"""Gaussian noise that is the same on every device."""

import torch
from torch import Tensor

from asr.features.augmentation.rows import sent


def gaussian(length: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Noise [S] of variance 1, drawn by a generator of the CPU and copied to the device without waiting for it."""
    return sent(torch.randn(length, generator=generator), device)
