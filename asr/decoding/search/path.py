"""What a search finds: the best path, its phones, and the interface that all searches share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from asr.errors import InputError


@dataclass(frozen=True, slots=True)
class PhoneSpan:
    """A phone's index and its frames, `first` to `end` - 1."""

    phone: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class PhoneSequence:
    """Phone indices, and the natural log of their probability over all alignments, including the language model's part;
    for several models, the mean of their logs."""

    phones: list[int]
    score: float


@dataclass(frozen=True, slots=True)
class BestPath:
    """The phones of the best path in order, the class of each frame (int64 [T]), and its cost (the negative score).

    `complete` is False when no path through the whole graph fits the frames (fewer frames than one phone's states, or a
    beam too narrow): then it is the best path that ends inside a phone. A search for whole sequences without a graph
    also gives the `sequences` that it kept, best first and this path's own among them, with scores scaled as the cost.
    """

    phones: list[PhoneSpan]
    classes: npt.NDArray[np.int64]
    cost: float
    complete: bool
    sequences: Sequence[PhoneSequence] = ()


NO_FRAMES = BestPath([], np.zeros(0, np.int64), 0.0, complete=True)


Phones = npt.NDArray[np.int32]
"""[N] the indices of phones, in order."""


class PathSearch(Protocol):
    """Finds the best path of one utterance after another, with its own weights."""

    def best_path(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> BestPath:
        """The best path for `acoustic_scale` times `scores` [T, C], the log score of each class in each frame.

        A search of several models takes those of each, [M, T, C].
        No frames give no phones. Raises InputError for scores that are not finite.
        """

    def best_phones(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> Phones:
        """The phones of `best_path` alone, with less work; safe to call from several threads."""


def phones_of(path: BestPath) -> Phones:
    """The phones of a path alone."""
    return np.array([span.phone for span in path.phones], np.int32)


def check_scores(scores: npt.NDArray[np.floating], classes: int) -> npt.NDArray[np.float32]:
    """The scores [T, C] as compiled searches read them.

    Raises InputError for scores that are not finite, and ValueError for another number of classes.
    """
    scores = np.ascontiguousarray(scores, np.float32)
    if scores.ndim != 2 or scores.shape[1] != classes:
        raise ValueError(f"scores of shape {scores.shape} for {classes} classes")
    if not np.isfinite(scores).all():
        raise InputError("acoustic scores are not finite; check the audio: are its samples within -1 to 1?")
    return scores
