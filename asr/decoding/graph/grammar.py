"""A phone n-gram as a weighted acceptor: a state for each history, arcs for phones, back-off arcs without a phone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from asr.errors import InputError
from asr.lm.backoff import END, START, Ngrams
from asr.lm.word_starts import phone_of

Symbols = tuple[str, ...]


@dataclass(slots=True)
class Grammar:
    """States are 0 .. len(last_phone) - 1; costs are negative natural logarithms.

    `last_phone[state]` is the index of the phone with which every path into the state ends, or None for the start and
    for the empty history.
    """

    start: int
    last_phone: list[int | None]
    arcs: list[tuple[int, int, int, float]] = field(default_factory=list)
    """(source, target, phone index, cost)"""
    backoffs: list[tuple[int, int, float]] = field(default_factory=list)
    """(source, target, cost)"""
    finals: dict[int, float] = field(default_factory=dict)

    def weighted(self, weight: float) -> "Grammar":
        """The grammar with `weight` times its costs."""
        return replace(
            self,
            arcs=[(source, target, phone, weight * cost) for source, target, phone, cost in self.arcs],
            backoffs=[(source, target, weight * cost) for source, target, cost in self.backoffs],
            finals={state: weight * cost for state, cost in self.finals.items()},
        )


def grammar(ngrams: Ngrams, phones: Sequence[str]) -> Grammar:
    """Compiles an n-gram model over `phones`, or over these and their word starts, which are the same phones.

    The usual approximation of a back-off model: a back-off arc may be taken everywhere, even where the longer n-gram is
    listed, so the cheapest path of a phone sequence costs at most -log P(phones, end). For the models of
    `asr.lm.ngram` up to order 2 it costs exactly this.
    Raises InputError when a phone has no unigram, or the model has a symbol that is not in the phone set.
    """
    _check_vocabulary(ngrams, phones)
    numbers = {phone: number for number, phone in enumerate(phones)}
    histories = sorted({(), (START,)} | {ngram[:-1] for ngram in ngrams.probabilities})
    states = {history: state for state, history in enumerate(histories)}
    last_phones = [numbers.get(phone_of(history[-1])) if history else None for history in histories]
    result = Grammar(states[(START,)], last_phones)
    for ngram, log_probability in sorted(ngrams.probabilities.items()):
        history, symbol = ngram[:-1], ngram[-1]
        if log_probability == -math.inf:
            continue
        if symbol == END:
            result.finals[states[history]] = -log_probability
        else:
            target, backoff = _longest_history(ngram, states, ngrams)
            result.arcs.append((states[history], target, numbers[phone_of(symbol)], backoff - log_probability))
    for history in histories:
        if history:
            target, backoff = _longest_history(history[1:], states, ngrams)
            result.backoffs.append((states[history], target, backoff - ngrams.backoffs.get(history, 0.0)))
    return result


def _longest_history(symbols: Symbols, states: dict[Symbols, int], ngrams: Ngrams) -> tuple[int, float]:
    """The state of the longest suffix that has one, and the cost of backing off to it."""
    cost = 0.0
    while symbols not in states:
        cost -= ngrams.backoffs.get(symbols, 0.0)
        symbols = symbols[1:]
    return states[symbols], cost


def _check_vocabulary(ngrams: Ngrams, phones: Sequence[str]) -> None:
    predicted = {phone_of(ngram[-1]) for ngram in ngrams.probabilities}
    unigrams = {phone_of(ngram[0]) for ngram in ngrams.probabilities if len(ngram) == 1}
    if missing := [phone for phone in phones if phone not in unigrams]:
        raise InputError(f"phone {missing[0]!r} has no unigram in the phone language model; train it on this phone set")
    if foreign := sorted(predicted - set(phones) - {START, END}):
        raise InputError(f"symbol {foreign[0]!r} of the phone language model is not in the phone set")
