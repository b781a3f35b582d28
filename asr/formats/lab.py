"""`.lab` files: a transcript as plain text, or HTK's labels, a segment a line: `start end label [score ...]` in 100 ns.

A file is HTK's if every line has that form, the last ends at 10 ms or later, and there are several lines or the only
one starts at 0.
"""

import re
from pathlib import Path

from asr.errors import InputError
from asr.formats.pauses import with_pauses
from asr.storage.text import read_lines

UNIT = 1e-7
"""Seconds; the unit of HTK's times."""

SHORTEST = 0.01
"""Seconds of audio: HTK's labels end there or later, and numbers in a text are smaller."""

_NUMBER = r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?"
_LABEL = re.compile(rf"\s*(\d{{1,16}})\s+(\d{{1,16}})\s+(\S+)(?:\s+{_NUMBER}(?:\s.*)?)?\s*", re.ASCII | re.IGNORECASE)


def read_transcript(path: Path, tier: str, audio: Path) -> str:
    """The phones or words, with spaces between them; with PAUSE where HTK's times leave a gap between two phones.

    Raises InputError for a file that cannot be read, and with the line where HTK's segments overlap.
    """
    lines = _lines(path)
    segments = _segments(lines, path)
    if segments is None:
        return " ".join(" ".join(line for _, line in lines).split())
    return " ".join(with_pauses(segments) if tier == "phones" else (label for _, _, label in segments))


def read_segments(path: Path) -> list[tuple[float, float, str]] | None:
    """HTK's segments: start and end (s), and label; None for a plain text. Raises InputError as `read_transcript`."""
    return _segments(_lines(path), path)


def _lines(path: Path) -> list[tuple[int, str]]:
    return [(number, line) for number, line in read_lines(path, fallback=True) if line.strip()]


def _segments(lines: list[tuple[int, str]], path: Path) -> list[tuple[float, float, str]] | None:
    """HTK's segments in seconds; None for a plain text."""
    matches = [match for _, line in lines if (match := _LABEL.fullmatch(line))]
    if not matches or len(matches) < len(lines):
        return None
    segments = [(int(match[1]) * UNIT, int(match[2]) * UNIT, match[3]) for match in matches]
    if segments[-1][1] < SHORTEST or (len(segments) == 1 and segments[0][0] > 0):
        return None
    reached = 0.0
    for (number, _), (start, end, label) in zip(lines, segments, strict=True):
        if not reached <= start <= end:
            raise InputError(f"the segment {label!r} overlaps the one before it or ends before it starts", path, number)
        reached = end
    return segments
