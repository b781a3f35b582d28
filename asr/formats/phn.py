"""TIMIT's label files, `.phn` and `.wrd`: a segment a line, with start, end (in samples at 16 kHz) and label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.audio import audio_info
from asr.errors import InputError
from asr.formats.format import Format
from asr.formats.pauses import with_pauses
from asr.formats.transcript import Transcript
from asr.storage.files import output_path, write_text
from asr.storage.text import read_lines

SAMPLE_RATE = 16000
"""Hz; the unit of the times in every label file, whatever the rate of the audio."""

ROUNDING = 1.5e-4
"""Seconds; a label that ends so near to the end of the audio ends there. Times of transcripts are rounded to 0.1 ms."""

MOST_DIGITS = 12
"""In a number of samples: enough for two years of audio."""


@dataclass(frozen=True, slots=True)
class Label:
    """A segment of a label file; `start` and `end` in samples at 16 kHz, the line of the file for messages."""

    start: int
    end: int
    symbol: str
    line: int


def read_labels(path: Path) -> list[Label]:
    """The segments of a `.phn` or `.wrd` file. Blank lines are ignored.

    Raises InputError with the line that is not two whole numbers and a label.
    """
    labels = []
    for number, line in read_lines(path):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3:
            raise InputError(f"expected start, end and label, found {line.strip()!r}: is it truncated?", path, number)
        start, end = (_sample(field, path, number) for field in fields[:2])
        labels.append(Label(start, end, fields[2], number))
    if not labels:
        raise InputError("has no segments", path)
    return labels


def format_labels(labels: Iterable[Label]) -> str:
    """The text of a `.phn` or `.wrd` file."""
    return "".join(f"{label.start} {label.end} {label.symbol}\n" for label in labels)


def write_labels(path: Path, transcript: Transcript) -> list[Path]:
    """Writes `path`.phn, and `path`.wrd if there are words, in samples of the transcript's audio file; returns them.

    Times are rounded to samples. Raises InputError if the audio is gone.
    """
    info = audio_info(transcript.audio or "")

    def sample(time: float) -> int:
        at_end = time >= info.samples / info.sample_rate - ROUNDING
        return info.samples if at_end else round(time * info.sample_rate)

    def write(suffix: str, segments: Sequence[tuple[str, float, float]]) -> Path:
        labels = (
            Label(sample(start), sample(end), symbol, line) for line, (symbol, start, end) in enumerate(segments, 1)
        )
        target = path.with_name(path.name + suffix)
        write_text(target, format_labels(labels))
        return target

    written = [write(".phn", [(each.phone, each.start or 0.0, each.end or 0.0) for each in transcript.phones])]
    if transcript.words:
        written.append(write(".wrd", [(word.word, word.start, word.end) for word in transcript.words]))
    return written


def _sample(field: str, path: Path, line: int) -> int:
    if not (field.isascii() and field.isdecimal() and len(field) <= MOST_DIGITS):
        raise InputError(
            f"expected a whole number of samples, of at most {MOST_DIGITS} digits, found {field!r}", path, line
        )
    return int(field)


def read_transcript(path: Path, tier: str, audio: Path) -> str:
    """The symbols of a label file, with spaces between them, and PAUSE where there is a gap between two phones."""
    labels = read_labels(path)
    if tier == "words":
        return " ".join(label.symbol for label in labels)
    return " ".join(with_pauses((each.start / SAMPLE_RATE, each.end / SAMPLE_RATE, each.symbol) for each in labels))


def _write_all(folder: Path, transcripts: Iterable[Transcript]) -> list[Path]:
    return [path for each in transcripts for path in write_labels(output_path(folder / "labels", each.utterance), each)]


FORMAT = Format(True, lambda name: (f"labels/{name}.phn", f"labels/{name}.wrd"), _write_all)
