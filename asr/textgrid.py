"""Praat TextGrids: written of transcripts and alignments, and read for what was said."""

from collections.abc import Sequence
from pathlib import Path

from praatio import textgrid
from praatio.utilities import errors

from asr.errors import InputError
from asr.files import complete_file
from asr.transcript import Transcript

PHONES = "phones"
WORDS = "words"
BOUNDARIES = "boundaries"


def write_textgrid(
    path: Path | str,
    transcript: Transcript,
    words: Sequence[tuple[str, float, float]] = (),
    intervals: Sequence[tuple[float, float]] = (),
) -> None:
    """Writes the phones with their times as one interval tier over the whole duration (s).

    Above them the `words` (word, start, end), below them a point at each boundary between two phones that says between
    which times (s) it lies, where these are given.
    """
    end = transcript.duration or max((segment.end or 0.0 for segment in transcript.phones), default=0.0)
    entries = [(segment.start, segment.end, segment.phone) for segment in transcript.phones]
    grid = textgrid.Textgrid(0.0, end)
    if words:
        grid.addTier(textgrid.IntervalTier(WORDS, [(start, stop, word) for word, start, stop in words], 0.0, end))
    grid.addTier(textgrid.IntervalTier(PHONES, entries, 0.0, end))
    if intervals:
        points = {segment.end: between for segment, between in zip(transcript.phones, intervals, strict=False)}
        labels = [(time, f"{low:.4f} to {high:.4f}") for time, (low, high) in points.items()]
        grid.addTier(textgrid.PointTier(BOUNDARIES, labels, 0.0, end))
    with complete_file(path) as file:
        grid.save(file.name, format="long_textgrid", includeBlankSpaces=True)


def read_labels(path: Path | str, tier: str) -> list[str]:
    """The labels of an interval tier in order, without the empty ones.

    Raises InputError for a file that is no TextGrid, and for one without that tier.
    """
    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="error")
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    except (errors.PraatioException, ValueError, IndexError, KeyError) as error:
        raise InputError("not a Praat TextGrid that can be read", path) from error
    if tier not in grid.tierNames or not isinstance(grid.getTier(tier), textgrid.IntervalTier):
        raise InputError(f"has no interval tier {tier!r}; it has {', '.join(grid.tierNames) or 'none'}", path)
    return [label for entry in grid.getTier(tier).entries if (label := entry.label.strip())]
