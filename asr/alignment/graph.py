"""The alignment graph: the HMM states, or the CTC phones and blanks, that a known transcript allows, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, Union

import numpy as np
import numpy.typing as npt

from asr.errors import InputError
from asr.phones.classes import BLANK, Topology

NO_PHONE = -1

Item = Union[int, "Choice"]
"""A phone's index, or a choice."""
Choice = Sequence[Sequence[Item]]
"""The sequences of items that may come at one place. A word is a choice of its pronunciations, an optional silence is a
choice between the silence and the empty sequence."""

Indices = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AlignmentGraph:
    """S states, numbered so that a path never goes back; costs are negative natural logarithms, inf where impossible.

    A path enters by `starts`, moves once a frame, and leaves by `finals`.
    """

    classes: Indices
    """[S]: the class that each state emits."""
    phones: Indices
    """[S]: the phone of the state, NO_PHONE for a blank."""
    units: Indices
    """[S]: the occurrence of a phone that the state belongs to, NO_PHONE for a blank; they count up along a path."""
    items: Indices
    """[S]: the item of the transcript that the state comes from."""
    first: Indices
    """[S + 1]: the moves into a state are `first[state]` to `first[state + 1]` - 1; the first of them stays in it."""
    sources: Indices
    """[M]: the state that each move comes from."""
    costs: Vector
    """[M]: the cost of each move."""
    starts: Vector
    """[S]: the cost of beginning in the state."""
    finals: Vector
    """[S]: the cost of ending in the state."""

    def __len__(self) -> int:
        return len(self.classes)


def build_alignment_graph(
    transcript: Sequence[Item], topology: Topology, states: int, self_loops: Vector
) -> AlignmentGraph:
    """The graph of a transcript for an HMM of `states` states a phone, or for CTC.

    `self_loops` [C]: the probability of staying in each class's state; CTC has none and ignores them.
    Raises InputError for a transcript without a phone.
    """
    chain: _Chain = _CtcChain() if topology == "ctc" else _HmmChain(states, self_loops)
    states_of = _States()
    frontier = chain.begin(states_of)
    for number, item in enumerate(transcript):
        frontier = _follow([item], chain, states_of, frontier, number)
    if not any(phone != NO_PHONE for phone in states_of.phones):
        raise InputError("the transcript has no phones")
    return states_of.graph(frontier)


Frontier = dict[int, float]
"""The states from which the next phone may be entered, each with the cost of leaving it."""
START = -1
"""In a frontier: the beginning, before the first frame."""


@dataclass
class _States:
    """The states so far, and the moves into each."""

    classes: list[int] = field(default_factory=list)
    phones: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    moves: list[list[tuple[int, float]]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    unit: int = NO_PHONE

    def add(self, label: int, phone: int, item: int, before: Frontier, stay: float) -> int:
        """Adds a state after the states of `before`; returns its number."""
        state = len(self.classes)
        self.classes.append(label)
        self.phones.append(phone)
        self.units.append(NO_PHONE if phone == NO_PHONE else self.unit)
        self.items.append(item)
        self.starts.append(before.get(START, np.inf))
        self.moves.append([(state, stay), *((source, cost) for source, cost in before.items() if source != START)])
        return state

    def graph(self, frontier: Frontier) -> AlignmentGraph:
        states = len(self.classes)
        moves = [move for into in self.moves for move in into]
        finals = np.full(states, np.inf)
        for state, cost in frontier.items():
            if state != START:
                finals[state] = cost
        return AlignmentGraph(
            classes=np.array(self.classes, np.int64),
            phones=np.array(self.phones, np.int64),
            units=np.array(self.units, np.int64),
            items=np.array(self.items, np.int64),
            first=np.cumsum([0, *map(len, self.moves)], dtype=np.int64),
            sources=np.array([source for source, _ in moves], np.int64),
            costs=np.array([cost for _, cost in moves]),
            starts=np.array(self.starts),
            finals=finals,
        )


class _Chain(Protocol):
    """How a topology links phones."""

    def begin(self, states: _States) -> Frontier:
        """Where the first phone may be entered from."""

    def enter(self, states: _States, phone: int, item: int, before: Frontier) -> Frontier:
        """Adds a phone after `before`; returns where the next may be entered from."""


def _follow(items: Sequence[Item], chain: _Chain, states: _States, frontier: Frontier, number: int) -> Frontier:
    for item in items:
        if isinstance(item, int):
            states.unit += 1
            frontier = chain.enter(states, item, number, frontier)
        else:
            after: Frontier = {}
            for sequence in item:
                after |= _follow(sequence, chain, states, frontier, number)
            frontier = after
    return frontier


class _HmmChain:
    """Left-to-right states with self-loops and without skips."""

    def __init__(self, states: int, self_loops: Vector) -> None:
        self.states, self.stay, self.leave = states, -np.log(self_loops), -np.log1p(-self_loops)

    def begin(self, states: _States) -> Frontier:
        return {START: 0.0}

    def enter(self, states: _States, phone: int, item: int, before: Frontier) -> Frontier:
        for label in range(phone * self.states, (phone + 1) * self.states):
            state = states.add(label, phone, item, before, float(self.stay[label]))
            before = {state: float(self.leave[label])}
        return before


class _CtcChain:
    """A state for each phone, and blanks around it that may be skipped, except between two equal phones
    (Graves et al. 2006, Connectionist temporal classification)."""

    def begin(self, states: _States) -> Frontier:
        return {START: 0.0, states.add(BLANK, NO_PHONE, 0, {START: 0.0}, 0.0): 0.0}

    def enter(self, states: _States, phone: int, item: int, before: Frontier) -> Frontier:
        apart = {source: cost for source, cost in before.items() if source == START or states.phones[source] != phone}
        state = states.add(phone + 1, phone, item, apart, 0.0)
        blank = states.add(BLANK, NO_PHONE, item, {state: 0.0}, 0.0)
        return {state: 0.0, blank: 0.0}
