"""The arcs of a phone lattice, compiled to machine code: token passing inside one phone at a time, from each place
where it may be entered to all where it may end (Young et al. 1989, Token passing).

A place is a graph state behind so many frames, frame * states + state; START is the one before all others.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.graph.flat_graph import FlatGraph, Indices
from asr.decoding.search.growing import with_room

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]

NO_PHONE = -1
START = -1
NO_TOKEN = -1

ARC = np.dtype(
    [
        ("source", "i8"),
        ("target", "i8"),
        ("graph", "f8"),
        ("acoustic", "f8"),
        ("phone", "i4"),
        ("runs", "i4"),
        ("end", "i4"),
    ],
    align=True,
)
"""Places, costs (the acoustic one scaled), phone, and the alignment's runs, `runs` to `end` - 1."""
RUN = np.dtype([("label", "i4"), ("frames", "i4")], align=True)
"""So many frames that follow each other and are of one class."""
TOKEN = np.dtype([("label", "i4"), ("first", "i4"), ("before", "i4")], align=True)
"""A run that has begun: its class, its first frame, and the token of the run before."""
REACHED = np.dtype([("cost", "f8"), ("graph", "f8"), ("token", "i4")], align=True)
"""Of a state inside a phone: the cost of the best path there from the phone's first frame on, the part of it that is
not acoustic, and its token."""
ENTRY = np.dtype([("source", "i8"), ("cost", "f8"), ("graph", "f8"), ("acoustic", "f8"), ("phone", "i4")], align=True)
"""An arc that enters a phone: the cost of the best path from the start along it, and its own."""


class Entering(NamedTuple):
    """The arcs that enter a phone; those of a group, `first[group]` to `first[group + 1]` - 1, enter the same state in
    the same class, so that they share all alignments from there."""

    first: Indices
    sources: Indices
    phones: Integers
    costs: Costs
    states: Indices
    labels: Indices


class Inner(NamedTuple):
    """The arcs that consume a frame and enter no phone; of a state: `first[state]` to `first[state + 1]` - 1."""

    first: Indices
    targets: Indices
    labels: Indices
    costs: Costs


class Free(NamedTuple):
    """The arcs that consume no frame, by source as `Inner`."""

    first: Indices
    targets: Indices
    costs: Costs


class PathCosts(NamedTuple):
    """Of each frame's classes [T, C]; of the best paths from the start to each state, from there to the end, and to the
    end where a phone is entered at once [T + 1, S]."""

    frames: Costs
    before: Costs
    behind: Costs
    leaving: Costs


def entering_arcs(flat: FlatGraph) -> Entering:
    """The arcs of the graph that enter phones, by rising target."""
    arcs = np.flatnonzero(flat.phones >= 0)
    arcs = arcs[np.lexsort((flat.labels[arcs], flat.targets[arcs]))]
    targets, labels = flat.targets[arcs], flat.labels[arcs]
    new = np.ones(len(arcs), np.bool_)
    new[1:] = (np.diff(targets) != 0) | (np.diff(labels) != 0)
    first = np.append(np.flatnonzero(new), len(arcs)).astype(np.uint32)
    return Entering(first, flat.sources[arcs], flat.phones[arcs], flat.costs[arcs], targets[new], labels[new])


def inner_arcs(flat: FlatGraph) -> Inner:
    """The arcs of the graph inside phones."""
    arcs = np.flatnonzero(flat.phones < 0)
    first = _firsts(flat.sources[arcs], flat.states)
    return Inner(first, flat.targets[arcs], flat.labels[arcs], flat.costs[arcs])


def free_arcs(flat: FlatGraph) -> Free:
    """The arcs of the graph that consume no frame."""
    order = np.argsort(flat.free_sources, kind="stable")
    return Free(_firsts(flat.free_sources[order], flat.states), flat.free_targets[order], flat.free_costs[order])


def _firsts(sources: Indices, states: int) -> Indices:
    return np.searchsorted(sources, np.arange(states + 1)).astype(np.uint32)


