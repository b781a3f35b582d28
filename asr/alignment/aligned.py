"""The phones of a stretch of audio with their times, before they become a transcript."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr.alignment.graph import Indices, Vector


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
