"""The turns of speakers who share a recording: what each of them says up to where another one speaks.

A long turn becomes several, divided by pauses.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TypeVar

from asr.corpora.own.utterance import Segment
from asr.formats.pauses import PAUSE as NO_SOUND
from asr.phones.symbols import SILENT

MARGIN = 0.3
"""Seconds of the pause around a turn that belong to it, where nobody else speaks."""

ROUNDING = 1e-6
"""Seconds by which labels may overlap."""

WHOLE = 60.0
"""Seconds up to which a turn or a recording stays one utterance, as it is one piece in transcription and alignment."""

PAUSE = 0.5
"""Seconds of a pause that ends an utterance in what is longer than WHOLE: most shorter ones are within a phrase."""

LONGEST = 30.0
"""Seconds that an utterance of what is longer than WHOLE has at most, where shorter pauses allow that: what MFA asks of
its input, and the longest piece of a long recording in transcription."""

SHORTEST_PAUSE = 0.05
"""Seconds of a pause that has room for a frame (25 ms) without speech on both sides of a cut."""

T = TypeVar("T")

Span = tuple[float, float]
"""Start and end (s)."""

_QUIET = ("", "sp", NO_SOUND, *SILENT)
"""Labels where a speaker says nothing; at another's noises (spn) a turn ends."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a speaker says from `start` to `end` (s of the recording)."""

    speaker: str
    start: float
    end: float

    def inside(self, segments: Sequence[Segment], spoken: Callable[[str], bool]) -> list[Segment]:
        """The labels that are in the turn, of segments in order, and its part of the pauses; times from its start.

        `spoken` says whether a label is of speech, not of a pause.
        """
        first = bisect_right(segments, self.start, key=lambda segment: segment[1])
        found = []
        for start, end, label in segments[first : bisect_left(segments, self.end, key=lambda segment: segment[0])]:
            whole = self.start - ROUNDING <= start and end <= self.end + ROUNDING
            part = max(start, self.start), min(end, self.end)
            if whole or (not spoken(label) and part[1] - part[0] > ROUNDING):
                found.append((part[0] - self.start, part[1] - self.start, label))
        return found


def turns_of(phones: Mapping[str, Sequence[Segment]], length: float) -> tuple[list[Turn], float]:
    """The turns, in their order, in a recording of `length` seconds, of the phones of each speaker; and the seconds of
    the phones that are in none, because another speaks at the same time."""
    spoken = sorted(
        (start, end, speaker)
        for speaker, segments in phones.items()
        for start, end, label in segments
        if is_spoken(label)
    )
    together = _together(spoken)
    turns: list[Turn] = []
    reached = 0.0
    lost = sum(spoken[number][1] - spoken[number][0] for number in together)
    for (speaker, apart), numbers in groupby(range(len(spoken)), lambda n: (spoken[n][2], n not in together)):
        run = list(numbers)
        end = max(spoken[number][1] for number in run)
        if apart:
            following = spoken[run[-1] + 1][0] if run[-1] + 1 < len(spoken) else max(length, end)
            turns.append(Turn(speaker, max(reached, spoken[run[0]][0] - MARGIN), min(following, end + MARGIN)))
        reached = max(reached, end)
    return turns, lost


def _together(spoken: Sequence[tuple[float, float, str]]) -> set[int]:
    """The numbers of those during which another speaker speaks, of what is spoken in the order of its starts."""
    found: set[int] = set()
    last: dict[str, int] = {}
    for number, (start, _, speaker) in enumerate(spoken):
        overlapped = [each for other, each in last.items() if other != speaker and spoken[each][1] > start + ROUNDING]
        if overlapped:
            found.update(overlapped, [number])
        last[speaker] = number
    return found


def is_spoken(label: str) -> bool:
    """Whether a speaker says something where a label is, in tiers of any program."""
    return label.lower() not in _QUIET


def numbered(parts: Sequence[T]) -> Iterator[tuple[str, T]]:
    """Parts of a recording, each after its number from 1 on, as names have it, so that they sort in this order."""
    digits = max(4, len(str(len(parts))))
    return ((f"{number:0{digits}d}", part) for number, part in enumerate(parts, 1))


def parts_of(turn: Turn, spoken: Iterable[Span], margin: float = MARGIN) -> list[Turn]:
    """The turns, in their order, into which pauses divide one with those `spoken` stretches; none without any.

    Each pause of PAUSE seconds ends one; what is still longer than LONGEST is divided at the longest pause near its
    middle, and so on.
    `margin` seconds of the pauses around a part belong to it.
    """
    stretches = _joined(spoken)
    ends = [turn.start, *(end for _, end in stretches)]
    starts = [*(start for start, _ in stretches), turn.end]
    return [
        Turn(turn.speaker, max(ends[first], starts[first] - margin), min(starts[last + 1], ends[last + 1] + margin))
        for first, last in _runs(stretches)
    ]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those joined that have no pause between them."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] < SHORTEST_PAUSE - ROUNDING:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _runs(stretches: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """The numbers of the first and the last stretch of each turn."""
    pauses = [start - end for (_, end), (start, _) in pairwise(stretches)]
    begins = [0, *(number for number, pause in enumerate(pauses, 1) if pause >= PAUSE - ROUNDING)]
    for first, after in pairwise([*begins, len(stretches)]):
        if after > first:
            yield from _not_long(stretches, first, after - 1)


def _not_long(stretches: Sequence[Span], first: int, last: int) -> Iterator[tuple[int, int]]:
    """What is longer than LONGEST is divided at the longest pause in the middle half of its time, or at the one nearest
    to its middle if there is none, and so on."""
    start, end = stretches[first][0], stretches[last][1]
    if first == last or end - start <= LONGEST - 2 * MARGIN:
        yield first, last
        return
    middle, quarter = (start + end) / 2, (end - start) / 4
    pauses = [(number, stretches[number - 1][1], stretches[number][0]) for number in range(first + 1, last + 1)]
    inside = [each for each in pauses if middle - quarter <= each[1] and each[2] <= middle + quarter]
    pauses.sort(key=lambda pause: abs(pause[1] + pause[2] - 2 * middle))
    cut, *_ = max(inside, key=lambda pause: pause[2] - pause[1]) if inside else pauses[0]
    yield from _not_long(stretches, first, cut - 1)
    yield from _not_long(stretches, cut, last)
