"""Posteriors of classes under the whole decoding graph: the forward-backward algorithm (Rabiner 1989, equations 19, 24
and 27), so those of a lattice that leaves no path out.

Probabilities are kept as such, not as logarithms, and each frame's are scaled to sum to 1 (Rabiner 1989, section V-A):
an arc is one multiplication and one addition. States below the best of their frame by more than the beam are left out.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.graph.flat_graph import FlatGraph, Indices
from asr.decoding.search.beam import check_scores
from asr.errors import InputError

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]

BLOCK = 512
"""Frames whose forward probabilities are in memory at a time; those before are made again from the block's start."""


def class_posteriors(
    flat: FlatGraph,
    scores: npt.NDArray[np.float32],
    acoustic_scale: float = 1.0,
    posterior_scale: float = 1.0,
    beam: float = np.inf,
) -> npt.NDArray[np.float32]:
    """[T, C] the probability that each frame is of each class, over all paths, from log scores [T, C].

    A path weighs exp(-posterior_scale * cost). Where no path ends in a final state, those that end anywhere count. One
    alignment may be several paths, as a back-off may be taken in any frame of a phone; counted once each, they told no
    more of which phones are right.
    Raises what `Decoder.decode` raises of scores, and InputError where every path's probability is too small a number.
    """
    scores = check_scores(scores, flat.classes)
    found = _forward_backward(
        flat.start,
        flat.first,
        flat.targets,
        flat.labels,
        np.exp(-posterior_scale * flat.costs),
        flat.free_sources,
        flat.free_targets,
        np.exp(-posterior_scale * flat.free_costs),
        np.exp(-posterior_scale * flat.finals),
        scores,
        posterior_scale * acoustic_scale,
        np.exp(-beam),
    )
    if not found.any(axis=1).all():
        raise InputError("no path keeps a probability above 0 under these scores; has the model's training diverged?")
    return found


@njit(cache=True)
def _forward_backward(
    start: int,
    first: Indices,
    targets: Indices,
    labels: Indices,
    weights: Costs,
    free_sources: Indices,
    free_targets: Indices,
    free_weights: Costs,
    finals: Costs,
    scores: npt.NDArray[np.float32],
    scale: float,
    least: float,
) -> npt.NDArray[np.float32]:
    states, frames, classes = len(finals), scores.shape[0], scores.shape[1]
    posteriors = np.zeros((frames, classes), np.float32)
    blocks = (frames + BLOCK - 1) // BLOCK
    starts = np.zeros((blocks + 1, states))
    forward = np.zeros((BLOCK + 1, states))
    starts[0, start] = 1.0
    for number in range(len(free_sources)):
        starts[0, free_targets[number]] += starts[0, free_sources[number]] * free_weights[number]
    for block in range(blocks):
        end = min(BLOCK * (block + 1), frames)
        forward[0] = starts[block]
        _forward(
            first, targets, labels, weights, free_sources, free_targets, free_weights,
            scores[BLOCK * block : end], scale, least, forward,
        )  # fmt: skip
        starts[block + 1] = forward[end - BLOCK * block]
    backward, earlier = finals.copy(), np.zeros(states)
    for number in range(len(free_sources) - 1, -1, -1):
        backward[free_sources[number]] += free_weights[number] * backward[free_targets[number]]
    if not (starts[blocks] * backward).any():
        backward[:] = 1.0
    likelihoods, occupancies = np.empty(classes), np.empty(classes)
    for block in range(blocks - 1, -1, -1):
        begin, end = BLOCK * block, min(BLOCK * (block + 1), frames)
        if block < blocks - 1:
            forward[0] = starts[block]
            _forward(
                first, targets, labels, weights, free_sources, free_targets, free_weights,
                scores[begin:end], scale, least, forward,
            )  # fmt: skip
        for frame in range(end - 1, begin - 1, -1):
            _scaled_likelihoods(scores[frame], scale, likelihoods)
            occupancies[:] = 0.0
            for state in range(states):
                earlier[state] = 0.0
                before = forward[frame - begin, state]
                if before > 0.0:
                    for number in range(first[state], first[state + 1]):
                        label = labels[number]
                        weight = weights[number] * likelihoods[label] * backward[targets[number]]
                        earlier[state] += weight
                        occupancies[label] += before * weight
            for number in range(len(free_sources) - 1, -1, -1):
                earlier[free_sources[number]] += free_weights[number] * earlier[free_targets[number]]
            total, highest = occupancies.sum(), earlier.max()
            if total == 0.0:
                return posteriors
            posteriors[frame] = occupancies / total
            backward, earlier = earlier / highest, backward
    return posteriors


@njit(cache=True)
def _forward(
    first: Indices,
    targets: Indices,
    labels: Indices,
    weights: Costs,
    free_sources: Indices,
    free_targets: Indices,
    free_weights: Costs,
    scores: npt.NDArray[np.float32],
    scale: float,
    least: float,
    forward: Costs,
) -> None:
    """Fills forward [T + 1, S] from its first row: the probability of each state behind each frame, given the frames
    so far."""
    likelihoods = np.empty(scores.shape[1])
    for frame in range(len(scores)):
        _scaled_likelihoods(scores[frame], scale, likelihoods)
        before, behind = forward[frame], forward[frame + 1]
        behind[:] = 0.0
        for state in range(len(before)):
            probability = before[state]
            if probability > 0.0:
                for number in range(first[state], first[state + 1]):
                    behind[targets[number]] += probability * weights[number] * likelihoods[labels[number]]
        for number in range(len(free_sources)):
            behind[free_targets[number]] += behind[free_sources[number]] * free_weights[number]
        total, threshold = behind.sum(), behind.max() * least
        if total == 0.0:
            return
        for state in range(len(behind)):
            behind[state] = behind[state] / total if behind[state] >= threshold else 0.0


@njit(cache=True)
def _scaled_likelihoods(scores: npt.NDArray[np.float32], scale: float, likelihoods: Costs) -> None:
    """exp(scale * scores) [C], scaled so that the highest is 1."""
    highest = scores.max()
    for label in range(len(scores)):
        likelihoods[label] = np.exp(scale * (scores[label] - highest))
