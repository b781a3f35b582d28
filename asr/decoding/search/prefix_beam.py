"""CTC prefix beam search without a graph (Graves & Jaitly 2014, algorithm 1; Hannun et al. 2014, algorithm 1).

Where a best-path search takes the best alignment of a phone sequence, this one adds up the probabilities of all its
alignments. So several models can be searched as one, though each aligns in its own way: what is averaged over them is
the log probability of a phone sequence, not that of a frame.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.search.beam import Path, PhoneSequence, check_scores
from asr.decoding.search.forced_path import forced_path
from asr.decoding.search.growing import with_room
from asr.errors import InputError
from asr.lm.arpa import END, START, Ngrams
from asr.lm.word_starts import phone_of
from asr.phones.classes import BLANK

Integers = npt.NDArray[np.int32]
Logarithms = npt.NDArray[np.float64]

Records = npt.NDArray[np.void]

NEVER = -math.inf
PREFIX = np.dtype(
    [
        ("parent", "i4"),
        ("symbol", "i4"),
        ("child", "i4"),
        ("sibling", "i4"),
        ("slot", "i4"),
        ("history", "i4"),
        ("language", "f8"),
    ],
    align=True,
)
"""A node of the tree of prefixes: the prefix that is shorter by the last symbol, the first that is longer and the next
of that one's (-1: none), its place in the beam (-1), the n-gram's history, and all that the prior has added."""


@dataclass(frozen=True, slots=True)
class PhonePrior:
    """An n-gram over S symbols as tables: for each history [H, S] the natural log that each symbol adds and the history
    behind it, [H] the natural log that the end adds, and the phone of each symbol [S]."""

    start: int
    added: Logarithms
    histories: Integers
    ends: Logarithms
    phones: Integers

    def weighted(self, weight: float, insertion_penalty: float) -> "PhonePrior":
        """`weight` times the logs, less a penalty (natural log) for each phone."""
        added, ends = (weight * logs if weight else np.zeros_like(logs) for logs in (self.added, self.ends))
        return replace(self, added=added - insertion_penalty, ends=ends)


def phone_prior(ngrams: Ngrams, phones: Sequence[str]) -> PhonePrior:
    """The tables of an n-gram over `phones`, or over these and their word starts, which are the same phones."""
    indices = {phone: index for index, phone in enumerate(phones)}
    unigrams = [ngram[0] for ngram in ngrams.probabilities if len(ngram) == 1]
    symbols = sorted(symbol for symbol in unigrams if phone_of(symbol) in indices)
    columns = {symbol: column for column, symbol in enumerate([*symbols, END])}
    listed: dict[tuple[str, ...], list[tuple[int, float]]] = {(): [], (START,): []}
    for ngram, probability in ngrams.probabilities.items():
        if ngram[-1] in columns:
            listed.setdefault(ngram[:-1], []).append((columns[ngram[-1]], probability))
    for history in list(listed):
        for end in range(len(history)):
            listed.setdefault(history[:end], [])
    histories = sorted(listed, key=lambda history: (len(history), history))
    numbers = {history: number for number, history in enumerate(histories)}
    longer: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for history, number in numbers.items():
        if history and history[-1] in columns:
            longer[history[:-1]].append((columns[history[-1]], number))
    tables = np.full((len(histories), len(columns)), NEVER)
    following = np.zeros((len(histories), len(symbols)), np.int32)
    for history, number in numbers.items():
        if history:
            shorter, backoff = history[1:], ngrams.backoffs.get(history, 0.0)
            while shorter not in numbers:
                backoff += ngrams.backoffs.get(shorter, 0.0)
                shorter = shorter[1:]
            tables[number] = backoff + tables[numbers[shorter]]
            following[number] = following[numbers[shorter]]
        for column, probability in listed[history]:
            tables[number, column] = probability
        for column, behind in longer[history]:
            following[number, column] = behind
    spoken = np.array([indices[phone_of(symbol)] for symbol in symbols], np.int32)
    return PhonePrior(numbers[(START,)], tables[:, :-1], following, tables[:, -1].copy(), spoken)


def prefix_beam_search(
    log_posteriors: npt.NDArray[np.float32], beam: int, prior: PhonePrior | None = None, count: int = 1
) -> list[PhoneSequence]:
    """The `count` most probable phone sequences of log posteriors [T, 1 + P] (natural), best first; of several models
    [M, T, 1 + P], by the mean of their log probabilities.

    `beam` prefixes survive each frame. With a prior, a sequence's score is log P(sequence | frames) plus what the prior
    adds, for the end too; several sequences of its symbols that are the same phones count as one. Raises InputError for
    posteriors that are no numbers, ValueError for a beam below 1.
    """
    if beam < 1:
        raise ValueError("beam must be at least 1")
    if np.isnan(log_posteriors).any():
        raise InputError("acoustic scores are not finite; the model's training has diverged, train it again")
    phones = log_posteriors.shape[-1] - 1
    if prior is None:
        none = np.zeros((1, phones), np.int32)
        prior = PhonePrior(0, none.astype(np.float64), none, np.zeros(1), np.arange(phones, dtype=np.int32))
    scores, prefixes, tree = _search(
        _of_models(log_posteriors).astype(np.float64),
        beam,
        prior.start,
        prior.added,
        prior.histories,
        prior.ends,
        prior.phones,
    )
    spoken, parents, symbols = prior.phones.tolist(), tree["parent"], tree["symbol"]
    summed: dict[tuple[int, ...], float] = {}
    for score, prefix in zip(scores.tolist(), prefixes.tolist(), strict=True):
        sequence = []
        while prefix:
            sequence.append(spoken[symbols[prefix]])
            prefix = parents[prefix]
        key = tuple(sequence[::-1])
        summed[key] = float(np.logaddexp(summed[key], score)) if key in summed else score
    found = [PhoneSequence(list(sequence), score) for sequence, score in summed.items()]
    return sorted(found, key=lambda hypothesis: (-hypothesis.score, hypothesis.phones))[:count]


class PrefixBeamDecoder:
    """Finds the phones that are best over all their alignments, and then their best alignment.

    Of several models, [M, T, C], the alignment is by the first.
    """

    def __init__(self, prior: PhonePrior, beam: int, lm_weight: float = 1.0, insertion_penalty: float = 0.0) -> None:
        self.prior, self.beam, self.classes = prior, beam, 2 + int(prior.phones.max())
        self.lm_weight, self.insertion_penalty = lm_weight, insertion_penalty
        self._prior = lru_cache(maxsize=1)(self._prior_at)

    def _prior_at(self, acoustic_scale: float) -> PhonePrior:
        """Sums over alignments are of probabilities as they are: what is scaled is all that is weighed against them."""
        return self.prior.weighted(self.lm_weight / acoustic_scale, self.insertion_penalty / acoustic_scale)

    def decode(self, scores: npt.NDArray[np.float32], acoustic_scale: float = 1.0) -> Path:
        """As `PathFinder.decode`; the path's cost is the scaled negative score of its phones over all alignments."""
        models = [check_scores(each, self.classes) for each in _of_models(scores)]
        if len(models[0]) == 0:
            return Path([], np.zeros(0, np.int64), 0.0, complete=True)
        kept = prefix_beam_search(np.stack(models), self.beam, self._prior(acoustic_scale), count=self.beam)
        scaled = [replace(each, score=acoustic_scale * each.score) for each in kept]
        return replace(forced_path(models[0], scaled[0].phones), cost=-scaled[0].score, sequences=scaled)


