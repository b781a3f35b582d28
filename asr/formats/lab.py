"""`.lab` files: a transcript as plain text, or labels with times.

HTK's have a segment a line: `start end label [score ...]` in 100 ns, or in seconds where all times have a decimal
point, as WaveSurfer writes them. A file is so if every line has that form, the last ends at 10 ms or later, and there
are several lines or the only one starts at 0. Xwaves' (Festival, CMU ARCTIC) have `end colour label`, in seconds, after
a line `#`.
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
_REST = rf"\s+(\S+)(?:\s+{_NUMBER}(?:\s.*)?)?\s*"
_LABEL = re.compile(rf"\s*(\d{{1,16}})\s+(\d{{1,16}}){_REST}", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(rf"\s*(\d{{1,9}}\.\d+)\s+(\d{{1,9}}\.\d+){_REST}", re.ASCII | re.IGNORECASE)
_XWAVES = re.compile(r"\s*(\d{1,9}(?:\.\d+)?)\s+-?\d+(?:\s+([^\s;]+))?(?:\s*;.*)?\s*", re.ASCII)
_XWAVES_BEGINS = "#"


def read_transcript(path: Path, tier: str, audio: Path) -> str:
    """The phones or words, with spaces between them; with PAUSE where times leave a gap between two phones.

    Raises InputError for a file that cannot be read, and with the line where segments overlap.
    """
    lines = _lines(path)
    segments = _segments(lines, path)
    if segments is None:
        return " ".join(" ".join(line for _, line in lines).split())
    return " ".join(with_pauses(segments) if tier == "phones" else (label for _, _, label in segments if label))


def read_segments(path: Path) -> list[tuple[float, float, str]] | None:
    """The segments: start and end (s), and label; None for a plain text. Raises InputError as `read_transcript`."""
    return _segments(_lines(path), path)


def _lines(path: Path) -> list[tuple[int, str]]:
    return [(number, line) for number, line in read_lines(path, fallback=True) if line.strip()]


def _matches(form: re.Pattern[str], lines: list[str]) -> list[re.Match[str]]:
    """The match of each line; none at all where a line has another form."""
    matches = [match for line in lines if (match := form.fullmatch(line))]
    return matches if len(matches) == len(lines) else []


def _segments(lines: list[tuple[int, str]], path: Path) -> list[tuple[float, float, str]] | None:
    """The segments in seconds; None for a plain text."""
    texts = [line for _, line in lines]
    begins = next((number for number, line in enumerate(texts, 1) if line.strip() == _XWAVES_BEGINS), 0)
    if begins and (matches := _matches(_XWAVES, texts[begins:])):
        lines = lines[begins:]
        ends = [float(match[1]) for match in matches]
        segments = [
            (start, end, match[2] or "") for start, end, match in zip([0.0, *ends], ends, matches, strict=False)
        ]
    elif matches := _matches(_LABEL, texts):
        segments = [(int(match[1]) * UNIT, int(match[2]) * UNIT, match[3]) for match in matches]
    else:
        segments = [(float(match[1]), float(match[2]), match[3]) for match in _matches(_SECONDS, texts)]
    if not segments or segments[-1][1] < SHORTEST or (len(segments) == 1 and segments[0][0] > 0):
        return None
    reached = 0.0
    for (number, _), (start, end, label) in zip(lines, segments, strict=True):
        if not reached <= start <= end:
            raise InputError(f"the segment {label!r} overlaps the one before it or ends before it starts", path, number)
        reached = end
    return segments
