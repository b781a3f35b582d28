"""Gaussian noise that is the same on every device."""

import torch
from torch import Tensor


def gaussian(length: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Noise [S] of variance 1, drawn by a generator of the CPU and copied to the device without waiting for it."""
    return sent(torch.randn(length, generator=generator), device)


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Copies a tensor from the CPU to the device; to a GPU without waiting for it."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values.to(device)
