"""The N best phone sequences of a lattice, each once and with its best times."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from itertools import islice
from math import inf
from operator import itemgetter

import numpy as np

from asr.decoding.lattice.lattice import ROUNDING, Lattice
from asr.decoding.lattice.phone_arcs import NO_PHONE
from asr.decoding.search.path import PhoneSpan


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A phone sequence with its best times, and the cost of these."""

    phones: list[PhoneSpan]
    cost: float


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The first phones of a sequence: for each lattice node that they lead to, the least cost and the node before."""

    before: "_Prefix | None"
    phone: int
    nodes: dict[int, tuple[float, int]]


@dataclass(frozen=True, slots=True)
class _Arcs:
    """A lattice in lists, which Python reads faster than arrays.

    `arcs` are (cost of the best path through it, phone, target, cost), those of each node by the first, from
    `firsts[node]` to `firsts[node + 1]` - 1; `to_end` is `Lattice.costs_to_end`.
    """

    arcs: list[tuple[float, int, int, float]]
    firsts: list[int]
    finals: list[float]
    to_end: list[float]


def n_best(lattice: Lattice, count: int) -> list[Hypothesis]:
    """The `count` distinct phone sequences of least cost, best first; fewer where the lattice has no more.

    A* search over phone prefixes, which determinises the lattice only where it looks (Mohri & Riley 2002, An efficient
    algorithm for the n-best-strings problem); what remains to the end is known exactly, so that `count` times the
    phones of a sequence bounds how many prefixes it extends, however many paths the lattice has.
    """
    return list(islice(_by_cost(lattice, count), count))


def _by_cost(lattice: Lattice, count: int) -> Iterator[Hypothesis]:
    arcs = _sorted_arcs(lattice)
    start = _Prefix(None, NO_PHONE, {target: (cost, 0) for _, _, target, cost in arcs.arcs[: arcs.firsts[1]]})
    least = arcs.to_end[0]
    # Bound on the cost, serial number (so that equal bounds compare), prefix, and where it ends its last node.
    open_prefixes: list[tuple[float, int, _Prefix, int | None]] = [(least, 0, start, None)]
    serial = 0
    # Every open prefix leads to its own sequence, as cheap as its bound says: no sequence of the list may cost more
    # than the dearest of the `count` cheapest prefixes.
    dearest, limit = [-least], least if count == 1 else inf
    while open_prefixes:
        bound, _, prefix, last = heappop(open_prefixes)
        if last is not None:
            yield Hypothesis(_spans(lattice, prefix, last), bound)
            continue
        for rank, (least, longer, end) in enumerate(_extended(prefix, arcs, limit + ROUNDING)):
            if rank:  # the cheapest is the sequence that the prefix stood for
                if len(dearest) < count:
                    heappush(dearest, -least)
                elif least < -dearest[0]:  # among equally cheap ones, those found first are enough
                    heapreplace(dearest, -least)
                else:
                    break
            serial += 1
            heappush(open_prefixes, (least, serial, longer, end))
        limit = -dearest[0] if len(dearest) == count else inf


def _sorted_arcs(lattice: Lattice) -> _Arcs:
    to_end = lattice.costs_to_end()
    through = lattice.costs + to_end[lattice.targets]
    order = np.lexsort((through, lattice.sources))
    columns = (through, lattice.phones, lattice.targets, lattice.costs)
    return _Arcs(
        arcs=list(zip(*(column[order].tolist() for column in columns), strict=True)),
        firsts=np.searchsorted(lattice.sources, np.arange(len(lattice.finals) + 1)).tolist(),
        finals=lattice.finals.tolist(),
        to_end=to_end.tolist(),
    )


def _extended(prefix: _Prefix, arcs: _Arcs, limit: float) -> list[tuple[float, _Prefix, int | None]]:
    """The prefix with each phone that may follow, and, with its last node, as a sequence that ends; cheapest first.

    Each with the cost of the best sequence that it begins. Paths that cost more than `limit` are left out.
    """
    following: dict[int, dict[int, tuple[float, int]]] = {}
    ending, last = inf, 0
    for node, (cost, _) in prefix.nodes.items():
        if cost + arcs.finals[node] < ending:
            ending, last = cost + arcs.finals[node], node
        for ahead, phone, target, arc_cost in arcs.arcs[arcs.firsts[node] : arcs.firsts[node + 1]]:
            if cost + ahead > limit:
                break
            nodes = following.setdefault(phone, {})
            if target not in nodes or cost + arc_cost < nodes[target][0]:
                nodes[target] = (cost + arc_cost, node)
    found: list[tuple[float, _Prefix, int | None]] = []
    if ending < inf and ending <= limit:
        found.append((ending, prefix, last))
    for phone, nodes in following.items():
        least = min(cost + arcs.to_end[node] for node, (cost, _) in nodes.items())
        found.append((least, _Prefix(prefix, phone, nodes), None))
    return sorted(found, key=itemgetter(0))


def _spans(lattice: Lattice, prefix: _Prefix, last: int) -> list[PhoneSpan]:
    spans = []
    while prefix.before is not None:
        before = prefix.nodes[last][1]
        spans.append(PhoneSpan(prefix.phone, int(lattice.frames[before]), int(lattice.frames[last])))
        prefix, last = prefix.before, before
    return spans[::-1]