@njit(cache=True)
def phone_arcs(
    start: int,
    entering: Entering,
    inner: Inner,
    free: Free,
    costs: PathCosts,
    limit: float,
    most: float,
    most_steps: float,
) -> tuple[bool, Records, Records, int]:
    """All arcs (ARC) that lie on a path whose cost is within the limit, each in the best of its alignments, the runs
    (RUN) of these, and the steps that it took to find them: the states in which tokens stood, counted anew in each
    frame and from each entry. Of more than `most` arcs or `most_steps` only some, and False before them."""
    frames, states = costs.frames.shape[0], costs.before.shape[1]
    arcs, arc_count = np.empty(1024, ARC), 0
    runs, run_count = np.empty(4096, RUN), 0
    tokens, steps = np.empty(4 * states, TOKEN), 0
    entries = np.empty(len(entering.sources) + 1, ENTRY)
    inside, next_inside = np.empty(states, np.int32), np.empty(states, np.int32)
    reached, next_reached = np.empty(states, REACHED), np.empty(states, REACHED)
    for state in range(states):
        reached[state].cost = next_reached[state].cost = np.inf
    for frame in range(-1, frames):
        for group in range(len(entering.states) if frame >= 0 else 1):
            if frame < 0:
                entry_count, best_entry = _start_entry(entries)
                token_count, inside[0] = 0, start
            else:
                entry_count, best_entry = _phone_entries(entering, group, frame, costs, limit, entries)
                token_count, inside[0] = 1, entering.states[group]
                _set_token(tokens, 0, entering.labels[group], frame, NO_TOKEN)
            if entry_count == 0:
                continue
            size = 1
            _reach(reached, inside[0], 0.0, 0.0, token_count - 1)
            for now in range(frame + 1, frames + 1):
                size = _follow_free(free, reached, inside, size)
                arcs, arc_count, runs, run_count = _with_ends(
                    arcs, arc_count, runs, run_count, entries[:entry_count], best_entry, costs, now, limit, reached,
                    inside[:size], tokens,
                )  # fmt: skip
                steps += size
                if arc_count > most or steps > most_steps:
                    return False, arcs[:arc_count], runs[:run_count], steps
                next_size = 0
                if now < frames:
                    tokens = with_room(tokens, token_count + len(inner.targets))
                    next_size, token_count = _advance(
                        inner, costs, now, best_entry, limit, reached, inside[:size], next_reached, next_inside,
                        tokens, token_count,
                    )  # fmt: skip
                for state in inside[:size]:
                    reached[state].cost = np.inf
                reached, next_reached = next_reached, reached
                inside, next_inside = next_inside, inside
                size = next_size
                if size == 0:
                    break
    return True, arcs[:arc_count], runs[:run_count], steps


@njit(cache=True)
def _start_entry(entries: Records) -> tuple[int, float]:
    """What stands for an entry before the first phone; as `_phone_entries`."""
    entries[0].source, entries[0].phone = START, NO_PHONE
    entries[0].cost = entries[0].graph = entries[0].acoustic = 0.0
    return 1, 0.0


@njit(cache=True)
def _phone_entries(
    entering: Entering, group: int, frame: int, costs: PathCosts, limit: float, entries: Records
) -> tuple[int, float]:
    """Fills `entries` with the arcs of a group that may be taken at a frame; returns how many, and the least cost."""
    states = costs.before.shape[1]
    acoustic = costs.frames[frame, entering.labels[group]]
    to_end = costs.behind[frame + 1, entering.states[group]]
    count, best = 0, np.inf
    for arc in range(entering.first[group], entering.first[group + 1]):
        source = entering.sources[arc]
        cost = costs.before[frame, source] + entering.costs[arc] + acoustic
        if cost + to_end <= limit:
            entry = entries[count]
            entry.source, entry.phone, entry.cost = frame * states + source, entering.phones[arc], cost
            entry.graph, entry.acoustic = entering.costs[arc], acoustic
            count += 1
            best = min(best, cost)
    return count, best


