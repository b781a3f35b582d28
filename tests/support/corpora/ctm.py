"""Reads the CTM files that the package writes, of which it reads none itself."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from asr.formats.transcript import PhoneSegment, Transcript


def read_ctm(path: Path) -> Iterator[Transcript]:
    """Yields a transcript for each run of lines of one utterance."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    for utterance, lines in groupby(rows, key=lambda row: row[0]):
        yield Transcript(utterance, [_segment(*line) for line in lines])


def _segment(utterance: str, channel: str, start: str, duration: str, phone: str, score: str = "") -> PhoneSegment:
    end = round(float(start) + float(duration), 4)
    return PhoneSegment(phone, float(start), end, float(score) if score else None)
