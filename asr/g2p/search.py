"""Search for the most probable pairs of letters and phones that spell a word."""

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.g2p.ngram import ROOT, NumberNgram

Numbers = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]

BEAM = 40
"""Hypotheses that are kept at each letter."""


def best_pairs(
    ngram: NumberNgram, letters: Numbers, pair_letters: Numbers, first: Numbers, beam: int = BEAM
) -> list[tuple[float, list[int]]]:
    """Pairs that spell the letters [L], the best first, each with its log probability (natural).

    `pair_letters` [P, 2]: the letters of each pair, -1 for none, sorted; `first` [letters + 1]: where the pairs of each
    first letter begin.
    """
    scores, pairs, lengths = _search(
        letters,
        pair_letters,
        first,
        ngram.symbols,
        ngram.keys,
        ngram.log_probabilities,
        ngram.backoffs,
        ngram.suffixes,
        ngram.depths,
        ngram.order,
        beam,
    )
    return [(score, row[:length].tolist()) for score, row, length in zip(scores.tolist(), pairs, lengths, strict=True)]


@compiled
def _child(keys: Numbers, key: int) -> int:
    """The node of a key; 0 for none."""
    place = int(np.searchsorted(keys, key))
    return place + 1 if place < len(keys) and keys[place] == key else 0


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
def _search(
    letters: Numbers,
    pair_letters: Numbers,
    first: Numbers,
    symbols: int,
    keys: Numbers,
    log_probabilities: Vector,
    backoffs: Vector,
    suffixes: Numbers,
    depths: npt.NDArray[np.int8],
    order: int,
    beam: int,
) -> tuple[Vector, Numbers, Numbers]:
    length = len(letters)
    # The hypotheses at each place: score, node, last pair, and the hypothesis (place, number) before it.
    scores = np.full((length + 1, beam), -np.inf)
    nodes = np.zeros((length + 1, beam), np.int64)
    pairs = np.zeros((length + 1, beam), np.int64)
    places = np.zeros((length + 1, beam), np.int64)
    befores = np.zeros((length + 1, beam), np.int64)
    scores[0, 0] = 0.0
    nodes[0, 0] = symbols - 1  # of the symbol that begins a sentence
    for place in range(length):
        for number in range(beam):
            if scores[place, number] == -np.inf:
                continue
            for pair in range(first[letters[place]], first[letters[place] + 1]):
                after = place + 1
                if pair_letters[pair, 1] >= 0:
                    after = place + 2
                    if after > length or pair_letters[pair, 1] != letters[place + 1]:
                        continue
                gain, node = _step(nodes[place, number], pair, symbols, keys, log_probabilities, backoffs, suffixes)
                score = scores[place, number] + gain
                worst = np.argmin(scores[after])
                if score > scores[after, worst]:
                    scores[after, worst] = score
                    nodes[after, worst] = suffixes[node] if depths[node] == order else node
                    pairs[after, worst] = pair
                    places[after, worst] = place
                    befores[after, worst] = number
    for number in range(beam):
        if scores[length, number] > -np.inf:
            gain, _ = _step(nodes[length, number], symbols - 1, symbols, keys, log_probabilities, backoffs, suffixes)
            scores[length, number] += gain
    ranked = np.argsort(-scores[length])
    ranked = ranked[scores[length][ranked] > -np.inf]
    found = np.zeros((len(ranked), length), np.int64)
    lengths = np.zeros(len(ranked), np.int64)
    for rank in range(len(ranked)):
        place, number, size = length, ranked[rank], 0
        while place:
            found[rank, size] = pairs[place, number]
            place, number, size = places[place, number], befores[place, number], size + 1
        for early in range(size // 2):  # the path was followed from its end
            late = size - 1 - early
            found[rank, early], found[rank, late] = found[rank, late], found[rank, early]
        lengths[rank] = size
    return scores[length][ranked], found, lengths
