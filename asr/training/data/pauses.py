"""Where pauses come into each utterance, in whole frames, and the labels of the frames that they add."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.config import FeaturesConfig, TargetsConfig
from asr.features import mel
from asr.features.augmentation.pauses import Pause
from asr.phones.classes import UNLABELLED
from asr.training.data.draws import Pauses
from asr.training.data.layout import Numbers


class InnerPlaces:
    """The frames of each utterance before which a pause may come: those that begin, end or are inside a silence."""

    def __init__(self, silent: NDArray[np.bool_], starts: Numbers, lengths: Numbers) -> None:
        """`silent` has all utterances' frames one after another, of `lengths` [U] from `starts` [U]."""
        possible = silent.copy()
        possible[1:] |= silent[:-1]
        possible[starts[lengths > 0]] = False  # that would be at the beginning
        self.silent, self.starts = silent, starts
        self.places = np.flatnonzero(possible).astype(np.int32)
        self.first, self.end = (np.searchsorted(self.places, edge) for edge in (starts, starts + lengths))

    def choose(self, utterances: Numbers, chance: NDArray[np.float64]) -> tuple[Numbers, Numbers]:
        """The frame [U] before which a pause comes (-1: there is none), and the silent frame [U] next to it."""
        first, end = self.first[utterances], self.end[utterances]
        if not len(self.places):
            return np.full(len(utterances), -1), np.zeros(len(utterances), np.int64)
        index = np.minimum(first + (chance * (end - first)).astype(np.int64), len(self.places) - 1)
        place = self.places[index].astype(np.int64)
        beside = np.where(self.silent[place - 1], place - 1, place)
        start = self.starts[utterances]
        return np.where(end > first, place - start, -1), beside - start


@dataclass(frozen=True)
class PlacedPauses:
    """Frames [U, 3] added before, inside and after each utterance, with their levels as drawn.

    Those inside come before the frame `place` [U] and have the label of the frame `source` [U].
    """

    frames: Numbers
    levels: NDArray[np.float64]
    place: Numbers
    source: Numbers

    @classmethod
    def of(cls, drawn: Pauses, inner: InnerPlaces | None, columns: Numbers, config: FeaturesConfig) -> "PlacedPauses":
        """`columns` [U] are the utterances among those of `inner`; without it, no pauses are inside."""
        frames = np.round(drawn.lengths * 1000 / config.frame_shift).astype(np.int64)
        place = source = np.full(len(frames), -1)
        if inner is not None:
            place, source = inner.choose(columns, drawn.place)
        frames[:, 1] *= place >= 0
        return cls(frames, drawn.levels, place, source)

    @property
    def added(self) -> Numbers:
        """Frames [U] that each utterance has more."""
        return np.asarray(self.frames.sum(axis=1))

    def source_frames(self, utterance: Numbers, frame: Numbers, lengths: Numbers) -> Numbers:
        """The frame of the utterance without pauses whose label a frame has, for frames [N] of utterances [N];
        `lengths` [U] are without pauses."""
        before, inside, _ = self.frames[utterance].T
        place = self.place[utterance]
        own = frame - before
        after = own >= place + inside
        spoken = np.where((inside > 0) & after, own - inside, own)
        spoken = np.where((inside > 0) & ~after & (own >= place), self.source[utterance], spoken)
        return np.clip(spoken, 0, lengths[utterance] - 1)

    def at_edges(self, utterance: Numbers, frame: Numbers, lengths: Numbers) -> tuple[Numbers, Numbers]:
        """Which frame of a pause at an edge each frame [N] of utterances [N] is (-1: of none), and of how many."""
        before, inside, after = self.frames[utterance].T
        end = before + lengths[utterance] + inside
        own = np.where(frame < before, frame, np.where(frame >= end, frame - end, -1))
        return own, np.where(frame < before, before, after)

    def samples(self, number: int, length: int, config: FeaturesConfig) -> list[Pause]:
        """The pauses of an utterance of `length` samples."""
        shift = mel.shift_samples(config)
        inner = round(config.frame_offset * config.sample_rate) + int(self.place[number]) * shift
        places = (0, min(inner, length), length)
        return [
            Pause(place, int(frames) * shift, float(level))
            for place, frames, level in zip(places, self.frames[number], self.levels[number], strict=True)
            if frames
        ]


def silence_labels(frame: Numbers, frames: Numbers, targets: TargetsConfig) -> Numbers:
    """The classes of frames [N] of pauses of so many `frames` [N]: the phone set's first silence, its states spread
    evenly; UNLABELLED where the set has no silence."""
    if not targets.phone_set.silences:
        return np.full(len(frame), UNLABELLED)
    first = targets.phone_set.numbers[targets.phone_set.silences[0]] * targets.states
    return np.asarray(first + (2 * frame + 1) * targets.states // (2 * frames))


def silent_classes(targets: TargetsConfig) -> Numbers:
    """The classes of all states of the phone set's silences."""
    phones = np.array([targets.phone_set.numbers[phone] for phone in targets.phone_set.silences], dtype=np.int64)
    return np.asarray((phones[:, None] * targets.states + np.arange(targets.states)).ravel())
