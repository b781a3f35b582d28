"""The JSON API as one table, from which both the routes and the OpenAPI document are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from asr.serve.speech import FORMATS, JSON, Speech, check_format, written
from asr.serve.uploads import Upload

Result = tuple[bytes, str]
"""The content of a response and its media type."""


@dataclass(frozen=True)
class Field:
    """A field of the form beside the recording."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True)
class Operation:
    """A request with a recording; `work` is done in a thread."""

    path: str
    name: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    result: Literal["transcript", "comparison", "wav"]
    work: Callable[[Speech, Upload], Result]

    def schema(self) -> dict[str, Any]:
        """The form's schema (JSON Schema)."""
        audio = {"type": "string", "format": "binary", "description": "WAV, FLAC, MP3, Ogg, NIST SPHERE, m4a, ..."}
        return {
            "type": "object",
            "required": ["audio"],
            "properties": {"audio": audio} | {each.name: _schema(each) for each in self.fields},
            "additionalProperties": False,
        }


def _schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "description": field.description}
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _transcribe(speech: Speech, upload: Upload) -> Result:
    form = check_format(upload.fields.get("format", JSON))
    return written(speech.transcribe(upload), form)


def _align(speech: Speech, upload: Upload) -> Result:
    form = check_format(upload.fields.get("format", JSON))
    return written(speech.align(upload), form)


def _score(speech: Speech, upload: Upload) -> Result:
    return speech.score(upload), "application/json"


def _wav(speech: Speech, upload: Upload) -> Result:
    return speech.wav(upload), "audio/wav"


FORMAT = Field("format", "How the result is written; a format of asr transcribe, or json.", FORMATS, JSON)
SAID = (Field("words", "What is said, in words."), Field("phones", "What is said, as phones separated by spaces."))

OPERATIONS = (
    Operation(
        "/v1/transcribe",
        "transcribe",
        "The phones of a recording",
        "Finds the phones with their times (s) and scores (0 to 1).",
        (FORMAT,),
        "transcript",
        _transcribe,
    ),
    Operation(
        "/v1/align",
        "align",
        "When the words or phones of a transcript are said",
        "Give either words, which are looked up in the server's lexicon, or phones. The result has the words with "
        "their times, a score for each phone, and in intervals the earliest and latest plausible time of each "
        "boundary.",
        (*SAID, FORMAT),
        "transcript",
        _align,
    ),
    Operation(
        "/v1/score",
        "score",
        "How well a recording whose words or phones are known is recognised",
        "Recognises the phones and compares them with the pronunciation that alignment finds, as sclite does, without "
        "silence. The result has the phone error rate, the counts, and each pair of phones with its time (s); null is "
        "a phone that one side does not have.",
        SAID,
        "comparison",
        _score,
    ),
    Operation(
        "/v1/wav",
        "wav",
        "A recording as WAV",
        "The recording as the model reads it: one channel at its sample rate, 16 bits. For formats that a web browser "
        "does not play.",
        (),
        "wav",
        _wav,
    ),
)
