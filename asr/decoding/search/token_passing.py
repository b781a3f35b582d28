"""Viterbi beam search compiled to machine code: tokens pass from state to state, frame by frame (Young et al. 1989,
Token passing: a simple conceptual model for connected speech recognition systems).

States are dense arrays, so that a frame costs one look at each active state's arcs, or at all arcs where most are
active, and no hashing. Without a beam (inf) the search is full and exact.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.graph.flat_graph import Indices
from asr.decoding.search.growing import with_room

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]

NO_ARC = np.iinfo(np.int32).max
"""Of the token that stands at the start."""
CROWDED = 4
"""A frame in which one state of so many is active, or more, goes faster along the arcs that enter each state."""


@njit(cache=True)
def best_path(
    start: int,
    first: Indices,
    targets: Indices,
    labels: Indices,
    costs: Costs,
    free_sources: Indices,
    free_targets: Indices,
    free_costs: Costs,
    finals: Costs,
    entering: tuple[Indices, Integers, Indices, Indices, Costs],
    scores: npt.NDArray[np.float32],
    scale: float,
    beam: float,
) -> tuple[Integers, float, bool]:
    """The arcs of the best path for `scale` * `scores` [T, C], its cost, and whether it ends in a final state.

    An arc that consumes a frame is its index, one that does not is -1 - its index. Where no path that the beam left
    ends in a final state, the best path to any state. A cost of inf: there is no path of so many frames.
    Equal costs are decided by the order of the arcs.
    """
    states, frames, classes = len(finals), scores.shape[0], scores.shape[1]
    now, following = np.full(states, np.inf), np.full(states, np.inf)
    token, next_token = np.full(states, -1, np.int32), np.full(states, -1, np.int32)
    arc, origin = np.zeros(states, np.int32), np.zeros(states, np.int32)
    active, reached = np.empty(states, np.int32), np.empty(states, np.int32)
    frame_costs = np.empty(classes)
    capacity = max(4 * states, 1 << 16)
    parents, arcs = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    now[start], token[start], active[0] = 0.0, 0, start
    parents[0], arcs[0] = -1, NO_ARC
    tokens = 1
    count, tokens = _follow_free(
        free_sources, free_targets, free_costs, np.inf, now, token, active, 1, parents, arcs, tokens
    )
    for frame in range(frames):
        if tokens + 2 * states > capacity:
            tokens = _collect(parents, arcs, tokens, token, active, count)
            while tokens + 2 * states > capacity // 2:
                capacity *= 2
            parents, arcs = with_room(parents, capacity), with_room(arcs, capacity)
        for label in range(classes):
            frame_costs[label] = -scale * scores[frame, label]
        if CROWDED * count < states:
            next_count, limit = _push(
                first, targets, labels, costs, frame_costs, beam, active[:count], now, following, arc, origin, reached
            )
        else:
            next_count, limit = _pull(*entering, frame_costs, beam, now, following, arc, origin, reached)
        for state in reached[:next_count]:
            parents[tokens], arcs[tokens] = token[origin[state]], arc[state]
            next_token[state] = tokens
            tokens += 1
        for state in active[:count]:
            now[state] = np.inf
        now, following = following, now
        token, next_token = next_token, token
        active, reached = reached, active
        count, tokens = _follow_free(
            free_sources, free_targets, free_costs, limit, now, token, active, next_count, parents, arcs, tokens
        )
    best, last, complete = np.inf, -1, False
    for state in range(states):
        if now[state] + finals[state] < best:
            best, last, complete = now[state] + finals[state], token[state], True
    if not complete:
        for state in range(states):
            if now[state] < best:
                best, last = now[state], token[state]
    return _trace(parents, arcs, last), best, complete


@njit(cache=True)
def _push(
    first: Indices,
    targets: Indices,
    labels: Indices,
    costs: Costs,
    frame_costs: Costs,
    beam: float,
    active: Integers,
    now: Costs,
    following: Costs,
    arc: Integers,
    origin: Integers,
    reached: Integers,
) -> tuple[int, float]:
    """Passes each active state's cost on along the arcs that leave it: little work where few states are active.

    Fills `following`, and for each state that is `reached` its best arc and where that comes from; returns how many
    they are, and the cost beyond which a path is given up.
    """
    best, leader = np.inf, 0
    for state in active:
        if now[state] < best:
            best, leader = now[state], state
    # Where the best token may go bounds the best of the next frame: what that rules out is never passed on.
    next_best = np.inf
    for number in range(first[leader], first[leader + 1]):
        next_best = min(next_best, best + costs[number] + frame_costs[labels[number]])
    threshold, limit, count = best + beam, next_best + beam, 0
    for state in active:
        cost = now[state]
        if cost <= threshold:
            for number in range(first[state], first[state + 1]):
                total = cost + costs[number] + frame_costs[labels[number]]
                target = targets[number]
                previous = following[target]
                if total <= limit and total <= previous:
                    if total == previous and arc[target] < number:
                        continue
                    if previous == np.inf:
                        reached[count] = target
                        count += 1
                    following[target] = total
                    arc[target], origin[target] = number, state
                    limit = min(limit, total + beam)
    return count, limit


@njit(cache=True)
def _pull(
    first: Indices,
    numbers: Integers,
    sources: Indices,
    labels: Indices,
    costs: Costs,
    frame_costs: Costs,
    beam: float,
    now: Costs,
    following: Costs,
    arc: Integers,
    origin: Integers,
    reached: Integers,
) -> tuple[int, float]:
    """The same, with a look at all arcs that enter each state: several times as fast where most states are active, as
    hardly a branch depends on the costs."""
    least = np.inf
    for state in range(len(following)):
        best, best_place = np.inf, first[state]
        for place in range(first[state], first[state + 1]):
            total = now[sources[place]] + costs[place] + frame_costs[labels[place]]
            if total < best:
                best, best_place = total, place
        following[state] = best
        if best < np.inf:
            arc[state], origin[state] = numbers[best_place], sources[best_place]
            least = min(least, best)
    limit, count = least + beam, 0
    for state in range(len(following)):
        if following[state] > limit:
            following[state] = np.inf
        elif following[state] < np.inf:
            reached[count] = state
            count += 1
    return count, limit


@njit(cache=True)
def _follow_free(
    free_sources: Indices,
    free_targets: Indices,
    free_costs: Costs,
    limit: float,
    now: Costs,
    token: Integers,
    active: Integers,
    count: int,
    parents: Integers,
    arcs: Integers,
    tokens: int,
) -> tuple[int, int]:
    """Passes tokens along the arcs that consume no frame; they are in topological order, so one pass is enough."""
    for number in range(len(free_sources)):
        source, target = free_sources[number], free_targets[number]
        total = now[source] + free_costs[number]
        if total <= limit and total < now[target]:
            if now[target] == np.inf:
                active[count] = target
                count += 1
                token[target] = tokens
                tokens += 1
            now[target] = total
            parents[token[target]], arcs[token[target]] = token[source], -1 - number
    return count, tokens


@njit(cache=True)
def _collect(parents: Integers, arcs: Integers, tokens: int, token: Integers, active: Integers, count: int) -> int:
    """Drops the tokens from which no active state descends: the memory of a recording of hours stays that of the paths
    that are still open."""
    moved = np.full(tokens, -1, np.int32)
    for state in active[:count]:
        number = token[state]
        while number >= 0 and moved[number] < 0:
            moved[number] = 0
            number = parents[number]
    kept = 0
    for number in range(tokens):
        if moved[number] == 0:
            moved[number] = kept
            parents[kept], arcs[kept] = parents[number], arcs[number]
            kept += 1
    for number in range(kept):
        if parents[number] >= 0:
            parents[number] = moved[parents[number]]
    for state in active[:count]:
        token[state] = moved[token[state]]
    return kept


@njit(cache=True)
def _trace(parents: Integers, arcs: Integers, last: int) -> Integers:
    length, number = 0, last
    while number >= 0 and arcs[number] != NO_ARC:
        length, number = length + 1, parents[number]
    path = np.empty(length, np.int32)
    number = last
    while length:
        length -= 1
        path[length] = arcs[number]
        number = parents[number]
    return path
