"""Pairs of letters and phones: each word of a lexicon cut into pairs of one or two letters and up to two phones.

The pairs are found by expectation maximisation of their joint probability over all cuts of all words (Jiampojamarn et
al. 2007, Applying many-to-many alignments and hidden Markov models to letter-to-phoneme conversion).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled

Numbers = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]
Table = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.int8]

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


class Words(NamedTuple):
    """The letters and the phones of words, one word after another, and where each word's begin and the last one's
    end."""

    letters: Numbers
    letter_ends: Ends
    phones: Numbers
    phone_ends: Ends


class Numbering(NamedTuple):
    """How pairs are numbered: by shape from `starts` [4 + 1], and in these by letters and phones, of which there are so
    many."""

    letters: int
    phones: int
    starts: Ends


def cut_words(letters: Sequence[Sequence[int]], phones: Sequence[Sequence[int]]) -> list[CutWord]:
    """The most probable cut of each word into pairs, from its letters and its phones as numbers from 0; empty for one
    that cannot be cut, such as an abbreviation."""
    words = Words(*_flat(letters), *_flat(phones))
    sizes = int(words.letters.max()) + 1, int(words.phones.max()) + 1
    counts = [sizes[0] ** a * sizes[1] ** b for a, b in PAIR_SHAPES]
    numbering = Numbering(*sizes, np.cumsum([0, *counts]))
    probabilities = np.repeat(np.array(FIRST_SHARES) / counts, counts)
    for _ in range(ROUNDS):
        expected = _expected_counts(words, numbering, probabilities)
        probabilities = expected / max(expected.sum(), 1.0)
        probabilities[probabilities < SMALLEST] = 0.0
    shapes, ends = _best_cuts(words, numbering, probabilities)
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
def _expected_counts(words: Words, numbering: Numbering, probabilities: Vector) -> Vector:
    """How often each pair occurs, over all cuts of each word by their probability (forward-backward)."""
    counts = np.zeros_like(probabilities)
    for word in range(len(words.letter_ends) - 1):
        pairs = _word_pairs(words, numbering, word)
        forward = _forward(pairs, probabilities)
        if forward[-1, -1] > 0.0:
            _add_counts(counts, pairs, probabilities, forward)
    return counts


@compiled
def _word_pairs(words: Words, numbering: Numbering, word: int) -> Ends:
    """[I + 1, J + 1, 4] the pair of each shape that begins at each letter and phone of a word; -1 where none fits."""
    spelling = words.letters[words.letter_ends[word] : words.letter_ends[word + 1]]
    sounds = words.phones[words.phone_ends[word] : words.phone_ends[word + 1]]
    pairs = np.full((len(spelling) + 1, len(sounds) + 1, len(_LETTERS)), -1, np.int64)
    for shape in range(len(_LETTERS)):
        for i in range(len(spelling) + 1 - _LETTERS[shape]):
            for j in range(len(sounds) + 1 - _PHONES[shape]):
                place = 0
                for k in range(_LETTERS[shape]):
                    place = place * numbering.letters + spelling[i + k]
                for k in range(_PHONES[shape]):
                    place = place * numbering.phones + sounds[j + k]
                pairs[i, j, shape] = numbering.starts[shape] + place
    return pairs


@compiled
def _forward(pairs: Ends, probabilities: Vector) -> Table:
    """[I + 1, J + 1] the probability of all cuts of a word's first letters and phones."""
    rows, columns, shapes = pairs.shape
    forward = np.zeros((rows, columns))
    forward[0, 0] = 1.0
    for i in range(rows - 1):
        for j in range(columns):
            for shape in range(shapes):
                pair = pairs[i, j, shape]
                if pair >= 0:
                    forward[i + _LETTERS[shape], j + _PHONES[shape]] += forward[i, j] * probabilities[pair]
    return forward


@compiled
def _add_counts(counts: Vector, pairs: Ends, probabilities: Vector, forward: Table) -> None:
    """Adds to the `counts` of pairs how often each occurs in all cuts of a word."""
    rows, columns, shapes = pairs.shape
    backward = np.zeros((rows, columns))
    backward[-1, -1], total = 1.0, forward[-1, -1]
    for i in range(rows - 2, -1, -1):
        for j in range(columns - 1, -1, -1):
            for shape in range(shapes):
                pair = pairs[i, j, shape]
                if pair >= 0:
                    through = probabilities[pair] * backward[i + _LETTERS[shape], j + _PHONES[shape]]
                    backward[i, j] += through
                    counts[pair] += forward[i, j] * through / total


@compiled
def _best_cuts(words: Words, numbering: Numbering, probabilities: Vector) -> tuple[Shapes, Ends]:
    """The shapes of the pairs of each word's most probable cut, one word after another, and where each word begins and
    the last one ends."""
    shapes, ends = np.empty(len(words.letters), np.int8), np.zeros(len(words.letter_ends), np.int64)
    for word in range(len(words.letter_ends) - 1):
        steps = _best_steps(_word_pairs(words, numbering, word), probabilities)
        ends[word + 1] = ends[word] + _trace(steps, shapes[ends[word] :])
    return shapes, ends


@compiled
def _best_steps(pairs: Ends, probabilities: Vector) -> Shapes:
    """[I + 1, J + 1] the shape of the last pair in the most probable cut of a word's first letters and phones; -1 where
    there is no cut."""
    rows, columns, shapes = pairs.shape
    best, steps = np.zeros((rows, columns)), np.full((rows, columns), -1, np.int8)
    best[0, 0] = 1.0
    for i in range(rows - 1):
        for j in range(columns):
            for shape in range(shapes):
                pair, a, b = pairs[i, j, shape], _LETTERS[shape], _PHONES[shape]
                if pair >= 0 and best[i, j] * probabilities[pair] > best[i + a, j + b]:
                    best[i + a, j + b], steps[i + a, j + b] = best[i, j] * probabilities[pair], shape
    return steps


@compiled
def _trace(steps: Shapes, shapes: Shapes) -> int:
    """Fills `shapes` with those of the pairs of a word; returns how many they are, 0 for one that cannot be cut."""
    i, j, size = steps.shape[0] - 1, steps.shape[1] - 1, 0
    while steps[i, j] >= 0:
        shapes[size] = steps[i, j]
        i, j, size = i - _LETTERS[shapes[size]], j - _PHONES[shapes[size]], size + 1
    for early in range(size // 2):  # the path was followed from its end
        late = size - 1 - early
        shapes[early], shapes[late] = shapes[late], shapes[early]
    return size
