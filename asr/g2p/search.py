"""Search for the most probable pairs of letters and phones that spell a word."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.g2p.ngram import ROOT, NumberNgram

Numbers = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]

BEAM = 40
"""Hypotheses that are kept at each letter."""


class Hypotheses(NamedTuple):
    """Those that spell the first letters, by the number of these [L + 1, B]: their log probabilities (-inf: none), the
    n-grams' nodes, their last pairs, and the hypothesis before that, by its `places` and `numbers`."""

    scores: Vector
    nodes: Numbers
    pairs: Numbers
    places: Numbers
    numbers: Numbers


def best_pairs(
    ngram: NumberNgram, letters: Numbers, pair_letters: Numbers, first: Numbers, beam: int = BEAM
) -> list[tuple[float, list[int]]]:
    """Pairs that spell the letters [L], the best first, each with its log probability (natural).

    `pair_letters` [P, 2]: the letters of each pair, -1 for none, sorted; `first` [letters + 1]: where the pairs of each
    first letter begin.
    """
    scores, pairs, lengths = _search(letters, pair_letters, first, ngram, beam)
    return [(score, row[:length].tolist()) for score, row, length in zip(scores.tolist(), pairs, lengths, strict=True)]


@compiled
def _search(
    letters: Numbers, pair_letters: Numbers, first: Numbers, ngram: NumberNgram, beam: int
) -> tuple[Vector, Numbers, Numbers]:
    """The log probabilities of what spells the letters, the best first, the pairs [N, L] and how many these are."""
    kept = _nothing(len(letters), beam)
    kept.scores[0, 0], kept.nodes[0, 0] = 0.0, ngram.symbols - 1  # of the symbol that begins a sentence
    for place in range(len(letters)):
        for number in range(beam):
            if kept.scores[place, number] > -np.inf:
                _extend(kept, place, number, letters, pair_letters, first, ngram)
    scores = kept.scores[len(letters)]
    for number in range(beam):
        if scores[number] > -np.inf:
            scores[number] += _step(ngram, kept.nodes[len(letters), number], ngram.symbols - 1)[0]
    ranked = np.argsort(-scores)
    ranked = ranked[scores[ranked] > -np.inf]
    pairs, lengths = np.zeros((len(ranked), len(letters)), np.int64), np.zeros(len(ranked), np.int64)
    for rank in range(len(ranked)):
        lengths[rank] = _trace(kept, ranked[rank], pairs[rank])
    return scores[ranked], pairs, lengths


@compiled
def _nothing(letters: int, beam: int) -> Hypotheses:
    shape = letters + 1, beam
    return Hypotheses(
        np.full(shape, -np.inf),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
    )


@compiled
def _extend(
    kept: Hypotheses,
    place: int,
    number: int,
    letters: Numbers,
    pair_letters: Numbers,
    first: Numbers,
    ngram: NumberNgram,
) -> None:
    """Adds a hypothesis with each pair that spells the next letters, where it is better than the worst that is kept."""
    for pair in range(first[letters[place]], first[letters[place] + 1]):
        after, second = place + 1, pair_letters[pair, 1]
        if second >= 0:
            after = place + 2
            if after > len(letters) or second != letters[place + 1]:
                continue
        gain, node = _step(ngram, kept.nodes[place, number], pair)
        score = kept.scores[place, number] + gain
        worst = np.argmin(kept.scores[after])
        if score > kept.scores[after, worst]:
            kept.scores[after, worst] = score
            kept.nodes[after, worst] = ngram.suffixes[node] if ngram.depths[node] == ngram.order else node
            kept.pairs[after, worst] = pair
            kept.places[after, worst], kept.numbers[after, worst] = place, number


@compiled
def _step(ngram: NumberNgram, node: int, symbol: int) -> tuple[float, int]:
    """The log probability of a symbol after a history, and the node of the longest n-gram that gives it."""
    score = 0.0
    while True:
        child = _child(ngram.keys, node * ngram.symbols + symbol)
        if child:
            return score + ngram.log_probabilities[child], child
        if node == ROOT:
            return -np.inf, ROOT
        score += ngram.backoffs[node]
        node = ngram.suffixes[node]


@compiled
def _child(keys: Numbers, key: int) -> int:
    """The node of a key; 0 for none."""
    place = int(np.searchsorted(keys, key))
    return place + 1 if place < len(keys) and keys[place] == key else 0


@compiled
def _trace(kept: Hypotheses, number: int, pairs: Numbers) -> int:
    """Fills `pairs` with those of a hypothesis that spells all letters; returns how many they are."""
    place, size = len(kept.scores) - 1, 0
    while place:
        pairs[size] = kept.pairs[place, number]
        place, number, size = kept.places[place, number], kept.numbers[place, number], size + 1
    for early in range(size // 2):  # the path was followed from its end
        late = size - 1 - early
        pairs[early], pairs[late] = pairs[late], pairs[early]
    return size
