"""Where two systems differ on an utterance: which of them is right at each phone of the reference, and between them."""

from collections.abc import Sequence
from enum import IntEnum

from asr.scoring.edit_alignment import EditPair, reference_of

Answer = tuple[str | None, ...]
"""What a system has for a phone of the reference, or inserts between two."""


class Place(IntEnum):
    """What a pair of one system's alignment is, seen with the other system's."""

    SAME = 0
    ONLY_OTHER_RIGHT = 1
    ONLY_THIS_RIGHT = 2
    NEITHER_RIGHT = 3
    """Both err, in different ways."""


def differing(first: Sequence[EditPair], second: Sequence[EditPair]) -> tuple[list[Place], list[Place]]:
    """One for each pair of two alignments of the same reference.

    The insertions between two phones of the reference are compared as a whole; a system that inserts nothing is right
    there. Where the references differ, as with pronunciations that fit each hypothesis best, all errors count as
    NEITHER_RIGHT.
    """
    if reference_of(first) != reference_of(second):
        return _errors(first), _errors(second)
    ours, others = _answers(first), _answers(second)
    return _places(first, ours, others), _places(second, others, ours)


def _errors(pairs: Sequence[EditPair]) -> list[Place]:
    return [Place.SAME if reference == found else Place.NEITHER_RIGHT for reference, found in pairs]


def _slots(pairs: Sequence[EditPair]) -> list[int]:
    """The slot of each pair: odd for a phone of the reference, even for what is inserted before it."""
    slots, spoken = [], 0
    for reference, _ in pairs:
        slots.append(2 * spoken + (reference is not None))
        spoken += reference is not None
    return slots


def _answers(pairs: Sequence[EditPair]) -> dict[int, Answer]:
    """What a system has in each slot."""
    answers: dict[int, Answer] = {}
    for (_, hypothesis), slot in zip(pairs, _slots(pairs), strict=True):
        answers[slot] = (*answers.get(slot, ()), hypothesis)
    return answers


def _places(pairs: Sequence[EditPair], this: dict[int, Answer], other: dict[int, Answer]) -> list[Place]:
    return [
        _place((reference,) if slot % 2 else (), this[slot], other.get(slot, ()))
        for (reference, _), slot in zip(pairs, _slots(pairs), strict=True)
    ]


def _place(right: Answer, this: Answer, other: Answer) -> Place:
    if this == other:
        return Place.SAME
    if this == right:
        return Place.ONLY_THIS_RIGHT
    return Place.ONLY_OTHER_RIGHT if other == right else Place.NEITHER_RIGHT
