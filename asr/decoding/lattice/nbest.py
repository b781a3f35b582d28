"""The N best phone sequences of a lattice, each once and with its best times."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from itertools import islice
from math import inf
from operator import itemgetter

import numpy as np

from asr.decoding.lattice.lattice import Lattice
from asr.decoding.lattice.phone_arcs import NO_PHONE
from asr.decoding.search.path import PhoneSpan

ROUNDING = 1e-9
"""Sums of the same costs in another order differ by less."""


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


def n_best(lattice: Lattice, count: int) -> list[Hypothesis]:
    """The `count` distinct phone sequences of least cost, best first; fewer where the lattice has no more.

    A* search over phone prefixes, which determinises the lattice only where it looks (Mohri & Riley 2002, An efficient
    algorithm for the n-best-strings problem); what remains to the end is known exactly, so that `count` times the
    phones of a sequence bounds how many prefixes it extends, however many paths the lattice has.
    """
    return list(islice(_by_cost(lattice, count), count))


def _by_cost(lattice: Lattice, count: int) -> Iterator[Hypothesis]:
    to_end, finals = lattice.costs_to_end(), lattice.finals.tolist()
    through = lattice.costs + to_end[lattice.targets]
    order = np.lexsort((through, lattice.sources))
    firsts = np.searchsorted(lattice.sources, np.arange(len(finals) + 1)).tolist()
    columns = (through, lattice.phones, lattice.targets, lattice.costs)
    arcs = list(zip(*(column[order].tolist() for column in columns), strict=True))
    remaining = to_end.tolist()
    start = _Prefix(None, NO_PHONE, {target: (cost, 0) for _, _, target, cost in arcs[: firsts[1]]})
    # Bound on the cost, serial number (so that equal bounds compare), prefix, and where it ends its last node.
    open_prefixes: list[tuple[float, int, _Prefix, int | None]] = [(remaining[0], 0, start, None)]
    serial = 0
    # Every open prefix leads to its own sequence, as cheap as its bound says: no sequence of the list may cost more
    # than the dearest of the `count` cheapest prefixes.
    dearest, limit = [-remaining[0]], remaining[0] if count == 1 else inf
    while open_prefixes:
        bound, _, prefix, last = heappop(open_prefixes)
        if last is not None:
            yield Hypothesis(_spans(lattice, prefix, last), bound)
            continue
        limit_now = limit + ROUNDING
        following: dict[int, dict[int, tuple[float, int]]] = {}
        ending, last_node = inf, 0
        for node, (cost, _) in prefix.nodes.items():
            if cost + finals[node] < ending:
                ending, last_node = cost + finals[node], node
            for arc in range(firsts[node], firsts[node + 1]):
                ahead, phone, target, arc_cost = arcs[arc]
                if cost + ahead > limit_now:
                    break
                nodes = following.setdefault(phone, {})
                if target not in nodes or cost + arc_cost < nodes[target][0]:
                    nodes[target] = (cost + arc_cost, node)
        found: list[tuple[float, _Prefix, int | None]] = (
            [(ending, prefix, last_node)] if ending < inf and ending <= limit_now else []
        )
        for phone, nodes in following.items():
            least = min(cost + remaining[node] for node, (cost, _) in nodes.items())
            found.append((least, _Prefix(prefix, phone, nodes), None))
        found.sort(key=itemgetter(0))
        for rank, (least, longer, end) in enumerate(found):
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


def _spans(lattice: Lattice, prefix: _Prefix, last: int) -> list[PhoneSpan]:
    spans = []
    while prefix.before is not None:
        before = prefix.nodes[last][1]
        spans.append(PhoneSpan(prefix.phone, int(lattice.frames[before]), int(lattice.frames[last])))
        prefix, last = prefix.before, before
    return spans[::-1]
