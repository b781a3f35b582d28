"""Phone lattices: every path through the decoding graph whose cost is within a beam of the best path's.

A node is a graph state in which one phone may end and the next begin, behind so many frames; an arc is a phone between
two such nodes, in the best of its alignments. The lattice is exact: which arcs belong to it is decided by the costs of
the best paths before and behind them (full-search Viterbi from both ends).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.flat_graph import FlatGraph, Indices
from asr.decoding.search import check_scores

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
PlaceArcs = tuple[Places, Places, Integers, Costs, Costs, Integers, Integers]
"""Of each arc: the places where it begins and ends, its phone, graph cost, acoustic cost (scaled), and where its runs
begin and how many they are."""
Runs = tuple[Integers, Integers]
"""Of each run of frames that are of the same class: the class, and how many frames."""

NO_PHONE = -1

BISECTIONS = 10
"""With which the beam of a lattice that would have too many arcs is narrowed."""
ROUNDING = 1e-9
"""Sums of the same costs in another order differ by less."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """N nodes in topological order, node 0 the start, and A arcs by rising source.

    `frames` [N] are the frames before each node. An arc's phone is NO_PHONE between the start and where the first phone
    may begin; its cost is `graph` (language model, transitions, insertion penalty) plus `acoustic_scale` times
    `acoustic` (negative log scores). Its alignment is its runs `offsets[arc]` to `offsets[arc + 1]` - 1, each so many
    frames (`lengths`) of one class (`classes`): about as many as a phone has states, however long it is. A node that is
    not final has inf in `finals`.
    """

    frames: Integers
    finals: Costs
    sources: Integers
    targets: Integers
    phones: Integers
    graph: Costs
    acoustic: Costs
    offsets: Integers
    classes: Integers
    lengths: Integers
    acoustic_scale: float

    def alignment(self, arc: int) -> Integers:
        """The class of each frame of an arc."""
        runs = slice(self.offsets[arc], self.offsets[arc + 1])
        return np.repeat(self.classes[runs], self.lengths[runs])

    @property
    def costs(self) -> Costs:
        """[A] of the arcs."""
        return self.graph + self.acoustic_scale * self.acoustic

    def best_behind(self) -> Costs:
        """[N] the cost of the best path from each node to the end."""
        return _best_behind(self.sources, self.targets, self.costs, self.finals)


@njit(cache=True)
def _best_behind(sources: Integers, targets: Integers, costs: Costs, finals: Costs) -> Costs:
    behind = finals.copy()
    for arc in range(len(sources) - 1, -1, -1):
        behind[sources[arc]] = min(behind[sources[arc]], costs[arc] + behind[targets[arc]])
    return behind


def lattice(
    flat: FlatGraph, scores: npt.NDArray[np.float32], acoustic_scale: float, beam: float, density: float = np.inf
) -> Lattice:
    """The lattice of log scores [T, C]. It has no arcs where no path ends in a final state.

    Where it would have more than `density` arcs a frame on average, as with a model that has learned little, the beam
    is narrowed until it has not, so that time and memory are bounded; paths as cheap as the best stay.
    Takes 24 bytes times T times the graph's states. Raises what `Decoder.decode` raises of scores, and ValueError for a
    graph where an arc that consumes no frame enters a phone.
    """
    if (flat.free_phones >= 0).any():
        raise ValueError("an arc without an input label enters a phone")
    scores = check_scores(scores, flat.classes)
    frame_costs = -acoustic_scale * scores.astype(np.float64)
    walk = flat.walk[1:]
    before = _costs_before(flat.start, *walk, frame_costs, len(flat.finals))
    behind, leaving = _costs_behind(*walk, flat.phones, flat.finals, frame_costs)
    best = behind[0, flat.start]
    if best == np.inf:
        return _without_paths(acoustic_scale)
    entering = np.flatnonzero(flat.phones >= 0).astype(np.uint32)
    entering = entering[np.lexsort((flat.labels[entering], flat.targets[entering]))]
    order = np.argsort(flat.free_sources, kind="stable")
    free_first = np.searchsorted(flat.free_sources[order], np.arange(flat.states + 1)).astype(np.uint32)
    free = flat.free_targets[order], flat.free_costs[order]
    arrays = (flat.first, flat.sources, flat.targets, flat.labels, flat.phones, flat.costs, free_first, *free, entering)
    costs = (frame_costs, before, behind, leaving)

    def arcs_within(beam: float, most: float) -> tuple[PlaceArcs, Runs] | None:
        return _phone_arcs(flat.start, *arrays, *costs, best + beam + ROUNDING, most)

    found, runs = _within(arcs_within, beam, density * len(scores))
    return _numbered(flat, found, runs, acoustic_scale, len(scores))


def _within(
    arcs_within: Callable[[float, float], tuple[PlaceArcs, Runs] | None], beam: float, most: float
) -> tuple[PlaceArcs, Runs]:
    """The arcs within the beam, or within a narrower one that leaves `most` and hardly fewer than half of them."""
    if kept := arcs_within(beam, most):
        return kept
    narrow, wide = 0.0, beam
    for _ in range(BISECTIONS):
        middle = (narrow + wide) / 2
        if found := arcs_within(middle, most):
            narrow, kept = middle, found
            if 2 * len(found[0][0]) > most:
                break
        else:
            wide = middle
    whole = kept or arcs_within(0.0, np.inf)
    assert whole is not None
    return whole


def _without_paths(acoustic_scale: float) -> Lattice:
    none, no_costs, zero = np.zeros(0, np.int32), np.zeros(0), np.zeros(1, np.int32)
    return Lattice(zero, np.full(1, np.inf), none, none, none, no_costs, no_costs, zero, none, none, acoustic_scale)


def _numbered(flat: FlatGraph, found: PlaceArcs, runs: Runs, acoustic_scale: float, frames: int) -> Lattice:
    """The lattice of arcs between places; a place is frame * states + state, the start -1."""
    sources, targets, phones, graph, acoustic, offsets, counts = found
    places = np.unique(np.concatenate([sources, targets]))
    order = np.lexsort((phones, targets, sources))
    offsets, counts = offsets[order], counts[order]
    ends = np.concatenate([[0], np.cumsum(counts)])
    own = np.repeat(offsets - ends[:-1], counts) + np.arange(ends[-1])
    classes, lengths = runs
    finals = np.where(places // flat.states == frames, flat.finals[places % flat.states], np.inf)
    return Lattice(
        np.maximum(places // flat.states, 0).astype(np.int32),
        finals,
        np.searchsorted(places, sources[order]).astype(np.int32),
        np.searchsorted(places, targets[order]).astype(np.int32),
        phones[order],
        graph[order],
        acoustic[order] / acoustic_scale,
        ends.astype(np.int32),
        classes[own],
        lengths[own],
        acoustic_scale,
    )


@njit(cache=True)
def _costs_before(
    start: int,
    first: Indices,
    targets: Indices,
    labels: Indices,
    costs: Costs,
    free_sources: Indices,
    free_targets: Indices,
    free_costs: Costs,
    frame_costs: Costs,
    states: int,
) -> Costs:
    """[T + 1, S] the cost of the best path from the start to each state behind each frame."""
    frames = len(frame_costs)
    before = np.full((frames + 1, states), np.inf)
    before[0, start] = 0.0
    for frame in range(frames + 1):
        now = before[frame]
        if frame:
            for state in range(states):
                cost = before[frame - 1, state]
                if cost < np.inf:
                    for arc in range(first[state], first[state + 1]):
                        total = cost + costs[arc] + frame_costs[frame - 1, labels[arc]]
                        now[targets[arc]] = min(now[targets[arc]], total)
        for arc in range(len(free_sources)):
            now[free_targets[arc]] = min(now[free_targets[arc]], now[free_sources[arc]] + free_costs[arc])
    return before


@njit(cache=True)
def _costs_behind(
    first: Indices,
    targets: Indices,
    labels: Indices,
    costs: Costs,
    free_sources: Indices,
    free_targets: Indices,
    free_costs: Costs,
    phones: Integers,
    finals: Costs,
    frame_costs: Costs,
) -> tuple[Costs, Costs]:
    """[T + 1, S] the cost of the best path from each state to the end, and of the best one that enters a phone there
    at once or, behind the last frame, ends."""
    frames, states = len(frame_costs), len(finals)
    behind = np.full((frames + 1, states), np.inf)
    leaving = np.full((frames + 1, states), np.inf)
    behind[frames] = finals
    leaving[frames] = finals
    for frame in range(frames, -1, -1):
        now = behind[frame]
        if frame < frames:
            for state in range(states):
                best, best_leaving = np.inf, np.inf
                for arc in range(first[state], first[state + 1]):
                    total = costs[arc] + frame_costs[frame, labels[arc]] + behind[frame + 1, targets[arc]]
                    best = min(best, total)
                    if phones[arc] >= 0:
                        best_leaving = min(best_leaving, total)
                now[state], leaving[frame, state] = best, best_leaving
        for arc in range(len(free_sources) - 1, -1, -1):
            now[free_sources[arc]] = min(now[free_sources[arc]], free_costs[arc] + now[free_targets[arc]])
    return behind, leaving


@njit(cache=True)
def _phone_arcs(
    start: int,
    first: Indices,
    sources: Indices,
    targets: Indices,
    labels: Indices,
    phones: Integers,
    costs: Costs,
    free_first: Indices,
    free_targets: Indices,
    free_costs: Costs,
    entering: Indices,
    frame_costs: Costs,
    before: Costs,
    behind: Costs,
    leaving: Costs,
    limit: float,
    most: float,
) -> tuple[PlaceArcs, Runs] | None:
    """All arcs of the lattice, between places, and the runs of their alignments; None where the arcs are more than
    `most`.

    For each frame, state and class that a phone enters: token passing inside the phone, until no path is within the
    limit. A token is a run, as long as the class stays the same: its class, first frame and the token before.
    """
    frames, states = frame_costs.shape[0], before.shape[1]
    arcs = 0
    arc_source, arc_target = np.empty(1024, np.int64), np.empty(1024, np.int64)
    arc_phone, arc_offset, arc_runs = np.empty(1024, np.int32), np.empty(1024, np.int32), np.empty(1024, np.int32)
    arc_graph, arc_acoustic = np.empty(1024), np.empty(1024)
    classes, lengths, runs = np.empty(4096, np.int32), np.empty(4096, np.int32), 0
    cost, next_cost = np.full(states, np.inf), np.full(states, np.inf)
    graph, next_graph = np.zeros(states), np.zeros(states)
    token, next_token = np.zeros(states, np.int32), np.zeros(states, np.int32)
    inside, next_inside = np.empty(states, np.int32), np.empty(states, np.int32)
    parents, token_labels = np.empty(4 * states, np.int32), np.empty(4 * states, np.int32)
    token_first = np.empty(4 * states, np.int32)
    entries = np.empty(len(entering), np.int32)
    for frame in range(-1, frames):
        place = 0
        while place < len(entering) or frame < 0:
            # The arcs that enter the same state in the same class here; before the first frame, the start itself.
            count, tokens, best_entry = 0, 0, np.inf
            if frame < 0:
                state, best_entry = start, 0.0
            else:
                state, label = targets[entering[place]], labels[entering[place]]
                while place < len(entering):
                    arc = entering[place]
                    if targets[arc] != state or labels[arc] != label:
                        break
                    entry = before[frame, sources[arc]] + costs[arc] + frame_costs[frame, labels[arc]]
                    if entry + behind[frame + 1, state] <= limit:
                        entries[count] = arc
                        count += 1
                        best_entry = min(best_entry, entry)
                    place += 1
                if count == 0:
                    continue
                parents[0], token_labels[0], token_first[0] = -1, label, frame
                tokens = 1
            cost[state], graph[state], token[state], inside[0] = 0.0, 0.0, tokens - 1, state
            size = 1
            for now in range(frame + 1, frames + 1):
                cheaper = True
                while cheaper:
                    cheaper, index = False, 0
                    while index < size:
                        state = inside[index]
                        for arc in range(free_first[state], free_first[state + 1]):
                            total, target = cost[state] + free_costs[arc], free_targets[arc]
                            if total < cost[target]:
                                if cost[target] == np.inf:
                                    inside[size] = target
                                    size += 1
                                cost[target], token[target] = total, token[state]
                                graph[target] = graph[state] + free_costs[arc]
                                cheaper = True
                        index += 1
                for index in range(size):
                    state = inside[index]
                    reached = cost[state]
                    if best_entry + reached + leaving[now, state] <= limit:
                        offset, number = runs, token[state]
                        while number >= 0:
                            number = parents[number]
                            runs += 1
                        while runs > len(classes):
                            classes, lengths = _doubled(classes), _doubled(lengths)
                        number, end = token[state], now
                        for run in range(runs - 1, offset - 1, -1):
                            classes[run], lengths[run] = token_labels[number], end - token_first[number]
                            number, end = parents[number], token_first[number]
                        for entry_index in range(max(count, 1)):
                            if frame < 0:
                                source, phone = -1, -1
                                entry_graph, entry_acoustic, total = 0.0, 0.0, 0.0
                            else:
                                arc = entries[entry_index]
                                source, phone = frame * states + sources[arc], phones[arc]
                                entry_graph, entry_acoustic = costs[arc], frame_costs[frame, labels[arc]]
                                total = before[frame, sources[arc]] + entry_graph + entry_acoustic
                            if total + reached + leaving[now, state] > limit:
                                continue
                            if arcs == len(arc_source):
                                arc_source, arc_target = _doubled(arc_source), _doubled(arc_target)
                                arc_phone, arc_offset = _doubled(arc_phone), _doubled(arc_offset)
                                arc_runs, arc_graph = _doubled(arc_runs), _doubled(arc_graph)
                                arc_acoustic = _doubled(arc_acoustic)
                            arc_source[arcs], arc_target[arcs], arc_phone[arcs] = source, now * states + state, phone
                            arc_graph[arcs] = entry_graph + graph[state]
                            arc_acoustic[arcs] = entry_acoustic + reached - graph[state]
                            arc_offset[arcs], arc_runs[arcs] = offset, runs - offset
                            arcs += 1
                next_size = 0
                if now < frames:
                    for index in range(size):
                        state = inside[index]
                        reached = cost[state]
                        for arc in range(first[state], first[state + 1]):
                            if phones[arc] >= 0:
                                continue
                            target = targets[arc]
                            total = reached + costs[arc] + frame_costs[now, labels[arc]]
                            if best_entry + total + behind[now + 1, target] <= limit and total < next_cost[target]:
                                if next_cost[target] == np.inf:
                                    next_inside[next_size] = target
                                    next_size += 1
                                next_cost[target], next_token[target] = total, token[state]
                                next_graph[target] = graph[state] + costs[arc]
                                if token[state] < 0 or token_labels[token[state]] != labels[arc]:
                                    if tokens == len(parents):
                                        parents, token_labels = _doubled(parents), _doubled(token_labels)
                                        token_first = _doubled(token_first)
                                    parents[tokens], token_labels[tokens] = token[state], labels[arc]
                                    token_first[tokens], next_token[target] = now, tokens
                                    tokens += 1
                for index in range(size):
                    cost[inside[index]] = np.inf
                cost, next_cost = next_cost, cost
                graph, next_graph = next_graph, graph
                token, next_token = next_token, token
                inside, next_inside = next_inside, inside
                size = next_size
                if size == 0:
                    break
            if frame < 0 or arcs > most:
                break
        if arcs > most:
            return None
    found = (
        arc_source[:arcs],
        arc_target[:arcs],
        arc_phone[:arcs],
        arc_graph[:arcs],
        arc_acoustic[:arcs],
        arc_offset[:arcs],
        arc_runs[:arcs],
    )
    return found, (classes[:runs], lengths[:runs])


@njit(cache=True)
def _doubled(values: npt.NDArray) -> npt.NDArray:
    larger = np.empty(2 * len(values), values.dtype)
    larger[: len(values)] = values
    return larger
