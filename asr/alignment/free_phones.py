"""The phones of an utterance as an acoustic model alone recognises them: any phone may follow any other."""

import numpy as np
import numpy.typing as npt

from asr.acoustics.posteriors import LogPosteriors
from asr.alignment.graph import Indices, Vector
from asr.compiled import compiled
from asr.phones.classes import BLANK

INSERTION_COST = 4.0
"""Nats for each phone of an HMM. Without it, a phone of several states is often two."""


def free_hmm_phones(scores: npt.NDArray[np.float32], states: int, self_loops: Vector) -> tuple[Indices, Indices]:
    """The phones [N] of the best path through scaled log likelihoods [T, C], and the frame in which each begins [N].

    `self_loops` [C]: the probability of staying in each class's state; a phone has `states` classes.
    """
    if len(scores) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    scores = np.ascontiguousarray(scores, np.float32)
    return _best_loop(scores, states, -np.log(self_loops), -np.log1p(-self_loops), INSERTION_COST)


def free_ctc_phones(log_posteriors: LogPosteriors) -> tuple[Indices, Indices]:
    """The phones [N] of the best classes of log posteriors [T, C] of a CTC model, and the frame of each [N]."""
    best = log_posteriors.argmax(axis=1)
    begins = np.flatnonzero((best != BLANK) & (best != np.insert(best[:-1], 0, BLANK)))
    return best[begins] - 1, begins


@compiled
def _best_loop(
    scores: npt.NDArray[np.float32], states: int, stay: Vector, leave: Vector, insertion: float
) -> tuple[Indices, Indices]:
    frames, classes = scores.shape
    best = np.full(classes, -np.inf)
    entered = np.zeros(classes, np.int64)  # the frame in which the path to each class entered its phone
    last_phone, last_entry = np.zeros(frames, np.int64), np.zeros(frames, np.int64)
    ending = 0.0  # the best score of a phone that ended with the previous frame
    for frame in range(frames):
        top = -np.inf
        for phone in range(classes // states):
            first, last = phone * states, (phone + 1) * states - 1
            for state in range(last, first - 1, -1):  # a state is read before it is overwritten
                reached, entry = best[state] - stay[state], entered[state]
                if state == first:
                    moved, moved_entry = ending - insertion, frame
                else:
                    moved, moved_entry = best[state - 1] - leave[state - 1], entered[state - 1]
                if moved > reached:
                    reached, entry = moved, moved_entry
                best[state], entered[state] = reached + scores[frame, state], entry
            if best[last] - leave[last] > top:
                top = best[last] - leave[last]
                last_phone[frame], last_entry[frame] = phone, entered[last]
        ending = top
    phones, begins = np.zeros(frames, np.int64), np.zeros(frames, np.int64)
    count, frame = 0, frames - 1
    while frame >= 0 and count < frames:
        count += 1
        phones[-count], begins[-count] = last_phone[frame], last_entry[frame]
        frame = last_entry[frame] - 1
    return phones[frames - count :], begins[frames - count :]
