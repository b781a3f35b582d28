"""A decoding graph as flat arrays, in the order in which a search reads them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.topology import Graph

Integers = npt.NDArray[np.int32]
Indices = npt.NDArray[np.uint32]
"""Unsigned, so that a compiled loop need not check at each look-up whether the index counts from the end."""
Costs = npt.NDArray[np.float64]


class EnteringArcs(NamedTuple):
    """The arcs that consume a frame, sorted by target: `first[state]` to `first[state + 1]` - 1 enter a state.

    `numbers` are their indices in the graph's own arrays. `first` is [S + 1], all else [A].
    """

    first: Indices
    numbers: Integers
    sources: Indices
    labels: Indices
    costs: Costs


class FlatGraph(NamedTuple):
    """The arcs that consume a frame (A of them) sorted by source, and those that do not (E) in topological order.

    `first[state]` to `first[state + 1]` - 1 are the arcs that leave a state and consume a frame. An arc without an
    input label comes before all such arcs that leave its target, so that one pass over them follows every chain. A
    phone index of -1 means no phone. Costs are negative natural logarithms; a state that is not final has inf in
    `finals`. Of S states: `first` is [S + 1], `finals` [S], what begins with `free_` [E], and the other arrays [A].
    """

    start: int
    states: int
    classes: int
    first: Indices
    sources: Indices
    targets: Indices
    labels: Indices
    phones: Integers
    costs: Costs
    free_sources: Indices
    free_targets: Indices
    free_phones: Integers
    free_costs: Costs
    finals: Costs

    @property
    def class_phones(self) -> Integers:
        """[C] the phone that each class belongs to, -1 for a blank. A phone's classes follow the one that enters it."""
        entering = self.phones >= 0
        phones = np.full(self.classes, -1, np.int32)
        phones[self.labels[entering]] = self.phones[entering]
        return np.maximum.accumulate(phones)

    @property
    def entering(self) -> EnteringArcs:
        """The arcs that consume a frame, by the states that they enter."""
        order = np.argsort(self.targets, kind="stable")
        first = np.searchsorted(self.targets[order], np.arange(self.states + 1)).astype(np.uint32)
        return EnteringArcs(first, order.astype(np.int32), self.sources[order], self.labels[order], self.costs[order])


def flatten(graph: Graph, insertion_penalty: float = 0.0) -> FlatGraph:
    """The graph's arrays, with `insertion_penalty` (nats) added to the cost of each phone.

    Raises ValueError where arcs without an input label form a cycle.
    """
    ends = np.array([arc[:4] for arc in graph.arcs], np.int32).reshape(-1, 4)
    costs = np.array([arc[4] for arc in graph.arcs], np.float64) + insertion_penalty * (ends[:, 3] != 0)
    consuming = np.flatnonzero(ends[:, 2])
    consuming = consuming[np.argsort(ends[consuming, 0], kind="stable")]
    free = np.flatnonzero(ends[:, 2] == 0)
    depths = chain_depths(ends[free, 0], ends[free, 1], graph.states)
    free = free[np.lexsort((ends[free, 0], depths[ends[free, 0]]))]
    finals = np.full(graph.states, np.inf)
    finals[list(graph.finals)] = list(graph.finals.values())
    sources, targets, labels, phones = (np.ascontiguousarray(column) for column in ends[consuming].T)
    free_sources, free_targets, _, free_phones = (np.ascontiguousarray(column) for column in ends[free].T)
    return FlatGraph(
        start=graph.start,
        states=graph.states,
        classes=graph.classes,
        first=np.searchsorted(sources, np.arange(graph.states + 1)).astype(np.uint32),
        sources=sources.astype(np.uint32),
        targets=targets.astype(np.uint32),
        labels=(labels - 1).astype(np.uint32),
        phones=phones - 1,
        costs=costs[consuming],
        free_sources=free_sources.astype(np.uint32),
        free_targets=free_targets.astype(np.uint32),
        free_phones=free_phones - 1,
        free_costs=costs[free],
        finals=finals,
    )


def chain_depths(
    sources: npt.NDArray[np.integer], targets: npt.NDArray[np.integer], states: int
) -> npt.NDArray[np.int64]:
    """[S] the number of these arcs in the longest chain that ends in each state. Raises ValueError for a cycle."""
    depths = np.zeros(states, np.int64)
    for _ in range(states + 1):
        deeper = depths.copy()
        np.maximum.at(deeper, targets, depths[sources] + 1)
        if (deeper == depths).all():
            return depths
        depths = deeper
    raise ValueError("arcs without an input label form a cycle")
