"""Speech at a different speed."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor, nn
from torchaudio.transforms import Resample

from asr.features.augmentation.rows import within

# A windowed sinc: what it adds to a tone is 80 dB below it. Frequencies up to 87 % of the lower Nyquist frequency pass
# unchanged.
ZERO_CROSSINGS = 32
ROLLOFF = 0.95
BETA = 8.0
FINEST_SPEED = 100  # the greatest denominator of a factor, so that a filter has few phases
WINDOWS = 1 << 16  # multiplied at a time on a GPU, which bounds the memory


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
    played = resample(padded) if waveforms.device.type == "cpu" else resampled_by_products(padded, resample)
    faster = played[:, : max(ends)].to(waveforms.dtype)
    # The filter rings on after an utterance's end; silence there makes it independent of the batch.
    return faster.masked_fill_(~within(faster, ends), 0.0), ends


def resampled_by_products(waveforms: Tensor, resample: Resample) -> Tensor:
    """What `resample` makes of waveforms [B, S], and up to two filter lengths more, which the caller cuts off.

    By matrix products, for GPUs: cuDNN plans a convolution for each new shape, and each epoch has dozens of those.
    """
    step, kernel = resample.orig_freq // resample.gcd, resample.kernel[:, 0].t()
    edged = nn.functional.pad(waveforms, (resample.width, resample.width + step))
    windows = edged.unfold(1, len(kernel), step)
    rows = max(1, WINDOWS // windows.shape[1])
    return torch.cat([some @ kernel for some in windows.split(rows)]).flatten(1)


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
