"""Problems of a recording, in short sentences: silence, clipping, a narrow band, noise, a very low level, DC.

The thresholds are set so that clean speech, such as the TIMIT sample, has no warnings.
"""

import numpy as np
from numpy.typing import NDArray

from asr.audio.waveform import Waveform

FRAME = 0.032
"""Seconds of the frames whose levels are measured."""

BANDS = 32
"""Of equal width, from 0 Hz to half the model's rate."""

EVERY = 4
"""The bands of one in so many frames are measured."""

LOWEST, HIGHEST = -130, 20
"""dB of full scale; levels outside are counted as these."""

SILENCE = -125
"""dB; frames below it are digital silence: a pause without noise, and not part of the speech."""

SHORTEST = 1.0
"""Seconds with sound; the levels of less are not judged."""

FULL_SCALE, FLAT = 0.99, 1e-3
CLIPPED = 1e-4
"""The share of samples that, like the one before, are at full scale."""

LOUD = 10
"""Floating-point samples above it are in another range; what follows would mean nothing."""

OFFSET = 0.5
"""The mean, as a share of the standard deviation."""

QUIET = -65
"""dB of full scale, of the loudest 5 % of frames."""

NOISY = 16
"""dB from the quietest 10 % of frames to the loudest 5 %."""

EDGE = 40
"""dB by which the loudest 5 % of frames fall at the edge of a narrow band, as in telephone speech."""

LOWEST_EDGE, HIGHEST_EDGE = BANDS // 4, BANDS * 3 // 4
"""Bands between which an edge is looked for: for a model of 16 kHz, from 2 to 6 kHz."""


class Quality:
    """Measures a recording as it is read, in a few numbers; rates in Hz: of the file, and of the model."""

    def __init__(self, file_rate: int, sample_rate: int) -> None:
        self.file_rate, self.sample_rate = file_rate, sample_rate
        self._count, self._clipped = 0, 0
        self._loudest = 0.0
        self._sum: NDArray[np.float64] = np.zeros(1)
        self._power: NDArray[np.float64] = np.zeros(1)
        self._length = BANDS * 2 * max(1, round(FRAME * sample_rate / (BANDS * 2)))
        self._window = np.hanning(self._length).astype(np.float32)
        self._edges = np.arange(0, self._length // 2, self._length // 2 // BANDS)
        levels = HIGHEST - LOWEST + 1
        self._levels = np.zeros(levels, dtype=np.int64)
        self._bands = np.zeros((BANDS, levels), dtype=np.int64)

    def add_block(self, block: NDArray[np.float32]) -> None:
        """Measures samples [S, C] as they are in the file."""
        self._count += len(block)
        self._sum = self._sum + block.sum(axis=0, dtype=np.float64)
        self._power = self._power + np.einsum("sc,sc->c", block, block)
        peak = max(float(block.max(initial=0)), -float(block.min(initial=0)))
        self._loudest = max(self._loudest, peak)
        if peak >= FULL_SCALE:
            high = np.abs(block) >= FULL_SCALE
            self._clipped += int((high[1:] & high[:-1] & (np.abs(np.diff(block, axis=0)) < FLAT)).sum())

    def add_samples(self, samples: Waveform) -> None:
        """Measures samples [S] at the model's rate."""
        frames = samples[: len(samples) // self._length * self._length].reshape(-1, self._length)
        if not len(frames):
            return
        mean = np.einsum("fs->f", frames) / self._length
        level = _decibels(np.einsum("fs,fs->f", frames, frames) / self._length - mean**2)
        self._levels += np.bincount(level, minlength=len(self._levels))
        spectrum = np.fft.rfft(frames[::EVERY] * self._window, axis=1)[:, :-1]
        power = np.add.reduceat(spectrum.real**2 + spectrum.imag**2, self._edges, axis=1)
        scale = 2 / (self._length * np.dot(self._window, self._window))
        places = _decibels(power * scale) + np.arange(BANDS) * self._bands.shape[1]
        self._bands += np.bincount(places.ravel(), minlength=self._bands.size).reshape(self._bands.shape)

    def warnings(self) -> list[str]:
        """The problems of what was measured."""
        if self._loudest == 0:
            return ["all its samples are zero"]
        sounding = self._levels.copy()
        sounding[: SILENCE - LOWEST] = 0
        if self._loudest > LOUD:
            return [f"its samples reach {self._loudest:.3g}, where full scale is 1"]
        found = [self._clipping()]
        if self.file_rate < self.sample_rate:
            found.append(f"its sample rate of {self.file_rate} Hz is below the model's {self.sample_rate} Hz")
        if self._count >= SHORTEST * self.file_rate:
            found.append(self._offset())
        if sounding.sum() * self._length >= SHORTEST * self.sample_rate:
            [quiet], [loud] = _percentile(self._levels[None], 0.10), _percentile(sounding[None], 0.95)
            found += [self._band(), self._level(loud), self._noise(loud - quiet)]
        return [each for each in found if each]

    def _clipping(self) -> str:
        share = self._clipped / (self._count * self._sum.size)
        return f"{share:.2%} of its samples are clipped" if share > CLIPPED else ""

    def _offset(self) -> str:
        mean = self._sum / self._count
        deviation = np.sqrt(np.maximum(self._power / self._count - mean**2, 0))
        worst = int(np.abs(mean).argmax())
        return f"its mean is {mean[worst]:.2g}, not 0" if abs(mean[worst]) > OFFSET * deviation[worst] else ""

    def _band(self) -> str:
        """The edge with the largest fall, from the loudest of three bands below it to the loudest above it."""
        if self.file_rate < self.sample_rate:
            return ""
        loud = _percentile(self._bands, 0.95)
        below = np.maximum(np.maximum(loud[:-2], loud[1:-1]), loud[2:])  # bands i to i + 2, so that the edge is i + 3
        above = np.maximum.accumulate(loud[-2::-1])[::-1]  # bands i to the last but one
        falls = below[LOWEST_EDGE - 3 : HIGHEST_EDGE - 3] - above[LOWEST_EDGE + 2 : HIGHEST_EDGE + 2]
        if falls.max() < EDGE:
            return ""
        edge = (LOWEST_EDGE + falls.argmax() + 1) * self.sample_rate / 2 / BANDS
        return f"it has no sound above {edge / 1000:.1f} kHz; the model expects up to {self.sample_rate / 2000:g} kHz"

    def _level(self, loud: int) -> str:
        return f"it is very quiet: its loudest parts are at {loud} dB of full scale" if loud < QUIET else ""

    def _noise(self, difference: int) -> str:
        return f"it is noisy: its loudest parts are only {difference} dB above its pauses" if difference < NOISY else ""


def _decibels(power: NDArray[np.float32]) -> NDArray[np.int64]:
    """Whole decibels above LOWEST."""
    decibels = 10 * np.log10(np.maximum(power, 10.0 ** (LOWEST / 10)))
    return np.clip(np.round(decibels) - LOWEST, 0, HIGHEST - LOWEST).astype(np.int64)


def _percentile(counts: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """The level in dB that a share of each row of counts [N, levels] does not exceed, [N]."""
    totals = counts.cumsum(axis=1)
    return (totals < share * totals[:, -1:]).sum(axis=1) + LOWEST
