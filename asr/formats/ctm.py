"""CTM files (NIST's time-marked conversations): lines of `utterance channel start duration phone score`."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO

from asr.formats.tiers import all_in_one, require_no_spaces, require_times
from asr.formats.transcript import PhoneSegment, Transcript
from asr.storage.files import complete_file

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


def _write(file: IO[str], tier: str, labels: Transcript) -> None:
    file.writelines(_line(labels.utterance, segment) + "\n" for segment in labels.phones)


FORMAT = all_in_one(".ctm", _write, check)
