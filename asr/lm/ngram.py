"""The phone language model: an n-gram of any order, estimated on training transcripts.

The estimate is interpolated modified Kneser-Ney (Chen & Goodman 1999, An empirical study of smoothing techniques for
language modeling, section 3): on a few thousand phones it predicts held-out phones better than plain Kneser-Ney, more
so at higher orders, and because an n-gram that is listed is never less probable than its back-off, a bigram's decoding
graph with back-off arcs has exactly the model's probabilities.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from asr.errors import InputError
from asr.kneser_ney import discounts
from asr.lm.arpa import write_arpa
from asr.lm.backoff import END, START, Ngrams
from asr.lm.pruning import prune
from asr.lm.word_starts import phone_of

History = tuple[str, ...]
Counts = dict[History, Counter[str]]


def train_ngram(
    sentences: Iterable[Sequence[str]], order: int, phones: Sequence[str], arpa_path: Path | str, pruning: float = 0.0
) -> Ngrams:
    """Estimates an n-gram of the given order, prunes it to a threshold and writes it in ARPA format.

    `sentences` are transcripts in the symbols `phones`, each of which gets a probability, seen or not. The file's bytes
    do not depend on the order of the sentences. Raises InputError when there are no sentences, or for a phone outside
    the set.
    """
    ngrams = prune(estimate(sentences, order, phones), pruning)
    write_arpa(arpa_path, ngrams)
    return ngrams


def estimate(sentences: Iterable[Sequence[str]], order: int, phones: Sequence[str]) -> Ngrams:
    """The model that `train_ngram` prunes and writes. Raises InputError as it does.

    >>> bigram = estimate([["sil", "ah", "sil"], ["sil", "ah", "b", "sil"]], order=2, phones=["sil", "ah", "b"])
    >>> round(math.exp(bigram.log_probability(("sil",), "ah")), 3)
    0.354
    >>> round(perplexity(bigram, [["sil", "ah", "sil"]]), 3)
    2.269
    """
    counts = _kneser_ney_counts(_count(sentences, order, phones))
    ngrams = Ngrams(order)
    ngrams.probabilities[(START,)] = -math.inf
    uniform = 1.0 / (len(phones) + 1)
    for histories in counts:
        occurrences = Counter(count for following in histories.values() for count in following.values())
        taken = discounts(*(occurrences[count] for count in (1, 2, 3, 4)))
        for history, following in sorted(histories.items()):
            total = following.total()
            discounted = {symbol: taken[min(count, 3) - 1] for symbol, count in following.items()}
            backoff = sum(discounted[symbol] for symbol in sorted(discounted)) / total
            if history:
                ngrams.backoffs[history] = math.log(backoff)
            for symbol in sorted(following) if history else [*phones, END]:
                lower = math.exp(ngrams.log_probability(history[1:], symbol)) if history else uniform
                own = (following[symbol] - discounted[symbol]) / total if symbol in following else 0.0
                ngrams.probabilities[(*history, symbol)] = math.log(own + backoff * lower)
    return ngrams


def _count(sentences: Iterable[Sequence[str]], order: int, phones: Sequence[str]) -> list[Counts]:
    """How often each symbol follows each history; element n of the list has the histories of n symbols."""
    known = set(phones)
    counts: list[Counts] = [defaultdict(Counter) for _ in range(order)]
    for sentence in sentences:
        if unknown := [phone for phone in sentence if phone not in known]:
            raise InputError(f"phone {unknown[0]!r} of a training transcript is not in the phone set; fold it first")
        symbols = (START, *sentence, END)
        for position in range(1, len(symbols)):
            for length in range(min(order, position + 1)):
                counts[length][symbols[position - length : position]][symbols[position]] += 1
    if not counts[0]:
        raise InputError("no training transcripts to estimate the phone language model on")
    return counts


def _kneser_ney_counts(counts: list[Counts]) -> list[Counts]:
    """Below the highest order, the number of contexts of an n-gram; those that begin with `<s>` have only one context,
    and keep their counts."""
    modified = counts[-1:]
    for length in range(len(counts) - 2, -1, -1):
        contexts: Counts = defaultdict(Counter)
        for history, following in counts[length + 1].items():
            contexts[history[1:]].update(following.keys())
        for history, following in counts[length].items():
            if history[:1] == (START,):
                contexts[history] = following
        modified.insert(0, contexts)
    return modified


def perplexity(ngrams: Ngrams, sentences: Iterable[Sequence[str]]) -> float:
    """exp of the mean negative log probability of the sentences' phones and ends.

    If the model has word starts, a sentence's probability is the sum over all places where words may begin.
    Raises InputError when there is no sentence, or for a phone that the model does not know.
    """
    symbols: dict[str, list[str]] = defaultdict(list)
    for ngram in ngrams.probabilities:
        if len(ngram) == 1:
            symbols[phone_of(ngram[0])].append(ngram[0])
    total, predicted = 0.0, 0
    for sentence in sentences:
        if unknown := [phone for phone in sentence if phone not in symbols]:
            raise InputError(f"phone {unknown[0]!r} is not in the phone language model")
        total += _log_probability(ngrams, [*(symbols[phone] for phone in sentence), [END]])
        predicted += len(sentence) + 1
    if not predicted:
        raise InputError("no transcripts to compute the perplexity on")
    return math.exp(-total / predicted)


def _log_probability(model: Ngrams, places: Iterable[Sequence[str]]) -> float:
    """The log of the summed probability of all sequences that have one of the symbols at each place."""
    reached: dict[History, float] = {(START,): 0.0}
    for place in places:
        further: defaultdict[History, list[float]] = defaultdict(list)
        for history, before in reached.items():
            for symbol in place:
                longer = (*history, symbol)
                log_probability = before + model.log_probability(history, symbol)
                further[longer[max(0, len(longer) - model.order + 1) :]].append(log_probability)
        reached = {history: float(np.logaddexp.reduce(parts)) for history, parts in further.items()}
    return float(np.logaddexp.reduce(list(reached.values())))
