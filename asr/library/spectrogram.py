"""A small grey picture of a recording: its spectrogram."""

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""[bands, T] grey values, the highest band first; 0 is black (loud)."""

LONGEST = 30.0
"""Seconds that a picture shows; the rest of a longer recording is left out."""
STEP, WINDOW = 0.010, 0.020
"""Seconds from one column to the next, and of the samples that a column shows."""
BANDS = 64
HIGHEST = 8000.0
"""Hz"""
RANGE = 60.0
"""dB between black, a little below the loudest, and white."""


def spectrogram(waveform: npt.NDArray[np.floating], sample_rate: int) -> Picture:
    """The picture [BANDS, T] of the first LONGEST seconds of samples [S] in [-1, 1]; T is 0 for too few samples."""
    length, step = round(WINDOW * sample_rate), round(STEP * sample_rate)
    samples = np.asarray(waveform[: round(LONGEST * sample_rate)], np.float64)
    if len(samples) < length:
        return np.zeros((BANDS, 0), np.uint8)
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::step]
    power = np.abs(np.fft.rfft(frames * np.hanning(length), max(length, 4 * BANDS))) ** 2
    bins = round(power.shape[1] * min(1.0, 2 * HIGHEST / sample_rate))
    edges = np.linspace(0, bins, BANDS + 1).astype(int)[:-1]
    decibels = 10 * np.log10(np.add.reduceat(power[:, :bins], edges, axis=1) + 1e-12)
    shade = (decibels - decibels.max()) / RANGE + 1  # 1 is the loudest
    return np.ascontiguousarray((255 * (1 - shade.clip(0, 1))).round().astype(np.uint8).T[::-1])
