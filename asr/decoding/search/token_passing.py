"""Viterbi beam search compiled to machine code: tokens pass from state to state, frame by frame (Young et al. 1989,
Token passing: a simple conceptual model for connected speech recognition systems).

States are dense arrays, so that a frame costs one look at each active state's arcs, or at all arcs where most are
active, and no hashing. Without a beam (inf) the search is full and exact.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.decoding.graph.flat_graph import EnteringArcs, FlatGraph
from asr.decoding.search.growing import with_room

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]

NO_ARC = np.iinfo(np.int32).max
"""The arc of the token that stands at the start."""
CROWDED = 4
"""Where at least one state in this many is active, it is faster to go along the arcs that enter each state."""


class Frontier(NamedTuple):
    """The tokens of one frame: each state's cost (inf for none) and token [S], and the list of active `states` [S], of
    which the search counts the valid ones."""

    costs: Costs
    tokens: Integers
    states: Integers


class Arrivals(NamedTuple):
    """How a state [S] is reached in a frame: its best arc, and the state that this comes from."""

    arcs: Integers
    origins: Integers


class Tokens(NamedTuple):
    """All N tokens that may still be needed: the previous token (-1: none) and the arc that leads from it, both [N]."""

    parents: Integers
    arcs: Integers


@compiled
def best_arcs(
    graph: FlatGraph, entering: EnteringArcs, scores: npt.NDArray[np.float32], scale: float, beam: float
) -> tuple[Integers, float, bool]:
    """The arcs of the best path for `scale` * `scores` [T, C], its cost, and whether it ends in a final state.

    An arc that consumes a frame is its index, one that does not is -1 - its index. Where no path within the beam ends
    in a final state, it is the best path to any state. A cost of inf means that there is no path of so many frames.
    Ties are decided by the order of the arcs.
    """
    states, classes = graph.states, scores.shape[1]
    now, following = _empty_frontier(states), _empty_frontier(states)
    arrivals = Arrivals(np.zeros(states, np.int32), np.zeros(states, np.int32))
    frame_costs = np.empty(classes)
    capacity = max(4 * states, 1 << 16)
    # Counts are not literals, whose types are others: functions that take them are compiled once.
    tokens, used = Tokens(np.empty(capacity, np.int32), np.empty(capacity, np.int32)), np.int64(1)
    tokens.parents[0], tokens.arcs[0] = -1, NO_ARC
    now.costs[graph.start], now.tokens[graph.start], now.states[0] = 0.0, 0, graph.start
    count, used = _follow_free(graph, np.inf, now, np.int64(1), tokens, used)
    for frame in range(len(scores)):
        if used + 2 * states > len(tokens.arcs):
            tokens, used = _with_free_tokens(tokens, used, now, count)
        for label in range(classes):
            frame_costs[label] = -scale * scores[frame, label]
        if CROWDED * count < states:
            next_count, limit = push(graph, frame_costs, beam, now, count, following, arrivals)
        else:
            next_count, limit = pull(entering, frame_costs, beam, now, following, arrivals)
        used = _add_tokens(tokens, used, now, following, next_count, arrivals)
        _clear(now, count)
        now, following = following, now
        count, used = _follow_free(graph, limit, now, next_count, tokens, used)
    last, cost, complete = _best_end(now, graph.finals)
    return _trace(tokens, last), cost, complete


@compiled
def best_phones(
    graph: FlatGraph, entering: EnteringArcs, scores: npt.NDArray[np.float32], scale: float, beam: float
) -> tuple[Integers, float]:
    """The phones [N] of the path of `best_arcs`, and its cost."""
    arcs, cost, _ = best_arcs(graph, entering, scores, scale, beam)
    phones, count = np.empty(len(arcs), np.int32), 0
    for arc in arcs:
        phone = graph.phones[arc] if arc >= 0 else graph.free_phones[-1 - arc]
        if phone >= 0:
            phones[count] = phone
            count += 1
    return phones[:count], cost


@compiled
def _add_tokens(tokens: Tokens, used: int, now: Frontier, following: Frontier, count: int, arrivals: Arrivals) -> int:
    """Gives each of the states that are reached a token; returns the new number of tokens."""
    parents, arcs, before, after = tokens.parents, tokens.arcs, now.tokens, following.tokens
    arrived, origins = arrivals
    for state in following.states[:count]:
        parents[used], arcs[used] = before[origins[state]], arrived[state]
        after[state] = used
        used += 1
    return used


@compiled
def _clear(now: Frontier, count: int) -> None:
    costs = now.costs
    for state in now.states[:count]:
        costs[state] = np.inf


@compiled
def _empty_frontier(states: int) -> Frontier:
    return Frontier(np.full(states, np.inf), np.full(states, -1, np.int32), np.empty(states, np.int32))


@compiled
def push(
    graph: FlatGraph,
    frame_costs: Costs,
    beam: float,
    now: Frontier,
    count: int,
    following: Frontier,
    arrivals: Arrivals,
) -> tuple[int, float]:
    """Passes the costs of the `count` active states on along the arcs that leave them: fast where few are active.

    `frame_costs` [C] are those of the frame's classes. Fills the costs and states of `following`, and `arrivals`;
    returns the number of states reached, and the cost beyond which a path is given up.
    """
    first, targets, labels, arc_costs = graph.first, graph.targets, graph.labels, graph.costs
    before, active = now.costs, now.states[:count]
    costs, reached = following.costs, following.states
    arrived, origins = arrivals
    best, next_best = _least_costs(graph, frame_costs, now, count)
    threshold, limit, size = best + beam, next_best + beam, 0
    for state in active:
        cost = before[state]
        if cost > threshold:
            continue
        for number in range(first[state], first[state + 1]):
            total = cost + arc_costs[number] + frame_costs[labels[number]]
            target = targets[number]
            previous = costs[target]
            if total > limit or total > previous or (total == previous and arrived[target] < number):
                continue
            if previous == np.inf:
                reached[size] = target
                size += 1
            costs[target] = total
            arrived[target], origins[target] = number, state
            limit = min(limit, total + beam)
    return size, limit


@compiled
def _least_costs(graph: FlatGraph, frame_costs: Costs, now: Frontier, count: int) -> tuple[float, float]:
    """The cost of the best token, and that of its best arc, which bounds the next frame's: what these two rule out is
    never passed on."""
    best, leader = np.inf, 0
    for state in now.states[:count]:
        if now.costs[state] < best:
            best, leader = now.costs[state], state
    next_best = np.inf
    for number in range(graph.first[leader], graph.first[leader + 1]):
        next_best = min(next_best, best + graph.costs[number] + frame_costs[graph.labels[number]])
    return best, next_best


@compiled
def pull(
    entering: EnteringArcs, frame_costs: Costs, beam: float, now: Frontier, following: Frontier, arrivals: Arrivals
) -> tuple[int, float]:
    """Does the same along all arcs that enter each state: several times as fast where most states are active, because
    hardly a branch depends on the costs."""
    first, numbers, sources, labels, arc_costs = entering
    before, costs, reached = now.costs, following.costs, following.states
    arrived, origins = arrivals
    least = np.inf
    for state in range(len(costs)):
        best, best_place = np.inf, first[state]
        for place in range(first[state], first[state + 1]):
            total = before[sources[place]] + arc_costs[place] + frame_costs[labels[place]]
            if total < best:
                best, best_place = total, place
        costs[state] = best
        if best < np.inf:
            arrived[state], origins[state] = numbers[best_place], sources[best_place]
            least = min(least, best)
    limit, size = least + beam, 0
    for state in range(len(costs)):
        if costs[state] > limit:
            costs[state] = np.inf
        elif costs[state] < np.inf:
            reached[size] = state
            size += 1
    return size, limit


@compiled
def _follow_free(
    graph: FlatGraph, limit: float, now: Frontier, count: int, tokens: Tokens, used: int
) -> tuple[int, int]:
    """Passes tokens along the arcs that consume no frame; these are in topological order, so one pass is enough.

    Returns the new numbers of active states and of tokens.
    """
    sources, targets, free_costs = graph.free_sources, graph.free_targets, graph.free_costs
    costs, standing, states = now
    parents, arcs = tokens
    for number in range(len(sources)):
        source, target = sources[number], targets[number]
        total = costs[source] + free_costs[number]
        if total <= limit and total < costs[target]:
            if costs[target] == np.inf:
                states[count] = target
                count += 1
                standing[target] = used
                used += 1
            costs[target] = total
            parents[standing[target]], arcs[standing[target]] = standing[source], -1 - number
    return count, used


@compiled
def _with_free_tokens(tokens: Tokens, used: int, now: Frontier, count: int) -> tuple[Tokens, int]:
    """The tokens without those that no active state descends from, so that the memory for a recording of hours is that
    of the open paths alone; in arrays of twice the size where that does not leave half of them free."""
    used = _collect(tokens, used, now, count)
    capacity = len(tokens.arcs)
    while used + 2 * len(now.costs) > capacity // 2:
        capacity *= 2
    return Tokens(with_room(tokens.parents, capacity), with_room(tokens.arcs, capacity)), used


@compiled
def _collect(tokens: Tokens, used: int, now: Frontier, count: int) -> int:
    """Moves the tokens that are still needed to the front; returns their number."""
    parents, arcs = tokens.parents, tokens.arcs
    moved = np.full(used, -1, np.int32)
    for state in now.states[:count]:
        number = now.tokens[state]
        while number >= 0 and moved[number] < 0:
            moved[number] = 0
            number = parents[number]
    kept = 0
    for number in range(used):
        if moved[number] == 0:
            moved[number] = kept
            parents[kept], arcs[kept] = parents[number], arcs[number]
            kept += 1
    for number in range(kept):
        if parents[number] >= 0:
            parents[number] = moved[parents[number]]
    for state in now.states[:count]:
        now.tokens[state] = moved[now.tokens[state]]
    return kept


@compiled
def _best_end(now: Frontier, finals: Costs) -> tuple[int, float, bool]:
    """The token with which the best path ends, its cost, and whether it ends in a final state."""
    last, best, complete = -1, np.inf, False
    for state in range(len(finals)):
        if now.costs[state] + finals[state] < best:
            last, best, complete = now.tokens[state], now.costs[state] + finals[state], True
    if not complete:
        for state in range(len(finals)):
            if now.costs[state] < best:
                last, best = now.tokens[state], now.costs[state]
    return last, best, complete


@compiled
def _trace(tokens: Tokens, last: int) -> Integers:
    """The arcs that lead to a token."""
    length, number = 0, last
    while number >= 0 and tokens.arcs[number] != NO_ARC:
        length, number = length + 1, tokens.parents[number]
    path = np.empty(length, np.int32)
    number = last
    while length:
        length -= 1
        path[length] = tokens.arcs[number]
        number = tokens.parents[number]
    return path
