"""Posteriors of classes over the whole decoding graph, by the forward-backward algorithm (Rabiner 1989, equations 19,
24 and 27): those of a lattice that leaves no path out.

Probabilities are not logarithms here, and each frame's are scaled to sum to 1 (Rabiner 1989, section V-A): an arc costs
one multiplication and one addition. States below the best of their frame by more than the beam are left out.
`asr.alignment.posterior` needs logarithms instead: the path of a known transcript may lie so far below the best state
of a frame that its probability is too small for a number.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.decoding.graph.flat_graph import FlatGraph
from asr.decoding.search.path import check_scores
from asr.errors import InputError

Probabilities = npt.NDArray[np.float64]

BLOCK = 512
"""Frames whose forward probabilities are in memory at a time; earlier ones are computed again from the block's
start."""


class Weights(NamedTuple):
    """The probabilities exp(-posterior_scale * cost) of the arcs that consume a frame, of those that do not, and of
    ending; log scores are multiplied by `scale`; states below `least` times the best of their frame are left out."""

    arcs: Probabilities
    free: Probabilities
    finals: Probabilities
    scale: float
    least: float


def class_posteriors(
    flat: FlatGraph,
    scores: npt.NDArray[np.float32],
    acoustic_scale: float = 1.0,
    posterior_scale: float = 1.0,
    beam: float = np.inf,
) -> npt.NDArray[np.float32]:
    """[T, C] the probability that each frame is of each class, over all paths, from log scores [T, C].

    A path weighs exp(-posterior_scale * cost). Where no path ends in a final state, those that end anywhere count. One
    alignment may be several paths, as a back-off may be taken in any frame of a phone; counting each alignment once did
    not tell right phones from wrong ones any better.
    Raises InputError and ValueError for scores as `check_scores`, and InputError where every path's probability is too
    small for a number.
    """
    scores = check_scores(scores, flat.classes)
    arcs, free, finals = (np.exp(-posterior_scale * costs) for costs in (flat.costs, flat.free_costs, flat.finals))
    weights = Weights(arcs, free, finals, posterior_scale * acoustic_scale, np.exp(-beam))
    found = _forward_backward(flat, weights, scores)
    if not found.any(axis=1).all():
        raise InputError("no path keeps a probability above 0 under these scores; check the audio")
    return found


@compiled
def _forward_backward(graph: FlatGraph, weights: Weights, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    frames = len(scores)
    posteriors = np.zeros(scores.shape, np.float32)
    forward = np.zeros((BLOCK + 1, graph.states))
    starts = _block_starts(graph, weights, scores, forward)
    backward = _ends(graph, weights, starts[-1])
    for block in range(len(starts) - 2, -1, -1):
        begin, end = BLOCK * block, min(BLOCK * (block + 1), frames)
        if end < frames:  # the last block's are still there
            _copy(starts[block], forward[0])
            _forward(graph, weights, scores[begin:end], forward)
        if not _backward(graph, weights, scores[begin:end], forward, backward, posteriors[begin:end]):
            break
    return posteriors


@compiled
def _block_starts(
    graph: FlatGraph, weights: Weights, scores: npt.NDArray[np.float32], forward: Probabilities
) -> Probabilities:
    """[blocks + 1, S] the forward probabilities before each block's first frame, and after the last frame of all.

    Leaves those of the last block in `forward`.
    """
    frames = len(scores)
    blocks = (frames + BLOCK - 1) // BLOCK
    starts = np.zeros((blocks + 1, graph.states))
    starts[0, graph.start] = 1.0
    _follow_free(graph, weights, starts[0])
    for block in range(blocks):
        begin, end = BLOCK * block, min(BLOCK * (block + 1), frames)
        _copy(starts[block], forward[0])
        _forward(graph, weights, scores[begin:end], forward)
        _copy(forward[end - begin], starts[block + 1])
    return starts


@compiled
def _copy(source: Probabilities, target: Probabilities) -> None:
    for state in range(len(source)):
        target[state] = source[state]


@compiled
def _ends(graph: FlatGraph, weights: Weights, last: Probabilities) -> Probabilities:
    """[S] the probability of ending from each state; 1 everywhere where no path ends in a final state."""
    ends = weights.finals.copy()
    _follow_free_back(graph, weights, ends)
    for state in range(len(ends)):
        if last[state] * ends[state] > 0.0:
            return ends
    ends.fill(1.0)
    return ends


@compiled
def _forward(graph: FlatGraph, weights: Weights, scores: npt.NDArray[np.float32], forward: Probabilities) -> None:
    """Fills forward [T + 1, S] from its first row: the probability of each state after each frame, given the frames so
    far."""
    likelihoods = np.empty(scores.shape[1])
    for frame in range(len(scores)):
        _scaled_likelihoods(scores[frame], weights.scale, likelihoods)
        before, after = forward[frame], forward[frame + 1]
        after.fill(0.0)
        for state in range(len(before)):
            probability = before[state]
            if probability > 0.0:
                for arc in range(graph.first[state], graph.first[state + 1]):
                    after[graph.targets[arc]] += probability * weights.arcs[arc] * likelihoods[graph.labels[arc]]
        _follow_free(graph, weights, after)
        total, threshold = after.sum(), _highest(after) * weights.least
        if total == 0.0:
            return
        for state in range(len(after)):
            after[state] = after[state] / total if after[state] >= threshold else 0.0


@compiled
def _backward(
    graph: FlatGraph,
    weights: Weights,
    scores: npt.NDArray[np.float32],
    forward: Probabilities,
    backward: Probabilities,
    posteriors: npt.NDArray[np.float32],
) -> bool:
    """Brings the backward probabilities [S] from after the last frame to before the first, and fills `posteriors`
    [T, C] on the way; False where every path's probability is too small for a number."""
    likelihoods, occupancies = np.empty(scores.shape[1]), np.empty(scores.shape[1])
    earlier = np.zeros(graph.states)
    for frame in range(len(scores) - 1, -1, -1):
        _scaled_likelihoods(scores[frame], weights.scale, likelihoods)
        occupancies.fill(0.0)
        for state in range(graph.states):
            earlier[state] = 0.0
            before = forward[frame, state]
            if before > 0.0:
                for arc in range(graph.first[state], graph.first[state + 1]):
                    label = graph.labels[arc]
                    weight = weights.arcs[arc] * likelihoods[label] * backward[graph.targets[arc]]
                    earlier[state] += weight
                    occupancies[label] += before * weight
        _follow_free_back(graph, weights, earlier)
        total, highest = occupancies.sum(), _highest(earlier)
        if total == 0.0:
            return False
        for label in range(len(occupancies)):
            posteriors[frame, label] = occupancies[label] / total
        for state in range(graph.states):
            backward[state] = earlier[state] / highest
    return True


@compiled
def _follow_free(graph: FlatGraph, weights: Weights, forward: Probabilities) -> None:
    """Adds what reaches each state [S] along arcs that consume no frame."""
    for arc in range(len(graph.free_sources)):
        forward[graph.free_targets[arc]] += forward[graph.free_sources[arc]] * weights.free[arc]


@compiled
def _follow_free_back(graph: FlatGraph, weights: Weights, backward: Probabilities) -> None:
    """Adds what leads on from each state [S] along arcs that consume no frame."""
    for arc in range(len(graph.free_sources) - 1, -1, -1):
        backward[graph.free_sources[arc]] += weights.free[arc] * backward[graph.free_targets[arc]]


@compiled
def _scaled_likelihoods(scores: npt.NDArray[np.float32], scale: float, likelihoods: Probabilities) -> None:
    """exp(scale * scores) [C], scaled so that the highest is 1."""
    highest = _highest(scores)
    for label in range(len(scores)):
        likelihoods[label] = np.exp(scale * (scores[label] - highest))


@compiled
def _highest(values: npt.NDArray) -> float:
    highest = values[0]
    for value in values:
        highest = max(highest, value)
    return highest
