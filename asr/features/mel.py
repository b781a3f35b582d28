"""The constant tables of the front end: windows, mel filters, the cosine transform and its lifter, all Kaldi's."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.config import FeaturesConfig
from asr.errors import InputError

Table = NDArray[np.float64]

WARPED_SHARE = 0.6  # of the band up to the Nyquist frequency: 4800 Hz at 16 kHz, as in the paper


def window_samples(config: FeaturesConfig) -> int:
    """Samples of one frame."""
    return _samples(config, config.frame_length)


def shift_samples(config: FeaturesConfig) -> int:
    """Samples from one frame's start to the next's."""
    return _samples(config, config.frame_shift)


def frame_count(samples: int, length: int, shift: int, snip_edges: bool) -> int:
    """Number of frames of a waveform; all arguments in samples."""
    if not snip_edges:
        return (samples + shift // 2) // shift
    return 0 if samples < length else 1 + (samples - length) // shift


def check_length(samples: int, config: FeaturesConfig) -> None:
    """Raises InputError for a waveform that is shorter than one frame."""
    if frame_count(samples, window_samples(config), shift_samples(config), config.snip_edges) == 0:
        raise InputError(f"is shorter than one frame ({config.frame_length:g} ms); give longer audio")


def fft_size(config: FeaturesConfig) -> int:
    """The power of two to which a frame is padded with zeros."""
    return 1 << (window_samples(config) - 1).bit_length()


def _samples(config: FeaturesConfig, milliseconds: float) -> int:
    count = config.samples(milliseconds)
    if count < 2:
        raise InputError(
            f"features.frame_length and frame_shift must be at least 2 samples; {milliseconds} ms is {count}"
        )
    return count


def window(name: str, length: int) -> Table:
    """Window function [length]; Povey's is Kaldi's default: the Hann window to the power of 0.85, zero at its ends."""
    phase = 2 * math.pi * np.arange(length) / (length - 1)
    if name == "povey":
        return np.asarray((0.5 - 0.5 * np.cos(phase)) ** 0.85)
    if name == "hanning":
        return np.asarray(0.5 - 0.5 * np.cos(phase))
    if name == "hamming":
        return np.asarray(0.54 - 0.46 * np.cos(phase))
    return np.ones(length)


def mel(frequency: NDArray[np.floating[Any]] | float) -> Table:
    """HTK's mel scale (Young et al., The HTK Book, 2006, eq. 5.13, with natural logarithm) of frequencies in Hz.

    >>> round(float(mel(1000.0)), 1)
    1000.0
    """
    return np.asarray(1127.0 * np.log1p(np.asarray(frequency) / 700.0))


def warped(frequencies: NDArray[np.floating[Any]], warp: float, nyquist: float) -> Table:
    """The frequencies (Hz) of a vocal tract that is shorter by the factor `warp`: 1.1 raises them by a tenth.

    Above WARPED_SHARE of the band a second straight line leads to the Nyquist frequency, which is fixed (Jaitly &
    Hinton 2013, Vocal tract length perturbation improves speech recognition, section 3).
    """
    if warp == 1.0:
        return np.asarray(frequencies)
    bend = WARPED_SHARE * nyquist * min(warp, 1.0)
    return np.asarray(np.interp(frequencies, [0.0, bend / warp, nyquist], [0.0, bend, nyquist]))


def mel_filters(config: FeaturesConfig, warp: float = 1.0) -> Table:
    """Triangular filters [fft_size / 2 + 1, bins] of a power spectrum, with peak 1, evenly spaced in mel (The HTK Book,
    2006, section 5.4).

    With a `warp`, energy at frequency f in the spectrum counts at the warped f (see `warped`). Raises InputError when
    the frequency limits do not fit the sample rate or a filter covers no FFT bin.
    """
    nyquist = config.sample_rate / 2
    low, high = config.low_frequency, config.high_frequency
    if high <= 0:
        high += nyquist
    if not 0 <= low < high <= nyquist:
        raise InputError(
            f"features.low_frequency {low} and high_frequency {high} Hz: need 0 <= low < high <= {nyquist}"
        )
    size = fft_size(config)
    bins = mel(warped(np.arange(size // 2 + 1) * (config.sample_rate / size), warp, nyquist))[:, None]
    edges = np.linspace(float(mel(low)), float(mel(high)), config.bins + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    filters = np.maximum(0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
    filters[-1] = 0.0  # Kaldi leaves the Nyquist bin out
    if not (filters > 0).any(axis=0).all():
        cause = "" if warp == 1.0 else f", warped by {warp},"
        raise InputError(f"features.bins {config.bins} is too many: a mel filter{cause} covers no FFT bin; use fewer")
    return np.asarray(filters)


def mel_bands(config: FeaturesConfig, warp: float = 1.0) -> list[tuple[slice, slice, Table]]:
    """The filters of `mel_filters` in two blocks (FFT bins, mel bins, filters [FFT bins, mel bins] between them); all
    are zero outside the blocks. Raises InputError as `mel_filters`.

    Low filters are narrow, so a block of the lower three fifths and one of the rest are half the size of the matrix.
    """
    filters = mel_filters(config, warp)
    split = max(1, 3 * config.bins // 5)
    bands = []
    for columns in (slice(0, split), slice(split, config.bins)):
        used = np.flatnonzero(filters[:, columns].any(axis=1))
        if len(used) > 0:
            rows = slice(int(used[0]), int(used[-1]) + 1)
            bands.append((rows, columns, np.ascontiguousarray(filters[rows, columns])))
    return bands


def cepstral_transform(config: FeaturesConfig) -> Table:
    """Orthonormal type-II cosine transform (Davis & Mermelstein 1980; The HTK Book, 2006, chapter 5) with the sine
    lifter folded in, [bins, cepstra]."""
    n, k = np.arange(config.bins)[:, None], np.arange(config.cepstra)[None, :]
    transform = np.sqrt(2.0 / config.bins) * np.cos(np.pi / config.bins * (n + 0.5) * k)
    transform[:, 0] = np.sqrt(1.0 / config.bins)
    return np.asarray(transform * lifter(config))


def lifter(config: FeaturesConfig) -> Table:
    """Weights [cepstra] that balance the cepstra's ranges (The HTK Book, 2006, eq. 5.12); all 1 for a lifter of 0."""
    if config.cepstral_lifter == 0:
        return np.ones(config.cepstra)
    q = config.cepstral_lifter
    return np.asarray(1.0 + 0.5 * q * np.sin(np.pi * np.arange(config.cepstra) / q))
