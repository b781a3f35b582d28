"""A recording of any length piece by piece: samples in, log posteriors out, in bounded memory."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from asr.acoustics.posteriors import LogPosteriors, Scored
from asr.audio.waveform import Waveform
from asr.config import FeaturesConfig
from asr.features.mel import shift_samples
from asr.features.pieces import Piece, cut_at_pauses


@dataclass(frozen=True, slots=True)
class ScoredPiece:
    """A piece of a recording with the log posteriors [T, C] of all its samples, and those of a second output.

    The frames `begin` to `end` - 1 of the former are the piece's own; `first` is the place of its first frame in the
    recording.
    """

    piece: Piece
    log_posteriors: LogPosteriors
    first: int
    begin: int
    end: int
    timing: LogPosteriors | None = None

    def of_timing(self, subsampling: int) -> "ScoredPiece":
        """The piece with the second output's log posteriors in place of the first's, whose frames cover `subsampling`
        frames each."""
        assert self.timing is not None
        first, begin = self.first * subsampling, self.begin * subsampling
        end = len(self.timing) if self.piece.last else self.end * subsampling
        return ScoredPiece(self.piece, self.timing, first, begin, end)


def scored_pieces(
    blocks: Iterable[Waveform],
    score: Callable[[Waveform], Scored],
    features: FeaturesConfig,
    subsampling: int,
    step: int = 1,
) -> Iterator[ScoredPiece]:
    """The pieces of a recording that comes in blocks of samples [S] in [-1, 1] at the model's sample rate.

    `score` scores a piece's samples [S]. A recording of up to `asr.features.pieces.WHOLE` seconds is scored whole; a
    longer one is cut between frames of the model, and at multiples of `step` samples.
    """
    frame = shift_samples(features) * subsampling
    for piece in cut_at_pauses(blocks, features.sample_rate, math.lcm(frame, step)):
        log_posteriors, timing = score(piece.samples)
        begin = (piece.begin - piece.first) // frame
        end = log_posteriors.shape[-2] if piece.last else (piece.end - piece.first) // frame
        yield ScoredPiece(piece, log_posteriors, piece.first // frame, begin, end, timing)
