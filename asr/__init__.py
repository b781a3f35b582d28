"""Phoneme recognition, from audio to phones with times; and from a corpus to a phone error rate.

>>> import asr
>>> recognizer = asr.load("runs/demo/dnn")
>>> transcript = recognizer.transcribe("hello.wav")
>>> transcript.to_textgrid("hello.TextGrid")

The command `asr` trains models. Names are imported when they are first used, so that `import asr` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from asr.version import __version__

if TYPE_CHECKING:
    from asr.errors import InputError
    from asr.formats.transcript import PhoneSegment, WordSegment
    from asr.library.frame_posteriors import Posteriors
    from asr.library.transcription import Transcription
    from asr.library.transcription import read_transcriptions as read_transcripts
    from asr.recognizer import Recognizer, load, posteriors

_PUBLIC = {
    "InputError": "asr.errors:InputError",
    "PhoneSegment": "asr.formats.transcript:PhoneSegment",
    "Posteriors": "asr.library.frame_posteriors:Posteriors",
    "Recognizer": "asr.recognizer:Recognizer",
    "Transcription": "asr.library.transcription:Transcription",
    "WordSegment": "asr.formats.transcript:WordSegment",
    "load": "asr.recognizer:load",
    "posteriors": "asr.recognizer:posteriors",
    "read_transcripts": "asr.library.transcription:read_transcriptions",
}

__all__ = [
    "InputError",
    "PhoneSegment",
    "Posteriors",
    "Recognizer",
    "Transcription",
    "WordSegment",
    "__version__",
    "load",
    "posteriors",
    "read_transcripts",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'asr' has no attribute {name!r}")
    module, attribute = _PUBLIC[name].split(":")
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
