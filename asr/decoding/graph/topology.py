"""Decoding graphs of HMMs and of CTC: how a phone becomes a sequence of classes, one for each frame."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.grammar import Grammar

Vector = npt.NDArray[np.float64]


@dataclass(slots=True)
class Graph:
    """A weighted transducer from classes to phones, as a list of arcs; costs are negative natural logarithms.

    An arc's input label is class index + 1, its output label phone index + 1 on the arc that enters a phone; 0 is no
    label. A class index is phone index * states + state for HMMs; for CTC it is 0 for the blank, else phone index + 1.
    """

    start: int
    states: int
    classes: int
    arcs: list[tuple[int, int, int, int, float]] = field(default_factory=list)
    """(source, target, input label, output label, cost)"""
    finals: dict[int, float] = field(default_factory=dict)


def hmm(grammar: Grammar, states: int, self_loops: Vector) -> Graph:
    """Left-to-right HMMs with self-loops and without skips, in place of the grammar's phones.

    `self_loops` [C]: the probability, above 0 and below 1, of staying in each class's state; leaving it has the rest.
    Each pair of a phone and the grammar state after it has one chain of HMM states, which all arcs of that phone into
    that grammar state share. The chain's last state is the grammar state itself where all paths into it end with that
    phone, so that no arc is spent on ending a phone; the cost of leaving the last state is paid on entering the phone.
    """
    graph = Graph(grammar.start, len(grammar.last_phone), len(self_loops), finals=dict(grammar.finals))
    stay, leave = -np.log(self_loops), -np.log1p(-self_loops)
    chains: dict[tuple[int, int], int] = {}
    for source, target, phone, cost in grammar.arcs:
        if (phone, target) not in chains:
            merged = grammar.last_phone[target] == phone
            chains[phone, target] = _add_chain(graph, phone, target, merged, stay, leave, states)
        first = phone * states
        exit_cost = float(leave[first + states - 1])
        graph.arcs.append((source, chains[phone, target], first + 1, phone + 1, cost + exit_cost))
    graph.arcs.extend((source, target, 0, 0, cost) for source, target, cost in grammar.backoffs)
    return graph


def ctc(grammar: Grammar, phones: int, modified: bool = False) -> Graph:
    """CTC (Graves et al. 2006, section 3.1) over a number of phones: class 0 is the blank, class i + 1 phone i.

    A phone takes one frame or more, any number of blanks may stand before and after it, and between two phones that are
    the same there is at least one, except in the `modified` topology. Each grammar state has a graph
    state of its own number, in which the last frame was blank (or there was none), and one for each phone that leads
    there, in which the last frame was that phone.
    """
    graph = Graph(grammar.start, len(grammar.last_phone), 1 + phones, finals=dict(grammar.finals))
    spoken = _spoken_states(grammar, graph)
    blank = 1
    graph.arcs += [(state, state, blank, 0, 0.0) for state in range(len(grammar.last_phone))]
    for (phone, state), inside in spoken.items():
        graph.arcs += [(inside, inside, phone + 2, 0, 0.0), (inside, state, blank, 0, 0.0)]
        if state in grammar.finals:
            graph.finals[inside] = grammar.finals[state]
    last_phones: list[list[int]] = [[] for _ in grammar.last_phone]
    for phone, state in spoken:
        last_phones[state].append(phone)
    for source, target, phone, cost in grammar.arcs:
        # Directly after itself a phone is not a second one: only the blank's state leads there.
        sources = [source, *(spoken[last, source] for last in last_phones[source] if modified or last != phone)]
        graph.arcs += [(state, spoken[phone, target], phone + 2, phone + 1, cost) for state in sources]
    for source, target, cost in grammar.backoffs:
        graph.arcs.append((source, target, 0, 0, cost))
        graph.arcs += [(spoken[last, source], spoken[last, target], 0, 0, cost) for last in last_phones[source]]
    return graph


def _spoken_states(grammar: Grammar, graph: Graph) -> dict[tuple[int, int], int]:
    """Adds a state to the graph for each phone and each grammar state that it leads to, directly or by backing off."""
    backoffs: list[list[int]] = [[] for _ in grammar.last_phone]
    for source, target, _ in grammar.backoffs:
        backoffs[source].append(target)
    spoken: dict[tuple[int, int], int] = {}
    waiting = [(phone, target) for _, target, phone, _ in grammar.arcs]
    while waiting:
        phone, state = waiting.pop()
        if (phone, state) not in spoken:
            spoken[phone, state] = graph.states
            graph.states += 1
            waiting += [(phone, shorter) for shorter in backoffs[state]]
    return spoken


def _add_chain(graph: Graph, phone: int, target: int, merged: bool, stay: Vector, leave: Vector, states: int) -> int:
    """Adds one phone's HMM states in front of a grammar state; returns the first of them."""
    new = states - 1 if merged else states
    chain = list(range(graph.states, graph.states + new)) + [target] * merged
    graph.states += new
    for number, state in enumerate(chain):
        label = phone * states + number + 1
        graph.arcs.append((state, state, label, 0, float(stay[label - 1])))
        if number + 1 < states:
            graph.arcs.append((state, chain[number + 1], label + 1, 0, float(leave[label - 1])))
    if not merged:
        graph.arcs.append((chain[-1], target, 0, 0, 0.0))
    return chain[0]
