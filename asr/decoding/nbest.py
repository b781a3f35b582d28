"""The N best phone sequences of a lattice: each once, with its best times."""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from asr.decoding.lattice import NO_PHONE, Lattice
from asr.decoding.search import PhoneSpan


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A phone sequence in its best alignment, and the cost of that."""

    phones: list[PhoneSpan]
    cost: float


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The first phones of a sequence: for each lattice node that they lead to, the least cost and the node before."""

    before: "_Prefix | None"
    phone: int
    length: int
    nodes: dict[int, tuple[float, int]]


def n_best(lattice: Lattice, count: int) -> list[Hypothesis]:
    """The `count` distinct phone sequences of least cost, best first; fewer where the lattice has no more.

    A* search over phone prefixes, which determinises the lattice only where it looks (Mohri & Riley 2002, An efficient
    algorithm for the n-best-strings problem); what remains to the end is known exactly.
    """
    return list(islice(_by_cost(lattice, count), count))


def _by_cost(lattice: Lattice, count: int) -> Iterator[Hypothesis]:
    behind, finals = lattice.best_behind().tolist(), lattice.finals.tolist()
    leaving: list[list[tuple[int, int, float]]] = [[] for _ in finals]
    arcs = lattice.sources.tolist(), lattice.phones.tolist(), lattice.targets.tolist(), lattice.costs.tolist()
    for source, phone, target, cost in zip(*arcs, strict=True):
        leaving[source].append((phone, target, cost))
    start = _Prefix(None, NO_PHONE, 0, {target: (cost, 0) for _, target, cost in leaving[0]})
    # Bound on the cost, serial number (so that equal bounds compare), prefix, and where it ends its last node.
    open_prefixes: list[tuple[float, int, _Prefix, int | None]] = [(0.0, 0, start, None)]
    serial, taken = 0, Counter[int]()
    while open_prefixes:
        bound, _, prefix, last = heapq.heappop(open_prefixes)
        if last is not None:
            yield Hypothesis(_spans(lattice, prefix, last), bound)
            continue
        # Prefixes of one length end in different sequences, each as cheap as its bound says: `count` of them suffice.
        taken[prefix.length] += 1
        if taken[prefix.length] > count:
            continue
        following: dict[int, dict[int, tuple[float, int]]] = {}
        ends = min(((cost + finals[node], node) for node, (cost, _) in prefix.nodes.items()), default=(float("inf"), 0))
        if ends[0] < float("inf"):
            serial += 1
            heapq.heappush(open_prefixes, (ends[0], serial, prefix, ends[1]))
        for node, (cost, _) in prefix.nodes.items():
            for phone, target, arc_cost in leaving[node]:
                nodes = following.setdefault(phone, {})
                if target not in nodes or cost + arc_cost < nodes[target][0]:
                    nodes[target] = (cost + arc_cost, node)
        for phone, nodes in following.items():
            serial += 1
            least = min(cost + behind[node] for node, (cost, _) in nodes.items())
            heapq.heappush(open_prefixes, (least, serial, _Prefix(prefix, phone, prefix.length + 1, nodes), None))


def _spans(lattice: Lattice, prefix: _Prefix, last: int) -> list[PhoneSpan]:
    spans = []
    while prefix.before is not None:
        before = prefix.nodes[last][1]
        spans.append(PhoneSpan(prefix.phone, int(lattice.frames[before]), int(lattice.frames[last])))
        prefix, last = prefix.before, before
    return spans[::-1]
