"""Changes to the waveform that make more speech from the same: a different speed, and noise at a chosen level.

The third change, vocal tract length, is made to the mel filters: see `asr.features.mel.warped`.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor, nn
from torchaudio.transforms import Resample

# A windowed sinc: what it adds to a tone is 80 dB below it. Frequencies up to 87 % of the lower Nyquist frequency pass
# unchanged.
ZERO_CROSSINGS = 32
ROLLOFF = 0.95
BETA = 8.0
FINEST_SPEED = 100  # the greatest denominator of a factor, so that a filter has few phases
NOISE_STEP = 4096  # samples; pink noise is shaped in multiples of this length, which transform fast


def speed_factor(factor: float) -> Fraction:
    """The ratio of small integers used for a speed factor."""
    return Fraction(factor).limit_denominator(FINEST_SPEED)


def perturbed_length(samples: int, factor: Fraction) -> int:
    """The length of a waveform of `samples` samples, played `factor` times as fast."""
    return -(-samples * factor.denominator // factor.numerator)


def perturb_speed(waveforms: Tensor, lengths: Sequence[int], factor: Fraction) -> tuple[Tensor, list[int]]:
    """Waveforms [B, S] of `lengths` (samples), played `factor` times as fast (tempo and pitch), and their new lengths.

    What was at time t is now at t / factor (Ko et al. 2015, Audio augmentation for speech recognition, section 3.1).
    """
    if factor == 1:
        return waveforms, list(lengths)
    resample = _resample(factor, waveforms.device)
    # The margin ensures that the last sample is there: torchaudio computes its place in single precision.
    padded = nn.functional.pad(waveforms, (0, 2 * FINEST_SPEED)).to(resample.kernel.dtype)
    ends = [perturbed_length(length, factor) for length in lengths]
    faster = resample(padded)[:, : max(ends)].to(waveforms.dtype)
    # The filter rings on after an utterance's end; silence there makes it independent of the batch.
    after = torch.arange(faster.shape[1], device=faster.device) >= torch.tensor(ends, device=faster.device)[:, None]
    return faster.masked_fill_(after, 0.0), ends


@lru_cache(maxsize=64)
def _resample(factor: Fraction, device: torch.device) -> Resample:
    # In double precision on a GPU, whose rounding of products to TF32 would be audible as noise.
    dtype = torch.float32 if device.type == "cpu" else torch.float64
    return Resample(
        factor.numerator,
        factor.denominator,
        resampling_method="sinc_interp_kaiser",
        lowpass_filter_width=ZERO_CROSSINGS,
        rolloff=ROLLOFF,
        beta=BETA,
        dtype=dtype,
    ).to(device)


def add_noise(
    waveforms: Tensor,
    lengths: Sequence[int],
    snrs: Sequence[float | None],
    seeds: Sequence[int],
    color: Literal["white", "pink"] = "white",
) -> Tensor:
    """Waveforms [B, S] of `lengths` (samples) with Gaussian noise at signal-to-noise ratios in dB (None: no noise).

    The ratio is that of the utterance's power, without its mean, to the power of the noise, and is met exactly. The
    noise depends only on the seed and the length. Silence stays silence.
    """
    noisy = waveforms.clone()
    generator = torch.Generator(waveforms.device)
    for row, length, snr, seed in zip(noisy, lengths, snrs, seeds, strict=True):
        if snr is None:
            continue
        noise = _noise(length, generator.manual_seed(seed), color)
        power = row[:length].var(correction=0) / noise.square().mean()
        row[:length] += noise * (power * 10 ** (-snr / 10)).sqrt()
    return noisy


def _noise(length: int, generator: torch.Generator, color: str) -> Tensor:
    if color == "white":
        return torch.randn(length, generator=generator, device=generator.device)
    samples = -(-length // NOISE_STEP) * NOISE_STEP
    spectrum = torch.fft.rfft(torch.randn(samples, generator=generator, device=generator.device))
    frequency = torch.arange(len(spectrum), device=generator.device)
    # Power falls with 1 / f; there is none at 0 Hz.
    shaped = spectrum * frequency.clamp(min=1).rsqrt() * (frequency > 0)
    return torch.fft.irfft(shaped, samples)[:length]
