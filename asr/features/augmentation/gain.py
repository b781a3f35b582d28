"""Speech recorded at another level: rounded to 16 bits, and clipped where it is above full scale."""

from collections.abc import Sequence

import torch
from torch import Tensor

from asr.features.framing import FULL_SCALE


def change_level(
    waveforms: Tensor, lengths: Sequence[int], gains: Sequence[float | None], peaks: Sequence[float | None]
) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples), made louder by gains in dB (None: unchanged), or so loud that they peak
    at so many dB of full scale (None: as the gain says)."""
    changed = waveforms.clone()
    for row, length, gain, peak in zip(changed, lengths, gains, peaks, strict=True):
        if peak is not None:
            row[:length] *= 10 ** (peak / 20) / row[:length].abs().amax().clamp(min=1 / FULL_SCALE)
        elif gain is not None:
            row[:length] *= 10 ** (gain / 20)
        else:
            continue
        row[:length] = sixteen_bits(row[:length])
    return changed


def sixteen_bits(samples: Tensor) -> Tensor:
    """Samples of any shape, rounded to 16 bits and clipped at full scale: in [-1, 1)."""
    return torch.round(samples * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1) / FULL_SCALE
