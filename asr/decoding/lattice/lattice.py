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

from asr.decoding.graph.flat_graph import FlatGraph, Indices
from asr.decoding.lattice.phone_arcs import (
    PathCosts,
    Records,
    entering_arcs,
    free_arcs,
    inner_arcs,
    phone_arcs,
)
from asr.decoding.search.beam import check_scores

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]

BISECTIONS = 10
"""With which the beam of a lattice that would have too many arcs is narrowed."""
STEPS = 400
"""Of token passing for each of the most arcs, in all attempts together. Where one phone more may begin in any frame of
an even silence, but no second one, tokens pass from each of its frames to its end and few arcs come of it."""
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

    Where it would have more than `density` arcs a frame on average, as with a model that has learned little, or where
    finding them takes more than STEPS times as many steps, the beam is narrowed until it does not; paths as cheap as
    the best stay. So memory is bounded by the density, however long a phone is, and so is time, but for that of finding
    the paths which are as cheap as the best where nothing else is left.
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
    graph = flat.start, entering_arcs(flat), inner_arcs(flat), free_arcs(flat)
    costs = PathCosts(frame_costs, before, behind, leaving)

    most = density * len(scores)
    steps_left = STEPS * most

    def arcs_within(beam: float) -> tuple[Records, Records] | None:
        nonlocal steps_left
        whole, arcs, runs, steps = phone_arcs(*graph, costs, best + beam + ROUNDING, most, steps_left / 2)
        steps_left -= steps
        return (arcs, runs) if whole else None

    arcs, runs = _within(arcs_within, beam, most) or phone_arcs(*graph, costs, best + ROUNDING, np.inf, np.inf)[1:3]
    return _numbered(flat, arcs, runs, acoustic_scale, len(scores))


def _within(
    arcs_within: Callable[[float], tuple[Records, Records] | None], beam: float, most: float
) -> tuple[Records, Records] | None:
    """The arcs within the beam, or within a narrower one that leaves `most` and hardly fewer than half of them."""
    if kept := arcs_within(beam):
        return kept
    narrow, wide = 0.0, beam
    for _ in range(BISECTIONS):
        middle = (narrow + wide) / 2
        if found := arcs_within(middle):
            narrow, kept = middle, found
            if 2 * len(found[0]) > most:
                break
        else:
            wide = middle
    return kept


def _without_paths(acoustic_scale: float) -> Lattice:
    none, no_costs, zero = np.zeros(0, np.int32), np.zeros(0), np.zeros(1, np.int32)
    return Lattice(zero, np.full(1, np.inf), none, none, none, no_costs, no_costs, zero, none, none, acoustic_scale)


def _numbered(flat: FlatGraph, arcs: Records, runs: Records, acoustic_scale: float, frames: int) -> Lattice:
    """The lattice of arcs (ARC) between places, with their runs (RUN)."""
    arcs = arcs[np.lexsort((arcs["phone"], arcs["target"], arcs["source"]))]
    places = np.unique(np.concatenate([arcs["source"], arcs["target"]]))
    counts = arcs["end"] - arcs["runs"]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    runs = runs[np.repeat(arcs["runs"] - offsets[:-1], counts) + np.arange(offsets[-1])]
    finals = np.where(places // flat.states == frames, flat.finals[places % flat.states], np.inf)
    return Lattice(
        np.maximum(places // flat.states, 0).astype(np.int32),
        finals,
        np.searchsorted(places, arcs["source"]).astype(np.int32),
        np.searchsorted(places, arcs["target"]).astype(np.int32),
        arcs["phone"].copy(),
        arcs["graph"].copy(),
        arcs["acoustic"] / acoustic_scale,
        offsets.astype(np.int32),
        runs["label"].copy(),
        runs["frames"].copy(),
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
