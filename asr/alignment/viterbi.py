"""The best path of log scores through an alignment graph, exactly; one step of vector operations a frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr.alignment.graph import AlignmentGraph
from asr.errors import InputError

MOST_BACK_POINTERS = 2**31
"""One byte each, for every frame and state: about twelve minutes of speech in one piece."""
MOST_SOURCES = 255
"""As many as a byte can tell apart."""

Scores = npt.NDArray[np.floating]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class StatePath:
    """The graph's state in each frame (int64 [T]), and the path's log score."""

    states: npt.NDArray[np.int64]
    score: float


def best_path(scores: Scores, graph: AlignmentGraph) -> StatePath:
    """The path with the highest sum of `scores` [T, C] (natural logarithms) less the graph's costs.

    Of paths that score the same, the one that moves on as early as it can. Memory: a byte for each frame and state.
    Raises InputError where no path fits (fewer frames than the shortest path has states), for scores that are not
    finite, and for more frames and states than fit in memory.
    """
    frames, states = len(scores), len(graph)
    if frames * states > MOST_BACK_POINTERS or len(graph.sources) > MOST_SOURCES:
        raise InputError(f"{frames} frames and {states} states are too many to align at once; cut the audio into parts")
    if not np.isfinite(scores).all():
        raise InputError("acoustic scores are not finite; the model's training has diverged, train it again")
    back = np.zeros((frames, states), np.uint8)
    best: Vector = -graph.starts
    for frame in range(frames):
        if frame:
            best = _advance(best, graph, back[frame])
        best = best + scores[frame].take(graph.classes)
    final = best - graph.finals
    state = int(final.argmax())
    if frames == 0 or final[state] == -np.inf:
        raise InputError(f"{frames} frames are too few for its phones; is this what was said?")
    return StatePath(_trace(back, graph.sources, state), float(final[state]))


def _advance(best: Vector, graph: AlignmentGraph, back: npt.NDArray[np.uint8]) -> Vector:
    """The best score of each state one frame on [S]; writes into `back` [S] which of its sources it came from."""
    reached = best - graph.costs[0]
    for row in range(1, len(graph.costs)):
        moved = best.take(graph.sources[row])
        moved -= graph.costs[row]
        np.putmask(back, moved > reached, row)
        np.maximum(reached, moved, out=reached)
    return reached


def _trace(back: npt.NDArray[np.uint8], sources: npt.NDArray[np.int64], state: int) -> npt.NDArray[np.int64]:
    path = np.empty(len(back), np.int64)
    for frame in range(len(back) - 1, -1, -1):
        path[frame] = state
        state = int(sources[back[frame, state], state])
    return path
