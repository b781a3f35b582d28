"""The best path of log scores through an alignment graph: Viterbi with one byte of back pointer per frame and state."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.alignment.graph import AlignmentGraph, Indices, Vector
from asr.compiled import compiled
from asr.errors import InputError

MOST_BACK_POINTERS = 2**31
"""One byte each. A full search needs one for every frame and state: about twelve minutes of speech in one piece. With a
beam it is hours of speech, or minutes of scores that fit any phone."""
MOST_MOVES = 255
"""Moves into one state: as many as a byte can tell apart."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class StatePath:
    """The graph's state in each frame (int64 [T]), and the path's log score."""

    states: Indices
    score: float


def best_path(scores: npt.NDArray[np.floating], graph: AlignmentGraph, beam: float = np.inf) -> StatePath:
    """The path with the highest sum of `scores` [T, C] (natural logarithms) less the graph's costs.

    A finite `beam` (nats, above 0) gives up states that score lower than the best of their frame by more than that; it
    is widened where no path is left. Of paths with equal scores, the one that moves on earlier wins. Memory: a byte for
    each frame and state that is not given up.
    Raises InputError where no path fits (fewer frames than the shortest path has states), for scores that are not
    finite, and for more frames and states than fit in memory.
    """
    scores = np.ascontiguousarray(scores, np.float32)
    frames, states = len(scores), len(graph)
    too_large = f"{frames} frames and {states} states are too many to align at once; cut the audio into parts"
    if np.diff(graph.first).max() > MOST_MOVES or (beam == np.inf and frames * states > MOST_BACK_POINTERS):
        raise InputError(too_large)
    if not np.isfinite(scores).all():
        raise InputError("acoustic scores are not finite; check the audio: are its samples within -1 to 1?")
    moves = _Moves(graph.classes, graph.first, graph.sources, graph.costs, graph.starts, graph.finals)
    remaining = _remaining_moves(moves)
    too_short = f"{frames} frames are too few for its phones; is this what was said?"
    if frames <= remaining[np.isfinite(graph.starts)].min():
        raise InputError(too_short)
    reach = int((np.repeat(np.arange(states), np.diff(graph.first)) - graph.sources).max())
    while True:
        path, score, whole = _best_states(scores, moves, remaining, reach, beam, MOST_BACK_POINTERS)
        if len(path):
            return StatePath(path, score)
        if not whole or beam == np.inf:
            raise InputError(too_short if whole else too_large)
        beam *= 2


class _Moves(NamedTuple):
    """The arrays of an alignment graph that the search reads."""

    classes: Indices
    first: Indices
    sources: Indices
    costs: Vector
    starts: Vector
    finals: Vector


@compiled
def _remaining_moves(moves: _Moves) -> Indices:
    """[S] the fewest moves from each state to one where a path may end."""
    states = len(moves.classes)
    remaining = np.full(states, 2**62)
    for state in range(states - 1, -1, -1):
        if moves.finals[state] < np.inf:
            remaining[state] = 0
        for move in range(moves.first[state] + 1, moves.first[state + 1]):
            source = moves.sources[move]
            remaining[source] = min(remaining[source], remaining[state] + 1)
    return remaining


@compiled
def _best_states(
    scores: Scores, moves: _Moves, remaining: Indices, reach: int, beam: float, most: int
) -> tuple[Indices, float, bool]:
    """The state of each frame [T], the path's score, and whether `most` back pointers were enough.

    No states where the beam left none that reaches the end. `reach` is how many states a path moves at most.
    """
    frames, states = len(scores), len(moves.classes)
    begins, lowest = np.zeros(frames + 1, np.int64), np.empty(frames, np.int64)
    back = np.empty(frames * states if beam == np.inf else 16 * frames, np.uint8)
    none = np.empty(0, np.int64)
    best = -moves.starts
    low, high = np.int64(0), states
    while high > low and best[high - 1] == -np.inf:
        high -= 1
    for frame in range(frames):
        if frame:
            high = min(high + reach, states)
        lowest[frame], begins[frame + 1] = low, begins[frame] + high - low
        if begins[frame + 1] > most:
            return none, -np.inf, False
        if begins[frame + 1] > len(back):
            longer = np.empty(2 * begins[frame + 1], np.uint8)
            for place in range(begins[frame]):
                longer[place] = back[place]
            back = longer
        top = _advance(best, moves, scores[frame], low, high, frame > 0, back[begins[frame] : begins[frame + 1]])
        while low < high and (best[low] < top - beam or remaining[low] > frames - 1 - frame):
            best[low] = -np.inf
            low += 1
        while low < high and best[high - 1] < top - beam:
            best[high - 1] = -np.inf
            high -= 1
        if low == high:
            return none, -np.inf, True
    final = best - moves.finals
    state = final.argmax()
    if final[state] == -np.inf:
        return none, -np.inf, True
    return _trace(back, begins, lowest, moves, state), final[state], True


@compiled
def _advance(
    best: Vector, moves: _Moves, scores: Scores, low: int, high: int, moving: bool, back: npt.NDArray[np.uint8]
) -> float:
    """Brings the best score of the states `low` to `high` - 1 one frame further, `moving` or not, and returns the
    highest; writes into `back` by which of its moves each state was reached. The first of a state's moves stays."""
    top = -np.inf
    for state in range(high - 1, low - 1, -1):  # no path goes back: what is overwritten is not read again
        reached, number = best[state], 0
        if moving:
            begin = moves.first[state]
            reached -= moves.costs[begin]
            for move in range(begin + 1, moves.first[state + 1]):
                moved = best[moves.sources[move]] - moves.costs[move]
                if moved > reached:
                    reached, number = moved, move - begin
        best[state] = reached + scores[moves.classes[state]]
        back[state - low] = number
        top = max(top, best[state])
    return top


@compiled
def _trace(back: npt.NDArray[np.uint8], begins: Indices, lowest: Indices, moves: _Moves, state: int) -> Indices:
    path = np.empty(len(lowest), np.int64)
    for frame in range(len(lowest) - 1, -1, -1):
        path[frame] = state
        state = moves.sources[moves.first[state] + back[begins[frame] + state - lowest[frame]]]
    return path
