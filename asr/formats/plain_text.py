"""Text files with a transcript: phones or words separated by white space, or TIMIT's `.txt`."""

from collections.abc import Callable
from pathlib import Path

from asr.audio import AudioInfo, audio_info
from asr.formats.phn import MOST_DIGITS, SAMPLE_RATE
from asr.formats.tiers import on_one_line, one_each
from asr.formats.transcript import Transcript
from asr.storage.text import read_text

TOLERANCE = 0.01
"""By how much of the audio's length TIMIT's second number may differ from it. (In NLTK's sample: 0.00003.)"""


def read_sentence(path: Path, length: Callable[[], AudioInfo]) -> str:
    """The sentence of a `.txt` file, with one space between words, and without TIMIT's two sample numbers before it.

    Two numbers are TIMIT's if the first is less than the second, and the second is the length of the audio, in samples
    of its own or at 16 kHz. `length` looks at the audio; it is called only where there are two numbers.
    """
    words = read_text(path, fallback=True).split()
    if len(words) > 2 and all(word.isdecimal() and len(word) <= MOST_DIGITS for word in words[:2]):
        start, end = (int(word) for word in words[:2])
        audio = length()
        lengths = (audio.samples, audio.samples / audio.sample_rate * SAMPLE_RATE)
        if start < end and any(abs(end - each) <= TOLERANCE * each for each in lengths):
            words = words[2:]
    return " ".join(words)


def read_transcript(path: Path, tier: str, audio: Path) -> str:
    """The sentence, whatever the tier. Raises InputError for a file that cannot be read."""
    return read_sentence(path, lambda: audio_info(audio))


def _line(labels: Transcript) -> str:
    return " ".join(on_one_line(symbol) for symbol in labels.symbols) + "\n"


FORMAT = one_each("text", ".txt", _line)
