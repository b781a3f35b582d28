"""Viterbi beam search for the best path through a decoding graph."""

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.flat_graph import FlatGraph, flatten
from asr.decoding.graph.topology import Graph
from asr.decoding.search.path import NO_FRAMES, BestPath, Phones, PhoneSpan, check_scores
from asr.decoding.search.token_passing import best_arcs, best_phones


class BeamSearch:
    """Finds best paths in one graph with one insertion penalty. A `beam` of inf makes the search full and exact.

    >>> from asr.decoding.graph.build import build_graph
    >>> from asr.lm.ngram import estimate
    >>> bigram = estimate([["sil", "ah", "sil"]], order=2, phones=["sil", "ah"])
    >>> search = BeamSearch(build_graph(bigram.packed(), ["sil", "ah"]), beam=20.0)
    >>> posteriors = np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 4 + [[0.9, 0.1]] * 3, np.float32)
    >>> [(span.phone, span.first, span.end) for span in search.best_path(np.log(posteriors)).phones]
    [(0, 0, 3), (1, 3, 7), (0, 7, 10)]
    """

    def __init__(self, graph: Graph, beam: float, insertion_penalty: float = 0.0) -> None:
        """`beam` is how much more than the best one a path may cost at a frame (nats), `insertion_penalty` the cost of
        each phone (nats). Raises ValueError as `flatten`."""
        self.flat = flatten(graph, insertion_penalty)
        self._entering = self.flat.entering
        self.beam = beam
        self.insertion_penalty = insertion_penalty

    def best_path(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> BestPath:
        """See `PathSearch.best_path`.

        Also raises ValueError for another number of classes than the graph's, and for a graph that has no path of so
        many frames.
        """
        scores = check_scores(scores, self.flat.classes)
        if len(scores) == 0:
            return NO_FRAMES
        return _read_path(self.flat, *best_arcs(self.flat, self._entering, scores, acoustic_scale, self.beam))

    def best_phones(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> Phones:
        """See `PathSearch.best_phones`. Raises ValueError as `best_path`."""
        scores = check_scores(scores, self.flat.classes)
        phones, cost = best_phones(self.flat, self._entering, scores, acoustic_scale, self.beam)
        _check_cost(cost)
        return phones


def _read_path(flat: FlatGraph, arcs: npt.NDArray[np.int32], cost: float, complete: bool) -> BestPath:
    """The path along arcs as `best_arcs` gives them. Raises ValueError where the cost is inf."""
    _check_cost(cost)
    consuming = arcs >= 0
    entered = np.full(len(arcs), -1, np.int32)
    entered[consuming] = flat.phones[arcs[consuming]]
    entered[~consuming] = flat.free_phones[-1 - arcs[~consuming]]
    frames: npt.NDArray[np.int64] = np.cumsum(consuming) - consuming
    entries = np.flatnonzero(entered >= 0)
    firsts: list[int] = frames[entries].tolist()
    ends = [*firsts, int(consuming.sum())][1:]
    phones = [PhoneSpan(*span) for span in zip(entered[entries].tolist(), firsts, ends, strict=True)]
    return BestPath(phones, flat.labels[arcs[consuming]].astype(np.int64), cost, complete)


def _check_cost(cost: float) -> None:
    if cost == np.inf:
        raise ValueError("the graph has no path of so many frames")
