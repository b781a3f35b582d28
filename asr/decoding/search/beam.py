"""Viterbi beam search for the best path through a decoding graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.flat_graph import FlatGraph, flatten
from asr.decoding.graph.topology import Graph
from asr.decoding.search.token_passing import best_path
from asr.errors import InputError


@dataclass(frozen=True, slots=True)
class PhoneSpan:
    """A phone's index and its frames, `first` to `end` - 1."""

    phone: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class PhoneSequence:
    """Phone indices, and the natural log of their probability over all alignments, with the language model's part; of
    several models the mean of their logs."""

    phones: list[int]
    score: float


@dataclass(frozen=True, slots=True)
class Path:
    """The best path: its phones in order, the class of each frame (int64 [T]), and its cost (negative: the score).

    `complete` is False when no path through the whole graph fits the frames (fewer frames than one phone's states, or a
    beam too narrow): then it is the best path that ends inside a phone. A search of whole sequences without a graph
    gives those that it kept, best first, this path's own among them, their scores scaled as the cost is.
    """

    phones: list[PhoneSpan]
    classes: np.ndarray
    cost: float
    complete: bool
    sequences: Sequence[PhoneSequence] = ()


class PathFinder(Protocol):
    """Finds the phones of one utterance after the other, under weights of its own."""

    def decode(self, scores: np.ndarray, acoustic_scale: float = 1.0) -> Path:
        """The best path for `acoustic_scale` times `scores` [T, C], the log score of each class in each frame.

        A search of several models takes those of each, [M, T, C].
        No frames give no phones. Raises InputError for scores that are not numbers.
        """


class Decoder:
    """Finds the best path for one utterance after the other, in one graph with one insertion penalty.

    A `beam` of inf makes the search full and exact.
    """

    def __init__(self, graph: Graph, beam: float, insertion_penalty: float = 0.0) -> None:
        self.flat = flatten(graph, insertion_penalty)
        self._entering = self.flat.entering
        self.beam = beam
        self.insertion_penalty = insertion_penalty

    def decode(self, scores: np.ndarray, acoustic_scale: float = 1.0) -> Path:
        """The best path for `acoustic_scale` times `scores` [T, C], the log score of each class in each frame.

        No frames give no phones. Raises InputError for scores that are not numbers, ValueError for another number of
        classes than the graph's, and for a graph that has no path of so many frames.
        """
        scores = check_scores(scores, self.flat.classes)
        if len(scores) == 0:
            return Path([], np.zeros(0, np.int64), 0.0, complete=True)
        graph = (*self.flat.walk, self.flat.finals, self._entering)
        arcs, cost, complete = best_path(*graph, scores, acoustic_scale, self.beam)
        return read_path(self.flat, arcs, cost, complete)


def check_scores(scores: np.ndarray, classes: int) -> npt.NDArray[np.float32]:
    """The scores [T, C] as the kernels read them. Raises what `Decoder.decode` says of scores."""
    scores = np.ascontiguousarray(scores, np.float32)
    if scores.ndim != 2 or scores.shape[1] != classes:
        raise ValueError(f"scores of shape {scores.shape} for {classes} classes")
    if not np.isfinite(scores).all():
        raise InputError("acoustic scores are not finite; the model's training has diverged, train it again")
    return scores


def read_path(flat: FlatGraph, arcs: npt.NDArray[np.int32], cost: float, complete: bool) -> Path:
    """The path along `arcs`: an arc that consumes a frame is its index, one that does not is -1 - its index.

    Raises ValueError where the cost is inf.
    """
    if cost == np.inf:
        raise ValueError("the graph has no path of so many frames")
    consuming = arcs >= 0
    entered = np.where(consuming, flat.phones[arcs], _free_phones(flat, arcs, consuming))
    frames: npt.NDArray[np.int64] = np.cumsum(consuming) - consuming
    entries = np.flatnonzero(entered >= 0)
    firsts: list[int] = frames[entries].tolist()
    ends = [*firsts, int(consuming.sum())][1:]
    phones = [PhoneSpan(*span) for span in zip(entered[entries].tolist(), firsts, ends, strict=True)]
    return Path(phones, flat.labels[arcs[consuming]].astype(np.int64), cost, complete)


def _free_phones(
    flat: FlatGraph, arcs: npt.NDArray[np.int32], consuming: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int32]:
    phones = np.full(len(arcs), -1, np.int32)
    phones[~consuming] = flat.free_phones[-1 - arcs[~consuming]]
    return phones
