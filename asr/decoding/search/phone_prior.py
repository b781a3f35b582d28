"""A phone n-gram as dense tables, for a search that has no graph."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.decoding.search.histories import Histories, Numbers, histories_of
from asr.lm.backoff import END, START, Level, PackedNgrams
from asr.lm.word_starts import phone_of

Integers = npt.NDArray[np.int32]
Logs = npt.NDArray[np.float32]


class PhonePrior(NamedTuple):
    """An n-gram over S symbols: for each history [H, S] the natural log that each symbol adds and the history that
    follows, [H] the natural log that the end adds, and the phone of each symbol [S]. The logs count `weight` times, and
    each phone costs `insertion_penalty`."""

    start: int
    added: Logs
    histories: Integers
    ends: Logs
    phones: Integers
    weight: float = 1.0
    insertion_penalty: float = 0.0

    def weighted(self, weight: float, insertion_penalty: float) -> "PhonePrior":
        """With a weight and a penalty (natural log). With a weight of 0, even what is impossible may be."""
        if not weight:
            return no_prior(len(self.phones))._replace(phones=self.phones, insertion_penalty=float(insertion_penalty))
        return self._replace(weight=float(weight), insertion_penalty=float(insertion_penalty))


def no_prior(phones: int) -> PhonePrior:
    """The prior that adds nothing to any of so many phones."""
    none = np.zeros((1, phones), np.int32)
    nothing = none.astype(np.float32)
    return PhonePrior(0, nothing, none, nothing[:, 0].copy(), np.arange(phones, dtype=np.int32))


def phone_prior(ngrams: PackedNgrams, phones: Sequence[str]) -> PhonePrior:
    """The tables of an n-gram over `phones`, or over these and their word starts, which are the same phones."""
    indices = {phone: index for index, phone in enumerate(phones)}
    unigrams = (ngrams.symbols[number] for number in ngrams.levels[0].symbols[:, 0].tolist())
    symbols = sorted(symbol for symbol in unigrams if phone_of(symbol) in indices)
    columns = [*symbols, END, START]
    levels = [_in_columns(level, ngrams.symbols, columns) for level in ngrams.levels]
    histories, before = histories_of(levels, len(columns), columns.index(START))
    shorter, backoffs = histories.shorter(), _backoffs(histories, levels, before)
    added = np.full((len(histories), len(symbols)), -math.inf, np.float32)
    following = np.zeros((len(histories), len(symbols)), np.int32)
    ends = np.full(len(histories), -math.inf, np.float32)
    for length in range(len(histories.firsts) - 1):
        numbers = histories.of_length(length)
        if length:
            beginnings, last = histories.beginnings(numbers)
            said = last < len(symbols)
            following[beginnings[said], last[said]] = np.arange(numbers.start, numbers.stop)[said]
            following[numbers] = following[shorter[numbers]]
            added[numbers] = backoffs[numbers, None] + added[shorter[numbers]]
            ends[numbers] = backoffs[numbers] + ends[shorter[numbers]]
        if length < len(levels):
            predicted, probabilities = levels[length].symbols[:, -1], levels[length].probabilities
            said, ending = predicted < len(symbols), predicted == columns.index(END)
            added[before[length][said], predicted[said]] = probabilities[said]
            ends[before[length][ending]] = probabilities[ending]
    start = histories.after(np.array([0]), np.array([columns.index(START)]))
    spoken = np.array([indices[phone_of(symbol)] for symbol in symbols], np.int32)
    return PhonePrior(int(start[0]), added, following, ends, spoken)


def _in_columns(level: Level, symbols: Sequence[str], columns: Sequence[str]) -> Level:
    """The n-grams whose symbols all have a column, which are now their numbers."""
    numbers = {symbol: column for column, symbol in enumerate(columns)}
    found = np.array([numbers.get(symbol, -1) for symbol in symbols], np.int32)[level.symbols]
    kept = (found >= 0).all(axis=1)
    return Level(found[kept], level.probabilities[kept], level.backoffs[kept])


def _backoffs(histories: Histories, levels: Sequence[Level], before: Sequence[Numbers]) -> npt.NDArray[np.float32]:
    """The natural log of the weight of backing off from each history [H]; 0 where none is listed."""
    backoffs = np.zeros(len(histories), np.float32)
    for level, numbers in zip(levels, before, strict=True):
        listed = ~np.isnan(level.backoffs)
        own = histories.after(numbers[listed], level.symbols[listed, -1].astype(np.int64))
        backoffs[own] = level.backoffs[listed]
    return backoffs
