"""Recordings of several speakers as utterances of one each, by the times of the labels in their TextGrids."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from asr.corpora.own.turns import Turn, is_spoken, numbered, parts_of
from asr.errors import InputError
from asr.formats.pauses import with_pauses
from asr.formats.registry import Tier
from asr.formats.speakers import utterance_name
from asr.formats.textgrid_reader import Segment, TextGrid
from asr.recordings.sources import Source


def utterances_of(source: Source, path: Path, tier: Tier) -> list[Source]:
    """The utterances, in the order of their starts, of a recording with that TextGrid; the recording itself where the
    TextGrid is not by speakers, or cannot be read.

    It is where several tiers are called `SPEAKER - words` (or phones): what a speaker says without a long pause is an
    utterance. As in MFA's input, it is also where no tier is called words or phones: then each tier has the name of a
    speaker, and in each interval the words of an utterance.
    """
    try:
        said = sorted(_said(TextGrid(path), tier))
    except InputError:
        return [source]
    return [
        replace(
            source,
            utterance=utterance_name(source.utterance, number, speaker),
            start=start,
            duration=end - start,
            text=text,
            speaker=speaker,
        )
        for number, (start, end, speaker, text) in numbered(said)
    ] or [source]


def _said(grid: TextGrid, tier: Tier) -> Iterator[tuple[float, float, str, str]]:
    """Start, end, speaker and text of each utterance; none where the TextGrid is not by speakers."""
    for speaker, name in grid.speakers(tier).items():
        labels = grid.intervals(name)
        spoken = [(start, end) for start, end, label in labels if is_spoken(label)]
        for turn in parts_of(Turn(speaker, 0.0, math.inf), spoken, margin=0.0):
            yield turn.start, turn.end, speaker, _text(turn.inside(labels, is_spoken), tier)
    if tier == "words" and not (grid.has("words") or grid.has("phones")):
        for speaker in grid.interval_tiers:
            for start, end, label in grid.intervals(speaker):
                if is_spoken(label):
                    yield start, end, speaker, label


def _text(labels: list[Segment], tier: Tier) -> str:
    return " ".join(with_pauses(labels) if tier == "phones" else (label for *_, label in labels if is_spoken(label)))
