"""A decoding graph with its arcs sorted by what they do to a phone: enter it, stay inside, or consume no frame."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.flat_graph import FlatGraph, Indices

Integers = npt.NDArray[np.int32]
Costs = npt.NDArray[np.float64]


class Entering(NamedTuple):
    """The arcs that enter a phone; those of a group, `first[group]` to `first[group + 1]` - 1, enter the same state in
    the same class, so that they share everything that follows inside the phone. Of A arcs in G groups: `first` is
    [G + 1], `states` and `labels` are [G], the others [A]."""

    first: Indices
    sources: Indices
    phones: Integers
    costs: Costs
    states: Indices
    labels: Indices


class Inner(NamedTuple):
    """The arcs that consume a frame and enter no phone: `first[state]` to `first[state + 1]` - 1 leave a state. Of S
    states and A arcs: `first` is [S + 1], the others [A]."""

    first: Indices
    targets: Indices
    labels: Indices
    costs: Costs


class Free(NamedTuple):
    """The arcs that consume no frame, by source as in `Inner`."""

    first: Indices
    targets: Indices
    costs: Costs


class PhoneGraph(NamedTuple):
    """The start state, and all arcs by what they do."""

    start: int
    entering: Entering
    inner: Inner
    free: Free


def phone_graph(flat: FlatGraph) -> PhoneGraph:
    """The same graph with its arcs sorted."""
    return PhoneGraph(flat.start, _entering_arcs(flat), _inner_arcs(flat), _free_arcs(flat))


def _entering_arcs(flat: FlatGraph) -> Entering:
    arcs = np.flatnonzero(flat.phones >= 0)
    arcs = arcs[np.lexsort((flat.labels[arcs], flat.targets[arcs]))]
    targets, labels = flat.targets[arcs], flat.labels[arcs]
    new = np.ones(len(arcs), np.bool_)
    new[1:] = (np.diff(targets) != 0) | (np.diff(labels) != 0)
    first = np.append(np.flatnonzero(new), len(arcs)).astype(np.uint32)
    return Entering(first, flat.sources[arcs], flat.phones[arcs], flat.costs[arcs], targets[new], labels[new])


def _inner_arcs(flat: FlatGraph) -> Inner:
    arcs = np.flatnonzero(flat.phones < 0)
    first = _firsts(flat.sources[arcs], flat.states)
    return Inner(first, flat.targets[arcs], flat.labels[arcs], flat.costs[arcs])


def _free_arcs(flat: FlatGraph) -> Free:
    order = np.argsort(flat.free_sources, kind="stable")
    return Free(_firsts(flat.free_sources[order], flat.states), flat.free_targets[order], flat.free_costs[order])


def _firsts(sources: Indices, states: int) -> Indices:
    return np.searchsorted(sources, np.arange(states + 1)).astype(np.uint32)
