"""Scores a recording of any length piece by piece: samples in, log posteriors out, in bounded memory."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from asr.acoustics.bundle import Bundle
from asr.acoustics.scorer import AcousticScorer, LogPosteriors
from asr.errors import InputError
from asr.features.frontend import StaticFeatures
from asr.features.mel import shift_samples
from asr.features.normalize import normalized, utterance_statistics
from asr.features.pieces import Piece, Samples, cut_at_pauses

NORMALISED = 60.0
"""Seconds, up to the end of a piece, whose statistics normalise it."""


@dataclass(frozen=True, slots=True)
class ScoredPiece:
    """A piece of a recording with the log posteriors [T, C] of all its samples.

    The frames `begin` to `end` - 1 of these are the piece's own; `first` is the place of its first frame in the
    recording.
    """

    piece: Piece
    log_posteriors: LogPosteriors
    first: int
    begin: int
    end: int


def scored_pieces(
    blocks: Iterable[Samples], bundle: Bundle, front_end: StaticFeatures, scorer: AcousticScorer, step: int = 1
) -> Iterator[ScoredPiece]:
    """The pieces of a recording that comes in blocks of samples [S] in [-1, 1] at the model's sample rate.

    A recording of up to `asr.features.pieces.WHOLE` seconds is scored whole; a longer one is cut between frames of the
    model, and at multiples of `step` samples. Raises InputError for one that is shorter than one frame.
    """
    config = bundle.config.features
    frame = shift_samples(config) * bundle.model.subsampling
    recent: deque[npt.NDArray[np.float32]] = deque()
    for piece in cut_at_pauses(blocks, config.sample_rate, math.lcm(frame, step)):
        waveform = torch.from_numpy(piece.samples)[None]
        static = front_end(waveform, torch.tensor([len(piece.samples)]))[0][0].cpu().numpy()
        if len(static) == 0 and piece.first == 0:
            raise InputError(f"is shorter than one frame ({config.frame_length:g} ms); there is nothing to recognise")
        recent.append(static)
        while len(recent) > 1 and sum(map(len, recent)) * config.frame_shift > 1000 * NORMALISED:
            recent.popleft()
        surroundings = np.concatenate(recent) if len(recent) > 1 else static
        statistics = utterance_statistics(surroundings, None, bundle.cmvn, config)
        inputs = normalized(torch.from_numpy(static)[None], None if statistics is None else [statistics], config)
        log_posteriors = scorer.log_posteriors(inputs[0].numpy())
        begin = (piece.begin - piece.first) // frame
        end = log_posteriors.shape[-2] if piece.last else (piece.end - piece.first) // frame
        yield ScoredPiece(piece, log_posteriors, piece.first // frame, begin, end)
