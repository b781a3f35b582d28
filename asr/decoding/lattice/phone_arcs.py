"""The arcs of a phone lattice, compiled to machine code: token passing inside one phone at a time, from each place
where it may be entered to all places where it may end (Young et al. 1989, Token passing).

A place is a graph state after so many frames, frame * states + state; START is the one before all others.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.compiled import compiled
from asr.decoding.lattice.path_costs import PathCosts
from asr.decoding.lattice.phone_graph import Entering, Free, Inner, PhoneGraph
from asr.decoding.search.growing import with_room

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]

NO_PHONE = -1
START = -1
NO_TOKEN = -1
NO_LABEL = -1

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
"""Places, costs (the acoustic one scaled), the phone, and its runs, `runs` to `end` - 1."""
RUN = np.dtype([("label", "i4"), ("frames", "i4")], align=True)
"""So many frames in a row of one class."""
TOKEN = np.dtype([("label", "i4"), ("first", "i4"), ("before", "i4")], align=True)
"""A run that has begun: its class, its first frame, and the token of the previous run."""
REACHED = np.dtype([("cost", "f8"), ("graph", "f8"), ("token", "i4")], align=True)
"""How a state inside a phone is reached: the cost of the best path there from the phone's first frame on, the part of
it that is not acoustic, and its token."""
ENTRY = np.dtype([("source", "i8"), ("cost", "f8"), ("graph", "f8"), ("acoustic", "f8"), ("phone", "i4")], align=True)
"""An arc that enters a phone: the cost of the best path from the start along it, and its own costs."""


class Limits(NamedTuple):
    """The most that a path may cost (nats), and the most arcs and steps."""

    cost: float
    arcs: float
    steps: float


class Entered(NamedTuple):
    """A state that is entered in a class at a frame: the arcs (ENTRY) that do, and the least cost of a path along one.
    The start is entered before frame 0, in no class."""

    state: np.int64
    label: np.int64
    frame: int
    entries: Records
    best: float


class Inside(NamedTuple):
    """The states that a phone has reached: how (REACHED) [S], with a cost of inf where not, and a list of them [S], of
    which the search counts the valid ones."""

    reached: Records
    states: Integers


class Output(NamedTuple):
    """The arcs (ARC) and runs (RUN) so far, in arrays with room for more."""

    arcs: Records
    arc_count: int
    runs: Records
    run_count: int


@compiled
def phone_arcs(graph: PhoneGraph, costs: PathCosts, limits: Limits) -> tuple[bool, Records, Records, int]:
    """All arcs (ARC) that lie on a path within the limit of costs, each in its best way through the phone, and the runs
    (RUN) of these; and the steps that it took to find them: the states in which tokens stood, counted for each frame
    and each entry. Beyond the limits of arcs or steps it returns only some of them, and False first."""
    states = costs.to_here.shape[1]
    output, steps = Output(np.empty(1024, ARC), 0, np.empty(4096, RUN), 0), 0
    tokens, entries = np.empty(4 * states, TOKEN), np.empty(len(graph.entering.sources) + 1, ENTRY)
    now, following = _nowhere(states), _nowhere(states)
    for frame in range(-1, len(costs.frames)):
        for group in range(len(graph.entering.states) if frame >= 0 else 1):
            if frame < 0:
                state, label = np.int64(graph.start), np.int64(NO_LABEL)
                count, best = _start_entry(entries)
            else:
                state, label = np.int64(graph.entering.states[group]), np.int64(graph.entering.labels[group])
                count, best = _phone_entries(graph.entering, group, frame, costs, limits.cost, entries)
            if count:
                entered = Entered(state, label, frame, entries[:count], best)
                whole, tokens, output, steps = _follow_phone(
                    graph, costs, limits, entered, now, following, tokens, output, steps
                )
                if not whole:
                    return False, output.arcs[: output.arc_count], output.runs[: output.run_count], steps
    return True, output.arcs[: output.arc_count], output.runs[: output.run_count], steps


@compiled
def _nowhere(states: int) -> Inside:
    reached = np.empty(states, REACHED)
    for state in range(states):
        reached[state].cost = np.inf
    return Inside(reached, np.empty(states, np.int32))


@compiled
def _start_entry(entries: Records) -> tuple[int, float]:
    """What stands for an entry before the first phone; as `_phone_entries`."""
    entries[0].source, entries[0].phone = START, NO_PHONE
    entries[0].cost = entries[0].graph = entries[0].acoustic = 0.0
    return 1, 0.0


@compiled
def _phone_entries(
    entering: Entering, group: int, frame: int, costs: PathCosts, limit: float, entries: Records
) -> tuple[int, float]:
    """Fills `entries` with the arcs of a group that may be taken at a frame; returns how many, and the least cost."""
    states = costs.to_here.shape[1]
    acoustic = costs.frames[frame, entering.labels[group]]
    to_end = costs.to_end[frame + 1, entering.states[group]]
    count, best = 0, np.inf
    for arc in range(entering.first[group], entering.first[group + 1]):
        source = entering.sources[arc]
        cost = costs.to_here[frame, source] + entering.costs[arc] + acoustic
        if cost + to_end <= limit:
            entry = entries[count]
            entry.source, entry.phone, entry.cost = frame * states + source, entering.phones[arc], cost
            entry.graph, entry.acoustic = entering.costs[arc], acoustic
            count += 1
            best = min(best, cost)
    return count, best


@njit(cache=True, nogil=True, inline="always")  # passing its many arrays took a seventh of the time
def _follow_phone(
    graph: PhoneGraph,
    costs: PathCosts,
    limits: Limits,
    entered: Entered,
    now: Inside,
    following: Inside,
    tokens: Records,
    output: Output,
    steps: int,
) -> tuple[bool, Records, Output, int]:
    """Adds the arcs of the phones that were entered; in `now` and `following` no state is reached before or after.

    Returns whether the limits were kept, and the tokens' array, the output and the number of steps as they are then.
    """
    size, token_count = 1, 0
    if entered.label != NO_LABEL:
        _set_token(tokens, 0, entered.label, entered.frame, NO_TOKEN)
        token_count = 1
    now.states[0] = entered.state
    _reach(now.reached, entered.state, 0.0, 0.0, token_count - 1)
    frames = len(costs.frames)
    for frame in range(entered.frame + 1, frames + 1):
        size = _follow_free(graph.free, now, size)
        output = _with_ends(output, entered, costs, frame, limits.cost, now, size, tokens)
        steps += size
        if output.arc_count > limits.arcs or steps > limits.steps:
            return False, tokens, output, steps
        next_size = 0
        if frame < frames:
            tokens = with_room(tokens, token_count + len(graph.inner.targets))
            next_size, token_count = _advance(
                graph.inner, costs, frame, entered.best, limits.cost, now, size, following, tokens, token_count
            )
        reached = now.reached
        for state in now.states[:size]:
            reached[state].cost = np.inf
        now, following, size = following, now, next_size
        if size == 0:
            break
    return True, tokens, output, steps


@compiled
def _follow_free(free: Free, now: Inside, size: int) -> int:
    """Adds to the first `size` states of `now` those that they lead to without a frame; returns their new number."""
    first, targets, arc_costs = free
    reached, states = now
    cheaper = True
    while cheaper:
        cheaper, index = False, 0
        while index < size:
            state = states[index]
            for arc in range(first[state], first[state + 1]):
                cost, target = reached[state].cost + arc_costs[arc], targets[arc]
                if cost >= reached[target].cost:
                    continue
                if reached[target].cost == np.inf:
                    states[size] = target  # this pass comes to its own arcs too
                    size += 1
                else:
                    cheaper = True
                _reach(reached, target, cost, reached[state].graph + arc_costs[arc], reached[state].token)
            index += 1
    return size


@njit(cache=True, nogil=True, inline="always")  # passing its many arrays took a seventh of the time
def _with_ends(
    output: Output,
    entered: Entered,
    costs: PathCosts,
    frame: int,
    limit: float,
    now: Inside,
    size: int,
    tokens: Records,
) -> Output:
    """The output with the arcs of the phones that end before a frame, and with their runs."""
    arcs, arc_count, runs, run_count = output
    entries, best, leaving, reached = entered.entries, entered.best, costs.leaving[frame], now.reached
    states = len(leaving)
    for state in now.states[:size]:
        here, to_end = reached[state], leaving[state]
        if best + here.cost + to_end > limit:
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
    return Output(arcs, arc_count, runs, run_count)


@compiled
def _advance(
    inner: Inner,
    costs: PathCosts,
    frame: int,
    best_entry: float,
    limit: float,
    now: Inside,
    size: int,
    following: Inside,
    tokens: Records,
    token_count: int,
) -> tuple[int, int]:
    """Passes the tokens of the first `size` states of `now` on over a frame, as far as the limit allows.

    Fills `following`; returns how many states it has, and the number of tokens.
    """
    first, targets, labels, arc_costs = inner
    frame_costs, to_end = costs.frames[frame], costs.to_end[frame + 1]
    before, active = now.reached, now.states[:size]
    reached, states = following
    next_size = 0
    for state in active:
        here = before[state]
        for arc in range(first[state], first[state + 1]):
            target, label = targets[arc], labels[arc]
            cost = here.cost + arc_costs[arc] + frame_costs[label]
            if best_entry + cost + to_end[target] <= limit and cost < reached[target].cost:
                if reached[target].cost == np.inf:
                    states[next_size] = target
                    next_size += 1
                token = here.token
                if token == NO_TOKEN or tokens[token].label != label:
                    _set_token(tokens, token_count, label, frame, token)
                    token = token_count
                    token_count += 1
                _reach(reached, target, cost, here.graph + arc_costs[arc], token)
    return next_size, token_count


@compiled
def _reach(reached: Records, state: int, cost: float, graph: float, token: int) -> None:
    reached[state].cost, reached[state].graph, reached[state].token = cost, graph, token


@compiled
def _set_token(tokens: Records, number: int, label: int, first: int, before: int) -> None:
    tokens[number].label, tokens[number].first, tokens[number].before = label, first, before


@compiled
def _with_runs(runs: Records, count: int, tokens: Records, last: int, end: int) -> tuple[Records, int]:
    """The runs with those of a token whose own run ends before frame `end` added, and their new number."""
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
