"""Shared by both backends of the front end: full scale, energy floor, and a waveform with mirrored ends."""

import numpy as np
import torch
from torch import Tensor

FULL_SCALE = 32768.0  # Kaldi's features are computed from samples in the 16-bit range
FLOOR = float(np.finfo(np.float32).eps)  # of energies, before the logarithm


def mirrored(waveform: Tensor, length: int, shift: int, count: int) -> Tensor:
    """[S] -> [(count - 1) * shift + length]: both ends mirrored, so that frame t is centred on (t + 1/2) shifts."""
    begin, samples = shift // 2 - length // 2, len(waveform)
    if count == 0:
        return waveform[:0]
    end = begin + (count - 1) * shift + length
    parts = []
    for first, last in ((begin, min(0, end)), (max(0, begin), min(samples, end)), (max(samples, begin), end)):
        if first >= last:
            continue
        if first >= 0 and last <= samples:
            parts.append(waveform[first:last])
        else:
            # Mirrored repeatedly, a waveform is periodic: forwards, then backwards.
            index = torch.arange(first, last, device=waveform.device) % (2 * samples)
            parts.append(waveform[torch.minimum(index, 2 * samples - 1 - index)])
    return torch.cat(parts)
