"""Back-off n-gram models in memory: by n-gram, to estimate them, and as arrays, to read them and search with them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

START = "<s>"
END = "</s>"


@dataclass(slots=True)
class Ngrams:
    """A back-off n-gram model; keys are n-grams of symbols, values natural logarithms.

    P(z | h) is `probabilities[h + (z,)]` where listed, else exp(`backoffs[h]`) * P(z | h without its oldest symbol),
    with a back-off weight of 1 where none is listed (Katz 1987).
    """

    order: int
    probabilities: dict[tuple[str, ...], float] = field(default_factory=dict)
    backoffs: dict[tuple[str, ...], float] = field(default_factory=dict)

    def log_probability(self, history: tuple[str, ...], symbol: str) -> float:
        """log P(symbol | history), natural; -inf for a symbol that has no unigram."""
        history = history[max(0, len(history) - self.order + 1) :]
        backoff = 0.0
        while (*history, symbol) not in self.probabilities:
            if not history:
                return -math.inf
            backoff += self.backoffs.get(history, 0.0)
            history = history[1:]
        return backoff + self.probabilities[(*history, symbol)]

    def packed(self) -> "PackedNgrams":
        """The same as arrays."""
        symbols = sorted(set(chain.from_iterable(self.probabilities)))
        numbers = {symbol: number for number, symbol in enumerate(symbols)}
        levels = []
        for length in range(1, self.order + 1):
            listed = [ngram for ngram in self.probabilities if len(ngram) == length]
            numbered = [numbers[symbol] for ngram in listed for symbol in ngram]
            levels.append(
                Level(
                    np.array(numbered, np.int32).reshape(len(listed), length),
                    np.array([self.probabilities[ngram] for ngram in listed]),
                    np.array([self.backoffs.get(ngram, math.nan) for ngram in listed]),
                )
            )
        return PackedNgrams(symbols, levels)


@dataclass(frozen=True, slots=True)
class Level:
    """The N n-grams of one length n: the numbers of their symbols [N, n], the natural log probability of the last
    symbol [N], and the natural logs of their back-off weights [N], NaN where none is listed."""

    symbols: npt.NDArray[np.int32]
    probabilities: npt.NDArray[np.float64]
    backoffs: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PackedNgrams:
    """A back-off n-gram model as arrays: what it lists by length, from 1 on, with symbols by number."""

    symbols: Sequence[str]
    levels: Sequence[Level]

    def unpacked(self, order: int | None = None) -> Ngrams:
        """The model by n-gram, without those above `order`; the lower orders are a distribution of their own."""
        ngrams = Ngrams(len(self.levels[:order]))
        for length, level in enumerate(self.levels[:order], 1):
            listed = [tuple(self.symbols[number] for number in row) for row in level.symbols.tolist()]
            ngrams.probabilities.update(zip(listed, level.probabilities.tolist(), strict=True))
            if length < ngrams.order:  # what is as long as that is no history any more
                weights = zip(listed, level.backoffs.tolist(), strict=True)
                ngrams.backoffs.update((ngram, weight) for ngram, weight in weights if not math.isnan(weight))
        return ngrams
