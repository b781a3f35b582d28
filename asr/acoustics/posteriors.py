"""Log posteriors, and the interface of what computes them from audio."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float32]
"""Samples [S] in [-1, 1] at the model's rate."""

LogPosteriors = npt.NDArray[np.float32]
"""[T, C]; for several models that are searched as one, [M, T, C]."""


class AudioScorer(Protocol):
    """A model's front end and network; safe to use from several threads at once."""

    def log_posteriors(self, waveform: Waveform) -> LogPosteriors:
        """The log posteriors (natural) of one recording. Raises InputError when it is shorter than one frame."""

    def batch(self, waveforms: Sequence[Waveform]) -> list[LogPosteriors]:
        """Those of several recordings, computed together: the same within rounding."""
