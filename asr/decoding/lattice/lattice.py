"""Phone lattices: every path through the decoding graph whose cost is within a beam of the best path's.

A node is a graph state in which one phone may end and the next begin, after so many frames; an arc is a phone between
two such nodes, taken in its cheapest way. The lattice is exact: which arcs belong to it is decided by the costs of the
best paths before and after them (full-search Viterbi from both ends).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.decoding.graph.flat_graph import FlatGraph
from asr.decoding.lattice.path_costs import PathCosts, path_costs
from asr.decoding.lattice.phone_arcs import Limits, Records, phone_arcs
from asr.decoding.lattice.phone_graph import phone_graph
from asr.decoding.search.path import check_scores

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]

BISECTIONS = 10
"""Halvings of the beam of a lattice that would have too many arcs."""
STEPS = 400
"""Steps of token passing for each of the most arcs, in all attempts together. Where one more phone may begin in any
frame of an even silence but no second one, tokens pass from each of its frames to its end and few arcs come of it."""
ROUNDING = 1e-9
"""Sums of the same costs in another order differ by less."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """N nodes in topological order, node 0 the start, and A arcs by rising source.

    `frames` [N] are the frames before each node. An arc's phone is NO_PHONE between the start and where the first phone
    may begin; its cost is `graph` (language model, transitions, insertion penalty) plus `acoustic_scale` times
    `acoustic` (negative log scores). Its frames are the runs `offsets[arc]` to `offsets[arc + 1]` - 1, each so many
    frames (`lengths`) of one class (`classes`): about as many as a phone has states, however long it is. A node that is
    not final has inf in `finals` [N]. `offsets` is [A + 1], `classes` and `lengths` have a value for each run, and the
    other arrays are [A].
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

    @property
    def costs(self) -> Costs:
        """[A] the cost of each arc."""
        return self.graph + self.acoustic_scale * self.acoustic

    def costs_to_end(self) -> Costs:
        """[N] the cost of the best path from each node to the end."""
        return _costs_to_end(self.sources, self.targets, self.costs, self.finals)


@compiled
def _costs_to_end(sources: Integers, targets: Integers, costs: Costs, finals: Costs) -> Costs:
    to_end = finals.copy()
    for arc in range(len(sources) - 1, -1, -1):
        to_end[sources[arc]] = min(to_end[sources[arc]], costs[arc] + to_end[targets[arc]])
    return to_end


def lattice(
    flat: FlatGraph, scores: npt.NDArray[np.float32], acoustic_scale: float, beam: float, density: float = np.inf
) -> Lattice:
    """The lattice of log scores [T, C]. It has no arcs where no path ends in a final state.

    Where it would have more than `density` arcs a frame on average, as with a model that has learned little, or where
    finding them takes more than STEPS times as many steps, the beam is narrowed until it does not; paths as cheap as
    the best stay. So memory is bounded by the density, however long a phone is, and so is time, except for that of
    finding the paths that are as cheap as the best where nothing else is left.
    Takes 24 bytes times T times the graph's states. Raises InputError and ValueError for scores as `check_scores`, and
    ValueError for a graph where an arc that consumes no frame enters a phone.
    """
    if (flat.free_phones >= 0).any():
        raise ValueError("an arc without an input label enters a phone")
    scores = check_scores(scores, flat.classes)
    costs = path_costs(flat, -acoustic_scale * scores.astype(np.float64))
    best = float(costs.to_end[0, flat.start])
    if best == np.inf:
        return _without_paths(acoustic_scale)
    arcs, runs = _arcs_within(flat, costs, best, beam, density * len(scores))
    return _numbered(flat, arcs, runs, acoustic_scale, len(scores))


def _arcs_within(flat: FlatGraph, costs: PathCosts, best: float, beam: float, most: float) -> tuple[Records, Records]:
    """The arcs within the beam, or within the widest that keeps to `most` arcs and to the steps for so many."""
    graph = phone_graph(flat)
    steps_left = STEPS * most

    def attempt(beam: float) -> tuple[Records, Records] | None:
        nonlocal steps_left
        whole, arcs, runs, steps = phone_arcs(graph, costs, Limits(best + beam + ROUNDING, most, steps_left / 2))
        steps_left -= steps
        return (arcs, runs) if whole else None

    if found := _widest(attempt, beam, most):
        return found
    _, arcs, runs, _ = phone_arcs(graph, costs, Limits(best + ROUNDING, np.inf, np.inf))
    return arcs, runs


def _widest(
    attempt: Callable[[float], tuple[Records, Records] | None], beam: float, most: float
) -> tuple[Records, Records] | None:
    """The arcs within the beam, or within a narrower one that leaves `most` and hardly fewer than half of them."""
    if kept := attempt(beam):
        return kept
    narrow, wide = 0.0, beam
    for _ in range(BISECTIONS):
        middle = (narrow + wide) / 2
        if found := attempt(middle):
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
