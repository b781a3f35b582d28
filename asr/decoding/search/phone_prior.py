"""A phone n-gram as dense tables, for a search that has no graph."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.lm.arpa import END, START, Ngrams
from asr.lm.word_starts import phone_of

Integers = npt.NDArray[np.int32]
Logarithms = npt.NDArray[np.float64]
History = tuple[str, ...]


class PhonePrior(NamedTuple):
    """An n-gram over S symbols: for each history [H, S] the natural log that each symbol adds and the history that
    follows, [H] the natural log that the end adds, and the phone of each symbol [S]."""

    start: int
    added: Logarithms
    histories: Integers
    ends: Logarithms
    phones: Integers

    def weighted(self, weight: float, insertion_penalty: float) -> "PhonePrior":
        """`weight` times the logs, less a penalty (natural log) for each phone."""
        added, ends = (weight * logs if weight else np.zeros_like(logs) for logs in (self.added, self.ends))
        return self._replace(added=added - insertion_penalty, ends=ends)


def no_prior(phones: int) -> PhonePrior:
    """The prior that adds nothing to any of so many phones."""
    none = np.zeros((1, phones), np.int32)
    return PhonePrior(0, none.astype(np.float64), none, np.zeros(1), np.arange(phones, dtype=np.int32))


def phone_prior(ngrams: Ngrams, phones: Sequence[str]) -> PhonePrior:
    """The tables of an n-gram over `phones`, or over these and their word starts, which are the same phones."""
    indices = {phone: index for index, phone in enumerate(phones)}
    unigrams = [ngram[0] for ngram in ngrams.probabilities if len(ngram) == 1]
    symbols = sorted(symbol for symbol in unigrams if phone_of(symbol) in indices)
    columns = {symbol: column for column, symbol in enumerate([*symbols, END])}
    listed = _listed(ngrams, columns)
    histories = sorted(listed, key=lambda history: (len(history), history))
    numbers = {history: number for number, history in enumerate(histories)}
    longer: defaultdict[History, list[tuple[int, int]]] = defaultdict(list)
    for history, number in numbers.items():
        if history and history[-1] in columns:
            longer[history[:-1]].append((columns[history[-1]], number))
    logs = np.full((len(histories), len(columns)), -math.inf)
    following = np.zeros((len(histories), len(symbols)), np.int32)
    for history, number in numbers.items():
        if history:
            shorter, backoff = _shorter(history, numbers, ngrams)
            logs[number] = backoff + logs[shorter]
            following[number] = following[shorter]
        for column, probability in listed[history]:
            logs[number, column] = probability
        for column, extended in longer[history]:
            following[number, column] = extended
    spoken = np.array([indices[phone_of(symbol)] for symbol in symbols], np.int32)
    added, ends = np.ascontiguousarray(logs[:, :-1]), logs[:, -1].copy()
    return PhonePrior(numbers[(START,)], added, following, ends, spoken)


def _listed(ngrams: Ngrams, columns: Mapping[str, int]) -> dict[History, list[tuple[int, float]]]:
    """The columns and log probabilities of the n-grams of each history; also of histories that only begin others."""
    listed: dict[History, list[tuple[int, float]]] = {(): [], (START,): []}
    for ngram, probability in ngrams.probabilities.items():
        if ngram[-1] in columns:
            listed.setdefault(ngram[:-1], []).append((columns[ngram[-1]], probability))
    for history in list(listed):
        for end in range(len(history)):
            listed.setdefault(history[:end], [])
    return listed


def _shorter(history: History, numbers: Mapping[History, int], ngrams: Ngrams) -> tuple[int, float]:
    """The number of the longest shorter history that has one, and the log weight of backing off to it."""
    shorter, backoff = history[1:], ngrams.backoffs.get(history, 0.0)
    while shorter not in numbers:
        backoff += ngrams.backoffs.get(shorter, 0.0)
        shorter = shorter[1:]
    return numbers[shorter], backoff
