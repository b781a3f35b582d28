"""Pruning of a back-off n-gram by relative entropy (Stolcke 1998, Entropy-based pruning of backoff language models)."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from asr.lm.backoff import END, START, Ngrams

History = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Share:
    """The joint probability of some symbols: `own` after a history, `shorter` after the next shorter one.

    For the symbols that have no n-gram after the history, own / shorter is its back-off weight.
    """

    own: float
    shorter: float

    def __add__(self, other: "_Share") -> "_Share":
        return _Share(self.own + other.own, self.shorter + other.shorter)

    @property
    def information(self) -> float:
        """What the history says about them beyond the shorter one."""
        if not self.own:
            return 0.0
        return self.own * math.log(self.own / self.shorter) if self.shorter else math.inf


def prune(ngrams: Ngrams, threshold: float) -> Ngrams:
    """The model without the n-grams above order 1 that say little beyond their back-offs, normalised again.

    An n-gram goes if, without it and with its history's back-off weight recomputed, the model's perplexity grows by
    less than the fraction `threshold`; not if it is the history of a longer one that stays. A history's probability is
    the model's, by the chain rule, as in the paper. 0 prunes nothing; otherwise the order of the result is that of the
    longest n-gram left.
    """
    if not threshold:
        return ngrams
    symbols = {ngram[0] for ngram, value in ngrams.probabilities.items() if len(ngram) == 1 and value > -math.inf}
    following = _following(ngrams.probabilities)
    following.pop((), None)
    kept = dict(ngrams.probabilities)
    backed_off: dict[History, float] = {}
    for history in sorted(following, key=len, reverse=True):
        shares = {symbol: _listed_share(ngrams, history, symbol) for symbol in following[history]}
        rest = _unlisted_share(ngrams, history, symbols, shares)
        removable = {symbol: share for symbol, share in shares.items() if (*history, symbol) not in backed_off}
        removed = _uninformative(removable, rest, _probability(ngrams, history), math.log1p(threshold))
        for symbol in removed:
            del kept[(*history, symbol)]
        if len(removed) < len(shares):
            backed_off[history] = rest.own + math.fsum(shares[symbol].own for symbol in removed)
    return _normalised(ngrams, kept, backed_off, symbols)


def _following(probabilities: Mapping[History, float]) -> dict[History, list[str]]:
    """The symbols that have an n-gram after each history."""
    following: dict[History, list[str]] = {}
    for ngram in sorted(probabilities):
        following.setdefault(ngram[:-1], []).append(ngram[-1])
    return following


def _listed_share(ngrams: Ngrams, history: History, symbol: str) -> _Share:
    own, shorter = ngrams.log_probability(history, symbol), ngrams.log_probability(history[1:], symbol)
    return _Share(math.exp(own), math.exp(shorter))


def _unlisted_share(ngrams: Ngrams, history: History, symbols: set[str], listed: Collection[str]) -> _Share:
    shorter = _unlisted_probability(ngrams, history[1:], symbols, listed)
    return _Share(shorter * math.exp(ngrams.backoffs.get(history, 0.0)), shorter)


def _unlisted_probability(ngrams: Ngrams, history: History, symbols: set[str], listed: Collection[str]) -> float:
    """P(any of the symbols but those listed | history); exactly 0 where all are listed."""
    unlisted = symbols.difference(listed)
    if len(unlisted) <= len(listed):
        return math.fsum(math.exp(ngrams.log_probability(history, symbol)) for symbol in unlisted)
    return 1.0 - math.fsum(math.exp(ngrams.log_probability(history, symbol)) for symbol in listed)


def _probability(ngrams: Ngrams, history: History) -> float:
    """P(history) by the chain rule; sentences start as often as they end."""
    predicted = (END, *history[1:]) if history[0] == START else history
    return math.exp(sum(ngrams.log_probability(history[:place], symbol) for place, symbol in enumerate(predicted)))


def _uninformative(removable: Mapping[str, _Share], rest: _Share, probability: float, threshold: float) -> list[str]:
    """The symbols whose n-gram changes the model by a divergence below `threshold` when it goes; `rest` are those that
    have none after the history, which has the given probability.

    Where all symbols have one, the back-off weight can replace one of them exactly: the one that gains least from the
    history. It joins the rest before the others are considered.
    """
    removed = []
    ratios = {symbol: share.own / share.shorter for symbol, share in removable.items() if share.shorter}
    if ratios and not rest.shorter:
        removed = [min(ratios, key=lambda symbol: (ratios[symbol], symbol))]
        rest = removable[removed[0]]
    for symbol, share in removable.items():
        if symbol not in removed and probability * _divergence(share, rest) < threshold:
            removed.append(symbol)
    return removed


def _divergence(share: _Share, rest: _Share) -> float:
    """D(p||p') / p(h) for a history h whose n-gram with the given share joins the rest, which has none.

    The paper's p(w|h) [log p(w|h) - log p(w|h') - log a'(h)] + [log a(h) - log a'(h)] sum of p(v|h) over the rest, with
    a(h) and a'(h) as the ratios that they are.
    """
    return share.information + rest.information - (share + rest).information


def _normalised(
    ngrams: Ngrams, kept: dict[History, float], backed_off: Mapping[History, float], symbols: set[str]
) -> Ngrams:
    """The kept n-grams, with back-off weights that distribute what each history leaves to its other symbols."""
    result = Ngrams(max(map(len, kept)), kept)
    following = _following(kept)
    for history in sorted(backed_off, key=len):
        shorter = _unlisted_probability(result, history[1:], symbols, following[history])
        weight = math.log(backed_off[history] / shorter) if shorter else ngrams.backoffs.get(history, 0.0)
        result.backoffs[history] = weight
    return result