@njit(cache=True)
def _follow_free(free: Free, reached: Records, inside: Integers, size: int) -> int:
    """Reaches what the first `size` states of `inside` lead to without a frame, and adds it there; returns their new
    number."""
    cheaper = True
    while cheaper:
        cheaper, index = False, 0
        while index < size:
            state = inside[index]
            for arc in range(free.first[state], free.first[state + 1]):
                cost, target = reached[state].cost + free.costs[arc], free.targets[arc]
                if cost < reached[target].cost:
                    if reached[target].cost == np.inf:
                        inside[size] = target  # whose own arcs this pass comes to
                        size += 1
                    else:
                        cheaper = True
                    _reach(reached, target, cost, reached[state].graph + free.costs[arc], reached[state].token)
            index += 1
    return size


@njit(cache=True)
def _with_ends(
    arcs: Records,
    arc_count: int,
    runs: Records,
    run_count: int,
    entries: Records,
    best_entry: float,
    costs: PathCosts,
    frame: int,
    limit: float,
    reached: Records,
    inside: Integers,
    tokens: Records,
) -> tuple[Records, int, Records, int]:
    """The arcs and the runs with those of the phones that end before a frame, and their new numbers."""
    states = costs.leaving.shape[1]
    for state in inside:
        here, to_end = reached[state], costs.leaving[frame, state]
        if best_entry + here.cost + to_end > limit:
            continue
        first_run = run_count
        runs, run_count = _with_runs(runs, run_count, tokens, here.token, frame)
        arcs = with_room(arcs, arc_count + len(entries))
        for entry in entries:
            if entry.cost + here.cost + to_end <= limit:
                arc = arcs[arc_count]
                arc.source, arc.target, arc.phone = entry.source, frame * states + state, entry.phone
                arc.graph, arc.acoustic = entry.graph + here.graph, entry.acoustic + here.cost - here.graph
                arc.runs, arc.end = first_run, run_count
                arc_count += 1
    return arcs, arc_count, runs, run_count


@njit(cache=True)
def _advance(
    inner: Inner,
    costs: PathCosts,
    frame: int,
    best_entry: float,
    limit: float,
    reached: Records,
    inside: Integers,
    next_reached: Records,
    next_inside: Integers,
    tokens: Records,
    token_count: int,
) -> tuple[int, int]:
    """Passes the tokens of the states `inside` on over a frame, as far as the limit lets them.

    Fills `next_reached` and `next_inside`; returns how many these are, and the number of tokens.
    """
    size = 0
    for state in inside:
        here = reached[state]
        for arc in range(inner.first[state], inner.first[state + 1]):
            target, label = inner.targets[arc], inner.labels[arc]
            cost = here.cost + inner.costs[arc] + costs.frames[frame, label]
            if best_entry + cost + costs.behind[frame + 1, target] <= limit and cost < next_reached[target].cost:
                if next_reached[target].cost == np.inf:
                    next_inside[size] = target
                    size += 1
                token = here.token
                if token == NO_TOKEN or tokens[token].label != label:
                    _set_token(tokens, token_count, label, frame, token)
                    token = token_count
                    token_count += 1
                _reach(next_reached, target, cost, here.graph + inner.costs[arc], token)
    return size, token_count


@njit(cache=True)
def _reach(reached: Records, state: int, cost: float, graph: float, token: int) -> None:
    reached[state].cost, reached[state].graph, reached[state].token = cost, graph, token


@njit(cache=True)
def _set_token(tokens: Records, number: int, label: int, first: int, before: int) -> None:
    tokens[number].label, tokens[number].first, tokens[number].before = label, first, before


@njit(cache=True)
def _with_runs(runs: Records, count: int, tokens: Records, last: int, end: int) -> tuple[Records, int]:
    """The runs with those of a token whose own run ends before frame `end`, and their new number."""
    number, first = last, count
    while number != NO_TOKEN:
        number = tokens[number].before
        count += 1
    runs = with_room(runs, count)
    number = last
    for run in range(count - 1, first - 1, -1):
        runs[run].label, runs[run].frames = tokens[number].label, end - tokens[number].first
        number, end = tokens[number].before, tokens[number].first
    return runs, count
