"""The turns of speakers who share a recording: what each of them says up to where another one speaks."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from asr.corpora.own.utterance import Segment
from asr.phones.symbols import SILENT

MARGIN = 0.3
"""Seconds of the pause around a turn that belong to it, where nobody else speaks."""

ROUNDING = 1e-6
"""Seconds by which labels may overlap."""

_QUIET = ("", "sp", *SILENT)
"""Labels where a speaker says nothing; at another's noises (spn) a turn ends."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a speaker says from `start` to `end` (s of the recording)."""

    speaker: str
    start: float
    end: float

    def inside(self, segments: Sequence[Segment]) -> list[Segment]:
        """The labels that are in the turn, of segments in order, and its part of the pauses; times from its start."""
        found = []
        for start, end, label in segments[bisect_right(segments, self.start, key=lambda segment: segment[1]) :]:
            if start >= self.end:
                break
            whole = self.start - ROUNDING <= start and end <= self.end + ROUNDING
            if whole or not _speaks(label):
                found.append((max(start - self.start, 0.0), min(end, self.end) - self.start, label))
        return found


def turns_of(phones: Mapping[str, Sequence[Segment]], length: float) -> tuple[list[Turn], float]:
    """The turns, in their order, in a recording of `length` seconds, of the phones of each speaker; and the seconds of
    the phones that are in none, because another speaks at the same time."""
    spoken = sorted(
        (start, end, speaker)
        for speaker, segments in phones.items()
        for start, end, label in segments
        if _speaks(label)
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


def _speaks(label: str) -> bool:
    return label.lower() not in _QUIET
