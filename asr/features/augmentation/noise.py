"""Noise at a chosen level: Gaussian, or of other speech."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from asr.features.augmentation.gaussian import gaussian
from asr.features.framing import FULL_SCALE

STEP = 4096  # samples; pink noise is shaped in multiples of this length, which transform fast

Color = Literal["white", "pink"]


class Voice(NamedTuple):
    """Samples [S] of 16 bits, of which `first` comes first: after the last one it goes on with the first of all."""

    samples: Tensor
    first: int


def add_noise(
    waveforms: Tensor,
    lengths: Sequence[int],
    snrs: Sequence[float | None],
    seeds: Sequence[int],
    colors: Sequence[Color],
) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples) with Gaussian noise at signal-to-noise ratios in dB (None: no noise).

    The ratio is that of the utterance's power, without its mean, to the power of the noise, and is met exactly. The
    noise depends only on the seed, the length and the color, not on the device. Silence stays silence.
    """
    noisy = waveforms.clone()
    generator = torch.Generator()
    for row, length, snr, seed, color in zip(noisy, lengths, snrs, seeds, colors, strict=True):
        if snr is not None:
            _mix(row[:length], _noise(length, generator.manual_seed(seed), color, row.device), snr)
    return noisy


def add_babble(
    waveforms: Tensor, lengths: Sequence[int], snrs: Sequence[float | None], voices: Sequence[Sequence[Voice]]
) -> Tensor:
    """As `add_noise`, with the sum of other voices, each repeated or cut to the utterance's length and as loud as the
    others."""
    noisy = waveforms.clone()
    for row, length, snr, others in zip(noisy, lengths, snrs, voices, strict=True):
        if snr is not None:
            repeated = [_repeated(voice, length) for voice in others]
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
    return shaped_pink(gaussian(-(-length // STEP) * STEP, generator, device))[:length]


def shaped_pink(noise: Tensor) -> Tensor:
    """White noise [..., S] as pink noise: its power falls with 1 / f, and there is none at 0 Hz."""
    spectrum = torch.fft.rfft(noise)
    frequency = torch.arange(spectrum.shape[-1], device=noise.device)
    return torch.fft.irfft(spectrum * frequency.clamp(min=1).rsqrt() * (frequency > 0), noise.shape[-1])


def _repeated(voice: Voice, length: int) -> Tensor:
    rolled = torch.roll(voice.samples.float() / FULL_SCALE, -voice.first)
    return rolled.repeat(-(-length // len(rolled)))[:length]
