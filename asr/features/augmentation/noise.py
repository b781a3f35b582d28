"""Noise at a chosen level: Gaussian, or of other speech."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from asr.features.augmentation.gaussian import gaussian

STEP = 4096  # samples; pink noise is shaped in multiples of this length, which transform fast

Color = Literal["white", "pink"]


def add_noise(
    waveforms: Tensor,
    lengths: Sequence[int],
    snrs: Sequence[float | None],
    seeds: Sequence[int],
    color: Color | Sequence[Color] = "white",
) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples) with Gaussian noise at signal-to-noise ratios in dB (None: no noise).

    The ratio is that of the utterance's power, without its mean, to the power of the noise, and is met exactly. The
    noise depends only on the seed, the length and the color, not on the device. Silence stays silence.
    """
    noisy = waveforms.clone()
    generator = torch.Generator()
    colors = [color] * len(lengths) if isinstance(color, str) else color
    for row, length, snr, seed, own in zip(noisy, lengths, snrs, seeds, colors, strict=True):
        if snr is not None:
            _mix(row[:length], _noise(length, generator.manual_seed(seed), own, row.device), snr)
    return noisy


def add_babble(
    waveforms: Tensor, lengths: Sequence[int], snrs: Sequence[float | None], voices: Sequence[Sequence[Tensor]]
) -> Tensor:
    """As `add_noise`, with the sum of other voices [S], each repeated or cut to the utterance's length and as loud as
    the others."""
    noisy = waveforms.clone()
    for row, length, snr, others in zip(noisy, lengths, snrs, voices, strict=True):
        if snr is not None:
            repeated = [voice.repeat(-(-length // len(voice)))[:length] for voice in others]
            _mix(
                row[:length], torch.stack([voice / (voice.std(correction=0) + 1e-9) for voice in repeated]).sum(0), snr
            )
    return noisy


def _mix(speech: Tensor, noise: Tensor, snr: float) -> None:
    """Adds the noise to speech [S], in place."""
    power = speech.var(correction=0) / noise.square().mean().clamp(min=1e-20)
    speech += noise * (power * 10 ** (-snr / 10)).sqrt()


def _noise(length: int, generator: torch.Generator, color: Color, device: torch.device) -> Tensor:
    if color == "white":
        return gaussian(length, generator, device)
    samples = -(-length // STEP) * STEP
    spectrum = torch.fft.rfft(gaussian(samples, generator, device))
    frequency = torch.arange(len(spectrum), device=device)
    # Power falls with 1 / f; there is none at 0 Hz.
    shaped = spectrum * frequency.clamp(min=1).rsqrt() * (frequency > 0)
    return torch.fft.irfft(shaped, samples)[:length]
