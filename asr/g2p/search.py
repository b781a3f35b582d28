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
        _extend(kept, place, letters, pair_letters, first, ngram)
    _end(kept, ngram)
    scores = kept.scores[len(letters)]
    ranked = np.argsort(-scores)
    ranked = ranked[scores[ranked] > -np.inf]
    pairs, lengths = _traced(kept, ranked)
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
    kept: Hypotheses, place: int, letters: Numbers, pair_letters: Numbers, first: Numbers, ngram: NumberNgram
) -> None:
    """Adds the hypotheses that spell the first `place` letters with each pair that spells the next ones, where they are
    better than the worst that is kept."""
    scores, nodes, pairs, places, numbers = kept
    # Each array once, not at each pair, where counting the references to it takes as long as the look-up.
    order, symbols, keys, log_probabilities, backoffs, suffixes, depths = ngram
    for number in range(scores.shape[1]):
        before, history = scores[place, number], nodes[place, number]
        if before == -np.inf:
            continue
        for pair in range(first[letters[place]], first[letters[place] + 1]):
            after, second = place + 1, pair_letters[pair, 1]
            if second >= 0:
                after = place + 2
                if after > len(letters) or second != letters[place + 1]:
                    continue
            worst = np.argmin(scores[after])
            if before <= scores[after, worst]:  # no probability is above 1
                continue
            gain, node = _step(history, pair, symbols, keys, log_probabilities, backoffs, suffixes)
            if before + gain > scores[after, worst]:
                scores[after, worst] = before + gain
                nodes[after, worst] = suffixes[node] if depths[node] == order else node
                pairs[after, worst], places[after, worst], numbers[after, worst] = pair, place, number


@compiled
def _end(kept: Hypotheses, ngram: NumberNgram) -> None:
    """Adds the end of the word to the hypotheses that spell all letters."""
    _, symbols, keys, log_probabilities, backoffs, suffixes, _ = ngram
    scores, nodes = kept.scores[-1], kept.nodes[-1]
    for number in range(len(scores)):
        if scores[number] > -np.inf:
            scores[number] += _step(nodes[number], symbols - 1, symbols, keys, log_probabilities, backoffs, suffixes)[0]


@compiled
def _step(
    node: int,
    symbol: int,
    symbols: int,
    keys: Numbers,
    log_probabilities: Vector,
    backoffs: Vector,
    suffixes: Numbers,
) -> tuple[float, int]:
    """The log probability of a symbol after a history, and the node of the longest n-gram that gives it."""
    score = 0.0
    while True:
        child = _child(keys, node * symbols + symbol)
        if child:
            return score + log_probabilities[child], child
        if node == ROOT:
            return -np.inf, ROOT
        score += backoffs[node]
        node = suffixes[node]


@compiled
def _child(keys: Numbers, key: int) -> int:
    """The node of a key; 0 for none."""
    place = int(np.searchsorted(keys, key))
    return place + 1 if place < len(keys) and keys[place] == key else 0


@compiled
def _traced(kept: Hypotheses, ranked: Numbers) -> tuple[Numbers, Numbers]:
    """The pairs [N, L] of hypotheses that spell all letters, and how many each has."""
    letters = len(kept.scores) - 1
    pairs, lengths = np.zeros((len(ranked), letters), np.int64), np.zeros(len(ranked), np.int64)
    for rank in range(len(ranked)):
        place, number, size = letters, ranked[rank], 0
        while place:
            pairs[rank, size] = kept.pairs[place, number]
            place, number, size = kept.places[place, number], kept.numbers[place, number], size + 1
        for early in range(size // 2):  # the path was followed from its end
            late = size - 1 - early
            pairs[rank, early], pairs[rank, late] = pairs[rank, late], pairs[rank, early]
        lengths[rank] = size
    return pairs, lengths
