"""Edit alignment of a hypothesis with its reference, with the weights and tie-breaking of NIST sclite.

sclite minimises a weight of 4 for a substitution and 3 for an insertion or a deletion, not the number of errors. Two
alignments of the same weight can differ in errors (three substitutions, or two insertions and two deletions), so equal
counts need its order of preference too. kaldialign's `sclite_mode` has the weights but another order.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled

SUBSTITUTION_WEIGHT = 4
INSERTION_WEIGHT = 3
DELETION_WEIGHT = 3
OPTIONAL_DELETION_WEIGHT = 2  # not an error, but sclite prefers a match

EditPair = tuple[str | None, str | None]
"""(reference, hypothesis); None in the reference is an insertion, None in the hypothesis a deletion."""

Symbols = npt.NDArray[np.int32]

Outcome = Literal["right", "substituted", "deleted", "inserted"]
MARKS: dict[Outcome, str] = {"right": "", "substituted": "S", "deleted": "D", "inserted": "I"}
"""How alignments are marked wherever people read them."""

_MATCH, _DELETE, _INSERT = range(3)


@dataclass(frozen=True, slots=True)
class Counts:
    """Errors and reference phones of one or more utterances."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_phones: int = 0

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def per(self) -> float | None:
        """Phone error rate in per cent; None without reference phones."""
        return 100 * self.errors / self.reference_phones if self.reference_phones else None

    def to_json(self) -> dict[str, int]:
        return {
            "substitutions": self.substitutions,
            "deletions": self.deletions,
            "insertions": self.insertions,
            "reference_phones": self.reference_phones,
        }

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference_phones + other.reference_phones,
        )


def edit_alignment(
    reference: Sequence[str], hypothesis: Sequence[str], deletable: Set[str] = frozenset()
) -> list[EditPair]:
    """The alignment that sclite chooses, as pairs in order.

    `deletable` are the reference symbols that sclite would be given in brackets, with its option -D. Time and memory
    grow with the product of the two lengths.

    >>> edit_alignment(["hh", "ah", "l", "ow"], ["hh", "eh", "l"])
    [('hh', 'hh'), ('ah', 'eh'), ('l', 'l'), ('ow', None)]
    """
    numbers: dict[str, int] = {}
    spoken, recognised = (
        np.array([numbers.setdefault(symbol, len(numbers)) for symbol in side], np.int32)
        for side in (reference, hypothesis)
    )
    deletions = np.full(len(spoken), DELETION_WEIGHT, np.int32)
    if deletable:
        deletions[[symbol in deletable for symbol in reference]] = OPTIONAL_DELETION_WEIGHT
    rows, columns = _best_path(spoken, recognised, deletions)
    return [
        (reference[i] if i >= 0 else None, hypothesis[j] if j >= 0 else None)
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def reference_of(pairs: Iterable[EditPair]) -> list[str]:
    """The reference that an alignment is of.

    >>> reference_of([("hh", "hh"), (None, "ih"), ("ah", None)])
    ['hh', 'ah']
    """
    return [reference for reference, _ in pairs if reference is not None]


def outcome_of(pair: EditPair) -> Outcome:
    """What a pair of an alignment counts as.

    >>> outcome_of(("ih", None))
    'deleted'
    """
    reference, hypothesis = pair
    if reference == hypothesis:
        return "right"
    return "inserted" if reference is None else "deleted" if hypothesis is None else "substituted"


def count_errors(pairs: Iterable[EditPair], deletable: Set[str] = frozenset()) -> Counts:
    """Counts the errors of an alignment; as in sclite, a missing deletable symbol is a correct reference phone.

    >>> counts = count_errors([("hh", "hh"), ("ah", "eh"), ("l", "l"), ("ow", None)])
    >>> counts.errors, counts.per
    (2, 50.0)
    """
    substitutions = deletions = insertions = reference_phones = 0
    for reference, hypothesis in pairs:
        reference_phones += reference is not None
        if reference is None:
            insertions += 1
        elif hypothesis is None:
            deletions += reference not in deletable
        elif reference != hypothesis:
            substitutions += 1
    return Counts(substitutions, deletions, insertions, reference_phones)


@compiled
def count_best_errors(reference: Symbols, hypothesis: Symbols) -> int:
    """The errors of the alignment that sclite chooses between two sequences of numbers, [N] and [M]."""
    deletions = np.full(len(reference), DELETION_WEIGHT, np.int32)
    rows, columns = _best_path(reference, hypothesis, deletions)
    errors = 0
    for i, j in zip(rows, columns):  # noqa: B905 - Numba knows no strict zip
        errors += i < 0 or j < 0 or reference[i] != hypothesis[j]
    return errors


@compiled
def _best_path(reference: Symbols, hypothesis: Symbols, deletions: Symbols) -> tuple[Symbols, Symbols]:
    """The places in the reference and the hypothesis of each pair of the best alignment; -1 for none.

    Equal weights prefer a match or substitution, then an insertion, then a deletion (SCTK's net_dp.c,
    calculate_internal_cells).
    """
    spoken, recognised = len(reference), len(hypothesis)
    steps = np.empty((spoken, recognised), np.int8)
    above = np.arange(recognised + 1, dtype=np.int64) * INSERTION_WEIGHT
    for i in range(spoken):
        diagonal = above[0]
        best = diagonal + deletions[i]
        above[0] = best
        for j in range(recognised):
            match = diagonal if reference[i] == hypothesis[j] else diagonal + SUBSTITUTION_WEIGHT
            diagonal = above[j + 1]
            delete = diagonal + deletions[i]
            best += INSERTION_WEIGHT
            step = _INSERT
            if match <= delete and match <= best:
                best, step = match, _MATCH
            elif delete < best:
                best, step = delete, _DELETE
            above[j + 1] = best
            steps[i, j] = step
    rows, columns = np.empty(spoken + recognised, np.int32), np.empty(spoken + recognised, np.int32)
    i, j, place = spoken, recognised, spoken + recognised
    while i or j:
        step = _INSERT if i == 0 else _DELETE if j == 0 else steps[i - 1, j - 1]
        i -= step != _INSERT
        j -= step != _DELETE
        place -= 1
        rows[place] = i if step != _INSERT else -1
        columns[place] = j if step != _DELETE else -1
    return rows[place:], columns[place:]
