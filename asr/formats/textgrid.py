"""Praat TextGrids, written from transcripts and alignments; `asr.formats.textgrid_reader` reads them."""

from collections.abc import Iterable
from pathlib import Path

from praatio import textgrid

from asr.formats.tiers import one_file
from asr.formats.transcript import Transcript
from asr.storage.files import complete_file

PHONES = "phones"
WORDS = "words"
BOUNDARIES = "boundaries"


def write_textgrid(path: Path | str, transcript: Transcript) -> None:
    """Writes the phones with their times as one interval tier over the whole duration (s).

    If the transcript has them, the words come above, and below a point at each boundary between two phones, labelled
    with the times (s) between which it lies.
    """
    end = transcript.duration or max((segment.end or 0.0 for segment in transcript.phones), default=0.0)
    entries = [(segment.start, segment.end, segment.phone) for segment in transcript.phones]
    tiers = []
    if transcript.words:
        words = [(word.start, word.end, word.word) for word in transcript.words]
        tiers.append(textgrid.IntervalTier(WORDS, words, 0.0, end))
    tiers.append(textgrid.IntervalTier(PHONES, entries, 0.0, end))
    if transcript.intervals:
        points = {
            segment.end: between for segment, between in zip(transcript.phones, transcript.intervals, strict=False)
        }
        labels = [(time, f"{low:.4f} to {high:.4f}") for time, (low, high) in points.items()]
        tiers.append(textgrid.PointTier(BOUNDARIES, labels, 0.0, end))
    save_tiers(path, tiers, end)


def save_tiers(path: Path | str, tiers: Iterable[textgrid.IntervalTier | textgrid.PointTier], end: float) -> None:
    """Writes a TextGrid of `end` seconds with these tiers."""
    grid = textgrid.Textgrid(0.0, end)
    for tier in tiers:
        grid.addTier(tier)
    with complete_file(path) as file:
        grid.save(file.name, format="long_textgrid", includeBlankSpaces=True)


FORMAT = one_file("textgrids", ".TextGrid", write_textgrid)
