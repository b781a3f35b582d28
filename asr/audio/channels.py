"""From several channels to one."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import InputError, count

LOUDEST = 2.0**31
"""Full scale is 1, but some programs write floating-point samples in the range of 32-bit integers."""

CANCELLED = 0.1
"""The power of the channels' mean, as a share of what the mean of unrelated channels has, below which they cancel."""


class Mixer:
    """The mean of the channels or, from the first block in which they cancel, the louder one; or a given channel."""

    def __init__(self, path: Path, channels: int, channel: int | None = None) -> None:
        """Raises InputError where the file does not have that channel (from 0)."""
        if channel is not None and not 0 <= channel < channels:
            raise InputError(f"has {count(channels, 'channel')}, but channel {channel} (from 0) was requested", path)
        self.path = path
        self.channel = 0 if channels == 1 else channel
        self.warnings: list[str] = []

    def mix(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples [S] of a block [S, C]. Raises InputError for samples that are not audio."""
        self._check(block)
        if self.channel is None:
            mean = block.mean(axis=1, dtype=np.float32)
            if not self._cancel(block, mean):
                return mean
        return np.ascontiguousarray(block[:, self.channel])

    def _check(self, block: NDArray[np.float32]) -> None:
        low, high = block.min(), block.max()  # NaN if a sample is
        if not (low >= -LOUDEST and high <= LOUDEST):
            worst = low if not low >= -LOUDEST else high
            raise InputError(
                f"has samples that are not audio: {worst:g} where full scale is 1; re-export the file", self.path
            )

    def _cancel(self, block: NDArray[np.float32], mean: NDArray[np.float32]) -> bool:
        power = np.einsum("sc,sc->c", block, block)
        unrelated = power.sum() / block.shape[1] ** 2
        if unrelated == 0 or np.dot(mean, mean) >= CANCELLED * unrelated:
            return False
        self.channel = int(power.argmax())
        self.warnings.append(f"its channels cancel each other; channel {self.channel} (from 0) is read alone")
        return True
