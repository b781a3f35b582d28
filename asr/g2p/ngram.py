"""An n-gram of numbers in arrays, for a million tokens and orders at which `asr.lm`, in text and dictionaries, takes
minutes. The estimate is the same: interpolated modified Kneser-Ney (see `asr.lm.ngram`)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.kneser_ney import discounts

Nodes = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]

ROOT = 0
"""The node of the empty history."""


class NumberNgram(NamedTuple):
    """A tree whose nodes are n-grams; node k > 0 continues its parent by a symbol: `keys`[k - 1] = parent * V + symbol.

    The V symbols are numbered from 0; V - 2 begins a sentence and V - 1 ends it. Logarithms are natural.
    """

    order: int
    symbols: int
    keys: Nodes
    """[K - 1], rising."""
    log_probabilities: Vector
    """[K]: of a node's last symbol after the others."""
    backoffs: Vector
    """[K]: the log weight of what a history's own `suffixes` node predicts; 0 for a node that is no history."""
    suffixes: Nodes
    """[K]: the node without its first symbol."""
    depths: npt.NDArray[np.int8]
    """[K]: how many symbols a node has."""


def estimate_ngram(sentences: Sequence[Sequence[int]], symbols: int, order: int) -> NumberNgram:
    """The model of sentences of the symbols 0 to `symbols` - 1; all symbols have a probability after any history."""
    start, end, size = symbols, symbols + 1, symbols + 2
    tokens = np.fromiter((each for one in sentences for each in (start, *one, end)), np.int64)
    lengths = np.array([len(one) + 2 for one in sentences])
    places = np.arange(len(tokens)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    keys, suffixes, counts, initial = [np.arange(size)], [np.zeros(size, np.int64)], [], []
    raw = np.bincount(tokens, minlength=size)
    raw[start] = 0
    counts.append(raw)
    initial.append(np.zeros(size, bool))
    nodes, known = tokens + 1, size + 1  # the node of the n-gram that ends at each token
    for length in range(2, order + 1):
        at = np.flatnonzero(places >= length - 1)
        longer, first, inverse, times = np.unique(
            nodes[at - 1] * size + tokens[at], return_index=True, return_inverse=True, return_counts=True
        )
        keys.append(longer)
        suffixes.append(nodes[at][first])
        counts.append(times)
        initial.append(places[at][first] == length - 1)
        nodes = np.where(places >= length - 1, 0, nodes)
        nodes[at] = known + inverse
        known += len(longer)
    return _smoothed(order, size, keys, suffixes, counts, initial)


def _smoothed(
    order: int, size: int, keys: list[Nodes], suffixes: list[Nodes], counts: list[Nodes], initial: list[npt.NDArray]
) -> NumberNgram:
    offsets = np.cumsum([1, *map(len, keys)])
    total = int(offsets[-1])
    probabilities, backoffs = np.zeros(total), np.zeros(total)
    probabilities[ROOT] = 1 / (size - 1)
    for number, (key, suffix) in enumerate(zip(keys, suffixes, strict=True)):
        count = counts[number]
        if number + 1 < order:  # how many symbols an n-gram follows, instead of how often it occurs
            contexts = np.bincount(suffixes[number + 1] - offsets[number], minlength=len(key))
            count = np.where(initial[number], count, contexts)
        discount = np.array([0.0, *discounts(*np.bincount(count, minlength=5)[1:5].tolist())])[np.minimum(count, 3)]
        parents = key // size
        sums = np.bincount(parents, count, minlength=total)
        left = np.bincount(parents, discount, minlength=total)
        history = sums > 0
        weights = np.where(history, left / np.where(history, sums, 1.0), 1.0)
        backoffs[history] = np.log(weights[history])
        own = (count - discount) / sums[parents]
        probabilities[offsets[number] : offsets[number + 1]] = own + weights[parents] * probabilities[suffix]
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities)
    logs[1 + size - 2] = -np.inf  # the beginning of a sentence follows nothing
    return NumberNgram(
        order,
        size,
        np.concatenate(keys),
        logs,
        backoffs,
        np.concatenate([[ROOT], *suffixes]),
        np.repeat(np.arange(order + 1), [1, *map(len, keys)]).astype(np.int8),
    )
