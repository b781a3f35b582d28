"""Folding: from one phone set to another, directly or through sets between them.

The foldings known are those among the sets that ship and those that came with the sets in question. A transcript does
not say in which set it is, so a symbol that occurs in several sets must become the same in each; see `folding`.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment
from asr.phones.phone_set import PHONE_SETS, AnyPhoneSet, Folding, PhoneSet, load_phone_set
from asr.phones.symbols import spelled

FoldingMap = Mapping[str, str | None]
"""What each symbol becomes; None where it is dropped."""


def folding(target: AnyPhoneSet, source: AnyPhoneSet | None = None) -> FoldingMap:
    """What symbols become in `target`; None where they are dropped, as TIMIT's q in 48 phones.

    The symbols are those of `source`; without it those of `target`, which stay as they are, and of every set that can
    be folded to it. (The t of cmu39 may have been TIMIT's t or its flap dx; in timit39 it is t.) Raises InputError
    where there is no folding, and where a symbol of two sets would become two phones.
    """
    into = load_phone_set(target)
    if source is None:
        return _union(into)
    given = load_phone_set(source)
    if given.name not in (found := _paths(into, given)):
        raise InputError(
            f"there is no folding from {given} to {into}; write one to {given}-{into}.tsv, next to the phone set's file"
        )
    return found[given.name]


def folds_to(source: AnyPhoneSet, target: AnyPhoneSet) -> bool:
    """Whether all symbols of `source` have their place in `target`, or are dropped."""
    given = load_phone_set(source)
    return given.name in _paths(load_phone_set(target), given)


def with_foldings(phone_set: PhoneSet, other: PhoneSet) -> PhoneSet:
    """The set, with the foldings of another added to its own, so that transcripts in the other can be folded to it."""
    added = [each for each in other.foldings if each not in phone_set.foldings]
    return replace(phone_set, foldings=(*phone_set.foldings, *added)) if phone_set.name != other.name else phone_set


def fold(symbols: Iterable[str], target: AnyPhoneSet) -> list[str]:
    """The symbols in the phone set `target`, without those that are dropped.

    Raises InputError for a symbol that `target` has no place for.

    >>> fold(["h#", "q", "ix", "bcl", "b", "ux"], "timit39")
    ['sil', 'ih', 'sil', 'b', 'uw']
    """
    return [folded for folded in fold_each(symbols, target) if folded is not None]


def fold_each(symbols: Iterable[str], target: AnyPhoneSet) -> list[str | None]:
    """What each of the symbols becomes in the phone set `target`; None for one that is dropped.

    Raises InputError for a symbol that `target` has no place for.
    """
    into = load_phone_set(target)
    known = _union(into)
    return [known[symbol] if symbol in known else _folded(symbol, into, known) for symbol in symbols]


def can_fold(symbol: str, target: AnyPhoneSet) -> bool:
    """Whether `target` has a place for a symbol, or drops it."""
    into = load_phone_set(target)
    return _written(symbol, into, _union(into)) in _union(into)


def fold_segments(segments: Sequence[PhoneSegment], target: AnyPhoneSet) -> list[PhoneSegment]:
    """The segments with their phones in `target`; the time of one that is dropped stays empty, and nothing is merged.

    Raises InputError for a symbol that `target` has no place for.
    """
    into = load_phone_set(target)
    known = _union(into)
    return [
        PhoneSegment(folded, segment.start, segment.end, segment.score)
        for segment in segments
        if (folded := _folded(segment.phone, into, known)) is not None
    ]


def _folded(symbol: str, target: PhoneSet, known: FoldingMap) -> str | None:
    try:
        return known[_written(symbol, target, known)]
    except KeyError:
        raise InputError(f"unknown phone {symbol!r}: it cannot be folded to {target}") from None


def _written(symbol: str, target: PhoneSet, known: FoldingMap) -> str:
    """The known symbol that is written so; letter case and stress matter only in sets of the user's own."""
    return spelled(symbol, known) if target.ships else symbol


@cache
def _paths(target: PhoneSet, source: PhoneSet | None = None) -> Mapping[str, FoldingMap]:
    """For each set that folds to `target`, by the shortest way, what its symbols become."""
    foldings = _known(target, source)
    found: dict[str, FoldingMap] = {target.name: {symbol: symbol for symbol in target}}
    waiting = deque([target.name])
    while waiting:
        name = waiting.popleft()
        for each in foldings:
            if each.target == name and each.source not in found:
                found[each.source] = {a: None if b is None else _through(b, each, found[name]) for a, b in each.pairs}
                waiting.append(each.source)
    return MappingProxyType(found)


def _through(symbol: str, first: Folding, second: FoldingMap) -> str | None:
    if symbol not in second:
        raise InputError(
            f"{symbol!r}, from the folding {first.source}-{first.target}, is not a symbol of {first.target}"
        )
    return second[symbol]


def _known(*sets: PhoneSet | None) -> list[Folding]:
    shipped = (load_phone_set(name) for name in PHONE_SETS)
    return list(dict.fromkeys(each for one in (*shipped, *sets) if one is not None for each in one.foldings))


@cache
def _union(target: PhoneSet) -> FoldingMap:
    union: dict[str, str | None] = {}
    for name, mapping in _paths(target).items():
        for symbol, folded in mapping.items():
            if union.setdefault(symbol, folded) != folded:
                raise InputError(
                    f"{symbol!r} of {name} would become {folded!r} in {target}, but the same symbol in another set "
                    f"would become {union[symbol]!r}; transcripts do not say which they mean: "
                    "rename the symbol in one of the sets"
                )
    return MappingProxyType(union)
