"""Alignment of a long recording in windows that end at anchors, in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from asr.acoustics.pieces import ScoredPiece
from asr.acoustics.posteriors import LogPosteriors
from asr.alignment.aligned import Aligned, concatenated
from asr.alignment.anchors import Anchor
from asr.alignment.graph import Item
from asr.errors import InputError

SHORTEST, LONGEST = 20.0, 60.0
"""Seconds of a window where anchors are dense; where there are none, it is longer."""
LOOKAHEAD = 2.0
"""Seconds at the end of a window whose phones the next window aligns again."""
CONTEXT = 8
"""Phones before a window that are aligned with it, so that its first boundary has a neighbourhood."""
SLACK = 8
"""Items around an anchor's in which a window may end: a recognised phone is not exactly where it should be."""

AlignStretch = Callable[[Sequence[LogPosteriors], list[Item], float, int | None], Aligned]
"""Aligns items to each model's log posteriors [T, C] of a stretch of so many seconds; the path may also end in any item
from that number on."""


class PosteriorStream:
    """A model's log posteriors of a recording that are in memory, those of `step` samples in each frame."""

    def __init__(self, scored: Iterator[ScoredPiece], step: int) -> None:
        self.step = step
        self._scored, self._held, self._first = scored, [np.zeros((0, 0), np.float32)], 0
        self._end = 0

    def between(self, first: int, end: int | None) -> LogPosteriors:
        """Those of the samples `first` to `end` (None: to the recording's end); forgets those before `first`."""
        start = first // self.step
        while end is None or self._end < end // self.step:
            if (piece := next(self._scored, None)) is None:
                break
            self._held.append(piece.log_posteriors[piece.begin : piece.end])
            self._end += piece.end - piece.begin
        joined = np.concatenate([rows for rows in self._held if len(rows)])[start - self._first :]
        self._held, self._first = [joined], start
        return joined if end is None else joined[: end // self.step - start]


def align_windows(
    items: Sequence[Item],
    anchors: Sequence[Anchor],
    samples: int,
    rate: int,
    posteriors: Sequence[PosteriorStream],
    align: AlignStretch,
) -> Aligned:
    """Aligns a transcript's items to a recording of so many samples at `rate` Hz; the frames of `anchors`
    are those of the first model.

    Each window ends at an anchor, and its phones up to the last item that begins LOOKAHEAD before its end are kept.
    Raises InputError where the rest of the transcript does not fit into the rest of the audio, and for too long a
    stretch without an anchor.
    """
    seconds, step = 1 / rate, int(np.lcm.reduce([each.step for each in posteriors]))
    parts: list[Aligned] = []
    item, begin = 0, 0.0  # what comes next, and when
    waiting = [(anchor.frame * posteriors[0].step // step * step, anchor.item) for anchor in anchors]
    while True:
        context = parts[-1].part(max(len(parts[-1].phones) - CONTEXT, 0), len(parts[-1].phones)) if parts else None
        before = [] if context is None else context.phones.tolist()
        first = 0 if context is None else int(context.times[0, 0] * rate) // step * step
        target = None if samples * seconds - begin <= LONGEST else _target(waiting, item, begin, seconds)
        end, stop = (None, len(items)) if target is None else (target[0], min(target[1] + SLACK + 1, len(items)))
        duration = ((samples if end is None else end) - first) * seconds
        open_from = None if target is None else len(before) + max(target[1] - SLACK - item, 0)
        scored = [each.between(first, end) for each in posteriors]
        try:
            found = align(scored, [*before, *items[item:stop]], duration, open_from)
        except InputError as error:
            if target is None:
                raise InputError(f"from {begin:.0f} s on: {error}") from error
            waiting = [place for place in waiting if place[0] > target[0]]
            continue
        found = replace(found, items=found.items + (item - len(before)), times=found.times + first * seconds)
        start = int(np.searchsorted(found.items, item))
        if target is None:
            return concatenated([*parts, found.part(start, len(found.phones))])
        kept = _kept(found, start, target[0] * seconds - LOOKAHEAD)
        if kept > start and found.times[0, kept] > begin:
            parts.append(found.part(start, kept))
            item, begin = int(found.items[kept]), float(found.times[0, kept])
        else:
            waiting = [place for place in waiting if place[0] > target[0]]


def _target(waiting: Sequence[tuple[int, int]], item: int, begin: float, seconds: float) -> tuple[int, int] | None:
    """The anchor (sample, item) at which the next window ends: the last within LONGEST, or else the next one."""
    later = [place for place in waiting if place[0] * seconds > begin + SHORTEST and place[1] > item]
    inside = [place for place in later if place[0] * seconds <= begin + LONGEST]
    return inside[-1] if inside else next(iter(later), None)


def _kept(found: Aligned, start: int, latest: float) -> int:
    """The first phone of the last item that begins before `latest`; `start` where there is none after it."""
    begins = np.flatnonzero(np.diff(found.items[start:])) + start + 1
    early = begins[found.times[0, begins] <= latest]
    return int(early[-1]) if len(early) else start
