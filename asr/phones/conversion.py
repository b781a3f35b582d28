"""Phones with times in another notation: folded to another phone set or as IPA, with pieces merged that become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.folding import FoldingMap, folding
from asr.phones.phone_set import AnyPhoneSet, PhoneSet, load_phone_set

MODEL, IPA = "model", "ipa"
"""The notations that are not the name or the file of a phone set: the model's own symbols, and IPA."""

SAME_TIME = 1.5e-4
"""Phones that are no more seconds apart touch; times are rounded to 0.1 ms."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What each symbol of a phone set becomes; None where it is dropped, and its time stays empty.

    Of phones that touch, a closure becomes part of the stop or affricate after it (`closures`: of each, the symbol of
    its closure), and two that become the same symbol of `silences` become one.
    """

    symbols: FoldingMap
    closures: Mapping[str, str] = field(default_factory=dict)
    silences: frozenset[str] = frozenset()

    def __call__(self, transcript: Transcript) -> Transcript:
        """The transcript with converted phones; a merged one has the mean of its parts' scores, weighted by duration.

        Its intervals are those of the boundaries that remain. Raises InputError for a symbol that is not in the set.
        """
        intervals = transcript.intervals
        groups = self._groups(transcript.phones)
        return replace(
            transcript,
            phones=_merged_groups(groups, transcript.phones),
            intervals=[intervals[end - 1] for _, _, end in groups[:-1]] if intervals else [],
            nbest=[
                replace(each, phones=_merged_groups(self._groups(each.phones), each.phones))
                for each in transcript.nbest
            ],
        )

    def _groups(self, phones: Sequence[PhoneSegment]) -> list[tuple[str, int, int]]:
        """Each converted phone, with the range of the phones that it is made of."""
        groups: list[tuple[str, int, int]] = []
        first = 0
        for number, phone in enumerate(phones):
            if number + 1 < len(phones) and self._closes(phone, phones[number + 1]):
                continue
            if (symbol := self._converted(phone.phone)) is not None:
                if symbol in self.silences and groups and groups[-1][0] == symbol and groups[-1][2] == first:
                    first = groups.pop()[1] if _touching(phones[first - 1], phones[first]) else first
                groups.append((symbol, first, number + 1))
            first = number + 1
        return groups

    def _closes(self, phone: PhoneSegment, following: PhoneSegment) -> bool:
        return self.closures.get(following.phone) == phone.phone and _touching(phone, following)

    def _converted(self, symbol: str) -> str | None:
        if symbol not in self.symbols:
            raise InputError(f"phone {symbol!r} is not in the model's phone set")
        return self.symbols[symbol]


def conversion(notation: AnyPhoneSet, source: AnyPhoneSet) -> Conversion | None:
    """How phones of the set `source` become those of `notation`: a phone set, "ipa", or "model", which changes nothing.

    Raises InputError for an unknown set, one that `source` cannot be folded to, and a set without IPA.
    """
    given = load_phone_set(source)
    if notation == MODEL:
        return None
    if notation == IPA:
        return _to_ipa(given)
    try:
        target = load_phone_set(notation)
    except InputError as error:
        raise InputError(f"{error}; or {IPA} or {MODEL}") from error
    folded = folding(target, given)
    closures = {stop: mark for stop, mark in _closures(given).items() if folded[mark] in (None, folded[stop])}
    return Conversion(folded, closures, frozenset(target.silences))


def _to_ipa(given: PhoneSet) -> Conversion:
    closures = _closures(given)
    silent = given.unspoken | set(closures.values())
    if missing := [symbol for symbol in given if symbol not in given.ipa and symbol not in silent]:
        raise InputError(f"phone set {given}: {missing[0]!r} has no IPA; write it into the third column of its file")
    return Conversion({symbol: given.ipa.get(symbol) for symbol in given}, closures)


def _closures(given: PhoneSet) -> dict[str, str]:
    """The closure of each stop and affricate that has one of its own: not merely silence, which may be long."""
    return {each.symbol: each.closure for each in given.phones if each.closure and each.closure not in given.unspoken}


def _touching(phone: PhoneSegment, following: PhoneSegment) -> bool:
    if phone.end is None or following.start is None:
        return True
    return abs(following.start - phone.end) <= SAME_TIME


def _merged_groups(groups: Sequence[tuple[str, int, int]], phones: Sequence[PhoneSegment]) -> list[PhoneSegment]:
    return [_merged(symbol, phones[first:end]) for symbol, first, end in groups]


def _merged(symbol: str, parts: Sequence[PhoneSegment]) -> PhoneSegment:
    if len(parts) == 1:
        return replace(parts[0], phone=symbol)
    return PhoneSegment(symbol, parts[0].start, parts[-1].end, _mean_score(parts))


def _mean_score(parts: Sequence[PhoneSegment]) -> float | None:
    scores = [part.score for part in parts if part.score is not None]
    if len(scores) < len(parts):
        return None
    durations = [(part.end or 0.0) - (part.start or 0.0) for part in parts]
    weights = durations if sum(durations) > 0 else [1.0] * len(parts)
    return round(sum(weight * score for weight, score in zip(weights, scores, strict=True)) / sum(weights), 4)
