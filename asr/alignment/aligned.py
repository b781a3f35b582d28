"""The phones of a stretch of audio with their times, before they become a transcript."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr.alignment.graph import Indices, Vector

SHORTEST = 0.001
"""Seconds that a phone keeps where a transcript that does not fit leaves it none: most formats cannot hold that."""


@dataclass(frozen=True)
class Aligned:
    """N phones; of several models, the first has chosen them."""

    phones: Indices
    """[N]"""
    items: Indices
    """[N]: the item of the transcript that each comes from."""
    times: Vector
    """[3, N + 1]: the boundaries, and their earliest and latest plausible times (s)."""
    scores: Vector
    """[N]: 0 to 1."""
    evidence: Vector
    """[2, N]: the nats and the frames of each phone's part of the fit (`asr.alignment.fit`)."""

    def part(self, first: int, end: int) -> "Aligned":
        """The phones `first` to `end` - 1."""
        kept = slice(first, end)
        times = self.times[:, first : end + 1]
        return Aligned(self.phones[kept], self.items[kept], times, self.scores[kept], self.evidence[:, kept])


def apart(times: Vector) -> Vector:
    """The times [3, N + 1] of `Aligned`, rounded to 0.1 ms; where a phone would have no length, all have `SHORTEST`."""
    rounded = times.round(4)
    if (np.diff(rounded[0]) > 0).all():
        return rounded
    steps = SHORTEST * np.arange(times.shape[1])
    placed = np.maximum.accumulate(rounded[0] - steps)
    middle = (np.minimum(placed, rounded[0, -1] - steps[-1]) + steps).round(4)
    return np.stack([middle, np.minimum(rounded[1], middle), np.maximum(rounded[2], middle)])


def concatenated(parts: Sequence[Aligned]) -> Aligned:
    """Parts that follow each other; where two meet, the second one's time counts. Boundaries never go back."""
    times = np.concatenate([*(part.times[:, :-1] for part in parts), parts[-1].times[:, -1:]], axis=1)
    return Aligned(
        np.concatenate([part.phones for part in parts]),
        np.concatenate([part.items for part in parts]),
        np.maximum.accumulate(times, axis=1),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.evidence for part in parts], axis=1),
    )
