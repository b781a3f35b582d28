"""The best alignment of known phones to a CTC model's scores: where these are of speech and leave little open, time and
memory grow with the frames alone."""

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.search.beam import Path
from asr.decoding.search.greedy import collapse
from asr.decoding.search.growing import with_room
from asr.errors import InputError
from asr.phones.classes import BLANK

BEAM = 200.0
"""Nats behind the best state of its frame at which a state is given up: no speech to come is worth as much."""
MOST_BACK_POINTERS = 2**31
"""A byte each, for every frame and state not given up: days of speech, or minutes of scores that say nothing."""

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def aligned_path(scores: npt.NDArray[np.float32], phones: list[int], beam: float = BEAM) -> Path:
    """The best alignment of phones to log scores [T, C] of a CTC model, of those that are never more than `beam` (nats,
    above 0) behind; of equal ones that which moves on earlier.

    Raises InputError where there is none, and where the scores leave more open than fits in memory.
    """
    labels = np.full(2 * len(phones) + 1, BLANK, np.int64)  # a state each: a blank, the first phone, a blank, ...
    labels[1::2] = np.array(phones, np.int64) + 1
    repeats = np.zeros(len(labels), np.bool_)  # a phone's second in a row: the blank before it cannot be left out
    repeats[3::2] = labels[3::2] == labels[1:-2:2]
    must = (labels != BLANK) | np.append(repeats[1:], False)
    if len(scores) < must.sum():
        raise InputError(f"{len(scores)} frames are too few for its phones")
    behind = must.sum() - np.cumsum(must)
    states, score = np.empty(0, np.int64), -np.inf
    while len(states) < len(scores):
        states, score = _best_states(scores, labels, repeats, behind, beam, MOST_BACK_POINTERS)
        if np.isnan(score):
            raise InputError(f"{len(phones)} phones may be anywhere in {len(scores)} frames; cut the audio into parts")
        if beam == np.inf and score == -np.inf:
            raise InputError("the scores rule its phones out")
        beam *= 2
    classes = labels[states]
    return Path(collapse(classes), classes, -score if len(scores) else 0.0, complete=True)


@njit(cache=True)
def _best_states(
    scores: npt.NDArray[np.float32], labels: Indices, repeats: Flags, behind: Indices, beam: float, most: int
) -> tuple[Indices, float]:
    """The state in each frame [T] and the path's score; without states where the beam lost all that reach the end, at
    a score of -inf, or where more than `most` states were not given up, at NaN.

    `behind` [S] are the states behind each that no path can leave out: it must be left for them in time.
    """
    frames, states = len(scores), len(labels)
    best = np.full(states, -np.inf)
    begins, lowest = np.empty(frames + 1, np.int64), np.empty(frames, np.int64)
    back = np.empty(16 * frames, np.uint8)  # by how many states a path came forward
    none = np.empty(0, np.int64)
    low, high, begins[0] = 0, 0, 0
    for frame in range(frames):
        high = min(high + 2, states)
        lowest[frame], begins[frame + 1] = low, begins[frame] + high - low
        if begins[frame + 1] > most:
            return none, np.nan
        back = with_room(back, begins[frame + 1])
        top = -np.inf
        for state in range(high - 1, low - 1, -1):
            step, reached = 0, best[state] if frame else 0.0
            if state >= 1 and best[state - 1] > reached:
                step, reached = 1, best[state - 1]
            if state >= 2 and labels[state] != BLANK and not repeats[state] and best[state - 2] > reached:
                step, reached = 2, best[state - 2]
            best[state] = reached + scores[frame, labels[state]]
            back[begins[frame] + state - low] = step
            top = max(top, best[state])
        while low < high and (best[low] < top - beam or behind[low] > frames - 1 - frame):
            best[low] = -np.inf
            low += 1
        while low < high and best[high - 1] < top - beam:
            best[high - 1] = -np.inf
            high -= 1
        if low == high:
            return none, -np.inf
    if frames == 0:
        return none, 0.0
    state = low  # the last phone, or the blank behind it
    if low + 1 < high and best[low + 1] > best[low]:
        state = low + 1
    score = best[state]
    if score == -np.inf:
        return none, score
    path = np.empty(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state -= back[begins[frame] + state - lowest[frame]]
    return path, score
