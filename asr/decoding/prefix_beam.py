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

import numpy as np
import numpy.typing as npt
from numba import njit

from asr.decoding.arpa import END, START, Ngrams
from asr.decoding.ctc import BLANK
from asr.decoding.ctc_alignment import aligned_path
from asr.decoding.search import Path, PhoneSequence, check_scores
from asr.decoding.word_starts import phone_of
from asr.errors import InputError

Integers = npt.NDArray[np.int32]
Logarithms = npt.NDArray[np.float64]

NEVER = -math.inf


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
    scores, prefixes, parents, last_symbols = _search(
        _of_models(log_posteriors).astype(np.float64),
        beam,
        prior.start,
        prior.added,
        prior.histories,
        prior.ends,
        prior.phones,
    )
    spoken = prior.phones.tolist()
    summed: dict[tuple[int, ...], float] = {}
    for score, prefix in zip(scores.tolist(), prefixes.tolist(), strict=True):
        sequence = []
        while prefix:
            sequence.append(spoken[last_symbols[prefix]])
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
        return replace(aligned_path(models[0], scaled[0].phones), cost=-scaled[0].score, sequences=scaled)


def _of_models(log_posteriors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return log_posteriors if log_posteriors.ndim == 3 else log_posteriors[None]


@njit(cache=True)
def _search(
    frames: Logarithms,
    beam: int,
    start: int,
    added: Logarithms,
    histories: Integers,
    ends: Logarithms,
    phones: Integers,
) -> tuple[Logarithms, Integers, Integers, Integers]:
    """Scores and prefixes of the last of `frames` [M, T, C]; prefixes are nodes of a tree, given by parents and last
    symbols.

    By each model a prefix has two log probabilities: of its alignments that end in a blank, and in its last phone.
    """
    models = len(frames)
    share = 1.0 / models
    symbols = added.shape[1]
    capacity = 1 << 12
    parents, last_symbols = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    children, siblings = np.full(capacity, -1, np.int32), np.full(capacity, -1, np.int32)
    history, language, slots = np.empty(capacity, np.int32), np.empty(capacity), np.full(capacity, -1, np.int32)
    parents[0], last_symbols[0], history[0], language[0] = -1, -1, start, 0.0
    nodes, size = 1, 1
    prefixes, next_prefixes = np.zeros(beam, np.int32), np.zeros(beam, np.int32)
    blank, phone_end = np.full((models, beam), NEVER), np.full((models, beam), NEVER)
    blank[:, 0] = 0.0
    # A column for the prefix as it is, and one for each symbol that may follow, behind which there is no blank yet.
    new_blank = np.empty((models, beam))
    new_phone = np.empty((models, beam, symbols + 1))
    spoken = np.empty((models, symbols))
    scores, unchanged = np.empty(symbols + 1), np.empty(beam)
    candidates, places = np.empty(beam * (symbols + 1)), np.empty(beam * (symbols + 1), np.int32)
    for time in range(frames.shape[1]):
        for slot in range(size):
            slots[prefixes[slot]] = slot
        new_phone[:, :size, 0] = NEVER
        for model in range(models):
            for symbol in range(symbols):
                spoken[model, symbol] = frames[model, time, phones[symbol] + 1]
        for slot in range(size):
            node = prefixes[slot]
            last = phones[last_symbols[node]] if node else -1
            for model in range(models):
                frame, longer = frames[model, time], new_phone[model, slot]
                total = np.logaddexp(blank[model, slot], phone_end[model, slot])
                new_blank[model, slot] = total + frame[BLANK]
                if last >= 0:
                    longer[0] = np.logaddexp(longer[0], phone_end[model, slot] + frame[last + 1])
                for symbol in range(symbols):
                    longer[symbol + 1] = total + spoken[model, symbol]
                if last >= 0:
                    # Straight after itself a phone is the same one: a second needs a blank between.
                    for symbol in range(symbols):
                        if phones[symbol] == last:
                            longer[symbol + 1] = blank[model, slot] + spoken[model, symbol]
            child = children[node]
            while child >= 0:
                if slots[child] >= 0:  # this longer prefix is in the beam already
                    place, column = slots[child], last_symbols[child] + 1
                    for model in range(models):
                        both = np.logaddexp(new_phone[model, place, 0], new_phone[model, slot, column])
                        new_phone[model, place, 0], new_phone[model, slot, column] = both, NEVER
                child = siblings[child]
        for slot in range(size):
            slots[prefixes[slot]] = -1
            unchanged[slot] = language[prefixes[slot]]
            for model in range(models):
                unchanged[slot] += share * np.logaddexp(new_blank[model, slot], new_phone[model, slot, 0])
        # A full beam of prefixes as they are: what is worse than all of these will not survive.
        least = unchanged.min() if size == beam else NEVER
        found = 0
        for slot in range(size):
            known, adds = language[prefixes[slot]], added[history[prefixes[slot]]]
            scores[0] = unchanged[slot]
            for symbol in range(symbols):
                scores[symbol + 1] = known + adds[symbol]
            for model in range(models):
                for column in range(1, symbols + 1):
                    scores[column] += share * new_phone[model, slot, column]
            for column in range(symbols + 1):
                if scores[column] >= least and scores[column] > NEVER:
                    candidates[found], places[found] = scores[column], slot * (symbols + 1) + column
                    found += 1
        kept = min(beam, found)
        threshold = np.partition(candidates[:found], found - kept)[found - kept] if found else NEVER
        equal = kept - (candidates[:found] > threshold).sum()  # how many may be as good as the threshold
        next_size = 0
        while nodes + beam > capacity:
            capacity *= 2
            parents, last_symbols, history = _doubled(parents), _doubled(last_symbols), _doubled(history)
            children, siblings, slots = _doubled(children), _doubled(siblings), _doubled(slots)
            language = _doubled(language)
            children[nodes:], siblings[nodes:], slots[nodes:] = -1, -1, -1
        for candidate in range(found):
            score = candidates[candidate]
            if score < threshold or (score == threshold and equal == 0):
                continue
            equal -= score == threshold
            slot, column = places[candidate] // (symbols + 1), places[candidate] % (symbols + 1)
            node = prefixes[slot]
            if column:
                child = children[node]
                while child >= 0 and last_symbols[child] != column - 1:
                    child = siblings[child]
                if child < 0:
                    child = nodes
                    nodes += 1
                    parents[child], last_symbols[child] = node, column - 1
                    siblings[child], children[node] = children[node], child
                    history[child] = histories[history[node], column - 1]
                    language[child] = language[node] + added[history[node], column - 1]
                node = child
            next_prefixes[next_size] = node
            for model in range(models):
                phone_end[model, next_size] = new_phone[model, slot, column]
                blank[model, next_size] = NEVER if column else new_blank[model, slot]
            next_size += 1
        prefixes, next_prefixes, size = next_prefixes, prefixes, next_size
    final = np.empty(size)
    for slot in range(size):
        node = prefixes[slot]
        total = np.logaddexp(blank[:, slot], phone_end[:, slot]).mean()
        final[slot] = total + language[node] + ends[history[node]]
    return final, prefixes[:size], parents, last_symbols


@njit(cache=True)
def _doubled(values: npt.NDArray) -> npt.NDArray:
    larger = np.empty(2 * len(values), values.dtype)
    larger[: len(values)] = values
    return larger
