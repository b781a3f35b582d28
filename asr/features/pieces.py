"""Cuts a recording of any length into pieces at its pauses, so that it is processed in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from asr.audio.waveform import Waveform
from asr.config import FeaturesConfig
from asr.features.mel import check_length

WHOLE = 60.0
"""Seconds; a recording that is not longer stays one piece, and so does the rest of a longer one."""
SHORTEST, LONGEST = 15.0, 30.0
"""Seconds of a piece of a longer recording, without its margins."""
MARGIN = 0.5
"""Seconds that a piece has in common with each of its neighbours, before and after a cut."""
PAUSE = 0.2
"""Seconds over which a cut must be quiet."""
FRAME = 0.01
ALIKE = 2.0
"""The factor of the least energy up to which a stretch counts as equally quiet (3 dB)."""
SILENCE = 1e-10
"""The energy (full scale is 1) of what is as quiet as digital silence: -100 dB."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples [S] of a recording, of which its samples `begin` to `end` - 1 are the piece's own, and those before and
    after them its neighbours'. `first` is the place of samples[0] in the recording."""

    samples: Waveform
    first: int
    begin: int
    end: int
    last: bool


def whole_or_blocks(blocks: Iterator[Waveform], config: FeaturesConfig) -> Waveform | Iterator[Waveform]:
    """The samples [S] of a recording that comes in one block, of WHOLE seconds at most; the blocks of a longer one.

    Raises InputError for one that is shorter than a frame.
    """
    head = list(islice(blocks, 2))
    if len(head) != 1:
        return chain(head, blocks)
    check_length(len(head[0]), config)
    return head[0]


def cut_at_pauses(blocks: Iterable[Waveform], sample_rate: int, step: int = 1) -> Iterator[Piece]:
    """The pieces of a recording that comes in blocks of samples [S] of any length; WHOLE and a block are held at most.

    Each cut is in the middle of the quietest stretch of PAUSE seconds between SHORTEST and LONGEST after the previous
    one. `begin` and `first` are multiples of `step` samples. A recording without samples is one empty piece.
    """
    whole, earliest, latest = (int(seconds * sample_rate) for seconds in (WHOLE, SHORTEST, LONGEST))
    margin = -(-int(MARGIN * sample_rate) // step) * step
    held, begin = _Held(blocks), 0
    while held.reach(begin + whole + 1):
        first, cut = max(begin - margin, 0), begin + earliest
        cut += _quietest(held.between(cut, begin + latest), sample_rate)
        cut -= cut % step
        yield Piece(held.between(first, cut + margin), first, begin, cut, last=False)
        begin = cut
        held.drop(begin - margin)
    first = max(begin - margin, 0)
    yield Piece(held.between(first, held.end), first, begin, held.end, last=True)


class _Held:
    """The samples of a stream that are in memory: `first` to `end` - 1."""

    def __init__(self, blocks: Iterable[Waveform]) -> None:
        self._blocks, self._samples = iter(blocks), np.zeros(0, np.float32)
        self._waiting: list[Waveform] = []
        self.first = self.end = 0

    def reach(self, end: int) -> bool:
        """Reads on until there are `end` samples; whether there are."""
        while self.end < end and (block := next(self._blocks, None)) is not None:
            self._waiting.append(block)
            self.end += len(block)
        return self.end >= end

    def between(self, first: int, end: int) -> Waveform:
        if self._waiting:
            parts = [part for part in (self._samples, *self._waiting) if len(part)] or [self._samples]
            self._samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
            self._waiting = []
        return self._samples[first - self.first : end - self.first]

    def drop(self, first: int) -> None:
        """Forgets the samples before `first`."""
        self._samples, self.first = self.between(first, self.end), first


def _quietest(samples: Waveform, sample_rate: int) -> int:
    """The middle of the longest stretch in which every PAUSE seconds are as quiet as the quietest."""
    frame = max(int(FRAME * sample_rate), 1)
    energies = samples[: len(samples) // frame * frame].reshape(-1, frame).var(axis=1, dtype=np.float64)
    width = min(int(PAUSE / FRAME), len(energies))
    means = np.convolve(energies, np.full(width, 1 / width), mode="valid")
    quiet = means <= ALIKE * max(means.min(), SILENCE)
    edges = np.flatnonzero(np.diff(quiet, prepend=False, append=False)).reshape(-1, 2)
    begin, end = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return int((begin + end - 1 + width) * frame // 2)
