"""Edit alignment of a hypothesis with its reference, with the weights and tie-breaking of NIST sclite.

sclite minimises a weight of 4 for a substitution and 3 for an insertion or a deletion, not the number of errors. Two
alignments of the same weight can differ in errors (three substitutions, or two insertions and two deletions), so equal
counts need its order of preference too. kaldialign's `sclite_mode` has the weights but another order.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

SUBSTITUTION_WEIGHT = 4
INSERTION_WEIGHT = 3
DELETION_WEIGHT = 3
OPTIONAL_DELETION_WEIGHT = 2  # not an error, but sclite prefers a match

EditPair = tuple[str | None, str | None]
"""(reference, hypothesis); None in the reference is an insertion, None in the hypothesis a deletion."""

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
    """
    steps = _best_steps(reference, hypothesis, deletable)
    pairs: list[EditPair] = []
    i, j = len(reference), len(hypothesis)
    while i or j:
        step = _INSERT if i == 0 else _DELETE if j == 0 else steps[i - 1][j - 1]
        i -= step != _INSERT
        j -= step != _DELETE
        pairs.append((reference[i] if step != _INSERT else None, hypothesis[j] if step != _DELETE else None))
    return pairs[::-1]


def count_errors(pairs: Iterable[EditPair], deletable: Set[str] = frozenset()) -> Counts:
    """Counts the errors of an alignment; as in sclite, a missing deletable symbol is a correct reference phone."""
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


def _best_steps(reference: Sequence[str], hypothesis: Sequence[str], deletable: Set[str]) -> list[bytearray]:
    """[reference, hypothesis] the last step of the best alignment of each pair of prefixes.

    Equal weights prefer a match or substitution, then an insertion, then a deletion (SCTK's net_dp.c,
    calculate_internal_cells).
    """
    steps = []
    above = [INSERTION_WEIGHT * j for j in range(len(hypothesis) + 1)]
    for symbol in reference:
        deletion = OPTIONAL_DELETION_WEIGHT if symbol in deletable else DELETION_WEIGHT
        best = above[0] + deletion
        row = [best]
        row_steps = bytearray(len(hypothesis))
        for j, other in enumerate(hypothesis):
            match = above[j] if symbol == other else above[j] + SUBSTITUTION_WEIGHT
            delete = above[j + 1] + deletion
            best += INSERTION_WEIGHT
            if match <= delete and match <= best:
                best = match
            elif delete < best:
                best = delete
                row_steps[j] = _DELETE
            else:
                row_steps[j] = _INSERT
            row.append(best)
        above = row
        steps.append(row_steps)
    return steps
