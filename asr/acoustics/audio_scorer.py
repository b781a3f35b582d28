"""The interface of what computes log posteriors from audio."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from asr.acoustics.pieces import ScoredPiece
from asr.acoustics.posteriors import LogPosteriors, Scored
from asr.audio.waveform import Waveform


class AudioScorer(Protocol):
    """A model's front end and network; safe to use from several threads at once."""

    def log_posteriors(self, waveform: Waveform) -> LogPosteriors:
        """The log posteriors [T, C] (natural) of one recording's samples [S] in [-1, 1] at the model's rate.

        Raises InputError when they are fewer than one frame.
        """

    def scored(self, waveform: Waveform) -> Scored:
        """Those of all outputs. Raises InputError as `log_posteriors`."""

    def pieces(self, blocks: Iterable[Waveform], step: int = 1) -> Iterator[ScoredPiece]:
        """The log posteriors of a recording of any length, cut at multiples of `step` samples where it is long.

        Raises InputError when it is shorter than one frame.
        """

    def batch(self, waveforms: Sequence[Waveform]) -> list[Scored]:
        """Those of all outputs for several recordings, computed together; within rounding, as of each alone.

        Raises InputError as `log_posteriors`.
        """
