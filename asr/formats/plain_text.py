"""Text files with a transcript: phones or words separated by spaces, or TIMIT's `.txt`."""

from pathlib import Path

from asr.errors import InputError
from asr.formats.tiers import on_one_line, one_each
from asr.formats.transcript import Transcript


def read_sentence(path: Path) -> str:
    """The sentence of a `.txt` file, without the two sample numbers before it."""
    words = read_text(path).split()
    numbers = 2 if len(words) > 2 and all(word.isdecimal() for word in words[:2]) else 0
    return " ".join(words[numbers:])


def read_transcript(path: Path, tier: str) -> str:
    """The transcript, whatever the tier."""
    return read_sentence(path)


def read_text(path: Path) -> str:
    """The text of a file. Raises InputError if it cannot be read or is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    except UnicodeDecodeError as error:
        raise InputError("is not a text file", path) from error


def _line(labels: Transcript) -> str:
    return " ".join(on_one_line(symbol) for symbol in labels.symbols) + "\n"


FORMAT = one_each("text", ".txt", _line)
