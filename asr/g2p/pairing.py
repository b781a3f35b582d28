"""Pairs of letters and phones: each word of a lexicon cut into pairs of one or two letters and up to two phones.

The pairs are found by expectation maximisation of their joint probability over all cuts of all words (Jiampojamarn et
al. 2007, Applying many-to-many alignments and hidden Markov models to letter-to-phoneme conversion).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled

Numbers = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]

PAIR_SHAPES = ((1, 0), (1, 1), (1, 2), (2, 1))
"""Letters and phones of a pair: silent e, b as b, x as k s, ch as ch."""
FIRST_SHARES = (0.1, 0.7, 0.1, 0.1)
"""The probability of each shape at first, spread evenly over its pairs: most pairs are of one letter and one phone."""

ROUNDS = 8
"""Rounds of expectation maximisation."""

SMALLEST = 1e-12
"""Probability below which a pair counts as impossible."""

_LETTERS, _PHONES = np.array(PAIR_SHAPES, np.int64).T.copy()

CutWord = list[tuple[int, int, int]]
"""A word's pairs in order: the shape of each, and where its letters and its phones begin."""


def cut_words(letters: Sequence[Sequence[int]], phones: Sequence[Sequence[int]]) -> list[CutWord]:
    """The most probable cut of each word into pairs, from its letters and its phones as numbers from 0; empty for one
    that cannot be cut, such as an abbreviation."""
    spelled, letter_ends = _flat(letters)
    spoken, phone_ends = _flat(phones)
    sizes = int(spelled.max()) + 1, int(spoken.max()) + 1
    numbers = [sizes[0] ** a * sizes[1] ** b for a, b in PAIR_SHAPES]
    shape_starts = np.cumsum([0, *numbers])
    probabilities = np.repeat(np.array(FIRST_SHARES) / numbers, numbers)
    for _ in range(ROUNDS):
        counts = _expected_counts(spelled, letter_ends, spoken, phone_ends, *sizes, shape_starts, probabilities)
        probabilities = counts / max(counts.sum(), 1.0)
        probabilities[probabilities < SMALLEST] = 0.0
    shapes, ends = _best_cuts(spelled, letter_ends, spoken, phone_ends, *sizes, shape_starts, probabilities)
    return [_cut(shapes[start:end].tolist()) for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]


def _cut(shapes: list[int]) -> CutWord:
    cut, letter, phone = [], 0, 0
    for shape in shapes:
        cut.append((shape, letter, phone))
        letter += PAIR_SHAPES[shape][0]
        phone += PAIR_SHAPES[shape][1]
    return cut


def _flat(rows: Sequence[Sequence[int]]) -> tuple[Numbers, Ends]:
    """All rows one after another, and where each begins and the last one ends."""
    ends = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return np.fromiter((number for row in rows for number in row), np.int32, int(ends[-1])), ends


@compiled
def _place(shape: int, letters: Numbers, i: int, phones: Numbers, j: int, spelled: int, spoken: int) -> int:
    """The place of a pair among those of its shape; its letters begin at i, its phones at j."""
    place = 0
    for k in range(_LETTERS[shape]):
        place = place * spelled + letters[i + k]
    for k in range(_PHONES[shape]):
        place = place * spoken + phones[j + k]
    return place


@compiled
def _expected_counts(
    letters: Numbers,
    letter_ends: Ends,
    phones: Numbers,
    phone_ends: Ends,
    spelled: int,
    spoken: int,
    shape_starts: Ends,
    probabilities: Vector,
) -> Vector:
    """How often each pair occurs, over all cuts of each word by their probability (forward-backward)."""
    counts = np.zeros_like(probabilities)
    for word in range(len(letter_ends) - 1):
        spelling = letters[letter_ends[word] : letter_ends[word + 1]]
        sounds = phones[phone_ends[word] : phone_ends[word + 1]]
        rows, columns = len(spelling), len(sounds)
        forward = np.zeros((rows + 1, columns + 1))
        backward = np.zeros((rows + 1, columns + 1))
        forward[0, 0] = backward[rows, columns] = 1.0
        for i in range(rows):
            for j in range(columns + 1):
                if forward[i, j] > 0.0:
                    for shape in range(len(_LETTERS)):
                        a, b = _LETTERS[shape], _PHONES[shape]
                        if i + a <= rows and j + b <= columns:
                            pair = shape_starts[shape] + _place(shape, spelling, i, sounds, j, spelled, spoken)
                            forward[i + a, j + b] += forward[i, j] * probabilities[pair]
        total = forward[rows, columns]
        if total == 0.0:
            continue
        for i in range(rows - 1, -1, -1):
            for j in range(columns, -1, -1):
                for shape in range(len(_LETTERS)):
                    a, b = _LETTERS[shape], _PHONES[shape]
                    if i + a <= rows and j + b <= columns:
                        pair = shape_starts[shape] + _place(shape, spelling, i, sounds, j, spelled, spoken)
                        through = probabilities[pair] * backward[i + a, j + b]
                        backward[i, j] += through
                        counts[pair] += forward[i, j] * through / total
    return counts


@compiled
def _best_cuts(
    letters: Numbers,
    letter_ends: Ends,
    phones: Numbers,
    phone_ends: Ends,
    spelled: int,
    spoken: int,
    shape_starts: Ends,
    probabilities: Vector,
) -> tuple[npt.NDArray[np.int8], Ends]:
    """The shapes of the pairs of each word's most probable cut, one word after another, and where each word begins and
    the last one ends."""
    shapes = np.empty(len(letters), np.int8)
    ends = np.zeros(len(letter_ends), np.int64)
    for word in range(len(letter_ends) - 1):
        spelling = letters[letter_ends[word] : letter_ends[word + 1]]
        sounds = phones[phone_ends[word] : phone_ends[word + 1]]
        rows, columns = len(spelling), len(sounds)
        best = np.zeros((rows + 1, columns + 1))
        steps = np.full((rows + 1, columns + 1), -1, np.int8)
        best[0, 0] = 1.0
        for i in range(rows):
            for j in range(columns + 1):
                for shape in range(len(_LETTERS)):
                    a, b = _LETTERS[shape], _PHONES[shape]
                    if best[i, j] > 0.0 and i + a <= rows and j + b <= columns:
                        pair = shape_starts[shape] + _place(shape, spelling, i, sounds, j, spelled, spoken)
                        score = best[i, j] * probabilities[pair]
                        if score > best[i + a, j + b]:
                            best[i + a, j + b], steps[i + a, j + b] = score, shape
        ends[word + 1] = ends[word]
        if best[rows, columns] == 0.0:
            continue
        i, j, place = rows, columns, ends[word]
        while i or j:
            shape = steps[i, j]
            shapes[place] = shape
            i, j, place = i - _LETTERS[shape], j - _PHONES[shape], place + 1
        ends[word + 1] = place
        for first in range(ends[word], (ends[word] + place) // 2):  # the path was followed from its end
            place -= 1
            shapes[first], shapes[place] = shapes[place], shapes[first]
    return shapes, ends
