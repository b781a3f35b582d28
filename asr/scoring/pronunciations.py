"""References whose words have several pronunciations: those count that fit the hypothesis best.

As in sclite, whose references may have alternatives: of all sequences of pronunciations, the one whose edit alignment
with the hypothesis has the least weight. It is found exactly, by an alignment with the graph of all of them.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.formats.transcript import PronouncedWord
from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.edit_alignment import DELETION_WEIGHT, INSERTION_WEIGHT, SUBSTITUTION_WEIGHT, Symbols

Starts = npt.NDArray[np.int64]

Reference = Sequence[str] | Sequence[PronouncedWord]
"""The phones of a reference, or its words with their pronunciations."""


def fitting_phones(reference: Reference, hypothesis: Sequence[str], phone_set: AnyPhoneSet = "timit39") -> list[str]:
    """The phones of a reference, in `phone_set`, in those pronunciations of its words that fit a hypothesis best.

    `hypothesis` is in that set too. Raises InputError for a symbol that the set has no place for.
    """
    words = [each for each in reference if not isinstance(each, str)]
    if not words:
        return fold(cast(Sequence[str], reference), phone_set)
    chosen = fitting_pronunciations(words, hypothesis, phone_set)
    return [phone for pronunciation in chosen for phone in fold(pronunciation, phone_set)]


def fitting_pronunciations(
    words: Sequence[PronouncedWord], hypothesis: Sequence[str], phone_set: AnyPhoneSet = "timit39"
) -> list[tuple[str, ...]]:
    """The pronunciation of each word that fits a hypothesis best, whose silences count for nothing.

    Of pronunciations that fit as well, the first counts.
    """
    silent = silences(phone_set)
    flat = [pronunciation for _, pronunciations in words for pronunciation in pronunciations]
    folded = [fold(pronunciation, phone_set) for pronunciation in flat]
    numbers: dict[str, int] = {}
    heard, phones = (
        np.array([numbers.setdefault(phone, len(numbers)) for phone in side], np.int32)
        for side in (
            (phone for phone in hypothesis if phone not in silent),
            (phone for each in folded for phone in each),
        )
    )
    starts = np.cumsum([0, *map(len, folded)])
    firsts = np.cumsum([0, *(len(pronunciations) for _, pronunciations in words)])
    return [flat[place] for place in _best_choices(phones, starts, firsts, heard).tolist()]


@compiled
def _best_choices(phones: Symbols, starts: Starts, firsts: Starts, hypothesis: Symbols) -> Starts:
    """The pronunciation of each word on the path of the least weight.

    Pronunciation p is phones `starts[p]` to `starts[p + 1]` - 1, word w has pronunciations `firsts[w]` to
    `firsts[w + 1]` - 1.
    """
    words, columns = len(firsts) - 1, len(hypothesis) + 1
    before = np.arange(columns) * INSERTION_WEIGHT
    chosen = np.zeros((words, columns), np.int64)
    entered = np.zeros((words, columns), np.int64)
    for word in range(words):
        after = np.full(columns, np.iinfo(np.int64).max)
        for pronunciation in range(firsts[word], firsts[word + 1]):
            row, origin = before.copy(), np.arange(columns)
            _add_phones(row, origin, phones, starts[pronunciation], starts[pronunciation + 1], hypothesis)
            for j in range(columns):
                if row[j] < after[j]:
                    after[j], chosen[word, j], entered[word, j] = row[j], pronunciation, origin[j]
        before = after
    choices = np.zeros(words, np.int64)
    column = columns - 1
    for word in range(words - 1, -1, -1):
        choices[word] = chosen[word, column]
        column = entered[word, column]
    return choices


@compiled
def _add_phones(row: Starts, origin: Starts, phones: Symbols, start: int, end: int, hypothesis: Symbols) -> None:
    """Carries the least weights on over phones `start` to `end` - 1 of the reference: `row` [J + 1] is the weight at
    each place of the hypothesis, `origin` [J + 1] where the path to there entered the word."""
    for place in range(start, end):
        diagonal, diagonal_origin = row[0], origin[0]
        row[0] += DELETION_WEIGHT
        for j in range(1, len(row)):
            best = diagonal + (0 if phones[place] == hypothesis[j - 1] else SUBSTITUTION_WEIGHT)
            best_origin = diagonal_origin
            diagonal, diagonal_origin = row[j], origin[j]
            if row[j] + DELETION_WEIGHT < best:
                best, best_origin = row[j] + DELETION_WEIGHT, origin[j]
            if row[j - 1] + INSERTION_WEIGHT < best:
                best, best_origin = row[j - 1] + INSERTION_WEIGHT, origin[j - 1]
            row[j], origin[j] = best, best_origin
