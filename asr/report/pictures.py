"""The picture of an utterance: its waveform above its spectrogram, as a PNG in 16 greys."""

import numpy as np
from numpy.typing import NDArray

from asr.audio.waveform import Waveform
from asr.png import grey_png

SAMPLE_RATE = 16000
WINDOW = 256
"""Samples: 16 ms, short enough to show formants and bursts."""
HOP = 80
"""Samples between two columns: 5 ms."""
WAVEFORM, SPECTROGRAM = 40, WINDOW // 2
"""Rows of pixels; those of the spectrogram go from 0 to 8 kHz."""
WIDEST = 16000
"""Columns; in a longer utterance a column is more than 5 ms."""
PREEMPHASIS = 0.97
RANGE = 55.0
"""Decibels from black down to white."""

WHITE = 15
"""Of 16 greys."""


def picture(samples: Waveform) -> bytes:
    """The PNG of an utterance [S] at SAMPLE_RATE, black on white; it spans exactly the utterance."""
    hop = max(HOP, -(-len(samples) // WIDEST))
    columns = max(1, -(-len(samples) // hop))
    ink = np.concatenate([_waveform(samples, columns, hop), spectrogram(samples, columns, hop)])
    return grey_png(WHITE - np.rint(ink * WHITE).astype(np.uint8), bits=4)


def _waveform(samples: Waveform, columns: int, hop: int) -> NDArray[np.float32]:
    """Ink [WAVEFORM, columns] from the lowest to the highest sample of each column."""
    padded = np.pad(samples, (0, columns * hop - len(samples))).reshape(columns, hop)
    scale = (WAVEFORM / 2 - 1) / max(float(np.abs(samples).max(initial=0)), 1e-4)
    top, bottom = (WAVEFORM / 2 - side * scale for side in (padded.max(axis=1), padded.min(axis=1)))
    rows = np.arange(WAVEFORM)[:, None]
    covered = np.minimum(bottom + 0.5, rows + 1) - np.maximum(top - 0.5, rows)
    return np.clip(covered, 0, 1).astype(np.float32)


def spectrogram(samples: Waveform, columns: int, hop: int) -> NDArray[np.float32]:
    """Ink [SPECTROGRAM, columns] by level, high frequencies above; a column is centred on its time."""
    emphasised = np.append(samples[:1], samples[1:] - PREEMPHASIS * samples[:-1]).astype(np.float32)
    padded = np.pad(emphasised, (WINDOW // 2, WINDOW // 2 + columns * hop - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop][:columns]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32)))[:, :SPECTROGRAM] ** 2
    level = 10 * np.log10(power + 1e-10)
    loudest = np.percentile(level, 99.8)
    return np.clip((level - loudest) / RANGE + 1, 0, 1).astype(np.float32).T[::-1]
