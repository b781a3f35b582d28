"""CTM files (NIST's time-marked conversations): lines of `utterance channel start duration phone score`."""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO

from asr.errors import InputError
from asr.formats.tiers import all_in_one, require_no_spaces, require_times
from asr.formats.transcript import PhoneSegment, Transcript
from asr.storage.files import complete_file
from asr.storage.text import read_lines

CHANNEL = "1"


def write_ctm(path: Path | str, transcripts: Iterable[Transcript]) -> int:
    """Writes the phones with their times in seconds to 0.1 ms, as the transcripts come; returns how many phones.

    The format has no line for an utterance without phones. Raises InputError for a phone without times, and for an
    utterance or a phone whose name has a space in it.
    """
    count = 0
    with complete_file(path) as file:
        for transcript in transcripts:
            check(transcript, path)
            _write(file, "phones", transcript)
            count += len(transcript.phones)
    return count


def check(transcript: Transcript, path: Path | str | None = None) -> None:
    """Raises InputError for what CTM cannot hold; `path` (by default the audio) is the file in the message."""
    require_no_spaces(transcript, "CTM", path)
    require_times(transcript, "CTM", path)


def _line(utterance: str, segment: PhoneSegment) -> str:
    start, end = segment.start or 0.0, segment.end or 0.0
    duration = round(end, 4) - round(start, 4)
    line = f"{utterance} {CHANNEL} {start:.4f} {duration:.4f} {segment.phone}"
    return line if segment.score is None else f"{line} {segment.score:.4f}"


def read_ctm(path: Path | str) -> Iterator[Transcript]:
    """Yields a transcript for each run of lines of one utterance. Raises InputError with the broken line."""
    for utterance, rows in groupby(_rows(Path(path)), key=lambda row: row[0]):
        yield Transcript(utterance, [segment for _, segment in rows])


def _rows(path: Path) -> Iterator[tuple[str, PhoneSegment]]:
    for number, line in read_lines(path):
        fields = line.split()
        if fields and not line.startswith(";;"):
            yield _parse(fields, path, number)


def _parse(fields: list[str], path: Path, number: int) -> tuple[str, PhoneSegment]:
    if len(fields) not in (5, 6):
        raise InputError("expected utterance, channel, start, duration, phone and perhaps a score", path, number)
    try:
        start, duration = float(fields[2]), float(fields[3])
        score = float(fields[5]) if len(fields) == 6 else None
    except ValueError as error:
        raise InputError(str(error), path, number) from error
    if not (math.isfinite(start) and math.isfinite(start + duration) and duration >= 0):
        raise InputError("start and duration must be seconds, the duration not negative", path, number)
    if not math.isfinite(score or 0.0):
        raise InputError(f"the score must be a number, not {score}", path, number)
    return fields[0], PhoneSegment(fields[4], start, round(start + duration, 4), score)


def _write(file: IO[str], tier: str, labels: Transcript) -> None:
    file.writelines(_line(labels.utterance, segment) + "\n" for segment in labels.phones)


FORMAT = all_in_one(".ctm", _write, check)