def _of_models(log_posteriors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return log_posteriors if log_posteriors.ndim == 3 else log_posteriors[None]


class Beam(NamedTuple):
    """The prefixes that are kept, [K] nodes of the tree, and their natural log probabilities [M, K] by each model: of
    the alignments that end in a blank, and of those that end in the last phone."""

    prefixes: Integers
    blank: Logarithms
    phone: Logarithms


@njit(cache=True)
def _search(
    frames: Logarithms,
    beam: int,
    start: int,
    added: Logarithms,
    histories: Integers,
    ends: Logarithms,
    phones: Integers,
) -> tuple[Logarithms, Integers, Records]:
    """Scores and prefixes of the last of `frames` [M, T, C], and the tree (PREFIX) that these are nodes of."""
    models, symbols = len(frames), added.shape[1]
    tree, nodes, size = np.empty(1 << 12, PREFIX), 1, 1
    _set_prefix(tree, 0, -1, -1, start, 0.0)
    kept = Beam(np.zeros(beam, np.int32), np.full((models, beam), NEVER), np.full((models, beam), NEVER))
    kept.blank[:, 0] = 0.0
    following = Beam(np.zeros(beam, np.int32), np.empty((models, beam)), np.empty((models, beam)))
    blank = np.empty((models, beam))
    # A column for the prefix as it is, and one for each symbol that may follow, behind which there is no blank yet.
    phone = np.empty((models, beam, symbols + 1))
    candidates, places = np.empty(beam * (symbols + 1)), np.empty(beam * (symbols + 1), np.int32)
    for time in range(frames.shape[1]):
        _extend(frames[:, time], phones, tree, kept, size, blank, phone)
        _merge(tree, kept.prefixes[:size], phone)
        found = _candidates(tree, kept.prefixes[:size], added, blank, phone, candidates, places)
        tree = with_room(tree, nodes + beam)
        best = _best(candidates[:found], beam)
        for number in range(len(best)):
            slot, column = places[best[number]] // (symbols + 1), places[best[number]] % (symbols + 1)
            node = kept.prefixes[slot]
            if column:
                node, nodes = _longer(tree, nodes, node, column - 1, added, histories)
            following.prefixes[number] = node
            for model in range(models):
                following.phone[model, number] = phone[model, slot, column]
                following.blank[model, number] = NEVER if column else blank[model, slot]
        kept, following, size = following, kept, len(best)
    final = np.empty(size)
    for slot in range(size):
        prefix = tree[kept.prefixes[slot]]
        total = np.logaddexp(kept.blank[:, slot], kept.phone[:, slot]).mean()
        final[slot] = total + prefix.language + ends[prefix.history]
    return final, kept.prefixes[:size], tree


@njit(cache=True)
def _extend(
    frame: Logarithms, phones: Integers, tree: Records, kept: Beam, size: int, blank: Logarithms, phone: Logarithms
) -> None:
    """Fills `blank` and `phone` with the log probabilities of each prefix one frame [M, C] on: as it is, and longer by
    each symbol."""
    symbols = len(phones)
    spoken = np.empty(symbols)
    for model in range(len(frame)):
        for symbol in range(symbols):
            spoken[symbol] = frame[model, phones[symbol] + 1]
        for slot in range(size):
            ends_blank, ends_phone = kept.blank[model, slot], kept.phone[model, slot]
            total, longer = np.logaddexp(ends_blank, ends_phone), phone[model, slot]
            blank[model, slot] = total + frame[model, BLANK]
            for symbol in range(symbols):
                longer[symbol + 1] = total + spoken[symbol]
            longer[0] = NEVER
            node = kept.prefixes[slot]
            if node:
                last = phones[tree[node].symbol]
                longer[0] = ends_phone + frame[model, last + 1]
                # Straight after itself a phone is the same one: a second needs a blank between.
                for symbol in range(symbols):
                    if phones[symbol] == last:
                        longer[symbol + 1] = ends_blank + spoken[symbol]


@njit(cache=True)
def _merge(tree: Records, prefixes: Integers, phone: Logarithms) -> None:
    """Adds what lengthens a prefix to one that is kept as well to that one, and takes it from where it was."""
    for slot in range(len(prefixes)):
        tree[prefixes[slot]].slot = slot
    for slot in range(len(prefixes)):
        child = tree[prefixes[slot]].child
        while child >= 0:
            place, column = tree[child].slot, tree[child].symbol + 1
            if place >= 0:
                for model in range(len(phone)):
                    phone[model, place, 0] = np.logaddexp(phone[model, place, 0], phone[model, slot, column])
                    phone[model, slot, column] = NEVER
            child = tree[child].sibling
    for slot in range(len(prefixes)):
        tree[prefixes[slot]].slot = -1


@njit(cache=True)
def _candidates(
    tree: Records,
    prefixes: Integers,
    added: Logarithms,
    blank: Logarithms,
    phone: Logarithms,
    candidates: Logarithms,
    places: Integers,
) -> int:
    """Fills `candidates` with the scores of the prefixes that may survive, and `places` with slot times (1 + S) plus
    column; returns how many."""
    models, beam, columns = phone.shape
    share = 1.0 / models
    unchanged = np.empty(len(prefixes))
    for slot in range(len(prefixes)):
        unchanged[slot] = tree[prefixes[slot]].language
        for model in range(models):
            unchanged[slot] += share * np.logaddexp(blank[model, slot], phone[model, slot, 0])
    # A full beam of prefixes as they are: what is worse than all of these will not survive.
    least = unchanged.min() if len(prefixes) == beam else NEVER
    found, scores = 0, np.empty(columns)
    for slot in range(len(prefixes)):
        prefix = tree[prefixes[slot]]
        scores[0] = unchanged[slot]
        for symbol in range(columns - 1):
            scores[symbol + 1] = prefix.language + added[prefix.history, symbol]
        for model in range(models):
            for column in range(1, columns):
                scores[column] += share * phone[model, slot, column]
        for column in range(columns):
            if scores[column] >= least and scores[column] > NEVER:
                candidates[found], places[found] = scores[column], slot * columns + column
                found += 1
    return found


@njit(cache=True)
def _best(candidates: Logarithms, count: int) -> Integers:
    """The `count` highest, or all, in their order; of equal ones the first."""
    count = min(count, len(candidates))
    best = np.empty(count, np.int32)
    if count == 0:
        return best
    threshold = np.partition(candidates, len(candidates) - count)[len(candidates) - count]
    equal = count - (candidates > threshold).sum()  # how many may be as good as the threshold
    number = 0
    for candidate in range(len(candidates)):
        score = candidates[candidate]
        if score > threshold or (score == threshold and equal > 0):
            equal -= score == threshold
            best[number] = candidate
            number += 1
    return best


@njit(cache=True)
def _longer(
    tree: Records, nodes: int, node: int, symbol: int, added: Logarithms, histories: Integers
) -> tuple[int, int]:
    """The prefix that is longer by a symbol, and the number of nodes, which grows where it is new."""
    child = tree[node].child
    while child >= 0 and tree[child].symbol != symbol:
        child = tree[child].sibling
    if child >= 0:
        return child, nodes
    prefix = tree[node]
    history = prefix.history
    _set_prefix(tree, nodes, node, symbol, histories[history, symbol], prefix.language + added[history, symbol])
    tree[nodes].sibling = prefix.child
    prefix.child = nodes
    return nodes, nodes + 1


@njit(cache=True)
def _set_prefix(tree: Records, number: int, parent: int, symbol: int, history: int, language: float) -> None:
    prefix = tree[number]
    prefix.parent, prefix.symbol, prefix.history, prefix.language = parent, symbol, history, language
    prefix.child = prefix.sibling = prefix.slot = -1
