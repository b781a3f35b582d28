"""Two files of transcripts, utterance by utterance: side by side while their order is the same, else by an index."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from asr.errors import InputError
from asr.formats.transcript import PronouncedWord, Recognised


class Counterparts:
    """The transcripts of one side, found by the utterances of the other, without their scores.

    If both sides have the same order, one is in memory at a time. Otherwise the symbols of those that are not found
    yet are, as numbers.
    """

    def __init__(self, transcripts: Iterable[Recognised], side: str) -> None:
        """`side` is what the transcripts are, for messages."""
        self._coming = iter(transcripts)
        self._side = side
        self._found: set[str] = set()
        self._waiting: dict[str, tuple[array[int], str | None, Sequence[PronouncedWord]]] = {}
        self._numbers: dict[str, int] = {}
        self._symbols: list[str] = []
        self._exhausted = False

    def find(self, utterance: str) -> Recognised | None:
        """The transcript of an utterance; None where there is none. Raises InputError for one that is there twice."""
        if not self._exhausted and not self._waiting:
            following = next(self._coming, None)
            if following is not None and following.utterance == utterance:
                self._found.add(utterance)
                return following
            self._index(following)
        if (waiting := self._waiting.pop(utterance, None)) is None:
            return None
        self._found.add(utterance)
        numbers, speaker, pronunciations = waiting
        return Recognised(utterance, speaker, [self._symbols[number] for number in numbers], [], pronunciations)

    def rest(self) -> Iterator[str]:
        """The utterances that were not asked for."""
        self._index(next(self._coming, None))
        return iter(self._waiting)

    def _index(self, following: Recognised | None) -> None:
        while following is not None:
            name = following.utterance
            if name in self._waiting or name in self._found:
                raise InputError(f"utterance {name} occurs twice in the {self._side}")
            numbers = array("I", [self._number(symbol) for symbol in following.symbols])
            self._waiting[name] = (numbers, following.speaker, following.pronunciations)
            following = next(self._coming, None)
        self._exhausted = True

    def _number(self, symbol: str) -> int:
        if (number := self._numbers.get(symbol)) is None:
            number = self._numbers[symbol] = len(self._symbols)
            self._symbols.append(symbol)
        return number


def joined(
    references: Iterable[Recognised], hypotheses: Iterable[Recognised]
) -> Iterator[tuple[Recognised, Recognised]]:
    """Each reference with its hypothesis.

    Raises InputError for an utterance that only one side has or that one side has twice.
    """
    recognised = Counterparts(hypotheses, "hypotheses")
    seen: set[str] = set()
    for reference in references:
        name = reference.utterance
        if name in seen:
            raise InputError(f"utterance {name} occurs twice in the references")
        seen.add(name)
        if (hypothesis := recognised.find(name)) is None:
            raise InputError(f"utterance {name} has no hypothesis; decode it or take it out of the references")
        yield reference, hypothesis
    if extra := next(recognised.rest(), None):
        raise InputError(f"utterance {extra} has no reference; take it out of the hypotheses")
